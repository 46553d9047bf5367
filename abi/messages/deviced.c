/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/deviced.def. Decides nothing. */
#include "abi/messages/deviced.h"

#define MESSAGES_TABLE "abi/messages/deviced.def"
#include "abi/messages/describe.h"
