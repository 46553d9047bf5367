/* SPDX-License-Identifier: ISC */
/* One life of procd against its model. Each step is a request, generated or literal, or something
 * that happens around procd: a child ends, time passes, an effect fails, a caller gives up. After
 * each step the replies, the ledger and the state are the model's; a refusal has changed nothing;
 * at the end everything can be stopped and everything is back. */
#include "fuzz/life/procd_life.h"

#include <string.h>

#include "abi/process.h"
#include "abi/profile.h"
#include "abi/roles.h"

const char harness_name[] = "procd_life";
MARKS(16, 137);
const int harness_has_steps = 1;

enum { CROWD_LIMIT = PROCESS_LIMIT + 8, TIME_MAX = 1 << 20, FAIL_LIMIT = 255 };
enum { WAITS_LIMIT = 64, PIECES_LIMIT = 16, IDLE_LIMIT = 1024 };

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
    ACTION_SLOW,       /* ticks: what an answer of memd and pagerd takes from now on */
    ACTION_PIECES,     /* n: an account that is opened from now on is taken back in n messages */
    ACTION_PARKED,     /* n: so many fills wait for memory */
    ACTION_GARBLE,     /* the next answer of a peer makes no sense */
    ACTION_IDLE,       /* n: so many turns in which nothing comes */
    ACTION_WITNESS,    /* role mode: how named, logd or crashd is from now on */
    ACTION_CHILD,      /* n: what children say to START_SERVICE from now on */
    ACTION_INSTALL,    /* id n: a staged process is given n capabilities */
    ACTION_NOTICE,     /* n: how clients are at their notice endpoints from now on */
    ACTION_SAY,        /* k status: as fail, and a peer whose effect it is says so itself */
    ACTION_ALSO,       /* k status: one more effect of the next request fails, as fail */
    ACTION_UNHEARD,    /* k status: as fail, and a call to a peer is what the kernel refuses */
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
    [ACTION_SLOW] = {"slow", 1},
    [ACTION_PIECES] = {"pieces", 1},
    [ACTION_PARKED] = {"parked", 1},
    [ACTION_GARBLE] = {"garble", 0},
    [ACTION_IDLE] = {"idle", 1},
    [ACTION_WITNESS] = {"witness", 2},
    [ACTION_CHILD] = {"child", 1},
    [ACTION_INSTALL] = {"install", 2},
    [ACTION_NOTICE] = {"notice", 1},
    [ACTION_SAY] = {"say", 2},
    [ACTION_ALSO] = {"also", 2},
    [ACTION_UNHEARD] = {"unheard", 2},
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
    {OP_PROCD_SET_RESTART_POLICY, 2, draw_policy, NULL, NULL},
    {OP_PROCD_GET_RESTART_POLICY, 1, draw_named, NULL, compare_policy},
    {OP_PROCD_BIND_NAMED, 1, life_draw_nothing, NULL, NULL},
    {OP_PROCD_LIST_PROCESSES, 1, draw_list, NULL, compare_list},
    {OP_PROCD_READ_SLOT, 1, draw_slot, NULL, compare_slot},
    {OP_PROCD_SET_NOTICE, 1, draw_notice, NULL, compare_notice},
    {OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER, 2, draw_begin, NULL, compare_transfer},
    {OP_PROCD_SEND_LOADER_IMAGE_CHUNK, 4, draw_chunk, NULL, compare_chunk},
    {OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER, 2, draw_transferred, NULL, compare_transfer},
    {OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER, 1, draw_transferred, NULL, NULL},
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
    procd_reset(&procd);
    harness_check_zero(&procd, sizeof procd);
    procd.memory_pages = MODEL_PROCD_MEMORY_PAGES;
    procd.validation_profile = VALIDATION_PROFILE_GRAPH;
    model_procd_reset(&model, PEERS_PROCD_BOOTSTRAP_PAGES, PEERS_PROCD_MEMORY_PAGES,
                      procd_life_left, peers_image_read);
    model.behind = stand_in_token_behind;
    peers_of_procd_begin();
    memset(&life, 0, sizeof life);
}

static unsigned send_generated(struct choices *choices)
{
    struct life_draft draft;
    procd_life_generate(choices, &draft);
    return procd_life_ask(procd_life_row(draft.operation), draft.body, draft.badge, draft.on != 0);
}

/* --- what happens around procd ---------------------------------------------------------------- */

/* The process that an action means: the one with the id, or one of those that fit. */
static const struct model_procd_process *pick_of(enum model_procd_life wanted, uint64_t id,
                                                 bool died)
{
    uint32_t fitting = 0;
    const struct model_procd_process *picked = NULL;
    for (uint32_t i = 0; i < model.count; i++) {
        const struct model_procd_process *process = &model.processes[i];
        if (process->life != wanted || process->died != died || process->transfer)
            continue;
        if (process->id == id)
            return process;
        fitting++;
        if (picked == NULL || id % fitting == 0)
            picked = process;
    }
    return picked;
}

static const struct model_procd_process *pick(uint64_t id, bool died)
{
    return pick_of(MODEL_PROCD_RUNNING, id, died);
}

/* What the creator of a process puts into it before it starts. */
static void act_install(uint64_t id, uint64_t count)
{
    const struct model_procd_process *process = pick_of(MODEL_PROCD_STAGED, id, false);
    struct stand_in_cap cap = stand_in_cap_to(OBJECT_ENDPOINT, STAND_IN_ELSEWHERE);
    uint32_t object;
    if (process == NULL || !stand_in_process_find(process->id, &object))
        return;
    for (uint64_t i = 0; i < count % STAND_IN_INSTALLED_LIMIT; i++) {
        if (stand_in_install(object, SLOT_PEER_MEMD + (uint32_t)i, cap) == STATUS_OK)
            model_procd_installed(&model, process->id);
    }
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
    bool critical =
        role_find(process->role)->kind == ROLE_KIND_FOUNDATION || process->policy.critical;
    stand_in_fail_pause(critical); /* procd ends everything, and that cannot fail */
    stand_in_message_begin();
    peers_of_procd_turn(PEERS_NOTHING, 0, 0);
    peers_of_procd_deliver_event(real_id);
    procd_life_turn(real_id);
    stand_in_fail_pause(peers_of_procd_lost());
    mark_triple("procd event", model.bound, OP_EVENT_PROCESS_TERMINATED, model.exited);
    procd_life_mark_paths(STATUS_OK, model.reply_count + 1);
}

static void act_time(uint64_t ticks, bool busy)
{
    stand_in_clock_set(stand_in_now() + (ticks > TIME_MAX ? ticks % TIME_MAX : ticks));
    if (busy)
        return;
    procd_life_idle();
    MARK_IF("procd: a wait timed out", model.reply_count != 0);
}

/* arguments: which call, and the status; `who`: a peer says so, or the kernel, of a call to one. */
static void act_fail(const uint64_t *arguments, struct stand_in_failure who)
{
    uint64_t countdown = arguments[0] % (FAIL_LIMIT + 1);
    who.after_calls = countdown - 1;
    who.times = 1;
    who.status = life_failure(arguments[1]);
    if (countdown != 0)
        stand_in_fail(who);
}

static void act_lose(uint64_t status)
{
    static const enum status statuses[] = {STATUS_NOT_FOUND, STATUS_BUSY, STATUS_DENIED};
    life.losing = statuses[status % 3];
    stand_in_lose_reply(life.losing);
}

static void act_memory(uint64_t pages)
{
    model.memory_pages = peers_accounts_total(pages % (PEERS_PROCD_MEMORY_PAGES + 1));
}

static uint64_t ask_create(uint32_t role, unsigned module)
{
    struct procd_create_staged_process_request request = {
        .role = role,
        .image_offset = peers_modules[module].offset_bytes,
        .image_bytes = peers_modules[module].size_bytes,
    };
    procd_life_ask(procd_life_row(OP_PROCD_CREATE_STAGED_PROCESS), &request, 0, false);
    return life.answer.made_id;
}

static void act_foundation(void)
{
    for (uint32_t role = ROLE_MEMD; role <= ROLE_PAGERD; role++) {
        uint64_t id = ask_create(role, 0);
        struct procd_start_staged_process_request start = {.process_id = id};
        if (id != 0)
            procd_life_ask(procd_life_row(OP_PROCD_START_STAGED_PROCESS), &start, 0, false);
    }
    struct procd_update_foundation_endpoints_request update = {.memd_slot = 1, .pagerd_slot = 1};
    procd_life_ask(procd_life_row(OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS), &update, 0, false);
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
        if (procd_life_ask(procd_life_row(OP_PROCD_SPAWN), &request, 0, false) != STATUS_OK)
            break;
    }
    life.books_wait = false;
    if (oracle_due() || model.exited)
        procd_life_check_books();
    else
        procd_life_mark_books();
    MARK_IF("procd: the table is full", procd.busy_count == PROCD_PROCESS_LIMIT);
}

/* Each but the last is pushed out by the next one. */
static void act_waits(uint64_t id, uint64_t count)
{
    struct procd_wait_process_event_request request = {.process_id = id,
                                                       .deadline_ticks = DEADLINE_NEVER};
    const struct model_procd_process *process = pick(id, false);
    if (process != NULL && model_procd_find(&model, id) == NULL)
        request.process_id = process->id;
    for (uint64_t i = 0; i < count && !model.exited; i++) {
        procd_life_ask(procd_life_row(OP_PROCD_WAIT_PROCESS_EVENT), &request, 0, false);
        MARK_IF("procd: a later wait took the place of an earlier one", model.reply_count == 1);
    }
}

static void act_give_up(uint64_t place)
{
    uint64_t request_id = model_procd_give_up(&model, place);
    if (request_id != 0)
        stand_in_caller_left(request_id);
}

static void act_pieces(uint64_t count)
{
    model.closes = (uint32_t)(count % PIECES_LIMIT) + (count % PIECES_LIMIT == 0);
    peers_accounts_close_in(model.closes);
}

static void act_idle(uint64_t count)
{
    for (uint64_t i = 0; i < count && !model.exited; i++)
        procd_life_idle();
}

/* An action's arguments as they count here. */
static void bound(struct life_step *step)
{
    if (step->action == ACTION_CROWD)
        step->arguments[0] = bounded(step->arguments[0], CROWD_LIMIT);
    if (step->action == ACTION_WAITS)
        step->arguments[1] = bounded(step->arguments[1], WAITS_LIMIT);
    if (step->action == ACTION_IDLE)
        step->arguments[0] = bounded(step->arguments[0], IDLE_LIMIT);
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
        stand_in_fail_never();
        act_fail(step->arguments, (struct stand_in_failure){.said = false});
        return;
    case ACTION_ALSO:
        act_fail(step->arguments, (struct stand_in_failure){.said = false});
        return;
    case ACTION_SAY:
        stand_in_fail_never();
        act_fail(step->arguments, (struct stand_in_failure){.said = true});
        return;
    case ACTION_UNHEARD:
        stand_in_fail_never();
        act_fail(step->arguments, (struct stand_in_failure){.unheard = true});
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
        act_give_up(step->arguments[0]);
        return;
    case ACTION_WAITS:
        act_waits(step->arguments[0], step->arguments[1]);
        return;
    case ACTION_SLOW:
        peers_of_procd_slow(step->arguments[0] % (2 * PEERS_PROCD_PATIENCE_TICKS));
        return;
    case ACTION_PIECES:
        act_pieces(step->arguments[0]);
        return;
    case ACTION_PARKED:
        peers_of_procd_parked((uint32_t)step->arguments[0]);
        return;
    case ACTION_GARBLE:
        peers_of_procd_garble(true);
        return;
    case ACTION_IDLE:
        act_idle(step->arguments[0]);
        return;
    case ACTION_WITNESS:
        peers_witness_be(ROLE_NAMED + (uint32_t)(step->arguments[0] % 3),
                         (enum peers_witness_mode)(step->arguments[1] % PEERS_WITNESS_MODES));
        return;
    case ACTION_CHILD:
        peers_of_procd_child((enum peers_child)(step->arguments[0] % PEERS_CHILD_COUNT));
        return;
    case ACTION_INSTALL:
        act_install(step->arguments[0], step->arguments[1]);
        return;
    case ACTION_NOTICE:
        peers_notice_be((enum peers_notice_mode)(step->arguments[0] % PEERS_NOTICE_MODES));
        return;
    case ACTION_COUNT:
        return;
    }
}

/* --- the life --- */

/* Stops what the administrator made itself, but for the foundation; what those made goes with
 * them. */
static void stop_top(bool foundation)
{
    for (uint32_t i = 0; i < model.count && !model.exited; i++) {
        const struct model_procd_process *process = &model.processes[i];
        enum role_kind kind = role_find(process->role)->kind;
        struct procd_stop_process_request request = {.process_id = process->id, .code = 9};
        bool lives = model_procd_lives(process) || process->life == MODEL_PROCD_RESTING;
        if (!lives || process->owner != 0 || (kind == ROLE_KIND_FOUNDATION) != foundation)
            continue;
        PROPERTY_EQUAL(P8, "end",
                       procd_life_ask(procd_life_row(OP_PROCD_STOP_PROCESS), &request, 0,
                                      kind == ROLE_KIND_DRIVER),
                       STATUS_OK);
    }
}

/* Whoever can be told is told of all that is kept, in a bounded number of turns (P9). */
static void tell_all(void)
{
    enum { TOLD_MAX = 64 };
    if (model.evidence.count > TOLD_MAX)
        return; /* a life that has so many takes too long */
    for (uint32_t role = ROLE_NAMED; role <= ROLE_CRASHD; role++)
        peers_witness_be(role, PEERS_WITNESS_WELL);
    for (uint32_t turn = 0; model_procd_word_ticks(&model) != UINT64_MAX && !model.exited; turn++) {
        uint64_t due_ticks = model_procd_word_ticks(&model);
        PROPERTY(P9, "told", turn < 4 + 2 * TOLD_MAX);
        if (due_ticks > stand_in_now())
            stand_in_clock_set(due_ticks);
        procd_life_idle();
    }
}

/* Faults off: whatever lives can be stopped, and then nothing is missing anywhere (P5, P10). */
static void end_life(void)
{
    if (oracle_deferred())
        procd_life_check_books();
    procd_life_drain();
    life_print_as_comments(true);
    tell_all();
    life.books_wait = true;
    stop_top(false);
    procd_life_drain();
    stop_top(true);
    life_print_as_comments(false);
    life.books_wait = false;
    procd_life_check_books();
    PROPERTY_EQUAL(P3, "end", model.wait_count, 0);
    PROPERTY_EQUAL(P5, "end", stand_in_untyped(peers_of_procd_bootstrap())->free_pages,
                   PEERS_PROCD_BOOTSTRAP_PAGES);
    PROPERTY_EQUAL(P5, "end", peers_accounts_handed_out(), 0);
    PROPERTY_EQUAL(P5, "end", stand_in_slot_count(),
                   PEERS_PROCD_START_SLOTS + (model.bound ? 1u : 0u) + peers_witness_slots());
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
        procd_life_send(&step->message, step->on % 2 == 1);
        life_expect(step, life.answer.status);
        return;
    case LIFE_GENERATED:
        send_generated(&step->choices);
        return;
    }
}

size_t harness_plan_failure(uint64_t call, unsigned way, uint8_t *bytes)
{
    static const enum status ways[] = {STATUS_EXHAUSTED,
                                       STATUS_TIMED_OUT}; /* refused; hangs (P12) */
    if (call >= FAIL_LIMIT || way >= sizeof ways / sizeof ways[0])
        return 0;
    return life_fail_step(ACTION_FAIL, call + 1, ways[way], 1, false, bytes);
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
