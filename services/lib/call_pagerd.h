/* SPDX-License-Identifier: ISC */
/* Typed calls to pagerd. */
#ifndef BASALT_SERVICES_LIB_CALL_PAGERD_H
#define BASALT_SERVICES_LIB_CALL_PAGERD_H

#include "abi/messages/pagerd.h"

#define SERVICE_TABLE "abi/messages/pagerd.def"
#include "services/lib/unfold_calls.h"

#endif
