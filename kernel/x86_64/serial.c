/* SPDX-License-Identifier: ISC */
/* COM1 at 0x3F8 (published), 115200 8N1, polled. The serial log and nothing else. */
#include "kernel/x86_64/x86.h"

enum {
    COM1 = 0x3F8,
    COM1_INTERRUPTS = COM1 + 1,
    COM1_FIFO = COM1 + 2,
    COM1_LINE = COM1 + 3,
    COM1_MODEM = COM1 + 4,
    COM1_STATUS = COM1 + 5,
    LINE_DIVISOR = 0x80,
    LINE_8N1 = 0x03,
    STATUS_TRANSMIT_EMPTY = 0x20
};

void serial_init(void)
{
    port_write8(COM1_INTERRUPTS, 0);
    port_write8(COM1_LINE, LINE_DIVISOR);
    port_write8(COM1, 1);
    port_write8(COM1_INTERRUPTS, 0);
    port_write8(COM1_LINE, LINE_8N1);
    port_write8(COM1_FIFO, 0xC7);
    port_write8(COM1_MODEM, 0x03);
}

void serial_write(const void *bytes, size_t count)
{
    const uint8_t *next = bytes;
    for (size_t i = 0; i < count; i++) {
        while ((port_read8(COM1_STATUS) & STATUS_TRANSMIT_EMPTY) == 0)
            ;
        port_write8(COM1, next[i]);
    }
}

void serial_text(const char *text)
{
    size_t count = 0;
    while (text[count] != '\0')
        count++;
    serial_write(text, count);
}
