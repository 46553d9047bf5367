/* SPDX-License-Identifier: ISC */
/* Text of log lines. Decides nothing but where a line is cut. */
#include "services/lib/log_line.h"

#include "abi/assert.h"
#include "abi/process.h"

void log_line_add(struct log_line *line, const char *text)
{
    for (; *text != 0 && line->count < LOG_LINE_BYTES_MAX - 1; text++)
        line->text[line->count++] = *text;
}

void log_line_add_number(struct log_line *line, uint64_t value)
{
    char text[21]; /* 2^64 has 20 digits */
    unsigned at = sizeof text - 1;
    text[at] = 0;
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    log_line_add(line, text + at);
}

static void add_hex(struct log_line *line, uint32_t value)
{
    char digit[2] = {0};
    int shift = 28;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    log_line_add(line, "0x");
    for (; shift >= 0; shift -= 4) {
        digit[0] = "0123456789abcdef"[value >> shift & 15];
        log_line_add(line, digit);
    }
}

void log_line_add_end(struct log_line *line, uint32_t reason, uint32_t code)
{
    log_line_add(line, ":");
    log_line_add(line, end_reason_name(reason));
    if (reason != END_EXITED && reason != END_KILLED)
        return; /* only these have a code */
    log_line_add(line, ":");
    add_hex(line, code);
}

void log_line_send(struct log_line *line, struct caller *caller, uint32_t log_slot)
{
    UNIT_ASSERT(line->count < LOG_LINE_BYTES_MAX);
    line->text[line->count++] = '\n';
    (void)kernel_log_write(caller, log_slot, line->text, line->count);
}
