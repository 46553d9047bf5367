/* SPDX-License-Identifier: ISC */
/* Pools of pages: who may have how many. A pool's free pages are extents (runs of pages) in a list
 * through page records, so that fresh memory costs one record, whatever its size. Decides where
 * pages come from and go to; never what they are used for. A page always returns to the pool that
 * it was drawn from. */
#include "kernel/core/internal.h"

uint32_t kernel_untyped_available(const struct untyped *untyped)
{
    return untyped->free_pages - (untyped->budgeted_pages - untyped->drawn_pages);
}

bool untyped_in_use(const struct untyped *untyped)
{
    return untyped->frame_pages != 0 || untyped->budgeted_pages != 0 || untyped->child_pages != 0;
}

bool untyped_table_full(const struct kernel *kernel)
{
    return kernel->untyped_count == KERNEL_UNTYPED_LIMIT;
}

/* --- extents ---------------------------------------------------------------------------------- */

static void extent_write(uint32_t first_page, uint32_t count, uint32_t next)
{
    struct page_record *record = machine_page_record(first_page);
    record->kind = PAGE_FREE;
    record->extent = count;
    record->link = next;
}

static void extent_append(struct untyped *pool, uint32_t first_page, uint32_t count)
{
    extent_write(first_page, count, 0);
    if (pool->last_extent == 0)
        pool->first_extent = first_page;
    else
        machine_page_record(pool->last_extent)->link = first_page;
    pool->last_extent = first_page;
    pool->free_pages += count;
}

/* Takes up to `count` pages from the first extent; how many in *taken. */
static uint32_t extent_take(struct untyped *pool, uint32_t count, uint32_t *taken)
{
    uint32_t first = pool->first_extent;
    KERNEL_ASSERT(first != 0);
    struct page_record *record = machine_page_record(first);
    uint32_t rest = record->extent > count ? record->extent - count : 0;
    *taken = record->extent - rest;
    if (rest != 0) {
        extent_write(first + count, rest, record->link);
        pool->first_extent = first + count;
        if (pool->last_extent == first)
            pool->last_extent = first + count;
    } else {
        pool->first_extent = record->link;
        if (record->link == 0)
            pool->last_extent = 0;
    }
    record->link = 0;
    record->extent = 0;
    pool->free_pages -= *taken;
    return first;
}

void pool_extend(struct kernel *kernel, struct untyped *pool, uint32_t first_page, uint32_t count)
{
    extent_append(pool, first_page, count);
    pool->total_pages += count;
    kernel->page_count += count;
}

void pool_move(struct untyped *from, struct untyped *to, uint32_t count)
{
    while (count != 0) {
        uint32_t taken;
        uint32_t first = extent_take(from, count, &taken);
        extent_append(to, first, taken);
        count -= taken;
    }
}

uint32_t pool_draw(struct kernel *kernel, uint32_t untyped)
{
    uint32_t taken;
    uint32_t page = extent_take(&kernel->untypeds[untyped], 1, &taken);
    machine_page_record(page)->untyped = (uint16_t)untyped;
    return page;
}

void pool_give(struct kernel *kernel, uint32_t page)
{
    struct page_record *record = machine_page_record(page);
    struct untyped *pool = &kernel->untypeds[record->untyped];
    record->use = FRAME_FRESH;
    extent_write(page, 1, pool->first_extent);
    pool->first_extent = page;
    if (pool->last_extent == 0)
        pool->last_extent = page;
    pool->free_pages++;
}

/* --- untyped objects -------------------------------------------------------------------------- */

static uint32_t entry_take(struct kernel *kernel)
{
    if (untyped_table_full(kernel))
        return KERNEL_NONE;
    kernel->untyped_count++;
    uint32_t index = kernel->untyped_free;
    if (index == KERNEL_NONE)
        return kernel->untyped_high++;
    kernel->untyped_free = kernel->untypeds[index].next_free;
    return index;
}

uint32_t untyped_create(struct kernel *kernel, uint32_t parent, uint32_t count)
{
    uint32_t index = entry_take(kernel);
    if (index == KERNEL_NONE)
        return KERNEL_NONE;
    struct untyped *child = &kernel->untypeds[index];
    *child = (struct untyped){
        .generation = child->generation,
        .parent = (uint16_t)parent,
        .next_free = KERNEL_NONE,
        .live = true,
    };
    if (parent == KERNEL_NONE)
        return index;
    kernel->untypeds[parent].child_pages += count;
    child->total_pages = count;
    pool_move(&kernel->untypeds[parent], child, count);
    return index;
}

void untyped_destroy(struct kernel *kernel, uint32_t index)
{
    struct untyped *child = &kernel->untypeds[index];
    struct untyped *parent = &kernel->untypeds[child->parent];
    KERNEL_ASSERT(child->live && !untyped_in_use(child));
    KERNEL_ASSERT(child->free_pages == child->total_pages);
    if (parent->last_extent == 0)
        parent->first_extent = child->first_extent;
    else
        machine_page_record(parent->last_extent)->link = child->first_extent;
    parent->last_extent = child->last_extent;
    parent->free_pages += child->free_pages;
    parent->child_pages -= child->total_pages;
    *child = (struct untyped){
        .generation = child->generation + 1, /* K3 */
        .next_free = kernel->untyped_free,
        .parent = KERNEL_NONE,
    };
    kernel->untyped_free = (uint16_t)index;
    kernel->untyped_count--;
}

void untyped_sweep(struct kernel *kernel, uint32_t index)
{
    while (index != KERNEL_NONE) {
        struct untyped *untyped = &kernel->untypeds[index];
        uint32_t parent = untyped->parent;
        if (untyped->cap_count != 0 || parent == KERNEL_NONE || untyped_in_use(untyped))
            return;
        untyped_destroy(kernel, index);
        index = parent;
    }
}
