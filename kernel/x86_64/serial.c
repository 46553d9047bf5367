/* SPDX-License-Identifier: ISC */
/* COM1 at 0x3F8 (published), 115200 8N1: the serial log, and beside it the driver of COM1, byte by
 * byte in turns of whole lines (kernel/machine/line_share.h). The log's bytes go through a ring that
 * is emptied as fast as the line takes them: when something is written, at each tick, and once more
 * at the end. Nobody waits for the line but who ends the machine, and that with a bound. */
#include "kernel/x86_64/x86.h"

#include "kernel/machine/line_share.h"
#include "kernel/machine/log_ring.h"

enum {
    COM1 = PORT_COM1,
    COM1_INTERRUPTS = COM1 + 1,
    COM1_FIFO = COM1 + 2,
    COM1_LINE = COM1 + 3,
    COM1_MODEM = COM1 + 4,
    COM1_STATUS = COM1 + 5,
    LINE_DIVISOR = 0x80,
    LINE_8N1 = 0x03,
    FIFO_ON = 0xC0,
    FIFO_BYTES = 16,
    STATUS_TRANSMIT_EMPTY = 0x20,
    STATUS_LINE_IDLE = 0x40,
    DRAIN_BYTES_MAX = 1024,  /* in one go: an entry stays short, even on a line that never waits */
    STALL_READS_MAX = 200000 /* without a byte taken; some 0.2 s, more than 1,000 bytes take */
};

static struct log_ring ring;
static struct line_share share;
static unsigned burst_bytes; /* that an empty transmitter takes */
static unsigned room_bytes;  /* that it takes before it must be seen to be empty again */

void serial_init(void)
{
    port_write8(COM1_INTERRUPTS, 0);
    port_write8(COM1_LINE, LINE_DIVISOR);
    port_write8(COM1, 1);
    port_write8(COM1_INTERRUPTS, 0);
    port_write8(COM1_LINE, LINE_8N1);
    port_write8(COM1_FIFO, 0xC7);
    port_write8(COM1_MODEM, 0x03);
    burst_bytes = (port_read8(COM1_FIFO) & FIFO_ON) == FIFO_ON ? FIFO_BYTES : 1;
}

static bool has_room(void)
{
    if (room_bytes == 0 && (port_read8(COM1_STATUS) & STATUS_TRANSMIT_EMPTY) != 0)
        room_bytes = burst_bytes;
    return room_bytes != 0;
}

static void send(enum line_user user, uint8_t byte)
{
    port_write8(COM1, byte);
    room_bytes--;
    line_share_sent(&share, user, byte, kernel.now_ticks);
}

/* Whether `user` may send its next byte now. `at_once`: it does not wait for the other's line. */
static bool begins(enum line_user user, bool at_once)
{
    enum line_answer answer = line_share_ask(&share, user, ring.count != 0, kernel.now_ticks);
    if (answer == LINE_FREE)
        return has_room();
    if (answer == LINE_WAIT && !at_once)
        return false;
    if (has_room())
        send(user, '\n');
    return has_room();
}

/* Gives the transmitter of the log what it takes now. False: nothing, or nothing is left. */
static bool burst(bool at_once)
{
    uint8_t byte;
    bool sent = false;
    while (ring.count != 0 && begins(LINE_USER_LOG, at_once) && log_ring_take(&ring, &byte)) {
        send(LINE_USER_LOG, byte);
        sent = true;
        if (room_bytes == 0)
            break;
    }
    return sent;
}

void serial_drain(void)
{
    for (unsigned left = DRAIN_BYTES_MAX / FIFO_BYTES; left > 0 && burst(false); left--)
        ;
}

bool serial_driver_write(uint8_t byte)
{
    if (!begins(LINE_USER_DRIVER, false))
        return false;
    send(LINE_USER_DRIVER, byte);
    return true;
}

bool serial_waits(void)
{
    return ring.count != 0;
}

void serial_flush(void)
{
    for (unsigned reads = 0; reads < STALL_READS_MAX; reads++) {
        if (burst(true))
            reads = 0;
        else if (ring.count == 0 && (port_read8(COM1_STATUS) & STATUS_LINE_IDLE) != 0)
            return;
    }
}

void serial_write(const void *bytes, size_t count)
{
    log_ring_write(&ring, bytes, count);
    serial_drain();
}

void serial_text(const char *text)
{
    size_t count = 0;
    while (text[count] != '\0')
        count++;
    serial_write(text, count);
}

void serial_number(uint64_t value)
{
    char text[18] = "0x";
    for (int i = 0; i < 16; i++)
        text[2 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    serial_write(text, sizeof text);
}
