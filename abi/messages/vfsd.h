/* SPDX-License-Identifier: ISC */
/* What clients may ask of vfsd. Limits of its tables: services/vfsd/vfsd.h. Unfolded from
 * abi/messages/vfsd.def; the columns are explained on top of abi/messages.h. Kinds, modes, flags
 * and masks of files are those of abi/messages/ramfsd.h, a provider's. */
#ifndef BASALT_ABI_MESSAGES_VFSD_H
#define BASALT_ABI_MESSAGES_VFSD_H

#include "abi/messages/ramfsd.h"
#include "abi/roles.h"

enum {
    /* Flags of OPEN. */
    VFSD_NO_FOLLOW =
        1u << 0, /* of STAT and SET_METADATA as well: a link at the end is not followed */
    VFSD_OPEN_READ = 1u << 1,      /* the handle may READ, or READDIR */
    VFSD_OPEN_WRITE = 1u << 2,     /* it may WRITE and TRUNCATE */
    VFSD_OPEN_CREATE = 1u << 3,    /* a file is made when there is none */
    VFSD_OPEN_EXCLUSIVE = 1u << 4, /* with CREATE: there must have been none */
    VFSD_OPEN_TRUNCATE = 1u << 5,  /* with WRITE: what is there is cut off */
    VFSD_OPEN_DIRECTORY = 1u << 6, /* a directory, and nothing else; without it: a file */
    VFSD_OPEN_BITS = (1u << 7) - 1,

    VFSD_MOUNT_READ_ONLY = 1u << 0, /* flags of SEED_MOUNT: nothing is changed through it */

    /* Fields of bytes, a whole number of words. */
    VFSD_PATH_BYTES = FILE_PATH_BYTES_MAX + 4,
    VFSD_SEED_BYTES = RAMFSD_SOURCE_BYTES_MAX + FILE_PATH_BYTES_MAX + 4
};

#define MESSAGES_TABLE "abi/messages/vfsd.def"
#include "abi/messages/unfold.h"

#endif
