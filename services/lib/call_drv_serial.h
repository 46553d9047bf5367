/* SPDX-License-Identifier: ISC */
/* Typed calls to drv-serial. */
#ifndef BASALT_SERVICES_LIB_CALL_DRV_SERIAL_H
#define BASALT_SERVICES_LIB_CALL_DRV_SERIAL_H

#include "abi/messages/drv_serial.h"

#define SERVICE_TABLE "abi/messages/drv_serial.def"
#include "services/lib/unfold_calls.h"

#endif
