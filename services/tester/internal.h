/* SPDX-License-Identifier: ISC */
/* What tester's files share. */
#ifndef BASALT_SERVICES_TESTER_INTERNAL_H
#define BASALT_SERVICES_TESTER_INTERNAL_H

#include "services/tester/tester.h"

struct probe_run; /* services/probes/expectations.h */

/* --- tester.c ---------------------------------------------------------------------------------- */

/* now + ticks. The clock is what a poll of its own endpoint says: it holds no KERNEL_TIME. Who sends
 * there is answered DENIED. */
enum status tester_deadline(struct tester *tester, uint64_t ticks, uint64_t *deadline_ticks);

/* "ROOTD_STAGE:<name>[:<detail>]". */
void tester_report(struct tester *tester, const char *name, const char *detail);

/* --- helpers.c --------------------------------------------------------------------------------- */

/* Starts a run; its process is in helper_ids[place] then. NOT_FOUND: no module; else procd's
 * refusal. */
enum status tester_start(struct tester *tester, const struct probe_run *run, unsigned place);

/* Waits for its end and compares: INTERNAL when it ended otherwise than stated, TIMED_OUT when it
 * did not. The place is free then, but after TIMED_OUT. */
enum status tester_wait(struct tester *tester, const struct probe_run *run, unsigned place);

/* STOP_PROCESS of what runs in a place. */
enum status tester_stop(struct tester *tester, unsigned place, uint32_t code);

/* Every run of profile phase0. */
enum status tester_run_helpers(struct tester *tester);

/* --- hostile.c --------------------------------------------------------------------------------- */

/* Every run of profile hostile. */
enum status tester_run_hostile(struct tester *tester);

#endif
