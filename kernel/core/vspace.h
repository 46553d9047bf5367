/* SPDX-License-Identifier: ISC */
/* Address spaces: finding the entries of a range, making its tables (vspace.c), mapping pages there
 * and removing them (mapping.c). */
#ifndef BASALT_KERNEL_CORE_VSPACE_H
#define BASALT_KERNEL_CORE_VSPACE_H

#include "kernel/core/internal.h"

/* An entry of a page table. A leaf's has the rights of its first mapping in bits that the processor
 * ignores. */
#define ENTRY_PRESENT   UINT64_C(1)
#define ENTRY_WRITE     (UINT64_C(1) << 1)
#define ENTRY_USER      (UINT64_C(1) << 2)
#define ENTRY_PAGE      UINT64_C(0x000FFFFFFFFFF000)
#define ENTRY_MAX_WRITE (UINT64_C(1) << 52)
#define ENTRY_MAX_EXEC  (UINT64_C(1) << 53)
#define ENTRY_NO_EXEC   (UINT64_C(1) << 63)

static inline uint32_t entry_page(uint64_t entry)
{
    return (uint32_t)((entry & ENTRY_PAGE) >> PAGE_SHIFT);
}

/* Where `va` is in a table of a level; leaves are level 0. */
static inline uint32_t table_index(unsigned level, uint64_t va)
{
    return (uint32_t)(va >> (PAGE_SHIFT + 9 * level)) % TABLE_ENTRIES;
}

/* The table below `table` on the way to `va`; 0: there is none. */
static inline uint32_t table_below(uint32_t table, unsigned level, uint64_t va)
{
    const uint64_t *entries = machine_page(table);
    return entry_page(entries[table_index(level, va)]);
}

/* The leaf table that covers a va of the lower half; 0: there is none. */
static inline uint32_t vspace_leaf_find(const struct process *process, uint64_t va)
{
    uint32_t table = table_below(process->vspace_page, 3, va);
    if (table != 0)
        table = table_below(table, 2, va);
    if (table != 0)
        table = table_below(table, 1, va);
    return table;
}

/* `count` pages in a row, at most as many as a leaf has entries: they lie in one leaf, or the rest of
 * them in the next one. Whoever asks for them walks the tables once. */
struct vspace_range {
    uint64_t va;
    uint32_t count;
    uint32_t here;   /* of them in the first leaf, */
    uint32_t at;     /* from this entry on */
    uint32_t leaf;   /* 0: it does not exist */
    uint32_t behind; /* the leaf of the others; 0: it does not exist, or there are none */
};

KERNEL_INLINE struct vspace_range vspace_range_find(const struct process *process, uint64_t va,
                                                    uint32_t count)
{
    struct vspace_range range = {.va = va, .count = count, .here = count};
    range.at = table_index(0, va);
    range.leaf = vspace_leaf_find(process, va);
    if (count > TABLE_ENTRIES - range.at) {
        range.here = TABLE_ENTRIES - range.at;
        range.behind = vspace_leaf_find(process, va + (uint64_t)range.here * PAGE_BYTES);
    }
    return range;
}

/* Whether `count` entries of a leaf from `at` on are all present, or all absent; leaf 0 has none. */
KERNEL_INLINE bool leaf_is(uint32_t leaf, uint32_t at, uint32_t count, bool present)
{
    if (leaf == 0)
        return !present;
    const uint64_t *entry = (const uint64_t *)machine_page(leaf) + at;
    for (const uint64_t *end = entry + count; entry < end; entry++) {
        if ((*entry != 0) != present)
            return false;
    }
    return true;
}

KERNEL_INLINE bool vspace_range_is(const struct vspace_range *range, bool present)
{
    return leaf_is(range->leaf, range->at, range->here, present) &&
           (range->here == range->count ||
            leaf_is(range->behind, 0, range->count - range->here, present));
}

/* Makes the tables of [va, va + count pages) exist: OK or OVER_BUDGET (nothing changed). */
enum status vspace_tables_make(struct kernel *kernel, struct process *process, uint64_t va,
                               uint32_t count);

/* The same for a range, which is found anew when it had none. */
__attribute__((always_inline)) static inline enum status
vspace_reserve(struct kernel *kernel, struct process *process, struct vspace_range *range)
{
    if (range->leaf != 0 && (range->here == range->count || range->behind != 0))
        return STATUS_OK;
    enum status status = vspace_tables_make(kernel, process, range->va, range->count);
    if (status == STATUS_OK)
        *range = vspace_range_find(process, range->va, range->count);
    return status;
}

/* Entries of a table are looked for in lines: most lines of most tables are empty. */
enum { TABLE_LINE_ENTRIES = TABLE_ENTRIES / 32 };

/* The first entry from `at` on that is not empty, by looking at all of them; `count` (a multiple of
 * 8) when there is none. For those who do not trust the noted lines. */
static inline uint32_t table_entry_next(const uint64_t *entries, uint32_t at, uint32_t count)
{
    while (at < count && entries[at] == 0) {
        const uint64_t *row = &entries[++at];
        while (at % 8 == 0 && at < count &&
               (row[0] | row[1] | row[2] | row[3] | row[4] | row[5] | row[6] | row[7]) == 0) {
            at += 8;
            row += 8;
        }
    }
    return at;
}

/* The bit of an entry in entry_lines. */
static inline uint32_t entry_line(uint32_t index)
{
    return UINT32_C(1) << index / TABLE_LINE_ENTRIES % 32;
}

/* The same by the noted lines. */
static inline uint32_t table_noted_next(uint32_t table, uint32_t at, uint32_t count)
{
    const uint64_t *entries = machine_page(table);
    uint32_t lines = machine_page_record(table)->entry_lines;
    while (at < count && entries[at] == 0) {
        at++;
        while (at % TABLE_LINE_ENTRIES == 0 && at < count && (lines & entry_line(at)) == 0)
            at += TABLE_LINE_ENTRIES;
    }
    return at;
}

/* Frees the tables of va that have become empty. */
void vspace_prune(struct kernel *kernel, struct process *process, uint64_t va);

/* One step of removing everything: vspace_page is 0 at the end. */
void vspace_destroy_step(struct kernel *kernel, struct process *process);

/* Maps pages in a row from `page` on, to entries in a row of one leaf, which are empty. */
void leaf_add(uint32_t leaf, uint32_t at, uint32_t page, uint32_t count, uint16_t rights);
void leaf_add_one(uint32_t leaf, uint32_t at, uint32_t page, uint16_t rights);

/* The same to a range whose tables exist. */
KERNEL_INLINE void mapping_add(struct process *process, const struct vspace_range *range,
                               uint32_t page, uint16_t rights)
{
    process->mapped_pages += range->count;
    if (range->count == 1) {
        leaf_add_one(range->leaf, range->at, page, rights);
        return;
    }
    leaf_add(range->leaf, range->at, page, range->here, rights);
    if (range->here != range->count)
        leaf_add(range->behind, 0, page + range->here, range->count - range->here, rights);
}

/* Removes the mapping with that name (leaf page * TABLE_ENTRIES + entry); tables stay. */
void mapping_remove(struct kernel *kernel, struct process *process, uint32_t mapping);

/* Removes the mappings of a range, and the tables that become empty, as far as this entry may work:
 * va and count are what is left. Some may be absent. */
__attribute__((always_inline)) static inline void
mappings_remove(struct kernel *kernel, struct process *process, struct vspace_range *range)
{
    for (; range->count != 0 && work_may(kernel); range->va += PAGE_BYTES, range->count--) {
        work_count(kernel, 1);
        if (range->at == TABLE_ENTRIES) { /* once: a range is no longer than a leaf */
            range->leaf = range->behind;
            range->at = 0;
        }
        uint32_t at = range->at++;
        if (range->leaf == 0 || ((const uint64_t *)machine_page(range->leaf))[at] == 0)
            continue;
        mapping_remove(kernel, process, range->leaf * TABLE_ENTRIES + at);
        if (machine_page_record(range->leaf)->mapping_count != 0)
            continue;
        vspace_prune(kernel, process, range->va);
        range->leaf = 0; /* the others are not there any more */
    }
}

uint32_t mapping_next(uint32_t mapping);
uint16_t entry_rights(uint64_t entry);
uint16_t entry_rights_max(uint64_t entry);
uint64_t entry_with_rights(uint64_t entry, uint16_t rights);

#endif
