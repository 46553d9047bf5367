/* SPDX-License-Identifier: ISC */
/* Life of a process: staged, running, ended, retired. Decides what is given back when, and who
 * learns of an end; never why a process should end. A process that has ended stays in the run queue
 * and tears itself down in pieces when it is its turn, before those that wait to run: ends that
 * cause ends are never nested, and none of them holds up the others for long (K8). */
#include "kernel/core/cspace.h"
#include "kernel/core/vspace.h"

bool process_table_full(const struct kernel *kernel)
{
    return kernel->process_count == PROCESS_LIMIT;
}

/* --- creation --------------------------------------------------------------------------------- */

static uint16_t index_take(struct kernel *kernel)
{
    KERNEL_ASSERT(!process_table_full(kernel));
    kernel->process_count++;
    uint16_t index = kernel->process_free;
    if (index == KERNEL_NONE)
        return (uint16_t)kernel->process_high++;
    kernel->process_free = kernel->processes[index].next_free;
    return index;
}

/* The record page: the first page of the budget, drawn before there is a record to charge. */
static struct process *record_create(struct kernel *kernel, const struct process_plan *plan)
{
    uint16_t index = index_take(kernel);
    struct untyped *pool = &kernel->untypeds[plan->untyped];
    pool->budgeted_pages += plan->budget_pages;
    uint32_t page = memory_draw_record(kernel, plan->untyped, index);
    kernel->processes[index].record_page = page;
    struct process *process = machine_page(page);
    process->index = index;
    process->call_sequence = kernel->processes[index].call_sequence;
    process->untyped = (uint16_t)plan->untyped;
    process->budget_pages = plan->budget_pages;
    process->drawn_pages = 1;
    return process;
}

static void record_init(struct process *process, uint64_t generation,
                        const struct process_plan *plan)
{
    process->life = LIFE_STAGED;
    process->resume = RESUME_START;
    for (unsigned kind = 0; kind < QUEUE_KIND_COUNT; kind++)
        process->links[kind] = (struct process_links){KERNEL_NONE, KERNEL_NONE};
    process->holder = KERNEL_NONE;
    process->callers = queue_empty();
    memset(process->reply_free, 0xFF, sizeof process->reply_free);
    process->reply_free_words = (1u << SLOT_REPLY_COUNT / REPLY_WORD_SLOTS) - 1;
    process->client = KERNEL_NONE;
    process->lends_to = KERNEL_NONE;
    process->band = plan->band;
    process->band_claims = band_claim(plan->band);
    process->flags = plan->flags;
    process->event_endpoint = plan->event_endpoint;
    process->event_generation = plan->event_generation;
    process->event_token = plan->event_token;
    endpoint_init(&process->service, generation);
}

static void own_slots_fill(struct kernel *kernel, struct process *process)
{
    struct capability self = {.object_type = OBJECT_KERNEL_SELF, .rights = RIGHT_CONTROL};
    struct capability endpoint = {
        .object_type = OBJECT_ENDPOINT,
        .rights = RIGHT_SEND | RIGHT_RECEIVE | RIGHT_TRANSFER,
        .object = process->index,
        .generation = process->service.generation,
    };
    cspace_put(kernel, process, SLOT_SELF, self);
    cspace_put(kernel, process, SLOT_SERVICE_ENDPOINT, endpoint);
}

struct process *process_create(struct kernel *kernel, const struct process_plan *plan)
{
    KERNEL_ASSERT(plan->budget_pages >= KERNEL_PROCESS_PAGES);
    struct process *process = record_create(kernel, plan);
    record_init(process, kernel->processes[process->index].generation, plan);
    process->cspace_page = memory_draw(kernel, process, PAGE_CSPACE_ROOT);
    process->message_page = memory_draw(kernel, process, PAGE_MESSAGE);
    process->vspace_page = memory_draw(kernel, process, PAGE_TABLE);
    machine_vspace_init(process->vspace_page);
    enum status status = cspace_reserve(kernel, process, SLOT_SELF, 2);
    KERNEL_ASSERT(status == STATUS_OK);
    struct vspace_range range = vspace_range_find(process, MESSAGE_PAGE_VA, 1);
    status = vspace_reserve(kernel, process, &range);
    KERNEL_ASSERT(status == STATUS_OK);
    mapping_add(process, &range, process->message_page, RIGHT_READ | RIGHT_WRITE);
    own_slots_fill(kernel, process);
    return process;
}

/* --- ending ----------------------------------------------------------------------------------- */

void process_detach(struct kernel *kernel, struct process *process)
{
    deadline_clear(kernel, process);
    kernel->unsettled = true;
    switch ((enum process_life)process->life) {
    case LIFE_READY:
        ready_remove(kernel, process);
        return;
    case LIFE_CURRENT:
        process_leave(kernel, process);
        return;
    case LIFE_SENDING:
        sender_lends_not(kernel, process);
        queue_remove(kernel, &endpoint_at(kernel, process->endpoint)->senders, process);
        return;
    case LIFE_RECEIVING:
        queue_remove(kernel, &endpoint_at(kernel, process->endpoint)->receivers, process);
        return;
    case LIFE_CALLING:
        reply_capability_use(kernel, process_at(kernel, process->holder), process); /* K10 */
        return;
    case LIFE_ENDING:
        loan_end(kernel, process);
        return;
    case LIFE_FREE:
    case LIFE_STAGED:
    case LIFE_ENDED:
        return;
    }
}

/* Nobody reaches it any more; it goes on as kernel_work does. */
static void ending_start(struct kernel *kernel, struct process *process, enum ending_kind kind)
{
    work_orphan(kernel, process);
    process->ending = (uint8_t)kind;
    process->resume = RESUME_WORK;
    process->service.live = false;
    if (process->life == LIFE_CURRENT)
        return;
    process_detach(kernel, process);
    ready_prepend(kernel, process);
}

/* rootd's end is the system's: it stays where a machine can look at it, and never runs again. */
static void root_end(struct kernel *kernel, struct process *root, enum end_reason reason,
                     uint32_t code)
{
    ready_prepend(kernel, root);
    kernel_halt(kernel, reason == END_EXITED ? code : KERNEL_HALT_ROOT_FAULT);
}

void process_end(struct kernel *kernel, struct process *process, enum end_reason reason,
                 uint32_t code, uint64_t fault_va)
{
    if (process_has_ended(process))
        return;
    process->end_reason = reason;
    process->end_code = code;
    process->end_fault_va = fault_va;
    if (process->index != KERNEL_ROOT_PROCESS) {
        life_report(kernel, process, LIFE_REPORT_ENDED);
        ending_start(kernel, process, ENDING_TERMINAL);
        return;
    }
    process_detach(kernel, process);
    root_end(kernel, process, reason, code);
}

void process_abort(struct kernel *kernel, struct process *process)
{
    ending_start(kernel, process, ENDING_ABORT);
}

void process_abort_by_caller(struct process *process)
{
    process->life = LIFE_ENDING;
    process->ending = ENDING_ABORT;
    process->service.live = false;
}

void wait_lost(struct kernel *kernel, struct process *process)
{
    if (process->fault_pending) {
        process_end(kernel, process, END_FAULT_NO_PAGER, 0, process->fault.va);
        return;
    }
    process_detach(kernel, process);
    process_wake(kernel, process, STATUS_PEER_DIED);
}

/* --- giving back ------------------------------------------------------------------------------ */

/* One step, in the order in which others have to wait for it. False: only the record is left. */
static bool tear_down_step(struct kernel *kernel, struct process *process)
{
    if (!kernel->driver_endpoint.live && endpoint_drain_step(kernel, &kernel->driver_endpoint))
        return true;
    if (endpoint_drain_step(kernel, &process->service))
        return true;
    if (process->callers.first != KERNEL_NONE) {
        work_count(kernel, 3);
        wait_lost(kernel, process_at(kernel, process->callers.first)); /* E5 */
    } else if (process->cspace_page != 0) {
        cspace_destroy_step(kernel, process);
    } else if (process->vspace_page != 0) {
        vspace_destroy_step(kernel, process);
    } else if (process->message_page != 0) {
        memory_return(kernel, process, process->message_page, false);
        process->message_page = 0;
    } else {
        return false;
    }
    return true;
}

bool process_tear_down(struct kernel *kernel, struct process *process)
{
    while (work_may(kernel)) {
        if (!tear_down_step(kernel, process)) {
            KERNEL_ASSERT(process->mapped_pages == 0 && process->drawn_pages == 1);
            return true;
        }
    }
    return false;
}

static void process_free(struct kernel *kernel, struct process *process)
{
    struct process_entry *entry = &kernel->processes[process->index];
    uint16_t index = process->index;
    uint16_t untyped = process->untyped;
    life_report(kernel, process, LIFE_REPORT_GONE);
    process->life = LIFE_FREE;
    entry->call_sequence = process->call_sequence;
    memory_return(kernel, process, entry->record_page, false);
    KERNEL_ASSERT(process->drawn_pages == 0);
    kernel->untypeds[untyped].budgeted_pages -= process->budget_pages; /* K5 */
    entry->record_page = 0;
    entry->generation++; /* K3 */
    entry->next_free = kernel->process_free;
    kernel->process_free = index;
    kernel->process_count--;
    untyped_sweep(kernel, untyped);
}

void process_retire(struct kernel *kernel, struct process *process)
{
    if (process->event_generation != EVENT_UNWANTED) {
        struct endpoint *endpoint = endpoint_at(kernel, process->event_endpoint);
        struct process_queue *queue =
            process->event_delivered ? &endpoint->delivered : &endpoint->events;
        event_queue_remove(kernel, queue, process->index);
    }
    process_free(kernel, process);
}

void process_finish_ending(struct kernel *kernel, struct process *process)
{
    bool told = endpoint_find(kernel, process->event_endpoint, process->event_generation) != NULL;
    if (process->ending == ENDING_ABORT || !told) {
        process_free(kernel, process);
        return;
    }
    process->life = LIFE_ENDED;
    endpoint_post_event(kernel, process);
}
