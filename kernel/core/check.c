/* SPDX-License-Identifier: ISC */
/* Whole-state invariants, first part: processes, queues, deadlines, and the frame of the check.
 * Reads everything and changes nothing except its own counters, which are zero before and after. */
#include "kernel/core/check.h"

/* --- queues ----------------------------------------------------------------------------------- */

/* What a queue's members must have in common. */
struct expected {
    enum process_life life;
    uint32_t endpoint; /* KERNEL_NONE: not asked */
    uint32_t holder;   /* KERNEL_NONE: not asked */
};

/* Links run both ways, members are as expected; their number goes into *count. */
static const char *queue_check(const struct kernel *kernel, struct process_queue queue,
                               struct expected expected, uint32_t *count)
{
    uint16_t previous = KERNEL_NONE;
    for (uint16_t i = queue.first; i != KERNEL_NONE;) {
        const struct process *process = kernel_process(kernel, i);
        CHECK(process != NULL && process->index == i, "a queue names a free process");
        CHECK(process->links[QUEUE_WAITING].previous == previous,
              "a queue's links do not run both ways");
        CHECK(process->life == expected.life, "a process stands in a queue its life does not name");
        CHECK(expected.endpoint == KERNEL_NONE || process->endpoint == expected.endpoint,
              "a process waits at another endpoint than it says");
        CHECK(expected.holder == KERNEL_NONE || process->holder == expected.holder,
              "a caller waits for another holder than it says");
        previous = i;
        i = process->links[QUEUE_WAITING].next;
        CHECK(++*count <= PROCESS_LIMIT, "a queue is a ring");
    }
    CHECK(queue.last == previous, "a queue's last is not the last");
    return NULL;
}

static const char *event_queue_check(const struct kernel *kernel, struct process_queue queue,
                                     uint32_t endpoint, bool delivered, uint32_t *count)
{
    uint16_t previous = KERNEL_NONE;
    for (uint16_t i = queue.first; i != KERNEL_NONE;) {
        const struct process *process = kernel_process(kernel, i);
        CHECK(process != NULL, "an event queue names a free process");
        CHECK(process->links[QUEUE_EVENTS].previous == previous,
              "an event queue's links do not run both ways");
        CHECK(process->life == LIFE_ENDED && process->event_delivered == delivered &&
                  process->event_endpoint == endpoint,
              "an event queue holds an event that does not belong there");
        previous = i;
        i = process->links[QUEUE_EVENTS].next;
        CHECK(++*count <= PROCESS_LIMIT, "an event queue is a ring");
    }
    CHECK(queue.last == previous, "an event queue's last is not the last");
    return NULL;
}

static const char *endpoint_check(const struct kernel *kernel, const struct endpoint *endpoint,
                                  uint32_t id, uint32_t *waiting, uint32_t *ended)
{
    const char *wrong = queue_check(kernel, endpoint->senders,
                                    (struct expected){LIFE_SENDING, id, KERNEL_NONE}, waiting);
    if (wrong == NULL)
        wrong = queue_check(kernel, endpoint->receivers,
                            (struct expected){LIFE_RECEIVING, id, KERNEL_NONE}, waiting);
    if (wrong == NULL)
        wrong = event_queue_check(kernel, endpoint->events, id, false, ended);
    if (wrong == NULL)
        wrong = event_queue_check(kernel, endpoint->delivered, id, true, ended);
    if (wrong != NULL)
        return wrong;
    CHECK(endpoint->senders.first == KERNEL_NONE || endpoint->receivers.first == KERNEL_NONE,
          "an endpoint has senders and receivers waiting");
    CHECK(endpoint->events.first == KERNEL_NONE || endpoint->receivers.first == KERNEL_NONE,
          "an endpoint has an event and a receiver waiting");
    bool empty = endpoint->senders.first == KERNEL_NONE &&
                 endpoint->receivers.first == KERNEL_NONE &&
                 endpoint->events.first == KERNEL_NONE && endpoint->delivered.first == KERNEL_NONE;
    CHECK(endpoint->live || empty, "a destroyed endpoint keeps processes");
    return NULL;
}

/* --- deadlines -------------------------------------------------------------------------------- */

static const char *deadlines_check(const struct kernel *kernel)
{
    CHECK(kernel->deadline_count <= PROCESS_LIMIT, "too many deadlines");
    for (uint32_t i = 0; i < kernel->deadline_count; i++) {
        const struct process *process = kernel_process(kernel, kernel->deadlines[i]);
        CHECK(process != NULL && process->heap_position == i + 1,
              "the deadline heap and a record disagree");
        CHECK(process->life == LIFE_SENDING || process->life == LIFE_RECEIVING ||
                  process->life == LIFE_CALLING,
              "a process that does not wait has a deadline");
        CHECK(process->deadline_ticks > kernel->now_ticks, "a deadline has passed unnoticed");
        if (i == 0)
            continue;
        const struct process *parent = process_at(kernel, kernel->deadlines[(i - 1) / 2]);
        CHECK(parent->deadline_ticks <= process->deadline_ticks, "the deadline heap is no heap");
    }
    return NULL;
}

/* --- processes -------------------------------------------------------------------------------- */

static const char *process_check(const struct kernel *kernel, uint32_t index, uint32_t *waiting,
                                 uint32_t *ended)
{
    const struct process *process = process_at(kernel, index);
    bool gone = process->life == LIFE_ENDED;
    CHECK(process->index == index, "a record lies at another index than it says");
    CHECK(process->life != LIFE_FREE && process->life != LIFE_ENDING,
          "a record in use is free or ending between entries");
    CHECK((process->life == LIFE_CURRENT) == (kernel->current == index),
          "the current process does not know it");
    CHECK((process->cspace_page == 0) == gone && (process->vspace_page == 0) == gone &&
              (process->message_page == 0) == gone && process->service.live == !gone,
          "an ended process kept a part, or a live one lacks it");
    CHECK(process->drawn_pages <= process->budget_pages, "a budget is overdrawn"); /* K5 */
    const char *wrong =
        queue_check(kernel, process->callers,
                    (struct expected){LIFE_CALLING, KERNEL_NONE, process->index}, waiting);
    if (wrong != NULL)
        return wrong;
    return endpoint_check(kernel, &process->service, index, waiting, ended);
}

static bool life_waits(uint8_t life)
{
    return life == LIFE_READY || life == LIFE_SENDING || life == LIFE_RECEIVING ||
           life == LIFE_CALLING;
}

static const char *check_queues(const struct kernel *kernel)
{
    uint32_t waiting = 0;
    uint32_t ended = 0;
    uint32_t in_use = 0;
    CHECK(kernel->current == KERNEL_IDLE || kernel_process(kernel, kernel->current) != NULL,
          "the current process does not exist");
    CHECK(kernel->current != KERNEL_IDLE || kernel->halted || kernel->ready.first == KERNEL_NONE,
          "nobody runs although somebody could");
    CHECK(kernel->ending.first == KERNEL_NONE, "an end was left undone");
    const char *wrong = queue_check(
        kernel, kernel->ready, (struct expected){LIFE_READY, KERNEL_NONE, KERNEL_NONE}, &waiting);
    if (wrong == NULL)
        wrong = endpoint_check(kernel, &kernel->driver_endpoint, KERNEL_DRIVER_ENDPOINT, &waiting,
                               &ended);
    for (uint32_t i = 0; wrong == NULL && i < kernel->process_high; i++) {
        if (kernel->processes[i].record_page == 0)
            continue;
        in_use++;
        wrong = process_check(kernel, i, &waiting, &ended);
    }
    if (wrong != NULL)
        return wrong;
    CHECK(in_use == kernel->process_count, "the count of processes is wrong");
    for (uint32_t i = 0; i < kernel->process_high; i++) {
        const struct process *process = kernel_process(kernel, i);
        if (process == NULL)
            continue;
        waiting -= life_waits(process->life);
        ended -= process->life == LIFE_ENDED;
    }
    CHECK(waiting == 0, "a process waits in no queue, or in two");
    CHECK(ended == 0, "an ended process is in no event queue, or in two");
    return deadlines_check(kernel);
}

/* --- all -------------------------------------------------------------------------------------- */

const char *kernel_check(struct kernel *kernel)
{
    const char *wrong = check_queues(kernel);
    if (wrong == NULL)
        wrong = check_cspaces(kernel);
    if (wrong == NULL)
        wrong = check_memory(kernel);
    return wrong;
}
