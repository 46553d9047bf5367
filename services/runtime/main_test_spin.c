/* SPDX-License-Identifier: ISC */
/* The helper test-spin: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_spin_image_main(uint64_t argument);

HELPER_ENTRY("test-spin", test_spin_image_main);

void test_spin_image_main(uint64_t argument)
{
    helper_start(test_spin_main, argument);
}
