/* SPDX-License-Identifier: ISC */
/* Queues of processes, linked by index through their records. Decides nothing: who stands where,
 * and why, is the business of the files that own a queue. A process is in at most one queue by its
 * `links` and in at most one, that of ended processes, by its `event_links`. Inline, as all that a
 * round trip of CALL and REPLY passes through. */
#ifndef BASALT_KERNEL_CORE_QUEUE_H
#define BASALT_KERNEL_CORE_QUEUE_H

#include "kernel/core/kernel.h"

/* The record at an index that is in use. */
static inline struct process *process_at(const struct kernel *kernel, uint32_t index)
{
    return machine_page(kernel->processes[index].record_page);
}

static inline struct process_queue queue_empty(void)
{
    return (struct process_queue){KERNEL_NONE, KERNEL_NONE};
}

/* --- by either pair of links ----------------------------------------------------------------- */

enum queue_links { QUEUE_WAITING, QUEUE_EVENTS };

static inline struct process_links *queue_links(struct process *process, enum queue_links which)
{
    return which == QUEUE_WAITING ? &process->links : &process->event_links;
}

static inline void queue_link_last(const struct kernel *kernel, struct process_queue *queue,
                                   struct process *process, enum queue_links which)
{
    *queue_links(process, which) = (struct process_links){KERNEL_NONE, queue->last};
    if (queue->last == KERNEL_NONE)
        queue->first = process->index;
    else
        queue_links(process_at(kernel, queue->last), which)->next = process->index;
    queue->last = process->index;
}

static inline void queue_unlink(const struct kernel *kernel, struct process_queue *queue,
                                struct process *process, enum queue_links which)
{
    struct process_links links = *queue_links(process, which);
    if (links.previous == KERNEL_NONE)
        queue->first = links.next;
    else
        queue_links(process_at(kernel, links.previous), which)->next = links.next;
    if (links.next == KERNEL_NONE)
        queue->last = links.previous;
    else
        queue_links(process_at(kernel, links.next), which)->previous = links.previous;
    *queue_links(process, which) = (struct process_links){KERNEL_NONE, KERNEL_NONE};
}

/* --- of waiting processes -------------------------------------------------------------------- */

static inline void queue_append(const struct kernel *kernel, struct process_queue *queue,
                                struct process *process)
{
    queue_link_last(kernel, queue, process, QUEUE_WAITING);
}

static inline void queue_prepend(const struct kernel *kernel, struct process_queue *queue,
                                 struct process *process)
{
    process->links = (struct process_links){queue->first, KERNEL_NONE};
    if (queue->first == KERNEL_NONE)
        queue->last = process->index;
    else
        process_at(kernel, queue->first)->links.previous = process->index;
    queue->first = process->index;
}

static inline void queue_remove(const struct kernel *kernel, struct process_queue *queue,
                                struct process *process)
{
    queue_unlink(kernel, queue, process, QUEUE_WAITING);
}

/* --- of ended processes ---------------------------------------------------------------------- */

static inline void event_queue_append(const struct kernel *kernel, struct process_queue *queue,
                                      struct process *process)
{
    queue_link_last(kernel, queue, process, QUEUE_EVENTS);
}

static inline void event_queue_remove(const struct kernel *kernel, struct process_queue *queue,
                                      struct process *process)
{
    queue_unlink(kernel, queue, process, QUEUE_EVENTS);
}

#endif
