/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/procd.def. Decides nothing. */
#include "abi/messages/procd.h"

#define MESSAGES_TABLE "abi/messages/procd.def"
#include "abi/messages/describe.h"
