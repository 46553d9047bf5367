/* SPDX-License-Identifier: ISC */
/* What is left to do when a process has ended: end what it made, give back what it had, let it rest
 * for its next life, or tell who waits. Decides in which order, and when what was refused is
 * offered again; never forgets a debt, and never does more than a few steps at a time. */
#include "services/procd/internal.h"

#include <string.h>

#include "abi/process.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_pagerd.h"

/* --- peers ------------------------------------------------------------------------------------ */

uint64_t procd_peer_deadline(const struct procd *procd)
{
    return deadline_after(procd->peer_ticks, PROCD_PEER_TICKS);
}

enum status procd_peer_heard(struct procd *procd, enum status status)
{
    bool is_silent = !caller_was_answered(&procd->caller);
    procd->peer_called = true;
    if (is_silent && (status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED))
        procd->peer_lost = true; /* P12; what it says itself is a refusal like others */
    return status;
}

/* --- releases --------------------------------------------------------------------------------- */

/* What is not there any more is given back. */
static bool is_given(enum status status)
{
    return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

static enum status abort_staged(struct procd *procd, uint32_t index, uint32_t which)
{
    return kernel_abort_staged_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       procd_slot(index, which));
}

enum status procd_retire(struct procd *procd, uint32_t index,
                         struct kernel_retire_process_reply *record)
{
    struct kernel_retire_process_reply read;
    enum status status = kernel_retire_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                               procd_slot(index, PROCD_SLOT_PROCESS), &read);
    if (status == STATUS_OK && read.reason != END_NONE)
        *record = read;
    return status;
}

/* Nobody's process runs from a mould: it is aborted. */
static void release_mould(struct procd *procd, uint32_t index, struct procd_process *process)
{
    if ((process->owes & PROCD_OWES_MOULD_ABORT) != 0 &&
        is_given(abort_staged(procd, index, PROCD_SLOT_MOULD)))
        procd_paid(process, PROCD_OWES_MOULD_ABORT);
}

/* The kernel's side: nothing of the process runs any more, and its kernel memory is back. */
static void release_kernel(struct procd *procd, uint32_t index, struct procd_process *process)
{
    struct kernel_retire_process_reply record = {.reason = END_NONE};
    if ((process->owes & PROCD_OWES_ABORT) != 0 &&
        is_given(abort_staged(procd, index, PROCD_SLOT_PROCESS)))
        procd_paid(process, PROCD_OWES_ABORT);
    if ((process->owes & PROCD_OWES_RETIRE) == 0)
        return;
    (void)kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                              procd_slot(index, PROCD_SLOT_PROCESS), process->code);
    enum status status = procd_retire(procd, index, &record);
    if (!is_given(status))
        return;
    procd_paid(process, PROCD_OWES_RETIRE);
    if (record.reason == END_NONE)
        return;
    process->reason = record.reason; /* what the kernel says of its end is the truth */
    process->code = record.code;
    process->fault_va = record.fault_va;
}

/* What the kernel still has needs the slot that names it. */
static uint32_t slots_needed(const struct procd_process *process)
{
    uint32_t needed = 0;
    if ((process->owes & (PROCD_OWES_ABORT | PROCD_OWES_RETIRE)) != 0)
        needed |= 1u << PROCD_SLOT_PROCESS;
    if ((process->owes & PROCD_OWES_MOULD_ABORT) != 0)
        needed |= 1u << PROCD_SLOT_MOULD;
    return needed;
}

static void release_slots(struct procd *procd, uint32_t index, struct procd_process *process,
                          uint32_t parts)
{
    uint32_t slots = process->owes & parts & PROCD_OWES_SLOTS & ~slots_needed(process);
    for (uint32_t which = 0; which < PROCD_SLOT_COUNT; which++) {
        if ((slots & 1u << which) != 0 &&
            is_given(kernel_drop_local_cap(&procd->caller, procd_slot(index, which))))
            procd_paid(process, 1u << which);
    }
}

static void release_pager(struct procd *procd, uint64_t id, struct procd_process *process)
{
    struct pagerd_unregister_process_request request = {.token = id};
    struct pagerd_unregister_process_reply reply;
    if ((process->owes & PROCD_OWES_PAGER) == 0)
        return;
    enum status status = procd_peer_heard(
        procd, pagerd_call_unregister_process(&procd->caller, SLOT_PEER_PAGERD, NO_WINDOW,
                                              procd_peer_deadline(procd), &request, &reply));
    if (!is_given(status))
        return;
    procd_paid(process, PROCD_OWES_PAGER);
    process->wakes_pager = status == STATUS_OK && reply.parked_count != 0;
}

/* One message: memd takes so much at a time, and says how many accounts are left. */
static enum procd_release release_account(struct procd *procd, uint64_t key, uint32_t owes,
                                          struct procd_process *process)
{
    struct memd_close_account_request request = {.key = key};
    struct memd_close_account_reply reply;
    if ((process->owes & owes) == 0)
        return PROCD_RELEASED;
    enum status status = procd_peer_heard(
        procd, memd_call_close_account(&procd->caller, SLOT_PEER_MEMD, NO_WINDOW,
                                       procd_peer_deadline(procd), &request, &reply));
    if (!is_given(status))
        return PROCD_RELEASE_REFUSED;
    if (status == STATUS_OK && reply.left_accounts != 0)
        return PROCD_RELEASE_LEFT;
    procd_paid(process, owes);
    return PROCD_RELEASED;
}

/* Memory came back, and somebody waits for some. */
static void wake_pager(struct procd *procd, struct procd_process *process)
{
    struct pagerd_resolve_fault_request request = {.action = RESOLVE_RETRY, .reason = END_NONE};
    struct pagerd_resolve_fault_reply reply;
    if (!process->wakes_pager)
        return;
    process->wakes_pager = false;
    (void)procd_peer_heard(procd,
                           pagerd_call_resolve_fault(&procd->caller, SLOT_PEER_PAGERD, NO_WINDOW,
                                                     procd_peer_deadline(procd), &request, &reply));
}

/* The account of the mould, when the kernel has nothing of it any more. */
static enum procd_release settle_mould(struct procd *procd, uint64_t id,
                                       struct procd_process *process)
{
    if ((process->owes & PROCD_OWES_MOULD_ABORT) != 0 || procd->peer_lost)
        return PROCD_RELEASE_REFUSED;
    return release_account(procd, id | PROCD_MOULD_ID, PROCD_OWES_MOULD_ACCOUNT, process);
}

/* What pagerd and memd have of a life, when the kernel has nothing of it any more. */
static enum procd_release settle_life(struct procd *procd, uint64_t id,
                                      struct procd_process *process)
{
    enum procd_release account = PROCD_RELEASE_REFUSED;
    if ((process->owes & (PROCD_OWES_ABORT | PROCD_OWES_RETIRE)) != 0)
        return account;
    if (!procd->peer_lost)
        release_pager(procd, id, process);
    if (!procd->peer_lost)
        account = release_account(procd, id, PROCD_OWES_ACCOUNT, process);
    if (!procd->peer_lost && account == PROCD_RELEASED)
        wake_pager(procd, process);
    return account;
}

/* The peers come last: a process is gone before its memory. memd is sent one message about a mould or
 * its process that leaves something, and the next one in another step. */
enum procd_release procd_release(struct procd *procd, uint32_t index, uint64_t id,
                                 struct procd_process *process, uint32_t parts)
{
    enum procd_release mould = PROCD_RELEASED;
    enum procd_release life = PROCD_RELEASED;
    if ((parts & PROCD_OWES_LIFE) != 0)
        release_kernel(procd, index, process);
    if ((parts & PROCD_OWES_MOULD) != 0)
        release_mould(procd, index, process);
    release_slots(procd, index, process, parts);
    if ((parts & PROCD_OWES_MOULD) != 0)
        mould = settle_mould(procd, id, process);
    if ((parts & PROCD_OWES_LIFE) != 0 && mould != PROCD_RELEASE_LEFT)
        life = settle_life(procd, id, process);
    uint32_t owed = process->owes & parts;
    uint32_t later = PROCD_OWES_ACCOUNT | PROCD_OWES_MOULD_ACCOUNT;
    if (mould == PROCD_RELEASE_LEFT)
        later |= PROCD_OWES_PAGER;
    if ((mould == PROCD_RELEASE_LEFT || life == PROCD_RELEASE_LEFT) && (owed & ~later) == 0)
        return PROCD_RELEASE_LEFT;
    return owed == 0 ? PROCD_RELEASED : PROCD_RELEASE_REFUSED;
}

/* --- the tree --------------------------------------------------------------------------------- */

/* An order, which the end of its owner is too, leaves no other life (P4). */
static bool has_another_life(const struct procd *procd, const struct procd_process *process)
{
    if (!process->lives.restarts || process->owner == 0)
        return process->lives.restarts;
    uint8_t owner_life = procd->processes[process->owner - 1].life;
    return owner_life == PROCD_LIFE_STAGED || owner_life == PROCD_LIFE_RUNNING;
}

/* One that ends and has no children: gives it back, or what memd takes of it in one message. Of one
 * with another life its mould stays. */
static void give_back(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    UNIT_ASSERT(process->life == PROCD_LIFE_ENDING && process->family.youngest_child == 0);
    bool again = has_another_life(procd, process);
    enum procd_release release =
        procd_release(procd, index, procd_table_id(procd, index), process,
                      again ? PROCD_OWES_LIFE : PROCD_OWES_LIFE | PROCD_OWES_MOULD);
    if (release == PROCD_RELEASE_LEFT || procd->peer_lost)
        return;
    if (again) {
        procd_table_rest(procd, index);
        return;
    }
    bool told = procd_waiters_wake(procd, index);
    procd_table_close(procd, index);
    if (!told && procd->processes[index].life == PROCD_LIFE_ENDED)
        procd_notice_add(procd, index);
}

void procd_end(struct procd *procd, uint32_t index, uint32_t reason, uint32_t code,
               uint64_t fault_va)
{
    procd_waiters_forget(procd, index);
    procd_notice_forget(procd, index);
    procd_table_end(procd, index, reason, code, fault_va);
    if (procd->processes[index].family.youngest_child == 0)
        give_back(procd, index);
}

void procd_end_of_life(struct procd *procd, uint32_t index, bool not_ready,
                       const struct kernel_retire_process_reply *record)
{
    struct procd_process *process = &procd->processes[index];
    process->lives.restarts = procd_restart_decide(procd, index, not_ready, record->reason);
    if (!process->lives.restarts && process->policy.critical) {
        procd->peer_lost = true; /* P8 */
        return;
    }
    procd_end(procd, index, record->reason, record->code, record->fault_va);
}

/* What a child's owner left: it ends at once, so that it makes nothing more; what it made itself
 * comes next. */
static void end_child(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct kernel_retire_process_reply record = {.reason = END_KILLED};
    if (process->life == PROCD_LIFE_RUNNING) {
        (void)kernel_kill_process(&procd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                  procd_slot(index, PROCD_SLOT_PROCESS), 0);
        if (is_given(procd_retire(procd, index, &record)))
            procd_paid(process, PROCD_OWES_RETIRE);
    } else if (process->life == PROCD_LIFE_STAGED &&
               is_given(abort_staged(procd, index, PROCD_SLOT_PROCESS))) {
        procd_paid(process, PROCD_OWES_ABORT);
    }
    procd_waiters_forget(procd, index);
    procd_notice_forget(procd, index);
    procd_table_end(procd, index, record.reason, record.code, record.fault_va);
}

/* P10: down from one that has ended, through those that have, to one that still lives, which ends,
 * or to one without children, which is given back. Each child has fewer places than its owner, so
 * that this is not a long way. */
static void sweep_below(struct procd *procd, uint32_t index)
{
    for (uint32_t depth = 0; depth < PROCD_PROCESS_LIMIT; depth++) {
        uint32_t child = procd->processes[index].family.youngest_child;
        if (child == 0) {
            give_back(procd, index);
            return;
        }
        index = child - 1;
        if (procd->processes[index].life != PROCD_LIFE_ENDING) {
            end_child(procd, index);
            return;
        }
    }
}

/* What was refused is offered again. */
static void offer_debt(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    bool rests = process->life == PROCD_LIFE_RESTING;
    if (procd_release(procd, index, procd_table_id(procd, index), process,
                      rests ? PROCD_OWES_LIFE : PROCD_OWES_LIFE | PROCD_OWES_MOULD) !=
        PROCD_RELEASED)
        procd_debt_keep(procd, index);
    else
        procd_debt_paid(procd, index);
}

/* Whoever answers in time is not lost for having been called often (P12): what the calls of this
 * turn's message may have used is none of a step's, and after a step with such calls the next one
 * waits for a new clock. Under a flood of requests there is one such step in each turn. */
void procd_sweep(struct procd *procd)
{
    procd->peer_ticks = procd->peer_called ? procd_peer_deadline(procd) : procd->now_ticks;
    procd->peer_called = false;
    for (uint32_t step = 0; step < PROCD_SWEEP_STEPS && !procd->peer_called; step++) {
        uint32_t index;
        if (procd_debt_take(procd, &index))
            offer_debt(procd, index);
        else if (procd->ending.first != 0)
            sweep_below(procd, procd->ending.first - 1);
        else if (!procd_transfer_step(procd) && !procd_restart_step(procd)) /* in this order (P6) */
            return;
    }
}

/* --- P8 --------------------------------------------------------------------------------------- */

/* What still lives ends first, youngest entry first: once procd is gone nobody can name it. These
 * calls never wait, and no peer is asked to settle anything, because one of them is dead. */
void procd_end_critical(struct procd *procd)
{
    procd->peer_lost = true;
    for (uint32_t i = procd->used_count; i-- > 0;) {
        release_kernel(procd, i, &procd->processes[i]);
        release_mould(procd, i, &procd->processes[i]);
    }
    procd->exiting = true;
    kernel_exit(&procd->caller, PROCD_EXIT_CRITICAL);
}
