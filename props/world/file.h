/* SPDX-License-Identifier: ISC */
/* What the world's programs read: images and records. */
#ifndef BASALT_PROPS_WORLD_FILE_H
#define BASALT_PROPS_WORLD_FILE_H

#include <stddef.h>

/* The bytes of a file, for free(), and how many; null when it cannot be opened. */
void *file_read(const char *path, size_t *size_bytes);

#endif
