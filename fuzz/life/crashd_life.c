/* SPDX-License-Identifier: ISC */
/* A life of crashd: procd and others report, readers and others read, time passes and is told wrongly,
 * answers are lost. After every message: status, reply and effects are the model's (L1), a refusal
 * changed nothing (E1). At the end a reader learns of every process that was killed (L1). */
#include <string.h>

#include "abi/codec.h"
#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_crashd.h"
#include "services/crashd/crashd.h"

const char harness_name[] = "crashd_life";
MARKS(15, 0);

enum { FLOOD_LIMIT = 300, FLOODED_MAX = MODEL_CRASHD_RECORDS - LIFE_STEP_LIMIT };

enum action { ACTION_TIME, ACTION_GONE, ACTION_FLOOD, ACTION_READ_ALL, ACTION_COUNT };
static const struct life_action actions[] = {
    [ACTION_TIME] = {"time", 1},         /* n: the clock says n, be it less than before */
    [ACTION_GONE] = {"gone", 0},         /* the answer to the next message is lost */
    [ACTION_FLOOD] = {"flood", 3},       /* n gap owners: procd reports n more, each after so many
                                            lost, of so many owners in turn */
    [ACTION_READ_ALL] = {"read_all", 0}, /* a reader reads all there is */
    [ACTION_COUNT] = {NULL, 0},
};

static struct crashd crashd;
static struct model_crashd model;
static struct model_crashd_answer answer; /* to the message that was sent last */

/* crashd calls nobody (E5). */
static const struct stand_in_peers nobody = {.strict = true};

/* --- what is drawn --- */

static uint64_t last_number(void)
{
    return model.count == 0 ? 0 : model.records[model.count - 1].report.number;
}

/* Mostly the next one; sometimes the last one again, one before it, or with some lost between. */
static uint64_t some_number(struct choices *choices)
{
    uint64_t how = choices_below(choices, 8);
    uint64_t last = last_number();
    if (how == 0)
        return choices_u64(choices) | 1;
    if (how == 1)
        return last == 0 ? 1 : last;
    if (how == 2)
        return last < 2 ? 1 : last - choices_below(choices, 2);
    return last + 1 + (how == 3 ? choices_below(choices, 4) : 0);
}

static void draw_report(struct choices *choices, struct life_draft *draft)
{
    static const uint32_t badges[] = {ROLE_ROOTD, ROLE_SERIALD, 0};
    struct crashd_report_request *request = (void *)draft->body;
    *request = (struct crashd_report_request){
        .number = some_number(choices),
        .process_id = choices_u64(choices) | 1,
        .owner_id = choices_below(choices, 4),
        .role = 1 + choices_u16(choices) % ROLE_ID_MAX,
        .reason = (uint32_t)choices_between(choices, END_KILLED, END_REASON_LAST),
        .code = choices_u32(choices),
        .fault_va = choices_u64(choices),
        .ended_ticks = stand_in_now(),
    };
    if (choices_below(choices, 16) == 0)
        request->reason = END_EXITED;
    uint64_t who = choices_below(choices, 16);
    draft->badge = who < 3 ? badges[who] : ROLE_PROCD;
}

/* Mostly a reader, and near what there is. */
static void draw_read(struct choices *choices, struct life_draft *draft)
{
    struct crashd_read_request *request = (void *)draft->body;
    uint64_t how = choices_below(choices, 10);
    request->cursor = 1 + choices_below(choices, model.count + 2);
    if (how == 0)
        request->cursor = choices_u64(choices) | 1;
    if (how == 1)
        request->cursor = UINT64_MAX;
    draft->badge = choices_below(choices, 6) == 0 ? choices_u16(choices) : ROLE_PHASE1_CRASH_CLIENT;
}

static void is_record(const struct crashd_read_reply *reply, uint64_t id)
{
    const struct model_crashd_record *record = &model.records[id - 1];
    PROPERTY_EQUAL(L1, reply->report_id, id);
    PROPERTY_EQUAL(L1, reply->ticks, record->ticks);
    PROPERTY_EQUAL(L1, reply->lost_count, model_crashd_lost(&model, id));
    PROPERTY_EQUAL(L1, reply->number, record->report.number);
    PROPERTY_EQUAL(L1, reply->process_id, record->report.process_id);
    PROPERTY_EQUAL(L1, reply->owner_id, record->report.owner_id);
    PROPERTY_EQUAL(L1, reply->role, record->report.role);
    PROPERTY_EQUAL(L1, reply->reason, record->report.reason);
    PROPERTY_EQUAL(L1, reply->code, record->report.code);
    PROPERTY_EQUAL(L1, reply->fault_va, record->report.fault_va);
    PROPERTY_EQUAL(L1, reply->ended_ticks, record->report.ended_ticks);
    PROPERTY(L1, "killed", reply->reason != END_NONE && reply->reason != END_EXITED);
}

static void compare_report(void)
{
    struct crashd_report_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&crashd_report_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY_EQUAL(L1, reply.report_id, answer.id);
    PROPERTY_EQUAL(L1, reply.ticks, model.records[answer.id - 1].ticks);
}

static void compare_read(void)
{
    struct crashd_read_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&crashd_read_reply_type, stand_in_reply(), &reply), STATUS_OK);
    is_record(&reply, answer.id);
    PROPERTY_EQUAL(L1, reply.missed_count, answer.missed_count);
}

static const struct life_operation operations[] = {
    {OP_CRASHD_REPORT, 5, draw_report, NULL, compare_report},
    {OP_CRASHD_READ, 3, draw_read, NULL, compare_read},
    {0, 0, NULL, NULL, NULL},
};

static const struct life_language language = {SERVICE_CRASHD, actions, operations};

static uint64_t some_badge(struct choices *choices)
{
    return choices_u16(choices);
}

static void generate(struct choices *choices, struct message *request)
{
    if (life_generate(&language, choices, some_badge, request) == 0)
        request->header.badge = choices_u64(choices);
}

/* --- one message --- */

static uint64_t digest_of(void)
{
    uint64_t sum = 0;
    crashd_visit_fields(&crashd, life_digest_visit, &sum);
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

static void check(void)
{
    if (oracle_due())
        life_check(crashd_check(&crashd));
    PROPERTY_EQUAL(L1, crashd.last_id, model.count);
    PROPERTY_EQUAL(K1, stand_in_slot_count(), life_now.startup_slots); /* it keeps no capability */
}

static unsigned state_of(const struct message *request)
{
    uint64_t badge = request->header.badge;
    bool reads = badge <= ROLE_ID_MAX && role_reads_crashes((uint32_t)badge);
    unsigned state = badge == ROLE_PROCD ? 0 : reads ? 1 : badge == 0 ? 2 : 3;
    return state | (model.count > MODEL_CRASHD_KEPT ? 4u : 0);
}

/* Of what came before some record that is kept, something younger than another one is not. */
static bool has_gap(void)
{
    return model.kept_count != 0 &&
           model.kept[model.kept_count - 1] - model.kept[0] != model.kept_count - 1;
}

static void mark(const struct message *request, unsigned state, unsigned status)
{
    uint16_t id = request->header.operation;
    mark_triple("crashd", state, operation_find(SERVICE_CRASHD, id) != NULL ? id : 0, status);
    MARK_IF("crashd: a reader missed records", status == STATUS_OK && answer.missed_count != 0);
    MARK_IF("crashd: a reader hears of ends that were never reported",
            id == OP_CRASHD_READ && status == STATUS_OK && answer.lost_count != 0);
    MARK_IF("crashd: a report that is there already", answer.again);
    MARK_IF("crashd: a record took the place of another", answer.changed && (state & 4u) != 0);
    MARK_IF("crashd: a younger record is gone than one that is kept", has_gap());
}

static unsigned exchange(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    life_any_caps(request, caps);
    unsigned status = life_deliver(&life_service, request, caps);
    answer = model_crashd_step(&model, request, stand_in_now());
    unsigned predicted = life_now.loses != STATUS_OK ? (unsigned)LIFE_LOST : answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(L1, status, predicted);
    life_compare(&life_service, request, status);
    return status;
}

static enum status send(struct message *request)
{
    unsigned state = state_of(request);
    uint64_t before = oracle_due() ? digest_of() : 0;
    uint64_t told_ticks = crashd.caller.now_ticks;
    unsigned status = exchange(request);
    if (oracle_due() && !answer.changed && crashd.caller.now_ticks == told_ticks)
        PROPERTY_EQUAL(E1, digest_of(), before);
    life_digest_answer(status);
    check();
    mark(request, state, status);
    life_now.loses = STATUS_OK;
    return status == LIFE_LOST ? answer.status : (enum status)status;
}

/* --- actions --- */

static void flood(uint64_t count, uint64_t gap, uint64_t owners)
{
    struct message request;
    life_now.loses = STATUS_OK;
    life_print_as_comments(true);
    for (uint64_t n = 0; n < count % FLOOD_LIMIT && model.count < FLOODED_MAX; n++) {
        struct crashd_report_request body = {
            .number = last_number() + 1 + gap % 4,
            .process_id = n + 1,
            .owner_id = n % (1 + owners % CRASHD_RECORD_LIMIT),
            .role = ROLE_PHASE0_EXIT,
            .reason = END_FAULT_OUTSIDE,
        };
        if (body.number <= last_number())
            break; /* numbers are used up */
        life_request(&crashd_report_request_type, &body, ROLE_PROCD, &request);
        life_print_request(&language, &request, 0);
        life_print_result((enum status)exchange(&request));
    }
    life_print_as_comments(false);
    check();
}

/* A reader that begins at the first record learns of every killed process that there ever was (L1). */
static void read_all(void)
{
    struct message request;
    struct crashd_read_reply reply;
    struct crashd_read_request body = {.cursor = 1};
    uint64_t heard_of = 0;
    life_now.loses = STATUS_OK;
    for (;;) {
        life_request(&crashd_read_request_type, &body, ROLE_PHASE1_CRASH_CLIENT, &request);
        unsigned status = exchange(&request);
        if (status == STATUS_NOT_FOUND)
            break;
        PROPERTY_EQUAL(E5, reply_decode(&crashd_read_reply_type, stand_in_reply(), &reply),
                       STATUS_OK);
        heard_of += reply.missed_count + 1;
        body.cursor = reply.report_id + 1;
    }
    PROPERTY_EQUAL(L1, "all", heard_of, model.count);
}

static void act(const struct life_step *step)
{
    switch ((enum action)step->action) {
    case ACTION_TIME:
        stand_in_clock_set(step->arguments[0]);
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_FLOOD:
        flood(step->arguments[0], step->arguments[1], step->arguments[2]);
        return;
    case ACTION_READ_ALL:
        read_all();
        return;
    case ACTION_COUNT:
        return;
    }
}

static void reset(void)
{
    memset(&crashd, 0, sizeof crashd);
    model_crashd_reset(&model);
    memset(&answer, 0, sizeof answer);
    life_begin(&nobody, ROLE_CRASHD);
}

const struct life_service life_service = {
    .language = &language,
    .caller = &crashd.caller,
    .state = &crashd,
    .handle = crashd_handle,
    .calls_max = 0,
    .reset = reset,
    .generate = generate,
    .send = send,
    .act = act,
    .finish = read_all,
    .look = check,
    .digest = digest_of,
};
