/* SPDX-License-Identifier: ISC */
/* The program test-operator: its entry point. */
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"
#include "services/tester/tester.h"

__attribute__((noreturn, used)) void test_operator_image_main(uint64_t argument);

HELPER_ENTRY("test-operator", test_operator_image_main);

void test_operator_image_main(uint64_t argument)
{
    helper_start(test_operator_main, argument);
}
