/* SPDX-License-Identifier: ISC */
/* Who has waited long enough first: by (deadline, index), so that the order of wake-ups is a function
 * of the message history alone. Decides nothing else.
 *
 * Nearly all deadlines are of calls that are answered at once, the last ones made first, while others
 * wait for long. The last few therefore stand in a row of their own, where setting and clearing one
 * takes the same few steps however many wait; what is pushed out of the row, the oldest first, goes
 * into a binary heap. Whoever asks for the nearest deadline, which only the timer does, looks at
 * the heap's first and at the whole row. */
#include "kernel/core/internal.h"

enum { RECENT_FIRST = PROCESS_LIMIT }; /* where the row begins in kernel->deadlines */

bool deadline_before(const struct kernel *kernel, uint32_t a, uint32_t b)
{
    uint64_t ticks_a = process_at(kernel, a)->deadline_ticks;
    uint64_t ticks_b = process_at(kernel, b)->deadline_ticks;
    return ticks_a < ticks_b || (ticks_a == ticks_b && a < b);
}

/* So many are in the heap. */
static uint32_t heap_count(const struct kernel *kernel)
{
    return kernel->deadline_count - kernel->recent_count;
}

static void place(struct kernel *kernel, uint32_t position, uint16_t index)
{
    kernel->deadlines[position] = index;
    process_at(kernel, index)->deadline_position = (uint16_t)(position + 1);
}

static void heap_rise(struct kernel *kernel, uint32_t position)
{
    uint16_t index = kernel->deadlines[position];
    while (position > 0) {
        uint32_t parent = (position - 1) / 2;
        if (!deadline_before(kernel, index, kernel->deadlines[parent]))
            break;
        place(kernel, position, kernel->deadlines[parent]);
        position = parent;
    }
    place(kernel, position, index);
}

static void heap_sink(struct kernel *kernel, uint32_t position)
{
    uint16_t index = kernel->deadlines[position];
    for (;;) {
        uint32_t child = 2 * position + 1;
        if (child >= heap_count(kernel))
            break;
        if (child + 1 < heap_count(kernel) &&
            deadline_before(kernel, kernel->deadlines[child + 1], kernel->deadlines[child]))
            child++;
        if (!deadline_before(kernel, kernel->deadlines[child], index))
            break;
        place(kernel, position, kernel->deadlines[child]);
        position = child;
    }
    place(kernel, position, index);
}

static void heap_remove(struct kernel *kernel, uint32_t position)
{
    uint16_t last = kernel->deadlines[heap_count(kernel) - 1];
    kernel->deadline_count--;
    if (position == heap_count(kernel))
        return;
    kernel->deadlines[position] = last;
    heap_rise(kernel, position);
    heap_sink(kernel, process_at(kernel, last)->deadline_position - 1u);
}

/* Takes one out of the row; the younger ones move up. */
static void recent_remove(struct kernel *kernel, uint32_t position)
{
    uint32_t end = RECENT_FIRST + kernel->recent_count--;
    for (position++; position < end; position++)
        place(kernel, position - 1, kernel->deadlines[position]);
}

/* Makes room in the row: the oldest goes into the heap. */
static void recent_settle(struct kernel *kernel)
{
    uint16_t oldest = kernel->deadlines[RECENT_FIRST];
    recent_remove(kernel, RECENT_FIRST);
    place(kernel, heap_count(kernel) - 1, oldest);
    heap_rise(kernel, heap_count(kernel) - 1);
}

void deadline_insert(struct kernel *kernel, struct process *process, uint64_t ticks)
{
    KERNEL_ASSERT(process->deadline_position == 0);
    process->deadline_ticks = ticks;
    if (kernel->recent_count == KERNEL_RECENT_DEADLINES)
        recent_settle(kernel);
    place(kernel, RECENT_FIRST + kernel->recent_count++, process->index);
    kernel->deadline_count++;
}

void deadline_remove(struct kernel *kernel, struct process *process)
{
    uint32_t position = process->deadline_position - 1u;
    process->deadline_position = 0;
    if (position < RECENT_FIRST) {
        heap_remove(kernel, position);
    } else {
        kernel->deadline_count--;
        recent_remove(kernel, position);
    }
}

uint16_t deadline_first(const struct kernel *kernel)
{
    uint16_t first = heap_count(kernel) != 0 ? kernel->deadlines[0] : KERNEL_NONE;
    for (uint32_t i = 0; i < kernel->recent_count; i++) {
        uint16_t recent = kernel->deadlines[RECENT_FIRST + i];
        if (first == KERNEL_NONE || deadline_before(kernel, recent, first))
            first = recent;
    }
    return first;
}

uint64_t kernel_next_deadline(const struct kernel *kernel)
{
    uint16_t first = deadline_first(kernel);
    return first == KERNEL_NONE ? DEADLINE_NEVER : process_at(kernel, first)->deadline_ticks;
}
