/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/loaderd.def. Decides nothing. */
#include "abi/messages/loaderd.h"

#define MESSAGES_TABLE "abi/messages/loaderd.def"
#include "abi/messages/describe.h"
