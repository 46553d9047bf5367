/* SPDX-License-Identifier: ISC */
/* The line that is being typed: a pure unit. Bytes go in one by one; what the terminal shall show comes
 * out, and after a line's end the line. Whatever comes, the terminal shows exactly what the line holds
 * (Y1): bytes that are neither printable nor listed here are ignored.
 *
 *   CR, LF          the line is done; LF right after CR is the same end
 *   Ctrl-C          the line is given up, and so is what runs
 *   Ctrl-D          in an empty line: whoever types leaves
 *   BS, DEL         the last byte goes
 *   Ctrl-U          all of it goes
 *   ESC sequences   ignored to their end: cursor keys and the like
 *
 * A line holds CONSOLE_LINE_BYTES_MAX bytes; more are answered by BEL and not taken. */
#ifndef BASALT_SERVICES_CONSOLE_LINE_H
#define BASALT_SERVICES_CONSOLE_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CONSOLE_LINE_BYTES_MAX = 72, /* one row of a terminal, prompt included */
    CONSOLE_ECHO_BYTES_MAX = 3 * CONSOLE_LINE_BYTES_MAX
};

enum console_event {
    CONSOLE_TYPING,
    CONSOLE_DONE,    /* `text` is the line; console_line_clear() before the next byte */
    CONSOLE_STOPPED, /* Ctrl-C; the line is empty */
    CONSOLE_LEFT     /* Ctrl-D */
};

/* All zero is an empty line. */
struct console_line {
    uint32_t count;
    uint32_t escape;   /* how far inside an ESC sequence */
    bool after_return; /* the last byte was CR */
    char text[CONSOLE_LINE_BYTES_MAX];
};

/* What the terminal is to show for one byte. */
struct console_echo {
    uint32_t count;
    char bytes[CONSOLE_ECHO_BYTES_MAX];
};

/* Takes one byte; `echo` is written anew. */
enum console_event console_line_take(struct console_line *line, uint8_t byte,
                                     struct console_echo *echo);

void console_line_clear(struct console_line *line);

#endif
