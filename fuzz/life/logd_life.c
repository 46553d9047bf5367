/* SPDX-License-Identifier: ISC */
/* A life of logd: clients and strangers append, readers and others read, time passes and is told
 * wrongly, clients give up. After every message: status, reply and effects are the model's (L1, L3),
 * a refusal changed nothing (E1), and a record that made room was the right one (L2). At the end a
 * reader learns of every record that there was (L1). */
#include "fuzz/life/logd_life.h"

#include <string.h>

const char harness_name[] = "logd_life";
MARKS(15, 0);

enum { FLOOD_LIMIT = 64 };

enum action { ACTION_BOOT, ACTION_TIME, ACTION_GONE, ACTION_FLOOD, ACTION_READ_ALL, ACTION_COUNT };
static const struct life_action actions[] = {
    [ACTION_BOOT] = {"boot", 1},         /* n: which size the ring has; first step only */
    [ACTION_TIME] = {"time", 1},         /* n: the clock says n, be it less than before */
    [ACTION_GONE] = {"gone", 0},         /* the next client gives up before it is answered */
    [ACTION_FLOOD] = {"flood", 2},       /* role n: a client appends n lines */
    [ACTION_READ_ALL] = {"read_all", 0}, /* a reader reads all there is */
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_LOGD_APPEND, 5, draw_append, NULL, compare_append},
    {OP_LOGD_READ, 3, draw_read, NULL, compare_read},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language logd_life_language = {SERVICE_LOGD, actions, operations};

struct logd logd;
struct model_logd model;
struct logd_life life;

/* logd calls nobody (E5). */
static const struct stand_in_peers nobody = {.strict = true};

/* --- start --- */

/* Small rings, so that their end is near; and the real one. */
static void boot(uint64_t which)
{
    static const uint32_t limits[] = {6, 1, 2, 17, 40, LOGD_RECORD_LIMIT};
    uint32_t limit = limits[which % (sizeof limits / sizeof limits[0])];
    logd_init(&logd, limit);
    model_logd_reset(&model, limit);
}

/* Empties the places that the last input used. */
static void reset(void)
{
    memset(logd.records, 0, logd.record_count * sizeof logd.records[0]);
    memset(&logd, 0, offsetof(struct logd, records));
    memset(&life, 0, sizeof life);
    life_begin(&nobody, ROLE_LOGD);
}

/* --- one message --- */

unsigned logd_life_deliver(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    life_any_caps(request, caps);
    return life_deliver(&life_service, request, caps);
}

static void mark(const struct message *request, unsigned state, unsigned status)
{
    const struct model_logd_answer *answer = &life.answer;
    uint16_t id = request->header.operation;
    mark_triple("logd", state, operation_find(SERVICE_LOGD, id) != NULL ? id : 0, status);
    MARK_IF("logd: a reader missed records", status == STATUS_OK && answer->missed_count != 0);
    MARK_IF("logd: who floods loses its own",
            answer->evicted && (state & 8u) != 0 &&
                model_logd_count(&model, request->header.badge) * 2 > model.limit);
    MARK_IF("logd: the longest line",
            answer->changed && answer->record.count == LOG_LINE_BYTES_MAX);
}

/* Delivers and compares the answer, and whose record made room. */
static unsigned exchange(struct message *request)
{
    static struct logd_life_shares before;
    if (oracle_due())
        logd_life_shares(&before);
    unsigned status = logd_life_deliver(request);
    life.answer = model_logd_step(&model, request, stand_in_now());
    unsigned predicted = life_now.loses != STATUS_OK ? (unsigned)LIFE_LOST : life.answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(L3, status, predicted);
    life_compare(&life_service, request, status);
    PROPERTY_EQUAL(K1, stand_in_slot_count(), life_now.startup_slots); /* it keeps no capability */
    if (oracle_due())
        logd_life_check_shares(&before, life.answer.changed ? request->header.badge : 0);
    return status;
}

static enum status send(struct message *request)
{
    unsigned state = logd_life_state(request);
    uint64_t digest = oracle_due() ? logd_life_digest() : 0;
    uint64_t told_ticks = logd.caller.now_ticks;
    unsigned status = exchange(request);
    if (oracle_due() && !life.answer.changed && logd.caller.now_ticks == told_ticks)
        PROPERTY_EQUAL(E1, logd_life_digest(), digest);
    life_digest_answer(status);
    logd_life_check();
    mark(request, state, status);
    life_now.loses = STATUS_OK;
    return status == LIFE_LOST ? life.answer.status : (enum status)status;
}

/* --- actions --- */

/* What is slow is asked once, behind the last line. */
static void flood(uint64_t role, uint64_t lines)
{
    struct message request;
    life_now.loses = STATUS_OK;
    life_print_as_comments(true);
    for (uint32_t n = 0; n < lines % FLOOD_LIMIT; n++) {
        logd_life_line(role, n, &request);
        life_print_request(&logd_life_language, &request, 0);
        life_print_result((enum status)exchange(&request));
    }
    life_print_as_comments(false);
    logd_life_check();
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    switch ((enum action)step->action) {
    case ACTION_BOOT:
        return;
    case ACTION_TIME:
        stand_in_clock_set(argument);
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_FLOOD:
        flood(argument, step->arguments[1]);
        return;
    case ACTION_READ_ALL:
        life_now.loses = STATUS_OK;
        logd_life_read_all();
        return;
    case ACTION_COUNT:
        return;
    }
}

static void finish(void)
{
    life_now.loses = STATUS_OK;
    if (life_now.booted)
        logd_life_read_all();
}

/* logd calls nobody (E8). */
const struct life_service life_service = {
    .language = &logd_life_language,
    .caller = &logd.caller,
    .state = &logd,
    .handle = logd_handle,
    .calls_max = 0,
    .reset = reset,
    .boot = boot,
    .generate = logd_life_generate,
    .send = send,
    .act = act,
    .finish = finish,
    .look = logd_life_check,
    .digest = logd_life_digest,
};
