/* SPDX-License-Identifier: ISC */
/* Faults: a process that touches what it may not waits for its pager's verdict, or ends. Decides
 * neither what backs a page nor why a process should end: the pager does, within the reasons that
 * it may give. */
#include "abi/messages/event.h"
#include "kernel/core/ipc.h"

#include "abi/codec.h"

static uint16_t access_right(enum fault_access access)
{
    switch (access) {
    case FAULT_READ:
        return RIGHT_READ;
    case FAULT_WRITE:
        return RIGHT_WRITE;
    case FAULT_EXECUTE:
        return RIGHT_EXECUTE;
    }
    return RIGHTS_MAPPING; /* a number that is no access: nothing allows it */
}

void fault_deliver(struct kernel *kernel, struct process *process, struct process *receiver)
{
    fault_message_write(process, message_of(receiver));
    receive_info_write(kernel, receiver, BADGE_KERNEL, receiver->reply_slot, 0);
    reply_capability_give(kernel, process, receiver);
}

/* The pager waits: it runs at once; or it does not, and the fault queues like a call. */
static void fault_send(struct kernel *kernel, struct process *process, struct endpoint *pager)
{
    process->fault_pending = true;
    process->resume = RESUME_EXACT;
    if (pager->receivers.first == KERNEL_NONE) {
        process->endpoint = process->pager_endpoint;
        process_wait(kernel, process, LIFE_SENDING, &pager->senders);
        sender_lends(kernel, process);
        return;
    }
    process_leave(kernel, process);
    struct process *receiver = receiver_take(kernel, pager);
    fault_deliver(kernel, process, receiver);
    receiver->result = STATUS_OK;
    receiver->resume = RESUME_RESULT;
    process_enter(kernel, receiver);
}

struct process *kernel_fault(struct kernel *kernel, uint64_t va, enum fault_access access,
                             uint64_t instruction_va)
{
    if (kernel->halted)
        return NULL;
    KERNEL_ASSERT(kernel->current != KERNEL_IDLE);
    struct process *process = process_at(kernel, kernel->current);
    return kernel_page_fault(kernel, process, va, access, instruction_va);
}

struct process *kernel_fault_long(struct kernel *kernel, struct process *process, uint64_t va,
                                  enum fault_access access, uint64_t instruction_va)
{
    work_begin(kernel);
    uint16_t rights;
    uint32_t page = kernel_translate(kernel, process->index, va, &rights);
    process->resume = RESUME_EXACT;
    if ((access_right(access) & ~rights) == 0)
        return NULL;
    process->fault = (struct fault_record){va, instruction_va, access, page != 0};
    struct endpoint *pager = NULL;
    if (process->pager_present)
        pager = endpoint_find(kernel, process->pager_endpoint, process->pager_generation);
    if (pager == NULL)
        process_end(kernel, process, END_FAULT_NO_PAGER, 0, va);
    else
        fault_send(kernel, process, pager);
    return entry_end(kernel);
}

void kernel_exception(struct kernel *kernel, uint32_t vector, uint64_t instruction_va)
{
    if (kernel->halted)
        return;
    KERNEL_ASSERT(kernel->current != KERNEL_IDLE);
    work_begin(kernel);
    process_end(kernel, process_at(kernel, kernel->current), END_FAULT_INSTRUCTION, vector,
                instruction_va);
    kernel_settle(kernel);
}

void kernel_end_process(struct kernel *kernel, uint32_t index)
{
    if (kernel->halted)
        return;
    work_begin(kernel);
    process_end(kernel, process_at(kernel, index), END_FAULT_INSTRUCTION, 0, 0);
    kernel_settle(kernel);
}

/* A pager that refuses the message itself is no pager for this fault. */
static bool fault_refused(const struct message_header *header)
{
    return header->operation == OP_EVENT_FAULT && header->status != STATUS_OK &&
           header->status < STATUS_COUNT && header->body_bytes == 0 && header->cap_count == 0;
}

/* RESOLVED without a reason, END with one that a pager may give, or a refusal. */
static bool verdict_read(const struct message *message, struct event_fault_reply *reply)
{
    if (fault_refused(&message->header)) {
        *reply = (struct event_fault_reply){.verdict = FAULT_END, .reason = END_FAULT_NO_PAGER};
        return true; /* E5 */
    }
    if (reply_decode(&event_fault_reply_type, message, reply) != STATUS_OK)
        return false;
    if (reply->verdict == FAULT_RESOLVED)
        return reply->reason == END_NONE;
    return reply->reason >= END_FAULT_OUTSIDE;
}

enum status fault_reply(struct kernel *kernel, struct process *holder, struct process **faulter)
{
    struct event_fault_reply reply;
    struct process *process = *faulter;
    if (!verdict_read(message_of(holder), &reply))
        return STATUS_INVALID_ARGUMENT;
    reply_capability_use(kernel, holder, process);
    process->fault_pending = false;
    if (reply.verdict == FAULT_RESOLVED)
        return STATUS_OK;
    *faulter = NULL;
    ready_prepend(kernel, process);
    process_end(kernel, process, (enum end_reason)reply.reason, 0, process->fault.va);
    return STATUS_OK;
}
