/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/event.def. Decides nothing. */
#include "abi/messages/event.h"

#define MESSAGES_TABLE "abi/messages/event.def"
#include "abi/messages/describe.h"
