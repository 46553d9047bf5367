/* SPDX-License-Identifier: ISC */
/* Profile phase0: the five helpers, run as services/probes/expectations.h states, and the memory
 * book before and after. */
#ifndef BASALT_SERVICES_ROOTD_PHASE0_H
#define BASALT_SERVICES_ROOTD_PHASE0_H

#include "abi/messages/memd.h"
#include "services/rootd/launch.h"

struct probe_run; /* services/probes/expectations.h */

/* The module of a helper; null when the image has none. */
const struct rootd_module *phase0_module(const struct rootd *state, uint32_t role);

/* Starts a run through procd; its process is in state->helper_ids[place] then. NOT_FOUND: no
 * module; else procd's refusal. */
enum status phase0_start(struct rootd *state, const struct probe_run *run, unsigned place);

/* Waits for its end and compares: INTERNAL when it ended otherwise than stated, TIMED_OUT when it
 * did not. The place is free then, but after TIMED_OUT. */
enum status phase0_wait(struct rootd *state, const struct probe_run *run, unsigned place);

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
