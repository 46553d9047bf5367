/* SPDX-License-Identifier: ISC */
/* Typed calls to seriald. */
#ifndef BASALT_SERVICES_LIB_CALL_SERIALD_H
#define BASALT_SERVICES_LIB_CALL_SERIALD_H

#include "abi/messages/seriald.h"

#define SERVICE_TABLE "abi/messages/seriald.def"
#include "services/lib/unfold_calls.h"

#endif
