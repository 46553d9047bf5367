/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/named.def. Decides nothing. */
#include "abi/messages/named.h"

#define MESSAGES_TABLE "abi/messages/named.def"
#include "abi/messages/describe.h"
