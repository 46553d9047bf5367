/* SPDX-License-Identifier: ISC */
/* Attacks by legal clients (services/probes/attacks.h), one after the other: launches the attackers
 * as rootd launches programs, lets somebody else live beside them, and says who was harmed and how
 * many pages were free before and after. Decides that an attack was held when the one beside it
 * ended as stated and memd's book is what it was. */
#include "services/probes/attacks.h"

#include "services/lib/service.h"
#include "services/lib/call_procd.h"
#include "services/lib/log_line.h"
#include "services/probes/expectations.h"
#include "services/tester/internal.h"

enum {
    VICTIM_PLACE = 0,
    STILL_TICKS = 300,     /* the book does not change any more: they have what they can get */
    STILL_LIMIT = 30000,   /* or so long they may take */
    TOUCHER_TICKS = 15000, /* it waits for nothing: its pages are guaranteed */
    CLIENT_END_TICKS = 60000,
    STEP_TICKS = 20
};

/* Who lives beside the attackers. */
enum beside { BESIDE_NOBODY, BESIDE_RECORD, BESIDE_TOUCHER };

struct attack_row {
    const char *name;
    enum attack attack;
    uint32_t client_count;
    enum beside beside;
    bool ends; /* the clients end by themselves */
};

static const struct attack_row attacks[] = {
    {"orphans", ATTACK_ORPHANS, 1, BESIDE_NOBODY, true},
    {"records", ATTACK_RECORDS, 1, BESIDE_RECORD, true},
    {"regions", ATTACK_REGIONS, 1, BESIDE_TOUCHER, false},
    {"memory", ATTACK_MEMORY, 2, BESIDE_TOUCHER, false},
    {"frames", ATTACK_FRAMES, 2, BESIDE_TOUCHER, false},
    {"bury", ATTACK_BURY, 2, BESIDE_TOUCHER, true},
};

static const struct probe_run record_run = {ROLE_ATTACK_CHILD, CHILD_EXITS, END_EXITED,
                                            CHILD_OK,          0,           0};
static const struct probe_run toucher_run = {
    ROLE_ATTACK_CHILD, CHILD_TOUCHES, END_EXITED, CHILD_OK, 0, 0};
static const struct probe_run budget_run = {
    ROLE_ATTACK_CHILD, CHILD_WINDOWS, END_FAULT_BUDGET, 0, 0, 0};

/* --- the attackers ----------------------------------------------------------------------------- */

/* The send right that makes the staged process a client. Its endpoint is not needed. */
static enum status install(struct tester *tester, uint32_t role,
                           const struct procd_create_staged_process_reply *staged)
{
    struct kernel_cap_copy_attenuated_request request = {
        .grant_slot = staged->grant_slot,
        .source_slot = SLOT_PROCD_ADMINISTRATOR,
        .target_slot = SLOT_PEER_PROCD,
        .rights = RIGHT_SEND,
        .badge = service_peer_badge(ROLE_PROCD, staged->process_id, role),
    };
    enum status status =
        kernel_cap_copy_attenuated(&tester->caller, SLOT_KERNEL_CHILD_POPULATE_ENDPOINT, &request);
    enum status dropped = kernel_drop_local_cap(&tester->caller, staged->endpoint_slot);
    return status == STATUS_OK ? dropped : status;
}

static enum status start_client(struct tester *tester, uint64_t process_id, enum attack attack)
{
    const struct startup_module *program = tester_module(tester, ROLE_ATTACK_CHILD);
    uint64_t deadline_ticks;
    if (program == NULL)
        return STATUS_NOT_FOUND;
    struct procd_start_staged_process_request request = {
        .process_id = process_id,
        .argument = attack_argument(attack, program->image_offset, program->image_bytes)};
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status != STATUS_OK)
        return status;
    return procd_call_start_staged_process(&tester->caller, SLOT_PROCD_ADMINISTRATOR, NO_WINDOW,
                                           deadline_ticks, &request, NULL);
}

static enum status launch_client(struct tester *tester, uint32_t role, enum attack attack,
                                 unsigned place)
{
    const struct startup_module *module = tester_module(tester, ROLE_ATTACK_CLIENT);
    struct procd_create_staged_process_reply staged;
    uint64_t deadline_ticks;
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_create_staged_process_request request = {
        .role = role, .image_offset = module->image_offset, .image_bytes = module->image_bytes};
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_create_staged_process(&tester->caller, SLOT_PROCD_ADMINISTRATOR,
                                                  (struct window){TESTER_SLOT_CHILD, 2},
                                                  deadline_ticks, &request, &staged);
    if (status != STATUS_OK)
        return status;
    tester->client_ids[place] = staged.process_id;
    status = install(tester, role, &staged);
    if (status == STATUS_OK)
        status = start_client(tester, staged.process_id, attack);
    enum status dropped = kernel_drop_local_cap(&tester->caller, staged.grant_slot);
    return status == STATUS_OK ? dropped : status;
}

/* Whether a client has ended. INTERNAL when it could not attack. The administrator has one wait,
 * which is rootd's, so this asks. */
static enum status query_client(struct tester *tester, unsigned place, bool *ended)
{
    struct procd_query_process_request request = {.process_id = tester->client_ids[place]};
    struct procd_query_process_reply reply = {.state = PROCESS_RUNNING};
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_query_process(&tester->caller, SLOT_PROCD_ADMINISTRATOR, NO_WINDOW,
                                          deadline_ticks, &request, &reply);
    *ended = status == STATUS_OK && reply.state == PROCESS_ENDED;
    if (!*ended)
        return status;
    tester->client_ids[place] = 0;
    return reply.reason == END_EXITED && reply.code == CHILD_OK ? STATUS_OK : STATUS_INTERNAL;
}

static enum status await_client(struct tester *tester, unsigned place)
{
    bool ended = false;
    enum status status = STATUS_OK;
    for (uint64_t waited = 0; status == STATUS_OK && !ended; waited += STEP_TICKS) {
        if (waited > CLIENT_END_TICKS)
            return STATUS_TIMED_OUT;
        status = tester_pause(tester, STEP_TICKS);
        if (status == STATUS_OK)
            status = query_client(tester, place, &ended);
    }
    return status;
}

/* Whether one of those that stay has children: it would have ended without. */
static enum status one_must_live(struct tester *tester, uint32_t client_count)
{
    bool lives = false;
    for (uint32_t i = 0; i < client_count; i++) {
        bool ended;
        enum status status = query_client(tester, i, &ended);
        if (status != STATUS_OK && !ended)
            return status;
        lives = lives || !ended;
    }
    return lives ? STATUS_OK : STATUS_INTERNAL;
}

enum status tester_stop_client(struct tester *tester, unsigned place)
{
    struct procd_stop_process_request request = {.process_id = tester->client_ids[place]};
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_stop_process(&tester->caller, SLOT_PROCD_ADMINISTRATOR, NO_WINDOW,
                                         deadline_ticks, &request, NULL);
    if (status == STATUS_OK)
        tester->client_ids[place] = 0;
    return status;
}

/* --- one attack -------------------------------------------------------------------------------- */

/* Until nobody takes any more memory. */
static enum status await_stillness(struct tester *tester)
{
    struct memd_query_memory_reply book, last = {0};
    uint64_t still_ticks = 0;
    for (uint64_t waited = 0; waited < STILL_LIMIT && still_ticks < STILL_TICKS;
         waited += STEP_TICKS) {
        enum status status = tester_pause(tester, STEP_TICKS);
        if (status == STATUS_OK)
            status = tester_read_book(tester, &book);
        if (status != STATUS_OK)
            return status;
        still_ticks = book.free_pages == last.free_pages ? still_ticks + STEP_TICKS : 0;
        last = book;
    }
    return STATUS_OK;
}

/* "ROOTD_STAGE:attack-<name>:HELD:free <before> <after>", or HARMED. */
static enum status report(struct tester *tester, const char *name, bool held,
                          const struct memd_query_memory_reply *before,
                          const struct memd_query_memory_reply *after)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "ROOTD_STAGE:attack-");
    log_line_add(&line, name);
    log_line_add(&line, held ? ":HELD:free " : ":HARMED:free ");
    log_line_add_number(&line, before->free_pages);
    log_line_add(&line, " ");
    log_line_add_number(&line, after->free_pages);
    log_line_send(&line, &tester->caller, SLOT_KERNEL_LOG_ENDPOINT);
    return held ? STATUS_OK : STATUS_INTERNAL;
}

/* What is there before the attack: a process that has ended and of which nobody was told yet, or
 * one that is staged and not started. */
static enum status prepare_beside(struct tester *tester, enum beside beside)
{
    if (beside == BESIDE_RECORD)
        return tester_start(tester, &record_run, VICTIM_PLACE);
    return beside == BESIDE_TOUCHER ? tester_stage(tester, &toucher_run, VICTIM_PLACE) : STATUS_OK;
}

/* Whether the one beside ends as stated; INTERNAL or TIMED_OUT when not. */
static enum status judge_beside(struct tester *tester, enum beside beside)
{
    if (beside == BESIDE_RECORD)
        return tester_wait(tester, &record_run, VICTIM_PLACE);
    if (beside == BESIDE_NOBODY)
        return STATUS_OK;
    enum status status = tester_begin(tester, &toucher_run, VICTIM_PLACE);
    if (status == STATUS_OK)
        status = tester_wait_ticks(tester, &toucher_run, VICTIM_PLACE, TOUCHER_TICKS);
    if (status == STATUS_TIMED_OUT)
        (void)tester_stop(tester, VICTIM_PLACE, CHILD_STOPPED);
    return status;
}

static enum status end_clients(struct tester *tester, const struct attack_row *row)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < row->client_count && status == STATUS_OK; i++) {
        if (row->ends)
            status = await_client(tester, i);
        else if (tester->client_ids[i] != 0)
            status = tester_stop_client(tester, i);
    }
    return status;
}

static enum status run_attack(struct tester *tester, const struct attack_row *row,
                              const struct memd_query_memory_reply *before)
{
    struct memd_query_memory_reply after;
    enum status status = prepare_beside(tester, row->beside);
    for (unsigned i = 0; i < row->client_count && status == STATUS_OK; i++)
        status = launch_client(tester, ROLE_ATTACK_CLIENT, row->attack, i);
    if (status == STATUS_OK)
        status = row->ends ? end_clients(tester, row) : await_stillness(tester);
    if (status == STATUS_OK && !row->ends)
        status = one_must_live(tester, row->client_count); /* for another nothing may be left */
    if (status != STATUS_OK) {
        tester_report(tester, row->name, "ATTACKED_NOBODY");
        return status;
    }
    enum status beside = judge_beside(tester, row->beside);
    if (!row->ends)
        status = end_clients(tester, row);
    bool settled;
    enum status asked = tester_settle(tester, before, &after, &settled);
    if (status == STATUS_OK)
        status = asked;
    if (status != STATUS_OK)
        return status;
    return report(tester, row->name, beside == STATUS_OK && settled, before, &after);
}

/* --- attacks of another shape -------------------------------------------------------------------- */

/* A client dies while a child of another one runs under its role: what it staged comes back. */
static enum status run_identity(struct tester *tester)
{
    enum { ATTACKER, HEIR };
    struct memd_query_memory_reply before, after;
    enum status status = launch_client(tester, ROLE_ATTACK_CLIENT, ATTACK_IDENTITY, ATTACKER);
    if (status == STATUS_OK)
        status = await_stillness(tester);
    if (status == STATUS_OK)
        status = tester_read_book(tester, &before);
    if (status == STATUS_OK)
        status = launch_client(tester, ROLE_ATTACK_HEIR, ATTACK_HEIR, HEIR);
    if (status == STATUS_OK)
        status = await_stillness(tester);
    if (status == STATUS_OK)
        status = one_must_live(tester, HEIR + 1);
    if (status == STATUS_OK)
        status = tester_stop_client(tester, HEIR);
    if (status != STATUS_OK)
        return status;
    bool settled;
    status = tester_settle(tester, &before, &after, &settled);
    if (status != STATUS_OK)
        return status;
    status = report(tester, "identity", settled, &before, &after);
    enum status stopped = tester_stop_client(tester, ATTACKER);
    return status == STATUS_OK ? stopped : status;
}

/* A process whose own kernel memory is used up ends for that reason, and at once. */
static enum status run_budget(struct tester *tester, const struct memd_query_memory_reply *before)
{
    struct memd_query_memory_reply after;
    enum status status = tester_start(tester, &budget_run, VICTIM_PLACE);
    if (status != STATUS_OK)
        return status;
    enum status ended = tester_wait_ticks(tester, &budget_run, VICTIM_PLACE, TOUCHER_TICKS);
    if (ended == STATUS_TIMED_OUT)
        (void)tester_stop(tester, VICTIM_PLACE, CHILD_STOPPED);
    bool settled;
    status = tester_settle(tester, before, &after, &settled);
    if (status != STATUS_OK)
        return status;
    return report(tester, "budget", ended == STATUS_OK && settled, before, &after);
}

enum status tester_run_attacks(struct tester *tester, const struct memd_query_memory_reply *before)
{
    struct memd_query_memory_reply book;
    bool settled;
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < sizeof attacks / sizeof attacks[0] && status == STATUS_OK; i++)
        status = run_attack(tester, &attacks[i], before);
    if (status == STATUS_OK)
        status = run_identity(tester);
    if (status == STATUS_OK)
        status = tester_settle(tester, before, &book, &settled);
    if (status == STATUS_OK && !settled)
        status = STATUS_EXHAUSTED;
    return status == STATUS_OK ? run_budget(tester, before) : status;
}
