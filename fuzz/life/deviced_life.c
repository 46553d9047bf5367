/* SPDX-License-Identifier: ISC */
/* A life of deviced: bindings are seeded and sealed, drivers are started, stopped and read; they are
 * slow, silent, wrong, or die; calls fail; logd comes and goes. After every message and turn: status,
 * reply and the calls that were made are the model's (D1, D2), a refusal changed nothing (E1), and
 * what is held is what is owed. At the end all drivers are stopped, and nothing is left. */
#include <string.h>

#include "abi/codec.h"
#include "abi/process.h"
#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_deviced.h"
#include "props/stand_ins/peers_of_deviced.h"
#include "services/deviced/deviced.h"

const char harness_name[] = "deviced_life";
MARKS(15, 0);

/* Calls of one message: READ_DRIVER asks procd, SEED_BINDING puts an end away. */
enum { CALLS_MAX = 1, FAIL_LIMIT = 16, TURNS_LIMIT = 64 };

enum action {
    ACTION_BOOT,
    ACTION_FAIL,
    ACTION_TURN,
    ACTION_TIME,
    ACTION_MANNER,
    ACTION_END,
    ACTION_FORGET,
    ACTION_LOG,
    ACTION_GONE,
    ACTION_REST,
    ACTION_COUNT
};
static const struct life_action actions[] = {
    [ACTION_BOOT] = {"boot", 1},     /* n: its validation profile; first step only */
    [ACTION_FAIL] = {"fail", 2},     /* index status: that call of the next message or turn */
    [ACTION_TURN] = {"turn", 1},     /* n + 1 turns without a message */
    [ACTION_TIME] = {"time", 1},     /* n: so many ticks pass */
    [ACTION_MANNER] = {"manner", 1}, /* n: how drivers that are made from now on answer */
    [ACTION_END] = {"end", 3},       /* n reason code: the n-th that runs ends */
    [ACTION_FORGET] = {"forget", 0}, /* procd forgets those that have ended */
    [ACTION_LOG] = {"log", 1},       /* n: logd is absent, there, mute */
    [ACTION_GONE] = {"gone", 0},     /* the next client gives up before it is answered */
    [ACTION_REST] = {"rest", 2},     /* n on: the n-th that has a policy is between two lives */
    [ACTION_COUNT] = {NULL, 0},
};

static struct deviced deviced;
static struct model_deviced model;
static struct model_deviced_answer answer;

/* --- what is drawn --- */

static uint32_t some_role(struct choices *choices)
{
    static const uint32_t roles[] = {ROLE_DRV_SERIAL,  ROLE_DRV_ACPI,    ROLE_DRV_I8042,
                                     ROLE_TEST_DRIVER, ROLE_DRV_PS2_KBD, ROLE_LOGD};
    uint64_t which = choices_below(choices, 8);
    return which < 6 ? roles[which] : (uint32_t)choices_between(choices, 1, ROLE_ID_MAX);
}

static void draw_seed_binding(struct choices *choices, struct life_draft *draft)
{
    struct deviced_seed_binding_request *request = (void *)draft->body;
    request->role = some_role(choices);
    const struct role *role = role_find(request->role);
    bool finds = role != NULL && role_holds_peer(role, ROLE_NAMED);
    if (finds != (choices_below(choices, 16) == 0)) {
        request->named_slot = SLOT_RECEIVE_BASE;
        draft->caps[0].object_type =
            choices_below(choices, 16) == 0 ? OBJECT_FRAME : OBJECT_ENDPOINT;
        draft->caps[0].rights = RIGHT_SEND | RIGHT_TRANSFER;
    }
    request->image_offset = choices_below(choices, 64) * PAGE_BYTES;
    request->image_bytes = 1 + choices_below(choices, 100000);
    request->ready_ticks = 1 + choices_below(choices, 400);
    request->page_limit = choices_flag(choices) ? choices_u8(choices) : 0;
    request->budget_pages = choices_flag(choices) ? choices_u8(choices) : 0;
    draft->badge = 0;
}

/* Mostly one that is known. */
static void draw_role(struct choices *choices, struct life_draft *draft)
{
    struct deviced_start_driver_request *request = (void *)draft->body;
    request->role = some_role(choices);
    if (model.count != 0 && choices_below(choices, 8) != 0)
        request->role = model.drivers[choices_below(choices, model.count)].role;
    draft->badge = 0;
}

static void draw_read(struct choices *choices, struct life_draft *draft)
{
    draw_role(choices, draft);
    draft->badge = choices_flag(choices) ? ROLE_SERIALD : 0;
}

static void compare_read(void)
{
    struct deviced_read_driver_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&deviced_read_driver_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY_EQUAL(D1, reply.state, answer.read.state);
    PROPERTY_EQUAL(D1, reply.cause, answer.read.cause);
    PROPERTY_EQUAL(D1, reply.reason, answer.read.reason);
    PROPERTY_EQUAL(D1, reply.code, answer.read.code);
    PROPERTY_EQUAL(D1, reply.process_id, answer.read.process_id);
}

static void compare_seal(void)
{
    struct deviced_seal_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&deviced_seal_reply_type, stand_in_reply(), &reply), STATUS_OK);
    PROPERTY_EQUAL(D1, reply.binding_count, answer.binding_count);
}

static const struct life_operation operations[] = {
    {OP_DEVICED_SEED_BINDING, 4, draw_seed_binding, NULL, NULL},
    {OP_DEVICED_START_DRIVER, 5, draw_role, NULL, NULL},
    {OP_DEVICED_STOP_DRIVER, 2, draw_role, NULL, NULL},
    {OP_DEVICED_READ_DRIVER, 4, draw_read, NULL, compare_read},
    {OP_DEVICED_SEAL, 1, life_draw_nothing, NULL, compare_seal},
    {0, 0, NULL, NULL, NULL},
};

static const struct life_language language = {SERVICE_DEVICED, actions, operations};

static uint64_t administrator(struct choices *choices)
{
    (void)choices;
    return 0;
}

static void generate(struct choices *choices, struct message *request)
{
    if (life_generate(&language, choices, administrator, request) == 0)
        request->header.badge = choices_flag(choices) ? choices_u64(choices) : ROLE_SERIALD;
}

/* --- what is compared --- */

/* All but the clock, which every message tells. */
static uint64_t digest_of(void)
{
    uint64_t sum = 0;
    struct caller caller = deviced.caller;
    deviced.caller.now_ticks = 0;
    deviced_visit_fields(&deviced, life_digest_visit, &sum);
    deviced.caller = caller;
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

/* What is held of a driver is what the model says (D2). */
static uint32_t check_driver(uint32_t index)
{
    const struct model_deviced_driver *driver = &model.drivers[index];
    uint32_t slot = DEVICED_SLOT_BASE + DEVICED_SLOTS_OF_DRIVER * index;
    bool has_named = !stand_in_slot_empty(slot + DEVICED_SLOT_NAMED);
    PROPERTY_EQUAL(D1, deviced.drivers[index].role, driver->role);
    PROPERTY_EQUAL(D1, deviced.drivers[index].state, driver->state);
    PROPERTY_EQUAL(D2, "end", !stand_in_slot_empty(slot + DEVICED_SLOT_ENDPOINT), driver->has_end);
    PROPERTY_EQUAL(D2, "grant", !stand_in_slot_empty(slot + DEVICED_SLOT_GRANT), driver->has_grant);
    PROPERTY_EQUAL(D1, "named", has_named, driver->has_named);
    PROPERTY(D2, "process", driver->has_process || !peers_driver_lives(driver->process_id));
    return driver->has_process && peers_driver_lives(driver->process_id);
}

static void check(void)
{
    uint32_t living = 0;
    if (oracle_due())
        life_check(deviced_check(&deviced));
    PROPERTY_EQUAL(D1, deviced.driver_count, model.count);
    for (uint32_t i = 0; i < model.count; i++)
        living += check_driver(i);
    PROPERTY_EQUAL(D2, "processes", peers_driver_count(), living);
    PROPERTY_EQUAL(D2, "next", deviced_next_ticks(&deviced), model_deviced_next(&model));
    PROPERTY_EQUAL(D2, "log", !stand_in_slot_empty(SLOT_PEER_LOGD), model.holds_log);
}

static unsigned state_of(const struct message *request)
{
    struct deviced_start_driver_request body;
    unsigned state = life_sender_kind(request);
    state |= model.sealed ? 4u : 0;
    if (message_decode(&deviced_start_driver_request_type, request, &body) != STATUS_OK)
        return state;
    for (uint32_t i = 0; i < model.count; i++)
        if (model.drivers[i].role == body.role)
            return state | 8u * (1 + (unsigned)model.drivers[i].state);
    return state;
}

/* What comes with a binding is its end of named, with the role's badge, which deviced cannot give it;
 * or something else. */
static void pick_caps(struct message *request, struct stand_in_cap caps[MESSAGE_CAP_LIMIT])
{
    uint32_t role; /* it comes first */
    memcpy(&role, request->body, sizeof role);
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        caps[i] = stand_in_cap_to((enum object_type)request->caps[i].object_type, ROLE_NAMED);
        caps[i].rights = request->caps[i].rights;
        caps[i].badge = role;
    }
    life_place_caps(request, caps);
}

static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    unsigned state = state_of(request);
    uint64_t before = oracle_due() ? digest_of() : 0;
    pick_caps(request, caps);
    uint64_t now_ticks = stand_in_now();
    unsigned status = life_deliver(&life_service, request, caps);
    struct model_failure failure = life_failures();
    answer = model_deviced_step(&model, request, now_ticks, peers_deviced_calls());
    unsigned predicted = life_now.loses == STATUS_NOT_FOUND ? (unsigned)LIFE_LOST : answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(D1, status, predicted);
    if (oracle_due() && !answer.changed)
        PROPERTY_EQUAL(E1, digest_of(), before);
    life_compare(&life_service, request, status);
    life_digest_answer(status);
    check();
    uint16_t id = request->header.operation;
    mark_triple("deviced", state | (failure.count != 0 ? 64u : 0),
                operation_find(SERVICE_DEVICED, id) != NULL ? id : 0, status);
    life_now.loses = STATUS_OK;
    return status == LIFE_LOST ? answer.status : (enum status)status;
}

/* --- turns --- */

static void mark_driver(const struct model_deviced_driver *driver, uint32_t before)
{
    MARK_IF("deviced: a driver is READY",
            driver->state == DRIVER_READY && before == DRIVER_STARTING);
    MARK_IF("deviced: a launch failed before it ran", driver->state == DRIVER_FAILED &&
                                                          before == DRIVER_STARTING &&
                                                          driver->give_up_ticks == 0);
    MARK_IF("deviced: a launch failed after it ran", driver->state == DRIVER_FAILED &&
                                                         before == DRIVER_STARTING &&
                                                         driver->give_up_ticks != 0);
    MARK_IF("deviced: a driver was silent",
            driver->state == DRIVER_FAILED && driver->cause == STATUS_TIMED_OUT);
    MARK_IF("deviced: something could not be given back",
            driver->duty == DUTY_RETURN && driver->not_before_ticks != 0);
}

static void turn(void)
{
    uint32_t before[MODEL_DEVICED_LIMIT];
    for (uint32_t i = 0; i < model.count; i++)
        before[i] = model.drivers[i].state;
    uint64_t now_ticks = stand_in_now();
    stand_in_message_begin();
    deviced_tick(&deviced, now_ticks);
    stand_in_message_answered();
    (void)life_failures();
    model_deviced_tick(&model, now_ticks, peers_deviced_calls());
    check();
    for (uint32_t i = 0; i < model.count; i++)
        mark_driver(&model.drivers[i], before[i]);
    if (oracle_due())
        digest_looked(digest_of());
}

/* --- actions --- */

/* What nobody believes of a process that lives is not said of it. */
static void plan(const struct life_step *step)
{
    if (life_failure(step->arguments[1]) != STATUS_NOT_FOUND)
        life_plan_failure(step, FAIL_LIMIT);
}

static void end(const struct life_step *step)
{
    uint32_t reason = 1 + (uint32_t)(step->arguments[1] % END_REASON_LAST);
    uint32_t code = (uint32_t)step->arguments[2];
    uint64_t process_id = peers_driver_end(step->arguments[0], reason, code);
    model_deviced_ended(&model, process_id, reason, code);
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    switch ((enum action)step->action) {
    case ACTION_BOOT:
        return;
    case ACTION_FAIL:
        plan(step);
        return;
    case ACTION_TURN:
        for (uint64_t i = 0; i <= argument % TURNS_LIMIT; i++)
            turn();
        return;
    case ACTION_TIME:
        stand_in_clock_set(deadline_after(stand_in_now(), argument % (60 * TICKS_PER_SECOND)));
        return;
    case ACTION_MANNER:
        peers_driver_behave((enum peers_driver)(argument % PEERS_DRIVER_COUNT));
        return;
    case ACTION_END:
        end(step);
        return;
    case ACTION_FORGET:
        peers_drivers_forget();
        return;
    case ACTION_LOG:
        peers_deviced_log(argument);
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_REST:
        model_deviced_rests(&model, peers_driver_rest(argument, step->arguments[1] % 2 == 1),
                            step->arguments[1] % 2 == 1);
        return;
    case ACTION_COUNT:
        return;
    }
}

static void boot(uint64_t which)
{
    deviced.validation_profile =
        which % 2 == 0 ? VALIDATION_PROFILE_NONE : VALIDATION_PROFILE_GRAPH;
    model_deviced_reset(&model, which % 2 != 0);
}

static void reset(void)
{
    memset(&deviced, 0, sizeof deviced);
    memset(&answer, 0, sizeof answer);
    model_deviced_reset(&model, false);
    peers_of_deviced_begin();
    life_begin(NULL, ROLE_DEVICED);
    stand_in_clock_set(1000);
}

static uint32_t named_ends(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model.count; i++)
        count += model.drivers[i].has_named;
    return count;
}

/* Everybody is stopped; what was refused is given back when it is asked for again (D2). What a binding
 * brought stays. */
static void finish(void)
{
    struct message request;
    stand_in_fail_never();
    life_now.loses = STATUS_OK;
    life_print_as_comments(true);
    for (uint32_t i = 0; i < model.count; i++) {
        struct deviced_stop_driver_request body = {.role = model.drivers[i].role};
        life_request(&deviced_stop_driver_request_type, &body, 0, &request);
        life_print_request(&language, &request, 0);
        life_print_result(send(&request));
    }
    life_print_as_comments(false);
    stand_in_clock_set(deadline_after(stand_in_now(), DEVICED_RETRY_TICKS + 1));
    for (uint32_t i = 0; i <= model.count; i++)
        turn();
    PROPERTY_EQUAL(D2, "left", peers_driver_count(), 0);
    PROPERTY_EQUAL(K1, stand_in_slot_count(),
                   life_now.startup_slots + model.holds_log + named_ends());
}

const struct life_service life_service = {
    .language = &language,
    .caller = &deviced.caller,
    .state = &deviced,
    .handle = deviced_handle,
    .calls_max = CALLS_MAX,
    .reset = reset,
    .boot = boot,
    .generate = generate,
    .send = send,
    .act = act,
    .finish = finish,
    .look = check,
    .digest = digest_of,
    .fail_action = ACTION_FAIL,
    .fail_limit = FAIL_LIMIT,
    .fail_ways = {STATUS_EXHAUSTED, STATUS_TIMED_OUT},
};
