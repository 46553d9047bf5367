/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/logd.def. Decides nothing. */
#include "abi/messages/logd.h"

#define MESSAGES_TABLE "abi/messages/logd.def"
#include "abi/messages/describe.h"
