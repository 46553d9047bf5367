/* SPDX-License-Identifier: ISC */
/* Typed calls that tell of what happened: procd's notice. */
#ifndef BASALT_SERVICES_LIB_CALL_EVENT_H
#define BASALT_SERVICES_LIB_CALL_EVENT_H

#include "abi/messages/event.h"

#define SERVICE_TABLE "abi/messages/event.def"
#include "services/lib/unfold_calls.h"

#endif
