/* SPDX-License-Identifier: ISC */
/* What the administrator, services and clients may ask of named. Limits of its table:
 * services/named/named.h. Unfolded from abi/messages/named.def; the columns are explained on top of
 * abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_NAMED_H
#define BASALT_ABI_MESSAGES_NAMED_H

#include "abi/limits.h"
#include "abi/roles.h"

/* A name is 1 to SERVICE_NAME_BYTES_MAX bytes of [a-z0-9-]; its field has a whole number of
 * words. */
enum { NAMED_NAME_BYTES = SERVICE_NAME_BYTES_MAX + 1 };

#define MESSAGES_TABLE "abi/messages/named.def"
#include "abi/messages/unfold.h"

#endif
