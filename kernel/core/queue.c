/* SPDX-License-Identifier: ISC */
/* Queues of ended processes; those of waiting ones are inline in internal.h. Decides nothing: who
 * stands where, and why, is the business of the files that own a queue. A process is in at most one
 * queue by its `links` and in at most one by its `event_links`. */
#include "kernel/core/internal.h"

void event_queue_append(const struct kernel *kernel, struct process_queue *queue,
                        struct process *process)
{
    process->event_links = (struct process_links){KERNEL_NONE, queue->last};
    if (queue->last == KERNEL_NONE)
        queue->first = process->index;
    else
        process_at(kernel, queue->last)->event_links.next = process->index;
    queue->last = process->index;
}

void event_queue_remove(const struct kernel *kernel, struct process_queue *queue,
                        struct process *process)
{
    struct process_links links = process->event_links;
    if (links.previous == KERNEL_NONE)
        queue->first = links.next;
    else
        process_at(kernel, links.previous)->event_links.next = links.next;
    if (links.next == KERNEL_NONE)
        queue->last = links.previous;
    else
        process_at(kernel, links.next)->event_links.previous = links.previous;
    process->event_links = (struct process_links){KERNEL_NONE, KERNEL_NONE};
}
