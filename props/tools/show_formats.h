/* SPDX-License-Identifier: ISC */
/* Prints start envelopes, handoffs, boot configs, boot images, ELF load plans and archives
 * of files readably. */
#ifndef BASALT_PROPS_TOOLS_SHOW_FORMATS_H
#define BASALT_PROPS_TOOLS_SHOW_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Recognises a format by its magic and prints it to `out`; a damaged one is printed as its typed
 * status. True when the magic is a known one, false when nothing was printed. */
bool show_format(FILE *out, const uint8_t *bytes, size_t size_bytes);

#endif
