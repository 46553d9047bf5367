/* SPDX-License-Identifier: ISC */
/* Objects, slots, and the ends of processes, as the headers of kernel/core state them. Decides
 * nothing about messages (model_kernel_ipc.c) or requests (model_kernel_control.c). */
#include "props/models/model_kernel.h"

#include <string.h>

/* --- queues ----------------------------------------------------------------------------------- */

void model_queue_add(struct model_queue *queue, uint32_t process)
{
    queue->items[queue->count++] = (uint16_t)process;
}

void model_queue_add_first(struct model_queue *queue, uint32_t process)
{
    memmove(queue->items + 1, queue->items, queue->count++ * sizeof queue->items[0]);
    queue->items[0] = (uint16_t)process;
}

void model_queue_drop(struct model_queue *queue, uint32_t process)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < queue->count; i++) {
        if (queue->items[i] != process)
            queue->items[kept++] = queue->items[i];
    }
    queue->count = kept;
}

/* --- what lives ------------------------------------------------------------------------------- */

bool model_process_lives(const struct model_kernel *model, uint32_t process)
{
    enum model_kernel_life life = model->processes[process].life;
    return life != MODEL_LIFE_FREE && life != MODEL_LIFE_ENDING && life != MODEL_LIFE_ENDED;
}

bool model_cap_live(const struct model_kernel *model, const struct model_cap *cap)
{
    const struct model_kernel_process *process =
        &model->processes[cap->object < MODEL_PROCESS_LIMIT ? cap->object : 0];
    switch ((enum object_type)cap->type) {
    case OBJECT_NONE:
    case OBJECT_TYPE_LIMIT:
        return false;
    case OBJECT_UNTYPED:
        return model->pools[cap->object].live;
    case OBJECT_FRAME:
        return model->frames[cap->object].live;
    case OBJECT_VSPACE:
        return model_process_lives(model, cap->object);
    case OBJECT_ENDPOINT:
        return model->endpoints[cap->object].live;
    case OBJECT_REPLY:
        return process->life == MODEL_LIFE_CALLS && process->call_number == cap->badge;
    case OBJECT_PROCESS:
        return process->life != MODEL_LIFE_FREE;
    case OBJECT_GRANT:
        return process->life == MODEL_LIFE_STAGED;
    case OBJECT_IMAGE:
    case OBJECT_KERNEL_SELF:
    case OBJECT_KERNEL_MEMORY:
    case OBJECT_KERNEL_VSPACE:
    case OBJECT_KERNEL_PAGER:
    case OBJECT_KERNEL_PROCESS:
    case OBJECT_KERNEL_LOG:
    case OBJECT_KERNEL_TIME:
    case OBJECT_KERNEL_IRQ:
    case OBJECT_KERNEL_HOTPLUG:
    case OBJECT_KERNEL_PCI_CONFIG:
    case OBJECT_KERNEL_ACPI:
    case OBJECT_KERNEL_CONSOLE:
    case OBJECT_KERNEL_COM1:
    case OBJECT_KERNEL_I8042:
    case OBJECT_KERNEL_CHILD_POPULATE:
        return true;
    }
    return false;
}

uint32_t model_pool_available(const struct model_pool *pool)
{
    return pool->total - pool->frames - pool->budgets - pool->children;
}

bool model_tight(const struct model_kernel *model, uint32_t process, uint32_t pages)
{
    bool told = model->control ? model->luck.over_budget_verdict : model->luck.over_budget;
    return told && model->luck.left[process] < pages;
}

/* --- slots ------------------------------------------------------------------------------------ */

struct model_cap *model_cap_find(struct model_kernel *model, uint32_t process, uint32_t slot)
{
    struct model_kernel_process *owner = model_at(model, process);
    for (uint32_t i = 0; i < owner->cap_count; i++) {
        if (owner->caps[i].slot == slot)
            return &owner->caps[i];
    }
    return NULL;
}

enum status model_need(struct model_kernel *model, uint32_t slot, enum object_type type,
                       uint16_t rights, struct model_cap **out)
{
    *out = model_cap_find(model, model->current, slot);
    if (*out == NULL || !model_cap_live(model, *out))
        return STATUS_NOT_FOUND;
    if ((*out)->type != type)
        return STATUS_INVALID_ARGUMENT;
    return ((*out)->rights & rights) == rights ? STATUS_OK : STATUS_DENIED;
}

bool model_range_fillable(uint32_t first, uint32_t count)
{
    uint64_t end = (uint64_t)first + count;
    bool reply = first < SLOT_REPLY_BASE + SLOT_REPLY_COUNT && end > SLOT_REPLY_BASE;
    return first != 0 && end <= SLOT_LIMIT && !reply;
}

bool model_range_empty(struct model_kernel *model, uint32_t process, uint32_t first, uint32_t count)
{
    const struct model_kernel_process *owner = model_at(model, process);
    for (uint32_t i = 0; i < owner->cap_count; i++) {
        if (owner->caps[i].slot >= first && owner->caps[i].slot < (uint64_t)first + count)
            return false;
    }
    return true;
}

void model_cap_put(struct model_kernel *model, uint32_t process, struct model_cap cap)
{
    struct model_kernel_process *owner = model_at(model, process);
    owner->caps[owner->cap_count++] = cap;
    model->changed = true;
}

void model_cap_remove(struct model_kernel *model, uint32_t process, struct model_cap *cap)
{
    struct model_kernel_process *owner = model_at(model, process);
    *cap = owner->caps[--owner->cap_count];
    model->changed = true;
}

/* Whether any slot anywhere holds such a capability. */
static bool cap_anywhere(const struct model_kernel *model, enum object_type type, uint32_t object)
{
    for (uint32_t p = 0; p < model->process_count; p++) {
        const struct model_kernel_process *owner = &model->processes[p];
        for (uint32_t i = 0; i < owner->cap_count; i++) {
            if (owner->caps[i].type == type && owner->caps[i].object == object)
                return true;
        }
    }
    return false;
}

void model_wait_lost(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *waiter = model_at(model, process);
    if (waiter->faults) {
        model_end(model, process, END_FAULT_NO_PAGER, 0, waiter->fault_va);
        return;
    }
    model_detach(model, process);
    model_wake(model, process, STATUS_PEER_DIED); /* E5 */
}

void model_ending_start(struct model_kernel *model, uint32_t process, enum model_kernel_end kind)
{
    struct model_kernel_process *target = model_at(model, process);
    model_work_orphan(model, process);
    if (model->current != process) {
        model_detach(model, process);
        model_run_first(model, process);
    }
    target->life = MODEL_LIFE_ENDING;
    target->ending = kind;
    target->aborted = false;
    model->endpoints[process].live = false;
    model->changed = true;
}

/* The last control over a process went away. */
static void process_uncontrolled(struct model_kernel *model, uint32_t process)
{
    const struct model_kernel_process *target = model_at(model, process);
    if (cap_anywhere(model, OBJECT_PROCESS, process))
        return;
    if (target->life == MODEL_LIFE_STAGED)
        model_ending_start(model, process, MODEL_END_ABORT);
    else if (target->life == MODEL_LIFE_ENDED && target->event_delivered)
        model_process_free(model, process);
}

void model_cap_drop(struct model_kernel *model, uint32_t process, struct model_cap *cap)
{
    struct model_cap dropped = *cap;
    if (dropped.type == OBJECT_REPLY) {
        model_wait_lost(model, dropped.object);
        return;
    }
    bool live = model_cap_live(model, cap);
    model_cap_remove(model, process, cap);
    if (live && dropped.type == OBJECT_ENDPOINT)
        model_driver_check(model);
    if (live && dropped.type == OBJECT_PROCESS)
        process_uncontrolled(model, dropped.object);
}

/* --- the end of a process --------------------------------------------------------------------- */

void model_wake(struct model_kernel *model, uint32_t process, enum status result)
{
    struct model_kernel_process *woken = model_at(model, process);
    woken->result = result;
    woken->result_known = true;
    model_run_first(model, process);
    model->changed = true;
}

/* K10: the reply capability goes with the wait that it is for. */
static void holder_forgets(struct model_kernel *model, uint32_t process)
{
    const struct model_kernel_process *caller = model_at(model, process);
    struct model_kernel_process *holder = model_at(model, caller->holder);
    model_queue_drop(&holder->callers, process);
    for (uint32_t i = 0; i < holder->cap_count; i++) {
        struct model_cap *cap = &holder->caps[i];
        if (cap->type == OBJECT_REPLY && cap->object == process &&
            cap->badge == caller->call_number) {
            model_cap_remove(model, caller->holder, cap);
            return;
        }
    }
}

void model_detach(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *target = model_at(model, process);
    model->changed = true;
    if (model->current == process)
        model->current = MODEL_NONE;
    model_queue_drop(&model->run, process);
    if (target->life == MODEL_LIFE_SENDS)
        model_queue_drop(&model->endpoints[target->waits_on].senders, process);
    if (target->life == MODEL_LIFE_RECEIVES)
        model_queue_drop(&model->endpoints[target->waits_on].receivers, process);
    if (target->life == MODEL_LIFE_CALLS) {
        holder_forgets(model, process);
        if (model_at(model, target->holder)->client == process)
            model_at(model, target->holder)->client = MODEL_NONE;
    }
    target->life = MODEL_LIFE_RUNS; /* it waits for nobody; what comes next says what it is */
    model_bands_settle(model);
}

void model_end(struct model_kernel *model, uint32_t process, uint32_t reason, uint32_t code,
               uint64_t va)
{
    struct model_kernel_process *target = model_at(model, process);
    if (target->life == MODEL_LIFE_ENDING || target->life == MODEL_LIFE_ENDED)
        return;
    target->end_reason = reason;
    target->end_code = code;
    target->end_va = va;
    if (process != 0) {
        model_log_life(model, process, "ENDED");
        model_ending_start(model, process, MODEL_END_TERMINAL);
        return;
    }
    model_detach(model, process);
    model->halted = true;
    model->halt_code = reason == END_EXITED ? code : 125;
    model_run_first(model, 0);
}

void model_process_free(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *target = model_at(model, process);
    if (target->event_endpoint != MODEL_NONE) {
        model_queue_drop(&model->endpoints[target->event_endpoint].events, process);
        model_queue_drop(&model->endpoints[target->event_endpoint].delivered, process);
    }
    target->life = MODEL_LIFE_FREE;
    model_log_life(model, process, "GONE");
    model->pools[target->pool].budgets -= target->budget_pages; /* K5 */
    model->changed = true;
}

/* Nobody will be told of this event. */
static void event_lost(struct model_kernel *model, uint32_t event)
{
    if (event >= MODEL_LINE)
        model_line_unbind(model, event - MODEL_LINE);
    else
        model_process_free(model, event);
}

bool model_drain_one(struct model_kernel *model, uint32_t index)
{
    struct model_endpoint *endpoint = &model->endpoints[index];
    if (endpoint->senders.count != 0)
        model_wait_lost(model, endpoint->senders.items[0]);
    else if (endpoint->receivers.count != 0)
        model_wake(model, model_receiver_take(model, index), STATUS_NOT_FOUND);
    else if (endpoint->events.count != 0)
        event_lost(model, endpoint->events.items[0]);
    else if (endpoint->delivered.count != 0)
        event_lost(model, endpoint->delivered.items[0]);
    else
        return false;
    return true;
}

static bool drivers_received(const struct model_kernel *model)
{
    for (uint32_t p = 0; p < model->process_count; p++) {
        const struct model_kernel_process *owner = &model->processes[p];
        for (uint32_t i = 0; i < owner->cap_count; i++) {
            const struct model_cap *cap = &owner->caps[i];
            if (cap->type == OBJECT_ENDPOINT && cap->object == MODEL_DRIVER &&
                (cap->rights & RIGHT_RECEIVE) != 0)
                return true;
        }
    }
    return false;
}

/* The first who waits there, or whose end waits to be told, takes the others with it. */
void model_driver_check(struct model_kernel *model)
{
    struct model_endpoint *driver = &model->endpoints[MODEL_DRIVER];
    if (!driver->live || drivers_received(model))
        return;
    if (driver->senders.count != 0) {
        uint32_t first = driver->senders.items[0];
        model_wait_lost(model, first);
        if (model_at(model, first)->life == MODEL_LIFE_RUNS)
            model_at(model, first)->work = MODEL_WORK_DRIVER;
        driver->live = false;
        model->drainer = first;
        model_bands_settle(model); /* K7: nobody who waits there waits for a lower band */
        return;
    }
    driver->live = false;
    uint32_t ended = driver->events.count != 0 ? driver->events.items[0] : MODEL_NONE;
    for (uint32_t i = 0; ended == MODEL_NONE && i < driver->delivered.count; i++)
        ended = driver->delivered.items[i];
    if (ended == MODEL_NONE)
        return;
    model_queue_drop(&driver->events, ended);
    model_queue_drop(&driver->delivered, ended);
    model_at(model, ended)->event_endpoint = MODEL_NONE;
    model_ending_start(model, ended, MODEL_END_ABORT);
}

static void event_post(struct model_kernel *model, uint32_t process)
{
    uint32_t endpoint = model_at(model, process)->event_endpoint;
    if (model->endpoints[endpoint].receivers.count == 0) {
        model_queue_add(&model->endpoints[endpoint].events, process);
        return;
    }
    uint32_t receiver = model_receiver_take(model, endpoint);
    model_event_deliver(model, process, receiver);
    model_wake(model, receiver, STATUS_OK);
}

void model_ending_finish(struct model_kernel *model, uint32_t process)
{
    struct model_kernel_process *target = model_at(model, process);
    target->torn = true;
    bool told =
        target->event_endpoint != MODEL_NONE && model->endpoints[target->event_endpoint].live;
    if (target->ending != MODEL_END_TERMINAL || !told) {
        model_process_free(model, process);
        return;
    }
    target->life = MODEL_LIFE_ENDED;
    target->event_delivered = false;
    event_post(model, process);
}

/* --- frames and pools that nothing names any more --- */

static bool frame_mapped(const struct model_kernel *model, uint32_t frame)
{
    for (uint32_t p = 0; p < model->process_count; p++) {
        for (uint32_t i = 0; i < model->processes[p].map_count; i++) {
            if (model->processes[p].maps[i].frame == frame)
                return true;
        }
    }
    return false;
}

static void frames_sweep(struct model_kernel *model)
{
    static bool held[MODEL_FRAME_LIMIT];
    memset(held, 0, model->frame_count * sizeof held[0]);
    for (uint32_t p = 0; p < model->process_count; p++) {
        const struct model_kernel_process *owner = model_at(model, p);
        for (uint32_t i = 0; i < owner->cap_count; i++) {
            if (owner->caps[i].type == OBJECT_FRAME)
                held[owner->caps[i].object] = true;
        }
    }
    for (uint32_t f = 0; f < model->frame_count; f++) {
        struct model_frame *frame = &model->frames[f];
        if (!frame->live || held[f] || frame_mapped(model, f))
            continue;
        frame->live = false;
        model->pools[frame->pool].frames--;
    }
}

static bool pool_sweep(struct model_kernel *model, uint32_t index)
{
    struct model_pool *pool = &model->pools[index];
    if (!pool->live || pool->parent == MODEL_NONE || model_pool_available(pool) != pool->total ||
        cap_anywhere(model, OBJECT_UNTYPED, index))
        return false;
    pool->live = false;
    model->pools[pool->parent].children -= pool->total;
    return true;
}

/* A child's number is above its parent's, so one pass from above is enough. */
static void objects_sweep(struct model_kernel *model)
{
    frames_sweep(model);
    for (uint32_t i = model->pool_count; i-- > 0;)
        pool_sweep(model, i);
}

/* The first of the highest band runs. */
static void processor_give(struct model_kernel *model)
{
    uint32_t next = model_next(model);
    uint32_t current = model->current;
    if (next == MODEL_NONE ||
        (current != MODEL_NONE && model_band(model, current) <= model_at(model, next)->runs_in))
        return;
    if (current != MODEL_NONE)
        model_run_first(model, current);
    model->current = next;
    model_queue_drop(&model->run, next);
}

void model_settle(struct model_kernel *model)
{
    if (!model->halted)
        processor_give(model);
    if (model->changed)
        objects_sweep(model);
}
