/* SPDX-License-Identifier: ISC */
/* What pagerd may ask of vspaced. Limits of its tables: services/vspaced/vspaced.h. Unfolded from
 * abi/messages/vspaced.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_VSPACED_H
#define BASALT_ABI_MESSAGES_VSPACED_H

enum { VSPACED_ANONYMOUS_PAGES_MAX = 64 }; /* pages of one MAP_ANONYMOUS */

enum region_kind {
    REGION_ANONYMOUS = 0,
    REGION_FRAME = 1,
    REGION_IMAGE = 2,
    REGION_GUARD = 3,
    REGION_KIND_LAST = 3
};

#define MESSAGES_TABLE "abi/messages/vspaced.def"
#include "abi/messages/unfold.h"

#endif
