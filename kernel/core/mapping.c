/* SPDX-License-Identifier: ISC */
/* Mappings: leaf entries in x86-64 layout, and for each page the doubly linked list of the entries
 * that show it. A mapping's name is leaf page * TABLE_ENTRIES + entry; its links lie at the same
 * entry of the links page that is paired with the leaf. Decides nothing about who may map what. */
#include "kernel/core/vspace.h"

struct mapping_links {
    uint32_t next;
    uint32_t previous; /* 0: the page's record points here */
};
_Static_assert(sizeof(struct mapping_links) * TABLE_ENTRIES == PAGE_BYTES,
               "links of a leaf fill a page");

uint16_t entry_rights(uint64_t entry)
{
    if ((entry & ENTRY_PRESENT) == 0)
        return 0;
    uint16_t rights = RIGHT_READ;
    if ((entry & ENTRY_WRITE) != 0)
        rights |= RIGHT_WRITE;
    if ((entry & ENTRY_NO_EXEC) == 0)
        rights |= RIGHT_EXECUTE;
    return rights;
}

uint16_t entry_rights_max(uint64_t entry)
{
    uint16_t rights = RIGHT_READ;
    if ((entry & ENTRY_MAX_WRITE) != 0)
        rights |= RIGHT_WRITE;
    if ((entry & ENTRY_MAX_EXEC) != 0)
        rights |= RIGHT_EXECUTE;
    return rights;
}

uint64_t entry_with_rights(uint64_t entry, uint16_t rights)
{
    entry &= ENTRY_PAGE | ENTRY_MAX_WRITE | ENTRY_MAX_EXEC;
    entry |= ENTRY_PRESENT | ENTRY_USER;
    if ((rights & RIGHT_WRITE) != 0)
        entry |= ENTRY_WRITE;
    if ((rights & RIGHT_EXECUTE) == 0)
        entry |= ENTRY_NO_EXEC;
    return entry;
}

static uint64_t entry_make(uint32_t page, uint16_t rights)
{
    uint64_t entry = (uint64_t)page << PAGE_SHIFT;
    if ((rights & RIGHT_WRITE) != 0)
        entry |= ENTRY_MAX_WRITE;
    if ((rights & RIGHT_EXECUTE) != 0)
        entry |= ENTRY_MAX_EXEC;
    return entry_with_rights(entry, rights);
}

static uint64_t *entry_of(uint32_t mapping)
{
    return (uint64_t *)machine_page(mapping / TABLE_ENTRIES) + mapping % TABLE_ENTRIES;
}

static struct mapping_links *links_of(uint32_t mapping)
{
    struct mapping_links *links = machine_page(machine_page_record(mapping / TABLE_ENTRIES)->link);
    return &links[mapping % TABLE_ENTRIES];
}

uint32_t mapping_next(uint32_t mapping)
{
    return links_of(mapping)->next;
}

/* A request may have 512 of them, and they are one piece (K8): so what is the same for all is found
 * once. */
KERNEL_INLINE void entries_add(uint32_t leaf, uint32_t at, uint32_t page, uint32_t count,
                               uint16_t rights)
{
    KERNEL_ASSERT(leaf != 0);
    uint64_t *entries = machine_page(leaf);
    struct page_record *table = machine_page_record(leaf);
    struct mapping_links *links = machine_page(table->link);
    uint64_t entry = entry_make(page, rights);
    uint32_t lines = table->entry_lines;
    table->mapping_count += count;
    for (uint32_t end = at + count; at < end; at++, page++, entry += PAGE_BYTES) {
        struct page_record *record = machine_page_record(page);
        uint32_t mapping = leaf * TABLE_ENTRIES + at;
        KERNEL_ASSERT(entries[at] == 0); /* K4 */
        entries[at] = entry;
        lines |= entry_line(at);
        links[at] = (struct mapping_links){.next = record->link, .previous = 0};
        if (record->link != 0)
            links_of(record->link)->previous = mapping;
        record->link = mapping;
        record->mapping_count++;
    }
    table->entry_lines = lines;
}

void leaf_add(uint32_t leaf, uint32_t at, uint32_t page, uint32_t count, uint16_t rights)
{
    entries_add(leaf, at, page, count, rights);
}

void leaf_add_one(uint32_t leaf, uint32_t at, uint32_t page, uint16_t rights)
{
    entries_add(leaf, at, page, 1, rights);
}

void mapping_remove(struct kernel *kernel, struct process *process, uint32_t mapping)
{
    struct page_record *leaf = machine_page_record(mapping / TABLE_ENTRIES);
    uint64_t *entry = entry_of(mapping);
    uint32_t page = entry_page(*entry);
    *entry = 0;
    machine_flush(process->vspace_page,
                  ((uint64_t)leaf->leaf_number * LEAF_BYTES) +
                      (uint64_t)(mapping % TABLE_ENTRIES) * PAGE_BYTES); /* K2 */
    struct page_record *record = machine_page_record(page);
    struct mapping_links *links =
        (struct mapping_links *)machine_page(leaf->link) + mapping % TABLE_ENTRIES;
    if (links->previous == 0)
        record->link = links->next;
    else
        links_of(links->previous)->next = links->next;
    if (links->next != 0)
        links_of(links->next)->previous = links->previous;
    *links = (struct mapping_links){0, 0};
    record->mapping_count--;
    leaf->mapping_count--;
    process->mapped_pages--;
    if (record->mapping_count == 0)
        frame_sweep(kernel, page);
}
