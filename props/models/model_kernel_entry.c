/* SPDX-License-Identifier: ISC */
/* The entries of the kernel as the model does them: syscalls, faults, exceptions, the clock and
 * preemption, as kernel.h states them. */
#include "props/models/model_kernel.h"

void model_kernel_begin(struct model_kernel *model)
{
    model->control = false;
    model->verdict = STATUS_OK;
    model->changed = false;
    model->events_delivered = 0;
    model->refused_at_delivery = 0;
    model->translations_lost = 0;
}

void model_kernel_syscall(struct model_kernel *model, uint32_t number, uint32_t slot,
                          uint64_t deadline, uint32_t reply_slot)
{
    model_kernel_begin(model);
    if (model->halted)
        return;
    uint32_t process = model->current;
    enum status status = STATUS_INVALID_ARGUMENT;
    if (number == SYSCALL_CALL)
        status = model_call(model, slot, deadline);
    else if (number == SYSCALL_RECV)
        status = model_receive(model, slot, deadline);
    else if (number == SYSCALL_REPLY)
        status = model_reply(model, slot);
    else if (number == SYSCALL_REPLY_RECV)
        status = model_reply_receive(model, reply_slot, slot, deadline);
    struct model_kernel_process *caller = model_at(model, process);
    if (caller->life == MODEL_LIFE_RUNS) {
        caller->result = status;
        caller->result_known = true;
    }
    model_settle(model);
}

void model_kernel_fault(struct model_kernel *model, uint64_t va, uint32_t access,
                        uint64_t instruction_va)
{
    static const uint16_t wanted[] = {RIGHT_READ, RIGHT_WRITE, RIGHT_EXECUTE};
    model_kernel_begin(model);
    if (model->halted)
        return;
    uint32_t index = model->current;
    struct model_kernel_process *process = model_at(model, index);
    const struct model_map *map = model_map_find(model, index, va);
    process->result_known = false;
    uint16_t message_page = RIGHT_READ | RIGHT_WRITE;
    uint16_t rights = va / PAGE_BYTES == MESSAGE_PAGE_VA / PAGE_BYTES ? message_page
                      : map != NULL                                   ? map->rights
                                                                      : 0;
    if ((rights & wanted[access]) != 0)
        return;
    process->fault_va = va;
    process->fault_instruction = instruction_va;
    process->fault_access = access;
    process->fault_present = rights != 0;
    if (process->pager == MODEL_NONE || !model->endpoints[process->pager].live) {
        model_end(model, index, END_FAULT_NO_PAGER, 0, va);
        model_settle(model);
        return;
    }
    process->faults = true;
    model->current = MODEL_NONE;
    model->changed = true;
    if (model->endpoints[process->pager].receivers.count != 0) {
        uint32_t pager = model_receiver_take(model, process->pager);
        model_fault_deliver(model, index, pager);
        model_switch(model, pager, true);
    } else {
        process->life = MODEL_LIFE_SENDS;
        process->waits_on = process->pager;
        model_bands_settle(model);
        model_queue_add(&model->endpoints[process->pager].senders, index);
    }
    model_settle(model);
}

void model_kernel_exception(struct model_kernel *model, uint32_t vector, uint64_t instruction_va)
{
    model_kernel_begin(model);
    if (model->halted)
        return;
    model_end(model, model->current, END_FAULT_INSTRUCTION, vector, instruction_va);
    model_settle(model);
}

/* The core wakes no more than an entry may: who is left waits until the next one. */
static uint32_t next_expired(const struct model_kernel *model)
{
    uint64_t next = model_next_deadline(model);
    uint32_t found = MODEL_NONE;
    if (next > model->now || model_deadlines(model) <= model->luck.deadlines)
        return MODEL_NONE;
    for (uint32_t i = 0; i < model->process_count; i++) {
        const struct model_kernel_process *process = &model->processes[i];
        bool waits = process->life == MODEL_LIFE_SENDS || process->life == MODEL_LIFE_RECEIVES ||
                     process->life == MODEL_LIFE_CALLS;
        if (waits && !process->faults && process->deadline == next &&
            (found == MODEL_NONE || process->real_index < model->processes[found].real_index))
            found = i;
    }
    return found;
}

void model_kernel_timer(struct model_kernel *model, uint64_t now)
{
    model_kernel_begin(model);
    if (model->halted)
        return;
    if (now > model->now)
        model->now = now;
    for (uint32_t i = next_expired(model); i != MODEL_NONE; i = next_expired(model)) {
        struct model_kernel_process *process = model_at(model, i);
        if (process->life == MODEL_LIFE_RECEIVES) {
            process->info.now_ticks = model->now;
            process->info_open = true;
        }
        model_detach(model, i);
        model_wake(model, i, STATUS_TIMED_OUT);
    }
    model_settle(model);
}

void model_kernel_preempt(struct model_kernel *model)
{
    model_kernel_begin(model);
    if (model->halted || model->current == MODEL_NONE)
        return;
    uint32_t current = model->current;
    uint32_t band = model_band(model, current);
    uint32_t next = model_next(model);
    if (next == MODEL_NONE || model_at(model, next)->runs_in != band)
        return;
    model_run_last(model, current);
    model->current = MODEL_NONE;
    model->changed = true;
    model_settle(model);
}
