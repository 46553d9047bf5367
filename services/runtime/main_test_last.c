/* SPDX-License-Identifier: ISC */
/* The program test-last: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_last_image_main(uint64_t argument);

HELPER_ENTRY("test-last", test_last_image_main);

void test_last_image_main(uint64_t argument)
{
    helper_start(test_last_main, argument);
}
