/* SPDX-License-Identifier: ISC */
/* Who runs, and who waited long enough. Decides the order of the run queues and of deadlines;
 * direct switches (ipc.c, fault.c) pass by it. Finding the next process takes the same few steps
 * however many there are. The heap of deadlines is ordered by (deadline, index), so that the order
 * of wake-ups is a function of the message history alone. */
#include "kernel/core/ipc.h"

/* --- deadlines -------------------------------------------------------------------------------- */

static bool deadline_before(const struct kernel *kernel, uint32_t a, uint32_t b)
{
    uint64_t ticks_a = process_at(kernel, a)->deadline_ticks;
    uint64_t ticks_b = process_at(kernel, b)->deadline_ticks;
    return ticks_a < ticks_b || (ticks_a == ticks_b && a < b);
}

static void heap_place(struct kernel *kernel, uint32_t position, uint16_t index)
{
    kernel->deadlines[position] = index;
    process_at(kernel, index)->heap_position = (uint16_t)(position + 1);
}

static void heap_rise(struct kernel *kernel, uint32_t position)
{
    uint16_t index = kernel->deadlines[position];
    while (position > 0) {
        uint32_t parent = (position - 1) / 2;
        if (!deadline_before(kernel, index, kernel->deadlines[parent]))
            break;
        heap_place(kernel, position, kernel->deadlines[parent]);
        position = parent;
    }
    heap_place(kernel, position, index);
}

static void heap_sink(struct kernel *kernel, uint32_t position)
{
    uint16_t index = kernel->deadlines[position];
    for (;;) {
        uint32_t child = 2 * position + 1;
        if (child >= kernel->deadline_count)
            break;
        if (child + 1 < kernel->deadline_count &&
            deadline_before(kernel, kernel->deadlines[child + 1], kernel->deadlines[child]))
            child++;
        if (!deadline_before(kernel, kernel->deadlines[child], index))
            break;
        heap_place(kernel, position, kernel->deadlines[child]);
        position = child;
    }
    heap_place(kernel, position, index);
}

void deadline_insert(struct kernel *kernel, struct process *process, uint64_t ticks)
{
    KERNEL_ASSERT(process->heap_position == 0);
    process->deadline_ticks = ticks;
    kernel->deadlines[kernel->deadline_count] = process->index;
    heap_rise(kernel, kernel->deadline_count++);
}

void deadline_remove(struct kernel *kernel, struct process *process)
{
    uint32_t position = process->heap_position - 1u;
    process->heap_position = 0;
    uint16_t last = kernel->deadlines[--kernel->deadline_count];
    if (last == process->index)
        return;
    kernel->deadlines[position] = last;
    heap_rise(kernel, position);
    heap_sink(kernel, process_at(kernel, last)->heap_position - 1u);
}

uint64_t kernel_next_deadline(const struct kernel *kernel)
{
    if (kernel->deadline_count == 0)
        return DEADLINE_NEVER;
    return process_at(kernel, kernel->deadlines[0])->deadline_ticks;
}

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
    return kernel->deadline_count != 0 && kernel_next_deadline(kernel) <= kernel->now_ticks;
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
        deadline_expire(kernel, process_at(kernel, kernel->deadlines[0]));
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
