/* SPDX-License-Identifier: ISC */
/* Typed calls to timed. */
#ifndef BASALT_SERVICES_LIB_CALL_TIMED_H
#define BASALT_SERVICES_LIB_CALL_TIMED_H

#include "abi/messages/timed.h"

#define SERVICE_TABLE "abi/messages/timed.def"
#include "services/lib/unfold_calls.h"

#endif
