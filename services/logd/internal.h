/* SPDX-License-Identifier: ISC */
/* What logd's files share: the request in hand, and the ring (ring.c), which cannot fail and makes no
 * call. */
#ifndef BASALT_SERVICES_LOGD_INTERNAL_H
#define BASALT_SERVICES_LOGD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/logd/logd.h"

/* --- logd.c: one function for each LIVE row of the table --- */
#define SERVICE       logd
#define SERVICE_TABLE "abi/messages/logd.def"
#include "services/lib/unfold.h"

struct logd_request {
    struct service_request common;
    uint32_t client_index; /* of the sender */
    union logd_body body;
    union logd_reply reply;
};

/* Whether all bytes can stand in a line. */
bool logd_text_valid(const void *bytes, uint32_t count);

/* --- ring.c --- */

/* A new record of a client, with the next id, at the end of the log; its other fields are the
 * caller's to fill. When the ring is full, another one makes room (L2). Takes time in proportion to
 * LOGD_CLIENT_LIMIT then, and a walk of the index. */
struct logd_record *logd_ring_add(struct logd *logd, uint32_t client_index);

/* The oldest record whose id is at least `id`; null: there is none. */
const struct logd_record *logd_ring_from(const struct logd *logd, uint64_t id);

#endif
