/* SPDX-License-Identifier: ISC */
/* What the long ways of CALL, RECV and REPLY (ipc.c) and the short ones (short.c) have in common: how
 * bytes, reply capabilities and what a RECV learns are written. None of it asks anything. */
#ifndef BASALT_KERNEL_CORE_IPC_H
#define BASALT_KERNEL_CORE_IPC_H

#include "abi/messages/event.h"
#include "kernel/core/cspace.h"

/* Copies a header, which may name a window; badge, window and the status of a request are the kernel's. */
KERNEL_INLINE void header_copy(const struct message_header *source, struct message_header *target,
                               uint64_t badge, uint32_t status, bool with_window)
{
    __builtin_memcpy(target, source, offsetof(struct message_header, window_slot));
    if (with_window)
        target->window_count = 0;
    target->window_slot = 0;
    target->status = status;
    target->request_id = source->request_id;
    target->badge = badge;
}

/* Of the rest what the header declares. */
KERNEL_INLINE void body_copy(const struct message *source, struct message *target)
{
    uint32_t body_bytes = source->header.body_bytes;
    if (body_bytes != 0)
        memcpy(target->body, source->body, body_bytes);
}

KERNEL_INLINE void message_copy(const struct message *source, struct message *target,
                                uint64_t badge, uint32_t status)
{
    header_copy(&source->header, &target->header, badge, status, true);
    body_copy(source, target);
}

/* What a message needs besides, if it does: its body, and the deadlines of who waited for it and of
 * who waits now. Returns who waited. */
struct process *ipc_finish(struct kernel *kernel, struct process *from, struct process *to,
                           uint64_t deadline_ticks);

/* The same where only the body is left. */
struct process *ipc_body(const struct process *from, struct process *to);

/* `page` is the receiver's message page. */
KERNEL_INLINE void receive_info_fill(const struct kernel *kernel, const struct process *receiver,
                                     struct message *page, uint64_t badge, uint32_t reply_slot,
                                     uint32_t cap_count)
{
    struct receive_info *info =
        (struct receive_info *)(void *)((uint8_t *)page + MESSAGE_PAGE_INFO_OFFSET);
    uint32_t slot = receiver->slot;
    info->badge = badge;
    info->now_ticks = kernel->now_ticks;
    info->endpoint_slot = slot;
    info->reply_slot = reply_slot;
    info->cap_count = cap_count;
    info->window_slot = cap_count != 0 ? receiver->window_slot : 0;
}

KERNEL_INLINE void receive_info_write(const struct kernel *kernel, const struct process *receiver,
                                      uint64_t badge, uint32_t reply_slot, uint32_t cap_count)
{
    receive_info_fill(kernel, receiver, message_of(receiver), badge, reply_slot, cap_count);
}

/* The caller, which goes to the receiver's callers, waits behind the reply slot with that index, which
 * is free. */
KERNEL_INLINE void reply_capability_put(struct process *caller, struct process *receiver,
                                        struct capability *cap, uint32_t index)
{
    cap->object_type = OBJECT_REPLY;
    cap->rights = RIGHT_SEND;
    cap->object = caller->index;
    cap->generation = caller->service.generation;
    cap->badge = ++caller->call_sequence; /* K3 */
    reply_slot_take(receiver, index);
    caller->life = LIFE_CALLING;
    caller->holder = receiver->index;
    caller->reply_slot = SLOT_REPLY_BASE + index;
}

/* It waits there no more. */
KERNEL_INLINE void reply_capability_take(struct process *holder, struct process *caller,
                                         uint32_t index)
{
    caller->holder = KERNEL_NONE;
    *cspace_reply(holder, index) = (struct capability){0};
    reply_slot_free(holder, index);
}

/* What a pager learns of the fault of `process`. */
KERNEL_INLINE void fault_message_write(const struct process *process, struct message *message)
{
    message->header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = OP_EVENT_FAULT,
        .body_bytes = sizeof(struct event_fault_request),
        .badge = BADGE_KERNEL,
    };
    struct event_fault_request body = {
        .token = process->pager_token,
        .va = process->fault.va,
        .instruction_va = process->fault.instruction_va,
        .access = process->fault.access,
        .present = process->fault.present,
    };
    memcpy(message->body, &body, sizeof body);
}

#endif
