/* SPDX-License-Identifier: ISC */
/* The program test-apart: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_apart_image_main(uint64_t argument);

HELPER_ENTRY("test-apart", test_apart_image_main);

void test_apart_image_main(uint64_t argument)
{
    helper_start(test_apart_main, argument);
}
