/* SPDX-License-Identifier: ISC */
/* Typed calls to kernel control; units use services/lib/kernel_calls.h, which is made of it. */
#ifndef BASALT_SERVICES_LIB_CALL_KERNEL_H
#define BASALT_SERVICES_LIB_CALL_KERNEL_H

#include "abi/messages/kernel.h"

#define SERVICE_TABLE "abi/messages/kernel.def"
#include "services/lib/unfold_calls.h"

#endif
