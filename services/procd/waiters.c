/* SPDX-License-Identifier: ISC */
/* Who waits for the end of a process. Decides when a kept call is answered; each is answered
 * exactly once (P3, E5). A client has one wait, at its own index; the next deadline is the first
 * entry of a heap, so that nothing here depends on how many wait (P11). */
#include "services/procd/internal.h"

#include <stddef.h>
#include <string.h>

/* --- the heap of deadlines -------------------------------------------------------------------- */

/* Of two waits that are due at once the lower index goes first. */
static bool is_earlier(const struct procd *procd, uint32_t index, uint32_t than)
{
    const struct procd_wait *wait = &procd->waits[index];
    const struct procd_wait *other = &procd->waits[than];
    if (wait->deadline_ticks != other->deadline_ticks)
        return wait->deadline_ticks < other->deadline_ticks;
    return index < than;
}

static void heap_put(struct procd *procd, uint32_t place, uint32_t index)
{
    UNIT_ASSERT(place < procd->wait_count && index < PROCD_WAIT_LIMIT);
    procd->wait_heap[place] = index;
    procd->waits[index].heap_place = place;
}

/* Moves a wait towards the first place until it fits. */
static void heap_rise(struct procd *procd, uint32_t place, uint32_t index)
{
    while (place != 0) {
        uint32_t above = (place - 1) / 2;
        if (!is_earlier(procd, index, procd->wait_heap[above]))
            break;
        heap_put(procd, place, procd->wait_heap[above]);
        place = above;
    }
    heap_put(procd, place, index);
}

/* ... and away from it. */
static void heap_sink(struct procd *procd, uint32_t place, uint32_t index)
{
    for (;;) {
        uint32_t below = 2 * place + 1;
        if (below >= procd->wait_count)
            break;
        if (below + 1 < procd->wait_count &&
            is_earlier(procd, procd->wait_heap[below + 1], procd->wait_heap[below]))
            below++;
        if (!is_earlier(procd, procd->wait_heap[below], index))
            break;
        heap_put(procd, place, procd->wait_heap[below]);
        place = below;
    }
    heap_put(procd, place, index);
}

static void heap_remove(struct procd *procd, uint32_t place)
{
    UNIT_ASSERT(place < procd->wait_count);
    uint32_t last = procd->wait_heap[--procd->wait_count];
    procd->wait_heap[procd->wait_count] = 0;
    if (place == procd->wait_count)
        return;
    if (place != 0 && is_earlier(procd, last, procd->wait_heap[(place - 1) / 2]))
        heap_rise(procd, place, last);
    else
        heap_sink(procd, place, last);
}

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
    UNIT_ASSERT(wait.target != 0 && procd->wait_heap[wait.heap_place] == index);
    heap_remove(procd, wait.heap_place);
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
    };
}

/* Tells one that waits for the entry, if it does. */
static void wake(struct procd *procd, uint32_t waiting, uint32_t index)
{
    if (procd->waits[waiting].target != index + 1)
        return;
    struct procd_wait wait = take(procd, waiting);
    struct message *message = reply_begin(procd, &wait);
    struct procd_wait_process_event_reply reply = reply_of(procd, index);
    if (message_encode(&procd_wait_process_event_reply_type, &reply, message) != STATUS_OK)
        message_refuse(message, STATUS_INTERNAL);
    caller_answer(&procd->caller, wait.reply_slot);
}

static void refuse(struct procd *procd, uint32_t index, enum status status)
{
    struct procd_wait wait = take(procd, index);
    message_refuse(reply_begin(procd, &wait), status);
    caller_answer(&procd->caller, wait.reply_slot);
}

/* Only its owner and the administrator can wait for a process. */
void procd_waiters_wake(struct procd *procd, uint32_t index)
{
    uint32_t owner = procd->processes[index].owner;
    if (owner != 0)
        wake(procd, owner - 1, index);
    wake(procd, PROCD_WAIT_ADMINISTRATOR, index);
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
static void add(struct procd *procd, uint32_t index, const struct procd_wait *wait)
{
    if (waits(procd, index))
        refuse(procd, index, STATUS_OVER_LIMIT);
    procd->waits[index] = *wait;
    *of_reply(procd, wait->reply_slot) = index + 1;
    procd->wait_count++;
    heap_rise(procd, procd->wait_count - 1, index);
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
        return STATUS_OK;
    }
    if (body->deadline_ticks <= info->now_ticks)
        return STATUS_TIMED_OUT;
    uint32_t owner = request->sender.owner;
    request->common.handled = HANDLED_LATER;
    add(procd, owner == 0 ? PROCD_WAIT_ADMINISTRATOR : owner - 1,
        &(struct procd_wait){
            .target = index + 1,
            .deadline_ticks = body->deadline_ticks,
            .request_id = request->common.request_id,
            .reply_slot = info->reply_slot,
        });
    return STATUS_OK;
}

/* --- time ------------------------------------------------------------------------------------- */

bool procd_is_due(const struct procd *procd, uint64_t now_ticks)
{
    return procd->wait_count != 0 && procd->waits[procd->wait_heap[0]].deadline_ticks <= now_ticks;
}

void procd_due(struct procd *procd, uint64_t now_ticks)
{
    while (procd_is_due(procd, now_ticks))
        refuse(procd, procd->wait_heap[0], STATUS_TIMED_OUT);
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
    if (procd->wait_count != 0)
        next = earlier_of(next, procd->waits[procd->wait_heap[0]].deadline_ticks);
    return next;
}

/* --- the check -------------------------------------------------------------------------------- */

static const char *check_wait(const struct procd *procd, uint32_t place)
{
    uint32_t index = procd->wait_heap[place];
    if (index >= PROCD_WAIT_LIMIT)
        return "a wait is nobody's";
    const struct procd_wait *wait = &procd->waits[index];
    if (wait->target == 0 || wait->target > procd->used_count || wait->heap_place != place)
        return "a wait is not where its heap says";
    if (place != 0 && is_earlier(procd, index, procd->wait_heap[(place - 1) / 2]))
        return "a deadline lies before one that is looked at earlier";
    const struct procd_process *target = &procd->processes[wait->target - 1];
    if (target->life != PROCD_LIFE_STAGED && target->life != PROCD_LIFE_RUNNING &&
        target->life != PROCD_LIFE_ENDING)
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
    for (uint32_t i = 0; i < procd->used_count; i++)
        waiting += waits(procd, i);
    waiting += waits(procd, PROCD_WAIT_ADMINISTRATOR);
    if (waiting != procd->wait_count)
        return "waits are miscounted";
    for (uint32_t place = 0; place < procd->wait_count; place++) {
        const char *problem = check_wait(procd, place);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}
