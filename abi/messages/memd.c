/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/memd.def. Decides nothing. */
#include "abi/messages/memd.h"

#define MESSAGES_TABLE "abi/messages/memd.def"
#include "abi/messages/describe.h"
