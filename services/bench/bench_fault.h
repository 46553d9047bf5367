/* SPDX-License-Identifier: ISC */
/* bench-fault: what a page fault costs the process that has it. */
#ifndef BASALT_SERVICES_BENCH_BENCH_FAULT_H
#define BASALT_SERVICES_BENCH_BENCH_FAULT_H

#include <stdint.h>

/* argument: enum touched * STATISTIC_COUNT + enum statistic. Returns that number, in cycles.
 * From RUN_SPIN * STATISTIC_COUNT on: bench_run.h. */
uint32_t bench_fault_main(uint64_t argument);

#endif
