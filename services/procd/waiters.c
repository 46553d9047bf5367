/* SPDX-License-Identifier: ISC */
/* Who waits for the end of a process. Decides when a kept call is answered; each is answered
 * exactly once (P3, E5), and a caller that is gone costs nothing but its place until then. */
#include "services/procd/internal.h"

#include <string.h>

/* Takes a waiter out; the others keep their order. */
static struct procd_waiter take(struct procd *state, uint32_t place)
{
    UNIT_ASSERT(place < state->waiter_count && state->waiter_count <= PROCD_WAITER_LIMIT);
    struct procd_waiter waiter = state->waiters[place];
    state->waiter_count--;
    memmove(&state->waiters[place], &state->waiters[place + 1],
            (state->waiter_count - place) * sizeof waiter);
    memset(&state->waiters[state->waiter_count], 0, sizeof waiter);
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

static struct procd_wait_process_event_reply reply_of(const struct procd *state, uint32_t index)
{
    const struct procd_process *process = &state->processes[index];
    return (struct procd_wait_process_event_reply){
        .process_id = procd_table_id(state, index),
        .reason = process->reason,
        .code = process->code,
        .fault_va = process->fault_va,
    };
}

void procd_waiters_wake(struct procd *state, uint32_t index)
{
    uint64_t id = procd_table_id(state, index);
    for (uint32_t place = 0; place < state->waiter_count;) {
        if (state->waiters[place].process_id != id) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(state, place);
        struct message message;
        reply_begin(&waiter, &message);
        struct procd_wait_process_event_reply reply = reply_of(state, index);
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
static bool is_gone(struct procd *state, const struct procd_waiter *waiter)
{
    struct kernel_query_local_cap_reply held;
    enum status status =
        kernel_query_local_cap(&state->caller, waiter->reply_slot, QUERY_EXACT, &held);
    return status == STATUS_NOT_FOUND || (status == STATUS_OK && held.rights == 0);
}

/* Gives up the waits of callers that gave up themselves: nobody can fill the table for longer than
 * it really waits. */
static void sweep(struct procd *state)
{
    for (uint32_t place = 0; place < state->waiter_count;) {
        if (!is_gone(state, &state->waiters[place])) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(state, place);
        refuse(&waiter, STATUS_PEER_DIED);
    }
}

/* Keeps the call until the process ends. */
static enum status add(struct procd *state, const struct procd_waiter *waiter)
{
    if (state->waiter_count == PROCD_WAITER_LIMIT)
        sweep(state);
    if (state->waiter_count == PROCD_WAITER_LIMIT)
        return STATUS_EXHAUSTED; /* E6 */
    state->waiters[state->waiter_count++] = *waiter;
    return STATUS_OK;
}

enum status procd_wait_process_event(struct procd *state, struct procd_request *request)
{
    const struct procd_wait_process_event_request *body = &request->body.wait_process_event;
    const struct receive_info *info = request->common.info;
    uint32_t index;
    enum status status = procd_table_find(state, &request->sender, body->process_id, &index);
    if (status != STATUS_OK)
        return status;
    if (state->processes[index].life == PROCD_LIFE_ENDED) {
        request->reply.wait_process_event = reply_of(state, index);
        return STATUS_OK;
    }
    if (body->deadline_ticks <= info->now_ticks)
        return STATUS_TIMED_OUT;
    request->common.handled = HANDLED_LATER;
    return add(state, &(struct procd_waiter){
                          .process_id = body->process_id,
                          .deadline_ticks = body->deadline_ticks,
                          .request_id = request->common.message->header.request_id,
                          .badge = request->sender.badge,
                          .reply_slot = info->reply_slot,
                      });
}

/* The kernel empties the reply slot even though nobody listens any more. */
void procd_waiters_forget(struct procd *state, uint64_t badge)
{
    for (uint32_t place = 0; place < state->waiter_count;) {
        if (state->waiters[place].badge != badge) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(state, place);
        refuse(&waiter, STATUS_PEER_DIED);
    }
}

void procd_due(struct procd *state, uint64_t now_ticks)
{
    for (uint32_t place = 0; place < state->waiter_count;) {
        if (state->waiters[place].deadline_ticks > now_ticks) {
            place++;
            continue;
        }
        struct procd_waiter waiter = take(state, place);
        refuse(&waiter, STATUS_TIMED_OUT);
    }
}

uint64_t procd_next_ticks(const struct procd *state, uint64_t now_ticks)
{
    uint64_t next = DEADLINE_NEVER;
    if (state->foundation_bound)
        next = deadline_after(now_ticks, PROCD_POLL_TICKS);
    for (uint32_t place = 0; place < state->waiter_count; place++) {
        if (state->waiters[place].deadline_ticks < next)
            next = state->waiters[place].deadline_ticks;
    }
    return next;
}
