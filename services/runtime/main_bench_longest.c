/* SPDX-License-Identifier: ISC */
/* The root task of the image of long entries: its one state, its copy of the handoff, and
 * its entry point. */
#include <string.h>

#include "abi/formats/handoff.h"
#include "services/bench/longest.h"
#include "services/runtime/entry_code.h"

static struct bench state;
/* Makes the image large enough. */
static const uint8_t filler[LONGEST_IMAGE_PAGES * PAGE_BYTES];
static uint8_t handoff_copy[HANDOFF_BYTES_MAX];

__attribute__((used)) void bench_longest_image_main(const void *handoff, uint64_t handoff_bytes,
                                                    uint64_t root_endpoint_slot);

SERVICE_ENTRY("bench-longest", bench_longest_image_main);

void bench_longest_image_main(const void *handoff, uint64_t handoff_bytes,
                              uint64_t root_endpoint_slot)
{
    if (handoff_bytes > sizeof handoff_copy)
        handoff_bytes = sizeof handoff_copy;
    (void)*(const volatile uint8_t *)filler;
    memcpy(handoff_copy, handoff, handoff_bytes);
    uint32_t slot = root_endpoint_slot > UINT32_MAX ? 0 : (uint32_t)root_endpoint_slot;
    longest_run(&state, handoff_copy, handoff_bytes, slot);
}
