/* SPDX-License-Identifier: ISC */
/* COM1 at 0x3F8 (published), 115200 8N1: the serial log and nothing else. Bytes go through a ring
 * that is emptied as fast as the line takes them: when something is written, at each tick, and once
 * more at the end. Nobody waits for the line but who ends the machine, and that with a bound. */
#include "kernel/x86_64/x86.h"

#include "kernel/machine/log_ring.h"

enum {
    COM1 = 0x3F8,
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
static unsigned burst_bytes; /* that an empty transmitter takes */

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

/* Gives the transmitter as much as it takes when it is empty. False: it is not, or nothing is
 * left. */
static bool burst(void)
{
    uint8_t byte;
    if (ring.count == 0 || (port_read8(COM1_STATUS) & STATUS_TRANSMIT_EMPTY) == 0)
        return false;
    for (unsigned i = 0; i < burst_bytes && log_ring_take(&ring, &byte); i++)
        port_write8(COM1, byte);
    return true;
}

void serial_drain(void)
{
    for (unsigned left = DRAIN_BYTES_MAX / FIFO_BYTES; left > 0 && burst(); left--)
        ;
}

bool serial_waits(void)
{
    return ring.count != 0;
}

void serial_flush(void)
{
    for (unsigned reads = 0; reads < STALL_READS_MAX; reads++) {
        if (burst())
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
