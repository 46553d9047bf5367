/* SPDX-License-Identifier: ISC */
/* The program console: its entry point. */
#include "services/console/console.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void console_image_main(uint64_t argument);

HELPER_ENTRY("console", console_image_main);

void console_image_main(uint64_t argument)
{
    helper_start(console_main, argument);
}
