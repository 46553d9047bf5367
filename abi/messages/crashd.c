/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/crashd.def. Decides nothing. */
#include "abi/messages/crashd.h"

#define MESSAGES_TABLE "abi/messages/crashd.def"
#include "abi/messages/describe.h"
