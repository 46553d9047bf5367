/* SPDX-License-Identifier: ISC */
/* A life of logd: clients and strangers append, readers and others read, time passes and is told
 * wrongly, clients give up. After every message: status, reply and effects are the model's (L1, L3),
 * a refusal changed nothing (E1), and a record that made room was the right one (L2). At the end a
 * reader learns of every record that there was (L1). */
#include "fuzz/life/logd_life.h"

#include <string.h>

const char harness_name[] = "logd_life";
const int harness_has_steps = 1;

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
    life.booted = true;
}

/* Empties the places that the last input used. */
static void reset(void)
{
    memset(logd.records, 0, logd.record_count * sizeof logd.records[0]);
    memset(&logd, 0, offsetof(struct logd, records));
    stand_in_begin(&nobody);
    stand_in_clock_set(1000);
    memset(&life, 0, sizeof life);
    stand_in_put(SLOT_SELF, stand_in_cap_to(OBJECT_KERNEL_SELF, 0));
    stand_in_put(SLOT_SERVICE_ENDPOINT, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_LOGD));
    life.startup_slots = stand_in_slot_count();
}

/* --- one message --- */

static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    enum handled handled = logd_handle(state, message, info);
    PROPERTY_EQUAL(E8, "calls", stand_in_call_count(), 0);
    stand_in_message_answered();
    return handled;
}

/* What its capability fields name does not matter: no row of logd takes one. */
unsigned logd_life_deliver(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    struct receive_info info;
    request->header.request_id = ++life.request_id;
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        uint32_t slot = SLOT_RECEIVE_BASE + i;
        caps[i] = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_PROCD);
        memcpy(request->body + request->caps[i].field_offset, &slot, sizeof slot);
        request->caps[i] = (struct message_cap){
            .field_offset = request->caps[i].field_offset,
            .rights = (uint16_t)caps[i].rights,
            .object_type = OBJECT_ENDPOINT,
        };
    }
    stand_in_message_begin();
    stand_in_lose_reply(life.gone ? STATUS_NOT_FOUND : STATUS_OK);
    stand_in_deliver(SLOT_SERVICE_ENDPOINT, request, caps);
    PROPERTY_EQUAL(
        E5, service_turn(&logd.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, handle, &logd, &info),
        STATUS_OK);
    caller_flush(&logd.caller);
    PROPERTY_EQUAL(E5, stand_in_reply_count(), !life.gone);
    if (life.gone)
        return LIFE_LOST;
    PROPERTY(E5, stand_in_reply()->header.request_id == request->header.request_id);
    return (enum status)stand_in_reply()->header.status;
}

static void compare(const struct message *request, unsigned status)
{
    const struct life_operation *row =
        life_operation_of(&logd_life_language, request->header.operation);
    if (status == STATUS_OK && row->compare != NULL)
        row->compare();
    if (status != STATUS_OK && status != LIFE_LOST)
        PROPERTY(E1, stand_in_reply()->header.body_bytes == 0);
    PROPERTY_EQUAL(K1, stand_in_slot_count(), life.startup_slots); /* logd keeps no capability */
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
    logd_life_shares(&before);
    unsigned status = logd_life_deliver(request);
    life.answer = model_logd_step(&model, request, stand_in_now());
    unsigned predicted = life.gone ? (unsigned)LIFE_LOST : life.answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(L3, status, predicted);
    compare(request, status);
    logd_life_check_shares(&before, life.answer.changed ? request->header.badge : 0);
    return status;
}

static unsigned send(struct message *request)
{
    unsigned state = logd_life_state(request);
    uint64_t digest = logd_life_digest();
    uint64_t told_ticks = logd.caller.now_ticks;
    unsigned status = exchange(request);
    if (!life.answer.changed && logd.caller.now_ticks == told_ticks)
        PROPERTY_EQUAL(E1, logd_life_digest(), digest);
    digest_u64(status == LIFE_LOST ? UINT8_MAX : status);
    if (status != LIFE_LOST)
        digest_bytes(stand_in_reply()->body, stand_in_reply()->header.body_bytes);
    logd_life_check();
    mark(request, state, status);
    life.gone = false;
    return status;
}

/* --- actions --- */

/* What is slow is asked once, behind the last line. */
static void flood(uint64_t role, uint64_t lines)
{
    struct message request;
    life.gone = false;
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
    if (!life.booted && step->action != ACTION_BOOT)
        return;
    life_print_action(&logd_life_language, step);
    switch ((enum action)step->action) {
    case ACTION_BOOT:
        if (!life.booted)
            boot(argument);
        return;
    case ACTION_TIME:
        stand_in_clock_set(argument);
        return;
    case ACTION_GONE:
        life.gone = true;
        return;
    case ACTION_FLOOD:
        flood(argument, step->arguments[1]);
        return;
    case ACTION_READ_ALL:
        life.gone = false;
        logd_life_read_all();
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
    if (!life.booted)
        boot(0);
    if (step->kind == LIFE_GENERATED)
        logd_life_generate(&step->choices, &step->message);
    life_print_request(&logd_life_language, &step->message, 0);
    unsigned status = send(&step->message);
    enum status result = status == LIFE_LOST ? life.answer.status : (enum status)status;
    life_print_result(result); /* of a client that gave up: what it would have heard */
    life_expect(step, result);
}

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(&logd_life_language, text, text_bytes, bytes, limit_bytes, problem,
                         problem_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices input = harness_begin(bytes, size_bytes);
    struct life_step step;
    reset();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && life_next(&input, &logd_life_language, &step); i++)
        take(&step);
    life.gone = false;
    if (life.booted)
        logd_life_read_all();
    digest_u64(logd_life_digest());
    return 0;
}
