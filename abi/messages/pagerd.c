/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/pagerd.def. Decides nothing. */
#include "abi/messages/pagerd.h"

#define MESSAGES_TABLE "abi/messages/pagerd.def"
#include "abi/messages/describe.h"
