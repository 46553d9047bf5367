/* SPDX-License-Identifier: ISC */
/* The helper phase0-isolation-a: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void phase0_isolation_a_image_main(uint64_t argument);

HELPER_ENTRY("phase0-isolation-a", phase0_isolation_a_image_main);

void phase0_isolation_a_image_main(uint64_t argument)
{
    helper_start(phase0_isolation_a_main, argument);
}
