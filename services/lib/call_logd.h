/* SPDX-License-Identifier: ISC */
/* Typed calls to logd. */
#ifndef BASALT_SERVICES_LIB_CALL_LOGD_H
#define BASALT_SERVICES_LIB_CALL_LOGD_H

#include "abi/messages/logd.h"

#define SERVICE_TABLE "abi/messages/logd.def"
#include "services/lib/unfold_calls.h"

#endif
