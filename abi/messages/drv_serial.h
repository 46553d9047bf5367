/* SPDX-License-Identifier: ISC */
/* What clients may ask of drv-serial. Limits of what it keeps: services/drv_serial/drv_serial.h. Unfolded from
 * abi/messages/drv_serial.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_DRV_SERIAL_H
#define BASALT_ABI_MESSAGES_DRV_SERIAL_H

#include "abi/limits.h"

#define MESSAGES_TABLE "abi/messages/drv_serial.def"
#include "abi/messages/unfold.h"

#endif
