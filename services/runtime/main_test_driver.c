/* SPDX-License-Identifier: ISC */
/* The program test-driver: its entry point. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void test_driver_image_main(uint64_t argument);

HELPER_ENTRY("test-driver", test_driver_image_main);

void test_driver_image_main(uint64_t argument)
{
    helper_start(test_driver_main, argument);
}
