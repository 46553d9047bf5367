/* SPDX-License-Identifier: ISC */
/* Reading a file whole, whatever it is: a pipe has no size. */
#include "props/world/file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *file_read(const char *path, size_t *size_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    size_t size = 0, room = 0;
    do {
        if (size == room) {
            room = room == 0 ? 1 << 20 : 2 * room;
            bytes = realloc(bytes, room);
            if (bytes == NULL)
                abort();
        }
        size += fread(bytes + size, 1, room - size, file);
    } while (size == room);
    fclose(file);
    *size_bytes = size;
    return bytes;
}
