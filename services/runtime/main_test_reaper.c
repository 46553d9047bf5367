/* SPDX-License-Identifier: ISC */
/* The program test-reaper: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_reaper_image_main(uint64_t argument);

HELPER_ENTRY("test-reaper", test_reaper_image_main);

void test_reaper_image_main(uint64_t argument)
{
    helper_start(test_reaper_main, argument);
}
