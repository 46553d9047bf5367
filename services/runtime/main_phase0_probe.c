/* SPDX-License-Identifier: ISC */
/* The helper phase0-probe: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void phase0_probe_image_main(uint64_t argument);

HELPER_ENTRY("phase0-probe", phase0_probe_image_main);

void phase0_probe_image_main(uint64_t argument)
{
    helper_start(phase0_probe_main, argument);
}
