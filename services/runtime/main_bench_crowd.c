/* SPDX-License-Identifier: ISC */
/* The program bench-crowd of the image of growth: its entry point. */
#include "services/bench/bench_crowd.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void bench_crowd_image_main(uint64_t argument);

SERVICE_ENTRY("bench-crowd", bench_crowd_image_main);

void bench_crowd_image_main(uint64_t argument)
{
    helper_start(bench_crowd_main, argument);
}
