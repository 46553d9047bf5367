/* SPDX-License-Identifier: ISC */
/* The mutations of a boot, in the plan's order. Each function goes on from where the previous one
 * stopped and records in the state what teardown has to undo; none undoes anything itself. */
#ifndef BASALT_SERVICES_ROOTD_LAUNCH_H
#define BASALT_SERVICES_ROOTD_LAUNCH_H

#include "services/rootd/rootd.h"

/* The kernel's clock; and now + ticks. */
enum status rootd_clock(struct rootd *rootd, uint64_t *now_ticks);
enum status rootd_deadline(struct rootd *rootd, uint64_t ticks, uint64_t *deadline_ticks);

/* Slot of rootd that holds the send alias of a launch. */
uint32_t launch_alias_slot(const struct rootd *rootd, uint32_t launch);

/* procd, by kernel control, out of the launch pool. */
enum status launch_procd(struct rootd *rootd);

/* Any other launch (index into plan.launches), through procd: staged, populated, started. */
enum status launch_child(struct rootd *rootd, uint32_t launch);

/* Asks a started child for READY by its envelope, until the deadline. TIMED_OUT that it has not said
 * itself (caller_was_answered): it may be asked again with the same envelope (service_start).
 * PEER_DIED: it is dead. A service that says READY for another role, or has checked another number
 * of capabilities, is not ready: INTERNAL. */
enum status launch_ask(struct rootd *rootd, uint32_t launch, uint64_t deadline_ticks);

/* The same once, with all the time that the config states. */
enum status launch_ready(struct rootd *rootd, uint32_t launch);

/* Ends what was launched or half launched, waits for its end, and drops what rootd holds of it. An
 * error: something may be left, or procd does not answer. */
enum status launch_stop(struct rootd *rootd, uint32_t launch);

/* UPDATE_FOUNDATION_ENDPOINTS: procd uses memd and pagerd from now on. */
enum status launch_bind(struct rootd *rootd);

/* BIND_NAMED: procd gets the end of named that lies in `end_slot`, and rootd drops it. */
enum status launch_bind_named(struct rootd *rootd, uint32_t end_slot);

#endif
