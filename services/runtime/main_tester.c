/* SPDX-License-Identifier: ISC */
/* The program tester: its entry point. */
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"
#include "services/tester/tester.h"

__attribute__((noreturn, used)) void tester_image_main(uint64_t argument);

HELPER_ENTRY("tester", tester_image_main);

void tester_image_main(uint64_t argument)
{
    helper_start(tester_main, argument);
}
