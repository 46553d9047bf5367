/* SPDX-License-Identifier: ISC */
/* Descriptors of the messages of abi/messages/vfsd.def. Decides nothing. */
#include "abi/messages/vfsd.h"

#define MESSAGES_TABLE "abi/messages/vfsd.def"
#include "abi/messages/describe.h"
