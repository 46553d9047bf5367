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
    uint32_t band;     /* KERNEL_NONE: not asked */
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
        CHECK(expected.band == KERNEL_NONE || process_band(process) == expected.band,
              "a process is ready in another band than it runs in"); /* K7 */
        previous = i;
        i = process->links[QUEUE_WAITING].next;
        CHECK(++*count <= PROCESS_LIMIT, "a queue is a ring");
    }
    CHECK(queue.last == previous, "a queue's last is not the last");
    return NULL;
}

static const char *line_check(struct kernel *kernel, uint32_t line, uint32_t endpoint,
                              bool delivered)
{
    const struct interrupt *interrupt = &kernel->interrupts[line];
    CHECK(interrupt->endpoint == endpoint, "a line stands at another endpoint than it says");
    CHECK((interrupt->state == INTERRUPT_PENDING) == !delivered,
          "a line stands in the wrong queue of its endpoint");
    CHECK((kernel->check_lines >> line & 1) == 0, "a line is in two queues");
    kernel->check_lines |= 1u << line;
    return NULL;
}

/* A line that is bound was found in a queue, and one that is not has nothing. */
static const char *lines_check(struct kernel *kernel)
{
    uint32_t found = kernel->check_lines;
    kernel->check_lines = 0;
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++) {
        const struct interrupt *interrupt = &kernel->interrupts[line];
        bool bound = interrupt->endpoint != KERNEL_NONE;
        CHECK((found >> line & 1) == bound, "a line is bound and in no queue");
        CHECK(bound || (interrupt->masked && interrupt->state == INTERRUPT_IDLE &&
                        links_are_ends(&interrupt->links)),
              "a line that is bound to nobody is not masked and idle");
    }
    return NULL;
}

static const char *event_check(const struct kernel *kernel, uint32_t index, uint32_t endpoint,
                               bool delivered, uint32_t *count)
{
    const struct process *process = kernel_process(kernel, index);
    CHECK(process != NULL, "an event queue names a free process");
    CHECK(process->life == LIFE_ENDED && process->event_delivered == delivered &&
              process->event_endpoint == endpoint,
          "an event queue holds an event that does not belong there");
    CHECK(++*count <= PROCESS_LIMIT, "an event queue is a ring");
    return NULL;
}

static const char *event_queue_check(struct kernel *kernel, struct process_queue queue,
                                     uint32_t endpoint, bool delivered, uint32_t *count)
{
    uint16_t previous = KERNEL_NONE;
    for (uint16_t i = queue.first; i != KERNEL_NONE; i = event_next(kernel, i)) {
        const char *wrong = event_is_line(i)
                                ? line_check(kernel, i - KERNEL_INTERRUPT_NAME, endpoint, delivered)
                                : event_check(kernel, i, endpoint, delivered, count);
        if (wrong != NULL)
            return wrong;
        CHECK(event_links(kernel, i)->previous == previous,
              "an event queue's links do not run both ways");
        previous = i;
    }
    CHECK(queue.last == previous, "an event queue's last is not the last");
    return NULL;
}

static const char *endpoint_check(struct kernel *kernel, const struct endpoint *endpoint,
                                  uint32_t id, uint32_t *waiting, uint32_t *ended)
{
    const char *wrong =
        queue_check(kernel, endpoint->senders,
                    (struct expected){LIFE_SENDING, id, KERNEL_NONE, KERNEL_NONE}, waiting);
    if (wrong == NULL)
        wrong =
            queue_check(kernel, endpoint->receivers,
                        (struct expected){LIFE_RECEIVING, id, KERNEL_NONE, KERNEL_NONE}, waiting);
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
    bool ending = id != KERNEL_DRIVER_ENDPOINT && process_at(kernel, id)->ending != ENDING_NONE;
    CHECK(endpoint->live || empty || ending || id == KERNEL_DRIVER_ENDPOINT,
          "a destroyed endpoint keeps processes");
    return NULL;
}

/* --- deadlines -------------------------------------------------------------------------------- */

/* Whether one stands at the place that its record names, waits, and has not waited long enough. */
static const char *deadline_check(const struct kernel *kernel, uint32_t position)
{
    const struct process *process = kernel_process(kernel, kernel->deadlines[position]);
    CHECK(process != NULL && process->deadline_position == position + 1,
          "the deadlines and a record disagree");
    CHECK(process->life == LIFE_SENDING || process->life == LIFE_RECEIVING ||
              process->life == LIFE_CALLING,
          "a process that does not wait has a deadline");
    CHECK(process->deadline_ticks > kernel->now_ticks || kernel->wakes_due,
          "a deadline has passed unnoticed");
    return NULL;
}

static const char *deadline_heap_check(const struct kernel *kernel, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *wrong = deadline_check(kernel, i);
        if (wrong != NULL)
            return wrong;
        CHECK(i == 0 ||
                  !deadline_before(kernel, kernel->deadlines[i], kernel->deadlines[(i - 1) / 2]),
              "the deadline heap is no heap");
    }
    return NULL;
}

/* Each is in the heap or in the row, at one place: what a record names is there, and there are as
 * many records that name a place as there are deadlines. */
static const char *deadlines_check(const struct kernel *kernel)
{
    CHECK(kernel->recent_count <= KERNEL_RECENT_DEADLINES &&
              kernel->recent_count <= kernel->deadline_count &&
              kernel->deadline_count - kernel->recent_count <= PROCESS_LIMIT,
          "too many deadlines");
    const char *wrong = deadline_heap_check(kernel, kernel->deadline_count - kernel->recent_count);
    for (uint32_t i = 0; wrong == NULL && i < kernel->recent_count; i++)
        wrong = deadline_check(kernel, PROCESS_LIMIT + i);
    if (wrong != NULL)
        return wrong;
    uint32_t count = 0;
    for (uint32_t i = 0; i < kernel->process_high; i++) {
        const struct process *process = kernel_process(kernel, i);
        count += process != NULL && process->deadline_position != 0;
    }
    CHECK(count == kernel->deadline_count, "a record names a deadline that is nowhere");
    return NULL;
}

/* --- processes -------------------------------------------------------------------------------- */

static const char *process_check(struct kernel *kernel, uint32_t index, uint32_t *waiting,
                                 uint32_t *ended)
{
    const struct process *process = process_at(kernel, index);
    bool gone = process->life == LIFE_ENDED;
    CHECK(process->index == index, "a record lies at another index than it says");
    CHECK(process->life != LIFE_FREE, "a record in use is free");
    CHECK(process->life != LIFE_ENDING || process->ending == ENDING_ABORT,
          "a process is torn down that has not ended");
    CHECK((process->ending == ENDING_NONE && process->work.kind == WORK_NONE) || gone ||
              process->life == LIFE_ENDING || process->resume == RESUME_WORK,
          "a process runs on before its work is done");
    CHECK(process->life != LIFE_ENDED || process->event_generation != EVENT_UNWANTED,
          "an end that nobody is told of was kept");
    CHECK((process->life == LIFE_CURRENT) == (kernel->current == index),
          "the current process does not know it");
    bool whole = process->cspace_page != 0 && process->vspace_page != 0 &&
                 process->message_page != 0 && process->service.live;
    bool nothing = process->cspace_page == 0 && process->vspace_page == 0 &&
                   process->message_page == 0 && !process->service.live;
    CHECK(gone ? nothing : whole || process->ending != ENDING_NONE,
          "an ended process kept a part, or a live one lacks it");
    CHECK(process->drawn_pages <= process->budget_pages, "a budget is overdrawn"); /* K5 */
    const char *wrong = queue_check(
        kernel, process->callers,
        (struct expected){LIFE_CALLING, KERNEL_NONE, process->index, KERNEL_NONE}, waiting);
    if (wrong != NULL)
        return wrong;
    return endpoint_check(kernel, &process->service, index, waiting, ended);
}

/* --- who runs (K7) ---------------------------------------------------------------------------- */

/* Who tears a process down piece by piece; KERNEL_NONE: nobody. */
static uint32_t worker_of(const struct kernel *kernel, const struct process *process)
{
    for (uint32_t i = 0; i < kernel->process_high; i++) {
        const struct process *worker = kernel_process(kernel, i);
        if (worker != NULL && worker->work.kind == WORK_ABORT &&
            worker->work.object == process->index)
            return i;
    }
    return KERNEL_NONE;
}

/* Whom a process lends to, as its life says; KERNEL_NONE: nobody. */
static uint32_t borrower_of(const struct kernel *kernel, const struct process *process)
{
    if (process->life == LIFE_SENDING && process->endpoint != KERNEL_DRIVER_ENDPOINT)
        return process->endpoint;
    if (process->life == LIFE_ENDING)
        return worker_of(kernel, process);
    if (process->life == LIFE_CALLING &&
        process_at(kernel, process->holder)->client == process->index)
        return process->holder;
    return KERNEL_NONE;
}

static const char *lender_check(struct kernel *kernel, const struct process *process)
{
    uint32_t borrower = process->lends_to;
    uint64_t claim = band_claim(process_band(process));
    CHECK(borrower == borrower_of(kernel, process), "a process lends to the wrong one");
    if (process->life == LIFE_SENDING && process->endpoint == KERNEL_DRIVER_ENDPOINT) {
        kernel->check_driver_claims += claim;
        borrower = kernel->driver_endpoint.live ? (uint32_t)KERNEL_NONE : kernel->driver_drainer;
    }
    if (borrower != KERNEL_NONE)
        process_at(kernel, borrower)->check_claims += claim;
    if (process->client == KERNEL_NONE)
        return NULL;
    const struct process *client = kernel_process(kernel, process->client);
    CHECK(client != NULL && client->life == LIFE_CALLING && client->holder == process->index,
          "a process works for one that does not wait for it");
    return NULL;
}

static const char *lending_check(struct kernel *kernel)
{
    const char *wrong = NULL;
    for (uint32_t i = 0; i < kernel->process_high; i++) {
        const struct process *process = kernel_process(kernel, i);
        const char *lender = process == NULL ? NULL : lender_check(kernel, process);
        wrong = lender != NULL ? lender : wrong;
    }
    for (uint32_t i = 0; i < kernel->process_high; i++) {
        struct process *process = kernel_process(kernel, i);
        if (process == NULL)
            continue;
        if (process->check_claims + band_claim(process->band) != process->band_claims)
            wrong = "the bands that a process was lent are not those of its lenders";
        process->check_claims = 0;
    }
    if (kernel->check_driver_claims != kernel->driver_claims)
        wrong = "the bands at the driver endpoint are not those of who queues there";
    kernel->check_driver_claims = 0;
    return wrong;
}

/* Nobody who is ready waits for a lower band, and the last client of the chain pays. */
static const char *processor_check(const struct kernel *kernel)
{
    uint32_t current = kernel->current;
    uint32_t payer = current;
    CHECK(!kernel->unsettled, "an entry ended with somebody else to run");
    for (uint32_t i = 0; i < PROCESS_LIMIT && current != KERNEL_IDLE; i++) {
        if (process_at(kernel, payer)->client == KERNEL_NONE)
            break;
        payer = process_at(kernel, payer)->client;
    }
    CHECK(kernel->halted || kernel->payer == payer, "another process pays than the last client");
    uint32_t band = current == KERNEL_IDLE ? BAND_COUNT : process_band(process_at(kernel, current));
    for (uint32_t i = 0; i < band && !kernel->halted; i++)
        CHECK(kernel->ready[i].first == KERNEL_NONE, "a band waits for a lower one");
    return NULL;
}

static bool life_waits(uint8_t life)
{
    return life == LIFE_READY || life == LIFE_SENDING || life == LIFE_RECEIVING ||
           life == LIFE_CALLING;
}

/* Who is in no queue has the links of one that is alone: those that join and leave rely on it. */
static const char *links_check(const struct process *process)
{
    CHECK(life_waits(process->life) || links_are_ends(&process->links[QUEUE_WAITING]),
          "a process that waits in no queue has links");
    CHECK(process->life == LIFE_ENDED || links_are_ends(&process->links[QUEUE_EVENTS]),
          "a process that has not ended has links of an event");
    return NULL;
}

static const char *check_queues(struct kernel *kernel)
{
    uint32_t waiting = 0;
    uint32_t ended = 0;
    uint32_t in_use = 0;
    CHECK(kernel->current == KERNEL_IDLE || kernel_process(kernel, kernel->current) != NULL,
          "the current process does not exist");
    CHECK(kernel->work_done <= kernel_work_limit(kernel), "an entry did more than it may"); /* K8 */
    const char *wrong = processor_check(kernel);
    for (uint32_t band = 0; wrong == NULL && band < BAND_COUNT; band++)
        wrong =
            queue_check(kernel, kernel->ready[band],
                        (struct expected){LIFE_READY, KERNEL_NONE, KERNEL_NONE, band}, &waiting);
    if (wrong == NULL)
        wrong = lending_check(kernel);
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
        wrong = wrong == NULL ? links_check(process) : wrong;
    }
    if (wrong != NULL)
        return wrong;
    CHECK(waiting == 0, "a process waits in no queue, or in two");
    CHECK(ended == 0, "an ended process is in no event queue, or in two");
    wrong = lines_check(kernel);
    return wrong != NULL ? wrong : deadlines_check(kernel);
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
