/* SPDX-License-Identifier: ISC */
/* The program test-survivor: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_survivor_image_main(uint64_t argument);

HELPER_ENTRY("test-survivor", test_survivor_image_main);

void test_survivor_image_main(uint64_t argument)
{
    helper_start(test_survivor_main, argument);
}
