/* SPDX-License-Identifier: ISC */
/* What a process may ask of the kernel: kernel control. Unfolded from abi/messages/kernel.def; the
 * columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_KERNEL_H
#define BASALT_ABI_MESSAGES_KERNEL_H

#include "abi/limits.h"
#include "abi/process.h"

enum { RETYPE_COUNT_MAX = 1 << 20 };

enum query_mode { QUERY_EXACT = 0, QUERY_NEXT = 1, QUERY_MODE_LAST = 1 };

#define MESSAGES_TABLE "abi/messages/kernel.def"
#include "abi/messages/unfold.h"

#endif
