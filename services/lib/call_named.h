/* SPDX-License-Identifier: ISC */
/* Typed calls to named. */
#ifndef BASALT_SERVICES_LIB_CALL_NAMED_H
#define BASALT_SERVICES_LIB_CALL_NAMED_H

#include "abi/messages/named.h"

#define SERVICE_TABLE "abi/messages/named.def"
#include "services/lib/unfold_calls.h"

#endif
