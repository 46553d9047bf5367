/* SPDX-License-Identifier: ISC */
/* Mappings: leaf entries in x86-64 layout, and for each page the doubly linked list of the entries
 * that show it. A mapping's name is leaf page * TABLE_ENTRIES + entry; its links lie at the same
 * entry of the links page that is paired with the leaf. Decides nothing about who may map what. */
#include "kernel/core/internal.h"

struct mapping_links {
    uint32_t next;
    uint32_t previous; /* 0: the page's record points here */
};
_Static_assert(sizeof(struct mapping_links) * TABLE_ENTRIES == PAGE_BYTES,
               "links of a leaf fill a page");

#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_WRITE   (UINT64_C(1) << 1)
#define ENTRY_USER    (UINT64_C(1) << 2)
#define ENTRY_PAGE    UINT64_C(0x000FFFFFFFFFF000)
#define ENTRY_MAX_WRITE                                                                            \
    (UINT64_C(1) << 52) /* rights of the first mapping: bits the processor ignores */
#define ENTRY_MAX_EXEC (UINT64_C(1) << 53)
#define ENTRY_NO_EXEC  (UINT64_C(1) << 63)

uint32_t entry_page(uint64_t entry)
{
    return (uint32_t)((entry & ENTRY_PAGE) >> PAGE_SHIFT);
}

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

static struct mapping_links *links_of(uint32_t mapping)
{
    struct mapping_links *links = machine_page(machine_page_record(mapping / TABLE_ENTRIES)->link);
    return &links[mapping % TABLE_ENTRIES];
}

uint32_t mapping_next(uint32_t mapping)
{
    return links_of(mapping)->next;
}

/* Pages in a row at entries in a row of one leaf, from `at` on. A request may have 512 of them, and
 * they are one piece (K8): so what is the same for all is found once. */
static void leaf_add(uint32_t leaf, uint32_t at, uint32_t page, uint32_t count, uint16_t rights)
{
    uint64_t *entries = machine_page(leaf);
    struct mapping_links *links = machine_page(machine_page_record(leaf)->link);
    uint64_t entry = entry_make(page, rights);
    for (uint32_t end = at + count; at < end; at++, page++, entry += PAGE_BYTES) {
        struct page_record *record = machine_page_record(page);
        uint32_t mapping = leaf * TABLE_ENTRIES + at;
        KERNEL_ASSERT(entries[at] == 0); /* K4 */
        entries[at] = entry;
        links[at] = (struct mapping_links){.next = record->link, .previous = 0};
        if (record->link != 0)
            links_of(record->link)->previous = mapping;
        record->link = mapping;
        record->mapping_count++;
    }
    machine_page_record(leaf)->mapping_count += count;
}

void mapping_add(struct process *process, uint64_t va, uint32_t page, uint32_t count,
                 uint16_t rights)
{
    process->mapped_pages += count;
    while (count != 0) {
        uint32_t leaf = vspace_leaf_find(process, va);
        uint32_t at = (uint32_t)(va >> PAGE_SHIFT) % TABLE_ENTRIES;
        uint32_t here = count < TABLE_ENTRIES - at ? count : TABLE_ENTRIES - at;
        KERNEL_ASSERT(leaf != 0);
        leaf_add(leaf, at, page, here, rights);
        va += (uint64_t)here * PAGE_BYTES;
        page += here;
        count -= here;
    }
}

void mapping_remove(struct kernel *kernel, struct process *process, uint32_t mapping)
{
    struct page_record *leaf = machine_page_record(mapping / TABLE_ENTRIES);
    uint64_t *entries = machine_page(mapping / TABLE_ENTRIES);
    uint32_t page = entry_page(entries[mapping % TABLE_ENTRIES]);
    entries[mapping % TABLE_ENTRIES] = 0;
    machine_flush(process->vspace_page,
                  ((uint64_t)leaf->leaf_number * LEAF_BYTES) +
                      (uint64_t)(mapping % TABLE_ENTRIES) * PAGE_BYTES); /* K2 */
    struct page_record *record = machine_page_record(page);
    struct mapping_links *links = links_of(mapping);
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
    frame_sweep(kernel, page);
}
