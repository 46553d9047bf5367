/* SPDX-License-Identifier: ISC */
/* A life of timed: clients ask the time and wait, time passes, clocks go wrong, clients give up. In
 * every turn: status, reply and who is answered, in order, are the model's; nobody early, nobody
 * twice (W1), nobody refused (W2). At the end all who wait are answered. */
#include <string.h>

#include "abi/codec.h"
#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_timed.h"
#include "services/timed/timed.h"

const char harness_name[] = "timed_life";
MARKS(15, 0);

/* Calls of one message, other than those that empty the window (E8). */
enum { CALLS_MAX = 1, FAIL_LIMIT = 8, CROWD_LIMIT = 64 };

enum action {
    ACTION_FAIL,
    ACTION_TIME,
    ACTION_CLOCK,
    ACTION_TURN,
    ACTION_GONE,
    ACTION_CROWD,
    ACTION_COUNT
};
static const struct life_action actions[] = {
    [ACTION_FAIL] = {"fail", 2},   /* index status: that call of the next message */
    [ACTION_TIME] = {"time", 1},   /* n: so many ticks pass */
    [ACTION_CLOCK] = {"clock", 1}, /* n: the clock says n, be it less than before */
    [ACTION_TURN] = {"turn", 0},   /* no message comes until the next deadline */
    [ACTION_GONE] = {"gone", 1},   /* n: the n-th of those who wait waits no more */
    [ACTION_CROWD] = {"crowd", 2}, /* n ticks: n clients wait for so many ticks */
    [ACTION_COUNT] = {NULL, 0},
};

static struct timed timed;
static struct model_timed model;
static struct {
    uint64_t told_ticks; /* by the latest reply */
    uint32_t reply_slot;
    struct model_timed_answer answer;
} life;

/* timed calls nobody but the kernel (E5). */
static const struct stand_in_peers nobody = {.strict = true};

/* --- what is drawn --- */

static uint64_t some_deadline(struct choices *choices)
{
    uint64_t how = choices_below(choices, 12);
    if (how == 0)
        return choices_u64(choices);
    if (how == 1)
        return UINT64_MAX - 1 - choices_below(choices, 2);
    if (how < 4 && model.wait_count != 0) /* one that somebody waits for */
        return model.waits[choices_below(choices, model.wait_count)].deadline_ticks;
    return stand_in_now() + choices_below(choices, 40) - (how == 4 ? 20 : 0);
}

static void draw_wait_until(struct choices *choices, struct life_draft *draft)
{
    struct timed_wait_until_request *request = (void *)draft->body;
    request->deadline_ticks = some_deadline(choices);
}

static void compare_monotonic(void)
{
    struct timed_now_monotonic_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&timed_now_monotonic_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY_EQUAL(W1, reply.now_ticks, life.answer.now_ticks);
    PROPERTY(W1, reply.now_ticks >= life.told_ticks);
    life.told_ticks = reply.now_ticks;
}

static void compare_wall(void)
{
    struct timed_now_wall_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&timed_now_wall_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY(W1, reply.second_ticks < TICKS_PER_SECOND);
    PROPERTY_EQUAL(W1, reply.epoch_seconds, life.answer.now_ticks / TICKS_PER_SECOND);
    PROPERTY_EQUAL(W1, reply.second_ticks, life.answer.now_ticks % TICKS_PER_SECOND);
}

/* Of a wait for a time that is over, which is answered at once. */
static void compare_wait(void)
{
    struct timed_wait_until_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&timed_wait_until_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY_EQUAL(W1, reply.now_ticks, life.answer.now_ticks);
}

static const struct life_operation operations[] = {
    {OP_TIMED_NOW_MONOTONIC, 1, life_draw_nothing, NULL, compare_monotonic},
    {OP_TIMED_NOW_WALL, 1, life_draw_nothing, NULL, compare_wall},
    {OP_TIMED_WAIT_UNTIL, 6, draw_wait_until, NULL, compare_wait},
    {0, 0, NULL, NULL, NULL},
};

static const struct life_language language = {SERVICE_TIMED, actions, operations};

static uint64_t some_badge(struct choices *choices)
{
    return life_some_client(choices, ROLE_SERIALD, 12);
}

static void generate(struct choices *choices, struct message *request)
{
    (void)life_generate(&language, choices, some_badge, request);
}

/* --- a turn --- */

/* All but the clock, which every message tells. */
static uint64_t digest_of(void)
{
    static const struct caller nothing;
    struct caller caller = timed.caller;
    uint64_t sum = 0;
    timed.caller = nothing;
    timed_visit_fields(&timed, life_digest_visit, &sum);
    timed.caller = caller;
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    life.reply_slot = info->reply_slot;
    (void)state;
    return life_handle(&life_service, message, info);
}

/* The answers of a turn, from the reply `first` on, are those of the model, in order. */
static void compare_answers(uint32_t first)
{
    struct model_timed_wait answered[MODEL_TIMED_ANSWERS];
    uint32_t count = model_timed_tick(&model, stand_in_now(), answered);
    uint32_t at = first;
    for (uint32_t i = 0; i < count; i++) {
        if (MARK_IF("timed: one that is gone is answered", answered[i].gone))
            continue;
        struct timed_wait_until_reply told;
        PROPERTY(W1, "answered", at < stand_in_reply_count());
        const struct stand_in_reply *reply = stand_in_reply_at(at++);
        PROPERTY_EQUAL(W1, "who", reply->slot, answered[i].reply_slot);
        PROPERTY_EQUAL(W1, "which", reply->message.header.request_id, answered[i].request_id);
        PROPERTY_EQUAL(E5, reply_decode(&timed_wait_until_reply_type, &reply->message, &told),
                       STATUS_OK);
        PROPERTY(W1, "early", told.now_ticks >= answered[i].deadline_ticks);
        PROPERTY_EQUAL(W1, told.now_ticks, model.now_ticks);
        digest_u64(answered[i].request_id);
    }
    PROPERTY_EQUAL(W1, "count", stand_in_reply_count(), at);
    MARK_IF("timed: more are due than one turn answers",
            model_timed_next(&model) <= model.now_ticks);
    MARK_IF("timed: several are answered in one turn", count > 1);
}

static void check(void)
{
    if (oracle_due())
        life_check(timed_check(&timed));
    PROPERTY_EQUAL(W1, timed.wait_count, model.wait_count);
    PROPERTY_EQUAL(W1, timed_next_deadline(&timed), model_timed_next(&model));
    PROPERTY_EQUAL(K1, stand_in_slot_count(), life_now.startup_slots);
}

/* What timed_run does in one turn. With a deadline in the past stand_in_receive returns at once. */
static enum status turn(void)
{
    struct receive_info info;
    enum status status = service_turn(&timed.caller, SLOT_SERVICE_ENDPOINT,
                                      timed_next_deadline(&timed), handle, &timed, &info);
    PROPERTY(E5, status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_RETRY);
    timed_tick(&timed, info.now_ticks);
    caller_flush(&timed.caller);
    return status;
}

static void mark(const struct message *request, unsigned state, unsigned failures)
{
    uint16_t id = request->header.operation;
    mark_triple(life.answer.later ? "timed kept" : "timed", state | (failures != 0 ? 8u : 0),
                operation_find(SERVICE_TIMED, id) != NULL ? id : 0, life.answer.status);
}

static unsigned state_of(const struct message *request)
{
    return life_sender_kind(request) | (model.wait_count != 0 ? 4u : 0);
}

/* The reply to the message itself, when it is there already. */
static void compare_reply(const struct message *request)
{
    const struct stand_in_reply *reply = stand_in_reply_at(0);
    const struct life_operation *row = life_operation_of(&language, request->header.operation);
    life_predicted(life.answer.status, reply->message.header.status);
    PROPERTY_EQUAL(W1, reply->message.header.status, life.answer.status);
    PROPERTY_EQUAL(E5, reply->message.header.request_id, request->header.request_id);
    digest_u64(reply->message.header.status);
    if (life.answer.status != STATUS_OK)
        PROPERTY(E1, reply->message.header.body_bytes == 0);
    else if (row->compare != NULL && stand_in_reply_count() == 1)
        row->compare();
}

static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    unsigned state = state_of(request);
    life_any_caps(request, caps);
    life_bring(request, caps);
    uint32_t before_count = timed.wait_count;
    uint64_t before = oracle_due() ? digest_of() : 0;
    uint64_t now_ticks = stand_in_now();
    PROPERTY_EQUAL(E5, turn(), STATUS_OK);
    struct model_failure failure = life_failures();
    uint32_t model_before = model.wait_count;
    life.answer = model_timed_step(&model, request, life.reply_slot, now_ticks, &failure);
    MARK_IF("timed: a reply slot comes again", model.wait_count < model_before);
    bool same = model.wait_count == before_count && !life.answer.later &&
                model_timed_next(&model) > model.now_ticks;
    if (!life.answer.later) {
        PROPERTY(E5, "reply", stand_in_reply_count() != 0);
        compare_reply(request);
    }
    /* The clock of a NOW went on behind the message; the turn's is that of its receive. */
    uint64_t later_ticks = stand_in_now();
    stand_in_clock_set(now_ticks);
    compare_answers(life.answer.later ? 0 : 1);
    stand_in_clock_set(later_ticks);
    if (oracle_due() && same)
        PROPERTY_EQUAL(E1, digest_of(), before);
    check();
    mark(request, state, failure.count);
    return life.answer.status;
}

/* --- actions --- */

static void quiet_turn(void)
{
    stand_in_message_begin();
    (void)turn();
    compare_answers(0);
    check();
}

static void crowd(uint64_t count, uint64_t ticks)
{
    struct message request;
    struct timed_wait_until_request body = {stand_in_now() + ticks % 1000};
    life_print_as_comments(true);
    for (uint64_t i = 0; i < count % CROWD_LIMIT && stand_in_reply_open_count() < 900; i++) {
        life_request(&timed_wait_until_request_type, &body, ROLE_SERIALD, &request);
        life_print_request(&language, &request, 0);
        life_print_result(send(&request));
    }
    life_print_as_comments(false);
}

static void gone(uint64_t n)
{
    uint32_t slot = life_gone(n);
    if (slot != SLOT_NULL)
        model_timed_gone(&model, slot);
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    switch ((enum action)step->action) {
    case ACTION_FAIL:
        life_plan_failure(step, FAIL_LIMIT);
        return;
    case ACTION_TIME:
        stand_in_clock_set(deadline_after(stand_in_now(), argument));
        return;
    case ACTION_CLOCK:
        stand_in_clock_set(argument);
        return;
    case ACTION_TURN:
        quiet_turn();
        return;
    case ACTION_GONE:
        gone(argument);
        return;
    case ACTION_CROWD:
        stand_in_fail_never();
        crowd(argument, step->arguments[1]);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* Time passes, and everybody is answered, whoever else asks nothing (W1, W2). */
static void finish(void)
{
    stand_in_fail_never();
    while (model.wait_count != 0) {
        uint32_t before = model.wait_count;
        quiet_turn();
        PROPERTY(W1, "liveness", model.wait_count < before);
    }
    PROPERTY_EQUAL(W2, stand_in_reply_open_count(), 0);
}

/* All zeros again, at the cost of the waits that were left. */
static void timed_reset(void)
{
    for (uint32_t position = 0; position < timed.wait_count; position++)
        timed.waits[timed.heap[position]] = (struct timed_wait){0};
    memset(timed.heap, 0, sizeof timed.heap);
    memset(&timed, 0, offsetof(struct timed, waits));
    harness_check_zero(&timed, sizeof timed);
}

static void reset(void)
{
    timed_reset();
    model_timed_reset(&model);
    memset(&life, 0, sizeof life);
    life_begin(&nobody, ROLE_TIMED);
    stand_in_put(SLOT_KERNEL_TIME_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_TIME, 0));
    life_now.startup_slots = stand_in_slot_count();
}

const struct life_service life_service = {
    .language = &language,
    .caller = &timed.caller,
    .state = &timed,
    .handle = timed_handle,
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
    .fail_ways = {STATUS_EXHAUSTED, STATUS_INTERNAL},
};
