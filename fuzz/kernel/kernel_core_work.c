/* SPDX-License-Identifier: ISC */
/* Work in pieces: what the core has left to do is told to the model, which does the rest itself. */
#include <string.h>

#include "fuzz/harness.h"
#include "fuzz/kernel/kernel_core.h"

/* --- what is left ----------------------------------------------------------------------------- */

/* Who stands behind one in a queue; in one of events lines do as well. */
static uint32_t next_of(uint32_t name, enum process_queue_kind kind)
{
    if (name >= KERNEL_INTERRUPT_NAME)
        return core.interrupts[name - KERNEL_INTERRUPT_NAME].links.next;
    return kernel_process(&core, name)->links[kind].next;
}

static uint32_t queue_length(struct process_queue queue, enum process_queue_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = queue.first; i != KERNEL_NONE && count < PROCESS_LIMIT; count++)
        i = next_of(i, kind);
    return count;
}

static uint32_t waiters(const struct endpoint *endpoint)
{
    return queue_length(endpoint->senders, QUEUE_WAITING) +
           queue_length(endpoint->receivers, QUEUE_WAITING) +
           queue_length(endpoint->events, QUEUE_EVENTS) +
           queue_length(endpoint->delivered, QUEUE_EVENTS);
}

/* As model_effects_left() counts. */
static uint32_t effects_left(const struct model_kernel_process *process, const struct process *real)
{
    uint32_t count = waiters(&core.driver_endpoint) + waiters(&real->service) +
                     queue_length(real->callers, QUEUE_WAITING);
    for (uint32_t i = 0; i < process->cap_count && real->cspace_page != 0; i++) {
        const struct capability *cap = kernel_slot(&core, real->index, process->caps[i].slot);
        count += cap->object_type != OBJECT_NONE;
    }
    return count;
}

/* Who queues where a RECV is asked again. */
static uint32_t senders_left(const struct process *real)
{
    const struct capability *cap = kernel_slot(&core, real->index, real->work.object);
    if (cap == NULL || cap->object_type != OBJECT_ENDPOINT)
        return 0;
    if (cap->object == KERNEL_DRIVER_ENDPOINT)
        return queue_length(core.driver_endpoint.senders, QUEUE_WAITING);
    const struct process *owner = kernel_process(&core, cap->object);
    return owner == NULL ? 0 : queue_length(owner->service.senders, QUEUE_WAITING);
}

static const struct process *real_of(const struct model_kernel_process *process)
{
    const struct process *real = kernel_process(&core, process->real_index);
    bool same =
        real != NULL && core.processes[process->real_index].generation == process->real_generation;
    return same ? real : NULL;
}

static void maps_look(struct model_kernel_process *process, const struct process *real)
{
    uint16_t rights;
    for (uint32_t i = 0; i < process->map_count; i++)
        process->maps[i].gone =
            real == NULL || real->vspace_page == 0 ||
            kernel_translate(&core, process->real_index, process->maps[i].va, &rights) == 0;
}

static void process_look(uint32_t index)
{
    static const enum model_work works[] = {
        [WORK_NONE] = MODEL_WORK_NONE,       [WORK_ABORT] = MODEL_WORK_ABORT,
        [WORK_DESTROY] = MODEL_WORK_DESTROY, [WORK_UNMAP] = MODEL_WORK_UNMAP,
        [WORK_SCAN] = MODEL_WORK_SCAN,       [WORK_RECEIVE] = MODEL_WORK_RECEIVE,
        [WORK_DRIVER] = MODEL_WORK_DRIVER};
    struct model_kernel_process *process = &core_model.processes[index];
    struct model_luck *luck = &core_model.luck;
    const struct process *real = real_of(process);
    maps_look(process, real);
    luck->over[index] = real == NULL || real->life == LIFE_ENDED;
    luck->work[index] = real == NULL ? MODEL_WORK_NONE : works[real->work.kind];
    luck->pages[index] = real == NULL ? 0 : real->work.count;
    luck->senders[index] = luck->work[index] == MODEL_WORK_RECEIVE ? senders_left(real) : 0;
    bool ends = real != NULL && real->ending != ENDING_NONE;
    luck->effects[index] = ends ? effects_left(process, real) : 0;
}

void core_look(void)
{
    core_model.luck.drivers = waiters(&core.driver_endpoint);
    core_model.luck.deadlines = core.deadline_count;
    for (uint32_t i = 0; i < core_model.process_count; i++) {
        if (core_model.processes[i].life != MODEL_LIFE_FREE)
            process_look(i);
    }
}

/* --- pieces ----------------------------------------------------------------------------------- */

static bool begun[MODEL_PROCESS_LIMIT]; /* a piece of its end was done, not the last one */

void core_work_reset(void)
{
    memset(begun, 0, sizeof begun);
}

bool core_works(void)
{
    return !core.halted && core.current != KERNEL_IDLE &&
           kernel_process(&core, core.current)->resume == RESUME_WORK;
}

static void mark_piece(void)
{
    const struct model_kernel_process *process = &core_model.processes[core_model.current];
    MARK("kernel: work in pieces");
    MARK_IF("kernel: an end in pieces", process->work == MODEL_WORK_NONE);
    MARK_IF("kernel: an end in pieces by another", process->work == MODEL_WORK_ABORT);
    MARK_IF("kernel: a destroyed frame in pieces", process->work == MODEL_WORK_DESTROY);
    MARK_IF("kernel: an unmapped range in pieces", process->work == MODEL_WORK_UNMAP);
    MARK_IF("kernel: a question in pieces", process->work == MODEL_WORK_SCAN);
    MARK_IF("kernel: a RECV in pieces", process->work == MODEL_WORK_RECEIVE);
    MARK_IF("kernel: the driver endpoint in pieces", process->work == MODEL_WORK_DRIVER);
    MARK_IF("kernel: who ends finishes what it began",
            process->work != MODEL_WORK_NONE && process->life == MODEL_LIFE_ENDING);
}

void core_piece(void)
{
    PROPERTY(K8, "model",
             core_model.current != MODEL_NONE && model_works(&core_model, core_model.current));
    uint32_t process = core_model.current;
    bool receives = core_model.processes[process].work == MODEL_WORK_RECEIVE;
    mark_piece();
    kernel_work(&core);
    PROPERTY(K8, "piece", core.work_done <= kernel_work_limit(&core));
    core_look();
    const struct process *real = real_of(&core_model.processes[process]);
    core_model.luck.over_budget = receives && real != NULL && real->result == STATUS_OVER_BUDGET;
    model_kernel_work(&core_model);
    begun[process] = model_works(&core_model, process);
}

/* Who has work while another one is about to do something. */
void core_mark_others(void)
{
    for (uint32_t i = 0; i < core_model.process_count; i++) {
        const struct model_kernel_process *process = &core_model.processes[i];
        if (i == core_model.current || process->life == MODEL_LIFE_FREE)
            continue;
        MARK_IF("kernel: others run between two pieces of an end",
                process->work == MODEL_WORK_NONE && process->life == MODEL_LIFE_ENDING && begun[i]);
        MARK_IF("kernel: others run while one is aborted", process->work == MODEL_WORK_ABORT);
        MARK_IF("kernel: others run while a frame goes", process->work == MODEL_WORK_DESTROY);
        MARK_IF("kernel: others run while a range goes", process->work == MODEL_WORK_UNMAP);
        MARK_IF("kernel: others run while one looks", process->work == MODEL_WORK_SCAN);
        MARK_IF("kernel: others run while one receives", process->work == MODEL_WORK_RECEIVE);
        MARK_IF("kernel: others run while drivers learn", process->work == MODEL_WORK_DRIVER);
    }
}
