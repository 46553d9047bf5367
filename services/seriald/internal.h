/* SPDX-License-Identifier: ISC */
/* What seriald's files share: the request in hand, and the line (line.c). */
#ifndef BASALT_SERVICES_SERIALD_INTERNAL_H
#define BASALT_SERVICES_SERIALD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/seriald/seriald.h"

/* --- seriald.c: one function for each LIVE row of the table --- */
#define SERVICE       seriald
#define SERVICE_TABLE "abi/messages/seriald.def"
#include "services/lib/unfold.h"

struct seriald_request {
    struct service_request common;
    union seriald_body body;
    union seriald_reply reply;
};

/* --- line.c: what goes to the driver and comes from it --- */

/* Sends bytes as `role`'s, on a line of its own. OK: so many were taken. */
enum status seriald_line_put(struct seriald *seriald, uint32_t role, const uint8_t *bytes,
                             uint32_t count, uint32_t *taken_count);
/* Asks the driver for bytes, which it waits for so long; they are kept. */
void seriald_line_take(struct seriald *seriald, uint64_t wait_ticks);
/* The next records of the log, if it is time. */
void seriald_line_log(struct seriald *seriald);

#endif
