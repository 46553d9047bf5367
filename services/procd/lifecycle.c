/* SPDX-License-Identifier: ISC */
/* What happens to a process after it was made: start, abort, stop, death, and what its death does
 * to others. Decides nothing about who may ask; never leaves an ended process with a debt. */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/process.h"
#include "abi/roles.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_pagerd.h"

/* CLOSE_ACCOUNTs of one account: more than the pages of any role's account need. */
enum { CLOSE_ROUNDS = 16 };

static uint32_t process_slot(uint32_t index)
{
    UNIT_ASSERT(index < PROCESS_LIMIT);
    return PROCD_SLOT_PROCESS_BASE + index;
}

/* Peers' answers to a release are not needed: what is not there is as good as released. */
void procd_settle(struct procd *procd, uint64_t id, struct procd_process *process)
{
    UNIT_ASSERT((process->owes & ~(PROCD_OWES_PAGER | PROCD_OWES_ACCOUNT)) == 0);
    if ((process->owes & PROCD_OWES_PAGER) != 0) {
        struct pagerd_unregister_process_request request = {.token = id};
        struct pagerd_unregister_process_reply reply;
        (void)pagerd_call_unregister_process(&procd->caller, SLOT_PEER_PAGERD, NO_WINDOW,
                                             DEADLINE_NEVER, &request, &reply);
    }
    if ((process->owes & PROCD_OWES_ACCOUNT) != 0) {
        struct memd_close_account_request request = {.key = id};
        struct memd_close_account_reply reply = {.left_accounts = 1};
        enum status status = STATUS_OK;
        for (uint32_t i = 0; i < CLOSE_ROUNDS && status == STATUS_OK && reply.left_accounts != 0;
             i++)
            status = memd_call_close_account(&procd->caller, SLOT_PEER_MEMD, NO_WINDOW,
                                             DEADLINE_NEVER, &request, &reply);
    }
    process->owes = 0;
}

/* The kernel side is gone: drop the capability, settle, keep the record, tell the waiters. */
static void finish(struct procd *procd, uint32_t index, uint32_t reason, uint32_t code,
                   uint64_t fault_va)
{
    UNIT_ASSERT(index < procd->used_count);
    (void)kernel_drop_local_cap(&procd->caller, process_slot(index));
    procd_settle(procd, procd_table_id(procd, index), &procd->processes[index]);
    procd_table_end(procd, index, reason, code, fault_va);
    procd_waiters_wake(procd, index);
}

static bool role_runs(const struct procd *procd, uint32_t role)
{
    for (uint32_t i = 0; i < procd->used_count; i++) {
        if (procd->processes[i].role == role && procd->processes[i].life == PROCD_LIFE_RUNNING)
            return true;
    }
    return false;
}

/* Clients are told apart by role: what the role's last running process staged is nobody's now. */
static void bury_owner(struct procd *procd, uint32_t role)
{
    if (role_runs(procd, role))
        return;
    procd_waiters_forget(procd, role);
    for (uint32_t i = 0; i < procd->used_count; i++) {
        const struct procd_process *process = &procd->processes[i];
        if (process->life != PROCD_LIFE_STAGED || process->owner != role)
            continue;
        (void)kernel_abort_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                          process_slot(i));
        finish(procd, i, END_KILLED, 0, 0); /* P2: nothing of it ever ran */
    }
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
        return process->life == PROCD_LIFE_RUNNING ? STATUS_BUSY : STATUS_NOT_FOUND;
    struct kernel_start_process_request start = {
        .process_slot = process_slot(index),
        .entry_va = process->entry_va,
        .stack_top_va = process->stack_top_va,
        .argument = body->argument,
    };
    enum status status = kernel_start_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &start);
    if (status == STATUS_OK)
        process->life = PROCD_LIFE_RUNNING;
    return status;
}

static enum status abort_staged(struct procd *procd, uint32_t index, uint32_t code)
{
    enum status status = kernel_abort_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                                     process_slot(index));
    if (status == STATUS_OK)
        finish(procd, index, END_KILLED, code, 0);
    return status;
}

enum status procd_abort_staged_process(struct procd *procd, struct procd_request *request)
{
    uint32_t index;
    enum status found = procd_table_find(procd, &request->sender,
                                         request->body.abort_staged_process.process_id, &index);
    if (found != STATUS_OK)
        return found;
    uint8_t life = procd->processes[index].life;
    if (life != PROCD_LIFE_STAGED)
        return life == PROCD_LIFE_RUNNING ? STATUS_BUSY : STATUS_NOT_FOUND;
    return abort_staged(procd, index, 0);
}

/* Kill and retire at once. A process that ended by itself a moment ago cannot be killed; its own
 * record is then what RETIRE reads, and the undelivered event goes with it. */
static enum status stop_running(struct procd *procd, uint32_t index, uint32_t code)
{
    uint32_t slot = process_slot(index);
    UNIT_ASSERT(procd->processes[index].life == PROCD_LIFE_RUNNING);
    enum status killed =
        kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, slot, code);
    struct kernel_retire_process_reply record;
    enum status status =
        kernel_retire_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, slot, &record);
    if (status != STATUS_OK)
        return killed != STATUS_OK ? killed : status;
    uint32_t reason = record.reason == END_NONE ? END_KILLED : record.reason;
    uint32_t role = procd->processes[index].role;
    finish(procd, index, reason, record.code, record.fault_va);
    bury_owner(procd, role);
    return STATUS_OK;
}

/* Others rest on a foundation process: it ends last. */
static bool is_needed(const struct procd *procd, uint32_t index)
{
    uint32_t which;
    if (!procd_is_foundation(procd->processes[index].role, &which))
        return false;
    uint32_t foundation_count = 0;
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++)
        foundation_count += procd->foundation_entries[i] != 0;
    return procd->live_count > foundation_count;
}

enum status procd_stop_process(struct procd *procd, struct procd_request *request)
{
    const struct procd_stop_process_request *body = &request->body.stop_process;
    uint32_t index;
    enum status found = procd_table_find(procd, &request->sender, body->process_id, &index);
    if (found != STATUS_OK)
        return found;
    uint8_t life = procd->processes[index].life;
    if (life == PROCD_LIFE_ENDED)
        return STATUS_OK; /* P8: stopping is idempotent */
    if (is_needed(procd, index))
        return STATUS_BUSY;
    return life == PROCD_LIFE_STAGED ? abort_staged(procd, index, body->code)
                                     : stop_running(procd, index, body->code);
}

/* P8: nothing can go on without a foundation process. What still lives ends first, youngest place
 * first: once procd is gone nobody can name it. These calls never wait, and no peer is asked to
 * settle anything, because one of them is dead. */
static void end_critical(struct procd *procd)
{
    for (uint32_t i = procd->used_count; i-- > 0;) {
        struct kernel_retire_process_reply record;
        uint8_t life = procd->processes[i].life;
        if (life == PROCD_LIFE_STAGED)
            (void)kernel_abort_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                              process_slot(i));
        if (life != PROCD_LIFE_RUNNING)
            continue;
        (void)kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, process_slot(i),
                                  PROCD_EXIT_CRITICAL);
        (void)kernel_retire_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, process_slot(i),
                                    &record);
    }
    procd->exiting = true;
    kernel_exit(&procd->caller, PROCD_EXIT_CRITICAL);
}

void procd_terminated(struct procd *procd, const struct event_process_terminated_request *event)
{
    uint32_t index;
    if (procd_table_find_live(procd, event->token, &index) != STATUS_OK ||
        event->reason == END_NONE || procd->processes[index].life != PROCD_LIFE_RUNNING)
        return; /* a record that STOP already read */
    struct kernel_retire_process_reply record;
    (void)kernel_retire_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, process_slot(index),
                                &record);
    uint32_t role = procd->processes[index].role;
    uint32_t which;
    finish(procd, index, event->reason, event->code, event->fault_va);
    if (procd_is_foundation(role, &which))
        end_critical(procd);
    else
        bury_owner(procd, role);
}

enum status procd_update_foundation_endpoints(struct procd *procd, struct procd_request *request)
{
    const struct procd_update_foundation_endpoints_request *body =
        &request->body.update_foundation_endpoints;
    if (procd->foundation_bound || !procd_table_foundation_runs(procd))
        return STATUS_BUSY;
    enum status status = kernel_move_local_cap(&procd->caller, body->memd_slot, SLOT_PEER_MEMD);
    if (status != STATUS_OK)
        return status;
    status = kernel_move_local_cap(&procd->caller, body->pagerd_slot, SLOT_PEER_PAGERD);
    if (status != STATUS_OK) {
        (void)kernel_drop_local_cap(&procd->caller, SLOT_PEER_MEMD);
        return status;
    }
    (void)kernel_drop_local_cap(&procd->caller, SLOT_BOOTSTRAP_UNTYPED);
    UNIT_ASSERT(!procd->foundation_bound);
    procd->foundation_bound = true;
    return STATUS_OK;
}
