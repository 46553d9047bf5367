/* SPDX-License-Identifier: ISC */
/* The program fault, of archives of files: its entry point. Linked by clang alone, without a script. */
#include "services/probes/probes.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void loaded_fault_image_main(uint64_t argument);

STOCK_ENTRY("loaded-fault", loaded_fault_image_main);

void loaded_fault_image_main(uint64_t argument)
{
    helper_start(loaded_fault_main, argument);
}
