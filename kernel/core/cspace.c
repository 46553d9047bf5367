/* SPDX-License-Identifier: ISC */
/* Capability spaces: two levels, so that slot 2336 does not cost 2,336 entries. Decides which slots
 * may be filled and what happens when one is emptied; never which rights a copy gets. Leaves are
 * charged to the process and stay until its end. */
#include "kernel/core/internal.h"

_Static_assert(SLOT_LIMIT % CSPACE_LEAF_CAPS == 0, "whole leaves");
_Static_assert(CSPACE_LEAF_COUNT * sizeof(uint32_t) <= PAGE_BYTES, "the root is one page");

/* --- life of what a capability names ---------------------------------------------------------- */

static bool endpoint_is_live(const struct kernel *kernel, const struct capability *cap)
{
    if (cap->object == KERNEL_DRIVER_ENDPOINT)
        return kernel->driver_endpoint.live &&
               kernel->driver_endpoint.generation == cap->generation;
    const struct process *owner = process_find(kernel, cap->object, cap->generation);
    return owner != NULL && owner->service.live;
}

/* A process that can still run, by a capability to its address space or to populate it. */
static bool process_is_live(const struct kernel *kernel, const struct capability *cap)
{
    const struct process *process = process_find(kernel, cap->object, cap->generation);
    return process != NULL && !process_has_ended(process);
}

bool kernel_capability_live(const struct kernel *kernel, const struct capability *cap)
{
    switch ((enum object_type)cap->object_type) {
    case OBJECT_NONE:
    case OBJECT_TYPE_LIMIT:
        return false;
    case OBJECT_UNTYPED:
        return kernel->untypeds[cap->object].live &&
               kernel->untypeds[cap->object].generation == cap->generation;
    case OBJECT_FRAME: {
        const struct page_record *record = machine_page_record(cap->object);
        return record->kind == PAGE_FRAME && record->generation == cap->generation;
    }
    case OBJECT_VSPACE:
        return process_is_live(kernel, cap);
    case OBJECT_ENDPOINT:
        return endpoint_is_live(kernel, cap);
    case OBJECT_REPLY:
        return capability_caller(kernel, cap) != NULL;
    case OBJECT_PROCESS:
        return process_find(kernel, cap->object, cap->generation) != NULL;
    case OBJECT_GRANT: {
        const struct process *child = process_find(kernel, cap->object, cap->generation);
        return child != NULL && child->life == LIFE_STAGED;
    }
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

/* --- questions -------------------------------------------------------------------------------- */

enum status cspace_get(const struct kernel *kernel, const struct process *process, uint32_t slot,
                       enum object_type type, uint16_t rights, struct capability **out)
{
    struct capability *cap = cspace_find(process, slot);
    if (cap == NULL || !kernel_capability_live(kernel, cap))
        return STATUS_NOT_FOUND; /* K3 */
    if (cap->object_type != type)
        return STATUS_INVALID_ARGUMENT;
    if ((cap->rights & rights) != rights)
        return STATUS_DENIED; /* K1 */
    *out = cap;
    return STATUS_OK;
}

bool cspace_range_fillable(uint32_t first, uint32_t count)
{
    if (first == SLOT_NULL || first >= SLOT_LIMIT || count > SLOT_LIMIT - first)
        return false;
    return first + count <= SLOT_REPLY_BASE || first >= SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
}

bool cspace_range_empty(const struct process *process, uint32_t first, uint32_t count)
{
    while (count != 0) {
        const struct capability *caps = cspace_find(process, first); /* null: no leaf */
        uint32_t here = CSPACE_LEAF_CAPS - first % CSPACE_LEAF_CAPS;
        if (here > count)
            here = count;
        for (uint32_t i = 0; caps != NULL && i < here; i++) {
            if (caps[i].object_type != OBJECT_NONE)
                return false;
        }
        first += here;
        count -= here;
    }
    return true;
}

/* --- leaves ----------------------------------------------------------------------------------- */

enum status cspace_reserve(struct kernel *kernel, struct process *process, uint32_t first,
                           uint32_t count)
{
    uint32_t *root = machine_page(process->cspace_page);
    uint32_t first_leaf = first / CSPACE_LEAF_CAPS;
    uint32_t last_leaf = (first + count - 1) / CSPACE_LEAF_CAPS;
    uint32_t missing = 0;
    for (uint32_t leaf = first_leaf; leaf <= last_leaf; leaf++)
        missing += root[leaf] == 0;
    if (missing > memory_left(process))
        return STATUS_EXHAUSTED; /* K5 */
    for (uint32_t leaf = first_leaf; missing != 0 && leaf <= last_leaf; leaf++) {
        if (root[leaf] == 0)
            root[leaf] = memory_draw(kernel, process, PAGE_CSPACE_LEAF);
    }
    if (process->leaf_high <= last_leaf)
        process->leaf_high = last_leaf + 1;
    return STATUS_OK;
}

enum status reply_slot_reserve(struct kernel *kernel, struct process *process, uint32_t *slot)
{
    uint32_t free_words = ~process->reply_full_words & 0xFFFFu;
    if (free_words == 0)
        return STATUS_EXHAUSTED;
    uint32_t word = (uint32_t)__builtin_ctz(free_words);
    uint32_t bit = (uint32_t)__builtin_ctzll(~process->reply_taken[word]);
    *slot = SLOT_REPLY_BASE + word * 64 + bit;
    if (cspace_find(process, *slot) != NULL)
        return STATUS_OK;
    return cspace_reserve(kernel, process, *slot, 1);
}

/* --- filling and emptying --------------------------------------------------------------------- */

void cspace_put(struct kernel *kernel, struct process *process, uint32_t slot,
                struct capability cap)
{
    struct capability *target = cspace_find(process, slot);
    KERNEL_ASSERT(target != NULL && target->object_type == OBJECT_NONE);
    *target = cap;
    if (cap.object_type == OBJECT_FRAME)
        machine_page_record(cap.object)->cap_count++;
    else if (cap.object_type == OBJECT_UNTYPED)
        kernel->untypeds[cap.object].cap_count++;
    else if (cap.object_type == OBJECT_PROCESS)
        process_at(kernel, cap.object)->cap_count++;
}

void capability_move(struct capability *target, struct capability *source)
{
    KERNEL_ASSERT(target->object_type == OBJECT_NONE);
    *target = *source;
    *source = (struct capability){0};
}

/* The last capability that could control a process is gone: a staged one can never start, an ended
 * one is not retired by anybody. A running one runs on. */
static void process_uncontrolled(struct kernel *kernel, struct process *process)
{
    if (process->life == LIFE_STAGED)
        process_abort(kernel, process);
    else if (process->life == LIFE_ENDED && process->event_delivered)
        process_forget(kernel, process);
}

void capability_drop(struct kernel *kernel, struct capability *slot)
{
    struct capability cap = *slot;
    bool live = kernel_capability_live(kernel, &cap);
    *slot = (struct capability){0};
    if (!live)
        return;
    if (cap.object_type == OBJECT_FRAME) {
        machine_page_record(cap.object)->cap_count--;
        frame_sweep(kernel, cap.object);
    } else if (cap.object_type == OBJECT_UNTYPED) {
        kernel->untypeds[cap.object].cap_count--;
        untyped_sweep(kernel, cap.object);
    } else if (cap.object_type == OBJECT_PROCESS) {
        struct process *process = process_at(kernel, cap.object);
        if (--process->cap_count == 0)
            process_uncontrolled(kernel, process);
    } else if (cap.object_type == OBJECT_REPLY) {
        wait_lost(kernel, process_at(kernel, cap.object)); /* E5 */
    }
}

void cspace_destroy(struct kernel *kernel, struct process *process)
{
    uint32_t *root = machine_page(process->cspace_page);
    for (uint32_t leaf = 0; leaf < process->leaf_high; leaf++) {
        if (root[leaf] == 0)
            continue;
        struct capability *caps = machine_page(root[leaf]);
        for (uint32_t i = 0; i < CSPACE_LEAF_CAPS; i++) {
            if (caps[i].object_type != OBJECT_NONE)
                capability_drop(kernel, &caps[i]);
        }
        memory_return(kernel, process, root[leaf]);
    }
    memory_return(kernel, process, process->cspace_page);
    process->cspace_page = 0;
}
