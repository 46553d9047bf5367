/* SPDX-License-Identifier: ISC */
/* What happens to a process after it was made: start, abort, stop, death. Another life is the business
 * of restart.c. Decides nothing about who
 * may ask; what an end takes with it is the business of ending.c. */
#include "services/procd/internal.h"

#include "abi/process.h"

/* Why something is not done to a process that is not staged any more. */
static enum status not_staged(const struct procd_process *process)
{
    bool lives = process->life == PROCD_LIFE_RUNNING || process->life == PROCD_LIFE_RESTING;
    return lives ? STATUS_BUSY : STATUS_NOT_FOUND;
}

static enum status start(struct procd *procd, uint32_t index, uint64_t argument)
{
    const struct procd_process *process = &procd->processes[index];
    struct kernel_start_process_request request = {
        .process_slot = procd_slot(index, PROCD_SLOT_PROCESS),
        .entry_va = process->entry_va,
        .stack_top_va = process->stack_top_va,
        .argument = argument,
    };
    return kernel_start_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request);
}

enum status procd_start_staged_process(struct procd *procd, struct procd_request *request)
{
    const struct procd_start_staged_process_request *body = &request->body.start_staged_process;
    uint32_t index;
    enum status found = procd_table_find(procd, &request->sender, body->process_id, &index);
    if (found != STATUS_OK)
        return found;
    struct procd_process *process = &procd->processes[index];
    if (process->life != PROCD_LIFE_STAGED) /* P8: a double start is refused */
        return not_staged(process);
    bool has_mould = process->policy.policy != RESTART_NEVER;
    enum status status = has_mould ? procd_mould_make(procd, index) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    status = start(procd, index, body->argument);
    if (status != STATUS_OK && has_mould)
        (void)procd_release(procd, index, body->process_id, process, PROCD_OWES_MOULD);
    if (status != STATUS_OK)
        return status;
    process->argument = body->argument;
    process->life = PROCD_LIFE_RUNNING;
    process->lives.life_count = 1;
    process->lives.ready_at_ticks = procd->now_ticks;
    process->owes ^= PROCD_OWES_ABORT | PROCD_OWES_RETIRE;
    return STATUS_OK;
}

static enum status abort_staged(struct procd *procd, uint32_t index, uint32_t code)
{
    struct procd_process *process = &procd->processes[index];
    enum status status = kernel_abort_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                                     procd_slot(index, PROCD_SLOT_PROCESS));
    if (status != STATUS_OK)
        return status;
    procd_paid(process, PROCD_OWES_ABORT);
    procd_end(procd, index, END_KILLED, code, 0);
    return STATUS_OK;
}

enum status procd_abort_staged_process(struct procd *procd, struct procd_request *request)
{
    uint32_t index;
    enum status found = procd_table_find(procd, &request->sender,
                                         request->body.abort_staged_process.process_id, &index);
    if (found != STATUS_OK)
        return found;
    struct procd_process *process = &procd->processes[index];
    if (process->life != PROCD_LIFE_STAGED)
        return not_staged(process);
    process->is_secret = true; /* it leaves no record: nothing of it ever ran (P2) */
    enum status status = abort_staged(procd, index, 0);
    if (status != STATUS_OK)
        process->is_secret = false;
    return status;
}

/* Kill and retire at once. A process that ended by itself a moment ago cannot be killed; its own
 * record is then what RETIRE reads, and the undelivered event goes with it. */
static enum status stop_running(struct procd *procd, uint32_t index, uint32_t code)
{
    struct procd_process *process = &procd->processes[index];
    struct kernel_retire_process_reply record = {.reason = END_KILLED};
    UNIT_ASSERT(process->life == PROCD_LIFE_RUNNING);
    enum status killed = kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                             procd_slot(index, PROCD_SLOT_PROCESS), code);
    enum status status = procd_retire(procd, index, &record);
    if (status != STATUS_OK)
        return killed != STATUS_OK && killed != STATUS_NOT_FOUND ? killed : status;
    procd_paid(process, PROCD_OWES_RETIRE);
    procd_end(procd, index, record.reason, record.code, record.fault_va);
    return STATUS_OK;
}

/* Others rest on a foundation process, those included of which something is still to be given back:
 * it ends last. */
static bool is_needed(const struct procd *procd, uint32_t index)
{
    uint32_t which;
    if (!procd_is_foundation(procd->processes[index].role, &which))
        return false;
    uint32_t foundation_count = 0;
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++)
        foundation_count += procd->foundation_entries[i] != 0;
    return procd->busy_count > foundation_count;
}

enum status procd_stop_process(struct procd *procd, struct procd_request *request)
{
    const struct procd_stop_process_request *body = &request->body.stop_process;
    uint32_t index;
    enum status found = procd_table_find(procd, &request->sender, body->process_id, &index);
    if (found != STATUS_OK)
        return found;
    struct procd_process *process = &procd->processes[index];
    if (process->life == PROCD_LIFE_ENDED || process->life == PROCD_LIFE_ENDING) {
        process->lives.restarts = false; /* P4: an order is never undone */
        return STATUS_OK;                /* P8: stopping is idempotent */
    }
    if (is_needed(procd, index))
        return STATUS_BUSY;
    if (process->life == PROCD_LIFE_STAGED)
        return abort_staged(procd, index, body->code);
    if (process->life == PROCD_LIFE_RUNNING)
        return stop_running(procd, index, body->code);
    process->lives.restarts = false;
    procd_end(procd, index, END_KILLED, body->code, 0);
    return STATUS_OK;
}

void procd_terminated(struct procd *procd, const struct event_process_terminated_request *event)
{
    uint32_t index;
    uint32_t which;
    struct kernel_retire_process_reply read;
    struct kernel_retire_process_reply record = {event->reason, event->code, event->fault_va};
    if (procd_table_find_live(procd, event->token, &index) != STATUS_OK ||
        event->reason == END_NONE || procd->processes[index].life != PROCD_LIFE_RUNNING)
        return; /* a record that STOP already read */
    struct procd_process *process = &procd->processes[index];
    if (procd_is_foundation(process->role, &which)) {
        procd->peer_lost = true; /* P8 */
        return;
    }
    if (procd_retire(procd, index, &read) == STATUS_OK)
        procd_paid(process, PROCD_OWES_RETIRE);
    procd_end_of_life(procd, index, false, &record);
}

/* What another attempt left in the peers' slots is dropped first. */
static enum status bind(struct procd *procd, uint32_t memd_slot, uint32_t pagerd_slot)
{
    (void)kernel_drop_local_cap(&procd->caller, SLOT_PEER_MEMD);
    (void)kernel_drop_local_cap(&procd->caller, SLOT_PEER_PAGERD);
    enum status status = kernel_move_local_cap(&procd->caller, memd_slot, SLOT_PEER_MEMD);
    if (status == STATUS_OK)
        status = kernel_move_local_cap(&procd->caller, pagerd_slot, SLOT_PEER_PAGERD);
    if (status == STATUS_OK)
        status = kernel_drop_local_cap(&procd->caller, SLOT_BOOTSTRAP_UNTYPED);
    return status;
}

enum status procd_update_foundation_endpoints(struct procd *procd, struct procd_request *request)
{
    const struct procd_update_foundation_endpoints_request *body =
        &request->body.update_foundation_endpoints;
    if (procd->foundation_bound || !procd_table_foundation_runs(procd))
        return STATUS_BUSY;
    enum status status = bind(procd, body->memd_slot, body->pagerd_slot);
    if (status != STATUS_OK) {
        (void)kernel_drop_local_cap(&procd->caller, SLOT_PEER_MEMD);
        (void)kernel_drop_local_cap(&procd->caller, SLOT_PEER_PAGERD);
        return status;
    }
    procd->foundation_bound = true;
    return STATUS_OK;
}
