/* SPDX-License-Identifier: ISC */
/* Generates and breaks messages by their rows. Knows field kinds, no operation: what only one
 * service knows comes through the hint. */
#include "abi/text/generate.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/capability.h"
#include "abi/codec.h"
#include "abi/formats/cursor.h"
#include "abi/limits.h"
#include "abi/slots.h"

enum { SCALAR_LIMIT = 64 };

static uint64_t below(const struct generator *generator, uint64_t limit)
{
    return limit > 1 ? generator->below(generator->context, limit) : 0;
}

static bool is_scalar(const struct message_field *field)
{
    return field->kind != FIELD_END && field->kind != FIELD_BYTES && field->kind != FIELD_ROWS;
}

bool field_value_allowed(const struct message_field *field, uint64_t value)
{
    switch ((enum field_kind)field->kind) {
    case FIELD_RANGE:
    case FIELD_ENUM:
    case FIELD_SLOT:
        return value >= field->low && value <= field->high;
    case FIELD_FLAGS:
        return (value & ~field->high) == 0;
    case FIELD_PAGE:
        return value % PAGE_BYTES == 0;
    case FIELD_CAP:
        return value < SLOT_LIMIT && (value != 0 || field->limit == 1);
    case FIELD_ZERO:
        return value == 0;
    case FIELD_END:
    case FIELD_BYTES:
    case FIELD_ROWS:
        return false;
    }
    return false;
}

static uint64_t width_max(const struct message_field *field)
{
    return field->width_bytes >= 8 ? UINT64_MAX : UINT32_MAX;
}

static uint64_t any_number(const struct generator *generator, uint64_t low, uint64_t high)
{
    uint64_t span = high - low;
    UNIT_ASSERT(low <= high);
    return low + (span == UINT64_MAX ? generator->below(generator->context, UINT64_MAX)
                                     : below(generator, span + 1));
}

/* A number in [low, high]: the ends, their neighbours, small steps, powers of two, anything. */
static uint64_t near_bounds(const struct generator *generator, uint64_t low, uint64_t high)
{
    uint64_t span = high - low;
    UNIT_ASSERT(low <= high);
    if (span == 0)
        return low;
    switch (below(generator, 8)) {
    case 0:
        return low;
    case 1:
        return high;
    case 2:
        return low + 1;
    case 3:
        return high - 1;
    case 4:
    case 5:
        return low + below(generator, span < 8 ? span + 1 : 8);
    case 6: {
        uint64_t power = UINT64_C(1) << below(generator, 64);
        return power <= span ? low + power : high;
    }
    default:
        return any_number(generator, low, high);
    }
}

/* A page-aligned number: the first and last pages, around the ends of user space, any. */
static uint64_t aligned_number(const struct generator *generator)
{
    uint64_t pages[] = {0,
                        USER_VA_FIRST,
                        UINT64_C(0x400000),
                        USER_VA_END - PAGE_BYTES,
                        USER_VA_END,
                        UINT64_C(0xFFFF800000000000),
                        UINT64_MAX - PAGE_BYTES + 1};
    enum { PAGE_COUNT = sizeof pages / sizeof pages[0] };
    uint64_t choice = below(generator, PAGE_COUNT + 3);
    if (choice < PAGE_COUNT)
        return pages[choice];
    if (choice < PAGE_COUNT + 2)
        return UINT64_C(0x400000) + below(generator, 256) * PAGE_BYTES;
    return below(generator, UINT64_C(1) << 52) * PAGE_BYTES;
}

static uint64_t lowest(const struct message_field *field)
{
    if (field->kind == FIELD_CAP)
        return field->limit == 1 ? 0 : 1;
    return field->kind == FIELD_RANGE || field->kind == FIELD_SLOT ? field->low : 0;
}

/* A value that the constraint of the field allows, without a hint. */
static uint64_t allowed_value(const struct generator *generator, const struct message_field *field)
{
    switch ((enum field_kind)field->kind) {
    case FIELD_ENUM:
        if (generator->up_to != NULL)
            return generator->up_to(generator->context, field->high);
        return near_bounds(generator, 0, field->high);
    case FIELD_RANGE:
    case FIELD_SLOT:
        return near_bounds(generator, lowest(field), field->high);
    case FIELD_FLAGS:
        return below(generator, 4) == 3 ? field->high : field->high & below(generator, 1u << 16);
    case FIELD_PAGE:
        return aligned_number(generator);
    case FIELD_CAP:
        return near_bounds(generator, lowest(field), SLOT_LIMIT - 1);
    case FIELD_ZERO:
    case FIELD_END:
    case FIELD_BYTES:
    case FIELD_ROWS:
        return 0;
    }
    return 0;
}

static uint64_t chosen_value(const struct generator *generator, const struct message_type *type,
                             const struct message_field *field)
{
    uint64_t value = 0;
    bool asks = generator->hint != NULL && field->kind != FIELD_ZERO && below(generator, 2) == 0;
    if (asks && generator->hint(generator->context, type, field, &value) &&
        value <= width_max(field) && field_value_allowed(field, value))
        return value;
    return allowed_value(generator, field);
}

/* A list of scalars of a message; the last is the count when an array follows, and at most that array's limit.
 * Returns the value of the last. */
static uint64_t generate_scalars(const struct generator *generator, const struct message_type *type,
                                 const struct message_field *field, struct writer *writer)
{
    uint64_t value = 0;
    for (; is_scalar(field); field++) {
        const struct message_field *next = field + 1;
        bool counts = next->kind == FIELD_BYTES || next->kind == FIELD_ROWS;
        for (unsigned i = 0; i < field->entry_count; i++) {
            struct message_field entry = message_field_entry(field, i);
            value = chosen_value(generator, type, &entry);
            if (counts && value > next->limit)
                value = next->limit;
            write_width(writer, value, field->width_bytes);
        }
    }
    return value;
}

void generate_valid(const struct generator *generator, const struct message_type *type, void *out)
{
    struct writer writer = writer_over(out, type->max_bytes);
    const struct message_field *array = message_fields(type);
    memset(out, 0, type->max_bytes);
    uint64_t count = generate_scalars(generator, type, array, &writer);
    while (is_scalar(array))
        array++;
    for (uint64_t i = 0; array->kind == FIELD_BYTES && i < count; i++)
        write_u8(&writer, (uint8_t)below(generator, 256));
    for (uint64_t i = 0; array->kind == FIELD_ROWS && i < count; i++)
        generate_scalars(generator, type, array->row->fields, &writer);
}

/* A value that the constraint of the field, with `next` behind it, refuses; false when it allows
 * every value. */
static bool refused_value(const struct generator *generator, const struct message_field *field,
                          const struct message_field *next, uint64_t *value)
{
    uint64_t max = width_max(field);
    uint64_t low = lowest(field);
    uint64_t high = field->kind == FIELD_CAP ? SLOT_LIMIT - 1 : field->high;
    switch ((enum field_kind)field->kind) {
    case FIELD_RANGE:
    case FIELD_ENUM:
    case FIELD_SLOT:
    case FIELD_CAP:
        if ((next->kind == FIELD_BYTES || next->kind == FIELD_ROWS) && next->limit < high)
            high = next->limit;
        if (low == 0 && high == max)
            return false;
        if (low != 0 && (high == max || below(generator, 3) == 0))
            *value = below(generator, 2) == 0 ? low - 1 : 0;
        else
            *value = below(generator, 2) == 0 ? high + 1 : max;
        return true;
    case FIELD_FLAGS: {
        unsigned bit = (unsigned)below(generator, field->width_bytes * 8u);
        while ((field->high >> bit & 1) != 0)
            bit = (bit + 1) % (field->width_bytes * 8u);
        *value = field->high != max ? UINT64_C(1) << bit : 0;
        return field->high != max;
    }
    case FIELD_PAGE:
        *value = aligned_number(generator) + 1 + below(generator, PAGE_BYTES - 1);
        return true;
    case FIELD_ZERO:
        *value = below(generator, 2) == 0 ? 1 : max;
        return true;
    case FIELD_END:
    case FIELD_BYTES:
    case FIELD_ROWS:
        return false;
    }
    return false;
}

/* A scalar of the message, in its fixed part or in one of its rows. */
struct place {
    const struct message_field *field;
    struct message_field entry; /* the field as it is there, when it is an array */
    size_t offset_bytes;
};

static unsigned list_places(const struct message_field *field, size_t offset_bytes,
                            struct place *places, unsigned count)
{
    for (; is_scalar(field); field++) {
        for (unsigned i = 0; i < field->entry_count; i++) {
            UNIT_ASSERT(count < SCALAR_LIMIT);
            places[count++] = (struct place){field, message_field_entry(field, i), offset_bytes};
            offset_bytes += field->width_bytes;
        }
    }
    return count;
}

static uint64_t value_at(const void *in, const struct place *place)
{
    struct reader reader = reader_over(in, place->offset_bytes + place->field->width_bytes);
    reader_seek(&reader, place->offset_bytes);
    return read_width(&reader, place->field->width_bytes);
}

static void set_value(void *out, const struct place *place, uint64_t value)
{
    struct writer writer =
        writer_over((uint8_t *)out + place->offset_bytes, place->field->width_bytes);
    write_width(&writer, value, place->field->width_bytes);
    UNIT_ASSERT(!writer.failed);
}

/* All scalar places of a message: the fixed ones, and those of one chosen row when it has rows. */
static unsigned places_of(const struct generator *generator, const struct message_type *type,
                          const void *in, struct place *places)
{
    unsigned count = list_places(message_fields(type), 0, places, 0);
    if (count == 0)
        return 0;
    const struct place *last = &places[count - 1];
    const struct message_field *array = last->field + 1;
    if (array->kind != FIELD_ROWS)
        return count;
    uint64_t rows = value_at(in, last);
    if (rows == 0 || rows > array->limit)
        return count;
    size_t first = last->offset_bytes + last->field->width_bytes;
    size_t row = (size_t)below(generator, rows);
    return list_places(array->row->fields, first + row * array->row->max_bytes, places, count);
}

const struct message_field *generate_violation(const struct generator *generator,
                                               const struct message_type *type, void *out)
{
    struct place places[SCALAR_LIMIT];
    unsigned count = places_of(generator, type, out, places);
    unsigned first = (unsigned)below(generator, count);
    for (unsigned i = 0; i < count; i++) {
        const struct place *place = &places[(first + i) % count];
        uint64_t value;
        if (refused_value(generator, &place->entry, place->field + 1, &value)) {
            set_value(out, place, value);
            return place->field;
        }
    }
    return NULL;
}

const struct message_field *generate_mutation(const struct generator *generator,
                                              const struct message_type *type, void *out)
{
    struct place places[SCALAR_LIMIT];
    unsigned count = places_of(generator, type, out, places);
    if (count == 0)
        return NULL;
    const struct place *place = &places[below(generator, count)];
    uint64_t old = value_at(out, place);
    uint64_t value = chosen_value(generator, type, &place->entry);
    uint64_t refused;
    switch (below(generator, 4)) {
    case 0:
        value = old + 1;
        break;
    case 1:
        value = old - 1;
        break;
    case 2:
        if (refused_value(generator, &place->entry, place->field + 1, &refused))
            value = refused;
        break;
    default:
        break;
    }
    set_value(out, place, value);
    return place->field;
}

static uint8_t first_type(uint64_t types)
{
    return types == 0 ? OBJECT_NONE : (uint8_t)__builtin_ctzll(types);
}

static void deliver_cap(const struct message_field *field, size_t offset_bytes,
                        struct message *message)
{
    if (message->header.cap_count == MESSAGE_CAP_LIMIT)
        return;
    message->caps[message->header.cap_count++] = (struct message_cap){
        .field_offset = (uint16_t)offset_bytes,
        .rights = (uint16_t)field->high,
        .object_type = first_type(field->low),
    };
}

void generate_delivered(const struct message_type *type, const void *in, struct message *message)
{
    struct reader reader = reader_over(in, type->max_bytes);
    const struct message_field *field = message_fields(type);
    uint64_t last = 0;
    memset(message, 0, sizeof *message);
    message->header.version = MESSAGE_VERSION;
    message->header.operation = type->operation;
    for (; is_scalar(field); field++) {
        for (unsigned entry = 0; entry < field->entry_count; entry++) {
            size_t offset = reader.offset_bytes;
            last = read_width(&reader, field->width_bytes);
            if (field->kind == FIELD_CAP && last != 0)
                deliver_cap(field, offset, message);
        }
    }
    size_t end = reader.offset_bytes;
    if (field->kind == FIELD_BYTES || field->kind == FIELD_ROWS) {
        uint64_t entries = last < field->limit ? last : field->limit;
        end += entries * (field->kind == FIELD_BYTES ? 1 : field->row->max_bytes);
    }
    memcpy(message->body, in, end);
    message->header.body_bytes = (uint16_t)end;
}
