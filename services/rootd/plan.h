/* SPDX-License-Identifier: ISC */
/* The authority plan: which capability of rootd goes to which slot of which service, with which
 * rights and badge; what each envelope says; how much memory the foundation is built from. Pure:
 * no call is made, and everything is decided before the first mutation. */
#ifndef BASALT_SERVICES_ROOTD_PLAN_H
#define BASALT_SERVICES_ROOTD_PLAN_H

#include "abi/formats/envelope.h"
#include "abi/formats/sha256.h"
#include "abi/roles.h"
#include "services/rootd/intake.h"

enum {
    PLAN_INSTALL_LIMIT = ENVELOPE_ENTRY_LIMIT,
    PLAN_LAUNCH_LIMIT = 32 /* whom rootd launches itself: the foundation, services, programs */
};

/* One copy into a staged child. */
struct plan_install {
    uint32_t source_slot; /* of rootd; a peer's alias or the bootstrap untyped is there by then */
    uint32_t target_slot;
    uint16_t rights;
    uint32_t badge; /* the child's role id on a peer's endpoint, otherwise 0; procd's is told which
                     * process it is, too (service_peer_badge) */
};

struct plan_launch {
    uint32_t role;
    uint32_t entry; /* of the intake; not of the foundation */
    uint32_t budget_pages;
    struct envelope envelope;
    uint32_t install_count;
    struct plan_install installs[PLAN_INSTALL_LIMIT]; /* ascending target slots */
};

struct rootd_plan {
    uint64_t bootstrap_pages; /* procd's untyped: everything memd, vspaced and pagerd are made of */
    /* First those of foundation_roles, then one for each service and program that is there, in the
     * order of the intake's entries. */
    uint32_t launch_count;
    struct plan_launch launches[PLAN_LAUNCH_LIMIT];
    uint8_t digest[SHA256_BYTES]; /* over all of the above and the modules */
};

/* Computes the plan from an accepted intake. On any error *out is all zero. Errors: those of
 * plan_row and envelope_validate; EXHAUSTED (the launch pool is smaller than what the foundation
 * is built from; more than PLAN_LAUNCH_LIMIT launches); BAD_ORDER (an entry whose role holds the end
 * of another one, which the config does not start before it,
 * a driver that does not wait for deviced, or what vfsd mounts and waits for vfsd). The result depends on the intake's
 * roles, modules and profile, not on the order of config rows (R3). */
enum status plan_make(const struct rootd_intake *intake, struct rootd_plan *out);

/* Decides one intake row of a role: *out is the install. Exposed because its refusals protect R4:
 * BAD_ORDER         a send right to an equal or higher rank (calls only go down; no exceptions)
 * BUSY              a send right to a service that may be started again (role_may_hold)
 * NOT_FOUND         rootd holds nothing in the source slot, at boot or by then
 * DENIED            the source has another type, fewer rights, or may not be given (TRANSFER)
 * INVALID_ARGUMENT  the legacy slot, SELF or the child's own endpoint as target; no rights */
enum status plan_row(const struct role *role, const struct intake *row, struct plan_install *out);

#endif
