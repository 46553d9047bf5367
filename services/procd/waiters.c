/* SPDX-License-Identifier: ISC */
/* Who waits for the end of a process. Decides when a kept call is answered; each is answered
 * exactly once (P3, E5), and a caller that is gone costs only its place until then. */
#include "services/procd/internal.h"

#include <string.h>

/* Takes a waiter out; the others keep their order. */
static struct procd_waiter take(struct procd *procd, uint32_t place)
{
    UNIT_ASSERT(place < procd->waiter_count && procd->waiter_count <= PROCD_WAITER_LIMIT);
    struct procd_waiter waiter = procd->waiters[place];
    procd->waiter_count--;
    memmove(&procd->waiters[place], &procd->waiters[place + 1],
            (procd->waiter_count - place) * sizeof waiter);
    memset(&procd->waiters[procd->waiter_count], 0, sizeof waiter);
    return waiter;
}

/* A reply can only be lost with its caller, which then needs none. */
static void answer(const struct procd_waiter *waiter, struct message *message)
{
    (void)sys_reply(waiter->reply_slot, message);
}

static void reply_begin(const struct procd_waiter *waiter, struct message *message)
{
    memset(message, 0, sizeof *message);
    message->header.operation = OP_PROCD_WAIT_PROCESS_EVENT;
    message->header.request_id = waiter->request_id;
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

void procd_waiters_wake(struct procd *procd, uint32_t index)
{
    uint64_t id = procd_table_id(procd, index);
    for (uint32_t place = 0; place < procd->waiter_count;) {
        if (procd->waiters[place].process_id != id) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(procd, place);
        struct message message;
        reply_begin(&waiter, &message);
        struct procd_wait_process_event_reply reply = reply_of(procd, index);
        if (message_encode(&procd_wait_process_event_reply_type, &reply, &message) != STATUS_OK)
            message_refuse(&message, STATUS_INTERNAL);
        answer(&waiter, &message);
    }
}

static void refuse(const struct procd_waiter *waiter, enum status status)
{
    struct message message;
    reply_begin(waiter, &message);
    message_refuse(&message, status);
    answer(waiter, &message);
}

/* A caller that gave up leaves a reply capability that has no rights any more. */
static bool is_gone(struct procd *procd, const struct procd_waiter *waiter)
{
    struct kernel_query_local_cap_reply held;
    enum status status =
        kernel_query_local_cap(&procd->caller, waiter->reply_slot, QUERY_EXACT, &held);
    return status == STATUS_NOT_FOUND || (status == STATUS_OK && held.rights == 0);
}

/* Gives up the waits of callers that gave up themselves: nobody can fill the table for longer than
 * it really waits. */
static void sweep(struct procd *procd)
{
    for (uint32_t place = 0; place < procd->waiter_count;) {
        if (!is_gone(procd, &procd->waiters[place])) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(procd, place);
        refuse(&waiter, STATUS_PEER_DIED);
    }
}

/* Keeps the call until the process ends. */
static enum status add(struct procd *procd, const struct procd_waiter *waiter)
{
    if (procd->waiter_count == PROCD_WAITER_LIMIT)
        sweep(procd);
    if (procd->waiter_count == PROCD_WAITER_LIMIT)
        return STATUS_EXHAUSTED; /* E6 */
    procd->waiters[procd->waiter_count++] = *waiter;
    return STATUS_OK;
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
    request->common.handled = HANDLED_LATER;
    return add(procd, &(struct procd_waiter){
                          .process_id = body->process_id,
                          .deadline_ticks = body->deadline_ticks,
                          .request_id = request->common.message->header.request_id,
                          .badge = request->sender.badge,
                          .reply_slot = info->reply_slot,
                      });
}

/* The kernel empties the reply slot even though nobody listens any more. */
void procd_waiters_forget(struct procd *procd, uint64_t badge)
{
    for (uint32_t place = 0; place < procd->waiter_count;) {
        if (procd->waiters[place].badge != badge) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(procd, place);
        refuse(&waiter, STATUS_PEER_DIED);
    }
}

void procd_due(struct procd *procd, uint64_t now_ticks)
{
    for (uint32_t place = 0; place < procd->waiter_count;) {
        if (procd->waiters[place].deadline_ticks > now_ticks) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(procd, place);
        refuse(&waiter, STATUS_TIMED_OUT);
    }
}

uint64_t procd_next_ticks(const struct procd *procd, uint64_t now_ticks)
{
    uint64_t next = DEADLINE_NEVER;
    if (procd->foundation_bound)
        next = deadline_after(now_ticks, PROCD_POLL_TICKS);
    for (uint32_t place = 0; place < procd->waiter_count; place++) {
        if (procd->waiters[place].deadline_ticks < next)
            next = procd->waiters[place].deadline_ticks;
    }
    return next;
}
