/* SPDX-License-Identifier: ISC */
/* The program bench-files: its entry point. */
#include "services/bench/bench_files.h"
#include "services/runtime/entry_code.h"
#include "services/runtime/runtime.h"

__attribute__((noreturn, used)) void bench_files_image_main(uint64_t argument);

HELPER_ENTRY("bench-files", bench_files_image_main);

void bench_files_image_main(uint64_t argument)
{
    helper_start(bench_files_main, argument);
}
