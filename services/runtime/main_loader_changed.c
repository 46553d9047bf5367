/* SPDX-License-Identifier: ISC */
/* The program loader-changed, in the place of phase4-loader, whose name it has: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void loader_changed_image_main(uint64_t argument);

HELPER_ENTRY("phase4-loader", loader_changed_image_main);

void loader_changed_image_main(uint64_t argument)
{
    helper_start(loader_changed_main, argument);
}
