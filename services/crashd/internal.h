/* SPDX-License-Identifier: ISC */
/* What crashd's files share: the request in hand, and the records by age. */
#ifndef BASALT_SERVICES_CRASHD_INTERNAL_H
#define BASALT_SERVICES_CRASHD_INTERNAL_H

#include <stddef.h>

#include "abi/assert.h"
#include "services/crashd/crashd.h"
#include "services/lib/dispatch.h"

#define SERVICE       crashd
#define SERVICE_TABLE "abi/messages/crashd.def"
#include "services/lib/unfold.h"

struct crashd_request {
    struct service_request common;
    union crashd_body body;
    union crashd_reply reply;
};

/* A record that is kept, by its age; 0: the oldest. */
static inline const struct crashd_record *crashd_kept(const struct crashd *crashd, uint32_t age)
{
    return &crashd->records[fair_ring_place(&crashd->ring, age)];
}

/* The one that came last; null: none ever came. */
static inline const struct crashd_record *crashd_youngest(const struct crashd *crashd)
{
    return crashd->ring.count == 0 ? NULL : crashd_kept(crashd, crashd->ring.count - 1);
}

#endif
