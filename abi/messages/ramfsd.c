/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/ramfsd.def. Decides nothing. */
#include "abi/messages/ramfsd.h"

#define MESSAGES_TABLE "abi/messages/ramfsd.def"
#include "abi/messages/describe.h"
