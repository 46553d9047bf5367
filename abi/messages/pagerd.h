/* SPDX-License-Identifier: ISC */
/* What procd and administrators may ask of pagerd. Limits of its tables: services/pagerd/pagerd.h.
 * Unfolded from abi/messages/pagerd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_PAGERD_H
#define BASALT_ABI_MESSAGES_PAGERD_H

#include "abi/limits.h"
#include "abi/process.h"

enum {
    PAGERD_SEGMENT_LIMIT = 8, /* segments of a process: as many as a file may have */
    PAGERD_WINDOW_LIMIT = 4,  /* anonymous windows of a process */
    /* Areas of one registration: segments, bytes of the image that are data, a stack or its guard,
     * the heap and its guards. pagerd keeps as many for every process that there can be. */
    PAGERD_AREA_LIMIT = PAGERD_SEGMENT_LIMIT + 1 + 1 + 3
};

_Static_assert((int)PAGERD_SEGMENT_LIMIT == (int)ELF_SEGMENT_LIMIT, "every file has its areas");

enum area_kind {
    AREA_SEGMENT = 0,
    AREA_WINDOW = 1,
    AREA_GUARD = 2,
    AREA_LOADED = 3,
    AREA_KIND_LAST = 3
};
enum register_flags {
    REGISTER_FAULT_AROUND = 1, /* pages that it has not touched may come with one that it does */
    REGISTER_FLAGS_ALL = REGISTER_FAULT_AROUND
};
enum resolve_action { RESOLVE_RETRY = 0, RESOLVE_END = 1, RESOLVE_ACTION_LAST = 1 };

#define MESSAGES_TABLE "abi/messages/pagerd.def"
#include "abi/messages/unfold.h"

#endif
