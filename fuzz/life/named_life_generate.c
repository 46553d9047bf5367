/* SPDX-License-Identifier: ISC */
/* Draws requests for named's life: most name what was seeded and come from who may ask. Decides
 * nothing about what is right: the model does. */
#include "fuzz/life/named_life.h"

#include <stdio.h>
#include <string.h>

enum { FILLER_CLIENT = 60000 };

static uint32_t some_role(struct choices *choices)
{
    static const uint32_t roles[] = {ROLE_LOGD, ROLE_TIMED, ROLE_SERIALD, 256, 1, ROLE_ID_MAX};
    uint64_t which = choices_below(choices, 8);
    return which < 6 ? roles[which] : (uint32_t)choices_between(choices, 1, ROLE_ID_MAX);
}

/* Names that differ in length alone, in the first byte and in the last one; and any. */
static uint32_t some_name(struct choices *choices, uint8_t *name)
{
    static const char *const names[] = {"logd", "log",  "timed",           "a",
                                        "-0z",  "logc", "fifteen-bytes-1", "fifteen-bytes-2"};
    uint64_t which = choices_below(choices, 10);
    if (which < 8) {
        size_t length = strlen(names[which]);
        memcpy(name, names[which], length);
        return (uint32_t)length;
    }
    uint32_t count = (uint32_t)choices_between(choices, 1, SERVICE_NAME_BYTES_MAX);
    for (uint32_t i = 0; i < count; i++)
        name[i] = which == 8 ? (uint8_t)('a' + choices_below(choices, 26)) : choices_u8(choices);
    return count;
}

static const struct model_named_entry *some_entry(struct choices *choices)
{
    if (model.entry_count == 0)
        return NULL;
    return &model.entries[choices_below(choices, model.entry_count)];
}

void draw_seed_entry(struct choices *choices, struct life_draft *draft)
{
    struct named_seed_entry_request *request = (void *)draft->body;
    request->service_role = some_role(choices);
    request->client_role = some_role(choices);
    request->rights = RIGHT_SEND | (choices_flag(choices) ? RIGHT_TRANSFER : 0);
    request->count = some_name(choices, request->name);
    if (choices_below(choices, 16) == 0)
        request->rights = RIGHT_TRANSFER;
    draft->badge = 0;
}

void draw_seal(struct choices *choices, struct life_draft *draft)
{
    draft->badge = choices_below(choices, 8) == 0 ? some_role(choices) : 0;
}

/* Mostly what the entry asks for: an endpoint of a small number, so that it dies and comes again. */
static void draw_cap(struct choices *choices, uint64_t client_role, struct message_cap *cap)
{
    static const uint16_t rights[] = {RIGHT_SEND, RIGHTS_SERVICE_ENDPOINT, RIGHT_TRANSFER,
                                      RIGHT_SEND | RIGHT_TRANSFER};
    uint64_t number = choices_below(choices, 4);
    uint64_t oddity = choices_below(choices, 24);
    uint64_t badge = client_role;
    cap->object_type = OBJECT_ENDPOINT;
    cap->rights = oddity < 4 ? rights[oddity] : rights[3];
    if (oddity == 4)
        badge = 0;
    if (oddity == 5)
        badge = choices_u32(choices);
    if (oddity == 6)
        cap->object_type = OBJECT_FRAME;
    cap->badge = (number << NAMED_LIFE_NUMBER_SHIFT) + (uint32_t)badge;
    if (oddity == 7)
        cap->badge |= UINT64_C(1) << NAMED_LIFE_DEAD_SHIFT;
}

void draw_register(struct choices *choices, struct life_draft *draft)
{
    struct named_register_service_request *request = (void *)draft->body;
    const struct model_named_entry *entry = some_entry(choices);
    uint64_t oddity = choices_below(choices, 12);
    request->service_slot = SLOT_RECEIVE_BASE;
    request->client_role = some_role(choices);
    request->count = some_name(choices, request->name);
    draft->badge = some_role(choices);
    if (entry != NULL && oddity != 0) {
        request->client_role = entry->client_role;
        request->count = (uint32_t)strnlen(entry->name, sizeof entry->name);
        memcpy(request->name, entry->name, sizeof entry->name);
        draft->badge = oddity == 1 ? entry->client_role : entry->service_role;
    }
    draw_cap(choices, request->client_role, &draft->caps[0]);
}

void draw_lookup(struct choices *choices, struct life_draft *draft)
{
    struct named_lookup_request *request = (void *)draft->body;
    const struct model_named_entry *entry = some_entry(choices);
    uint64_t oddity = choices_below(choices, 12);
    request->count = some_name(choices, request->name);
    draft->badge = some_role(choices);
    if (entry != NULL && oddity != 0) {
        request->count = (uint32_t)strnlen(entry->name, sizeof entry->name);
        memset(request->name, 0, sizeof request->name);
        memcpy(request->name, entry->name, request->count);
        draft->badge = oddity == 1 ? entry->service_role : entry->client_role;
        if (oddity == 2)
            draft->badge = 0; /* its administrator finds nobody */
    }
}

void draw_mint_end(struct choices *choices, struct life_draft *draft)
{
    struct named_mint_end_request *request = (void *)draft->body;
    request->role = some_role(choices);
    if (choices_below(choices, 8) != 0)
        draft->badge = 0;
}

void named_life_filler(uint32_t n, struct message *request)
{
    char text[NAMED_NAME_BYTES];
    struct named_seed_entry_request body = {
        .service_role = ROLE_LOGD,
        .client_role = FILLER_CLIENT + n % 7,
        .rights = RIGHT_SEND,
        .count = (uint32_t)snprintf(text, sizeof text, "filler-%u", n),
    };
    memcpy(body.name, text, body.count);
    life_request(&named_seed_entry_request_type, &body, 0, request);
}

static uint64_t some_badge(struct choices *choices)
{
    return choices_flag(choices) ? some_role(choices) : 0;
}

void named_life_generate(struct choices *choices, struct message *request)
{
    if (life_generate(&named_life_language, choices, some_badge, request) == 0)
        request->header.badge = choices_flag(choices) ? choices_u64(choices) : some_role(choices);
}
