/* SPDX-License-Identifier: ISC */
/* Capability spaces: a root, leaves, and between them directories for the slots from
 * CSPACE_DIRECT_SLOTS on, so that slot 2336 does not cost 2,336 entries. Decides which slots may be
 * filled and what happens when one is emptied; never which rights a copy gets. Leaves and
 * directories are charged to the process and stay until its end. */
#include "kernel/core/cspace.h"

_Static_assert(SLOT_LIMIT % CSPACE_LEAF_CAPS == 0, "whole leaves");
_Static_assert((CSPACE_DIRECT_LEAVES + CSPACE_DIRECTORY_COUNT) * sizeof(uint32_t) <= PAGE_BYTES,
               "the root is one page");

bool kernel_capability_live(const struct kernel *kernel, const struct capability *cap)
{
    return capability_is_live(kernel, cap, (enum object_type)cap->object_type);
}

/* --- questions -------------------------------------------------------------------------------- */

enum status capability_misfit(const struct kernel *kernel, const struct capability *cap,
                              enum object_type type)
{
    if (cap == NULL || cap->object_type == type || !kernel_capability_live(kernel, cap))
        return STATUS_NOT_FOUND; /* K3 */
    return STATUS_INVALID_ARGUMENT;
}

bool cspace_leaves_empty(const struct process *process, uint32_t first, uint32_t count)
{
    while (count != 0) {
        const struct capability *caps = cspace_find(process, first); /* null: no leaf */
        uint32_t here = CSPACE_LEAF_CAPS - first % CSPACE_LEAF_CAPS;
        if (here > count)
            here = count;
        if (caps != NULL && !capabilities_empty(caps, here))
            return false;
        first += here;
        count -= here;
    }
    return true;
}

/* --- leaves ----------------------------------------------------------------------------------- */

/* The next leaf from `leaf` on that exists, or how far a step looks. */
static uint32_t leaf_seek(const struct process *process, uint32_t leaf)
{
    for (uint32_t looked = 0; looked < 64 && leaf < process->leaf_high; looked++) {
        const uint32_t *place = cspace_leaf_place(process, leaf);
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

/* Whether none of four slots in a row is occupied. */
static bool four_empty(const struct capability *caps)
{
    return (caps[0].object_type | caps[1].object_type | caps[2].object_type |
            caps[3].object_type) == OBJECT_NONE;
}

/* The first occupied slot of a leaf from `at` on; CSPACE_LEAF_CAPS: none. */
static uint32_t occupied_next(const struct capability *caps, uint32_t at)
{
    while (at < CSPACE_LEAF_CAPS && caps[at].object_type == OBJECT_NONE) {
        at++;
        while (at % 4 == 0 && at < CSPACE_LEAF_CAPS && four_empty(&caps[at]))
            at += 4;
    }
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

uint32_t cspace_leaf_scan(const struct process *process, uint32_t slot, bool *found)
{
    uint32_t leaf = slot / CSPACE_LEAF_CAPS;
    uint32_t page = leaf < process->leaf_high ? cspace_leaf(process, leaf) : 0;
    uint32_t at =
        page == 0 ? CSPACE_LEAF_CAPS : occupied_next(machine_page(page), slot % CSPACE_LEAF_CAPS);
    *found = at != CSPACE_LEAF_CAPS;
    if (!*found && leaf + 1 >= process->leaf_high)
        return SLOT_LIMIT;
    return leaf * CSPACE_LEAF_CAPS + at;
}

/* What the leaves of a range still need: themselves, and directories that do not exist. */
static uint32_t pages_missing(const struct process *process, uint32_t first_leaf,
                              uint32_t last_leaf)
{
    uint32_t missing = 0;
    const uint32_t *counted = NULL;
    for (uint32_t leaf = first_leaf; leaf <= last_leaf; leaf++) {
        const uint32_t *place = cspace_leaf_place(process, leaf);
        missing += place == NULL || *place == 0;
        if (place != NULL || cspace_directory_place(process, leaf) == counted)
            continue;
        counted = cspace_directory_place(process, leaf);
        missing++;
    }
    return missing;
}

/* The root names another leaf: two that every round trip needs stand in the record as well. */
static void leaf_note(struct process *process, uint32_t leaf, uint32_t page)
{
    if (leaf == 0)
        process->first_leaf = page;
    else if (leaf == CSPACE_REPLY_LEAF)
        process->reply_leaf = page;
}

static void leaf_create(struct kernel *kernel, struct process *process, uint32_t leaf)
{
    if (cspace_leaf_place(process, leaf) == NULL)
        *cspace_directory_place(process, leaf) =
            memory_draw(kernel, process, PAGE_CSPACE_DIRECTORY);
    uint32_t *place = cspace_leaf_place(process, leaf);
    if (*place == 0)
        leaf_note(process, leaf, *place = memory_draw(kernel, process, PAGE_CSPACE_LEAF));
}

enum status cspace_leaves_make(struct kernel *kernel, struct process *process, uint32_t first,
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
    if (process->reply_free_words == 0)
        return STATUS_EXHAUSTED;
    *slot = reply_slot_lowest(process);
    if (cspace_find(process, *slot) != NULL)
        return STATUS_OK;
    return cspace_reserve(kernel, process, *slot, 1);
}

/* --- filling and emptying --------------------------------------------------------------------- */

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

/* The leaves are gone, and the root names none of them any more. */
static void tables_return(struct kernel *kernel, struct process *process)
{
    uint32_t *root = machine_page(process->cspace_page);
    for (uint32_t i = CSPACE_DIRECT_LEAVES; i < CSPACE_DIRECT_LEAVES + CSPACE_DIRECTORY_COUNT;
         i++) {
        if (root[i] != 0)
            memory_return(kernel, process, root[i], true);
        root[i] = 0;
    }
    memory_return(kernel, process, process->cspace_page, true);
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
    *cspace_leaf_place(process, process->leaf_low) = 0;
    leaf_note(process, process->leaf_low++, 0);
    memory_return(kernel, process, page, true);
}
