/* SPDX-License-Identifier: ISC */
/* The drivers of the boot config, by deviced: it makes them, rootd says when. All of these call deviced,
 * which is READY. */
#ifndef BASALT_SERVICES_ROOTD_DRIVERS_H
#define BASALT_SERVICES_ROOTD_DRIVERS_H

#include "services/lib/discovery.h"
#include "services/rootd/rootd.h"

/* Names the drivers that get an end of named, and where each is to be kept until deviced is told of
 * the driver; their number. */
uint32_t drivers_named_ends(const struct rootd *rootd,
                            struct discovery_end ends[BOOT_CONFIG_ENTRY_LIMIT]);

/* Tells deviced the module of each driver that is there, and gives it the driver's end of named. */
enum status drivers_seed(struct rootd *rootd);

/* Has deviced begin to launch a driver (index of its entry). */
enum status driver_start(struct rootd *rootd, uint32_t entry);

/* Where it stands, if deviced says so by the deadline: OK, it is READY; RETRY, not yet; else why it never
 * will be, be it TIMED_OUT. */
enum status driver_ask(struct rootd *rootd, uint32_t entry, uint64_t deadline_ticks);

/* Has deviced stop it. OK also when deviced is gone, and its drivers with it. */
enum status driver_stop(struct rootd *rootd, uint32_t entry);

/* Ends the seeding. OK without a call when no deviced is READY. */
enum status drivers_seal(struct rootd *rootd);

#endif
