/* SPDX-License-Identifier: ISC */
/* The line editor. Decides what a byte does to the line and to the terminal; knows no command. */
#include "services/console/line.h"

#include "abi/assert.h"

enum {
    BEL = 7,
    BS = 8,
    LF = 10,
    CR = 13,
    ESC = 27,
    DEL = 127,
    CTRL_C = 3,
    CTRL_D = 4,
    CTRL_U = 21
};

enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_PARAMETERS };

static void show(struct console_echo *echo, char byte)
{
    UNIT_ASSERT(echo->count < CONSOLE_ECHO_BYTES_MAX);
    echo->bytes[echo->count++] = byte;
}

static void show_end(struct console_echo *echo)
{
    show(echo, CR);
    show(echo, LF);
}

/* The last byte goes, on the terminal too. */
static void rub_out(struct console_line *line, struct console_echo *echo)
{
    line->count--;
    show(echo, BS);
    show(echo, ' ');
    show(echo, BS);
}

static void add(struct console_line *line, uint8_t byte, struct console_echo *echo)
{
    if (line->count == CONSOLE_LINE_BYTES_MAX) {
        show(echo, BEL);
        return;
    }
    line->text[line->count++] = (char)byte;
    show(echo, (char)byte);
}

/* ESC, then "[" or "O", then parameters, then a letter or the like. Any other byte after ESC ends it. */
static bool escape_takes(struct console_line *line, uint8_t byte)
{
    if (line->escape == ESCAPE_NONE)
        return false;
    if (line->escape == ESCAPE_BEGUN)
        line->escape = byte == '[' || byte == 'O' ? ESCAPE_PARAMETERS : ESCAPE_NONE;
    else if (byte < ' ' || byte >= '@')
        line->escape = ESCAPE_NONE;
    return byte >= ' '; /* a control byte has its meaning everywhere */
}

static enum console_event take_control(struct console_line *line, uint8_t byte, bool after_return,
                                       struct console_echo *echo)
{
    switch (byte) {
    case LF:
        if (after_return)
            return CONSOLE_TYPING;
        /* fall through */
    case CR:
        line->after_return = byte == CR;
        show_end(echo);
        return CONSOLE_DONE;
    case CTRL_C:
        line->count = 0;
        show(echo, '^');
        show(echo, 'C');
        show_end(echo);
        return CONSOLE_STOPPED;
    case CTRL_D:
        return line->count == 0 ? CONSOLE_LEFT : CONSOLE_TYPING;
    case CTRL_U:
        while (line->count != 0)
            rub_out(line, echo);
        return CONSOLE_TYPING;
    case BS:
    case DEL:
        if (line->count != 0)
            rub_out(line, echo);
        return CONSOLE_TYPING;
    case ESC:
        line->escape = ESCAPE_BEGUN;
        return CONSOLE_TYPING;
    default:
        return CONSOLE_TYPING;
    }
}

enum console_event console_line_take(struct console_line *line, uint8_t byte,
                                     struct console_echo *echo)
{
    bool after_return = line->after_return;
    line->after_return = false;
    echo->count = 0;
    if (escape_takes(line, byte))
        return CONSOLE_TYPING;
    if (byte < ' ' || byte >= DEL)
        return take_control(line, byte, after_return, echo);
    add(line, byte, echo);
    return CONSOLE_TYPING;
}

void console_line_clear(struct console_line *line)
{
    line->count = 0;
}
