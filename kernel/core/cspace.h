/* SPDX-License-Identifier: ISC */
/* Slots: finding them, what can be asked of the capability in one, filling and emptying them
 * (cspace.c). What every call asks is inline. */
#ifndef BASALT_KERNEL_CORE_CSPACE_H
#define BASALT_KERNEL_CORE_CSPACE_H

#include "kernel/core/internal.h"

/* The place in the root that names the directory of a leaf that the root does not name itself. */
static inline uint32_t *cspace_directory_place(const struct process *process, uint32_t leaf)
{
    uint32_t *root = machine_page(process->cspace_page);
    return &root[CSPACE_DIRECT_LEAVES + (leaf - CSPACE_DIRECT_LEAVES) / CSPACE_DIRECTORY_LEAVES];
}

/* The place that names a leaf; null: its directory does not exist. */
KERNEL_INLINE uint32_t *cspace_leaf_place(const struct process *process, uint32_t leaf)
{
    if (leaf < CSPACE_DIRECT_LEAVES)
        return (uint32_t *)machine_page(process->cspace_page) + leaf;
    uint32_t directory = *cspace_directory_place(process, leaf);
    if (directory == 0)
        return NULL;
    return (uint32_t *)machine_page(directory) +
           (leaf - CSPACE_DIRECT_LEAVES) % CSPACE_DIRECTORY_LEAVES;
}

/* The page of a leaf, by its index; 0: there is none. Most leaves are named by the root. */
KERNEL_INLINE uint32_t cspace_leaf(const struct process *process, uint32_t leaf)
{
    if (leaf < CSPACE_DIRECT_LEAVES)
        return *cspace_leaf_place(process, leaf);
    const uint32_t *place = leaf < CSPACE_LEAF_COUNT ? cspace_leaf_place(process, leaf) : NULL;
    return place == NULL ? 0 : *place;
}

/* The first leaf that exists from `leaf` on; CSPACE_LEAF_COUNT: none does. */
uint32_t cspace_leaf_next(const struct process *process, uint32_t leaf);

/* The slot, or null: there is no leaf for it yet or no such slot. */
KERNEL_INLINE struct capability *cspace_find(const struct process *process, uint32_t slot)
{
    uint32_t leaf = cspace_leaf(process, slot / CSPACE_LEAF_CAPS);
    return leaf == 0 ? NULL : (struct capability *)machine_page(leaf) + slot % CSPACE_LEAF_CAPS;
}

/* By one distance from the first page, which the compiler has at hand. */
KERNEL_INLINE struct capability *leaf_slot(uint32_t leaf, uint32_t index)
{
    uintptr_t place = ((uintptr_t)leaf << PAGE_SHIFT) + index * sizeof(struct capability);
    return (struct capability *)(void *)((uint8_t *)machine_page(0) + place);
}

/* The same for the first slots, below CSPACE_LEAF_CAPS, of a process that lives: their leaf is there. */
KERNEL_INLINE struct capability *cspace_first(const struct process *process, uint32_t slot)
{
    return leaf_slot(process->first_leaf, slot);
}

/* A reply slot whose leaf exists, by its index; null: it does not. */
KERNEL_INLINE struct capability *cspace_reply(const struct process *process, uint32_t index)
{
    if (index >= CSPACE_LEAF_CAPS)
        return cspace_find(process, SLOT_REPLY_BASE + index);
    return leaf_slot(process->reply_leaf, index);
}

/* The endpoint that an ENDPOINT capability names; null when it is gone. */
KERNEL_INLINE struct endpoint *capability_endpoint(struct kernel *kernel,
                                                   const struct capability *cap)
{
    struct endpoint *endpoint = &kernel->driver_endpoint;
    if (cap->object != KERNEL_DRIVER_ENDPOINT) {
        const struct process_entry *entry = &kernel->processes[cap->object];
        if (entry->record_page == 0)
            return NULL;
        endpoint = &((struct process *)machine_page(entry->record_page))->service;
    }
    return endpoint->live && endpoint->generation == cap->generation ? endpoint : NULL;
}

/* Whether the kernel tells the index and generation of what a capability names; of the others these
 * are physical addresses, or nothing. */
static inline bool capability_is_public(const struct capability *cap)
{
    return cap->object_type == OBJECT_UNTYPED || cap->object_type == OBJECT_VSPACE ||
           cap->object_type == OBJECT_ENDPOINT || cap->object_type == OBJECT_PROCESS ||
           cap->object_type == OBJECT_GRANT;
}

/* The process that waits for the answer of a REPLY capability; null: it does not any more. */
static inline struct process *capability_caller(const struct kernel *kernel,
                                                const struct capability *cap)
{
    const struct process_entry *entry = &kernel->processes[cap->object];
    if (entry->record_page == 0)
        return NULL;
    struct process *caller = machine_page(entry->record_page);
    return caller->life == LIFE_CALLING && caller->call_sequence == cap->badge ? caller : NULL;
}

static inline bool capability_receives_drivers(const struct capability *cap)
{
    return cap->object_type == OBJECT_ENDPOINT && cap->object == KERNEL_DRIVER_ENDPOINT &&
           (cap->rights & RIGHT_RECEIVE) != 0;
}

/* Whether an ENDPOINT capability's endpoint is there, as capability_endpoint. */
static inline bool endpoint_is_live(const struct kernel *kernel, const struct capability *cap)
{
    if (cap->object == KERNEL_DRIVER_ENDPOINT)
        return kernel->driver_endpoint.live &&
               kernel->driver_endpoint.generation == cap->generation;
    const struct process *owner = process_find(kernel, cap->object, cap->generation);
    return owner != NULL && owner->service.live;
}

/* The process that a capability of these types names; null when it is dead: of VSPACE, when the
 * process has ended, and of GRANT, as soon as it may run. */
__attribute__((always_inline)) static inline struct process *
capability_process(const struct kernel *kernel, const struct capability *cap, enum object_type type)
{
    struct process *process = process_find(kernel, cap->object, cap->generation);
    if (process == NULL || (type == OBJECT_VSPACE && process_has_ended(process)) ||
        (type == OBJECT_GRANT && process->life != LIFE_STAGED))
        return NULL;
    return process;
}

/* kernel_capability_live for a type that is known: the question that is left is a short one. */
__attribute__((always_inline)) static inline bool
capability_is_live(const struct kernel *kernel, const struct capability *cap, enum object_type type)
{
    switch (type) {
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
    case OBJECT_PROCESS:
    case OBJECT_GRANT:
        return capability_process(kernel, cap, type) != NULL;
    case OBJECT_ENDPOINT:
        return endpoint_is_live(kernel, cap);
    case OBJECT_REPLY:
        return capability_caller(kernel, cap) != NULL;
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

/* Why a capability, or null, is not a live one of a type: NOT_FOUND or INVALID_ARGUMENT. */
__attribute__((cold)) enum status
capability_misfit(const struct kernel *kernel, const struct capability *cap, enum object_type type);

/* A live capability of a type with rights. NOT_FOUND, INVALID_ARGUMENT (type), DENIED (rights). */
__attribute__((always_inline)) static inline enum status
cspace_get(const struct kernel *kernel, const struct process *process, uint32_t slot,
           enum object_type type, uint16_t rights, struct capability **out)
{
    struct capability *cap = cspace_find(process, slot);
    if (cap == NULL || cap->object_type != type || !capability_is_live(kernel, cap, type))
        return capability_misfit(kernel, cap, type);
    if ((cap->rights & rights) != rights)
        return STATUS_DENIED; /* K1 */
    *out = cap;
    return STATUS_OK;
}

/* Whether [first, first + count) are slots that operations may fill: within [1, SLOT_LIMIT), no
 * reply slot. */
static inline bool cspace_range_fillable(uint32_t first, uint32_t count)
{
    if (first == SLOT_NULL || first >= SLOT_LIMIT || count > SLOT_LIMIT - first)
        return false;
    return first + count <= SLOT_REPLY_BASE || first >= SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
}

/* The slots of a range that lies in one leaf, which exists, as nearly all do; null otherwise. */
static inline struct capability *cspace_run(const struct process *process, uint32_t first,
                                            uint32_t count)
{
    if (first % CSPACE_LEAF_CAPS + count > CSPACE_LEAF_CAPS)
        return NULL;
    return cspace_find(process, first);
}

static inline bool capabilities_empty(const struct capability *caps, uint32_t count)
{
    for (const struct capability *end = caps + count; caps < end; caps++) {
        if (caps->object_type != OBJECT_NONE)
            return false;
    }
    return true;
}

bool cspace_leaves_empty(const struct process *process, uint32_t first, uint32_t count);
__attribute__((always_inline)) static inline bool cspace_range_empty(const struct process *process,
                                                                     uint32_t first, uint32_t count)
{
    const struct capability *run = cspace_run(process, first, count);
    return run != NULL ? capabilities_empty(run, count)
                       : cspace_leaves_empty(process, first, count);
}

/* Makes the leaves of a range exist: OK or OVER_BUDGET (nothing changed). */
enum status cspace_leaves_make(struct kernel *kernel, struct process *process, uint32_t first,
                               uint32_t count);
__attribute__((always_inline)) static inline enum status
cspace_reserve(struct kernel *kernel, struct process *process, uint32_t first, uint32_t count)
{
    bool there = cspace_run(process, first, count) != NULL;
    return there ? STATUS_OK : cspace_leaves_make(kernel, process, first, count);
}

/* A capability of a type has come to a slot. */
__attribute__((always_inline)) static inline void
capability_counted(struct kernel *kernel, const struct capability *cap, enum object_type type)
{
    if (type == OBJECT_FRAME)
        machine_page_record(cap->object)->cap_count++;
    else if (type == OBJECT_UNTYPED)
        kernel->untypeds[cap->object].cap_count++;
    else if (type == OBJECT_PROCESS)
        process_at(kernel, cap->object)->cap_count++;
    else if (capability_receives_drivers(cap))
        kernel->driver_receivers++;
}

/* Puts a copy of a live capability into an empty slot whose leaf exists, and counts it. */
__attribute__((always_inline)) static inline void cspace_put(struct kernel *kernel,
                                                             const struct process *process,
                                                             uint32_t slot, struct capability cap)
{
    struct capability *target = cspace_find(process, slot);
    KERNEL_ASSERT(target != NULL && target->object_type == OBJECT_NONE);
    *target = cap;
    capability_counted(kernel, target, (enum object_type)cap.object_type);
}

/* Moves without counting: the target is empty, its leaf exists. */
void capability_move(struct capability *target, struct capability *source);

/* Empties a slot: a process that waits for this capability learns it. */
void capability_drop(struct kernel *kernel, struct capability *cap);

/* One step of dropping everything and returning the pages, root included: cspace_page is 0 at the
 * end. */
void cspace_destroy_step(struct kernel *kernel, struct process *process);

/* The first occupied slot from `slot` on, SLOT_LIMIT when there is none, as far as this entry may
 * look; *found says whether that was far enough. */
uint32_t cspace_scan(struct kernel *kernel, const struct process *process, uint32_t slot,
                     bool *found);

/* The same within the slot's leaf alone, which is a bounded walk; *found: there is one. Otherwise where
 * to go on: the first slot of the next leaf, or SLOT_LIMIT when no leaf lies above. */
uint32_t cspace_leaf_scan(const struct process *process, uint32_t slot, bool *found);

/* The reply slot for the next call that `process` receives, its leaf made: EXHAUSTED (none is
 * free), OVER_BUDGET (no leaf). */
enum status reply_slot_reserve(struct kernel *kernel, struct process *process, uint32_t *slot);

/* The lowest that is free; not all are taken. */
KERNEL_INLINE uint32_t reply_slot_lowest(const struct process *process)
{
    uint32_t word = (uint32_t)__builtin_ctz(process->reply_free_words);
    uint32_t bit = (uint32_t)__builtin_ctzll(process->reply_free[word]);
    return SLOT_REPLY_BASE + word * REPLY_WORD_SLOTS + bit;
}

/* Reply slots by their index. */
KERNEL_INLINE void reply_slot_take(struct process *process, uint32_t index)
{
    uint32_t word = index / REPLY_WORD_SLOTS;
    process->reply_free[word] &= ~(UINT64_C(1) << index % REPLY_WORD_SLOTS);
    if (process->reply_free[word] == 0)
        process->reply_free_words &= ~(1u << word);
}

KERNEL_INLINE void reply_slot_free(struct process *process, uint32_t index)
{
    uint32_t word = index / REPLY_WORD_SLOTS;
    process->reply_free[word] |= UINT64_C(1) << index % REPLY_WORD_SLOTS;
    process->reply_free_words |= 1u << word;
}

#endif
