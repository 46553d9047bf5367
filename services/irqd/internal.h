/* SPDX-License-Identifier: ISC */
/* What irqd's files share: the request in hand, and the search among the seeds. */
#ifndef BASALT_SERVICES_IRQD_INTERNAL_H
#define BASALT_SERVICES_IRQD_INTERNAL_H

#include "services/irqd/irqd.h"
#include "services/lib/dispatch.h"

/* --- irqd.c: one function for each LIVE row of the table --- */
#define SERVICE       irqd
#define SERVICE_TABLE "abi/messages/irqd.def"
#include "services/lib/unfold.h"

struct irqd_request {
    struct service_request common;
    union irqd_body body;
    union irqd_reply reply;
};

/* How many seeds lie before (line, role): where such a seed is, or would be. */
uint32_t irqd_seed_place(const struct irqd *irqd, uint32_t line, uint64_t role);

/* Whether the role may have the line. */
bool irqd_is_seeded(const struct irqd *irqd, uint32_t line, uint64_t role);

#endif
