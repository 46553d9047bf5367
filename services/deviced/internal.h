/* SPDX-License-Identifier: ISC */
/* What deviced's files share: the request in hand, and the work on a driver (launch.c). */
#ifndef BASALT_SERVICES_DEVICED_INTERNAL_H
#define BASALT_SERVICES_DEVICED_INTERNAL_H

#include "abi/assert.h"
#include "services/deviced/deviced.h"
#include "services/lib/dispatch.h"

/* --- deviced.c: one function for each LIVE row of the table --- */
#define SERVICE       deviced
#define SERVICE_TABLE "abi/messages/deviced.def"
#include "services/lib/unfold.h"

struct deviced_request {
    struct service_request common;
    union deviced_body body;
    union deviced_reply reply;
};

/* A slot of a driver: DEVICED_SLOT_... */
static inline uint32_t deviced_slot(uint32_t index, uint32_t which)
{
    return DEVICED_SLOT_BASE + DEVICED_SLOTS_OF_DRIVER * index + which;
}

/* What a driver owes in its state: of one that is READY the process stays. */
static inline uint32_t deviced_owed(const struct deviced_driver *driver)
{
    return driver->state == DRIVER_READY ? driver->owes & ~(uint32_t)DEVICED_OWES_PROCESS
                                         : driver->owes;
}

/* --- launch.c --- */

/* The next step of a driver's work. */
void deviced_step(struct deviced *deviced, uint32_t index);

/* A line about it, for logd. */
void deviced_say(struct deviced *deviced, const struct deviced_driver *driver);

#endif
