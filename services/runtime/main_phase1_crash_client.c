/* SPDX-License-Identifier: ISC */
/* The program phase1-crash-client: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void phase1_crash_client_image_main(uint64_t argument);

HELPER_ENTRY("phase1-crash-client", phase1_crash_client_image_main);

void phase1_crash_client_image_main(uint64_t argument)
{
    helper_start(phase1_crash_client_main, argument);
}
