/* SPDX-License-Identifier: ISC */
/* The helper phase0-exit: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void phase0_exit_image_main(uint64_t argument);

HELPER_ENTRY("phase0-exit", phase0_exit_image_main);

void phase0_exit_image_main(uint64_t argument)
{
    helper_start(phase0_exit_main, argument);
}
