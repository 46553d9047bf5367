/* SPDX-License-Identifier: ISC */
/* The program test-frail: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_frail_image_main(uint64_t argument);

HELPER_ENTRY("test-frail", test_frail_image_main);

void test_frail_image_main(uint64_t argument)
{
    helper_start(test_frail_main, argument);
}
