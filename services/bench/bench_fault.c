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

/* A page of the heap, or the first one of a block of the image, which comes with its neighbours. */
static void touch(enum touched kind, uint32_t page)
{
    if (kind == TOUCH_HEAP)
        *(volatile uint64_t *)(HEAP_WINDOW_VA + (uint64_t)page * PAGE_BYTES) = page;
    else
        (void)*(const volatile uint64_t *)constants[page * PAGERD_BLOCK_PAGES];
}

uint32_t bench_fault_main(uint64_t argument)
{
    if (argument / STATISTIC_COUNT >= RUN_SPIN)
        return bench_run_as((enum bench_run)(argument / STATISTIC_COUNT));
    enum touched kind = argument / STATISTIC_COUNT == TOUCH_HEAP ? TOUCH_HEAP : TOUCH_IMAGE;
    uint32_t count = kind == TOUCH_HEAP ? TOUCH_PAGES : TOUCH_IMAGE_PAGES / PAGERD_BLOCK_PAGES;
    uint64_t overhead = bench_overhead();
    for (uint32_t i = 0; i < count; i++)
        samples[i] = 0; /* the pages of this table itself arrive now */
    for (uint32_t i = 0; i < count; i++) {
        uint64_t before = bench_cycles();
        touch(kind, i);
        samples[i] = bench_cycles() - before - overhead;
    }
    return (uint32_t)bench_figure(samples, count).of[argument % STATISTIC_COUNT];
}
