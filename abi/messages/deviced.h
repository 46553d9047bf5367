/* SPDX-License-Identifier: ISC */
/* What is asked of deviced. Limits of its table: services/deviced/deviced.h. Unfolded from
 * abi/messages/deviced.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_DEVICED_H
#define BASALT_ABI_MESSAGES_DEVICED_H

#include "abi/roles.h"
#include "abi/process.h"

enum { DEVICED_READY_TICKS_MAX = 600000 }; /* ten minutes; no boot config states more */

#define MESSAGES_TABLE "abi/messages/deviced.def"
#include "abi/messages/unfold.h"

#endif
