/* SPDX-License-Identifier: ISC */
/* What tester's files share. */
#ifndef BASALT_SERVICES_TESTER_INTERNAL_H
#define BASALT_SERVICES_TESTER_INTERNAL_H

#include "services/lib/call_memd.h"
#include "services/tester/tester.h"

struct probe_run; /* services/probes/expectations.h */

/* --- tester.c ---------------------------------------------------------------------------------- */

/* now + ticks. The clock is what a poll of its own endpoint says: it holds no KERNEL_TIME. Who
 * sends there is answered DENIED. */
enum status tester_deadline(struct tester *tester, uint64_t ticks, uint64_t *deadline_ticks);

/* Lets `ticks` pass. */
enum status tester_pause(struct tester *tester, uint64_t ticks);

/* Asks memd for its book. */
enum status tester_read_book(struct tester *tester, struct memd_query_memory_reply *book);

/* Asks until it is as `before` (null: until the tester's account is the only one), for
 * TESTER_SETTLE_TICKS. OK: *settled says whether it became so, and *book is the last one; or the
 * refusal of a call, which says nothing of the book. */
enum status tester_settle(struct tester *tester, const struct memd_query_memory_reply *before,
                          struct memd_query_memory_reply *book, bool *settled);

/* "ROOTD_STAGE:<name>[:<detail>]". */
void tester_report(struct tester *tester, const char *name, const char *detail);

/* --- helpers.c --------------------------------------------------------------------------------- */

/* The module of a role; null when it was not offered. */
const struct startup_module *tester_module(const struct tester *tester, uint32_t role);

/* Stages a run, and starts it later; as tester_start, in two steps. */
enum status tester_stage(struct tester *tester, const struct probe_run *run, unsigned place);
enum status tester_begin(struct tester *tester, const struct probe_run *run, unsigned place);

/* Starts a run; its process is in helper_ids[place] then. NOT_FOUND: no module; else procd's
 * refusal. */
enum status tester_start(struct tester *tester, const struct probe_run *run, unsigned place);

/* Waits for its end and compares: INTERNAL when it ended otherwise than stated, TIMED_OUT when it
 * did not. The place is free then, but after TIMED_OUT. */
enum status tester_wait(struct tester *tester, const struct probe_run *run, unsigned place);

/* The same within a time of its own. */
enum status tester_wait_ticks(struct tester *tester, const struct probe_run *run, unsigned place,
                              uint64_t ticks);

/* STOP_PROCESS of what runs in a place. */
enum status tester_stop(struct tester *tester, unsigned place, uint32_t code);

/* Every run of profile phase0. */
enum status tester_run_helpers(struct tester *tester);

/* --- hostile.c --------------------------------------------------------------------------------- */

/* Every run of profile hostile. */
enum status tester_run_hostile(struct tester *tester);

/* --- attacks.c --------------------------------------------------------------------------------- */

/* Every attack; INTERNAL after the first that did harm. `before`: memd's book. */
enum status tester_run_attacks(struct tester *tester, const struct memd_query_memory_reply *before);

/* Ends an attacker. */
enum status tester_stop_client(struct tester *tester, unsigned place);

/* --- operations.c ------------------------------------------------------------------------------ */

/* As test-operator: every question; INTERNAL when an answer was not the stated one. */
enum status tester_run_operations(struct tester *tester);

#endif
