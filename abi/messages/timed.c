/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/timed.def. Decides nothing. */
#include "abi/messages/timed.h"

#define MESSAGES_TABLE "abi/messages/timed.def"
#include "abi/messages/describe.h"
