/* SPDX-License-Identifier: ISC */
/* A fault of seriald (README.md): in each of its lives it asks the driver wrongly once, both things that it asks it
 * for, and goes on. Nobody else has an end of the driver. */
#include "abi/slots.h"
#include "services/lib/call_drv_serial.h"
#include "services/probes/wrong.h"
#include "services/seriald/internal.h"

void __real_seriald_line_take(struct seriald *seriald, uint64_t wait_ticks);
void __wrap_seriald_line_take(struct seriald *seriald, uint64_t wait_ticks);

void __wrap_seriald_line_take(struct seriald *seriald, uint64_t wait_ticks)
{
    static const struct drv_serial_read_request at_once = {.wait_ticks = 0};
    static const struct drv_serial_write_request byte = {.count = 1, .bytes = "!"};
    struct drv_serial_read_reply read;
    struct drv_serial_write_reply write;
    struct caller *caller = &seriald->caller;
    bool first = seriald->read_ticks == 0;
    __real_seriald_line_take(seriald, wait_ticks);
    if (!first || !seriald->has_driver)
        return;
    uint64_t deadline_ticks = caller_deadline(caller, SERIALD_CALL_TICKS);
    (void)ask_wrongly(caller, SLOT_PEER_DRV_SERIAL, deadline_ticks, &drv_serial_read_request_type,
                      &at_once, &read);
    (void)ask_wrongly(caller, SLOT_PEER_DRV_SERIAL, deadline_ticks, &drv_serial_write_request_type,
                      &byte, &write);
}
