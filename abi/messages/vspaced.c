/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/vspaced.def. Decides nothing. */
#include "abi/messages/vspaced.h"

#define MESSAGES_TABLE "abi/messages/vspaced.def"
#include "abi/messages/describe.h"
