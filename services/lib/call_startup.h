/* SPDX-License-Identifier: ISC */
/* Typed calls to a service that starts. */
#ifndef BASALT_SERVICES_LIB_CALL_STARTUP_H
#define BASALT_SERVICES_LIB_CALL_STARTUP_H

#include "abi/messages/startup.h"

#define SERVICE_TABLE "abi/messages/startup.def"
#include "services/lib/unfold_calls.h"

#endif
