/* SPDX-License-Identifier: ISC */
/* A life of named: the administrator seeds and seals, services register and die and come again,
 * clients and strangers look up, calls fail, clients have no room or give up. After every message:
 * status, reply and effects are the model's (N1), every slot holds exactly what its entry allows
 * (N2), a refusal changed nothing (E1, E4). At SEAL: the same entries in another order are the same
 * state (N3). */
#include "fuzz/life/named_life.h"

#include <string.h>

const char harness_name[] = "named_life";
const int harness_has_steps = 1;

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
    stand_in_begin(&nobody);
    stand_in_clock_set(1000);
    model_named_reset(&model);
    memset(&life, 0, sizeof life);
    stand_in_put(SLOT_SELF, stand_in_cap_to(OBJECT_KERNEL_SELF, 0));
    stand_in_put(SLOT_SERVICE_ENDPOINT, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_NAMED));
    life.startup_slots = stand_in_slot_count();
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
        uint32_t slot = SLOT_RECEIVE_BASE + i;
        caps[i] = pick_cap(&request->caps[i], i == 0 ? cap : &other);
        memcpy(request->body + request->caps[i].field_offset, &slot, sizeof slot);
        request->caps[i] = (struct message_cap){
            .field_offset = request->caps[i].field_offset,
            .rights = (uint16_t)caps[i].rights,
            .object_type = (uint8_t)caps[i].object_type,
        };
    }
}

/* When a reply is lost nothing is answered, and the DROPs of the window come all the same. */
static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    enum handled handled = named_handle(state, message, info);
    PROPERTY(E8, "calls", stand_in_call_count() <= CALLS_MAX);
    stand_in_message_answered();
    return handled;
}

unsigned named_life_deliver(struct named *to, struct message *request,
                            const struct stand_in_cap *caps)
{
    struct receive_info info;
    request->header.request_id = ++life.request_id;
    stand_in_message_begin();
    stand_in_lose_reply(life.loses);
    stand_in_deliver(SLOT_SERVICE_ENDPOINT, request, caps);
    PROPERTY_EQUAL(
        E5, service_turn(&to->caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, handle, to, &info),
        STATUS_OK);
    caller_flush(&to->caller);
    PROPERTY_EQUAL(E5, stand_in_reply_count(), life.loses != STATUS_NOT_FOUND);
    if (life.loses == STATUS_NOT_FOUND)
        return LIFE_LOST;
    PROPERTY(E5, stand_in_reply()->header.request_id == request->header.request_id);
    return (enum status)stand_in_reply()->header.status;
}

/* What went wrong while named worked on the message. */
static struct model_failure failure_of_step(void)
{
    struct stand_in_failures failures = stand_in_failures();
    life_met_failures(failures.count);
    return (struct model_failure){
        .count = failures.count,
        .status = failures.status,
        .calls_before = failures.calls_before,
        .reply = life.loses,
    };
}

static void compare(const struct message *request, unsigned status)
{
    const struct life_operation *row =
        life_operation_of(&named_life_language, request->header.operation);
    if (status == STATUS_OK && row->compare != NULL)
        row->compare();
    if (status != STATUS_OK && status != LIFE_LOST)
        PROPERTY(E1, stand_in_reply()->header.body_bytes == 0 &&
                         stand_in_reply()->header.cap_count == 0);
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

/* The digest before a message: that after the last one, when that was refused. */
static uint64_t digest_before(void)
{
    if (!life.digest_known)
        life.digest = named_life_digest();
    life.digest_known = true;
    return life.digest;
}

static unsigned send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    struct model_named_cap cap = {0};
    unsigned state = named_life_state(request);
    uint64_t before = digest_before();
    bool sealed = model.sealed;
    pick_caps(request, caps, &cap);
    unsigned status = named_life_deliver(&named, request, caps);
    struct model_failure failure = failure_of_step();
    life.answer = model_named_step(&model, request, &cap, &failure);
    unsigned predicted = life.loses == STATUS_NOT_FOUND ? (unsigned)LIFE_LOST : life.answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(N1, status, predicted);
    if (!life.answer.changed)
        PROPERTY_EQUAL(E1, named_life_digest(), before);
    life.digest_known = !life.answer.changed;
    compare(request, status);
    digest_u64(status == LIFE_LOST ? UINT8_MAX : status);
    if (status != LIFE_LOST)
        digest_bytes(stand_in_reply()->body, stand_in_reply()->header.body_bytes);
    named_life_check();
    mark(request, state | (failure.count != 0 ? 64u : 0), status);
    life.loses = STATUS_OK;
    if (model.sealed && !sealed)
        named_life_check_order();
    return status;
}

/* --- actions --- */

/* All entries but `spare` more: each is answered OK, and compared when the last one is there. */
static void fill(uint64_t spare)
{
    struct message request;
    uint32_t limit = NAMED_ENTRY_LIMIT - (uint32_t)(spare % FILL_SPARE_LIMIT);
    for (uint32_t n = 0; !model.sealed && model.entry_count < limit; n++) {
        named_life_filler(n, &request);
        unsigned status = named_life_deliver(&named, &request, NULL);
        struct model_failure none = {0};
        life.answer = model_named_step(&model, &request, NULL, &none);
        PROPERTY_EQUAL(E6, status, life.answer.status);
    }
    named_life_check();
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    life_print_action(&named_life_language, step);
    life.digest_known = false;
    switch ((enum action)step->action) {
    case ACTION_FAIL:
        stand_in_fail((struct stand_in_failure){.after_calls = argument % FAIL_LIMIT,
                                                .times = 1,
                                                .status = life_failure(step->arguments[1]),
                                                .until_reply = true});
        return;
    case ACTION_DIE:
        stand_in_other_end((uint32_t)(argument % MODEL_NAMED_ENDPOINTS));
        model_named_died(&model, (uint32_t)(argument % MODEL_NAMED_ENDPOINTS));
        return;
    case ACTION_SHUT:
        life.loses = STATUS_BUSY;
        return;
    case ACTION_GONE:
        life.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_FILL:
        life.loses = STATUS_OK;
        stand_in_fail_never();
        fill(argument);
        return;
    case ACTION_COUNT:
        return;
    }
}

static void take(struct life_step *step)
{
    if (step->kind == LIFE_ACTION) {
        act(step);
        return;
    }
    if (step->kind == LIFE_GENERATED)
        named_life_generate(&step->choices, &step->message);
    life_print_request(&named_life_language, &step->message, 0);
    unsigned status = send(&step->message);
    enum status result = status == LIFE_LOST ? life.answer.status : (enum status)status;
    life_print_result(result); /* of a client that gave up: what it would have heard */
    life_expect(step, result);
}

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(&named_life_language, text, text_bytes, bytes, limit_bytes, problem,
                         problem_bytes);
}

size_t harness_plan_failure(uint64_t call, unsigned way, uint8_t *bytes)
{
    static const enum status ways[] = {STATUS_EXHAUSTED, STATUS_BUSY};
    if (call >= FAIL_LIMIT || way >= sizeof ways / sizeof ways[0])
        return 0;
    return life_fail_step(ACTION_FAIL, call, ways[way], 1, false, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices input = harness_begin(bytes, size_bytes);
    struct life_step step;
    reset();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && life_next(&input, &named_life_language, &step); i++)
        take(&step);
    digest_u64(named_life_digest());
    return 0;
}
