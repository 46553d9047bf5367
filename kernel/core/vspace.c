/* SPDX-License-Identifier: ISC */
/* Address spaces: four levels of page tables in physical pages, in x86-64 layout, so that the metal
 * uses them as they are and the host walks them. Tables are charged to the process and go back as
 * soon as they are empty. Decides which tables exist; never which page is mapped where. Only
 * entries 0 to 255 of the root are ours; the others belong to the machine. */
#include "kernel/core/vspace.h"

enum { LEVEL_ROOT = 3, LEVEL_LEAF = 0 };

#define TABLE_FLAGS UINT64_C(7) /* present, writable, user: the leaf entry decides */

static uint64_t *table_entry(uint32_t table, unsigned level, uint64_t va)
{
    return (uint64_t *)machine_page(table) + table_index(level, va);
}

uint32_t kernel_translate(const struct kernel *kernel, uint32_t index, uint64_t va,
                          uint16_t *rights)
{
    const struct process *process = kernel_process(kernel, index);
    *rights = 0;
    if (process == NULL || process->vspace_page == 0 || va >> 47 != 0)
        return 0;
    uint32_t leaf = vspace_leaf_find(process, va);
    uint64_t entry = leaf == 0 ? 0 : *table_entry(leaf, LEVEL_LEAF, va);
    *rights = entry_rights(entry);
    return entry_page(entry);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* A new table below `parent`; a leaf comes with its links page. 0: the budget is used up. */
static uint32_t table_create(struct kernel *kernel, struct process *process, unsigned level,
                             uint64_t va)
{
    if (level != LEVEL_LEAF)
        return memory_draw(kernel, process, PAGE_TABLE);
    if (memory_left(process) < 2)
        return 0;
    uint32_t leaf = memory_draw(kernel, process, PAGE_LEAF_TABLE);
    struct page_record *record = machine_page_record(leaf);
    record->link = memory_draw(kernel, process, PAGE_LINKS);
    record->leaf_number = (uint32_t)(va / LEAF_BYTES);
    return leaf;
}

static void table_free(struct kernel *kernel, struct process *process, uint32_t table)
{
    const struct page_record *record = machine_page_record(table);
    if (record->kind == PAGE_LEAF_TABLE)
        memory_return(kernel, process, record->link, true);
    memory_return(kernel, process, table, true);
    work_count(kernel, 1);
}

/* Makes the tables of one va exist. On OVER_BUDGET tables may be left empty: the caller prunes. */
static enum status path_create(struct kernel *kernel, struct process *process, uint64_t va)
{
    uint32_t table = process->vspace_page;
    for (unsigned level = LEVEL_ROOT; level > LEVEL_LEAF; level--) {
        uint64_t *entry = table_entry(table, level, va);
        if (*entry == 0) {
            uint32_t child = table_create(kernel, process, level - 1, va);
            if (child == 0)
                return STATUS_OVER_BUDGET;
            *entry = (uint64_t)child << PAGE_SHIFT | TABLE_FLAGS;
            machine_page_record(table)->mapping_count++;
            machine_page_record(table)->entry_lines |= entry_line(table_index(level, va));
        }
        table = entry_page(*entry);
    }
    return STATUS_OK;
}

void vspace_prune(struct kernel *kernel, struct process *process, uint64_t va)
{
    uint32_t path[LEVEL_ROOT + 1] = {0};
    path[LEVEL_ROOT] = process->vspace_page;
    for (unsigned level = LEVEL_ROOT; level > LEVEL_LEAF && path[level] != 0; level--)
        path[level - 1] = entry_page(*table_entry(path[level], level, va));
    for (unsigned level = LEVEL_LEAF; level < LEVEL_ROOT; level++) {
        if (path[level] == 0)
            continue;
        if (machine_page_record(path[level])->mapping_count != 0)
            return;
        *table_entry(path[level + 1], level + 1, va) = 0;
        machine_page_record(path[level + 1])->mapping_count--;
        machine_flush(process->vspace_page, va);
        table_free(kernel, process, path[level]);
    }
}

/* Two leaves at most: a range is no longer than what a leaf covers. */
enum status vspace_tables_make(struct kernel *kernel, struct process *process, uint64_t va,
                               uint32_t count)
{
    uint64_t last = va + (uint64_t)(count - 1) * PAGE_BYTES;
    if (path_create(kernel, process, va) == STATUS_OK &&
        path_create(kernel, process, last) == STATUS_OK)
        return STATUS_OK;
    vspace_prune(kernel, process, va);
    vspace_prune(kernel, process, last);
    return STATUS_OVER_BUDGET;
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool line_empty(const uint64_t *entries)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < TABLE_LINE_ENTRIES; i++)
        seen |= entries[i];
    return seen == 0;
}

/* The first line from the one that begins at `index` on that is not empty; there is one. That a line
 * was empty is remembered: the next look does not come by it. */
static uint32_t line_next(uint32_t table, uint32_t index)
{
    const uint64_t *entries = machine_page(table);
    struct page_record *record = machine_page_record(table);
    for (;; index += TABLE_LINE_ENTRIES) {
        KERNEL_ASSERT(index < TABLE_ENTRIES);
        uint32_t lines = record->entry_lines >> index / TABLE_LINE_ENTRIES;
        KERNEL_ASSERT(lines != 0);
        index += (uint32_t)__builtin_ctz(lines) * TABLE_LINE_ENTRIES;
        if (!line_empty(&entries[index]))
            return index;
        record->entry_lines &= ~entry_line(index);
    }
}

/* The first entry from `index` on that is not empty; there is one. */
static uint32_t entry_next(uint32_t table, uint32_t index)
{
    const uint64_t *entries = machine_page(table);
    for (;; index++) {
        if (index % TABLE_LINE_ENTRIES == 0)
            index = line_next(table, index);
        if (entries[index] != 0)
            return index;
    }
}

/* How many entries of a table are not empty: nothing behind the last of them is looked at. */
static uint32_t entries_present(uint32_t table)
{
    return machine_page_record(table)->mapping_count;
}

/* The first leaf: no table is empty, but a root. 0: there is none. */
static uint32_t leaf_first(const struct process *process)
{
    uint32_t table = process->vspace_page;
    if (entries_present(table) == 0)
        return 0;
    for (unsigned level = LEVEL_ROOT; level > LEVEL_LEAF; level--) {
        const uint64_t *entries = machine_page(table);
        table = entry_page(entries[entry_next(table, 0)]);
    }
    return table;
}

enum { LEAF_FIRST_STEPS = 8 }; /* of finding it */
_Static_assert((int)LEAF_FIRST_STEPS < (int)KERNEL_WORK_MIN,
               "a piece takes one entry out of it at least");

/* The machine has left the address space, so nothing has to be flushed. */
void vspace_destroy_step(struct kernel *kernel, struct process *process)
{
    machine_vspace_destroy(process->vspace_page);
    uint32_t leaf = leaf_first(process);
    work_count(kernel, LEAF_FIRST_STEPS);
    if (leaf == 0) {
        memory_return(kernel, process, process->vspace_page, false); /* the machine's half */
        process->vspace_page = 0;
        return;
    }
    uint32_t i = 0;
    for (; work_may(kernel) && entries_present(leaf) != 0; i++) {
        i = entry_next(leaf, i);
        mapping_remove(kernel, process, leaf * TABLE_ENTRIES + i);
        work_count(kernel, 1);
    }
    if (entries_present(leaf) == 0)
        vspace_prune(kernel, process,
                     (uint64_t)machine_page_record(leaf)->leaf_number * LEAF_BYTES);
}
