/* SPDX-License-Identifier: ISC */
/* Typed calls to vspaced. */
#ifndef BASALT_SERVICES_LIB_CALL_VSPACED_H
#define BASALT_SERVICES_LIB_CALL_VSPACED_H

#include "abi/messages/vspaced.h"

#define SERVICE_TABLE "abi/messages/vspaced.def"
#include "services/lib/unfold_calls.h"

#endif
