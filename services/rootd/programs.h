/* SPDX-License-Identifier: ISC */
/* What the image has besides the foundation: rootd launches what holds anything at start and tells
 * it of the rest. */
#ifndef BASALT_SERVICES_ROOTD_PROGRAMS_H
#define BASALT_SERVICES_ROOTD_PROGRAMS_H

#include "services/rootd/launch.h"

/* Launches the plan's programs in order, offers each the modules that it may start, and waits for
 * its end; none: OK. Errors: those of launch_child and of procd; TIMED_OUT (no end in the time that
 * the config states); the status behind an exit code that is one's number, INTERNAL for every other
 * end but EXIT(0). A program that may still run is at LAUNCH_PROGRAM then. */
enum status programs_run(struct rootd *rootd);

#endif
