/* SPDX-License-Identifier: ISC */
/* The root task of the image that measures the same rows beside more and more of something. It
 * prints, before the rows that are measured then,
 *
 *   GROWTH:processes:<number>    so many processes wait, each with a deadline of its own
 *   GROWTH:regions:<number>      vspaced keeps so many regions of one space; the processes are there
 *
 * and the lines of bench_root.h. A process has one open wait at most, and the system PROCESS_LIMIT
 * processes: the largest number is also that of open waits. */
#ifndef BASALT_SERVICES_BENCH_GROWTH_H
#define BASALT_SERVICES_BENCH_GROWTH_H

#include "services/bench/bench_root.h"

/* Everything above. Returns only when EXIT was refused. */
void growth_run(struct bench *bench, const void *handoff, size_t handoff_size,
                uint32_t root_endpoint_slot);

#endif
