/* SPDX-License-Identifier: ISC */
/* Archives of files: the ustar interchange format of POSIX.1-1988 as tar programs write it, read where
 * it lies. Accepted are files, directories and symbolic links; anything else, and whatever is not
 * understood, is refused: no "best effort".
 *
 *   512-byte header                                   then the file's bytes, zero padded to 512;
 *   0   name[100]     157 linkname[100]               at the end two blocks of zeros, and zeros
 *   100 mode[8]       257 magic[6]   "ustar\0"
 *   108 uid[8]        263 version[2] "00"
 *   116 gid[8]        265 uname[32], 297 gname[32]
 *   124 size[12]      329 devmajor[8], 337 devminor[8]
 *   136 mtime[12]     345 prefix[155]
 *   148 checksum[8]   500 padding[12]
 *   156 type          '0' or zero, '2', '5'
 *
 * A path is prefix, '/' and name, or name alone; one "./" before it and one '/' behind that of a
 * directory say nothing. Numbers are octal digits, spaces before and at least one space or zero
 * behind them. Owners, and their names, are not looked at: who owns a file is the reader's policy. */
#ifndef BASALT_ABI_FORMATS_ARCHIVE_H
#define BASALT_ABI_FORMATS_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "abi/formats/path.h"
#include "abi/status.h"

enum { ARCHIVE_BLOCK_BYTES = 512, ARCHIVE_LINK_BYTES_MAX = 100 };

enum archive_kind { ARCHIVE_FILE, ARCHIVE_DIRECTORY, ARCHIVE_SYMLINK };

/* An entry. Its path and target are copies, zeros behind them; its bytes are the archive's. */
struct archive_entry {
    enum archive_kind kind;
    uint32_t mode;             /* at most 07777 */
    uint64_t modified_seconds; /* since the epoch */
    size_t data_at;            /* of a file's bytes in the archive */
    size_t data_bytes;         /* 0 but for a file */
    size_t path_count;
    size_t target_count; /* 0 but for a symbolic link */
    uint8_t
        path[FILE_PATH_BYTES_MAX]; /* canonical and absolute (path.h); "/" for the archive's root */
    uint8_t target[ARCHIVE_LINK_BYTES_MAX]; /* path_check_target */
};

/* The entry at *at of `bytes`, 0 for the first one; *at is then that of the next one. On any other
 * result *entry is all zero and *at is as before.
 * NOT_FOUND          there is none left: the rest is two blocks of zeros, and zeros
 * TRUNCATED          a header, a file's bytes or the end is not all there
 * BAD_DIGEST         the checksum is not the sum of the header's bytes
 * BAD_MAGIC, BAD_VERSION  the header is another format's: GNU tar's own one, say
 * UNSUPPORTED        a hard link, device, pipe, or a type that changes what other headers mean
 * INVALID_ARGUMENT   a number that is none, a mode with other bits, bytes of what is no file, a
 *                    target of what is no symbolic link
 * BAD_TEXT, OUT_OF_RANGE  a path or target (path.h)
 * RESERVED_NOT_ZERO  bytes behind the end of a name, a file or the archive, or padding of the header */
enum status archive_next(const uint8_t *bytes, size_t size_bytes, size_t *at,
                         struct archive_entry *entry);

#endif
