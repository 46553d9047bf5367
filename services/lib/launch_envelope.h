/* SPDX-License-Identifier: ISC */
/* The start envelope of a role, from its rows: the one place where envelopes are made, for whoever
 * launches: rootd, deviced, and procd when it starts a service again. Pure. */
#ifndef BASALT_SERVICES_LIB_LAUNCH_ENVELOPE_H
#define BASALT_SERVICES_LIB_LAUNCH_ENVELOPE_H

#include "abi/formats/envelope.h"
#include "abi/roles.h"

/* What the boot says of a launch. */
struct launch_terms {
    uint32_t validation_profile;
    uint32_t memory_pages; /* that shared tables are made for; told to the foundation alone */
    uint64_t ready_ticks;
};

/* The role's own endpoint and one entry for each of its rows, in a window from the endpoint to the
 * last row's slot. Errors: EXHAUSTED (more rows than an envelope has entries) and those of
 * envelope_validate; *out is then unspecified. */
enum status launch_envelope_make(const struct role *role, const struct launch_terms *terms,
                                 struct envelope *out);

/* Encodes it as the request that carries it. Errors: those of envelope_encode. */
struct startup_start_service_request;
enum status launch_envelope_request(const struct envelope *envelope,
                                    struct startup_start_service_request *out);

/* What procd is told of a staged process of the role, from its RESTARTS row, before it starts.
 * `ready_ticks`: as in its envelope. False: there is no row, and nothing to tell. */
struct procd_set_restart_policy_request;
bool launch_policy_request(uint32_t role, uint64_t process_id, uint64_t ready_ticks,
                           struct procd_set_restart_policy_request *out);

/* --- asking for READY: for a slice, so that others have their turn, then again --- */

enum {
    /* How long one ask waits at first, and at most: each time twice as long as before. */
    LAUNCH_SLICE_TICKS = 10,
    LAUNCH_SLICE_TICKS_MAX = 80
};

/* Until when the next ask waits: a slice, but not beyond the deadline of READY; who could not be asked
 * before that was over has one short slice more. */
uint64_t launch_ask_until(uint64_t now_ticks, uint64_t deadline_ticks, uint64_t slice_ticks);

/* The slice after one in which there was no answer. */
uint64_t launch_next_slice(uint64_t slice_ticks);

#endif
