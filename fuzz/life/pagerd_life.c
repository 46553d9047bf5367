/* SPDX-License-Identifier: ISC */
/* Lives of pagerd: messages of procd and of the kernel, against the model, over the stand-in for
 * the kernel, memd and vspaced (peers_of_pagerd.h). After every step the replies, calls and answers
 * are the model's, in order; pagerd_check holds; a refusal left the state as it was; nothing
 * leaked. At the end everything that waits is answered once memory is there, and every process can
 * be forgotten.
 *
 * The result of a FAULT, for traces and marks: OK (resolved), RETRY (its faulter waits), PAGE_FAULT
 * (its process ends). In a literal the number in a capability field names the object: the vspace,
 * or the account. Actions:
 *
 *   @time TICKS           time passes, then pagerd ticks
 *   @wake                 sleeps until pagerd's own deadline, then it ticks
 *   @memory PAGES         pages that memd has free
 *   @limit ACCOUNT PAGES  what the account may hold
 *   @fail K STATUS N LATE the K-th call from now and N - 1 after it fail; LATE: only the answer is
 * lost
 *   @gone I               the I-th waiting faulter dies
 *   @skew TICKS           the clock that messages bring lies back by so much
 *   @crowd N              N processes with one window each register (once a life); more than
 * CROWD_MAX only in a .trace: a full table is too slow to fuzz
 *   @breach KIND          the kernel breaks its promise on the next message's reply slot: 0 none at
 * all, 1 one outside the reply slots, 2 one on which a faulter waits */
#include <string.h>

#include "abi/codec.h"
#include "abi/text/generate.h"
#include "fuzz/harness.h"
#include "fuzz/life/pagerd_life_generate.h"
#include "props/stand_ins/peers_of_pagerd.h"
#include "props/stand_ins/stand_in_kernel.h"
#include "props/life/life.h"
#include "props/models/model_pagerd.h"
#include "services/pagerd/pagerd.h"

const char harness_name[] = "pagerd_life";
const int harness_has_steps = 1;

enum {
    CROWD_TOKEN = 1000,
    CROWD_MAX = 20,
    TIME_MAX = 1 << 20,
    ACTION_TIME = 0,
    ACTION_WAKE,
    ACTION_MEMORY,
    ACTION_LIMIT,
    ACTION_FAIL,
    ACTION_GONE,
    ACTION_SKEW,
    ACTION_CROWD,
    ACTION_BREACH
};

static const struct life_action actions[] = {
    {"time", 1}, {"wake", 0}, {"memory", 1}, {"limit", 2},  {"fail", 4},
    {"gone", 1}, {"skew", 1}, {"crowd", 1},  {"breach", 1}, {NULL, 0},
};

static const struct life_language language = {.service = SERVICE_PAGERD, .actions = actions};

static struct pagerd pagerd;
static struct model_pagerd model;

struct life {
    uint64_t now;
    uint64_t skew; /* of the clock in messages: what pagerd is told may go back */
    uint64_t request_id;
    bool crowded;
    bool breached;
    uint32_t breach_slot;
};

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(&language, text, text_bytes, bytes, limit_bytes, problem, problem_bytes);
}

/* --- what must hold after every step --------------------------------------------------------- */

static void check_all(void)
{
    PROPERTY(G1, "check", pagerd_check(&pagerd));
    PROPERTY_EQUAL(G5, "deadline", pagerd_next_deadline(&pagerd), model_pagerd_deadline(&model));
    peers_of_pagerd_check(&model);
}

/* What an operation depends on. */
static unsigned state_number(void)
{
    unsigned state = model.process_count != 0;
    for (unsigned i = 0; i < model.fill_count; i++)
        state |= model.fills[i].parked ? 2u : 4u;
    return state | (model.process_count == MODEL_PAGERD_PROCESSES ? 8u : 0u);
}

static void mark_ending(uint32_t reason)
{
    static const char *const names[] = {
        [END_FAULT_OUTSIDE] = "pagerd: ended outside",
        [END_FAULT_NULL_PAGE] = "pagerd: ended on the null page",
        [END_FAULT_GUARD] = "pagerd: ended on a guard",
        [END_FAULT_READ_DENIED] = "pagerd: ended reading",
        [END_FAULT_WRITE_DENIED] = "pagerd: ended writing",
        [END_FAULT_EXECUTE_DENIED] = "pagerd: ended executing",
        [END_FAULT_PAGE_LIMIT] = "pagerd: ended at the page limit",
        [END_FAULT_BACKING] = "pagerd: ended without backing",
    };
    if (reason >= END_FAULT_OUTSIDE && reason <= END_FAULT_BACKING)
        mark_name(names[reason]);
}

static void mark_answers(void)
{
    struct pagerd_log log = peers_of_pagerd_log();
    for (unsigned i = 0; i < log.count; i++)
        if (log.events[i].act == ACT_ANSWER)
            mark_ending((uint32_t)log.events[i].what[3]);
}

/* --- messages -------------------------------------------------------------------------------- */

/* The same message for the model, decoded if it can be. */
static struct model_pagerd_message model_message(const struct message *message,
                                                 const struct receive_info *info)
{
    struct model_pagerd_message told = {
        .operation = message->header.operation,
        .badge = info->badge,
        .slot = info->reply_slot,
        .request_id = message->header.request_id,
    };
    const struct operation *operation = operation_find(SERVICE_PAGERD, told.operation);
    if (operation == NULL)
        operation =
            told.operation == OP_EVENT_FAULT ? operation_find(SERVICE_EVENT, OP_EVENT_FAULT) : NULL;
    if (operation != NULL)
        told.decoded = message_decode(operation->request, message, &told.body);
    if (told.operation == OP_PAGERD_REGISTER_PROCESS && told.decoded == STATUS_OK) {
        told.vspace = peers_of_pagerd_number(told.body.reg.vspace_slot);
        told.account = peers_of_pagerd_number(told.body.reg.account_slot);
    }
    return told;
}

/* How a fault went: the answer that its slot got by itself. */
static enum status fault_result(uint32_t reply_slot)
{
    struct pagerd_log log = peers_of_pagerd_log();
    for (unsigned i = 0; i < log.count; i++)
        if (log.events[i].act == ACT_ANSWER && log.events[i].what[0] == reply_slot)
            return log.events[i].what[2] == FAULT_RESOLVED ? STATUS_OK : STATUS_PAGE_FAULT;
    return STATUS_RETRY;
}

/* The reply is the model's, byte by byte. */
static enum status check_reply(const struct message *message, const struct model_pagerd_reply *want,
                               uint64_t request_id)
{
    const struct operation *operation = operation_find(SERVICE_PAGERD, message->header.operation);
    if (operation == NULL)
        operation = operation_find(SERVICE_EVENT, message->header.operation);
    PROPERTY_EQUAL(G1, "status", message->header.status, want->status);
    PROPERTY_EQUAL(E5, "request-id", message->header.request_id, request_id);
    PROPERTY(E5, "caps", message->header.cap_count == 0);
    if (want->status != STATUS_OK) {
        PROPERTY_EQUAL(E1, "bare", message->header.body_bytes, 0);
        return want->status;
    }
    PROPERTY(E5, "row", operation != NULL);
    PROPERTY_EQUAL(E5, "length", message->header.body_bytes, operation->reply->max_bytes);
    PROPERTY(G1, "body", memcmp(message->body, &want->body, message->header.body_bytes) == 0);
    digest_bytes(message->body, message->header.body_bytes);
    if (message->header.operation != OP_EVENT_FAULT)
        return STATUS_OK;
    mark_ending(want->body.fault.reason);
    return want->body.fault.verdict == FAULT_RESOLVED ? STATUS_OK : STATUS_PAGE_FAULT;
}

/* Delivers one message as the loop would and follows the model. `sent` names objects in its
 * capability fields; the sender is header.badge. */
static enum status send(struct life *life, const struct message *sent, bool thorough)
{
    static struct message message;
    bool reused = life->breach_slot >= SLOT_REPLY_BASE &&
                  life->breach_slot < SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
    /* A slot that was answered meanwhile is free again: to give it is no breach any more. */
    bool breached = life->breached && (!reused || stand_in_reply_is_open(life->breach_slot));
    life->breached = false;
    struct receive_info info = {
        .badge = sent->header.badge,
        .now_ticks = life->now > life->skew ? life->now - life->skew : 0,
        .endpoint_slot = SLOT_SERVICE_ENDPOINT,
        .reply_slot =
            breached ? life->breach_slot : stand_in_reply_open(0, PEERS_PAGERD_CALLER_LIMIT),
        .cap_count = sent->header.cap_count,
        .window_slot = SLOT_RECEIVE_BASE,
    };
    if (info.reply_slot == 0 && !breached)
        return STATUS_EXHAUSTED; /* the kernel would not let pagerd receive */
    message = *sent;
    message.header.request_id = ++life->request_id;
    peers_of_pagerd_step_begin();
    peers_of_pagerd_deliver(&message);
    struct model_pagerd_message told = model_message(&message, &info);
    unsigned state = state_number();
    uint64_t before = thorough ? pagerd_digest(&pagerd) : 0;
    enum handled handled = pagerd_handle(&pagerd, &message, &info);
    struct pagerd_log log = peers_of_pagerd_log();
    struct model_pagerd_reply want = model_pagerd_handle(&model, info.now_ticks, &told, &log);
    life_predicted(want.later ? LIFE_LATER : want.status,
                   handled == HANDLED_LATER ? LIFE_LATER : message.header.status);
    PROPERTY_EQUAL(G1, "handled", handled == HANDLED_LATER, want.later);
    enum status result =
        want.later ? fault_result(info.reply_slot) : check_reply(&message, &want, life->request_id);
    if (handled == HANDLED_REPLY && !breached)
        stand_in_reply_close(info.reply_slot);
    peers_of_pagerd_window_drop();
    mark_answers();
    mark_triple("pagerd", state,
                operation_find(SERVICE_PAGERD, told.operation) != NULL ||
                        told.operation == OP_EVENT_FAULT
                    ? told.operation
                    : 0u,
                result);
    digest_u64(result);
    if (!thorough)
        return result;
    if (info.reply_slot == 0 || (!want.later && want.status != STATUS_OK))
        PROPERTY_EQUAL(E1, "refusal", pagerd_digest(&pagerd), before);
    check_all();
    return result;
}

static void tick(struct life *life)
{
    peers_of_pagerd_step_begin();
    pagerd_tick(&pagerd, life->now);
    struct pagerd_log log = peers_of_pagerd_log();
    model_pagerd_tick(&model, life->now, &log);
    mark_answers();
    digest_u64(log.used);
    check_all();
}

/* --- steps ----------------------------------------------------------------------------------- */

static uint64_t crowd_most(void)
{
    return trace_expects ? MODEL_PAGERD_PROCESSES : CROWD_MAX;
}

static void crowd(struct life *life, uint64_t count)
{
    if (life->crowded)
        return;
    life->crowded = true;
    for (uint64_t i = 0; i < count; i++) {
        struct pagerd_register_process_request request = {
            .token = CROWD_TOKEN + i,
            .vspace_slot = CROWD_TOKEN + (uint32_t)i,
            .account_slot = 1,
            .page_limit = 2,
            .area_count = 1,
            .areas = {{AREA_WINDOW, RIGHT_READ | RIGHT_WRITE, USER_VA_FIRST, PAGE_BYTES, 0, 0}},
        };
        struct message message;
        memset(&message, 0, sizeof message);
        generate_delivered(&pagerd_register_process_request_type, &request, &message);
        life_print_request(&language, &message, 0);
        send(life, &message, false);
    }
    check_all();
}

static void breach(struct life *life, uint64_t kind)
{
    life->breached = kind % 3 != 2 || model.faulter_count != 0;
    life->breach_slot = kind % 3 == 0              ? 0
                        : kind % 3 == 1            ? SLOT_REPLY_BASE + SLOT_REPLY_COUNT
                        : model.faulter_count != 0 ? (uint32_t)model.faulters[0].slot
                                                   : 0;
}

static void act(struct life *life, const struct life_step *step)
{
    const uint64_t *arguments = step->arguments;
    switch (step->action) {
    case ACTION_TIME:
        life->now += arguments[0] % TIME_MAX;
        tick(life);
        break;
    case ACTION_WAKE:
        if (pagerd_next_deadline(&pagerd) == DEADLINE_NEVER)
            break;
        if (pagerd_next_deadline(&pagerd) > life->now)
            life->now = pagerd_next_deadline(&pagerd);
        tick(life);
        break;
    case ACTION_MEMORY:
        peers_of_pagerd_memory(arguments[0]);
        break;
    case ACTION_LIMIT:
        peers_of_pagerd_limit(arguments[0], arguments[1]);
        break;
    case ACTION_FAIL:
        stand_in_fail_never();
        stand_in_fail((struct stand_in_failure){
            .after_calls = arguments[0] % 16,
            .times = arguments[2] % 5,
            .status = (enum status)(1 + arguments[1] % (STATUS_COUNT - 1)),
            .late = arguments[3] % 2 != 0,
        });
        break;
    case ACTION_SKEW:
        life->skew = arguments[0] % TIME_MAX;
        break;
    case ACTION_GONE:
        if (stand_in_reply_open_count() != 0)
            stand_in_caller_gone(
                stand_in_reply_waiting(arguments[0] % stand_in_reply_open_count()));
        break;
    case ACTION_CROWD:
        crowd(life, arguments[0]);
        break;
    default:
        breach(life, arguments[0]);
        break;
    }
}

static void take_step(struct life *life, struct life_step *step)
{
    if (step->kind == LIFE_ACTION) {
        if (step->action == ACTION_CROWD)
            step->arguments[0] %= crowd_most() + 1;
        life_print_action(&language, step);
        life_print_as_comments(true);
        act(life, step);
        life_print_as_comments(false);
        return;
    }
    if (step->kind == LIFE_GENERATED)
        pagerd_generate(&model, &step->choices, &step->message);
    life_print_request(&language, &step->message, 0);
    enum status result = send(life, &step->message, true);
    life_print_result(result);
    life_expect(step, result);
}

/* Faults off and memory there: everything finishes (G5), and everything can be forgotten. */
static void finish(struct life *life)
{
    peers_of_pagerd_calm();
    life->breached = false;
    life_print_as_comments(true);
    for (unsigned i = 0; i < 64 && pagerd_next_deadline(&pagerd) != DEADLINE_NEVER; i++) {
        if (pagerd_next_deadline(&pagerd) > life->now)
            life->now = pagerd_next_deadline(&pagerd);
        tick(life);
    }
    PROPERTY_EQUAL(G5, "liveness", stand_in_reply_open_count(), 0);
    while (model.process_count != 0) {
        struct pagerd_unregister_process_request request = {model.processes[0].token};
        struct message message;
        memset(&message, 0, sizeof message);
        generate_delivered(&pagerd_unregister_process_request_type, &request, &message);
        life_print_request(&language, &message, 0);
        PROPERTY_EQUAL(E6, "unregister", send(life, &message, false), STATUS_OK);
    }
    life_print_as_comments(false);
    check_all();
    PROPERTY_EQUAL(E6, "empty", pagerd.registration_count, 0);
}

/* The reset undoes all that was touched: too long to look at for every input, so for .trace files.
 */
static void check_reset(void)
{
    static const struct pagerd zero;
    pagerd_reset(&pagerd);
    HARNESS(!trace_expects || memcmp(&pagerd, &zero, sizeof zero) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static struct life_step step;
    struct choices input = harness_begin(bytes, size_bytes);
    struct life life = {0};
    pagerd_reset(&pagerd);
    model_pagerd_reset(&model);
    peers_of_pagerd_begin();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && life_next(&input, &language, &step); i++)
        take_step(&life, &step);
    digest_u64(pagerd_digest(&pagerd));
    finish(&life);
    check_reset();
    return 0;
}
