/* SPDX-License-Identifier: ISC */
/* A request that no sender makes, for programs that show on a boot that it is refused. */
#ifndef BASALT_SERVICES_PROBES_WRONG_H
#define BASALT_SERVICES_PROBES_WRONG_H

#include "services/lib/caller.h"

/* Sends a request with a byte more than its body has: INVALID_ARGUMENT, from whoever serves the slot.
 * `request` is one that can be encoded; `reply` as caller_call() has it. */
static inline enum status ask_wrongly(struct caller *caller, uint32_t slot, uint64_t deadline_ticks,
                                      const struct message_type *type, const void *request,
                                      void *reply)
{
    struct message *message = caller_message(caller);
    enum status status = message_encode(type, request, message);
    if (status != STATUS_OK)
        return status;
    message->header.body_bytes++;
    return caller_call_message(caller, slot, NO_WINDOW, deadline_ticks, type, reply);
}

#endif
