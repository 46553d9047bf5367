/* SPDX-License-Identifier: ISC */
/* Who runs, and that who waited long enough is woken. Decides the order of the run queues; direct
 * switches (ipc.c, fault.c) pass by it. Finding the next process takes the same few steps however
 * many there are. */
#include "kernel/core/ipc.h"

/* --- the processor ---------------------------------------------------------------------------- */

void process_ready(struct kernel *kernel, struct process *process)
{
    kernel->unsettled = true;
    ready_prepend(kernel, process);
}

void process_wake(struct kernel *kernel, struct process *process, enum status status)
{
    process->result = status;
    process->resume = RESUME_RESULT;
    process_ready(kernel, process);
}

/* The first of the highest band that is above `band`; null: nobody is ready there. */
static struct process *ready_above(const struct kernel *kernel, uint32_t band)
{
    for (uint32_t i = 0; i < band; i++) {
        if (kernel->ready[i].first != KERNEL_NONE)
            return process_at(kernel, kernel->ready[i].first);
    }
    return NULL;
}

/* Nobody is current, or a higher band is ready (K7): who is next? */
static void processor_give(struct kernel *kernel)
{
    uint32_t band = BAND_COUNT;
    struct process *current = NULL;
    if (kernel->current != KERNEL_IDLE) {
        current = process_at(kernel, kernel->current);
        band = process_band(current);
    }
    struct process *next = ready_above(kernel, band);
    if (next != NULL) {
        if (current != NULL) {
            process_leave(kernel, current);
            ready_prepend(kernel, current);
        }
        ready_remove(kernel, next);
        process_enter(kernel, next);
        current = next;
    }
    kernel->payer = current == NULL ? KERNEL_IDLE : payer_of(kernel, current);
}

void kernel_settle_work(struct kernel *kernel)
{
    kernel->unsettled = false;
    if (!kernel->halted)
        processor_give(kernel);
}

void kernel_halt(struct kernel *kernel, uint32_t code)
{
    kernel->halted = true;
    kernel->halt_code = code;
    machine_halt(code);
}

/* --- entries ---------------------------------------------------------------------------------- */

static void deadline_expire(struct kernel *kernel, struct process *process)
{
    bool receiving = process->life == LIFE_RECEIVING;
    process_detach(kernel, process);
    process_wake(kernel, process, STATUS_TIMED_OUT);
    if (receiving)
        receive_info_write(kernel, process, 0, 0, 0);
    work_count(kernel, 3);
}

static void current_interrupted(struct kernel *kernel)
{
    if (kernel->current == KERNEL_IDLE)
        return;
    struct process *process = process_at(kernel, kernel->current);
    if (process->resume != RESUME_WORK)
        process->resume = RESUME_EXACT;
}

static bool deadline_due(const struct kernel *kernel)
{
    return kernel_next_deadline(kernel) <= kernel->now_ticks;
}

void kernel_timer(struct kernel *kernel, uint64_t now_ticks)
{
    if (kernel->halted)
        return;
    work_begin(kernel);
    current_interrupted(kernel);
    if (now_ticks > kernel->now_ticks)
        kernel->now_ticks = now_ticks;
    for (uint32_t i = 0; i < KERNEL_TIMER_WAKES_MAX && work_may(kernel) && deadline_due(kernel);
         i++)
        deadline_expire(kernel, process_at(kernel, deadline_first(kernel)));
    kernel->wakes_due = deadline_due(kernel);
    kernel_settle(kernel);
}

bool kernel_turn_can_end(const struct kernel *kernel)
{
    if (kernel->current == KERNEL_IDLE)
        return true;
    uint32_t band = process_band(process_at(kernel, kernel->payer));
    return process_band(process_at(kernel, kernel->current)) == band ||
           kernel->ready[band].first == KERNEL_NONE;
}

void kernel_preempt(struct kernel *kernel)
{
    if (kernel->halted || kernel->current == KERNEL_IDLE)
        return;
    current_interrupted(kernel);
    struct process *process = process_at(kernel, kernel->current);
    uint32_t band = process_band(process);
    if (kernel->ready[band].first == KERNEL_NONE)
        return;
    process_wait(kernel, process, LIFE_READY, &kernel->ready[band]);
    kernel_settle(kernel);
}
