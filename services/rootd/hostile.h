/* SPDX-License-Identifier: ISC */
/* Profile hostile: programs that try to do harm, and everything else beside and after them (K5). */
#ifndef BASALT_SERVICES_ROOTD_HOSTILE_H
#define BASALT_SERVICES_ROOTD_HOSTILE_H

#include "services/rootd/launch.h"

/* Starts the spinner; beside it, runs a process that wants too much memory and sees it end for
 * that, and all of phase0; stops the spinner and sees it killed; gives the hostile client what its
 * role's rows state, runs it, and sees it end by itself; runs all of phase0 again. The first thing
 * that is not as stated ends it with phase0_run's errors, procd's or the kernel's. Processes still
 * there are in state->helper_ids then. */
enum status hostile_run(struct rootd *state);

#endif
