/* SPDX-License-Identifier: ISC */
/* The program bench-files of the image that measures files. */
#ifndef BASALT_SERVICES_BENCH_BENCH_FILES_H
#define BASALT_SERVICES_BENCH_BENCH_FILES_H

#include <stdint.h>

/* Prints its rows to the kernel's log and returns 0, or 1 when a call was refused: BENCH:FAILED then
 * says which row and why. */
uint32_t bench_files_main(uint64_t argument);

#endif
