/* SPDX-License-Identifier: ISC */
/* What procd and readers may ask of crashd. Which ends are KILLED events, and the limits of its ring:
 * services/crashd/crashd.h. Unfolded from abi/messages/crashd.def; the columns are explained on top of
 * abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_CRASHD_H
#define BASALT_ABI_MESSAGES_CRASHD_H

#include "abi/limits.h"
#include "abi/process.h"
#include "abi/roles.h"

#define MESSAGES_TABLE "abi/messages/crashd.def"
#include "abi/messages/unfold.h"

#endif
