/* SPDX-License-Identifier: ISC */
/* bench-fault as a process among others that want the processor. */
#ifndef BASALT_SERVICES_BENCH_BENCH_RUN_H
#define BASALT_SERVICES_BENCH_BENCH_RUN_H

#include "services/bench/bench.h"

/* RUN_SHARE returns its share of the processor in thousandths; the others do not return. */
uint32_t bench_run_as(enum bench_run run);

#endif
