/* SPDX-License-Identifier: ISC */
/* The program loader-cleanup: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void loader_cleanup_image_main(uint64_t argument);

HELPER_ENTRY("loader-cleanup", loader_cleanup_image_main);

void loader_cleanup_image_main(uint64_t argument)
{
    helper_start(loader_cleanup_main, argument);
}
