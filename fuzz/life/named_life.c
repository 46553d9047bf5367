/* SPDX-License-Identifier: ISC */
/* A life of named: the administrator seeds and seals, services register and die and come again,
 * clients and strangers look up, calls fail, clients have no room or give up. After every message:
 * status, reply and effects are the model's (N1), every slot holds exactly what its entry allows
 * (N2), a refusal changed nothing (E1, E4). At SEAL: the same entries in another order are the same
 * state (N3). */
#include "fuzz/life/named_life.h"

#include <string.h>

const char harness_name[] = "named_life";
MARKS(15, 2);

/* Calls of one message, other than those that empty the window (E8). */
enum { CALLS_MAX = 4, FAIL_LIMIT = 16, FILL_SPARE_LIMIT = 4 };

enum action { ACTION_FAIL, ACTION_DIE, ACTION_SHUT, ACTION_GONE, ACTION_FILL, ACTION_COUNT };
static const struct life_action actions[] = {
    [ACTION_FAIL] = {"fail", 2}, /* index status: that call of the next message; twice: two */
    [ACTION_DIE] = {"die",
                    1}, /* n: the process behind the n-th endpoint; another takes its place */
    [ACTION_SHUT] = {"shut", 0}, /* the next client has no room for capabilities */
    [ACTION_GONE] = {"gone", 0}, /* the next client gives up before it is answered */
    [ACTION_FILL] = {"fill", 1}, /* n: the table is filled but for n entries */
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_NAMED_SEED_ENTRY, 3, draw_seed_entry, NULL, NULL},
    {OP_NAMED_SEAL, 1, draw_seal, NULL, compare_seal},
    {OP_NAMED_REGISTER, 5, draw_register, NULL, NULL},
    {OP_NAMED_LOOKUP, 5, draw_lookup, NULL, compare_lookup},
    {OP_NAMED_MINT_END, 1, draw_mint_end, NULL, compare_mint_end},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language named_life_language = {SERVICE_NAMED, actions, operations};

struct named named;
struct model_named model;
struct named_life life;

/* named calls nobody but the kernel: whatever it keeps, it does not use (E5, N2). */
static const struct stand_in_peers nobody = {.strict = true};

static void reset(void)
{
    memset(named.entries, 0, named.entry_count * sizeof named.entries[0]);
    memset(&named, 0, offsetof(struct named, entries));
    model_named_reset(&model);
    memset(&life, 0, sizeof life);
    life_begin(&nobody, ROLE_NAMED);
}

/* --- one message --- */

/* The capability that a descriptor asks for; *cap is the same as the model sees it. */
static struct stand_in_cap pick_cap(const struct message_cap *descriptor,
                                    struct model_named_cap *cap)
{
    uint64_t number = descriptor->badge >> NAMED_LIFE_NUMBER_SHIFT;
    bool dead = (descriptor->badge >> NAMED_LIFE_DEAD_SHIFT & 1) != 0;
    *cap = (struct model_named_cap){
        .object_type = descriptor->object_type,
        .badge = (uint32_t)descriptor->badge,
        .number = (uint32_t)(number % MODEL_NAMED_ENDPOINTS),
    };
    bool endpoint = descriptor->object_type == OBJECT_ENDPOINT;
    uint32_t object = endpoint ? STAND_IN_OTHER + cap->number : STAND_IN_ELSEWHERE;
    struct stand_in_cap picked = stand_in_cap_to(descriptor->object_type, object);
    cap->instance = model.instances[cap->number];
    if (dead && endpoint) {
        picked.generation--;
        cap->instance--;
    }
    picked.rights &= descriptor->rights;
    picked.badge = endpoint ? cap->badge : 0;
    cap->rights = picked.rights;
    return picked;
}

static void pick_caps(struct message *request, struct stand_in_cap *caps,
                      struct model_named_cap *cap)
{
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        struct model_named_cap other;
        caps[i] = pick_cap(&request->caps[i], i == 0 ? cap : &other);
    }
    life_place_caps(request, caps);
}

static void mark(const struct message *request, unsigned state, unsigned status)
{
    const struct model_named_answer *answer = &life.answer;
    uint16_t id = request->header.operation;
    mark_triple("named", state, operation_find(SERVICE_NAMED, id) != NULL ? id : 0, status);
    MARK_IF("named: a dead registration is gone, and the new one was not moved",
            answer->changed && id == OP_NAMED_REGISTER && status != STATUS_OK);
    MARK_IF("named: a client may pass on what it found",
            id == OP_NAMED_LOOKUP && status == STATUS_OK &&
                (answer->cap.rights & RIGHT_TRANSFER) != 0);
    MARK_IF("named: the table is full", model.entry_count == NAMED_ENTRY_LIMIT);
    MARK_IF("named: sealed without an entry", model.sealed && model.entry_count == 0);
}

static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    struct model_named_cap cap = {0};
    unsigned state = named_life_state(request);
    uint64_t before = life_digest_before();
    bool sealed = model.sealed;
    pick_caps(request, caps, &cap);
    unsigned status = life_deliver(&life_service, request, caps);
    struct model_failure failure = life_failures();
    life.answer = model_named_step(&model, request, &cap, &failure);
    unsigned predicted =
        life_now.loses == STATUS_NOT_FOUND ? (unsigned)LIFE_LOST : life.answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(N1, status, predicted);
    life_digest_after(before, life.answer.changed);
    life_compare(&life_service, request, status);
    life_digest_answer(status);
    named_life_check();
    mark(request, state | (failure.count != 0 ? 64u : 0), status);
    life_now.loses = STATUS_OK;
    if (model.sealed && !sealed)
        named_life_check_order();
    return status == LIFE_LOST ? life.answer.status : (enum status)status;
}

/* --- actions --- */

/* All entries but `spare` more: each is answered OK, and compared when the last one is there. */
static void fill(uint64_t spare)
{
    struct message request;
    uint32_t limit = NAMED_ENTRY_LIMIT - (uint32_t)(spare % FILL_SPARE_LIMIT);
    for (uint32_t n = 0; !model.sealed && model.entry_count < limit; n++) {
        named_life_filler(n, &request);
        unsigned status = life_deliver(&life_service, &request, NULL);
        struct model_failure none = {0};
        life.answer = model_named_step(&model, &request, NULL, &none);
        PROPERTY_EQUAL(E6, status, life.answer.status);
    }
    named_life_check();
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    switch ((enum action)step->action) {
    case ACTION_FAIL:
        life_plan_failure(step, FAIL_LIMIT);
        return;
    case ACTION_DIE:
        stand_in_other_end((uint32_t)(argument % MODEL_NAMED_ENDPOINTS));
        model_named_died(&model, (uint32_t)(argument % MODEL_NAMED_ENDPOINTS));
        return;
    case ACTION_SHUT:
        life_now.loses = STATUS_BUSY;
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_FILL:
        life_now.loses = STATUS_OK;
        stand_in_fail_never();
        fill(argument);
        return;
    case ACTION_COUNT:
        return;
    }
}

const struct life_service life_service = {
    .language = &named_life_language,
    .caller = &named.caller,
    .state = &named,
    .handle = named_handle,
    .calls_max = CALLS_MAX,
    .reset = reset,
    .generate = named_life_generate,
    .send = send,
    .act = act,
    .look = named_life_check,
    .digest = named_life_digest,
    .fail_action = ACTION_FAIL,
    .fail_limit = FAIL_LIMIT,
    .fail_ways = {STATUS_EXHAUSTED, STATUS_BUSY},
};
