/* SPDX-License-Identifier: ISC */
/* Processes that a root task of the bench starts in a band of its choice, with one other to call:
 * bench-fault from RUN_COUNT on. Each has BENCH_RUNNER_SLOTS slots from its `slot` on: four of a
 * process, and the page that it shares with its starter. */
#ifndef BASALT_SERVICES_BENCH_RUNNER_H
#define BASALT_SERVICES_BENCH_RUNNER_H

#include "services/bench/bench_root.h"

enum { RUNNER_SLOT_PAGE = MESSAGE_CAP_LIMIT, BENCH_RUNNER_SLOTS };

/* peer_slot: the endpoint that it calls; SLOT_NULL: none. */
enum status runner_start(struct bench *bench, uint32_t slot, enum bench_run run, uint32_t band,
                         uint32_t peer_slot, const struct runner_page *page);

/* What it counted until now. */
enum status runner_count(struct bench *bench, uint32_t slot, uint64_t *count);

/* Ends one that runs, and gives back all that it had; the slots are empty then. */
enum status runner_end(struct bench *bench, uint32_t slot);

/* Gives way to all others for some ticks, whatever comes to the endpoint meanwhile. */
void runner_sleep(uint64_t ticks);

#endif
