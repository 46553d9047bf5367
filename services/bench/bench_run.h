/* SPDX-License-Identifier: ISC */
/* bench-fault as a process among others that want the processor. */
#ifndef BASALT_SERVICES_BENCH_BENCH_RUN_H
#define BASALT_SERVICES_BENCH_BENCH_RUN_H

#include "services/bench/bench.h"

/* RECV on the own endpoint; the tick at which it returned. */
uint64_t bench_receive(uint64_t deadline_ticks);

/* Waits for the beginning of a tick; what the counter says then. */
uint64_t bench_next_tick(void);

/* As bench_run_as, from RUN_COUNT on. RUN_LEND returns 0; the others do not return. */
uint32_t bench_runner_as(enum bench_run run);

/* RUN_SHARE returns its share of the processor in thousandths; the others do not return. */
uint32_t bench_run_as(enum bench_run run);

#endif
