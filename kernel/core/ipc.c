/* SPDX-License-Identifier: ISC */
/* CALL, RECV, REPLY and REPLY_RECV. Reads the header of a message and its descriptors, copies the
 * bytes that it declares, and knows no operation. Decides who gets which message when; a refusal
 * leaves messages, slots and queues as they were (E1). */
#include "kernel/core/ipc.h"

/* The window of a CALL or RECV: INVALID_ARGUMENT, BUSY or OVER_BUDGET; a good one is kept in the
 * record, and stays empty until it is used, because its owner waits. */
static enum status window_allowed(struct kernel *kernel, struct process *process, uint32_t first,
                                  uint32_t count)
{
    if (count > MESSAGE_CAP_LIMIT || !cspace_range_fillable(first, count))
        return STATUS_INVALID_ARGUMENT;
    if (!cspace_range_empty(process, first, count))
        return STATUS_BUSY;
    return cspace_reserve(kernel, process, first, count);
}

static inline enum status window_take(struct kernel *kernel, struct process *process,
                                      const struct message_header *header)
{
    if (header->window_count != 0) {
        enum status status =
            window_allowed(kernel, process, header->window_slot, header->window_count);
        if (status != STATUS_OK)
            return status;
    }
    process->window_slot = header->window_count != 0 ? header->window_slot : 0;
    process->window_count = header->window_count;
    return STATUS_OK;
}

/* The shape of a message; most have no descriptors. */
static inline enum status shape_allowed(const struct message *message)
{
    const struct message_header *header = &message->header;
    if (header->cap_count != 0)
        return message_shape(message);
    bool good = header->version == MESSAGE_VERSION && header->body_bytes <= MESSAGE_BODY_BYTES_MAX;
    return good ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* --- reply capabilities --- */

void reply_capability_give(struct kernel *kernel, struct process *caller, struct process *receiver)
{
    uint32_t index = receiver->reply_slot - SLOT_REPLY_BASE;
    struct capability *cap = cspace_reply(receiver, index);
    KERNEL_ASSERT(cap != NULL && cap->object_type == OBJECT_NONE);
    reply_capability_put(caller, receiver, cap, index);
    queue_append(kernel, &receiver->callers, caller);
    client_leave(kernel, receiver);
    if (caller->lends_to != receiver->index) { /* it did not queue, or at another's endpoint */
        loan_end(kernel, caller);
        loan_make(kernel, caller, receiver);
    }
    receiver->client = caller->index;
}

void reply_capability_use(struct kernel *kernel, struct process *holder, struct process *caller)
{
    queue_remove(kernel, &holder->callers, caller);
    reply_capability_take(holder, caller, caller->reply_slot - SLOT_REPLY_BASE);
    if (holder->client != caller->index)
        kernel->unsettled = true; /* another one than the payer goes on */
    loan_end(kernel, caller);
}

/* --- delivery --------------------------------------------------------------------------------- */

struct process *ipc_body(const struct process *from, struct process *to)
{
    body_copy(message_of(from), message_of(to));
    return to;
}

struct process *ipc_finish(struct kernel *kernel, struct process *from, struct process *to,
                           uint64_t deadline_ticks)
{
    deadline_clear(kernel, to);
    body_copy(message_of(from), message_of(to));
    deadline_set(kernel, from, deadline_ticks);
    return to;
}

/* A call reaches its receiver, which is in no queue any more; the caller neither. On an error both
 * are as before. */
static enum status call_deliver(struct kernel *kernel, struct process *caller,
                                struct process *receiver)
{
    const struct message *source = message_of(caller);
    uint32_t cap_count = source->header.cap_count;
    struct transfer transfer;
    if (cap_count != 0) {
        enum status status = transfer_allowed(kernel, caller, receiver, &transfer);
        if (status != STATUS_OK)
            return status;
    }
    message_copy(source, message_of(receiver), caller->badge, STATUS_OK);
    if (cap_count != 0)
        transfer_perform(kernel, caller, receiver, &transfer);
    receive_info_write(kernel, receiver, caller->badge, receiver->reply_slot, cap_count);
    reply_capability_give(kernel, caller, receiver);
    return STATUS_OK;
}

/* --- CALL ------------------------------------------------------------------------------------- */

/* Nobody receives: the caller queues. */
static enum status call_wait(struct kernel *kernel, struct process *caller, uint32_t endpoint_id,
                             struct endpoint *endpoint, uint64_t deadline)
{
    caller->endpoint = endpoint_id;
    process_wait(kernel, caller, LIFE_SENDING, &endpoint->senders);
    sender_lends(kernel, caller);
    deadline_set(kernel, caller, deadline);
    return STATUS_OK;
}

/* A receiver waits: it gets the message and the processor. */
static enum status call_switch(struct kernel *kernel, struct process *caller,
                               struct endpoint *endpoint, uint64_t deadline)
{
    struct process *receiver = process_at(kernel, endpoint->receivers.first);
    enum status status = call_deliver(kernel, caller, receiver);
    if (status != STATUS_OK)
        return status;
    /* The receiver's queue links were not touched by the delivery. */
    receiver_take(kernel, endpoint);
    process_leave(kernel, caller);
    deadline_set(kernel, caller, deadline);
    receiver->result = STATUS_OK;
    receiver->resume = RESUME_RESULT;
    process_enter(kernel, receiver);
    return STATUS_OK;
}

static enum status call_endpoint(struct kernel *kernel, struct process *caller,
                                 const struct capability *cap, uint64_t deadline)
{
    struct endpoint *endpoint = capability_endpoint(kernel, cap);
    if (endpoint == NULL)
        return STATUS_NOT_FOUND;
    if ((cap->rights & RIGHT_SEND) == 0)
        return STATUS_DENIED;
    const struct message *message = message_of(caller);
    enum status status = shape_allowed(message);
    if (status == STATUS_OK)
        status = window_take(kernel, caller, &message->header);
    if (status != STATUS_OK)
        return status;
    if (deadline <= kernel->now_ticks)
        return deadline == DEADLINE_POLL ? STATUS_RETRY : STATUS_TIMED_OUT;
    caller->badge = cap->badge;
    caller->fault_pending = false;
    if (endpoint->receivers.first == KERNEL_NONE)
        return call_wait(kernel, caller, cap->object, endpoint, deadline);
    return call_switch(kernel, caller, endpoint, deadline);
}

static enum status call_control(struct kernel *kernel, struct process *caller,
                                const struct capability *cap)
{
    if ((cap->rights & RIGHT_CONTROL) == 0)
        return STATUS_DENIED;
    const struct message *message = message_of(caller);
    enum status status = shape_allowed(message);
    if (status == STATUS_OK)
        status = window_take(kernel, caller, &message->header);
    if (status == STATUS_OK)
        control_call(kernel, caller, (enum object_type)cap->object_type);
    return status;
}

void ipc_call(struct kernel *kernel, struct process *caller, uint32_t slot, uint64_t deadline)
{
    const struct capability *cap = cspace_find(caller, slot);
    enum status status = STATUS_INVALID_ARGUMENT;
    if (cap == NULL)
        status = STATUS_NOT_FOUND;
    else if (cap->object_type == OBJECT_ENDPOINT)
        status = call_endpoint(kernel, caller, cap, deadline);
    else if (cap->object_type >= OBJECT_KERNEL_SELF)
        status = call_control(kernel, caller, cap);
    else if (!kernel_capability_live(kernel, cap))
        status = STATUS_NOT_FOUND;
    caller->result = status;
}

/* --- RECV ------------------------------------------------------------------------------------- */

/* The first sender whose message can be delivered; the others before it learn why theirs cannot, as
 * many as one entry may tell. */
static bool receive_queued(struct kernel *kernel, struct process *receiver,
                           struct endpoint *endpoint)
{
    while (endpoint->senders.first != KERNEL_NONE && work_may(kernel)) {
        struct process *sender = process_at(kernel, endpoint->senders.first);
        queue_remove(kernel, &endpoint->senders, sender);
        if (sender->endpoint == KERNEL_DRIVER_ENDPOINT)
            driver_loan_end(kernel, sender);
        if (sender->fault_pending) {
            fault_deliver(kernel, sender, receiver);
            return true;
        }
        enum status status = call_deliver(kernel, sender, receiver);
        if (status == STATUS_OK)
            return true;
        deadline_clear(kernel, sender);
        loan_end(kernel, sender);
        process_wake(kernel, sender, status);
        work_count(kernel, 3);
    }
    return false;
}

static enum status receive_wait(struct kernel *kernel, struct process *receiver,
                                uint32_t endpoint_id, uint64_t deadline)
{
    if (deadline <= kernel->now_ticks) {
        receive_info_write(kernel, receiver, 0, 0, 0);
        return deadline == DEADLINE_POLL ? STATUS_RETRY : STATUS_TIMED_OUT;
    }
    client_leave(kernel, receiver);
    receiver->endpoint = endpoint_id;
    process_wait(kernel, receiver, LIFE_RECEIVING, &endpoint_at(kernel, endpoint_id)->receivers);
    deadline_set(kernel, receiver, deadline);
    return STATUS_OK;
}

static inline enum status receive_authorise(struct kernel *kernel, struct process *receiver,
                                            uint32_t slot, const struct capability **cap,
                                            struct endpoint **endpoint)
{
    *cap = cspace_find(receiver, slot);
    if (*cap == NULL)
        return STATUS_NOT_FOUND;
    if ((*cap)->object_type != OBJECT_ENDPOINT)
        return kernel_capability_live(kernel, *cap) ? STATUS_INVALID_ARGUMENT : STATUS_NOT_FOUND;
    *endpoint = capability_endpoint(kernel, *cap);
    if (*endpoint == NULL)
        return STATUS_NOT_FOUND;
    return ((*cap)->rights & RIGHT_RECEIVE) != 0 ? STATUS_OK : STATUS_DENIED;
}

static enum status receive(struct kernel *kernel, struct process *receiver, uint32_t slot,
                           uint64_t deadline)
{
    const struct capability *cap;
    struct endpoint *endpoint;
    enum status status = receive_authorise(kernel, receiver, slot, &cap, &endpoint);
    if (status == STATUS_OK)
        status = window_take(kernel, receiver, &message_of(receiver)->header);
    if (status != STATUS_OK)
        return status;
    receiver->slot = slot;
    if (endpoint->events.first != KERNEL_NONE) { /* K10: whatever its tables hold */
        client_leave(kernel, receiver);
        event_receive(kernel, endpoint, receiver);
        return STATUS_OK;
    }
    status = reply_slot_reserve(kernel, receiver, &receiver->reply_slot);
    if (status != STATUS_OK || receive_queued(kernel, receiver, endpoint))
        return status;
    if (endpoint->senders.first != KERNEL_NONE) {
        work_leave(receiver, (struct work){.kind = WORK_RECEIVE, .object = slot, .at = deadline});
        return STATUS_OK;
    }
    return receive_wait(kernel, receiver, cap->object, deadline);
}

void ipc_receive(struct kernel *kernel, struct process *receiver, uint32_t slot, uint64_t deadline)
{
    receiver->result = receive(kernel, receiver, slot, deadline);
    if (receiver->life == LIFE_CURRENT) /* otherwise the entry ends with the next one's payer */
        kernel->payer = payer_of(kernel, receiver); /* another one, or itself */
}

/* --- REPLY ------------------------------------------------------------------------------------ */

static enum status reply_deliver(struct kernel *kernel, struct process *sender,
                                 struct process *caller)
{
    const struct message *source = message_of(sender);
    uint32_t cap_count = source->header.cap_count;
    struct transfer transfer;
    if (cap_count != 0) {
        enum status status = transfer_allowed(kernel, sender, caller, &transfer);
        if (status != STATUS_OK)
            return status;
    }
    message_copy(source, message_of(caller), 0, source->header.status);
    if (cap_count != 0)
        transfer_perform(kernel, sender, caller, &transfer);
    return STATUS_OK;
}

/* A caller was answered by the current process: who goes on? */
static void reply_switch(struct kernel *kernel, struct process *sender, struct process *caller)
{
    if (process_band(sender) < process_band(caller)) { /* K7 */
        process_ready(kernel, caller);
        return;
    }
    process_leave(kernel, sender);
    ready_prepend(kernel, sender);
    process_enter(kernel, caller);
}

/* Who waits behind a reply slot; null: nobody, any more. */
static const struct capability *reply_find(const struct process *sender, uint32_t slot)
{
    const struct capability *cap = cspace_find(sender, slot);
    return cap == NULL || cap->object_type == OBJECT_NONE ? NULL : cap;
}

/* Answers the one behind `cap`: it is in no queue then and goes on, or, as *caller is null, it ends
 * instead. */
static enum status reply_perform(struct kernel *kernel, struct process *sender,
                                 const struct capability *cap, struct process **caller)
{
    if (cap->object_type != OBJECT_REPLY || shape_allowed(message_of(sender)) != STATUS_OK)
        return STATUS_INVALID_ARGUMENT;
    *caller = process_at(kernel, cap->object); /* it waits: K10 */
    if ((*caller)->fault_pending)
        return fault_reply(kernel, sender, caller);
    enum status status = reply_deliver(kernel, sender, *caller);
    if (status != STATUS_OK)
        return status;
    reply_capability_use(kernel, sender, *caller);
    deadline_clear(kernel, *caller);
    (*caller)->result = STATUS_OK;
    (*caller)->resume = RESUME_RESULT;
    return STATUS_OK;
}

void ipc_reply(struct kernel *kernel, struct process *sender, uint32_t slot)
{
    const struct capability *cap = reply_find(sender, slot);
    struct process *caller = NULL;
    sender->result = cap == NULL ? STATUS_NOT_FOUND : reply_perform(kernel, sender, cap, &caller);
    if (sender->result == STATUS_OK && caller != NULL)
        reply_switch(kernel, sender, caller);
}

/* --- REPLY_RECV ------------------------------------------------------------------------------- */

void ipc_reply_receive(struct kernel *kernel, struct process *process, uint32_t reply_slot,
                       uint32_t slot, uint64_t deadline)
{
    const struct capability *cap = reply_find(process, reply_slot);
    if (cap != NULL) {
        struct process *caller = NULL;
        process->result = reply_perform(kernel, process, cap, &caller);
        if (process->result != STATUS_OK)
            return;
        if (caller != NULL)
            process_ready(kernel, caller);
    }
    ipc_receive(kernel, process, slot, deadline);
}
