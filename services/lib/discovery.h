/* SPDX-License-Identifier: ISC */
/* How a service makes itself found, how its clients find it, and how named learns who may: the calls
 * to named, by the rows LOOKS_UP and LATE_BOUND of abi/roles.def. Services and clients hold an end of
 * named in SLOT_PEER_NAMED. */
#ifndef BASALT_SERVICES_LIB_DISCOVERY_H
#define BASALT_SERVICES_LIB_DISCOVERY_H

#include "services/lib/caller.h"

/* named is of a lower rank and calls nobody, so that its answer is a matter of the processor alone. */
enum { DISCOVERY_CALL_TICKS = 5000 };

/* An end of named that says who asks, and the empty slot to which it comes. */
struct discovery_end {
    uint32_t role;
    uint32_t slot;
};

/* Tells named all rows, has it mint the ends, and seals it: what named knows is exactly what the
 * table states, whatever this image holds (N1). `named_slot` holds an administrator's end. Errors: of
 * a call; INTERNAL when named has another number of entries than there are rows. After an error some
 * of the ends may be there. */
enum status discovery_seed(struct caller *caller, uint32_t named_slot,
                           const struct discovery_end *ends, uint32_t end_count,
                           uint64_t deadline_ticks);

/* Registers the caller's own endpoint, as the service `role`, for every role that may find it, each
 * with a badge of its own. Done again, it is OK again: a service does it before it says READY, so
 * that whoever waits for it finds it at once. A client that this system has no entry for is none
 * (NOT_FOUND is no error). Result: OK, or the first error of a call, after which some are
 * registered: BUSY says that another living process is. */
enum status discovery_register(struct caller *caller, uint32_t role);

/* Looks a service up by its role, for the caller's own role: a send capability of it comes to
 * `target_slot`, which is empty. NOT_FOUND: this role may not find it, it has not registered, or it
 * has died; other errors: of the call. */
enum status discovery_look_up(struct caller *caller, uint32_t service_role, uint32_t target_slot,
                              uint64_t deadline_ticks);
/* The same with DISCOVERY_CALL_TICKS. What lies in the slot is dropped before: it is dead, or was no
 * use. */
enum status discovery_find(struct caller *caller, uint32_t service_role, uint32_t target_slot);

#endif
