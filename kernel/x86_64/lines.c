/* SPDX-License-Identifier: ISC */
/* The sixteen lines of the two 8259s, which come in by the local APIC's pin for them or, where there
 * is no APIC, directly. A line that interrupts is closed and ended here at once, so that nothing
 * stands in the way of the others until somebody has seen to its device; the core says when it is
 * opened again. Decides nothing about who is told. */
#include "kernel/x86_64/x86.h"

enum {
    MASTER = 0x20,
    MASTER_DATA = 0x21,
    SLAVE = 0xA0,
    SLAVE_DATA = 0xA1,
    SLAVE_LINES = 8, /* its first line */
    CASCADE_LINE = 2,
    LAST_OF_EACH = 7, /* where interrupts come that went away again */
    COMMAND_INIT = 0x11,
    COMMAND_READ_SERVICE = 0x0B,
    COMMAND_POLL = 0x0C,
    COMMAND_END = 0x60, /* of the line in the low bits */
    POLL_FOUND = 0x80,
    POLL_LINE = 0x07
};

/* Bit i: line i is open; the cascade's always is. */
static uint16_t open_lines = 1u << CASCADE_LINE;

static void mask_write(void)
{
    port_write8(MASTER_DATA, (uint8_t)~open_lines);
    port_write8(SLAVE_DATA, (uint8_t)(~open_lines >> SLAVE_LINES));
}

void lines_init(void)
{
    port_write8(MASTER, COMMAND_INIT);
    port_write8(SLAVE, COMMAND_INIT);
    port_write8(MASTER_DATA, TIMER_VECTOR);
    port_write8(SLAVE_DATA, TIMER_VECTOR + SLAVE_LINES);
    port_write8(MASTER_DATA, 1u << CASCADE_LINE);
    port_write8(SLAVE_DATA, CASCADE_LINE);
    port_write8(MASTER_DATA, 1);
    port_write8(SLAVE_DATA, 1);
    mask_write();
}

void machine_line_open(uint32_t line, bool open)
{
    uint16_t before = open_lines;
    open_lines = (uint16_t)(open ? open_lines | 1u << line : open_lines & ~(1u << line));
    if (open_lines != before)
        mask_write();
}

void lines_end(uint32_t line)
{
    if (line < SLAVE_LINES) {
        port_write8(MASTER, (uint8_t)(COMMAND_END | line));
        return;
    }
    port_write8(SLAVE, (uint8_t)(COMMAND_END | (line - SLAVE_LINES)));
    port_write8(MASTER, COMMAND_END | CASCADE_LINE);
}

/* Whether it is the last of its controller, and that one has begun to serve none: the interrupt went
 * away before it was asked for. Of the slave's the master has served the cascade all the same. */
static bool is_spurious(uint32_t line)
{
    uint16_t command = line < SLAVE_LINES ? MASTER : SLAVE;
    if (line % SLAVE_LINES != LAST_OF_EACH)
        return false;
    port_write8(command, COMMAND_READ_SERVICE);
    if ((port_read8(command) & 1u << LAST_OF_EACH) != 0)
        return false;
    if (line >= SLAVE_LINES)
        port_write8(MASTER, COMMAND_END | CASCADE_LINE);
    return true;
}

static uint32_t close_and_end(uint32_t line)
{
    machine_line_open(line, false);
    lines_end(line);
    return line;
}

uint32_t lines_take(uint64_t vector)
{
    uint32_t line = (uint32_t)(vector - TIMER_VECTOR);
    if (line >= INTERRUPT_LINE_COUNT || is_spurious(line))
        return LINE_NONE;
    return close_and_end(line);
}

/* Asking a controller is the acknowledgement: it serves the line from then on. */
static uint32_t poll(uint16_t command)
{
    port_write8(command, COMMAND_POLL);
    uint8_t answer = port_read8(command);
    return (answer & POLL_FOUND) != 0 ? answer & POLL_LINE : LINE_NONE;
}

uint32_t lines_poll(void)
{
    if ((open_lines & ~(1u << CASCADE_LINE | 1u << TIMER_LINE)) == 0)
        return LINE_NONE;
    uint32_t line = poll(MASTER);
    if (line == TIMER_LINE) { /* no APIC: the tick is asked for again */
        lines_end(line);
        timer_arm(timer_now() + 1);
        return LINE_NONE;
    }
    if (line != CASCADE_LINE)
        return line == LINE_NONE ? line : close_and_end(line);
    line = poll(SLAVE);
    if (line != LINE_NONE)
        return close_and_end(line + SLAVE_LINES);
    port_write8(MASTER, COMMAND_END | CASCADE_LINE);
    return LINE_NONE;
}
