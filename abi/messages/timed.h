/* SPDX-License-Identifier: ISC */
/* What clients may ask of timed. Limits of its table: services/timed/timed.h. Unfolded from
 * abi/messages/timed.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_TIMED_H
#define BASALT_ABI_MESSAGES_TIMED_H

#define MESSAGES_TABLE "abi/messages/timed.def"
#include "abi/messages/unfold.h"

#endif
