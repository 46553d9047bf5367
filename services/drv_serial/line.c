/* SPDX-License-Identifier: ISC */
/* The UART as the driver meets it: reads and writes of its ports, each a call to the kernel, and a
 * bounded number of them. Believes nothing that would make it go on for longer. */
#include "abi/roles.h"
#include "abi/slots.h"
#include "services/drv_serial/internal.h"
#include "services/lib/call_irqd.h"
#include "services/lib/call_kernel.h"
#include "services/lib/discovery.h"
#include "services/lib/interrupts.h"

/* Registers of a 16550, from its first port on, and their bits. */
enum {
    PORT_DATA = 0x3F8,
    PORT_INTERRUPTS = 0x3F9,
    PORT_MODEM = 0x3FC,
    PORT_STATUS = 0x3FD,
    PORT_SCRATCH = 0x3FF,
    INTERRUPT_RECEIVED = 0x01,
    MODEM_ON = 0x0B, /* both ready lines, and the gate of the interrupt */
    STATUS_RECEIVED = 0x01,
    STATUS_LOST = 0x02,
    STATUS_NOBODY = 0xFF
};

static enum status port_read(struct drv_serial *driver, uint32_t port, uint32_t *value)
{
    struct kernel_ioport_read8_request request = {.port = port};
    struct kernel_ioport_read8_reply reply;
    enum status status = kernel_call_ioport_read8(&driver->caller, SLOT_KERNEL_COM1_ENDPOINT,
                                                  NO_WINDOW, DEADLINE_NEVER, &request, &reply);
    *value = reply.value;
    return status;
}

static enum status port_write(struct drv_serial *driver, uint32_t port, uint32_t value)
{
    struct kernel_ioport_write8_request request = {.port = port, .value = value};
    return kernel_call_ioport_write8(&driver->caller, SLOT_KERNEL_COM1_ENDPOINT, NO_WINDOW,
                                     DEADLINE_NEVER, &request, NULL);
}

/* --- start ------------------------------------------------------------------------------------ */

static enum status keeps(struct drv_serial *driver, uint32_t value)
{
    uint32_t found = 0;
    enum status status = port_write(driver, PORT_SCRATCH, value);
    if (status == STATUS_OK)
        status = port_read(driver, PORT_SCRATCH, &found);
    return status == STATUS_OK && found != value ? STATUS_NOT_FOUND : status;
}

static enum status hear(struct drv_serial *driver)
{
    struct irqd_set_mask_request open = {.line = DRV_SERIAL_LINE, .masked = 0};
    struct caller *caller = &driver->caller;
    enum status status = discovery_find(caller, ROLE_IRQD, SLOT_PEER_IRQD);
    if (status == STATUS_OK)
        status = interrupts_register(caller, SLOT_PEER_IRQD, DRV_SERIAL_LINE, DRV_SERIAL_TOKEN,
                                     caller_deadline(caller, DRV_SERIAL_CALL_TICKS));
    if (status == STATUS_OK)
        status = irqd_call_set_mask(caller, SLOT_PEER_IRQD, NO_WINDOW,
                                    caller_deadline(caller, DRV_SERIAL_CALL_TICKS), &open, NULL);
    return status;
}

enum status drv_serial_line_start(struct drv_serial *driver)
{
    enum status status = keeps(driver, 0x55);
    if (status == STATUS_OK)
        status = keeps(driver, 0xAA);
    if (status == STATUS_OK)
        status = hear(driver);
    if (status == STATUS_OK)
        status = port_write(driver, PORT_MODEM, MODEM_ON);
    if (status == STATUS_OK)
        status = port_write(driver, PORT_INTERRUPTS, INTERRUPT_RECEIVED);
    driver->has_more = true; /* what came before makes no edge */
    return status;
}

/* --- receive ---------------------------------------------------------------------------------- */

static void keep(struct drv_serial *driver, uint8_t byte)
{
    if (driver->ring_count == DRV_SERIAL_RING_BYTES) {
        driver->lost_count++; /* S2 */
        return;
    }
    uint32_t place = (driver->ring_first + driver->ring_count++) % DRV_SERIAL_RING_BYTES;
    driver->ring[place] = byte;
}

/* One byte, if the line says that there is one. */
static bool take(struct drv_serial *driver)
{
    uint32_t line, byte;
    if (port_read(driver, PORT_STATUS, &line) != STATUS_OK || line == STATUS_NOBODY)
        return false;
    driver->lost_count += (line & STATUS_LOST) != 0;
    if ((line & STATUS_RECEIVED) == 0 || port_read(driver, PORT_DATA, &byte) != STATUS_OK)
        return false;
    keep(driver, (uint8_t)byte);
    return true;
}

void drv_serial_line_receive(struct drv_serial *driver)
{
    struct irqd_ack_request done = {.line = DRV_SERIAL_LINE};
    struct caller *caller = &driver->caller;
    uint32_t count = 0;
    while (count < DRV_SERIAL_TURN_BYTES && take(driver))
        count++;
    driver->has_more = count == DRV_SERIAL_TURN_BYTES;
    if (!driver->owes_ack || driver->has_more)
        return;
    enum status status = irqd_call_ack(caller, SLOT_PEER_IRQD, NO_WINDOW,
                                       caller_deadline(caller, DRV_SERIAL_CALL_TICKS), &done, NULL);
    /* Not found: an earlier one was done, and its answer was lost. */
    driver->owes_ack = status != STATUS_OK && status != STATUS_NOT_FOUND;
}

/* --- send ------------------------------------------------------------------------------------- */

bool drv_serial_line_send(struct drv_serial *driver)
{
    struct drv_serial_write *write = &driver->write;
    for (uint32_t i = 0; i < DRV_SERIAL_TURN_BYTES && write->taken_count < write->count; i++) {
        enum status status = port_write(driver, PORT_DATA, write->bytes[write->taken_count]);
        if (status != STATUS_OK)
            return status == STATUS_BUSY;
        write->taken_count++;
    }
    return true;
}
