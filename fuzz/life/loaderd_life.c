/* SPDX-License-Identifier: ISC */
/* A life of loaderd: clients launch files of every kind, wait, ask and stop; files are rewritten, vfsd
 * and procd fail, hang, lie and die at any call, programs end, clients give up. After every message and
 * turn: status, replies and the calls that were made are the model's (X1 to X4), a refusal changed
 * nothing (E1). At the end every launch is over, and nothing is left of those that were refused (X2). */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/event.h"
#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_loaderd.h"
#include "props/stand_ins/peers_of_loaderd.h"
#include "services/loaderd/loaderd.h"

const char harness_name[] = "loaderd_life";
MARKS(15, 0);

/* Calls of one message. A launch's turns are some hundreds at most. */
enum { CALLS_MAX = 1, FAIL_LIMIT = 24, TURNS_LIMIT = 64, RUN_LIMIT = 4000, MANY_LIMIT = 40 };

enum action {
    ACTION_FAIL,
    ACTION_LATE,
    ACTION_TURN,
    ACTION_RUN,
    ACTION_TIME,
    ACTION_FILE,
    ACTION_VFSD,
    ACTION_PROCD,
    ACTION_END,
    ACTION_FORGET,
    ACTION_NOTICE,
    ACTION_GONE,
    ACTION_MANY,
    ACTION_COUNT
};
static const struct life_action actions[] = {
    [ACTION_FAIL] = {"fail", 2},     /* index status: that call from now on fails */
    [ACTION_LATE] = {"late", 1},     /* index: it is done, and the answer is lost */
    [ACTION_TURN] = {"turn", 1},     /* n + 1 turns without a message */
    [ACTION_RUN] = {"run", 0},       /* until nothing is left to do now */
    [ACTION_TIME] = {"time", 1},     /* n: so many ticks pass */
    [ACTION_FILE] = {"file", 2},     /* n what: the n-th file is that from now on */
    [ACTION_VFSD] = {"vfsd", 2},     /* how n: it answers so at its n-th call from now on */
    [ACTION_PROCD] = {"procd", 2},   /* the same of procd */
    [ACTION_END] = {"end", 3},       /* n reason code: the n-th that runs ends */
    [ACTION_FORGET] = {"forget", 0}, /* procd forgets those that have ended */
    [ACTION_NOTICE] = {"notice", 0}, /* procd tells of the youngest end */
    [ACTION_GONE] = {"gone", 1},     /* n: the n-th of those who wait waits no more */
    [ACTION_MANY] = {"many", 2},     /* n role: it launches the first file n times */
    [ACTION_COUNT] = {NULL, 0},
};

static struct loaderd loaderd;
static struct model_loaderd model;
static struct {
    struct model_loaderd_answer answer;
    uint32_t told_count; /* kept calls that were answered before the message itself */
    uint64_t before;
} life;

/* --- what is drawn --- */

static uint64_t some_client(struct choices *choices)
{
    if (choices_flag(choices))
        return ROLE_CONSOLE + choices_below(choices, 2);
    return life_some_client(choices, ROLE_CONSOLE, 12);
}

static void draw_launch(struct choices *choices, struct life_draft *draft)
{
    struct loaderd_launch_path_request *request = (void *)draft->body;
    uint64_t odd = choices_below(choices, 32);
    request->path_count = 3;
    memcpy(request->bytes, "/p0", 3);
    request->bytes[2] = (uint8_t)('0' + choices_below(choices, PEERS_FILE_COUNT + (odd < 8)));
    if (odd == 0)
        request->bytes[choices_below(choices, 3)] = choices_u8(choices);
    if (odd == 1)
        request->argument_bytes = (uint32_t)choices_below(choices, 257);
    if (odd == 2)
        request->environment_bytes = (uint32_t)choices_below(choices, 257);
    if (odd == 3)
        request->flags = LAUNCH_REQUIRE_DYNAMIC;
    if (odd == 4)
        request->path_count = (uint32_t)choices_between(choices, 1, 4);
    request->count = 3 + request->argument_bytes + request->environment_bytes;
}

static uint64_t some_program(struct choices *choices)
{
    return choices_below(choices, 16) == 0 ? UINT64_C(1) + choices_u8(choices)
                                           : peers_loaderd_number(choices_u8(choices));
}

static void draw_wait(struct choices *choices, struct life_draft *draft)
{
    struct loaderd_wait_program_request *request = (void *)draft->body;
    uint64_t how = choices_below(choices, 4);
    request->process_id = some_program(choices);
    request->deadline_ticks = how == 0   ? choices_u64(choices)
                              : how == 1 ? UINT64_C(0)
                                         : stand_in_now() + choices_below(choices, 4000);
}

static void draw_stop(struct choices *choices, struct life_draft *draft)
{
    struct loaderd_stop_program_request *request = (void *)draft->body;
    request->process_id = some_program(choices);
    request->code = choices_u8(choices);
}

static void draw_query(struct choices *choices, struct life_draft *draft)
{
    struct loaderd_query_program_request *request = (void *)draft->body;
    request->process_id = some_program(choices);
}

static void compare_wait(void)
{
    struct loaderd_wait_program_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&loaderd_wait_program_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY(X3, memcmp(&reply, &life.answer.wait, sizeof reply) == 0);
}

static void compare_query(void)
{
    struct loaderd_query_program_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&loaderd_query_program_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY(X3, memcmp(&reply, &life.answer.query, sizeof reply) == 0);
}

static const struct life_operation operations[] = {
    {OP_LOADERD_LAUNCH_PATH, 6, draw_launch, NULL, NULL},
    {OP_LOADERD_WAIT_PROGRAM, 4, draw_wait, NULL, compare_wait},
    {OP_LOADERD_STOP_PROGRAM, 2, draw_stop, NULL, NULL},
    {OP_LOADERD_QUERY_PROGRAM, 3, draw_query, NULL, compare_query},
    {0, 0, NULL, NULL, NULL},
};

static const struct life_language language = {SERVICE_LOADERD, actions, operations};

static void generate(struct choices *choices, struct message *request)
{
    (void)life_generate(&language, choices, some_client, request);
}

/* --- what is compared --- */

/* All but the clock, which every message tells. */
static uint64_t digest_of_state(void)
{
    uint64_t sum = 0;
    struct caller caller = loaderd.caller;
    loaderd.caller.now_ticks = 0;
    loaderd_visit_fields(&loaderd, life_digest_visit, &sum);
    loaderd.caller = caller;
    return sum;
}

static uint64_t digest_of(void)
{
    uint64_t sum = digest_of_state();
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

static void check(void)
{
    bool works = model.step != STEP_NONE;
    if (oracle_due())
        life_check(loaderd_check(&loaderd));
    PROPERTY_EQUAL(X2, "next", loaderd_next_ticks(&loaderd), model_loaderd_next(&model));
    PROPERTY(X2, "handle",
             !peers_loaderd_has_handle() || works || model.owes_handle || model.owes_attach);
    PROPERTY(X2, "transfer", !peers_loaderd_has_transfer() || works || model.owes_transfer);
    PROPERTY_EQUAL(K1, stand_in_slot_count(), life_now.startup_slots);
}

static void compare_told(const struct model_loaderd_told *told, const struct stand_in_reply *reply)
{
    struct loaderd_wait_program_reply wait;
    struct loaderd_launch_path_reply launch;
    const struct message *message = &reply->message;
    PROPERTY_EQUAL(X3, "who", reply->slot, told->slot);
    PROPERTY_EQUAL(X3, "which", message->header.request_id, told->request_id);
    PROPERTY_EQUAL(X3, "operation", message->header.operation, told->operation);
    life_predicted(told->status, message->header.status);
    PROPERTY_EQUAL(X3, "status", message->header.status, told->status);
    mark_triple("loaderd", told->operation == OP_LOADERD_LAUNCH_PATH ? 128u : 129u, told->operation,
                told->status);
    digest_u64(told->request_id);
    digest_u64(told->status);
    if (told->status != STATUS_OK) {
        PROPERTY(E1, message->header.body_bytes == 0);
    } else if (told->operation == OP_LOADERD_WAIT_PROGRAM) {
        PROPERTY_EQUAL(E5, reply_decode(&loaderd_wait_program_reply_type, message, &wait),
                       STATUS_OK);
        PROPERTY(X3, "end", memcmp(&wait, &told->wait, sizeof wait) == 0);
    } else {
        PROPERTY_EQUAL(E5, reply_decode(&loaderd_launch_path_reply_type, message, &launch),
                       STATUS_OK);
        PROPERTY_EQUAL(X3, "number", launch.process_id, told->process_id);
    }
}

/* The replies since the message began: those of kept calls that were over with it, its own, unless it
 * is kept, and those of the turn. */
static void compare_replies(const struct message *request)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i <= model.told_count; i++) {
        if (i == life.told_count && request != NULL && !life.answer.later) {
            PROPERTY(E5, "reply", at < stand_in_reply_count());
            const struct stand_in_reply *reply = stand_in_reply_at(at++);
            life_predicted(life.answer.status, reply->message.header.status);
            PROPERTY_EQUAL(X3, reply->message.header.status, life.answer.status);
            PROPERTY_EQUAL(E5, reply->message.header.request_id, request->header.request_id);
            PROPERTY(E1, life.answer.status == STATUS_OK || reply->message.header.body_bytes == 0);
        }
        if (i == model.told_count ||
            MARK_IF("loaderd: nobody is there to be told", model.told[i].gone))
            continue;
        PROPERTY(X3, "told", at < stand_in_reply_count());
        compare_told(&model.told[i], stand_in_reply_at(at++));
    }
    PROPERTY_EQUAL(X3, "replies", stand_in_reply_count(), at);
}

/* --- a turn --- */

static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    (void)state;
    struct message request = *message;
    enum handled handled = life_handle(&life_service, message, info);
    life.answer = model_loaderd_step(&model, &request, info->reply_slot, info->now_ticks,
                                     peers_loaderd_calls());
    life.told_count = model.told_count;
    PROPERTY_EQUAL(X3, "kept", handled == HANDLED_LATER, life.answer.later);
    if (oracle_due() && !life.answer.changed)
        PROPERTY_EQUAL(E1, digest_of_state(), life.before);
    return handled;
}

static void mark_work(uint32_t calls)
{
    MARK_IF("loaderd: something could not be given back", model.not_before_ticks != 0);
    MARK_IF("loaderd: an ABORT is owed", model.step == STEP_NONE && model.owes_transfer);
    MARK_IF("loaderd: a STOP is owed", model.step == STEP_NONE && model.owes_process);
    MARK_IF("loaderd: a CLOSE is owed", model.step == STEP_NONE && model.owes_handle);
    MARK_IF("loaderd: an ATTACH is owed",
            model.step == STEP_NONE && model.owes_attach && model.not_before_ticks != 0);
    MARK_IF("loaderd: a turn of sixteen calls", calls >= 16);
}

/* What loaderd_run does in one turn: OK when there was a message. */
static enum status turn(void)
{
    struct receive_info info;
    enum status status =
        service_turn(&loaderd.caller, SLOT_SERVICE_ENDPOINT,
                     stand_in_delivery_pending() ? loaderd_next_ticks(&loaderd) : DEADLINE_POLL,
                     handle, &loaderd, &info);
    PROPERTY(E5, status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_RETRY);
    if (status == STATUS_OK) /* the answer to a message does not wait for the turn's calls */
        caller_flush(&loaderd.caller);
    uint64_t now_ticks = stand_in_now();
    loaderd_tick(&loaderd, now_ticks);
    struct model_loaderd_calls calls = peers_loaderd_calls();
    model_loaderd_tick(&model, now_ticks, calls);
    mark_work(calls.count);
    (void)life_failures();
    return status;
}

static void quiet_turn(void)
{
    stand_in_message_begin();
    model.told_count = life.told_count = 0;
    (void)turn();
    compare_replies(NULL);
    check();
}

static unsigned state_of(const struct message *request)
{
    uint64_t badge = request->header.badge;
    unsigned state = life_sender_kind(request);
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS && badge != 0; i++) {
        const struct model_loaderd_seat *seat = &model.seats[i];
        if (seat->role == badge)
            state |= 4u | (seat->waits ? 8u : 0) | (seat->launches ? 16u : 0);
    }
    return state;
}

static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    unsigned state = state_of(request);
    uint16_t id = request->header.operation;
    life_any_caps(request, caps);
    life_bring(request, caps);
    life.before = oracle_due() ? digest_of_state() : 0;
    PROPERTY_EQUAL(E5, turn(), STATUS_OK);
    compare_replies(request);
    if (!life.answer.later && stand_in_reply_count() == 1 && id != OP_EVENT_PROCESS_ENDED &&
        model.told_count == 0)
        life_compare(&life_service, request, life.answer.status);
    check();
    mark_triple(life.answer.later ? "loaderd kept" : "loaderd", state,
                operation_find(SERVICE_LOADERD, id) != NULL ? id : 0, life.answer.status);
    return life.answer.status;
}

/* --- actions --- */

/* What nobody believes of what is there is not said of it. */
static void plan(const struct life_step *step)
{
    if (life_failure(step->arguments[1]) != STATUS_NOT_FOUND)
        life_plan_turn_failure(step, FAIL_LIMIT);
}

static void plan_late(uint64_t after_calls)
{
    stand_in_fail_never();
    stand_in_fail((struct stand_in_failure){
        .after_calls = after_calls % FAIL_LIMIT, .times = 1, .late = true});
}

static void run(void)
{
    for (uint32_t i = 0; i < RUN_LIMIT && model_loaderd_next(&model) <= stand_in_now(); i++)
        quiet_turn();
    PROPERTY(X2, "endless", model_loaderd_next(&model) > stand_in_now());
}

static void send_as_comment(const struct message_type *type, const void *body, uint64_t badge)
{
    struct message request;
    life_request(type, body, badge, &request);
    (void)send(&request);
}

static void notice(void)
{
    struct event_process_ended_request body = {.process_id = peers_loaderd_youngest()};
    if (body.process_id != 0)
        send_as_comment(&event_process_ended_request_type, &body, ROLE_PROCD);
}

static void many(uint64_t count, uint64_t role)
{
    struct loaderd_launch_path_request body = {.path_count = 3, .count = 3, .bytes = "/p0"};
    for (uint64_t i = 0; i < count % MANY_LIMIT; i++) {
        send_as_comment(&loaderd_launch_path_request_type, &body, role);
        run();
    }
}

static void act(const struct life_step *step)
{
    const uint64_t *arguments = step->arguments;
    switch ((enum action)step->action) {
    case ACTION_FAIL:
        plan(step);
        return;
    case ACTION_LATE:
        plan_late(arguments[0]);
        return;
    case ACTION_TURN:
        for (uint64_t i = 0; i <= arguments[0] % TURNS_LIMIT; i++)
            quiet_turn();
        return;
    case ACTION_RUN:
        run();
        return;
    case ACTION_TIME:
        stand_in_clock_set(deadline_after(stand_in_now(), arguments[0] % (60 * TICKS_PER_SECOND)));
        return;
    case ACTION_FILE:
        peers_loaderd_file(arguments[0], arguments[1]);
        return;
    case ACTION_VFSD:
    case ACTION_PROCD:
        peers_loaderd_lie(step->action == ACTION_PROCD, arguments[0], arguments[1] % 256);
        return;
    case ACTION_END:
        (void)peers_loaderd_end(arguments[0], 1 + (uint32_t)(arguments[1] % END_REASON_LAST),
                                (uint32_t)arguments[2]);
        return;
    case ACTION_FORGET:
        peers_loaderd_forget();
        return;
    case ACTION_NOTICE:
        notice();
        return;
    case ACTION_GONE:
        model_loaderd_left(&model, life_gone(arguments[0]));
        return;
    case ACTION_MANY:
        many(arguments[0], 1 + (arguments[1] - 1) % ROLE_ID_MAX);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* Nothing fails any more: launches end, what is owed is given back, who waits is answered. */
static void finish(void)
{
    stand_in_fail_never();
    peers_loaderd_lie(false, PEERS_HONEST, 0);
    peers_loaderd_lie(true, PEERS_HONEST, 0);
    run();
    stand_in_clock_set(deadline_after(stand_in_now(), LOADERD_RETRY_TICKS + 1));
    run();
    PROPERTY(X2, "handle-left", !peers_loaderd_has_handle());
    PROPERTY(X2, "transfer-left", !peers_loaderd_has_transfer());
    PROPERTY_EQUAL(X2, "processes-left", peers_loaderd_strays(&model), 0);
    PROPERTY_EQUAL(X2, "owed", loaderd.work.owes, 0);
}

static void reset(void)
{
    memset(&loaderd, 0, sizeof loaderd);
    memset(&life, 0, sizeof life);
    model_loaderd_reset(&model);
    peers_of_loaderd_begin();
    life_begin(NULL, ROLE_LOADERD);
    stand_in_clock_set(1000);
    (void)peers_loaderd_starts(true);
    PROPERTY_EQUAL(X3, "start", loaderd_begin(&loaderd), STATUS_OK);
    PROPERTY(X3, "notices", peers_loaderd_starts(false));
}

const struct life_service life_service = {
    .language = &language,
    .caller = &loaderd.caller,
    .state = &loaderd,
    .handle = loaderd_handle,
    .calls_max = CALLS_MAX,
    .reset = reset,
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
