/* SPDX-License-Identifier: ISC */
/* The daemon rootd: its one state, its copy of the handoff, and its entry point. */
#include <string.h>

#include "abi/formats/handoff.h"
#include "services/rootd/rootd.h"
#include "services/runtime/entry_code.h"

static struct rootd state;
static uint8_t handoff_copy[HANDOFF_BYTES_MAX];

__attribute__((used)) void rootd_image_main(const void *handoff, uint64_t handoff_bytes,
                                            uint64_t root_endpoint_slot);

SERVICE_ENTRY("rootd", rootd_image_main);

/* Copies the handoff before the unit runs: units read no memory other than their own. A longer one
 * than any can be is cut, which the handoff's own length then contradicts. */
void rootd_image_main(const void *handoff, uint64_t handoff_bytes, uint64_t root_endpoint_slot)
{
    if (handoff_bytes > sizeof handoff_copy)
        handoff_bytes = sizeof handoff_copy;
    memcpy(handoff_copy, handoff, handoff_bytes);
    uint32_t slot = root_endpoint_slot > UINT32_MAX ? 0 : (uint32_t)root_endpoint_slot;
    (void)rootd_run(&state, handoff_copy, handoff_bytes, slot);
}
