/* SPDX-License-Identifier: ISC */
/* The program linger, of archives of files: its entry point. Linked by clang alone, without a script. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void loaded_linger_image_main(uint64_t argument);

STOCK_ENTRY("loaded-linger", loaded_linger_image_main);

void loaded_linger_image_main(uint64_t argument)
{
    helper_start(loaded_linger_main, argument);
}
