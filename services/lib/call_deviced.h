/* SPDX-License-Identifier: ISC */
/* Typed calls to deviced. */
#ifndef BASALT_SERVICES_LIB_CALL_DEVICED_H
#define BASALT_SERVICES_LIB_CALL_DEVICED_H

#include "abi/messages/deviced.h"

#define SERVICE_TABLE "abi/messages/deviced.def"
#include "services/lib/unfold_calls.h"

#endif
