/* SPDX-License-Identifier: ISC */
/* The message that a service receives first. Unfolded from abi/messages/startup.def; the columns
 * are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_STARTUP_H
#define BASALT_ABI_MESSAGES_STARTUP_H

enum { START_ENVELOPE_BYTES_MAX = 896 };

#define MESSAGES_TABLE "abi/messages/startup.def"
#include "abi/messages/unfold.h"

#endif
