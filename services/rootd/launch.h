/* SPDX-License-Identifier: ISC */
/* The mutations of a boot, in the plan's order. Each function goes on from where the previous one
 * stopped and records in the state what teardown has to undo; none undoes anything itself. */
#ifndef BASALT_SERVICES_ROOTD_LAUNCH_H
#define BASALT_SERVICES_ROOTD_LAUNCH_H

#include "services/rootd/rootd.h"

/* now + ticks, by the kernel's clock. */
enum status rootd_deadline(struct rootd *rootd, uint64_t ticks, uint64_t *deadline_ticks);

/* procd, by kernel control, out of the launch pool; then its envelope. */
enum status launch_procd(struct rootd *rootd);

/* memd, vspaced or pagerd (index into foundation_roles), or LAUNCH_PROGRAM, through procd; then its
 * envelope. */
enum status launch_child(struct rootd *rootd, unsigned index);

/* What is launched at LAUNCH_PROGRAM. */
const struct plan_launch *launch_program_plan(const struct rootd *rootd);
const struct rootd_module *launch_program_module(const struct rootd *rootd);

/* UPDATE_FOUNDATION_ENDPOINTS: procd uses memd and pagerd from now on. */
enum status launch_bind(struct rootd *rootd);

#endif
