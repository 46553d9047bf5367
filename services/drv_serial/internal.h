/* SPDX-License-Identifier: ISC */
/* What drv-serial's files share: the request in hand, and the line (line.c). */
#ifndef BASALT_SERVICES_DRV_SERIAL_INTERNAL_H
#define BASALT_SERVICES_DRV_SERIAL_INTERNAL_H

#include "abi/assert.h"
#include "services/drv_serial/drv_serial.h"
#include "services/lib/dispatch.h"

/* --- drv_serial.c: one function for each LIVE row of the table --- */
#define SERVICE       drv_serial
#define SERVICE_TABLE "abi/messages/drv_serial.def"
#include "services/lib/unfold.h"

struct drv_serial_request {
    struct service_request common;
    union drv_serial_body body;
    union drv_serial_reply reply;
};

/* --- line.c: the UART, whatever it says --- */

/* Finds it and has it interrupt for received bytes. NOT_FOUND: there is none. */
enum status drv_serial_line_start(struct drv_serial *driver);
/* What it has received goes to the ring; an interrupt that was told is acknowledged. */
void drv_serial_line_receive(struct drv_serial *driver);
/* What is to be sent and goes now. False: it will take no more of it, whenever it is asked. */
bool drv_serial_line_send(struct drv_serial *driver);

#endif
