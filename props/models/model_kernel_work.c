/* SPDX-License-Identifier: ISC */
/* Long work as a row of effects, in the order that kernel.h and the ends of endpoints, slots and
 * processes state: what others see of it one after the other. An entry does the next of them until
 * it has as much left to do as the core has. */
#include "props/models/model_kernel.h"

/* --- the end of a process --------------------------------------------------------------------- */

uint32_t model_waiters(const struct model_kernel *model, uint32_t endpoint)
{
    const struct model_endpoint *at = &model->endpoints[endpoint];
    return at->senders.count + at->receivers.count + at->events.count + at->delivered.count;
}

uint32_t model_effects_left(const struct model_kernel *model, uint32_t process)
{
    const struct model_kernel_process *target = &model->processes[process];
    return model_waiters(model, MODEL_DRIVER) + model_waiters(model, process) +
           target->callers.count + target->cap_count;
}

static bool slot_drop_lowest(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *target = model_at(model, process);
    if (target->cap_count == 0)
        return false;
    struct model_cap *lowest = &target->caps[0];
    for (uint32_t i = 1; i < target->cap_count; i++) {
        if (target->caps[i].slot < lowest->slot)
            lowest = &target->caps[i];
    }
    model_cap_drop(model, process, lowest);
    return true;
}

/* Who waits learns it first, then the slots go from the lowest on. */
static bool end_effect(struct model_kernel *model, uint32_t process)
{
    const struct model_kernel_process *target = model_at(model, process);
    if (!model->endpoints[MODEL_DRIVER].live && model_drain_one(model, MODEL_DRIVER))
        return true;
    if (model_drain_one(model, process))
        return true;
    if (target->callers.count == 0)
        return slot_drop_lowest(model, process);
    model_wait_lost(model, target->callers.items[0]);
    return true;
}

/* Takes away mappings that the core shows no more: all that `frame` says, MODEL_NONE: whatever. */
static uint32_t maps_take(struct model_kernel_process *process, uint32_t frame)
{
    uint32_t kept = 0;
    uint32_t count = process->map_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct model_map *map = &process->maps[i];
        if (!map->gone || (frame != MODEL_NONE && map->frame != frame))
            process->maps[kept++] = *map;
    }
    process->map_count = kept;
    return count - kept;
}

/* Mappings go last, in any order. True: nothing is left. */
static bool end_piece(struct model_kernel *model, uint32_t process)
{
    const struct model_luck *luck = &model->luck;
    while ((luck->over[process] || model_effects_left(model, process) > luck->effects[process]) &&
           end_effect(model, process))
        model->changed = true;
    if (model_at(model, process)->cap_count == 0 &&
        maps_take(model_at(model, process), MODEL_NONE) != 0)
        model->changed = true; /* the address space was left: nothing has to be flushed */
    return luck->over[process] && model_at(model, process)->map_count == 0;
}

/* --- what one has begun for others ------------------------------------------------------------ */

static bool destroy_piece(struct model_kernel *model, uint32_t process)
{
    uint32_t frame = model_at(model, process)->work_on;
    uint32_t left = 0;
    for (uint32_t p = 0; p < model->process_count; p++) {
        const struct model_kernel_process *owner = model_at(model, p);
        bool vspace_left = owner->life == MODEL_LIFE_ENDING && owner->cap_count == 0;
        uint32_t lost = maps_take(model_at(model, p), frame);
        model->translations_lost += vspace_left ? 0 : lost;
        for (uint32_t i = 0; i < owner->map_count; i++)
            left += owner->maps[i].frame == frame;
    }
    model->changed = true;
    if (left != 0 || model->luck.work[process] == MODEL_WORK_DESTROY)
        return false;
    model->frames[frame].dying = false;
    model->pools[model->frames[frame].pool].frames--;
    return true;
}

static bool unmap_piece(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *worker = model_at(model, process);
    struct model_kernel_process *target = model_at(model, worker->work_on);
    uint32_t left = model->luck.work[process] == MODEL_WORK_UNMAP ? model->luck.pages[process] : 0;
    uint64_t end = worker->work_at + (worker->work_pages - left) * UINT64_C(4096);
    bool lives = model_process_lives(model, worker->work_on);
    uint32_t kept = 0;
    for (uint32_t i = 0; lives && i < target->map_count; i++) {
        if (target->maps[i].va >= worker->work_at && target->maps[i].va < end)
            model->translations_lost++;
        else
            target->maps[kept++] = target->maps[i];
    }
    target->map_count = lives ? kept : target->map_count;
    worker->work_at = end;
    worker->work_pages = left;
    model->changed = true;
    return left == 0;
}

static bool driver_piece(struct model_kernel *model, uint32_t process)
{
    while (model_waiters(model, MODEL_DRIVER) > model->luck.drivers &&
           model_drain_one(model, MODEL_DRIVER))
        model->changed = true;
    return model->luck.work[process] != MODEL_WORK_DRIVER;
}

static bool others_piece(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *worker = model_at(model, process);
    bool done = true;
    if (worker->work == MODEL_WORK_DESTROY)
        done = destroy_piece(model, process);
    else if (worker->work == MODEL_WORK_UNMAP)
        done = unmap_piece(model, process);
    else if (worker->work == MODEL_WORK_DRIVER)
        done = driver_piece(model, process);
    if (done)
        worker->work = MODEL_WORK_NONE;
    return done;
}

/* --- pieces ----------------------------------------------------------------------------------- */

static void abort_piece(struct model_kernel *model, uint32_t process)
{
    uint32_t target = model_at(model, process)->work_on;
    if (!others_piece(model, target) || !end_piece(model, target))
        return;
    model_at(model, process)->work = MODEL_WORK_NONE;
    model_ending_finish(model, target);
}

static void receive_again(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *receiver = model_at(model, process);
    receiver->work = MODEL_WORK_NONE;
    enum status status = model_receive(model, receiver->work_on, receiver->work_at);
    if (receiver->life == MODEL_LIFE_RUNS)
        receiver->result = status;
}

static void piece(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *worker = model_at(model, process);
    switch (worker->work) {
    case MODEL_WORK_ABORT:
        abort_piece(model, process);
        return;
    case MODEL_WORK_DESTROY:
    case MODEL_WORK_UNMAP:
    case MODEL_WORK_DRIVER:
        others_piece(model, process);
        return;
    case MODEL_WORK_SCAN:
        if (model->luck.work[process] != MODEL_WORK_SCAN) {
            worker->work = MODEL_WORK_NONE;
            model_control(model, OBJECT_KERNEL_SELF);
        }
        return;
    case MODEL_WORK_RECEIVE:
        receive_again(model, process);
        return;
    case MODEL_WORK_NONE:
        break;
    }
    if (!end_piece(model, process))
        return;
    model->current = MODEL_NONE;
    model_ending_finish(model, process);
}

void model_work_start(struct model_kernel *model, enum model_work work, uint32_t on)
{
    model_at(model, model->current)->work = work;
    model_at(model, model->current)->work_on = on;
    piece(model, model->current);
}

void model_work_orphan(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *worker = model_at(model, process);
    enum model_work work = worker->work;
    if (work == MODEL_WORK_ABORT || work == MODEL_WORK_SCAN || work == MODEL_WORK_RECEIVE)
        worker->work = MODEL_WORK_NONE;
    if (work == MODEL_WORK_ABORT)
        model_ending_start(model, worker->work_on, MODEL_END_ABORT);
}

bool model_works(const struct model_kernel *model, uint32_t process)
{
    const struct model_kernel_process *worker = &model->processes[process];
    return worker->work != MODEL_WORK_NONE || worker->life == MODEL_LIFE_ENDING;
}

void model_kernel_work(struct model_kernel *model)
{
    if (model->halted)
        return;
    piece(model, model->current);
    model_settle(model);
}
