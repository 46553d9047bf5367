/* SPDX-License-Identifier: ISC */
/* How rootd gives authority up: all except the stated rest after a boot, and everything after a
 * failed one. */
#ifndef BASALT_SERVICES_ROOTD_TEARDOWN_H
#define BASALT_SERVICES_ROOTD_TEARDOWN_H

#include "services/rootd/launch.h"

/* Drops every capability that is not in the post-boot set (rootd.h), then walks the cspace and
 * checks that exactly that set is left (R6). Errors: the kernel's; NOT_FOUND, INVALID_ARGUMENT or
 * DENIED: something of the set is missing, differs, or something else is left. What undoing needs
 * (procd's endpoint, the bootstrap untyped, clock and process control) goes last, after everything
 * else was found gone. Only when the kernel refuses those last drops or the walk after them can the
 * boot not be undone any more: then rootd's EXIT alone ends the system. */
enum status teardown_shed(struct rootd *rootd);

/* Undoes a failed boot: ends program and services in the reverse order of the plan through procd, then procd by
 * kernel control, gives the bootstrap memory back, and drops all except SELF, the endpoint and the
 * log endpoint. Each call to procd has ROOTD_CALL_TICKS; one that does not answer is not asked
 * again (R5), and a service that is BUSY, because what a program left is given back still, is
 * stopped again every ROOTD_RETRY_TICKS, ROOTD_STOP_TRIES times. Errors are passed over: what can
 * still be undone is. procd ends its children before it ends for a critical death (P8). rootd's
 * EXIT, which halts the machine, is what ends the children of a procd that a fault ended, because
 * nobody can name them any more. */
void teardown_all(struct rootd *rootd);

#endif
