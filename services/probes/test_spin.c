/* SPDX-License-Identifier: ISC */
/* test-spin: takes what there is of processor or memory, and asks nobody for anything. Whoever
 * shares them with it must not notice (K5). */
#include "abi/address_space.h"
#include "abi/limits.h"
#include "abi/user_memory.h"
#include "services/probes/expectations.h"
#include "services/probes/probes.h"

/* Touches every page of its heap, which is larger than what it may have. */
static uint32_t take_memory(void)
{
    for (uint64_t offset = 0; offset < HEAP_WINDOW_BYTES; offset += PAGE_BYTES)
        user_store64(HEAP_WINDOW_VA + offset, offset);
    return TEST_HOG_SURVIVED;
}

uint32_t test_spin_main(uint64_t argument)
{
    if (argument == TEST_SPIN_HOG)
        return take_memory();
    for (;;)
        user_spin();
}
