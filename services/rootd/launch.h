/* SPDX-License-Identifier: ISC */
/* The mutations of a boot, in the plan's order. Each function goes on from where the previous one
 * stopped and records in the state what teardown has to undo; none undoes anything itself. */
#ifndef BASALT_SERVICES_ROOTD_LAUNCH_H
#define BASALT_SERVICES_ROOTD_LAUNCH_H

#include "services/rootd/rootd.h"

/* now + ticks, by the kernel's clock. */
enum status rootd_deadline(struct rootd *state, uint64_t ticks, uint64_t *deadline_ticks);

/* Lets `ticks` pass while answering DENIED to whatever comes. PEER_DIED: procd ended meanwhile. */
enum status rootd_pause(struct rootd *state, uint64_t ticks);

/* procd, by kernel control, out of the launch pool; then its envelope. */
enum status launch_procd(struct rootd *state);

/* One copy into the staged child whose grant lies in ROOTD_SLOT_GRANT. */
enum status launch_install(struct rootd *state, const struct plan_install *install);

/* memd, vspaced or pagerd (index into foundation_roles), through procd; then its envelope. */
enum status launch_child(struct rootd *state, unsigned index);

/* UPDATE_FOUNDATION_ENDPOINTS: procd uses memd and pagerd from now on. */
enum status launch_bind(struct rootd *state);

#endif
