/* SPDX-License-Identifier: ISC */
/* What clients and administrators may ask of memd. Limits of its tables: services/memd/memd.h.
 * Unfolded from abi/messages/memd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_MEMD_H
#define BASALT_ABI_MESSAGES_MEMD_H

enum {
    MEMD_ALLOC_FRAMES_MAX = 4, /* frames of one batch: one capability each */
    MEMD_FREE_FRAMES_MAX = 64  /* ids of one FREE_FRAMES */
};

#define MESSAGES_TABLE "abi/messages/memd.def"
#include "abi/messages/unfold.h"

#endif
