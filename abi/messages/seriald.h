/* SPDX-License-Identifier: ISC */
/* What clients may ask of seriald. Limits of what it keeps: services/seriald/seriald.h. Unfolded from
 * abi/messages/seriald.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_SERIALD_H
#define BASALT_ABI_MESSAGES_SERIALD_H

#include "abi/limits.h"

#define MESSAGES_TABLE "abi/messages/seriald.def"
#include "abi/messages/unfold.h"

#endif
