/* SPDX-License-Identifier: ISC */
/* phase0-probe: what its image, heap and stack hold. Everything it reads arrives by faults; it
 * decides only which check fails first. */
#include <stdbool.h>

#include "abi/user_memory.h"
#include "services/probes/expectations.h"
#include "services/probes/layout.h"
#include "services/probes/probes.h"

/* G4: words of the file, the last of them in the middle of a page. */
static bool data_is_right(void)
{
    for (uint64_t i = 0; i < PROBE_DATA_WORDS; i++) {
        if (user_load64(PROBE_DATA_VA + i * 8) != PROBE_DATA_WORD(i))
            return false;
    }
    return true;
}

/* G4: bytes past the file's end are zero, on the page that it ends in and on the next. */
static bool bss_is_zero(void)
{
    for (uint64_t offset = 0; offset < PROBE_BSS_BYTES; offset += 8) {
        if (user_load64(PROBE_BSS_VA + offset) != 0)
            return false;
    }
    return true;
}

static bool rodata_is_right(void)
{
    for (uint64_t i = 0; i < PROBE_RODATA_WORDS; i++) {
        if (user_load64(HELPER_RODATA_VA + i * 8) != PROBE_RODATA_WORD(i))
            return false;
    }
    return true;
}

/* K2, M2: a page reads as zero at hand-out, all of it, and keeps what is stored. */
static bool page_is_fresh(uint64_t va)
{
    for (uint64_t offset = 0; offset < PAGE_BYTES; offset += 8) {
        if (user_load64(va + offset) != 0)
            return false;
    }
    user_store64(va, va);
    user_store64(va + PAGE_BYTES - 8, ~va);
    return true;
}

static bool page_keeps(uint64_t va)
{
    return user_load64(va) == va && user_load64(va + PAGE_BYTES - 8) == ~va;
}

/* Pages of the heap window, its first and its last among them, not in order. */
static bool heap_works(void)
{
    static const uint16_t pages[] = {0, 1, HEAP_WINDOW_BYTES / PAGE_BYTES - 1, 511, 512, 2};
    enum { PAGE_COUNT = sizeof pages / sizeof pages[0] };
    for (unsigned i = 0; i < PAGE_COUNT; i++) {
        if (!page_is_fresh(HEAP_WINDOW_VA + pages[i] * (uint64_t)PAGE_BYTES))
            return false;
    }
    for (unsigned i = 0; i < PAGE_COUNT; i++) {
        if (!page_keeps(HEAP_WINDOW_VA + pages[i] * (uint64_t)PAGE_BYTES))
            return false;
    }
    return true;
}

/* The lower half of the stack, which nothing here is deep enough to use. */
static bool stack_works(void)
{
    enum { CHECKED_PAGES = STACK_RESERVE_BYTES / PAGE_BYTES / 2 };
    for (uint64_t i = 0; i < CHECKED_PAGES; i++) {
        if (!page_is_fresh(HELPER_STACK_VA + i * PAGE_BYTES))
            return false;
    }
    for (uint64_t i = 0; i < CHECKED_PAGES; i++) {
        if (!page_keeps(HELPER_STACK_VA + i * PAGE_BYTES))
            return false;
    }
    return true;
}

uint32_t phase0_probe_main(uint64_t argument)
{
    (void)argument;
    if (!data_is_right())
        return PROBE_FAILED_DATA;
    if (!bss_is_zero())
        return PROBE_FAILED_BSS;
    if (!rodata_is_right())
        return PROBE_FAILED_RODATA;
    if (!heap_works())
        return PROBE_FAILED_HEAP;
    if (!stack_works())
        return PROBE_FAILED_STACK;
    return PROBE_OK;
}
