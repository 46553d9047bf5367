/* SPDX-License-Identifier: ISC */
/* Chooses rows by wire id. Knows the tables, no meaning of any row. */
#include "props/base/rows.h"

enum { SERVICE_IDS = 0x80 /* ids of one service lie in one block of so many */ };

/* The number modulo the power of two above `last`. */
static uint32_t folded(uint32_t number, uint32_t last)
{
    uint32_t span = 1;
    while (span <= last)
        span *= 2;
    return number % span;
}

/* Whether an id is nearer at or above the number than what was found before; unsigned numbers wrap,
 * so that the first row is the nearest one above the last. */
static bool is_nearer(uint32_t id, uint32_t number, uint32_t *distance)
{
    if (id - number > *distance)
        return false;
    *distance = id - number;
    return true;
}

static bool is_of(const struct operation *row, enum service_id service)
{
    return service == SERVICE_COUNT || row->service == service;
}

/* Of one service; of all when it is SERVICE_COUNT. */
static const struct operation *near_in(enum service_id service, uint32_t number)
{
    const struct operation *found = operation_table;
    uint32_t distance = UINT32_MAX;
    for (unsigned i = 0; i < operation_count; i++)
        if (is_of(&operation_table[i], service) &&
            is_nearer(operation_table[i].id, number, &distance))
            found = &operation_table[i];
    return found;
}

/* The highest id; found once, because lives choose an operation in every step. */
static uint32_t last_in(enum service_id service)
{
    static uint32_t known[SERVICE_COUNT + 1];
    if (known[service] != 0)
        return known[service];
    uint32_t last = 0;
    for (unsigned i = 0; i < operation_count; i++)
        if (is_of(&operation_table[i], service) && operation_table[i].id > last)
            last = operation_table[i].id;
    known[service] = last;
    return last;
}

const struct operation *operation_near(uint32_t number)
{
    static const struct operation *known[UINT16_MAX + 1]; /* what a number means, once asked */
    uint32_t id = folded(number, last_in(SERVICE_COUNT));
    if (id > UINT16_MAX)
        return near_in(SERVICE_COUNT, id);
    if (known[id] == NULL)
        known[id] = near_in(SERVICE_COUNT, id);
    return known[id];
}

const struct operation *operation_near_in(enum service_id service, uint32_t number)
{
    uint32_t last = last_in(service);
    uint32_t id = last - last % SERVICE_IDS + folded(number, last % SERVICE_IDS);
    const struct operation *exact = operation_find(service, (uint16_t)id);
    return exact != NULL ? exact : near_in(service, id);
}

const struct operation *choose_operation(struct choices *choices)
{
    size_t from = choices->offset_bytes;
    const struct operation *row = operation_near(choices_u16(choices));
    choices_settle(choices, from, row->id);
    return row;
}

const struct operation *choose_operation_in(struct choices *choices, enum service_id service)
{
    size_t from = choices->offset_bytes;
    const struct operation *row = operation_near_in(service, choices_u8(choices));
    choices_settle(choices, from, row->id % SERVICE_IDS);
    return row;
}

const struct role *choose_role(struct choices *choices)
{
    size_t from = choices->offset_bytes;
    uint32_t last = 0;
    for (unsigned i = 0; i < role_count; i++)
        last = role_table[i].id > last ? role_table[i].id : last;
    uint32_t number = folded(choices_u16(choices), last);
    const struct role *found = role_table;
    uint32_t distance = UINT32_MAX;
    for (unsigned i = 0; i < role_count; i++)
        if (is_nearer(role_table[i].id, number, &distance))
            found = &role_table[i];
    choices_settle(choices, from, found->id);
    return found;
}

/* The id that a byte means, of a list. */
static uint32_t listed_near(uint32_t byte, const uint32_t *ids, unsigned count)
{
    uint32_t last = 0;
    for (unsigned i = 0; i < count; i++)
        last = ids[i] > last ? ids[i] : last;
    uint32_t number = folded(byte, last);
    uint32_t found = ids[0];
    uint32_t distance = UINT32_MAX;
    for (unsigned i = 0; i < count; i++)
        if (is_nearer(ids[i], number, &distance))
            found = ids[i];
    return found;
}

uint32_t choose_listed(struct choices *choices, const uint32_t *ids, unsigned count)
{
    size_t from = choices->offset_bytes;
    uint32_t found = listed_near(choices_u8(choices), ids, count);
    choices_settle(choices, from, found);
    return found;
}

enum object_type choose_object_type(struct choices *choices)
{
    static uint32_t ids[OBJECT_TYPE_LIMIT];
    static uint8_t means[UINT8_MAX + 1]; /* of each byte; found once */
    static uint32_t count;
    for (uint32_t i = 0; means[0] == 0 && i < OBJECT_TYPE_LIMIT; i++)
        if (object_type_rights(i) != 0)
            ids[count++] = i;
    for (uint32_t byte = 0; means[UINT8_MAX] == 0 && byte <= UINT8_MAX; byte++)
        means[byte] = (uint8_t)listed_near(byte, ids, count);
    size_t from = choices->offset_bytes;
    uint32_t found = means[choices_u8(choices)];
    choices_settle(choices, from, found);
    return (enum object_type)found;
}

/* The number of 0..last that a drawn one means: past the last comes the first. */
static uint64_t number_near(uint64_t drawn, uint64_t last)
{
    uint64_t number = folded((uint32_t)drawn, (uint32_t)last);
    return number <= last ? number : 0;
}

enum status choose_refusal(struct choices *choices)
{
    size_t from = choices->offset_bytes;
    uint64_t status = number_near(choices_u8(choices), STATUS_COUNT - 1);
    status = status == STATUS_OK ? STATUS_OK + 1 : status;
    choices_settle(choices, from, status);
    return (enum status)status;
}

uint64_t choose_up_to(struct choices *choices, uint64_t last)
{
    size_t from = choices->offset_bytes;
    uint64_t number = number_near(choices_u8(choices), last);
    choices_settle(choices, from, number);
    return number;
}

uint64_t choose_up_to_or_unknown(struct choices *choices, uint64_t last)
{
    size_t from = choices->offset_bytes;
    uint64_t number = choices_u8(choices);
    if (number >= ROW_UNKNOWN)
        return UINT32_MAX - (number - ROW_UNKNOWN);
    number = number_near(number, last);
    choices_settle(choices, from, number);
    return number;
}

static uint64_t generator_below(void *context, uint64_t limit)
{
    return choices_below(context, limit);
}

static uint64_t generator_up_to(void *context, uint64_t last)
{
    return choose_up_to(context, last);
}

struct generator choices_generator(struct choices *choices)
{
    return (struct generator){
        .below = generator_below, .up_to = generator_up_to, .context = choices};
}
