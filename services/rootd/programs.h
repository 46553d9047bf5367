/* SPDX-License-Identifier: ISC */
/* What the image has besides services: rootd launches the programs that hold anything at start and
 * tells each of the rest. */
#ifndef BASALT_SERVICES_ROOTD_PROGRAMS_H
#define BASALT_SERVICES_ROOTD_PROGRAMS_H

#include "services/rootd/launch.h"

/* Launches programs in order, after graph_run: offers each the modules that it may start, and waits
 * for its end, unless its role is RESIDENT; none: OK. Errors: those of launches and of procd; TIMED_OUT (no end in the time that
 * the config states); the status behind an exit code that is one's number, INTERNAL for every other
 * end but EXIT(0). An optional one that fails is stopped and passed over. */
enum status programs_run(struct rootd *rootd);

#endif
