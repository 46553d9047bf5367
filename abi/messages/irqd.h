/* SPDX-License-Identifier: ISC */
/* What is asked of irqd. Limits of its table: services/irqd/irqd.h. Unfolded from
 * abi/messages/irqd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_IRQD_H
#define BASALT_ABI_MESSAGES_IRQD_H

#include "abi/limits.h"
#include "abi/roles.h"

#define MESSAGES_TABLE "abi/messages/irqd.def"
#include "abi/messages/unfold.h"

#endif
