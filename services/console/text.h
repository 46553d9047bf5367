/* SPDX-License-Identifier: ISC */
/* A row of text in the making: a pure unit. What does not fit is left out, and whatever is added, the row
 * is printable (Y2). */
#ifndef BASALT_SERVICES_CONSOLE_TEXT_H
#define BASALT_SERVICES_CONSOLE_TEXT_H

#include <stdint.h>

enum { CONSOLE_ROW_BYTES_MAX = 320 /* a line of the log, with what stands before it */ };

struct console_row {
    uint32_t count;
    char bytes[CONSOLE_ROW_BYTES_MAX];
};

/* Of bytes that are not printable "?" is added. */
void row_bytes(struct console_row *row, const void *bytes, uint32_t count);
void row_text(struct console_row *row, const char *text);
void row_number(struct console_row *row, uint64_t number);
void row_hex(struct console_row *row, uint64_t number);
/* Spaces up to a column, and one at least. */
void row_column(struct console_row *row, uint32_t column);
/* Ticks as seconds, "12.345". */
void row_seconds(struct console_row *row, uint64_t ticks);

#endif
