/* SPDX-License-Identifier: ISC */
/* The program hello, of archives of files: its entry point. Linked by clang alone, without a script. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void loaded_hello_image_main(uint64_t argument);

STOCK_ENTRY("loaded-hello", loaded_hello_image_main);

void loaded_hello_image_main(uint64_t argument)
{
    helper_start(loaded_hello_main, argument);
}
