/* SPDX-License-Identifier: ISC */
/* Devices of the world. Decides what they are; when a line interrupts, the world decides. */
#include "props/world/devices.h"

#include <stddef.h>

#include "kernel/core/machine.h"
#include "kernel/host/host.h"

enum {
    LINE_COM1 = 4,
    COM1_ENABLE = PORT_COM1 + 1,
    COM1_WHY = PORT_COM1 + 2,
    COM1_STATUS = PORT_COM1 + 5,
    COM1_SCRATCH = PORT_COM1 + 7,
    ENABLE_SENT = 2,
    WHY_NOTHING = 1,
    WHY_SENT = 2,
    STATUS_SENT = 0x60 /* every byte is gone at once */
};

static struct {
    uint8_t enable;
    uint8_t scratch; /* reads as it was written */
    bool sent; /* that it can take a byte is to be told, and nobody has asked why it interrupted */
    bool asks; /* its line went up, and nobody was interrupted */
} com1;

/* COM1's line goes up when it was down. */
static void sent_set(bool sent, uint8_t enable)
{
    bool was = com1.sent && (com1.enable & ENABLE_SENT) != 0;
    bool is = sent && (enable & ENABLE_SENT) != 0;
    com1.asks = com1.asks || (is && !was);
    com1.sent = sent;
    com1.enable = enable;
}

static void devices_write(uint16_t port, uint8_t value)
{
    if (port == PORT_COM1) {
        sent_set(false, com1.enable);
        sent_set(true, com1.enable);
    }
    if (port == COM1_SCRATCH)
        com1.scratch = value;
    if (port == COM1_ENABLE)
        sent_set((value & ENABLE_SENT) != 0, value);
}

static uint32_t port_read(uint32_t port)
{
    bool tells = com1.sent && (com1.enable & ENABLE_SENT) != 0;
    if (port == COM1_ENABLE)
        return com1.enable;
    if (port == COM1_SCRATCH)
        return com1.scratch;
    if (port == COM1_STATUS)
        return STATUS_SENT;
    if (port != COM1_WHY)
        return 0;
    if (tells)
        sent_set(false, com1.enable);
    return tells ? WHY_SENT : WHY_NOTHING;
}

/* A host bridge, and behind a bridge from one bus to another a device of two functions. */
static uint32_t pci_read(uint32_t address)
{
    static const struct {
        uint32_t address;
        uint32_t value;
    } registers[] = {
        {0x000000, 0x29C08086}, {0x000008, 0x06000000}, {0x00000C, 0x00000000},
        {0x000800, 0x00011B36}, {0x000808, 0x06040000}, {0x00080C, 0x00010000},
        {0x000818, 0x00010100}, {0x010000, 0x10001AF4}, {0x010008, 0x02000000},
        {0x01000C, 0x00800000}, {0x010100, 0x10011AF4}, {0x010108, 0x01000000},
        {0x01010C, 0x00800000},
    };
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        if (registers[i].address == address)
            return registers[i].value;
    }
    return UINT32_MAX;
}

static uint32_t devices_read(enum machine_read_kind kind, uint32_t address)
{
    switch (kind) {
    case READ_PORT:
        return port_read(address);
    case READ_PCI:
        return pci_read(address);
    case READ_TAKEN:
        break;
    }
    return 1;
}

void devices_begin(void)
{
    com1.enable = com1.scratch = 0;
    com1.sent = com1.asks = false;
    host_on_read(devices_read);
    host_on_write(devices_write);
}

bool devices_interrupt(struct kernel *kernel)
{
    if (!com1.asks || !host_line_is_open(LINE_COM1))
        return false;
    com1.asks = false;
    host_interrupt(kernel, LINE_COM1);
    return true;
}
