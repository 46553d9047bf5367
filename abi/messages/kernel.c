/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/kernel.def. Decides nothing. */
#include "abi/messages/kernel.h"

#define MESSAGES_TABLE "abi/messages/kernel.def"
#include "abi/messages/describe.h"
