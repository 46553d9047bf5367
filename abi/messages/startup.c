/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/startup.def. Decides nothing. */
#include "abi/messages/startup.h"

#define MESSAGES_TABLE "abi/messages/startup.def"
#include "abi/messages/describe.h"
