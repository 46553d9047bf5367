/* SPDX-License-Identifier: ISC */
/* Typed calls to loaderd. */
#ifndef BASALT_SERVICES_LIB_CALL_LOADERD_H
#define BASALT_SERVICES_LIB_CALL_LOADERD_H

#include "abi/messages/loaderd.h"

#define SERVICE_TABLE "abi/messages/loaderd.def"
#include "services/lib/unfold_calls.h"

#endif
