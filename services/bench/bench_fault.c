/* SPDX-License-Identifier: ISC */
/* bench-fault: touches pages that are not there yet, measures each, and ends with one of the three
 * numbers. Who resolves the faults is its starter's choice. */
#include "services/bench/bench_fault.h"

#include "abi/address_space.h"
#include "services/bench/bench_run.h"
#include "services/pagerd/pagerd.h"

/* Constants that only the measurement reads: one word per page is enough. */
static const uint64_t constants[TOUCH_IMAGE_PAGES][PAGE_BYTES / 8]
    __attribute__((aligned(PAGE_BYTES))) = {{1}};
static uint64_t samples[TOUCH_PAGES];

/* Where sample i begins: a page of the heap, or four of them, or the first page of a block of the
 * image, which comes with its neighbours. Of the heap's two halves by turns no page lies behind the
 * one that came last, so that each comes alone. */
static uint64_t place_of(enum touched kind, uint32_t i)
{
    switch (kind) {
    case TOUCH_HEAP:
        return HEAP_WINDOW_VA + (i % 2 * (TOUCH_PAGES / 2) + i / 2) * (uint64_t)PAGE_BYTES;
    case TOUCH_IMAGE:
        return (uint64_t)(uintptr_t)constants[i * PAGERD_BLOCK_PAGES];
    case TOUCH_WALK:
    case TOUCH_WALK_EACH:
        return HEAP_WINDOW_VA + (1 + i * PAGERD_WALK_PAGES) * (uint64_t)PAGE_BYTES;
    }
    return 0;
}

/* The pages from `va` to `end`, one at least. */
static inline void touch(uint64_t va, uint64_t end)
{
    do {
        (void)*(const volatile uint64_t *)va;
        va += PAGE_BYTES;
    } while (va != end);
}

static uint32_t sample_count(enum touched kind)
{
    if (kind == TOUCH_HEAP)
        return TOUCH_PAGES;
    return kind == TOUCH_IMAGE ? TOUCH_IMAGE_PAGES / PAGERD_BLOCK_PAGES
                               : (TOUCH_PAGES - 1) / PAGERD_WALK_PAGES;
}

uint32_t bench_fault_main(uint64_t argument)
{
    if (argument / STATISTIC_COUNT >= RUN_SPIN)
        return bench_run_as((enum bench_run)(argument / STATISTIC_COUNT));
    enum touched kind = (enum touched)(argument / STATISTIC_COUNT);
    bool walks = kind == TOUCH_WALK || kind == TOUCH_WALK_EACH;
    uint32_t count = sample_count(kind);
    uint32_t pages = kind == TOUCH_WALK_EACH ? PAGERD_WALK_PAGES : 1;
    uint64_t overhead = bench_overhead();
    for (uint32_t i = 0; i < count; i++)
        samples[i] = 0; /* the pages of this table itself arrive now */
    if (walks)
        touch(HEAP_WINDOW_VA,
              HEAP_WINDOW_VA + PAGE_BYTES); /* a walk begins with a page that comes alone */
    for (uint32_t i = 0; i < count; i++) {
        uint64_t va = place_of(kind, i);
        uint64_t end = va + pages * (uint64_t)PAGE_BYTES;
        uint64_t before = bench_cycles();
        touch(va, end);
        samples[i] = (bench_cycles() - before - overhead) / pages;
    }
    return (uint32_t)bench_figure(samples, count).of[argument % STATISTIC_COUNT];
}
