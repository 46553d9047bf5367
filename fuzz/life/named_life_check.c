/* SPDX-License-Identifier: ISC */
/* What named's life compares after each message: replies, table and slots with the model. */
#include "fuzz/life/named_life.h"

#include <string.h>

#include "abi/codec.h"

void compare_seal(void)
{
    struct named_seal_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&named_seal_reply_type, stand_in_reply(), &reply), STATUS_OK);
    PROPERTY_EQUAL(N1, reply.entry_count, life.answer.entry_count);
}

/* A capability of the stand-in's books is the one that the model speaks of. */
static void is_cap(const struct stand_in_cap *cap, uint64_t badge, uint32_t rights, uint32_t number,
                   uint32_t instance)
{
    PROPERTY_EQUAL(N2, cap->object_type, OBJECT_ENDPOINT);
    PROPERTY_EQUAL(N2, cap->rights, rights);
    PROPERTY_EQUAL(N2, cap->badge, badge);
    PROPERTY_EQUAL(N1, cap->object, STAND_IN_OTHER + number);
    PROPERTY_EQUAL(N1, cap->generation, instance);
}

void compare_lookup(void)
{
    struct named_lookup_reply reply;
    const struct model_named_cap *cap = &life.answer.cap;
    PROPERTY_EQUAL(E5, reply_decode(&named_lookup_reply_type, stand_in_reply(), &reply), STATUS_OK);
    PROPERTY_EQUAL(N2, stand_in_reply()->header.cap_count, 1);
    is_cap(stand_in_reply_caps(), cap->badge, cap->rights, cap->number, cap->instance);
    PROPERTY(N1, stand_in_cap_live(stand_in_reply_caps()));
}

/* Its own endpoint, in the name of the role: who holds it is no administrator (N1). */
void compare_mint_end(void)
{
    struct named_mint_end_reply reply;
    const struct model_named_cap *minted = &life.answer.cap;
    const struct stand_in_cap *cap = stand_in_reply_caps();
    PROPERTY_EQUAL(E5, reply_decode(&named_mint_end_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY_EQUAL(N2, stand_in_reply()->header.cap_count, 1);
    PROPERTY_EQUAL(N2, cap->object_type, OBJECT_ENDPOINT);
    PROPERTY_EQUAL(N2, cap->rights, minted->rights);
    PROPERTY_EQUAL(N1, cap->object, ROLE_NAMED);
    PROPERTY_EQUAL(N1, cap->badge, minted->badge);
}

/* --- everything --- */

static void check_entry(const struct model_named_entry *entry)
{
    uint32_t place = model_named_place(&model, entry);
    struct stand_in_cap cap = stand_in_at(NAMED_SLOT_BASE + place);
    const struct named_entry *own = &named.entries[place];
    PROPERTY_EQUAL(N1, own->client_role, entry->client_role);
    PROPERTY_EQUAL(N1, own->service_role, entry->service_role);
    PROPERTY_EQUAL(N1, own->rights, entry->rights);
    PROPERTY(N1, memcmp(own->name, entry->name, sizeof own->name) == 0);
    PROPERTY_EQUAL(N1, "registered", cap.object_type != OBJECT_NONE, entry->registered);
    if (entry->registered)
        is_cap(&cap, entry->client_role, NAMED_RIGHTS, entry->number, entry->instance);
}

void named_life_check(void)
{
    uint32_t registered = 0;
    if (!oracle_due())
        return;
    life_check(named_check(&named));
    PROPERTY_EQUAL(N1, named.entry_count, model.entry_count);
    /* Of a full table those that anything happens to: its search is quadratic. */
    for (uint32_t i = 0; i < model.entry_count; i++) {
        registered += model.entries[i].registered;
        if (model.entry_count < 64 || model.entries[i].registered || i % 64 == 0)
            check_entry(&model.entries[i]);
    }
    PROPERTY_EQUAL(N2, "slots", stand_in_slot_count(), life_now.startup_slots + registered);
}

uint64_t named_life_digest(void)
{
    uint64_t sum = 0;
    named_visit_fields(&named, life_digest_visit, &sum);
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

/* --- another order --- */

static void seed_again(struct named *other, const struct model_named_entry *entry)
{
    struct named_seed_entry_request body = {
        .service_role = entry->service_role,
        .client_role = entry->client_role,
        .rights = entry->rights,
        .count = (uint32_t)strnlen(entry->name, sizeof entry->name),
    };
    struct life_service service = life_service;
    struct message request;
    service.caller = &other->caller;
    service.state = other;
    memcpy(body.name, entry->name, body.count);
    life_request(&named_seed_entry_request_type, &body, 0, &request);
    PROPERTY_EQUAL(N3, life_deliver(&service, &request, NULL), STATUS_OK);
}

/* From the last to the first, what lies at even places before what lies at odd ones. */
void named_life_check_order(void)
{
    static struct named other;
    uint64_t sum = 0;
    uint64_t other_sum = 0;
    stand_in_fail_pause(true);
    memset(&other, 0, sizeof other);
    for (uint32_t odd = 0; odd < 2; odd++)
        for (uint32_t i = model.entry_count; i-- > 0;)
            if (i % 2 == odd)
                seed_again(&other, &model.entries[i]);
    stand_in_fail_pause(false);
    other.is_sealed = named.is_sealed;
    named_visit_fields(&named, life_digest_visit, &sum);
    named_visit_fields(&other, life_digest_visit, &other_sum);
    PROPERTY_EQUAL(N3, sum, other_sum);
}

/* --- marks --- */

/* The entry that a request would name. */
static const struct model_named_entry *named_by(const struct message *request)
{
    struct named_lookup_request lookup;
    struct named_register_service_request registers;
    uint64_t client = request->header.badge;
    const uint8_t *name = NULL;
    uint32_t count = 0;
    if (request->header.operation == OP_NAMED_LOOKUP &&
        message_decode(&named_lookup_request_type, request, &lookup) == STATUS_OK) {
        name = lookup.name;
        count = lookup.count;
    } else if (request->header.operation == OP_NAMED_REGISTER &&
               message_decode(&named_register_service_request_type, request, &registers) ==
                   STATUS_OK) {
        client = registers.client_role;
        name = registers.name;
        count = registers.count;
    }
    for (uint32_t i = 0; name != NULL && i < model.entry_count; i++) {
        const struct model_named_entry *entry = &model.entries[i];
        if (entry->client_role == client && strnlen(entry->name, sizeof entry->name) == count &&
            memcmp(entry->name, name, count) == 0)
            return entry;
    }
    return NULL;
}

unsigned named_life_state(const struct message *request)
{
    const struct model_named_entry *entry = named_by(request);
    unsigned state = life_sender_kind(request);
    state |= model.sealed ? 4u : 0;
    state |= entry != NULL ? 8u : 0;
    state |= entry != NULL && entry->registered ? 16u : 0;
    state |= entry != NULL && model_named_lives(&model, entry) ? 32u : 0;
    return state;
}
