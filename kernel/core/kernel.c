/* SPDX-License-Identifier: ISC */
/* The entry for syscalls, and what machines and harnesses may look at. Decides only which of the
 * four syscalls it is. */
#include "kernel/core/cspace.h"

struct process *kernel_syscall(struct kernel *kernel, uint32_t number, uint32_t slot,
                               uint64_t deadline_ticks, uint32_t reply_slot)
{
    if (kernel->halted)
        return NULL;
    KERNEL_ASSERT(kernel->current != KERNEL_IDLE);
    struct process *process = process_at(kernel, kernel->current);
    if (number == SYSCALL_CALL)
        return kernel_call(slot, deadline_ticks, kernel, process);
    if (number == SYSCALL_REPLY_RECV)
        return kernel_reply_receive(slot, deadline_ticks, reply_slot, kernel, process);
    return kernel_syscall_long(slot, deadline_ticks, reply_slot, kernel, process, number);
}

struct process *entry_end(struct kernel *kernel)
{
    kernel_settle(kernel);
    if (kernel->current == KERNEL_IDLE)
        return NULL;
    struct process *process = process_at(kernel, kernel->current);
    return process->resume == RESUME_RESULT ? process : NULL;
}

struct process *kernel_syscall_long(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot,
                                    struct kernel *kernel, struct process *process, uint32_t number)
{
    process->resume = RESUME_RESULT;
    work_begin(kernel);
    if (number == SYSCALL_CALL)
        ipc_call(kernel, process, slot, deadline_ticks);
    else if (number == SYSCALL_RECV)
        ipc_receive(kernel, process, slot, deadline_ticks);
    else if (number == SYSCALL_REPLY)
        ipc_reply(kernel, process, slot);
    else if (number == SYSCALL_REPLY_RECV)
        ipc_reply_receive(kernel, process, reply_slot, slot, deadline_ticks);
    else
        process->result = STATUS_INVALID_ARGUMENT;
    return entry_end(kernel);
}

struct process *kernel_process(const struct kernel *kernel, uint32_t index)
{
    if (index >= PROCESS_LIMIT || kernel->processes[index].record_page == 0)
        return NULL;
    return process_at(kernel, index);
}

struct message *kernel_message(const struct kernel *kernel, uint32_t index)
{
    const struct process *process = kernel_process(kernel, index);
    if (process == NULL || process->message_page == 0)
        return NULL;
    return message_of(process);
}

struct receive_info *kernel_receive_info(const struct kernel *kernel, uint32_t index)
{
    struct message *message = kernel_message(kernel, index);
    if (message == NULL)
        return NULL;
    return (struct receive_info *)(void *)((uint8_t *)message + MESSAGE_PAGE_INFO_OFFSET);
}

void *kernel_machine_area(const struct kernel *kernel, uint32_t index)
{
    uint8_t *record = (uint8_t *)kernel_process(kernel, index);
    return record == NULL ? NULL : record + PROCESS_MACHINE_OFFSET;
}

const struct capability *kernel_slot(const struct kernel *kernel, uint32_t index, uint32_t slot)
{
    static const struct capability empty = {0};
    const struct process *process = kernel_process(kernel, index);
    if (process == NULL || process->cspace_page == 0 || slot >= SLOT_LIMIT)
        return NULL;
    const struct capability *cap = cspace_find(process, slot);
    return cap == NULL ? &empty : cap;
}
