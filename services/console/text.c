/* SPDX-License-Identifier: ISC */
/* Rows of text. Decides how numbers look, and nothing else. */
#include "services/console/text.h"

#include "abi/limits.h"

void row_bytes(struct console_row *row, const void *bytes, uint32_t count)
{
    const unsigned char *from = bytes;
    for (uint32_t i = 0; i < count && row->count < CONSOLE_ROW_BYTES_MAX; i++)
        row->bytes[row->count++] = from[i] >= ' ' && from[i] <= '~' ? (char)from[i] : '?';
}

void row_text(struct console_row *row, const char *text)
{
    for (; *text != 0; text++)
        row_bytes(row, text, 1);
}

static void row_based(struct console_row *row, uint64_t number, unsigned base)
{
    char digits[24];
    uint32_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    row_bytes(row, &digits[at], (uint32_t)sizeof digits - at);
}

void row_number(struct console_row *row, uint64_t number)
{
    row_based(row, number, 10);
}

void row_hex(struct console_row *row, uint64_t number)
{
    row_text(row, "0x");
    row_based(row, number, 16);
}

void row_column(struct console_row *row, uint32_t column)
{
    row_text(row, " ");
    while (row->count < column)
        row_text(row, " ");
}

void row_seconds(struct console_row *row, uint64_t ticks)
{
    uint64_t parts = ticks % TICKS_PER_SECOND;
    row_number(row, ticks / TICKS_PER_SECOND);
    row_text(row, parts < 10 ? ".00" : parts < 100 ? ".0" : ".");
    row_number(row, parts);
}
