/* SPDX-License-Identifier: ISC */
/* What a service receives first. Unfolded from abi/messages/startup.def; the columns
 * are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_STARTUP_H
#define BASALT_ABI_MESSAGES_STARTUP_H

#include "abi/roles.h"

enum {
    START_ENVELOPE_BYTES_MAX = 896,
    STARTUP_MODULE_LIMIT = 16 /* programs that one service is told of */
};

#define MESSAGES_TABLE "abi/messages/startup.def"
#include "abi/messages/unfold.h"

#endif
