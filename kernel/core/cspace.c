/* SPDX-License-Identifier: ISC */
/* Capability spaces: a root, leaves, and between them directories for the slots from
 * CSPACE_DIRECT_SLOTS on, so that slot 2336 does not cost 2,336 entries. Decides which slots may be
 * filled and what happens when one is emptied; never which rights a copy gets. Leaves and
 * directories are charged to the process and stay until its end. */
#include "kernel/core/internal.h"

_Static_assert(SLOT_LIMIT % CSPACE_LEAF_CAPS == 0, "whole leaves");
_Static_assert(SLOT_REPLY_BASE + SLOT_REPLY_COUNT <= CSPACE_DIRECT_SLOTS, "the fast way suffices");
_Static_assert((CSPACE_DIRECT_LEAVES + CSPACE_DIRECTORY_COUNT) * sizeof(uint32_t) <= PAGE_BYTES,
               "the root is one page");

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

/* The place in the root that names the directory of a leaf that the root does not name itself. */
static uint32_t *directory_place(const struct process *process, uint32_t leaf)
{
    uint32_t *root = machine_page(process->cspace_page);
    return &root[CSPACE_DIRECT_LEAVES + (leaf - CSPACE_DIRECT_LEAVES) / CSPACE_DIRECTORY_LEAVES];
}

/* The place that names a leaf; null: its directory does not exist. */
static uint32_t *leaf_place(const struct process *process, uint32_t leaf)
{
    if (leaf < CSPACE_DIRECT_LEAVES)
        return (uint32_t *)machine_page(process->cspace_page) + leaf;
    uint32_t directory = *directory_place(process, leaf);
    if (directory == 0)
        return NULL;
    return (uint32_t *)machine_page(directory) +
           (leaf - CSPACE_DIRECT_LEAVES) % CSPACE_DIRECTORY_LEAVES;
}

uint32_t cspace_leaf(const struct process *process, uint32_t leaf)
{
    const uint32_t *place = leaf < CSPACE_LEAF_COUNT ? leaf_place(process, leaf) : NULL;
    return place == NULL ? 0 : *place;
}

/* The next leaf from `leaf` on that exists, or how far a step looks. */
static uint32_t leaf_seek(const struct process *process, uint32_t leaf)
{
    for (uint32_t looked = 0; looked < 64 && leaf < process->leaf_high; looked++) {
        const uint32_t *place = leaf_place(process, leaf);
        if (place == NULL)
            leaf +=
                CSPACE_DIRECTORY_LEAVES - (leaf - CSPACE_DIRECT_LEAVES) % CSPACE_DIRECTORY_LEAVES;
        else if (*place == 0)
            leaf++;
        else
            break;
    }
    return leaf;
}

uint32_t cspace_leaf_next(const struct process *process, uint32_t leaf)
{
    while (leaf < process->leaf_high && cspace_leaf(process, leaf) == 0)
        leaf = leaf_seek(process, leaf);
    return leaf < process->leaf_high ? leaf : CSPACE_LEAF_COUNT;
}

/* The first occupied slot of a leaf from `at` on; CSPACE_LEAF_CAPS: none. */
static uint32_t occupied_next(const struct capability *caps, uint32_t at)
{
    while (at < CSPACE_LEAF_CAPS && caps[at].object_type == OBJECT_NONE)
        at++;
    return at;
}

uint32_t cspace_scan(struct kernel *kernel, const struct process *process, uint32_t slot,
                     bool *found)
{
    *found = true;
    while (work_may(kernel)) {
        uint32_t leaf = slot / CSPACE_LEAF_CAPS;
        if (leaf >= process->leaf_high)
            return SLOT_LIMIT;
        work_count(kernel, 4);
        uint32_t page = cspace_leaf(process, leaf);
        if (page == 0) {
            slot = leaf_seek(process, leaf) * CSPACE_LEAF_CAPS;
            continue;
        }
        uint32_t at = occupied_next(machine_page(page), slot % CSPACE_LEAF_CAPS);
        slot = leaf * CSPACE_LEAF_CAPS + at;
        if (at != CSPACE_LEAF_CAPS)
            return slot;
    }
    *found = false;
    return slot;
}

/* What the leaves of a range still need: themselves, and directories that do not exist. */
static uint32_t pages_missing(const struct process *process, uint32_t first_leaf,
                              uint32_t last_leaf)
{
    uint32_t missing = 0;
    const uint32_t *counted = NULL;
    for (uint32_t leaf = first_leaf; leaf <= last_leaf; leaf++) {
        const uint32_t *place = leaf_place(process, leaf);
        missing += place == NULL || *place == 0;
        if (place != NULL || directory_place(process, leaf) == counted)
            continue;
        counted = directory_place(process, leaf);
        missing++;
    }
    return missing;
}

static void leaf_create(struct kernel *kernel, struct process *process, uint32_t leaf)
{
    if (leaf_place(process, leaf) == NULL)
        *directory_place(process, leaf) = memory_draw(kernel, process, PAGE_CSPACE_DIRECTORY);
    uint32_t *place = leaf_place(process, leaf);
    if (*place == 0)
        *place = memory_draw(kernel, process, PAGE_CSPACE_LEAF);
}

enum status cspace_reserve(struct kernel *kernel, struct process *process, uint32_t first,
                           uint32_t count)
{
    uint32_t first_leaf = first / CSPACE_LEAF_CAPS;
    uint32_t last_leaf = (first + count - 1) / CSPACE_LEAF_CAPS;
    uint32_t missing = pages_missing(process, first_leaf, last_leaf);
    if (missing > memory_left(process))
        return STATUS_OVER_BUDGET; /* K5 */
    for (uint32_t leaf = first_leaf; missing != 0 && leaf <= last_leaf; leaf++)
        leaf_create(kernel, process, leaf);
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
    else if (capability_receives_drivers(&cap))
        kernel->driver_receivers++;
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
        process_retire(kernel, process);
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
    } else if (capability_receives_drivers(&cap)) {
        driver_receiver_gone(kernel);
    }
}

/* The leaves are gone. */
static void tables_return(struct kernel *kernel, struct process *process)
{
    const uint32_t *root = machine_page(process->cspace_page);
    for (uint32_t i = CSPACE_DIRECT_LEAVES; i < CSPACE_DIRECT_LEAVES + CSPACE_DIRECTORY_COUNT;
         i++) {
        if (root[i] != 0)
            memory_return(kernel, process, root[i]);
    }
    memory_return(kernel, process, process->cspace_page);
    process->cspace_page = 0;
}

void cspace_destroy_step(struct kernel *kernel, struct process *process)
{
    work_count(kernel, 4);
    if (process->leaf_low >= process->leaf_high) {
        tables_return(kernel, process);
        return;
    }
    uint32_t page = cspace_leaf(process, process->leaf_low);
    if (page == 0) {
        process->leaf_low = leaf_seek(process, process->leaf_low);
        return;
    }
    struct capability *caps = machine_page(page);
    for (uint32_t at = occupied_next(caps, 0); at < CSPACE_LEAF_CAPS;
         at = occupied_next(caps, at + 1)) {
        if (!work_may(kernel))
            return;
        capability_drop(kernel, &caps[at]);
        work_count(kernel, 1);
    }
    *leaf_place(process, process->leaf_low++) = 0;
    memory_return(kernel, process, page);
}
