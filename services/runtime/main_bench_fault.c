/* SPDX-License-Identifier: ISC */
/* The program bench-fault of the bench image: its entry point. It does not touch its image first,
 * as helpers do: its image is what it measures. */
#include "services/bench/bench_fault.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void bench_fault_image_main(uint64_t argument);

SERVICE_ENTRY("bench-fault", bench_fault_image_main);

void bench_fault_image_main(uint64_t argument)
{
    helper_start(bench_fault_main, argument);
}
