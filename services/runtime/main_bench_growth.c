/* SPDX-License-Identifier: ISC */
/* The root task of the image of growth: its one state, its copy of the handoff, and
 * its entry point. */
#include <string.h>

#include "abi/formats/handoff.h"
#include "services/bench/growth.h"
#include "services/runtime/entry_code.h"

static struct bench state;
static uint8_t handoff_copy[HANDOFF_BYTES_MAX];

__attribute__((used)) void bench_growth_image_main(const void *handoff, uint64_t handoff_bytes,
                                                   uint64_t root_endpoint_slot);

SERVICE_ENTRY("bench-growth", bench_growth_image_main);

void bench_growth_image_main(const void *handoff, uint64_t handoff_bytes,
                             uint64_t root_endpoint_slot)
{
    if (handoff_bytes > sizeof handoff_copy)
        handoff_bytes = sizeof handoff_copy;
    memcpy(handoff_copy, handoff, handoff_bytes);
    uint32_t slot = root_endpoint_slot > UINT32_MAX ? 0 : (uint32_t)root_endpoint_slot;
    growth_run(&state, handoff_copy, handoff_bytes, slot);
}
