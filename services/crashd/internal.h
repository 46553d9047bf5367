/* SPDX-License-Identifier: ISC */
/* What crashd's files share: the request in hand, and where a record lies. */
#ifndef BASALT_SERVICES_CRASHD_INTERNAL_H
#define BASALT_SERVICES_CRASHD_INTERNAL_H

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

/* The place of a report id. */
static inline uint32_t crashd_place(uint64_t report_id)
{
    UNIT_ASSERT(report_id != 0);
    return (uint32_t)((report_id - 1) % CRASHD_RECORD_LIMIT);
}

/* The oldest report id that is kept; last_id + 1 when there is none. */
static inline uint64_t crashd_first_id(const struct crashd *crashd)
{
    return crashd->last_id > CRASHD_RECORD_LIMIT ? crashd->last_id - CRASHD_RECORD_LIMIT + 1 : 1;
}

#endif
