/* SPDX-License-Identifier: ISC */
/* Endpoints: where processes meet. Each process owns one, and there is one more, for drivers'
 * requests to procd. Decides who learns what when an endpoint is gone, and in which order events
 * and calls are taken; never what a message says. */
#include "kernel/core/ipc.h"

#include "abi/messages/event.h"

struct endpoint *endpoint_at(struct kernel *kernel, uint32_t id)
{
    if (id == KERNEL_DRIVER_ENDPOINT)
        return &kernel->driver_endpoint;
    return &process_at(kernel, id)->service;
}

struct endpoint *endpoint_find(struct kernel *kernel, uint32_t id, uint64_t generation)
{
    if (id != KERNEL_DRIVER_ENDPOINT && kernel->processes[id].record_page == 0)
        return NULL;
    struct endpoint *endpoint = endpoint_at(kernel, id);
    return endpoint->live && endpoint->generation == generation ? endpoint : NULL;
}

void endpoint_init(struct endpoint *endpoint, uint64_t generation)
{
    *endpoint = (struct endpoint){
        .generation = generation,
        .senders = queue_empty(),
        .receivers = queue_empty(),
        .events = queue_empty(),
        .delivered = queue_empty(),
        .live = true,
    };
}

/* --- the end of an endpoint --- */

/* Nobody will be told of this end, so nobody will retire it; nor of what this line says. */
static void event_lost(struct kernel *kernel, struct process_queue *queue)
{
    if (event_is_line(queue->first)) {
        interrupt_unbind(kernel, queue->first - KERNEL_INTERRUPT_NAME);
        return;
    }
    struct process *process = process_at(kernel, queue->first);
    event_queue_remove(kernel, queue, process->index);
    process->event_generation = EVENT_UNWANTED;
    process_retire(kernel, process);
}

bool endpoint_drain_step(struct kernel *kernel, struct endpoint *endpoint)
{
    KERNEL_ASSERT(!endpoint->live);
    if (endpoint->senders.first != KERNEL_NONE)
        wait_lost(kernel, process_at(kernel, endpoint->senders.first));
    else if (endpoint->receivers.first != KERNEL_NONE)
        process_wake(kernel, receiver_take(kernel, endpoint), STATUS_NOT_FOUND);
    else if (endpoint->events.first != KERNEL_NONE)
        event_lost(kernel, &endpoint->events);
    else if (endpoint->delivered.first != KERNEL_NONE)
        event_lost(kernel, &endpoint->delivered);
    else
        return false;
    work_count(kernel, 3);
    return true;
}

/* An ended process that nobody will be told of goes on ending, and takes the others with it. */
static void driver_event_first(struct kernel *kernel, struct process_queue *queue)
{
    struct process *process = process_at(kernel, queue->first);
    event_queue_remove(kernel, queue, process->index);
    process->event_generation = EVENT_UNWANTED;
    process_abort(kernel, process);
}

void driver_receiver_gone(struct kernel *kernel)
{
    struct endpoint *endpoint = &kernel->driver_endpoint;
    if (--kernel->driver_receivers != 0)
        return;
    if (endpoint->senders.first != KERNEL_NONE) {
        struct process *first = process_at(kernel, endpoint->senders.first);
        wait_lost(kernel, first);
        if (!process_has_ended(first))
            work_leave(first, (struct work){.kind = WORK_DRIVER});
        endpoint->live = false;
        driver_loans_take(kernel, first); /* K7: no higher band waits for its own */
        return;
    }
    endpoint->live = false;
    if (endpoint->events.first != KERNEL_NONE) {
        driver_event_first(kernel, &endpoint->events);
    } else if (endpoint->delivered.first != KERNEL_NONE) {
        driver_event_first(kernel, &endpoint->delivered);
    }
}

/* --- events ----------------------------------------------------------------------------------- */

void event_receive(struct kernel *kernel, struct endpoint *endpoint, struct process *receiver)
{
    uint16_t name = endpoint->events.first;
    event_queue_remove(kernel, &endpoint->events, name);
    if (event_is_line(name))
        interrupt_deliver(kernel, name - KERNEL_INTERRUPT_NAME, receiver);
    else
        event_deliver(kernel, process_at(kernel, name), receiver);
}

void event_deliver(struct kernel *kernel, struct process *process, struct process *receiver)
{
    struct message *message = message_of(receiver);
    message->header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = OP_EVENT_PROCESS_TERMINATED,
        .body_bytes = sizeof(struct event_process_terminated_request),
        .badge = BADGE_KERNEL,
    };
    struct event_process_terminated_request body = {
        .token = process->event_token,
        .reason = process->end_reason,
        .code = process->end_code,
        .fault_va = process->end_fault_va,
    };
    memcpy(message->body, &body, sizeof body);
    receive_info_write(kernel, receiver, BADGE_KERNEL, 0, 0);
    process->event_delivered = true;
    struct endpoint *endpoint = endpoint_at(kernel, process->event_endpoint);
    event_queue_append(kernel, &endpoint->delivered, process->index);
    if (process->cap_count == 0)
        process_retire(kernel, process); /* nobody else will */
}

void endpoint_post_event(struct kernel *kernel, struct process *process)
{
    struct endpoint *endpoint = endpoint_at(kernel, process->event_endpoint);
    if (endpoint->receivers.first == KERNEL_NONE) {
        event_queue_append(kernel, &endpoint->events, process->index);
        return;
    }
    struct process *receiver = receiver_take(kernel, endpoint);
    event_deliver(kernel, process, receiver);
    process_wake(kernel, receiver, STATUS_OK);
}
