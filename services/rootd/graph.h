/* SPDX-License-Identifier: ISC */
/* The launch graph: the entries of the boot config besides the foundation, each started when those
 * that it needs are READY. rootd has one thread; several launches are under way all the same, because
 * it asks each for READY for a short while, in turns. A service's READY counts when rootd hears it,
 * and rootd asks again and again until the entry's ready_ticks are over: the last ask begins at most
 * LAUNCH_SLICE_TICKS_MAX for each other one under way after that, and ends LAUNCH_SLICE_TICKS later. */
#ifndef BASALT_SERVICES_ROOTD_GRAPH_H
#define BASALT_SERVICES_ROOTD_GRAPH_H

#include "services/rootd/launch.h"

/* Launches services until each is READY or passed over. Errors: why a required one failed, with its
 * role in failed_role; why an optional one could not be stopped, or procd not be asked. */
enum status graph_run(struct rootd *rootd);

/* What is known of an entry's dependencies: OK when all are READY, RETRY while one may still be, and
 * otherwise why one was passed over. What vfsd awaits may be READY or passed over. */
enum status graph_needs(const struct rootd *rootd, uint32_t entry);

/* An entry failed for a reason of its own: a required one returns the cause. An optional one is
 * stopped, named in the log and passed over: OK, or why it cannot be stopped. */
enum status graph_fail(struct rootd *rootd, uint32_t entry, enum status cause);

#endif
