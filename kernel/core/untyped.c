/* SPDX-License-Identifier: ISC */
/* Pools of pages: who may have how many. The pages themselves lie in the stocks of the two pools of
 * boot; every other pool is a number of pages of the stock below it, so that making and destroying
 * one costs the same whatever its size and whatever others have freed. Decides where pages come
 * from and go to; never what they are used for. */
#include "kernel/core/internal.h"

enum { POOLS_PER_STEP = 4 /* one that goes costs less than a step (K8) */ };

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

/* --- stocks ----------------------------------------------------------------------------------- */

void stock_init(const struct kernel *kernel, struct page_stock *stock, uint32_t skip_pages,
                uint32_t page_count)
{
    uint32_t range = 0;
    while (skip_pages >= kernel->ranges[range].page_count && range + 1 < kernel->range_count)
        skip_pages -= kernel->ranges[range++].page_count;
    *stock = (struct page_stock){
        .fresh_page = kernel->ranges[range].first_page + skip_pages,
        .fresh_range = range,
        .fresh_pages = page_count,
    };
}

/* Apart, because most pages come and go. */
__attribute__((noinline)) static uint32_t fresh_take(const struct kernel *kernel,
                                                     struct page_stock *stock)
{
    const struct page_range *range = &kernel->ranges[stock->fresh_range];
    uint32_t page = stock->fresh_page++;
    KERNEL_ASSERT(stock->fresh_pages != 0);
    stock->fresh_pages--;
    machine_page_begin(page);
    if (stock->fresh_page == range->first_page + range->page_count && stock->fresh_pages != 0) {
        stock->fresh_range++;
        stock->fresh_page = kernel->ranges[stock->fresh_range].first_page;
    }
    return page;
}

uint32_t pool_draw(struct kernel *kernel, uint32_t untyped)
{
    struct untyped *pool = &kernel->untypeds[untyped];
    struct page_stock *stock = &kernel->stocks[pool->stock];
    uint32_t page = stock->first_page;
    if (page == 0)
        page = fresh_take(kernel, stock);
    else
        stock->first_page = machine_page_record(page)->link;
    struct page_record *record = machine_page_record(page);
    if (record->use != PAGE_ZEROED)
        machine_page_zero(page); /* K2 */
    record->use = FRAME_FRESH;
    record->link = 0;
    record->untyped = (uint16_t)untyped;
    pool->free_pages--;
    return page;
}

void pool_give(struct kernel *kernel, uint32_t page, bool zeroed)
{
    struct page_record *record = machine_page_record(page);
    struct untyped *pool = &kernel->untypeds[record->untyped];
    struct page_stock *stock = &kernel->stocks[pool->stock];
    record->kind = PAGE_FREE;
    record->use = zeroed ? PAGE_ZEROED : 0;
    record->link = stock->first_page;
    stock->first_page = page;
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
        .total_pages = count,
        .free_pages = count,
        .parent = (uint16_t)parent,
        .next_free = KERNEL_NONE,
        .live = true,
    };
    if (parent == KERNEL_NONE) {
        child->stock = (uint16_t)index;
        return index;
    }
    child->stock = kernel->untypeds[parent].stock;
    child->depth = (uint16_t)(kernel->untypeds[parent].depth + 1);
    kernel->untypeds[parent].child_pages += count;
    kernel->untypeds[parent].free_pages -= count;
    return index;
}

void untyped_destroy(struct kernel *kernel, uint32_t index)
{
    struct untyped *child = &kernel->untypeds[index];
    struct untyped *parent = &kernel->untypeds[child->parent];
    KERNEL_ASSERT(child->live && !untyped_in_use(child));
    KERNEL_ASSERT(child->free_pages == child->total_pages);
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

void unnamed_sweep(struct kernel *kernel, uint32_t index)
{
    for (uint32_t swept = 1; index != KERNEL_NONE; swept++) {
        struct untyped *untyped = &kernel->untypeds[index];
        uint32_t parent = untyped->parent;
        if (untyped->cap_count != 0 || parent == KERNEL_NONE || untyped_in_use(untyped))
            return;
        untyped_destroy(kernel, index);
        index = parent;
        if (swept % POOLS_PER_STEP == 0)
            work_count(kernel, 1);
    }
}
