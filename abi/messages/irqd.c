/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/irqd.def. Decides nothing. */
#include "abi/messages/irqd.h"

#define MESSAGES_TABLE "abi/messages/irqd.def"
#include "abi/messages/describe.h"
