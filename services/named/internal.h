/* SPDX-License-Identifier: ISC */
/* What named's files share: the request in hand. */
#ifndef BASALT_SERVICES_NAMED_INTERNAL_H
#define BASALT_SERVICES_NAMED_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/named/named.h"

/* --- named.c: one function for each LIVE row of the table --- */
#define SERVICE       named
#define SERVICE_TABLE "abi/messages/named.def"
#include "services/lib/unfold.h"

struct named_request {
    struct service_request common;
    union named_body body;
    union named_reply reply;
};

/* Below 0, 0 or above 0: as an entry lies before, at or behind (client_role, name), a name with
 * zeros behind it. */
int named_compare(const struct named_entry *entry, uint32_t client_role, const char *name);

/* Whether `count` bytes can be a name. */
bool named_name_valid(const void *bytes, uint32_t count);

#endif
