/* SPDX-License-Identifier: ISC */
/* Typed calls to irqd. */
#ifndef BASALT_SERVICES_LIB_CALL_IRQD_H
#define BASALT_SERVICES_LIB_CALL_IRQD_H

#include "abi/messages/irqd.h"

#define SERVICE_TABLE "abi/messages/irqd.def"
#include "services/lib/unfold_calls.h"

#endif
