/* SPDX-License-Identifier: ISC */
/* The helper test-hostile: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_hostile_image_main(uint64_t argument);

HELPER_ENTRY("test-hostile", test_hostile_image_main);

void test_hostile_image_main(uint64_t argument)
{
    helper_start(test_hostile_main, argument);
}
