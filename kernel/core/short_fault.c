/* SPDX-License-Identifier: ISC */
/* The short way of a fault: where no page is, to a pager that waits; and of the answer that the page
 * is there now, by a pager for which nothing has come meanwhile. As those of short.c they do what
 * fault.c does, or nothing: every question comes before the first change, and any answer but the
 * usual one leaves the entry to the long way.
 *
 * That who pays stays the same, that nobody else has to run and that no change of a band goes
 * further is as true of a faulter and its pager as of a caller and its server. */
#include "kernel/core/ipc.h"
#include "kernel/core/short.h"
#include "kernel/core/vspace.h"

/* --- the fault -------------------------------------------------------------------------------- */

/* Whether nothing is mapped at an address of the lower half, so that no access is allowed there. */
KERNEL_INLINE bool is_absent(const struct process *process, uint64_t va)
{
    if (va >> 47 != 0)
        return false;
    uint32_t leaf = vspace_leaf_find(process, va);
    return leaf == 0 || ((const uint64_t *)machine_page(leaf))[table_index(0, va)] == 0;
}

KERNEL_INLINE struct endpoint *pager_of(struct kernel *kernel, const struct process *process)
{
    const struct capability named = {.object = process->pager_endpoint,
                                     .generation = process->pager_generation};
    return process->pager_present ? capability_endpoint(kernel, &named) : NULL;
}

KERNEL_INLINE struct process *fault_short(struct kernel *kernel, struct process *process,
                                          const struct fault_record *fault)
{
    struct endpoint *endpoint = pager_of(kernel, process);
    if (endpoint == NULL || endpoint->receivers.first == KERNEL_NONE ||
        !is_absent(process, fault->va))
        return NULL;
    struct process *pager = process_at(kernel, endpoint->receivers.first);

    process->fault = *fault;
    process->fault_pending = true;
    process->resume = RESUME_EXACT;
    queue_remove(kernel, &endpoint->receivers, pager);
    deadline_clear(kernel, pager);
    fault_message_write(process, message_of(pager));
    receive_info_write(kernel, pager, BADGE_KERNEL, pager->reply_slot, 0);
    uint32_t index = pager->reply_slot - SLOT_REPLY_BASE;
    struct capability *cap = cspace_reply(pager, index);
    KERNEL_ASSERT(cap != NULL && cap->object_type == OBJECT_NONE);
    reply_capability_put(process, pager, cap, index);
    queue_append(kernel, &pager->callers, process);
    loan_note(process, pager);
    pager->client = process->index;
    pager->result = STATUS_OK;
    pager->resume = RESUME_RESULT;
    pager->life = LIFE_CURRENT;
    kernel->current = pager->index;
    return pager;
}

struct process *kernel_page_fault(struct kernel *kernel, struct process *process, uint64_t va,
                                  enum fault_access access, uint64_t instruction_va)
{
    kernel->work_done = 0;
    struct fault_record fault = {va, instruction_va, access, 0};
    struct process *next = fault_short(kernel, process, &fault);
    return next != NULL ? next : kernel_fault_long(kernel, process, va, access, instruction_va);
}

/* --- the answer ------------------------------------------------------------------------------- */

KERNEL_INLINE bool is_resolved(const struct message *message)
{
    const struct message_header *header = &message->header;
    struct event_fault_reply reply;
    __builtin_memcpy(&reply, message->body, sizeof reply);
    return header->version == MESSAGE_VERSION && header->operation == OP_EVENT_FAULT &&
           header->body_bytes == sizeof reply && header->cap_count == 0 &&
           header->status == STATUS_OK && reply.verdict == FAULT_RESOLVED &&
           reply.reason == END_NONE;
}

/* The window of the RECV is empty, and lies in one leaf that exists. */
static bool window_may(const struct process *pager, const struct message_header *header)
{
    uint32_t first = header->window_slot;
    uint32_t count = header->window_count;
    if (count > MESSAGE_CAP_LIMIT || !cspace_range_fillable(first, count))
        return false;
    const struct capability *caps = cspace_run(pager, first, count);
    return caps != NULL && capabilities_empty(caps, count);
}

/* Whom the pager answers: the faulter that it works for. Null: by the long way, if at all. */
KERNEL_INLINE struct process *faulter_of(const struct kernel *kernel, const struct process *pager,
                                         uint32_t slot, uint64_t deadline_ticks,
                                         uint32_t reply_slot)
{
    if (pager->client >= PROCESS_LIMIT || deadline_ticks <= kernel->now_ticks ||
        !receive_may(pager, slot, false))
        return NULL;
    struct process *faulter = process_at(kernel, pager->client);
    if (!faulter->fault_pending || faulter->reply_slot != reply_slot ||
        band_waits(kernel, pager, process_band(faulter)))
        return NULL;
    return faulter;
}

struct process *answer_fault(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot,
                             struct kernel *kernel, struct process *server)
{
    const struct message *message = message_of(server);
    struct process *faulter = faulter_of(kernel, server, slot, deadline_ticks, reply_slot);
    if (faulter == NULL || !is_resolved(message) ||
        (message->header.window_count != 0 && !window_may(server, &message->header)))
        return kernel_syscall_long(slot, deadline_ticks, reply_slot, kernel, server,
                                   SYSCALL_REPLY_RECV);
    uint32_t window_count = message->header.window_count;
    queue_remove(kernel, &server->callers, faulter);
    loan_forget(faulter, server, band_claim(process_band(faulter)));
    reply_capability_take(server, faulter, reply_slot - SLOT_REPLY_BASE);
    server->reply_slot = reply_slot_lowest(server);
    server->client = KERNEL_NONE;
    server->window_slot = window_count != 0 ? message->header.window_slot : 0;
    server->window_count = (uint8_t)window_count;
    server->slot = slot;
    server->endpoint = server->index;
    server->life = LIFE_RECEIVING;
    server->resume = RESUME_RESULT;
    queue_append(kernel, &server->service.receivers, server);
    deadline_set(kernel, server, deadline_ticks);
    faulter->fault_pending = false;
    faulter->life = LIFE_CURRENT;
    kernel->current = faulter->index;
    return NULL; /* with all its registers, not with a result */
}
