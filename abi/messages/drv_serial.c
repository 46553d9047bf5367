/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/drv_serial.def. Decides nothing. */
#include "abi/messages/drv_serial.h"

#define MESSAGES_TABLE "abi/messages/drv_serial.def"
#include "abi/messages/describe.h"
