/* SPDX-License-Identifier: ISC */
/* One life of procd against its model. Each step is a request, generated or literal, or something
 * that happens around procd: a child ends, time passes, an effect fails, a caller gives up. After
 * each step the replies, the ledger and the state are the model's; a refusal has changed nothing;
 * at the end everything can be stopped and everything is back. */
#include "fuzz/life/procd_life.h"

#include <string.h>

#include "abi/text/generate.h"
#include "abi/process.h"
#include "abi/roles.h"

const char harness_name[] = "procd_life";
const int harness_has_steps = 1;

enum { CROWD_LIMIT = PROCESS_LIMIT + 8, TIME_MAX = 1 << 20, FAIL_LIMIT = 255 };

enum action {
    ACTION_FOUNDATION, /* rootd's part: memd, vspaced and pagerd created, started, bound */
    ACTION_TIME,       /* ticks busy: time passes; busy 1: procd does not look meanwhile */
    ACTION_EXIT,       /* id code: a running process exits; procd is not told yet */
    ACTION_FAULT,      /* id reason va: the same by a fault */
    ACTION_EVENT,      /* id: procd is told of an end */
    ACTION_FAIL,       /* k status: the k-th effect of the next request fails */
    ACTION_LOSE,       /* status: the next request's reply cannot be delivered */
    ACTION_MEMORY,     /* pages: what memd has free */
    ACTION_CROWD,      /* n: helper processes are spawned */
    ACTION_GIVE_UP,    /* n: the caller of an open wait gives up */
    ACTION_WAITS,      /* id n: so many waits for a process */
    ACTION_COUNT
};

static const struct life_action actions[] = {
    [ACTION_FOUNDATION] = {"foundation", 0},
    [ACTION_TIME] = {"time", 2},
    [ACTION_EXIT] = {"exit", 2},
    [ACTION_FAULT] = {"fault", 3},
    [ACTION_EVENT] = {"event", 1},
    [ACTION_FAIL] = {"fail", 2},
    [ACTION_LOSE] = {"lose", 1},
    [ACTION_MEMORY] = {"memory", 1},
    [ACTION_CROWD] = {"crowd", 1},
    [ACTION_GIVE_UP] = {"giveup", 1},
    [ACTION_WAITS] = {"waits", 2},
    [ACTION_COUNT] = {NULL, 0},
};

static const struct life_operation operations[] = {
    {OP_PROCD_CREATE_STAGED_PROCESS, 2, draw_making, NULL, compare_create},
    {OP_PROCD_START_STAGED_PROCESS, 2, draw_named, NULL, NULL},
    {OP_PROCD_ABORT_STAGED_PROCESS, 2, draw_named, NULL, NULL},
    {OP_PROCD_STOP_PROCESS, 2, draw_named, NULL, NULL},
    {OP_PROCD_WAIT_PROCESS_EVENT, 2, draw_wait, NULL, compare_wait},
    {OP_PROCD_QUERY_PROCESS, 2, draw_named, NULL, compare_query},
    {OP_PROCD_SPAWN, 1, draw_spawn, NULL, compare_spawn},
    {OP_PROCD_SPAWN_SERVICE, 1, draw_making, NULL, compare_spawn_service},
    {0, 0, NULL, NULL, NULL},
};

const struct life_language procd_life_language = {SERVICE_PROCD, actions, operations};

struct procd procd;
struct model_procd model;
struct procd_life_harness life;

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(&procd_life_language, text, text_bytes, bytes, limit_bytes, problem,
                         problem_bytes);
}

static void reset(void)
{
    memset(&procd, 0,
           offsetof(struct procd, processes) + procd.used_count * sizeof procd.processes[0]);
    procd.memory_pages = MODEL_PROCD_MEMORY_PAGES;
    model_procd_reset(&model, PEERS_PROCD_BOOTSTRAP_PAGES, PEERS_PROCD_MEMORY_PAGES,
                      peers_image_read);
    peers_of_procd_begin();
    memset(&life, 0, sizeof life);
}

/* --- one turn of procd ---------------------------------------------------------------------- */

static struct model_failure failure_of_step(void)
{
    struct stand_in_failures failures = stand_in_failures();
    life_met_failures(failures.count);
    return (struct model_failure){
        .count = failures.count,
        .status = failures.status,
        .calls_before = failures.calls_before,
        .reply = stand_in_reply_was_lost() ? life.losing : STATUS_OK,
    };
}

static void take_turn(void)
{
    struct message buffer;
    memset(&buffer, 0, sizeof buffer);
    uint64_t deadline = model_procd_next_ticks(&model, life.turn_ticks);
    enum status status = procd_turn(&procd, &buffer, &life.turn_ticks);
    PROPERTY_EQUAL(P1, "turn", status, STATUS_OK);
    PROPERTY_EQUAL(P7, "deadline", peers_of_procd_deadline(), deadline);
    PROPERTY_EQUAL(P7, "clock", life.turn_ticks, stand_in_now());
    PROPERTY(E5, "delivered", !stand_in_delivery_pending());
}

static void check_step(void)
{
    procd_life_check_replies();
    if (!life.books_wait)
        procd_life_check_books();
}

/* ABORT can be made to fail only where it is what was asked for. */
static bool asks_for_abort(const struct message *message, unsigned state)
{
    return message->header.operation == OP_PROCD_ABORT_STAGED_PROCESS ||
           (message->header.operation == OP_PROCD_STOP_PROCESS &&
            (state & 7) == MODEL_PROCD_STAGED);
}

/* What the request itself must get, as a result. */
static unsigned own_result(void)
{
    return life.answer.later ? LIFE_LATER : life.answer.lost ? LIFE_LOST : life.answer.status;
}

/* What it did get. */
static unsigned got_result(uint64_t request_id)
{
    for (uint32_t i = 0; i < stand_in_reply_count(); i++) {
        const struct message_header *header = &stand_in_reply_at(i)->message.header;
        if (header->request_id == request_id)
            return header->status;
    }
    return stand_in_reply_was_lost() ? LIFE_LOST : LIFE_LATER;
}

static void mark_paths(unsigned result, uint32_t answers)
{
    MARK_IF("procd: undone after a failed effect", stand_in_failures().count != 0);
    MARK_IF("procd: undone after a lost reply", stand_in_reply_was_lost());
    MARK_IF("procd: one end wakes several waiters", answers > 2);
    MARK_IF("procd: a record made room", result == STATUS_OK && model.count == PROCESS_LIMIT);
}

static const struct operation *row_of(uint16_t id)
{
    return operation_find(SERVICE_PROCD, id);
}

/* No effect fails any more, and no reply is lost. */
static void calm(void)
{
    stand_in_fail_never();
    life.losing = STATUS_OK;
    stand_in_lose_reply(life.losing);
}

/* Delivers a request, lets procd take its turn, and follows the model. */
static unsigned deliver(const struct message *message, bool on_driver, unsigned state)
{
    uint16_t id = message->header.operation;
    stand_in_message_begin();
    peers_of_procd_ends_can_fail(asks_for_abort(message, state), id == OP_PROCD_STOP_PROCESS);
    peers_of_procd_deliver(on_driver ? SLOT_PROCD_DRIVER_ENDPOINT : SLOT_SERVICE_ENDPOINT, message);
    take_turn();
    struct model_failure failure = failure_of_step();
    struct model_procd_request request = {stand_in_delivered(), on_driver, stand_in_now()};
    calm();
    life.answer = model_procd_step(&model, &request, &failure);
    life_predicted(own_result(), got_result(message->header.request_id));
    return own_result();
}

static void mark(const struct message *message, unsigned state, unsigned result)
{
    uint16_t id = message->header.operation;
    mark_triple(result == LIFE_LATER  ? "procd kept"
                : result == LIFE_LOST ? "procd lost"
                                      : "procd",
                state, row_of(id) != NULL ? id : 0, life.answer.status);
    mark_paths(result, model.reply_count);
}

static unsigned send(struct message *message, bool on_driver)
{
    unsigned state = procd_life_state(message);
    uint32_t waiters = model.waiter_count;
    if (message->header.badge == BADGE_KERNEL) /* nobody can mint it */
        message->header.badge = BADGE_KERNEL - 1;
    life_print_request(&procd_life_language, message, on_driver);
    message->header.request_id = ++life.request_id;
    uint64_t before = life.books_wait ? 0 : procd_life_digest();
    unsigned result = deliver(message, on_driver, state);
    life_print_result(life.answer.status);
    check_step();
    /* A wait that became due in this turn is gone, told or given up: that is no doing of the
     * refusal. */
    bool refused = result != STATUS_OK && result < STATUS_COUNT;
    if (!life.books_wait && refused && model.reply_count == 1 && model.waiter_count == waiters)
        PROPERTY_EQUAL(E1, "refusal", procd_life_digest(), before);
    if (life.answer.made_id != 0)
        procd_life_check_made(life.answer.made_id);
    mark(message, state | (on_driver ? 32u : 0), result);
    return result;
}

/* A well-formed request of the administrator or a client. */
static unsigned ask(const struct operation *row, const void *body, uint64_t badge, bool on_driver)
{
    struct message message;
    memset(&message, 0, sizeof message);
    generate_delivered(row->request, body, &message);
    message.header.badge = badge;
    return send(&message, on_driver);
}

static unsigned send_generated(struct choices *choices)
{
    struct life_draft draft;
    procd_life_generate(choices, &draft);
    return ask(row_of(draft.operation), draft.body, draft.badge, draft.on != 0);
}

/* --- what happens around procd ---------------------------------------------------------------- */

/* The process that an action means: the one with the id, or one of those that fit. */
static const struct model_procd_process *pick(uint64_t id, bool died)
{
    uint32_t fitting = 0;
    const struct model_procd_process *picked = NULL;
    for (uint32_t i = 0; i < model.count; i++) {
        const struct model_procd_process *process = &model.processes[i];
        if (process->life != MODEL_PROCD_RUNNING || process->died != died)
            continue;
        if (process->id == id)
            return process;
        fitting++;
        if (picked == NULL || id % fitting == 0)
            picked = process;
    }
    return picked;
}

static void act_end(uint64_t id, uint32_t reason, uint32_t code, uint64_t fault_va)
{
    const struct model_procd_process *process = pick(id, false);
    if (process == NULL)
        return;
    HARNESS(stand_in_process_end(process->id, reason, code, fault_va));
    model_procd_died(&model, process->id, reason, code, fault_va);
}

static void act_fault(const struct life_step *step)
{
    uint32_t first = END_FAULT_NO_PAGER;
    uint32_t count = END_REASON_LAST - END_FAULT_NO_PAGER + 1;
    uint64_t wanted = step->arguments[1];
    uint32_t reason = wanted >= first && wanted <= END_REASON_LAST
                          ? (uint32_t)wanted
                          : first + (uint32_t)(wanted % count);
    act_end(step->arguments[0], reason, 0, step->arguments[2]);
}

static void act_event(uint64_t id)
{
    const struct model_procd_process *process = pick(id, true);
    if (process == NULL)
        return;
    uint64_t real_id = process->id;
    stand_in_fail_pause(true); /* failures are a request's, and this is none */
    stand_in_message_begin();
    peers_of_procd_deliver_event(real_id);
    take_turn();
    stand_in_fail_pause(false);
    model_procd_event(&model, real_id, stand_in_now());
    check_step();
    mark_triple("procd event", model.bound, OP_EVENT_PROCESS_TERMINATED, model.exited);
    mark_paths(STATUS_OK, model.reply_count + 1);
}

static void act_time(uint64_t ticks, bool busy)
{
    stand_in_message_begin();
    stand_in_clock_set(stand_in_now() + (ticks > TIME_MAX ? ticks % TIME_MAX : ticks));
    if (busy)
        return;
    take_turn();
    model_procd_tick(&model, stand_in_now());
    check_step();
    MARK_IF("procd: a wait timed out", model.reply_count != 0);
}

static void act_fail(uint64_t countdown, uint64_t status)
{
    countdown %= FAIL_LIMIT + 1;
    stand_in_fail_never();
    if (countdown != 0)
        stand_in_fail((struct stand_in_failure){
            .after_calls = countdown - 1,
            .times = 1,
            .status = life_failure(status),
        });
}

static void act_lose(uint64_t status)
{
    static const enum status statuses[] = {STATUS_NOT_FOUND, STATUS_BUSY, STATUS_DENIED};
    life.losing = statuses[status % 3];
    stand_in_lose_reply(life.losing);
}

static void act_memory(uint64_t pages)
{
    model.memory_free_pages = pages % (PEERS_PROCD_MEMORY_PAGES + 1);
    peers_pool_free_pages_set(model.memory_free_pages);
}

static uint64_t ask_create(uint32_t role, unsigned module)
{
    struct procd_create_staged_process_request request = {
        .role = role,
        .image_offset = peers_modules[module].offset_bytes,
        .image_bytes = peers_modules[module].size_bytes,
    };
    ask(row_of(OP_PROCD_CREATE_STAGED_PROCESS), &request, 0, false);
    return life.answer.made_id;
}

static void act_foundation(void)
{
    for (uint32_t role = ROLE_MEMD; role <= ROLE_PAGERD; role++) {
        uint64_t id = ask_create(role, 0);
        struct procd_start_staged_process_request start = {.process_id = id};
        if (id != 0)
            ask(row_of(OP_PROCD_START_STAGED_PROCESS), &start, 0, false);
    }
    struct procd_update_foundation_endpoints_request update = {.memd_slot = 1, .pagerd_slot = 1};
    ask(row_of(OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS), &update, 0, false);
}

/* Tables are filled by traces, on purpose. A fuzzer that fills them by chance has no time left for
 * anything else: a life with a thousand processes takes as long as a thousand lives. */
static uint64_t bounded(uint64_t count, uint64_t limit)
{
    if (trace_expects)
        return count < limit ? count : limit;
    return count % 8;
}

static void act_crowd(uint64_t count)
{
    struct procd_spawn_request request = {
        .role = ROLE_PHASE0_EXIT,
        .image_slot = SLOT_IMAGE,
        .image_offset = peers_modules[0].offset_bytes,
        .image_bytes = peers_modules[0].size_bytes,
    };
    life.books_wait = true;
    for (uint64_t i = 0; i < count; i++) {
        if (ask(row_of(OP_PROCD_SPAWN), &request, 0, false) != STATUS_OK)
            break;
    }
    life.books_wait = false;
    procd_life_check_books();
    MARK_IF("procd: the table is full", model.live == PROCESS_LIMIT);
}

static void act_waits(uint64_t id, uint64_t count)
{
    struct procd_wait_process_event_request request = {.process_id = id,
                                                       .deadline_ticks = DEADLINE_NEVER};
    const struct model_procd_process *process = pick(id, false);
    if (process != NULL && model_procd_find(&model, id) == NULL)
        request.process_id = process->id;
    life.books_wait = true;
    for (uint64_t i = 0; i < count; i++)
        ask(row_of(OP_PROCD_WAIT_PROCESS_EVENT), &request, 0, false);
    life.books_wait = false;
    procd_life_check_books();
    MARK_IF("procd: the waiter table is full", model.waiter_count == PROCD_WAITER_LIMIT);
}

/* An action's arguments as they count here. */
static void bound(struct life_step *step)
{
    if (step->action == ACTION_CROWD)
        step->arguments[0] = bounded(step->arguments[0], CROWD_LIMIT);
    if (step->action == ACTION_WAITS)
        step->arguments[1] = bounded(step->arguments[1], PROCD_WAITER_LIMIT + 1);
}

static void act(const struct life_step *step)
{
    switch ((enum action)step->action) {
    case ACTION_FOUNDATION:
        act_foundation();
        return;
    case ACTION_TIME:
        act_time(step->arguments[0], step->arguments[1] % 2 == 1);
        return;
    case ACTION_EXIT:
        act_end(step->arguments[0], END_EXITED, (uint32_t)step->arguments[1], 0);
        return;
    case ACTION_FAULT:
        act_fault(step);
        return;
    case ACTION_EVENT:
        act_event(step->arguments[0]);
        return;
    case ACTION_FAIL:
        act_fail(step->arguments[0], step->arguments[1]);
        return;
    case ACTION_LOSE:
        act_lose(step->arguments[0]);
        return;
    case ACTION_MEMORY:
        act_memory(step->arguments[0]);
        return;
    case ACTION_CROWD:
        act_crowd(step->arguments[0]);
        return;
    case ACTION_GIVE_UP:
        stand_in_caller_gave_up(model_procd_give_up(&model, step->arguments[0]));
        return;
    case ACTION_WAITS:
        act_waits(step->arguments[0], step->arguments[1]);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* --- the life --- */

/* Faults off: whatever lives can be stopped, and then nothing is missing anywhere (P5). */
static void end_life(void)
{
    calm();
    life.books_wait = true;
    life_print_as_comments(true);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < model.count; i++) {
            const struct model_procd_process *process = &model.processes[i];
            enum role_kind kind = role_find(process->role)->kind;
            struct procd_stop_process_request request = {.process_id = process->id, .code = 9};
            if (process->life == MODEL_PROCD_ENDED || (pass == 0 && kind == ROLE_KIND_FOUNDATION))
                continue;
            PROPERTY_EQUAL(
                P8, "end",
                ask(row_of(OP_PROCD_STOP_PROCESS), &request, 0, kind == ROLE_KIND_DRIVER),
                STATUS_OK);
        }
    }
    life_print_as_comments(false);
    life.books_wait = false;
    procd_life_check_books();
    PROPERTY_EQUAL(P3, "end", model.waiter_count, 0);
    PROPERTY_EQUAL(P5, "end", stand_in_untyped(peers_of_procd_bootstrap())->free_pages,
                   PEERS_PROCD_BOOTSTRAP_PAGES);
}

static void take(struct life_step *step)
{
    switch (step->kind) {
    case LIFE_ACTION:
        bound(step);
        life_print_action(&procd_life_language, step);
        life_print_as_comments(true);
        act(step);
        life_print_as_comments(false);
        return;
    case LIFE_LITERAL:
        send(&step->message, step->on % 2 == 1);
        life_expect(step, life.answer.status);
        return;
    case LIFE_GENERATED:
        send_generated(&step->choices);
        return;
    }
}

size_t harness_plan_failure(uint64_t call, unsigned way, uint8_t *bytes)
{
    if (call >= FAIL_LIMIT || way != 0)
        return 0;
    return life_fail_step(ACTION_FAIL, call + 1, STATUS_EXHAUSTED, 1, false, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices input = harness_begin(bytes, size_bytes);
    struct life_step step;
    reset();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && !model.exited; i++) {
        if (!life_next(&input, &procd_life_language, &step))
            break;
        take(&step);
    }
    if (!model.exited)
        end_life();
    digest_u64(procd_life_digest());
    return 0;
}
