/* SPDX-License-Identifier: ISC */
/* Frames: pages of memory that capabilities name. Decides when one is free again: when no
 * capability and no mapping is left, or when it is destroyed. A page leaves here only after its
 * mappings and what the processor remembers of them are gone, and comes back zeroed (K2, K3). */
#include "kernel/core/vspace.h"

static void frame_free(struct kernel *kernel, uint32_t page)
{
    uint32_t untyped = machine_page_record(page)->untyped;
    kernel->untypeds[untyped].frame_pages--;
    pool_give(kernel, page, false); /* somebody may have written there */
    untyped_sweep(kernel, untyped);
}

void frame_sweep(struct kernel *kernel, uint32_t page)
{
    const struct page_record *record = machine_page_record(page);
    if (record->kind == PAGE_FRAME && record->cap_count == 0 && record->mapping_count == 0)
        frame_free(kernel, page);
}

uint32_t frame_create(struct kernel *kernel, uint32_t untyped)
{
    uint32_t page = pool_draw(kernel, untyped);
    struct page_record *record = machine_page_record(page);
    record->kind = PAGE_FRAME;
    record->use = FRAME_FRESH;
    kernel->untypeds[untyped].frame_pages++;
    return page;
}

void frame_doom(uint32_t page)
{
    struct page_record *record = machine_page_record(page);
    record->generation++;
    record->cap_count = FRAME_DYING; /* keeps frame_sweep off while the mappings go */
}

/* The first mapping in the list of a page goes. */
static void first_mapping_remove(struct kernel *kernel, uint32_t mapping)
{
    const struct page_record *leaf = machine_page_record(mapping / TABLE_ENTRIES);
    struct process *process = process_at(kernel, leaf->process);
    uint64_t va = (uint64_t)leaf->leaf_number * LEAF_BYTES;
    mapping_remove(kernel, process, mapping);
    if (leaf->mapping_count == 0)
        vspace_prune(kernel, process, va);
}

bool frame_destroy_piece(struct kernel *kernel, uint32_t page)
{
    struct page_record *record = machine_page_record(page);
    while (work_may(kernel)) {
        work_count(kernel, 1);
        if (record->link == 0) {
            record->cap_count = 0;
            frame_free(kernel, page);
            return true;
        }
        first_mapping_remove(kernel, record->link);
    }
    return false;
}
