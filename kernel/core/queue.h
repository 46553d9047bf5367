/* SPDX-License-Identifier: ISC */
/* Queues of processes, linked by index through their records. Decides nothing: who stands where,
 * and why, is the business of the files that own a queue. A process is in at most one queue of each
 * kind, and a line in at most one. Inline, as all that a round trip of CALL and REPLY passes through. */
#ifndef BASALT_KERNEL_CORE_QUEUE_H
#define BASALT_KERNEL_CORE_QUEUE_H

#include "kernel/core/kernel.h"

/* The record at an index that is in use. */
static inline struct process *process_at(const struct kernel *kernel, uint32_t index)
{
    return machine_page(kernel->processes[index].record_page);
}

static inline struct process_queue queue_of(uint16_t index)
{
    return (struct process_queue){index, index};
}

static inline struct process_queue queue_empty(void)
{
    return (struct process_queue){KERNEL_NONE, KERNEL_NONE};
}

/* Indices that lie together are asked for at once. */
_Static_assert(sizeof(struct process_queue) == sizeof(uint32_t), "first and last, nothing else");
_Static_assert(sizeof(struct process_links) == sizeof(uint32_t), "next and previous");

/* Of who is in a queue: whether it is alone there; or of who is in none. */
static inline bool links_are_ends(const struct process_links *links)
{
    uint32_t ends;
    __builtin_memcpy(&ends, links, sizeof ends);
    return ends == ((uint32_t)KERNEL_NONE << 16 | KERNEL_NONE);
}

/* Two queues that lie one after the other. */
static inline bool queues_are_empty(const struct process_queue *queues)
{
    uint64_t ends;
    __builtin_memcpy(&ends, queues, sizeof ends);
    return ends == UINT64_MAX;
}

/* --- of waiting processes -------------------------------------------------------------------- */

__attribute__((always_inline)) static inline void
queue_append(const struct kernel *kernel, struct process_queue *queue, struct process *process)
{
    uint16_t index = process->index;
    if (queue->last == KERNEL_NONE) { /* its links are those of one that is alone */
        *queue = queue_of(index);
        return;
    }
    process->links[QUEUE_WAITING].previous = queue->last;
    process_at(kernel, queue->last)->links[QUEUE_WAITING].next = index;
    queue->last = index;
}

static inline void queue_prepend(const struct kernel *kernel, struct process_queue *queue,
                                 struct process *process)
{
    process->links[QUEUE_WAITING] = (struct process_links){queue->first, KERNEL_NONE};
    if (queue->first == KERNEL_NONE)
        queue->last = process->index;
    else
        process_at(kernel, queue->first)->links[QUEUE_WAITING].previous = process->index;
    queue->first = process->index;
}

__attribute__((always_inline)) static inline void
queue_remove(const struct kernel *kernel, struct process_queue *queue, struct process *process)
{
    if (links_are_ends(&process->links[QUEUE_WAITING])) {
        *queue = queue_empty();
        return;
    }
    struct process_links links = process->links[QUEUE_WAITING];
    if (links.previous == KERNEL_NONE)
        queue->first = links.next;
    else
        process_at(kernel, links.previous)->links[QUEUE_WAITING].next = links.next;
    if (links.next == KERNEL_NONE)
        queue->last = links.previous;
    else
        process_at(kernel, links.next)->links[QUEUE_WAITING].previous = links.previous;
    process->links[QUEUE_WAITING] = (struct process_links){KERNEL_NONE, KERNEL_NONE};
}

/* --- of events: ended processes, and lines --------------------------------------------------- */

static inline bool event_is_line(uint32_t name)
{
    return name >= KERNEL_INTERRUPT_NAME && name < KERNEL_INTERRUPT_NAME + INTERRUPT_LINE_COUNT;
}

static inline struct process_links *event_links(struct kernel *kernel, uint32_t name)
{
    if (event_is_line(name))
        return &kernel->interrupts[name - KERNEL_INTERRUPT_NAME].links;
    return &process_at(kernel, name)->links[QUEUE_EVENTS];
}

static inline uint16_t event_next(const struct kernel *kernel, uint32_t name)
{
    if (event_is_line(name))
        return kernel->interrupts[name - KERNEL_INTERRUPT_NAME].links.next;
    return process_at(kernel, name)->links[QUEUE_EVENTS].next;
}

static inline void event_queue_append(struct kernel *kernel, struct process_queue *queue,
                                      uint16_t name)
{
    if (queue->last == KERNEL_NONE) {
        *queue = queue_of(name);
        return;
    }
    event_links(kernel, name)->previous = queue->last;
    event_links(kernel, queue->last)->next = name;
    queue->last = name;
}

static inline void event_queue_remove(struct kernel *kernel, struct process_queue *queue,
                                      uint16_t name)
{
    struct process_links *place = event_links(kernel, name);
    struct process_links links = *place;
    if (links.previous == KERNEL_NONE)
        queue->first = links.next;
    else
        event_links(kernel, links.previous)->next = links.next;
    if (links.next == KERNEL_NONE)
        queue->last = links.previous;
    else
        event_links(kernel, links.next)->previous = links.previous;
    *place = (struct process_links){KERNEL_NONE, KERNEL_NONE};
}

#endif
