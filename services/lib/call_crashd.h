/* SPDX-License-Identifier: ISC */
/* Typed calls to crashd. */
#ifndef BASALT_SERVICES_LIB_CALL_CRASHD_H
#define BASALT_SERVICES_LIB_CALL_CRASHD_H

#include "abi/messages/crashd.h"

#define SERVICE_TABLE "abi/messages/crashd.def"
#include "services/lib/unfold_calls.h"

#endif
