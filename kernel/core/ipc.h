/* SPDX-License-Identifier: ISC */
/* What the long ways of CALL, RECV and REPLY (ipc.c) and the short ones (short.c) have in common: how
 * bytes, reply capabilities and what a RECV learns are written. None of it asks anything. */
#ifndef BASALT_KERNEL_CORE_IPC_H
#define BASALT_KERNEL_CORE_IPC_H

#include "kernel/core/cspace.h"

/* Copies what the header declares; badge, window and the status of a request are the kernel's. */
KERNEL_INLINE void message_copy(const struct message *source, struct message *target,
                                uint64_t badge, uint32_t status)
{
    const struct message_header *header = &source->header;
    uint32_t body_bytes = header->body_bytes;
    target->header.version = MESSAGE_VERSION;
    target->header.operation = header->operation;
    target->header.body_bytes = (uint16_t)body_bytes;
    target->header.cap_count = header->cap_count;
    target->header.window_count = 0;
    target->header.window_slot = 0;
    target->header.status = status;
    target->header.request_id = header->request_id;
    target->header.badge = badge;
    if (body_bytes != 0)
        memcpy(target->body, source->body, body_bytes);
}

KERNEL_INLINE void receive_info_write(const struct kernel *kernel, struct process *receiver,
                                      uint64_t badge, uint32_t reply_slot, uint32_t cap_count)
{
    uint8_t *page = machine_page(receiver->message_page);
    struct receive_info *info = (struct receive_info *)(void *)(page + MESSAGE_PAGE_INFO_OFFSET);
    info->badge = badge;
    info->now_ticks = kernel->now_ticks;
    info->endpoint_slot = receiver->slot;
    info->reply_slot = reply_slot;
    info->cap_count = cap_count;
    info->window_slot = cap_count != 0 ? receiver->window_slot : 0;
}

/* The caller, in no queue, waits behind the reply slot that its receiver has free. */
KERNEL_INLINE void reply_capability_put(struct kernel *kernel, struct process *caller,
                                        struct process *receiver)
{
    struct process_entry *entry = &kernel->processes[caller->index];
    struct capability *cap = cspace_find(receiver, receiver->reply_slot);
    KERNEL_ASSERT(cap != NULL && cap->object_type == OBJECT_NONE);
    cap->object_type = OBJECT_REPLY;
    cap->rights = RIGHT_SEND;
    cap->object = caller->index;
    cap->generation = entry->generation;
    cap->badge = ++entry->call_sequence; /* K3 */
    reply_slot_take(receiver, receiver->reply_slot);
    caller->life = LIFE_CALLING;
    caller->holder = receiver->index;
    caller->reply_slot = receiver->reply_slot;
    queue_append(kernel, &receiver->callers, caller);
}

/* It waits there no more, and is in no queue; `cap` is what stood for it. */
KERNEL_INLINE void reply_capability_take(struct kernel *kernel, struct process *holder,
                                         struct process *caller, struct capability *cap)
{
    *cap = (struct capability){0};
    reply_slot_free(holder, caller->reply_slot);
    queue_remove(kernel, &holder->callers, caller);
    caller->holder = KERNEL_NONE;
}

#endif
