/* SPDX-License-Identifier: ISC */
/* Who waits for the end of a process. Decides when a kept call is answered; each is answered
 * exactly once (P3, E5). A client has one wait, at its own index, so that nothing here depends on how
 * many wait (P11). */
#include "services/procd/internal.h"

#include <stddef.h>
#include <string.h>

#include "abi/process.h"

/* --- waits ------------------------------------------------------------------------------------ */

static uint32_t *of_reply(struct procd *procd, uint32_t reply_slot)
{
    UNIT_ASSERT(reply_slot >= SLOT_REPLY_BASE && reply_slot - SLOT_REPLY_BASE < SLOT_REPLY_COUNT);
    return &procd->wait_of_reply[reply_slot - SLOT_REPLY_BASE];
}

static bool waits(const struct procd *procd, uint32_t index)
{
    return procd->waits[index].target != 0;
}

/* Takes a wait out, to be answered. */
static struct procd_wait take(struct procd *procd, uint32_t index)
{
    struct procd_wait wait = procd->waits[index];
    UNIT_ASSERT(wait.target != 0);
    procd_deadline_clear(&procd->wait_deadlines, index);
    *of_reply(procd, wait.reply_slot) = 0;
    memset(&procd->waits[index], 0, sizeof wait);
    return wait;
}

static struct message *reply_begin(struct procd *procd, const struct procd_wait *wait)
{
    struct message *message = caller_message(&procd->caller);
    message->header.operation = OP_PROCD_WAIT_PROCESS_EVENT;
    message->header.request_id = wait->request_id;
    return message;
}

static struct procd_wait_process_event_reply reply_of(const struct procd *procd, uint32_t index)
{
    const struct procd_process *process = &procd->processes[index];
    return (struct procd_wait_process_event_reply){
        .process_id = procd_table_id(procd, index),
        .reason = process->reason,
        .code = process->code,
        .fault_va = process->fault_va,
        .state = process->lives.is_parked ? PROCESS_PARKED : PROCESS_ENDED,
        .life_count = process->lives.life_count,
    };
}

/* Tells one that waits for the entry; false: it does not. */
static bool wake(struct procd *procd, uint32_t waiting, uint32_t index)
{
    if (procd->waits[waiting].target != index + 1)
        return false;
    struct procd_wait wait = take(procd, waiting);
    struct message *message = reply_begin(procd, &wait);
    struct procd_wait_process_event_reply reply = reply_of(procd, index);
    if (message_encode(&procd_wait_process_event_reply_type, &reply, message) != STATUS_OK)
        message_refuse(message, STATUS_INTERNAL);
    caller_answer(&procd->caller, wait.reply_slot);
    return true;
}

static void refuse(struct procd *procd, uint32_t index, enum status status)
{
    struct procd_wait wait = take(procd, index);
    message_refuse(reply_begin(procd, &wait), status);
    caller_answer(&procd->caller, wait.reply_slot);
}

/* Only its owner and the administrator can wait for a process. */
bool procd_waiters_wake(struct procd *procd, uint32_t index)
{
    uint32_t owner = procd->processes[index].owner;
    bool told = owner != 0 && wake(procd, owner - 1, index);
    (void)wake(procd, PROCD_WAIT_ADMINISTRATOR, index);
    return told;
}

void procd_waiters_forget(struct procd *procd, uint32_t index)
{
    if (waits(procd, index))
        refuse(procd, index, STATUS_PEER_DIED);
}

void procd_waiters_gone(struct procd *procd, uint32_t reply_slot)
{
    if (reply_slot == SLOT_NULL)
        return;
    uint32_t number = *of_reply(procd, reply_slot);
    if (number != 0)
        (void)take(procd, number - 1);
}

/* Keeps the call until the process ends. */
static void add(struct procd *procd, uint32_t index, const struct procd_wait *wait,
                uint64_t deadline_ticks)
{
    if (waits(procd, index))
        refuse(procd, index, STATUS_OVER_LIMIT);
    procd->waits[index] = *wait;
    *of_reply(procd, wait->reply_slot) = index + 1;
    procd_deadline_set(&procd->wait_deadlines, index, deadline_ticks);
}

enum status procd_wait_process_event(struct procd *procd, struct procd_request *request)
{
    const struct procd_wait_process_event_request *body = &request->body.wait_process_event;
    const struct receive_info *info = request->common.info;
    uint32_t index;
    enum status status = procd_table_find(procd, &request->sender, body->process_id, &index);
    if (status != STATUS_OK)
        return status;
    if (procd->processes[index].life == PROCD_LIFE_ENDED) {
        request->reply.wait_process_event = reply_of(procd, index);
        procd_notice_asked(procd, request->sender.owner, index);
        return STATUS_OK;
    }
    if (body->deadline_ticks <= info->now_ticks)
        return STATUS_TIMED_OUT;
    uint32_t owner = request->sender.owner;
    request->common.handled = HANDLED_LATER;
    add(procd, owner == 0 ? PROCD_WAIT_ADMINISTRATOR : owner - 1,
        &(struct procd_wait){
            .target = index + 1,
            .request_id = request->common.request_id,
            .reply_slot = info->reply_slot,
        },
        body->deadline_ticks);
    return STATUS_OK;
}

/* --- time ------------------------------------------------------------------------------------- */

bool procd_is_due(const struct procd *procd, uint64_t now_ticks)
{
    uint32_t index;
    return procd_deadline_due(&procd->wait_deadlines, now_ticks, &index);
}

void procd_due(struct procd *procd, uint64_t now_ticks)
{
    uint32_t index;
    while (procd_deadline_due(&procd->wait_deadlines, now_ticks, &index))
        refuse(procd, index, STATUS_TIMED_OUT);
}

static uint64_t earlier_of(uint64_t ticks, uint64_t other_ticks)
{
    return ticks < other_ticks ? ticks : other_ticks;
}

uint64_t procd_next_ticks(const struct procd *procd, uint64_t now_ticks)
{
    uint64_t next = DEADLINE_NEVER;
    if (procd->ending.first != 0)
        return DEADLINE_POLL;
    if (procd->foundation_bound)
        next = deadline_after(now_ticks, PROCD_POLL_TICKS);
    if (procd->debts.first != 0)
        next = earlier_of(next, procd->processes[procd->debts.first - 1].retry_ticks);
    next = earlier_of(next, procd_evidence_next_ticks(procd));
    next = earlier_of(next, procd_notice_next_ticks(procd));
    next = earlier_of(next, procd_transfer_next_ticks(procd));
    next = earlier_of(next, procd_deadline_next(&procd->timers));
    next = earlier_of(next, procd_pace_next_ticks(procd));
    return earlier_of(next, procd_deadline_next(&procd->wait_deadlines));
}

/* --- the check -------------------------------------------------------------------------------- */

static const char *check_wait(const struct procd *procd, uint32_t index)
{
    const struct procd_wait *wait = &procd->waits[index];
    if (wait->target > procd->used_count || !procd_deadline_has(&procd->wait_deadlines, index))
        return "a wait has no deadline, or is for nobody";
    const struct procd_process *target = &procd->processes[wait->target - 1];
    if (target->life != PROCD_LIFE_STAGED && target->life != PROCD_LIFE_RUNNING &&
        target->life != PROCD_LIFE_RESTING && target->life != PROCD_LIFE_ENDING)
        return "a wait is for something that has ended"; /* P3 */
    if (index != PROCD_WAIT_ADMINISTRATOR && target->owner != index + 1)
        return "a client waits for what is not its own";
    uint32_t reply = wait->reply_slot - SLOT_REPLY_BASE;
    return reply < SLOT_REPLY_COUNT && procd->wait_of_reply[reply] == index + 1
               ? NULL
               : "a wait has no reply slot, or another's";
}

const char *procd_waiters_check(const struct procd *procd)
{
    uint32_t waiting = 0;
    const char *problem = procd_deadlines_check(&procd->wait_deadlines);
    for (uint32_t i = 0; i < PROCD_WAIT_LIMIT && problem == NULL; i++) {
        if (!waits(procd, i))
            continue;
        waiting++;
        problem = check_wait(procd, i);
    }
    if (problem == NULL && waiting != procd->wait_deadlines.count)
        problem = "waits are miscounted";
    return problem;
}
