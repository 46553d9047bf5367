/* SPDX-License-Identifier: ISC */
/* Names and paths of files. A path is canonical, absolute and UTF-8 (published for loaderd, and one
 * rule for everybody): '/' alone, or one '/' before each name. Bytes are compared as they are: no
 * letter is like another, and nothing is normalised. */
#ifndef BASALT_ABI_FORMATS_PATH_H
#define BASALT_ABI_FORMATS_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

enum {
    FILE_NAME_BYTES_MAX = 255,
    FILE_PATH_BYTES_MAX = 420 /* so that a message has room for two */
};

/* Text: well-formed UTF-8 (no overlong form, no surrogate, nothing past U+10FFFF) without control
 * characters, which are U+0000 to U+001F, U+007F and U+0080 to U+009F.
 *
 * A name of `count` bytes, one component of a path.
 * BAD_TEXT: empty, no text, ".", "..", or it has a '/'; OUT_OF_RANGE: longer than
 * FILE_NAME_BYTES_MAX. */
enum status path_check_name(const uint8_t *name, size_t count);

/* A canonical absolute path. BAD_TEXT: empty, no '/' at its start, a '/' at its end or two in a
 * row, or a component that is no name; OUT_OF_RANGE: longer than FILE_PATH_BYTES_MAX, or a name of
 * it is. */
enum status path_check(const uint8_t *path, size_t count);

/* What a symbolic link says: text of 1 to FILE_PATH_BYTES_MAX bytes, absolute or not, where "", "."
 * and ".." may be components: whoever follows it walks them (path_next). BAD_TEXT, OUT_OF_RANGE as
 * above; a component that is longer than a name may be is OUT_OF_RANGE. */
enum status path_check_target(const uint8_t *target, size_t count);

/* A component: `count` bytes of a path, from `from` on. */
struct path_part {
    size_t from;
    size_t count;
};

/* The next component of a path or target from *at on, which then is behind it; empty ones are passed
 * over. False at its end. *at is 0 at first, and at most `count`. */
bool path_next(const uint8_t *path, size_t count, size_t *at, struct path_part *part);

#endif
