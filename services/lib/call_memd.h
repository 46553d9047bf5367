/* SPDX-License-Identifier: ISC */
/* Typed calls to memd. */
#ifndef BASALT_SERVICES_LIB_CALL_MEMD_H
#define BASALT_SERVICES_LIB_CALL_MEMD_H

#include "abi/messages/memd.h"

#define SERVICE_TABLE "abi/messages/memd.def"
#include "services/lib/unfold_calls.h"

#endif
