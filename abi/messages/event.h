/* SPDX-License-Identifier: ISC */
/* What the kernel itself sends: faults to pagers, ends of processes, interrupts; and what procd
 * tells its clients. Unfolded from abi/messages/event.def; the columns are explained on top of
 * abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_EVENT_H
#define BASALT_ABI_MESSAGES_EVENT_H

#include "abi/limits.h"
#include "abi/process.h"

#define MESSAGES_TABLE "abi/messages/event.def"
#include "abi/messages/unfold.h"

#endif
