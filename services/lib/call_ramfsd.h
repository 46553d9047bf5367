/* SPDX-License-Identifier: ISC */
/* Typed calls to ramfsd. */
#ifndef BASALT_SERVICES_LIB_CALL_RAMFSD_H
#define BASALT_SERVICES_LIB_CALL_RAMFSD_H

#include "abi/messages/ramfsd.h"

#define SERVICE_TABLE "abi/messages/ramfsd.def"
#include "services/lib/unfold_calls.h"

#endif
