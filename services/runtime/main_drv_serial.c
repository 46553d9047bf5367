/* SPDX-License-Identifier: ISC */
/* The daemon drv-serial: its one state, all zero at first, and its entry point. */
#include "services/drv_serial/drv_serial.h"
#include "services/runtime/entry_code.h"

static struct drv_serial state;

__attribute__((used)) void drv_serial_image_main(void);

HELPER_ENTRY("drv-serial", drv_serial_image_main);

void drv_serial_image_main(void)
{
    drv_serial_run(&state);
}
