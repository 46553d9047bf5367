/* SPDX-License-Identifier: ISC */
/* Profile phase0: the five helpers, run as services/probes/expectations.h states, and the memory
 * book before and after. */
#ifndef BASALT_SERVICES_ROOTD_PHASE0_H
#define BASALT_SERVICES_ROOTD_PHASE0_H

#include "services/rootd/launch.h"

/* Notes memd's book: call it before the first helper. */
enum status phase0_book(struct rootd *state, struct memd_query_memory_reply *book);

/* Starts every helper run through procd and waits for its end. INTERNAL: one ended otherwise than
 * stated; TIMED_OUT: one did not end in its time; else procd's refusal. Helpers still running are
 * in state->helper_ids then. */
enum status phase0_run(struct rootd *state);

/* Whether memd's book is what it was: all resources are back. Asks again until ROOTD_SETTLE_TICKS
 * have passed; then EXHAUSTED. */
enum status phase0_settle(struct rootd *state, const struct memd_query_memory_reply *book);

#endif
