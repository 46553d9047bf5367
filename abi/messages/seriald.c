/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/seriald.def. Decides nothing. */
#include "abi/messages/seriald.h"

#define MESSAGES_TABLE "abi/messages/seriald.def"
#include "abi/messages/describe.h"
