/* SPDX-License-Identifier: ISC */
/* Typed calls to procd. */
#ifndef BASALT_SERVICES_LIB_CALL_PROCD_H
#define BASALT_SERVICES_LIB_CALL_PROCD_H

#include "abi/messages/procd.h"

#define SERVICE_TABLE "abi/messages/procd.def"
#include "services/lib/unfold_calls.h"

#endif
