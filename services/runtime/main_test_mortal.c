/* SPDX-License-Identifier: ISC */
/* The program test-mortal: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_mortal_image_main(uint64_t argument);

HELPER_ENTRY("test-mortal", test_mortal_image_main);

void test_mortal_image_main(uint64_t argument)
{
    helper_start(test_mortal_main, argument);
}
