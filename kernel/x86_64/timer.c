/* SPDX-License-Identifier: ISC */
/* The tick: channel 0 of the 8254 through the 8259, TICKS_PER_SECOND per second. Brings time to the
 * core and never decides who runs. */
#include "kernel/x86_64/x86.h"

enum {
    PIC_MASTER = 0x20,
    PIC_MASTER_DATA = 0x21,
    PIC_SLAVE = 0xA0,
    PIC_SLAVE_DATA = 0xA1,
    PIC_END = 0x20,
    PIT_CHANNEL0 = 0x40,
    PIT_COMMAND = 0x43,
    PIT_RATE_GENERATOR = 0x34, /* channel 0, both bytes, mode 2 */
    PIT_HERTZ = 1193182
};

/* Interrupts 0 to 15 become vectors 32 to 47; all except the timer's stay masked. */
static void pic_init(void)
{
    port_write8(PIC_MASTER, 0x11);
    port_write8(PIC_SLAVE, 0x11);
    port_write8(PIC_MASTER_DATA, TIMER_VECTOR);
    port_write8(PIC_SLAVE_DATA, TIMER_VECTOR + 8);
    port_write8(PIC_MASTER_DATA, 4);
    port_write8(PIC_SLAVE_DATA, 2);
    port_write8(PIC_MASTER_DATA, 1);
    port_write8(PIC_SLAVE_DATA, 1);
    port_write8(PIC_MASTER_DATA, 0xFE);
    port_write8(PIC_SLAVE_DATA, 0xFF);
}

void timer_init(void)
{
    enum { DIVISOR = (PIT_HERTZ + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND };
    pic_init();
    port_write8(PIT_COMMAND, PIT_RATE_GENERATOR);
    port_write8(PIT_CHANNEL0, DIVISOR & 0xFF);
    port_write8(PIT_CHANNEL0, DIVISOR >> 8);
}

void timer_acknowledge(void)
{
    port_write8(PIC_MASTER, PIC_END);
}
