/* SPDX-License-Identifier: ISC */
/* What clients may ask of loaderd. Limits of its tables: services/loaderd/loaderd.h. Unfolded from
 * abi/messages/loaderd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_LOADERD_H
#define BASALT_ABI_MESSAGES_LOADERD_H

#include "abi/formats/path.h"
#include "abi/process.h"

/* Flags of LAUNCH_PATH. */
enum launch_flags {
    LAUNCH_REQUIRE_DYNAMIC = 1u << 0, /* by a dynamic linker or not at all */
    LAUNCH_FLAGS_ALL = LAUNCH_REQUIRE_DYNAMIC
};

enum {
    LOADERD_BLOCK_BYTES_MAX = 256, /* of arguments, and of an environment */
    /* Of path and blocks together: what a message has room for. */
    LOADERD_LAUNCH_BYTES_MAX = 904
};

#define MESSAGES_TABLE "abi/messages/loaderd.def"
#include "abi/messages/unfold.h"

#endif
