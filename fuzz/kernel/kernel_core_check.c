/* SPDX-License-Identifier: ISC */
/* Compares the kernel core with the model: every slot, mapping, message, queue and pool that the
 * model knows, and nothing else. */
#include "fuzz/kernel/kernel_core.h"

#include <string.h>

#include "kernel/core/machine.h"
#include "props/base/marks.h"
#include "props/base/oracle.h"
#include "props/base/property.h"

/* --- what the core chose --- */

static void learn_process(struct model_kernel_process *process, const struct capability *cap)
{
    for (uint32_t i = 0; i < core_model.process_count; i++) {
        const struct model_kernel_process *other = &core_model.processes[i];
        bool same = other != process && other->seen && other->real_index == cap->object;
        PROPERTY(K3, "process",
                 !same ||
                     (other->life == MODEL_LIFE_FREE && other->real_generation != cap->generation));
    }
    process->seen = true;
    process->real_index = cap->object;
    process->real_generation = cap->generation;
}

static void learn_pool(struct model_pool *pool, const struct capability *cap)
{
    for (uint32_t i = 0; i < core_model.pool_count; i++) {
        const struct model_pool *other = &core_model.pools[i];
        bool same = other != pool && other->seen && other->real_index == cap->object;
        PROPERTY(K3, "untyped",
                 !same || (!other->live && other->real_generation != cap->generation));
    }
    pool->seen = true;
    pool->real_index = cap->object;
    pool->real_generation = cap->generation;
}

static void learn_frame(struct model_frame *frame, const struct capability *cap)
{
    static const uint8_t zeros[PAGE_BYTES];
    /* Its generation may be an earlier frame's that no capability names any more. */
    for (uint32_t i = 0; i < core_model.frame_count; i++) {
        const struct model_frame *other = &core_model.frames[i];
        bool same = other != frame && other->seen && other->real_page == cap->object;
        PROPERTY(K2, "frame", !same || (!other->live && !other->dying));
    }
    PROPERTY(K2, "zero", memcmp(machine_page(cap->object), zeros, PAGE_BYTES) == 0);
    frame->seen = true;
    frame->real_page = cap->object;
    frame->real_generation = cap->generation;
}

/* Whether it names what the core has chosen and nobody has looked at. */
static bool is_new(const struct model_cap *cap)
{
    return (cap->type == OBJECT_PROCESS && !core_model.processes[cap->object].seen) ||
           (cap->type == OBJECT_UNTYPED && !core_model.pools[cap->object].seen) ||
           (cap->type == OBJECT_FRAME && !core_model.frames[cap->object].seen);
}

static void learn_cap(const struct model_cap *cap, const struct capability *real)
{
    if (real->object_type != cap->type)
        return; /* core_check will say so */
    if (cap->type == OBJECT_PROCESS)
        learn_process(&core_model.processes[cap->object], real);
    if (cap->type == OBJECT_UNTYPED)
        learn_pool(&core_model.pools[cap->object], real);
    if (cap->type == OBJECT_FRAME)
        learn_frame(&core_model.frames[cap->object], real);
}

void core_learn(void)
{
    for (uint32_t p = 0; p < core_model.process_count; p++) {
        struct model_kernel_process *process = &core_model.processes[p];
        for (uint32_t i = 0; i < process->cap_count && process->seen; i++) {
            const struct model_cap *cap = &process->caps[i];
            if (!is_new(cap))
                continue;
            const struct capability *real = kernel_slot(&core, process->real_index, cap->slot);
            if (real != NULL)
                learn_cap(cap, real);
        }
    }
}

/* --- slots ------------------------------------------------------------------------------------ */

static void object_check(const struct model_cap *cap, const struct capability *real)
{
    uint64_t object = 0;
    uint64_t generation = 0;
    switch ((enum object_type)cap->type) {
    case OBJECT_UNTYPED:
        object = core_model.pools[cap->object].real_index;
        generation = core_model.pools[cap->object].real_generation;
        break;
    case OBJECT_FRAME:
        object = core_model.frames[cap->object].real_page;
        generation = core_model.frames[cap->object].real_generation;
        break;
    case OBJECT_ENDPOINT:
        if (cap->object == MODEL_DRIVER) {
            object = KERNEL_DRIVER_ENDPOINT;
            break;
        }
        /* fall through */
    case OBJECT_VSPACE:
    case OBJECT_PROCESS:
    case OBJECT_GRANT:
    case OBJECT_REPLY:
        object = core_model.processes[cap->object].real_index;
        generation = core_model.processes[cap->object].real_generation;
        break;
    case OBJECT_NONE:
    case OBJECT_TYPE_LIMIT:
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
        break;
    }
    PROPERTY_EQUAL(K1, "object", real->object, object);
    PROPERTY_EQUAL(K3, "generation", real->generation, generation);
}

static void cap_check(uint32_t index, const struct model_cap *cap)
{
    const struct capability *real = kernel_slot(&core, index, cap->slot);
    PROPERTY(K12, "process", real != NULL);
    if (real == NULL)
        return;
    PROPERTY_EQUAL(K1, "type", real->object_type, cap->type);
    PROPERTY_EQUAL(K1, "rights", real->rights, cap->rights);
    if (cap->type != OBJECT_REPLY)
        PROPERTY_EQUAL(K1, "badge", real->badge, cap->badge);
    object_check(cap, real);
    PROPERTY_EQUAL(K3, "live", kernel_capability_live(&core, real),
                   model_cap_live(&core_model, cap));
}

static void range_check(uint32_t process, uint32_t first, uint32_t count)
{
    uint32_t index = core_model.processes[process].real_index;
    for (uint32_t slot = first; slot < first + count; slot++) {
        const struct capability *real = kernel_slot(&core, index, slot);
        if (real->object_type != OBJECT_NONE)
            PROPERTY(K1, "slot", model_cap_find(&core_model, process, slot) != NULL);
    }
}

static void slots_check(uint32_t process)
{
    const struct model_kernel_process *owner = &core_model.processes[process];
    if (kernel_process(&core, owner->real_index)->cspace_page == 0) { /* it ends */
        PROPERTY_EQUAL(K12, "slots", owner->cap_count, 0);
        return;
    }
    for (uint32_t i = 0; i < owner->cap_count; i++)
        cap_check(owner->real_index, &owner->caps[i]);
    range_check(process, 0, 112);
    range_check(process, SLOT_REPLY_BASE, 6);
    range_check(process, 4208, 80);
    range_check(process, CSPACE_DIRECT_SLOTS - 2, 70);
    range_check(process, SLOT_LIMIT - 6, 6);
    for (uint32_t slot = SLOT_PROCD_DRIVER_ENDPOINT; slot <= SLOT_STARTUP_LAST; slot += 16)
        range_check(process, slot, 1);
}

/* --- address spaces --------------------------------------------------------------------------- */

/* Its address space is going. */
static bool ends_without_slots(const struct model_kernel_process *process)
{
    return process->life == MODEL_LIFE_ENDING && process->cap_count == 0;
}

static void maps_check(uint32_t process)
{
    const struct model_kernel_process *owner = &core_model.processes[process];
    uint16_t rights;
    if (kernel_process(&core, owner->real_index)->vspace_page == 0) { /* it ends */
        PROPERTY_EQUAL(K12, "maps", owner->map_count, 0);
        return;
    }
    for (uint32_t i = 0; i < owner->map_count; i++) {
        const struct model_map *map = &owner->maps[i];
        uint32_t page = kernel_translate(&core, owner->real_index, map->va + 8, &rights);
        uint32_t wanted = map->frame != MODEL_NONE ? core_model.frames[map->frame].real_page
                                                   : core.image_first_page + map->image_page;
        PROPERTY_EQUAL(V1, "page", page, wanted);
        PROPERTY_EQUAL(V1, "rights", rights, map->rights);
        PROPERTY(V2, (rights & RIGHT_WRITE) == 0 || (rights & RIGHT_EXECUTE) == 0);
    }
    /* Its message page is the one more; with the count, nothing else is mapped. */
    uint32_t more = kernel_translate(&core, owner->real_index, MESSAGE_PAGE_VA, &rights) != 0;
    PROPERTY(K4, "message", more == 1 || ends_without_slots(owner));
    PROPERTY_EQUAL(K4, "count", kernel_process(&core, owner->real_index)->mapped_pages,
                   owner->map_count + more);
    PROPERTY_EQUAL(V5, "zero", kernel_translate(&core, owner->real_index, 0, &rights), 0);
}

static void frames_check(void)
{
    for (uint32_t i = 0; i < core_model.frame_count; i++) {
        const struct model_frame *frame = &core_model.frames[i];
        if (frame->live && frame->data != MODEL_NONE)
            PROPERTY(K2, "bytes",
                     memcmp(machine_page(frame->real_page), core_model.data[frame->data],
                            PAGE_BYTES) == 0);
    }
}

/* --- messages --------------------------------------------------------------------------------- */

/* Kernel control's reply: what it declares is the model's; the rest is open. */
static void reply_check(struct model_kernel_process *process, const struct message *real)
{
    const struct message_header *header = &process->page.header;
    PROPERTY_EQUAL(E1, "status", real->header.status, header->status);
    PROPERTY_EQUAL(K11, "version", real->header.version, MESSAGE_VERSION);
    PROPERTY_EQUAL(K11, "operation", real->header.operation, header->operation);
    PROPERTY_EQUAL(K11, "request-id", real->header.request_id, header->request_id);
    PROPERTY_EQUAL(K11, "badge", real->header.badge, 0);
    PROPERTY_EQUAL(K11, "body-bytes", real->header.body_bytes, header->body_bytes);
    PROPERTY_EQUAL(K11, "cap-count", real->header.cap_count, header->cap_count);
    PROPERTY(K11, "body", memcmp(real->body, process->page.body, header->body_bytes) == 0);
    PROPERTY(K11, "descriptors",
             memcmp(real->caps, process->page.caps, header->cap_count * sizeof real->caps[0]) == 0);
    process->page = *real;
    process->page_open = false;
}

static void message_check(struct model_kernel_process *process)
{
    const struct message *real = kernel_message(&core, process->real_index);
    PROPERTY(K11, "message-page",
             real != NULL || (ends_without_slots(process) && process->map_count == 0));
    if (real == NULL)
        return;
    if (process->page_open)
        reply_check(process, real);
    PROPERTY(E5, "header", memcmp(&real->header, &process->page.header, sizeof real->header) == 0);
    PROPERTY(E5, "descriptors", memcmp(real->caps, process->page.caps, sizeof real->caps) == 0);
    PROPERTY(E5, "body", memcmp(real->body, process->page.body, sizeof real->body) == 0);
    const struct receive_info *info = kernel_receive_info(&core, process->real_index);
    PROPERTY_EQUAL(K11, "info-clock", info->now_ticks, process->info.now_ticks);
    if (process->info_open)
        process->info = *info;
    process->info_open = false;
    PROPERTY(K11, "info", memcmp(info, &process->info, sizeof *info) == 0);
}

/* --- processes -------------------------------------------------------------------------------- */

static enum process_life life_wanted(uint32_t index)
{
    switch (core_model.processes[index].life) {
    case MODEL_LIFE_FREE:
        return LIFE_FREE;
    case MODEL_LIFE_STAGED:
        return LIFE_STAGED;
    case MODEL_LIFE_ENDING:
        if (core_model.processes[index].aborted)
            return LIFE_ENDING;
        /* fall through */
    case MODEL_LIFE_RUNS:
        return core_model.current == index ? LIFE_CURRENT : LIFE_READY;
    case MODEL_LIFE_SENDS:
        return LIFE_SENDING;
    case MODEL_LIFE_RECEIVES:
        return LIFE_RECEIVING;
    case MODEL_LIFE_CALLS:
        return LIFE_CALLING;
    case MODEL_LIFE_ENDED:
        return LIFE_ENDED;
    }
    return LIFE_FREE;
}

/* As they were when the entry began. */
static enum model_kernel_life lives_before[MODEL_PROCESS_LIMIT];
static uint32_t current_before;

void core_keep_lives(void)
{
    current_before = core_model.current;
    for (uint32_t i = 0; i < core_model.process_count; i++)
        lives_before[i] = core_model.processes[i].life;
    if (core_model.process_count < MODEL_PROCESS_LIMIT) /* an entry makes one process at most */
        lives_before[core_model.process_count] = MODEL_LIFE_FREE;
}

/* The kernel writes to nobody's message page but that of who runs, or of who is woken or answered. */
static bool is_written(uint32_t index)
{
    const struct model_kernel_process *process = &core_model.processes[index];
    return index == current_before || index == core_model.current || process->page_open ||
           process->info_open || process->life != lives_before[index];
}

static void process_check(uint32_t index, bool full)
{
    struct model_kernel_process *process = &core_model.processes[index];
    const struct process *real = kernel_process(&core, process->real_index);
    PROPERTY(K12, "process", real != NULL);
    if (real == NULL)
        return;
    PROPERTY_EQUAL(K12, "life", real->life, life_wanted(index));
    PROPERTY_EQUAL(K5, "budget", real->budget_pages, process->budget_pages);
    PROPERTY(K5, "drawn", real->drawn_pages <= real->budget_pages);
    if (process->life == MODEL_LIFE_RUNS && process->result_known)
        PROPERTY_EQUAL(K11, "result", real->result, process->result);
    if (process->torn) {
        PROPERTY_EQUAL(K12, "end-reason", real->end_reason, process->end_reason);
        PROPERTY_EQUAL(K12, "end-code", real->end_code, process->end_code);
        PROPERTY_EQUAL(K12, "end-va", real->end_fault_va, process->end_va);
        PROPERTY(K2, "message", kernel_message(&core, process->real_index) == NULL);
        return;
    }
    PROPERTY_EQUAL(K12, "start", real->start.arguments[0], process->start[2]);
    PROPERTY_EQUAL(K12, "start-entry", real->start.entry_va, process->start[0]);
    if (full) {
        slots_check(index);
        maps_check(index);
    }
    if (full || !oracle_deferred() || is_written(index))
        message_check(process);
}

/* The run queues are the model's turns, taken one by one (K7). */
static void run_queue_check(void)
{
    struct model_queue kept = core_model.run;
    for (uint32_t band = 0; band < BAND_COUNT; band++) {
        for (uint32_t i = core.ready[band].first; i != KERNEL_NONE;
             i = kernel_process(&core, i)->links[QUEUE_WAITING].next) {
            uint32_t next = model_next(&core_model);
            PROPERTY(K7, "one-too-many", next != MODEL_NONE);
            if (next == MODEL_NONE)
                break;
            PROPERTY_EQUAL(K7, "band", band, core_model.processes[next].runs_in);
            PROPERTY_EQUAL(K7, "turn", i, core_model.processes[next].real_index);
            model_queue_drop(&core_model.run, next);
        }
    }
    PROPERTY_EQUAL(K7, "one-too-few", core_model.run.count, 0);
    core_model.run = kept;
    uint32_t payer = model_payer(&core_model);
    uint32_t real =
        payer == MODEL_NONE ? (uint32_t)KERNEL_IDLE : core_model.processes[payer].real_index;
    PROPERTY(K7, "payer", core.halted || core.payer == real);
    bool can_end = model_turn_can_end(&core_model);
    MARK_IF("kernel: a server runs while others wait in its client's band", !can_end);
    PROPERTY(K7, "can-end", core.halted || kernel_turn_can_end(&core) == can_end);
}

static void pools_check(void)
{
    uint32_t live = 0;
    for (uint32_t i = 0; i < core_model.pool_count; i++) {
        const struct model_pool *pool = &core_model.pools[i];
        const struct untyped *real = &core.untypeds[pool->real_index];
        live += pool->live;
        if (!pool->live)
            continue;
        PROPERTY_EQUAL(K3, "pool", real->generation, pool->real_generation);
        PROPERTY_EQUAL(K5, "available", kernel_untyped_available(real), model_pool_available(pool));
        PROPERTY_EQUAL(K5, "total", real->total_pages, pool->total);
        PROPERTY_EQUAL(K5, "frames", real->frame_pages, pool->frames);
    }
    PROPERTY_EQUAL(K5, "pools", core.untyped_count, live);
}

static void lines_check(void)
{
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++)
        PROPERTY_EQUAL(K12, "line", host_line_is_open(line), model_line_open(&core_model, line));
}

static void log_check(void)
{
    size_t count;
    const char *log = host_log(&count);
    PROPERTY_EQUAL(K16, "count", count, core_model.log_count);
    PROPERTY(K16, "bytes", memcmp(log, core_model.log, count) == 0);
}

void core_check(bool full)
{
    const char *wrong = full ? kernel_check(&core) : NULL;
    if (wrong != NULL)
        property_K13_fails("", wrong, __FILE__, __LINE__);
    PROPERTY_EQUAL(K12, "halted", core.halted, core_model.halted);
    PROPERTY_EQUAL(K12, "halt-code", core.halt_code, core_model.halt_code);
    uint32_t current = core_model.current == MODEL_NONE
                           ? (uint32_t)KERNEL_IDLE
                           : core_model.processes[core_model.current].real_index;
    PROPERTY_EQUAL(K7, "current", core.current, current);
    PROPERTY_EQUAL(K12, "clock", core.now_ticks, core_model.now);
    PROPERTY_EQUAL(K12, "deadline", kernel_next_deadline(&core), model_next_deadline(&core_model));
    uint32_t live = 0;
    for (uint32_t i = 0; i < core_model.process_count; i++) {
        if (core_model.processes[i].life == MODEL_LIFE_FREE)
            continue;
        live++;
        process_check(i, full);
    }
    PROPERTY_EQUAL(K5, "processes", core.process_count, live);
    run_queue_check();
    lines_check();
    pools_check();
    if (full) {
        frames_check();
        log_check();
    }
}
