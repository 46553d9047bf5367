/* SPDX-License-Identifier: ISC */
/* Prints one file readably: start envelope, handoff, boot config, boot image or ELF file, told
 * apart by magic. Ends with 3 when the magic is none of them, for ./basalt to say what to do. */
#include <stdio.h>
#include <stdlib.h>

#include "props/tools/show_formats.h"

enum { FILE_BYTES_MAX = 64 << 20 };

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    uint8_t *bytes = malloc(FILE_BYTES_MAX);
    if (file == NULL || bytes == NULL) {
        perror(argv[1]);
        return 1;
    }
    size_t size_bytes = fread(bytes, 1, FILE_BYTES_MAX, file);
    fclose(file);
    bool known = show_format(stdout, bytes, size_bytes);
    free(bytes);
    return known ? 0 : 3;
}
