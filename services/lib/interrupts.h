/* SPDX-License-Identifier: ISC */
/* How a driver hears of its line of interrupts, and how irqd learns who may: the calls to irqd, by the
 * rows INTERRUPTS of abi/roles.def. A driver finds irqd by named, registers the endpoint that it
 * receives on anyway, and opens the line (irqd_call_set_mask). Each interrupt is then a message of the
 * kernel's, event INTERRUPT, and the next one comes after irqd_call_ack. */
#ifndef BASALT_SERVICES_LIB_INTERRUPTS_H
#define BASALT_SERVICES_LIB_INTERRUPTS_H

#include "services/lib/caller.h"

/* Tells irqd all rows, and seals it, whatever this image holds. `irqd_slot` holds an administrator's
 * end. Errors: of a call; INTERNAL when irqd has another number of seeds than there are rows. */
enum status interrupts_seed(struct caller *caller, uint32_t irqd_slot, uint64_t deadline_ticks);

/* Has the line's interrupts sent to the caller's own endpoint (slot 2), each with this token; the
 * endpoint travels with irqd's badge. The line is closed at first. Errors: irqd's (irqd.h), or of the
 * call. */
enum status interrupts_register(struct caller *caller, uint32_t irqd_slot, uint32_t line,
                                uint64_t token, uint64_t deadline_ticks);

/* Whether a received message is an interrupt of the line with this token, as the kernel alone sends
 * them. */
bool interrupts_is(const struct message *message, uint32_t line, uint64_t token);

#endif
