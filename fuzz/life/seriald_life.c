/* SPDX-License-Identifier: ISC */
/* A life of seriald: clients write and read, the log grows, bytes come, the driver and logd die and
 * are there again, calls fail. In every turn the status, who is answered with what, and all that went
 * over the line are the model's (S1 to S4). At the end everything around it is well, and everybody is
 * answered and the log brought. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/named.h"
#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_seriald.h"
#include "services/seriald/seriald.h"

const char harness_name[] = "seriald_life";
MARKS(15, 0);

/* A write with a newline before it, each found again (two calls) and tried again; records, each read
 * and written so; a read. */
enum { CALLS_MAX = 16 + SERIALD_LOG_LINES * 16 + 4, FAIL_LIMIT = 24, APPEND_LIMIT = 200 };

enum action {
    ACTION_FAIL,
    ACTION_TIME,
    ACTION_TURN,
    ACTION_GONE,
    ACTION_DRIVER,
    ACTION_LOG,
    ACTION_LINE,
    ACTION_COMES,
    ACTION_APPEND,
    ACTION_COUNT
};
static const struct life_action actions[] = {
    [ACTION_FAIL] = {"fail", 2},     /* index status: that call of the next turn */
    [ACTION_TIME] = {"time", 1},     /* n: so many ticks pass */
    [ACTION_TURN] = {"turn", 0},     /* no message comes until seriald has to do */
    [ACTION_GONE] = {"gone", 1},     /* n: the n-th of those who wait waits no more */
    [ACTION_DRIVER] = {"driver", 1}, /* 0: the driver dies; else there is a new one */
    [ACTION_LOG] = {"log", 1},       /* the same of logd */
    [ACTION_LINE] = {"line", 2},     /* n busy: a write goes out to so many bytes */
    [ACTION_COMES] = {"comes", 2},   /* n lost: n bytes come, and so many are lost */
    [ACTION_APPEND] = {"append", 1}, /* n: so many records more */
    [ACTION_COUNT] = {NULL, 0},
};

static struct seriald seriald;
static struct model_seriald model;
static struct serial_line line; /* around seriald */
static uint32_t current_slot;
static uint64_t now_of_turn;

/* --- around it --- */

static enum status say_nothing(struct stand_in_call *call)
{
    call->unheard = true;
    return STATUS_NOT_FOUND;
}

static enum status named(struct stand_in_call *call)
{
    struct named_lookup_request request;
    struct named_lookup_reply reply = {.service_slot = 1};
    PROPERTY_EQUAL(E10, message_decode(&named_lookup_request_type, call->message, &request),
                   STATUS_OK);
    bool driver = request.count == 10 && memcmp(request.name, "drv-serial", 10) == 0;
    PROPERTY(E10, driver || (request.count == 4 && memcmp(request.name, "logd", 4) == 0));
    uint32_t life = driver ? line.driver_life : line.log_life;
    if (life == 0)
        return STATUS_NOT_FOUND;
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, driver ? ROLE_DRV_SERIAL : ROLE_LOGD);
    call->caps[0].rights = RIGHT_SEND;
    call->caps[0].badge = life; /* so that it is known later which one it was */
    HARNESS(message_encode(&named_lookup_reply_type, &reply, call->message) == STATUS_OK);
    return STATUS_OK;
}

static enum status driver(struct stand_in_call *call)
{
    static union {
        struct drv_serial_write_reply write;
        struct drv_serial_read_reply read;
    } reply;
    struct drv_serial_write_request write;
    struct drv_serial_read_request read;
    if (call->through.badge != line.driver_life)
        return say_nothing(call);
    memset(&reply, 0, sizeof reply);
    bool writes = call->message->header.operation == OP_DRV_SERIAL_WRITE;
    const struct message_type *type =
        writes ? &drv_serial_write_request_type : &drv_serial_read_request_type;
    PROPERTY_EQUAL(E10,
                   message_decode(type, call->message, writes ? (void *)&write : (void *)&read),
                   STATUS_OK);
    PROPERTY(E8, writes || read.wait_ticks <= SERIALD_SLICE_TICKS);
    enum status status = writes ? serial_line_write(&line, &write, &reply.write)
                                : serial_line_read(&line, &reply.read);
    if (status == STATUS_OK)
        HARNESS(message_encode(type->reply, &reply, call->message) == STATUS_OK);
    return status;
}

static enum status logd(struct stand_in_call *call)
{
    const struct logd_read_request *request = call->request;
    if (call->through.badge != line.log_life)
        return say_nothing(call);
    PROPERTY_EQUAL(E10, call->message->header.operation, OP_LOGD_READ);
    return serial_line_log(&line, request->cursor, call->reply);
}

static enum status answer(struct stand_in_call *call)
{
    if (call->through.object == ROLE_NAMED)
        return named(call);
    return call->through.object == ROLE_LOGD ? logd(call) : driver(call);
}

static const struct stand_in_peers peers = {.strict = true, .timed = true, .answer = answer};

/* --- what is drawn --- */

static void draw_write(struct choices *choices, struct life_draft *draft)
{
    static const uint8_t alphabet[] = {'a', 'b', '\n', '\r', 0, 0xFF, ' ', 'z'};
    struct seriald_write_request *request = (void *)draft->body;
    bool is_long = choices_below(choices, 8) == 0;
    request->count = is_long ? SERIAL_BYTES_MAX : 1 + (uint32_t)choices_below(choices, 12);
    for (uint32_t i = 0; i < request->count; i++)
        request->bytes[i] = i < 12 ? alphabet[choices_below(choices, sizeof alphabet)] : 'x';
    if (choices_flag(choices))
        request->bytes[request->count - 1] = '\n';
}

static void draw_read(struct choices *choices, struct life_draft *draft)
{
    struct seriald_read_request *request = (void *)draft->body;
    request->wait_ticks =
        choices_below(choices, 8) == 0 ? SERIAL_WAIT_TICKS_MAX : choices_below(choices, 100);
}

static void compare_write(void);

static const struct life_operation operations[] = {
    {OP_SERIALD_WRITE, 4, draw_write, NULL, compare_write},
    {OP_SERIALD_READ, 4, draw_read, NULL, NULL},
    {0, 0, NULL, NULL, NULL},
};

static const struct life_language language = {SERVICE_SERIALD, actions, operations};

static uint64_t some_badge(struct choices *choices)
{
    return life_some_client(choices, ROLE_PHASE0_PROBE, 3);
}

static void generate(struct choices *choices, struct message *request)
{
    (void)life_generate(&language, choices, some_badge, request);
}

/* --- a turn --- */

static uint64_t digest_of(void)
{
    static const struct caller nothing;
    struct caller caller = seriald.caller;
    uint64_t sum = 0;
    seriald.caller = nothing;
    seriald_visit_fields(&seriald, life_digest_visit, &sum);
    seriald.caller = caller;
    life_digest_visit(&sum, line.out_count);
    life_digest_visit(&sum, line.out_sum);
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

static struct model_seriald_result predicted;

static void compare_write(void)
{
    struct seriald_write_reply reply;
    PROPERTY_EQUAL(E5,
                   reply_decode(&seriald_write_reply_type, &stand_in_reply_at(0)->message, &reply),
                   STATUS_OK);
    PROPERTY_EQUAL(S1, "taken", reply.taken_count, predicted.taken_count);
    MARK_IF("seriald: the line takes nothing", reply.taken_count == 0);
}

/* Its calls are counted from here on: emptying the window is the loop's business. */
static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    current_slot = info->reply_slot;
    stand_in_fail_pause(false);
    enum handled handled = seriald_handle(state, message, info);
    stand_in_fail_pause(true);
    PROPERTY(E8, "calls", stand_in_call_count() <= CALLS_MAX);
    return handled;
}

/* The answers of a turn, from the reply `at` on, are those of the model, in order. */
static void compare_answers(uint32_t at)
{
    for (uint32_t i = 0; i < model.answer_count; i++) {
        const struct model_seriald_answer *told = &model.answers[i];
        static struct seriald_read_reply read;
        if (MARK_IF("seriald: one that is gone is answered", told->gone))
            continue;
        PROPERTY(S3, "answered", at < stand_in_reply_count());
        const struct stand_in_reply *reply = stand_in_reply_at(at++);
        PROPERTY_EQUAL(S3, "who", reply->slot, told->reply_slot);
        PROPERTY_EQUAL(S3, "which", reply->message.header.request_id, told->request_id);
        PROPERTY_EQUAL(E5, reply_decode(&seriald_read_reply_type, &reply->message, &read),
                       STATUS_OK);
        PROPERTY_EQUAL(S2, "lost", read.lost_count, told->read.lost_count);
        PROPERTY_EQUAL(S2, "count", read.count, told->read.count);
        PROPERTY(S2, "bytes", memcmp(read.bytes, told->read.bytes, read.count) == 0);
        MARK_IF("seriald: a read is answered empty", read.count == 0);
        MARK_IF("seriald: bytes come to who waits", read.count != 0);
        digest_bytes(read.bytes, read.count);
    }
    PROPERTY_EQUAL(S3, "count", stand_in_reply_count(), at);
    model.answer_count = 0;
}

static void check(void)
{
    if (oracle_due())
        life_check(seriald_check(&seriald));
    PROPERTY_EQUAL(S4, "bytes", line.out_count, model.line.out_count);
    PROPERTY_EQUAL(S4, "order", line.out_sum, model.line.out_sum);
    PROPERTY_EQUAL(S4, "owner", seriald.open_role, model.owner);
    PROPERTY_EQUAL(S2, "kept", seriald.kept_count, model.kept_count);
    PROPERTY_EQUAL(S3, "next", seriald_next_ticks(&seriald), model_seriald_next(&model));
    PROPERTY_EQUAL(K1, stand_in_slot_count(),
                   life_now.startup_slots + model.driver_held + model.log_held);
    MARK_IF("seriald: a client's line is open", model.owner != 0 && model.owner != ROLE_LOGD);
    MARK_IF("seriald: a record's line is open", model.owner == ROLE_LOGD);
}

/* What seriald_run does in one turn. */
static enum status turn(void)
{
    struct receive_info info;
    current_slot = SLOT_NULL;
    stand_in_fail_pause(true);
    enum status status = service_turn(&seriald.caller, SLOT_SERVICE_ENDPOINT,
                                      seriald_next_ticks(&seriald), handle, &seriald, &info);
    PROPERTY(E5, status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_RETRY);
    now_of_turn = info.now_ticks;
    stand_in_fail_pause(false);
    seriald_tick(&seriald, info.now_ticks);
    caller_flush(&seriald.caller);
    return status;
}

static void end_turn(uint32_t at)
{
    model_seriald_tick(&model, now_of_turn);
    model.failure = NULL;
    stand_in_fail_never();
    compare_answers(at);
    check();
}

static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    unsigned state = (model.owner != 0) | (unsigned)(model.reader_slot != 0) << 1 |
                     (unsigned)(line.driver_life == 0) << 2 | (unsigned)line.busy << 3;
    request->header.cap_count =
        0; /* what comes with a message is emptied by the loop, and counts */
    life_any_caps(request, caps);
    life_bring(request, caps);
    uint64_t now_ticks = stand_in_now();
    PROPERTY_EQUAL(E5, turn(), STATUS_OK);
    struct model_failure failure = life_failures();
    predicted = model_seriald_step(&model, request, current_slot, now_ticks, &failure);
    enum status status = predicted.status;
    if (!predicted.later) {
        PROPERTY(S3, "reply", stand_in_reply_count() != 0);
        const struct stand_in_reply *reply = stand_in_reply_at(0);
        life_predicted(status, reply->message.header.status);
        PROPERTY_EQUAL(S3, reply->message.header.status, status);
        PROPERTY_EQUAL(E5, reply->message.header.request_id, request->header.request_id);
        if (status == STATUS_OK)
            compare_write();
        else
            PROPERTY(E1, reply->message.header.body_bytes == 0);
    }
    end_turn(predicted.later ? 0 : 1);
    digest_u64(status);
    uint16_t id = request->header.operation;
    mark_triple(predicted.later ? "seriald kept" : "seriald", state,
                operation_find(SERVICE_SERIALD, id) != NULL ? id : 0, status);
    return status;
}

/* --- actions --- */

static void quiet_turn(void)
{
    stand_in_message_begin();
    (void)turn();
    struct model_failure failure = life_failures();
    model_seriald_quiet(&model, &failure);
    end_turn(0);
}

static void gone(uint64_t n)
{
    uint32_t slot = life_gone(n);
    if (slot != SLOT_NULL)
        model_seriald_gone(&model, slot);
}

/* The same on both sides. Whoever is new is another one than all before: a capability of one that
 * has died stays dead (K3). */
static void change(struct serial_line *of, const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    uint64_t second = step->arguments[1];
    if (step->action == ACTION_DRIVER) {
        of->driver_life = argument == 0 ? 0 : ++of->life_count;
        of->lost_count = 0;
    } else if (step->action == ACTION_LOG) {
        of->log_life = argument == 0 ? 0 : ++of->life_count;
        of->first_id = of->next_id = 1;
    } else if (step->action == ACTION_LINE) {
        of->takes = (uint32_t)(argument % (SERIAL_BYTES_MAX + 1));
        of->busy = second % 2 != 0;
    } else if (step->action == ACTION_COMES) {
        of->coming_count += (uint32_t)(argument % 1000);
        of->lost_count += second % 100;
    }
    for (uint64_t i = 0; step->action == ACTION_APPEND && i < argument % APPEND_LIMIT; i++)
        serial_line_append(of);
}

static void act(const struct life_step *step)
{
    switch ((enum action)step->action) {
    case ACTION_FAIL: /* one at a time, as the model has it */
        life_plan_turn_failure(step, FAIL_LIMIT);
        return;
    case ACTION_TIME:
        stand_in_clock_set(deadline_after(stand_in_now(), step->arguments[0] % 100000));
        return;
    case ACTION_TURN:
        quiet_turn();
        return;
    case ACTION_GONE:
        gone(step->arguments[0]);
        return;
    case ACTION_DRIVER:
    case ACTION_LOG:
    case ACTION_LINE:
    case ACTION_COMES:
    case ACTION_APPEND:
        change(&line, step);
        change(&model.line, step);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* All is well around it, and time passes: nobody waits any more, and the log is on the line. */
static void finish(void)
{
    enum { TURNS = 200, PASSES = 2000 };
    stand_in_fail_never();
    for (unsigned side = 0; side < 2; side++) {
        struct serial_line *of = side == 0 ? &line : &model.line;
        of->driver_life = of->driver_life == 0 ? UINT32_MAX : of->driver_life;
        of->log_life = of->log_life == 0 ? UINT32_MAX : of->log_life;
        of->takes = SERIAL_BYTES_MAX;
        of->busy = false;
    }
    for (unsigned i = 0; i < TURNS; i++) {
        if (i % 20 == 0)
            stand_in_clock_set(deadline_after(stand_in_now(), PASSES));
        quiet_turn();
    }
    PROPERTY(S4, "liveness", model.cursor == line.next_id);
    if (model.reader_slot != 0) {
        stand_in_clock_set(deadline_after(stand_in_now(), SERIAL_WAIT_TICKS_MAX));
        quiet_turn();
    }
    PROPERTY_EQUAL(S3, "open", stand_in_reply_open_count(), 0);
}

static void reset(void)
{
    memset(&seriald, 0, sizeof seriald);
    model_seriald_reset(&model);
    line = (struct serial_line){.driver_life = 1,
                                .log_life = 1,
                                .life_count = 1,
                                .takes = SERIAL_BYTES_MAX,
                                .first_id = 1,
                                .next_id = 1};
    model.line = line;
    life_begin(&peers, ROLE_SERIALD);
    stand_in_put(SLOT_PEER_NAMED, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_NAMED));
    life_now.startup_slots = stand_in_slot_count();
}

const struct life_service life_service = {
    .language = &language,
    .caller = &seriald.caller,
    .state = &seriald,
    .handle = seriald_handle,
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
    .fail_ways = {STATUS_INTERNAL, STATUS_PEER_DIED},
};
