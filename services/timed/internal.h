/* SPDX-License-Identifier: ISC */
/* What timed's files share: the request in hand, and the waits (waits.c), which make no call and
 * cannot fail. */
#ifndef BASALT_SERVICES_TIMED_INTERNAL_H
#define BASALT_SERVICES_TIMED_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/timed/timed.h"

/* --- timed.c: one function for each LIVE row of the table --- */
#define SERVICE       timed
#define SERVICE_TABLE "abi/messages/timed.def"
#include "services/lib/unfold.h"

struct timed_request {
    struct service_request common;
    union timed_body body;
    union timed_reply reply;
};

/* --- waits.c: the waits by their deadlines. A place is index of a reply slot. --- */

/* Nobody waits in the place yet. */
void timed_wait_add(struct timed *timed, uint32_t place, uint64_t deadline_ticks,
                    uint64_t request_id);
/* Somebody does. */
void timed_wait_remove(struct timed *timed, uint32_t place);
/* The place of the earliest; TIMED_WAIT_LIMIT: nobody waits. */
uint32_t timed_wait_first(const struct timed *timed);

#endif
