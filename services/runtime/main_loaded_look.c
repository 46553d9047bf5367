/* SPDX-License-Identifier: ISC */
/* The program look, of archives of files: its entry point. Linked by clang alone, without a script. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void loaded_look_image_main(uint64_t argument);

STOCK_ENTRY("loaded-look", loaded_look_image_main);

void loaded_look_image_main(uint64_t argument)
{
    helper_start(loaded_look_main, argument);
}
