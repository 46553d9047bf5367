/* SPDX-License-Identifier: ISC */
/* What clients may ask of procd. Limits of its tables: services/procd/procd.h. Unfolded from
 * abi/messages/procd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_PROCD_H
#define BASALT_ABI_MESSAGES_PROCD_H

#include "abi/limits.h"
#include "abi/process.h"
#include "abi/roles.h"

enum {
    PROCD_CHUNK_BYTES_MAX = FRAME_TRANSFER_BYTES_MAX, /* bytes of one chunk of a transfer */
    PROCD_LOADER_IMAGE_BYTES_MAX = 4 << 20
};

#define MESSAGES_TABLE "abi/messages/procd.def"
#include "abi/messages/unfold.h"

#endif
