/* SPDX-License-Identifier: ISC */
/* The program attacks: its entry point. */
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"
#include "services/tester/tester.h"

__attribute__((noreturn, used)) void attacks_image_main(uint64_t argument);

HELPER_ENTRY("attacks", attacks_image_main);

void attacks_image_main(uint64_t argument)
{
    helper_start(attacks_main, argument);
}
