/* SPDX-License-Identifier: ISC */
/* Lives of pagerd: messages of procd and of the kernel, against the model, over the stand-in for
 * the kernel, memd and vspaced (peers_of_pagerd.h). After every step the replies, calls and answers
 * are the model's, in order; pagerd_check holds; a refusal left the state as it was; nothing
 * leaked. At the end everything that waits is answered once memory is there, and every process can
 * be forgotten.
 *
 * The result of a FAULT, for traces and marks: OK (resolved), RETRY (its faulter waits), PAGE_FAULT
 * (its process ends). In a literal the number in a capability field names the object: the vspace,
 * or the account. */
#include "fuzz/life/pagerd_life.h"

#include <stddef.h>
#include <string.h>

#include "abi/text/generate.h"
#include "props/base/message_page.h"
#include "props/stand_ins/peers_vspaced.h"
#include "props/stand_ins/stand_in_kernel.h"

const char harness_name[] = "pagerd_life";
MARKS(15, 0);
const int harness_has_steps = 1;

enum {
    CROWD_TOKEN = 1000,
    CROWD_MAX = 20,
    TIME_MAX = 1 << 20,
    FAIL_LIMIT = 64,
    FAIL_TIMES_LIMIT = 5,
    SLOW_MORE_LIMIT = 3
};

enum action {
    ACTION_TIME,
    ACTION_WAKE,
    ACTION_MEMORY,
    ACTION_LIMIT,
    ACTION_FAIL,
    ACTION_GONE,
    ACTION_SKEW,
    ACTION_CROWD,
    ACTION_BREACH,
    ACTION_SLOW,
    ACTION_CLOSE,
    ACTION_BUDGET,
    ACTION_PROTECT,
    ACTION_SWEEP,
    ACTION_COUNT
};

static const struct life_action actions[] = {
    /* ticks: time passes, then pagerd ticks */
    [ACTION_TIME] = {"time", 1},
    /* sleeps until pagerd's own deadline, then it ticks */
    [ACTION_WAKE] = {"wake", 0},
    /* pages: what memd has free */
    [ACTION_MEMORY] = {"memory", 1},
    /* account pages: what the account may hold */
    [ACTION_LIMIT] = {"limit", 2},
    /* k status n late: the k-th call from now and n - 1 after it fail; late: only the answer is lost */
    [ACTION_FAIL] = {"fail", 4},
    /* i: the i-th waiting faulter dies, and its slot comes again */
    [ACTION_GONE] = {"gone", 1},
    /* ticks: the clock that messages bring lies back by so much */
    [ACTION_SKEW] = {"skew", 1},
    /* n: processes with one window each register (once per life); more than CROWD_MAX only in a .trace,
     * since a full table is too slow to fuzz */
    [ACTION_CROWD] = {"crowd", 1},
    /* kind: the kernel breaks its promise on the next message's reply slot: 0 none at all, 1 one
     * outside the reply slots */
    [ACTION_BREACH] = {"breach", 1},
    /* k ticks: the k-th call from now, when it is to a peer, takes so long; so do k / FAIL_LIMIT calls
     * after it, which is at most SLOW_MORE_LIMIT - 1 */
    [ACTION_SLOW] = {"slow", 2},
    /* account: it is closed, and the pages of its processes that were unregistered come back */
    [ACTION_CLOSE] = {"close", 1},
    /* i pages: the kernel memory of the i-th process is enough for so many pages more */
    [ACTION_BUDGET] = {"budget", 2},
    /* i page rights: somebody takes rights of a page of the i-th process, by its area and number */
    [ACTION_PROTECT] = {"protect", 3},
    /* i: the i-th process is dead, and vspaced gives its slot to the next one */
    [ACTION_SWEEP] = {"sweep", 1},
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_EVENT_FAULT, 9, draw_fault, NULL, NULL},
    {OP_PAGERD_REGISTER_PROCESS, 3, draw_register, NULL, NULL},
    {OP_PAGERD_UNREGISTER_PROCESS, 2, draw_unregister, NULL, NULL},
    {OP_PAGERD_RESOLVE_FAULT, 3, draw_resolve, NULL, NULL},
    {OP_PAGERD_QUERY_FAULTS, 1, draw_query, NULL, NULL},
    {0, 1, draw_violation, NULL, NULL},
    {0, 1, draw_stranger, NULL, NULL},
    {OP_PAGERD_GIVE_PAGE, 3, draw_give, NULL, NULL},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language pagerd_life_language = {SERVICE_PAGERD, actions, operations};

struct pagerd pagerd;
struct model_pagerd model;
struct pagerd_life life;

/* --- one message --- */

/* What the kernel says with the next message, a broken promise about its reply slot included. */
static struct receive_info next_info(const struct message *sent, bool *breached)
{
    *breached = life.breached;
    life.breached = false;
    return (struct receive_info){
        .badge = sent->header.badge,
        .now_ticks = stand_in_now() > life.skew ? stand_in_now() - life.skew : 0,
        .endpoint_slot = SLOT_SERVICE_ENDPOINT,
        .reply_slot =
            *breached ? life.breach_slot : stand_in_reply_open(0, PEERS_PAGERD_CALLER_LIMIT),
        .cap_count = sent->header.cap_count,
        .window_slot = SLOT_RECEIVE_BASE,
    };
}

/* The number that a delivered capability has. */
static uint64_t number_of(const struct message *message, uint32_t cap)
{
    uint32_t slot = 0;
    if (cap < message->header.cap_count)
        memcpy(&slot, message->body + message->caps[cap].field_offset, sizeof slot);
    return peers_of_pagerd_number(slot);
}

/* Writes down what the fault asks for, so that its answer can be held against the page tables. */
static void note_asked(const struct message *message, uint32_t reply_slot)
{
    static const uint32_t rights[] = {RIGHT_READ, RIGHT_WRITE, RIGHT_EXECUTE};
    struct event_fault_request fault;
    uint32_t place = reply_slot - SLOT_REPLY_BASE;
    if (message->header.operation != OP_EVENT_FAULT || reply_slot < SLOT_REPLY_BASE ||
        place >= SLOT_REPLY_COUNT || life.answer.status != STATUS_OK ||
        message_decode(&event_fault_request_type, message, &fault) != STATUS_OK)
        return;
    life.asked_used = place < life.asked_used ? life.asked_used : place + 1;
    life.asked[place].token = fault.token;
    life.asked[place].page = fault.va / PAGE_BYTES * PAGE_BYTES;
    life.asked[place].right = rights[fault.access];
}

/* Lets pagerd handle a delivered message, which becomes the reply, and follows the model. */
static enum handled handle(struct message *message, const struct receive_info *info)
{
    static struct message delivered;
    delivered = *message;
    struct model_pagerd_request request = {
        .message = &delivered,
        .now = info->now_ticks,
        .slot = info->reply_slot,
        .vspace = number_of(message, 0),
        .account = number_of(message, 1),
    };
    enum handled handled = pagerd_handle(&pagerd, message, info);
    caller_flush(&pagerd.caller);
    if (handled == HANDLED_REPLY) { /* as the loop does */
        message->header.operation = delivered.header.operation;
        message->header.request_id = delivered.header.request_id;
    }
    life_met_failures(stand_in_failures().count);
    struct pagerd_log log = peers_of_pagerd_log();
    life.answer = model_pagerd_step(&model, &request, &log);
    note_asked(&delivered, info->reply_slot);
    life_predicted(life.answer.later ? LIFE_LATER : life.answer.status,
                   handled == HANDLED_LATER ? LIFE_LATER : message->header.status);
    PROPERTY_EQUAL(G1, "handled", handled == HANDLED_LATER, life.answer.later);
    return handled;
}

/* The digest before a message: that after the last one, when that was refused. */
static uint64_t digest_before(void)
{
    if (!life.digest_known)
        life.digest = pagerd_life_digest();
    life.digest_known = true;
    return life.digest;
}

/* The message says that something may have come back. One that ends a fill does not. */
static bool asks_again(const struct message *sent)
{
    struct pagerd_resolve_fault_request request;
    return sent->header.operation == OP_PAGERD_RESOLVE_FAULT &&
           message_decode(&pagerd_resolve_fault_request_type, sent, &request) == STATUS_OK &&
           request.action == RESOLVE_RETRY;
}

/* Names the frame that a GIVE_PAGE brings: one of the process's account. False: that has none. */
static bool name_frame(struct message *message)
{
    uint64_t token;
    if (!peers_of_pagerd_gives(message))
        return true;
    memcpy(&token, message->body, sizeof token);
    const struct model_pagerd_process *process = model_pagerd_process(&model, token);
    return peers_of_pagerd_give(message, process == NULL ? 0 : process->account);
}

/* Delivers one message as the loop would. `sent` names objects in its capability fields; the sender
 * is header.badge. `thorough`: compares the books, too. */
static enum status send(const struct message *sent, bool thorough)
{
    struct message *message = sys_message();
    bool breached;
    if (!life.breached && stand_in_reply_open_count() == PEERS_PAGERD_CALLER_LIMIT)
        return STATUS_EXHAUSTED; /* the kernel would not let pagerd receive */
    *message = *sent;
    message_page_written();
    stand_in_delivered_otherwise();
    if (!name_frame(message))
        return STATUS_EXHAUSTED; /* nobody could have sent that */
    struct receive_info info = next_info(sent, &breached);
    HARNESS(breached || info.reply_slot != SLOT_NULL);
    message->header.request_id = ++life.request_id;
    peers_of_pagerd_step_begin();
    peers_of_pagerd_deliver(message);
    unsigned state = pagerd_life_state();
    thorough &= oracle_step();
    uint64_t before = thorough ? digest_before() : 0;
    life.digest_known = false;
    enum handled handled = handle(message, &info);
    enum status result = life.answer.later ? pagerd_life_fault_result(info.reply_slot)
                                           : pagerd_life_check_reply(message);
    if (handled == HANDLED_REPLY && !breached)
        stand_in_reply_close(info.reply_slot);
    peers_of_pagerd_window_drop();
    pagerd_life_mark_answers();
    pagerd_life_check_resolved();
    if (result == STATUS_OK && asks_again(sent))
        pagerd_life_check_waiting();
    uint16_t id = sent->header.operation;
    bool known = id == OP_EVENT_FAULT || operation_find(SERVICE_PAGERD, id) != NULL;
    mark_triple("pagerd", state, known ? id : 0u, result);
    digest_u64(result);
    if (!thorough)
        return result;
    life.digest_known =
        info.reply_slot == 0 || (!life.answer.later && life.answer.status != STATUS_OK);
    life.digest_known &= !life.answer.leaves && !life.answer.forgot;
    if (life.digest_known)
        PROPERTY_EQUAL(E1, "refusal", pagerd_life_digest(), before);
    pagerd_life_check();
    return result;
}

static bool frame_came_back(const struct pagerd_log *log)
{
    for (unsigned i = 0; i < log->count; i++)
        if (log->events[i].act == ACT_FREE_FRAMES && log->events[i].result == STATUS_OK)
            return true;
    return false;
}

/* The parked are tried when their own time comes, or a frame came back. A space that is left at last
 * gives back no memory. */
static void tick(void)
{
    bool looks = oracle_step();
    peers_of_pagerd_step_begin();
    life.digest_known = false;
    uint64_t now = stand_in_now();
    bool due = pagerd.wake_ticks <= now || pagerd_next_deadline(&pagerd) == DEADLINE_POLL;
    bool tries = due && pagerd.parked.count != 0;
    pagerd_tick(&pagerd, now);
    caller_flush(&pagerd.caller);
    life_met_failures(stand_in_failures().count);
    struct pagerd_log log = peers_of_pagerd_log();
    model_pagerd_tick(&model, now, &log);
    pagerd_life_mark_answers();
    pagerd_life_check_resolved();
    if (tries || frame_came_back(&log))
        pagerd_life_check_waiting();
    digest_u64(log.used);
    if (looks)
        pagerd_life_check();
}

/* --- actions --- */

/* Sleeps until pagerd's own deadline. */
static void wake(void)
{
    uint64_t deadline = pagerd_next_deadline(&pagerd);
    if (deadline == DEADLINE_NEVER)
        return;
    if (deadline > stand_in_now())
        stand_in_clock_set(deadline);
    tick();
}

static void plan_failure(const uint64_t *arguments)
{
    stand_in_fail_never();
    stand_in_fail((struct stand_in_failure){
        .after_calls = arguments[0] % FAIL_LIMIT,
        .times = arguments[2] % FAIL_TIMES_LIMIT,
        .status = life_failure(arguments[1]),
        .late = arguments[3] % 2 != 0,
    });
}

static uint64_t crowd_most(void)
{
    return trace_expects ? MODEL_PAGERD_PROCESSES : CROWD_MAX;
}

static void crowd(uint64_t count)
{
    if (life.crowded)
        return;
    life.crowded = true;
    for (uint64_t i = 0; i < count; i++) {
        struct pagerd_register_process_request request = {
            .token = CROWD_TOKEN + i,
            .vspace_slot = CROWD_TOKEN + (uint32_t)i,
            .account_slot = 1,
            .page_limit = 2,
            .region_limit = 4,
            .area_count = 1,
            .areas = {{AREA_WINDOW, RIGHT_READ | RIGHT_WRITE, USER_VA_FIRST, PAGE_BYTES, 0, 0}},
        };
        struct message message;
        memset(&message, 0, sizeof message);
        generate_delivered(&pagerd_register_process_request_type, &request, &message);
        life_print_request(&pagerd_life_language, &message, 0);
        send(&message, false);
    }
    if (oracle_due())
        pagerd_life_check();
}

static void breach(uint64_t kind)
{
    life.breached = true;
    life.breach_slot = kind % 2 == 0 ? 0 : SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
}

static void plan_slowness(const uint64_t *arguments)
{
    stand_in_fail_never();
    stand_in_fail((struct stand_in_failure){
        .after_calls = arguments[0] % FAIL_LIMIT,
        .times = 1 + arguments[0] / FAIL_LIMIT % SLOW_MORE_LIMIT,
        .ticks = 1 + arguments[1] % (2 * (uint64_t)PAGERD_PEER_TICKS),
    });
}

/* The i-th process, when it has a space; else null. */
static const struct model_pagerd_process *process_with_space(uint64_t i)
{
    if (model.process_count == 0)
        return NULL;
    const struct model_pagerd_process *process = &model.processes[i % model.process_count];
    return process->space == 0 || !peers_vspaced_knows((uint32_t)process->space) ? NULL : process;
}

static void sweep(uint64_t i)
{
    const struct model_pagerd_process *process = process_with_space(i);
    if (process != NULL)
        peers_of_pagerd_sweep(process->space, process->owed_frame);
}

static void take_rights(const uint64_t *arguments)
{
    const struct model_pagerd_process *process = process_with_space(arguments[0]);
    if (process == NULL)
        return;
    const struct pagerd_area *area = &process->areas[arguments[1] % process->area_count];
    uint64_t page = arguments[1] / process->area_count % 8;
    peers_vspaced_protect((uint32_t)process->space, area->va + page * PAGE_BYTES,
                          RIGHT_READ | (uint32_t)arguments[2]);
}

static void set_budget(const uint64_t *arguments)
{
    const struct model_pagerd_process *process = process_with_space(arguments[0]);
    if (process != NULL)
        peers_vspaced_budget_set((uint32_t)process->space, (uint32_t)(arguments[1] % 8));
}

static void act(const struct life_step *step)
{
    const uint64_t *arguments = step->arguments;
    uint32_t waiting = stand_in_reply_open_count();
    switch ((enum action)step->action) {
    case ACTION_TIME:
        stand_in_clock_set(stand_in_now() + arguments[0] % TIME_MAX);
        tick();
        return;
    case ACTION_WAKE:
        wake();
        return;
    case ACTION_MEMORY:
        peers_of_pagerd_memory(arguments[0]);
        return;
    case ACTION_LIMIT:
        peers_of_pagerd_limit(arguments[0], arguments[1]);
        return;
    case ACTION_FAIL:
        plan_failure(arguments);
        return;
    case ACTION_GONE:
        if (waiting != 0)
            stand_in_caller_gone(stand_in_reply_waiting(arguments[0] % waiting));
        return;
    case ACTION_SKEW:
        life.skew = arguments[0] % TIME_MAX;
        peers_of_pagerd_clock_lies(life.skew != 0);
        return;
    case ACTION_CROWD:
        crowd(arguments[0]);
        return;
    case ACTION_BREACH:
        breach(arguments[0]);
        return;
    case ACTION_SLOW:
        plan_slowness(arguments);
        return;
    case ACTION_CLOSE:
        peers_of_pagerd_close(arguments[0]);
        return;
    case ACTION_BUDGET:
        set_budget(arguments);
        return;
    case ACTION_PROTECT:
        take_rights(arguments);
        return;
    case ACTION_SWEEP:
        sweep(arguments[0]);
        return;
    case ACTION_COUNT:
        return;
    }
}

static void take(struct life_step *step)
{
    if (step->kind == LIFE_ACTION) {
        if (step->action == ACTION_CROWD)
            step->arguments[0] %= crowd_most() + 1;
        life_print_action(&pagerd_life_language, step);
        life_print_as_comments(true);
        act(step);
        life_print_as_comments(false);
        return;
    }
    if (step->kind == LIFE_GENERATED)
        pagerd_life_generate(&step->choices, &step->message);
    life_print_request(&pagerd_life_language, &step->message, 0);
    enum status result = send(&step->message, true);
    life_print_result(result);
    life_expect(step, result);
}

/* Faults off and memory there: everything finishes (G5), and everything can be forgotten. */
static void finish(void)
{
    if (oracle_deferred())
        pagerd_life_check();
    peers_of_pagerd_calm();
    life.breached = false;
    life_print_as_comments(true);
    for (unsigned i = 0; i < 64 && pagerd_next_deadline(&pagerd) != DEADLINE_NEVER; i++)
        wake();
    PROPERTY_EQUAL(G5, "liveness", stand_in_reply_open_count(), 0);
    while (model.process_count != 0) {
        struct pagerd_unregister_process_request request = {model.processes[0].token};
        struct message message;
        memset(&message, 0, sizeof message);
        generate_delivered(&pagerd_unregister_process_request_type, &request, &message);
        life_print_request(&pagerd_life_language, &message, 0);
        PROPERTY_EQUAL(E6, "unregister", send(&message, false), STATUS_OK);
    }
    life_print_as_comments(false);
    pagerd_life_check();
    PROPERTY_EQUAL(E6, "empty", pagerd.registration_count, 0);
}

/* The reset undoes all that was touched: too long to look at for every input, so for .trace
 * files. */
static void check_reset(void)
{
    static const struct pagerd zero;
    pagerd_reset(&pagerd);
    HARNESS(!trace_expects || memcmp(&pagerd, &zero, sizeof zero) == 0);
}

static void reset(void)
{
    pagerd_reset(&pagerd);
    model_pagerd_reset(&model);
    peers_of_pagerd_begin();
    memset(life.asked, 0, life.asked_used * sizeof life.asked[0]);
    memset(&life, 0, offsetof(struct pagerd_life, asked));
}

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(&pagerd_life_language, text, text_bytes, bytes, limit_bytes, problem,
                         problem_bytes);
}

size_t harness_plan_failure(uint64_t call, unsigned way, uint8_t *bytes)
{
    static const struct {
        enum status status;
        bool late;
    } ways[] = {{STATUS_EXHAUSTED, false}, {STATUS_INTERNAL, false}, {STATUS_TIMED_OUT, true}};
    if (call >= FAIL_LIMIT || way >= sizeof ways / sizeof ways[0])
        return 0;
    return life_fail_step(ACTION_FAIL, call, ways[way].status, 1, ways[way].late, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static struct life_step step;
    struct choices input = harness_begin(bytes, size_bytes);
    reset();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && life_next(&input, &pagerd_life_language, &step);
         i++)
        take(&step);
    digest_u64(pagerd_life_digest());
    finish();
    check_reset();
    return 0;
}
