/* SPDX-License-Identifier: ISC */
/* What procd and administrators may ask of pagerd. Limits of its tables: services/pagerd/pagerd.h.
 * Unfolded from abi/messages/pagerd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_PAGERD_H
#define BASALT_ABI_MESSAGES_PAGERD_H

#include "abi/process.h"

enum {
    PAGERD_SEGMENT_LIMIT = 4, /* image segments of a process */
    PAGERD_WINDOW_LIMIT = 4,  /* anonymous windows of a process */
    PAGERD_AREA_LIMIT = 8     /* both, and guards: areas of one registration */
};

enum area_kind { AREA_SEGMENT = 0, AREA_WINDOW = 1, AREA_GUARD = 2, AREA_KIND_LAST = 2 };
enum register_flags {
    REGISTER_FAULT_AROUND = 1, /* pages that it has not touched may come with one that it does */
    REGISTER_FLAGS_ALL = REGISTER_FAULT_AROUND
};
enum resolve_action { RESOLVE_RETRY = 0, RESOLVE_END = 1, RESOLVE_ACTION_LAST = 1 };

#define MESSAGES_TABLE "abi/messages/pagerd.def"
#include "abi/messages/unfold.h"

#endif
