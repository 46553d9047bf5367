/* SPDX-License-Identifier: ISC */
/* What clients may ask of ramfsd. Limits of its tables: services/ramfsd/ramfsd.h. Unfolded from
 * abi/messages/ramfsd.def; the columns are explained on top of abi/messages.h. */
#ifndef BASALT_ABI_MESSAGES_RAMFSD_H
#define BASALT_ABI_MESSAGES_RAMFSD_H

#include "abi/formats/path.h"
#include "abi/limits.h"

enum file_kind { FILE_KIND_FILE, FILE_KIND_DIRECTORY, FILE_KIND_SYMLINK };

enum {
    FILE_KIND_LAST = FILE_KIND_SYMLINK,
    FILE_MODE_BITS = 07777,
    FILE_TRANSFER_BYTES_MAX = 832, /* of one READ or WRITE */

    FILE_IMMUTABLE = 1u << 0, /* flags: nothing of it changes until the flag is taken away */

    FILE_METADATA_MODE = 1u << 0, /* mask of SET_METADATA: which of its fields count */
    FILE_METADATA_OWNER = 1u << 1,
    FILE_METADATA_ACCESSED = 1u << 2,
    FILE_METADATA_MODIFIED = 1u << 3,
    FILE_METADATA_FLAGS = 1u << 4,
    FILE_METADATA_BITS = (1u << 5) - 1,

    /* Fields of bytes, a whole number of words. */
    RAMFSD_SOURCE_BYTES_MAX = 24,
    RAMFSD_NAME_BYTES = FILE_NAME_BYTES_MAX + 1,
    RAMFSD_TARGET_BYTES = FILE_PATH_BYTES_MAX + 4,
    RAMFSD_LINK_BYTES = FILE_NAME_BYTES_MAX + FILE_PATH_BYTES_MAX + 5
};

#define MESSAGES_TABLE "abi/messages/ramfsd.def"
#include "abi/messages/unfold.h"

#endif
