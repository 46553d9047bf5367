/* SPDX-License-Identifier: ISC */
/* The program idle: its entry point. */
#include "services/console/console.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void console_idle_image_main(uint64_t argument);

HELPER_ENTRY("idle", console_idle_image_main);

void console_idle_image_main(uint64_t argument)
{
    helper_start(console_idle_main, argument);
}
