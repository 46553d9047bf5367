/* SPDX-License-Identifier: ISC */
/* Typed calls to vfsd. */
#ifndef BASALT_SERVICES_LIB_CALL_VFSD_H
#define BASALT_SERVICES_LIB_CALL_VFSD_H

#include "abi/messages/vfsd.h"

#define SERVICE_TABLE "abi/messages/vfsd.def"
#include "services/lib/unfold_calls.h"

#endif
