/* SPDX-License-Identifier: ISC */
/* The program phase4-loader: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void phase4_loader_image_main(uint64_t argument);

HELPER_ENTRY("phase4-loader", phase4_loader_image_main);

void phase4_loader_image_main(uint64_t argument)
{
    helper_start(phase4_loader_main, argument);
}
