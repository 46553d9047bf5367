/* SPDX-License-Identifier: ISC */
/* What the short ways ask alike, of calls and answers (short.c) and of faults (short_fault.c). */
#ifndef BASALT_KERNEL_CORE_SHORT_H
#define BASALT_KERNEL_CORE_SHORT_H

#include "kernel/core/cspace.h"

KERNEL_INLINE bool capability_is(const struct capability *cap, enum object_type type,
                                 uint16_t right)
{
    return cap->object_type == type && (cap->rights & right) != 0;
}

/* Whether a process receives at its own endpoint, by a slot of the first leaf, where nothing has come
 * (`alone`: and nobody waits). */
KERNEL_INLINE bool receive_may(const struct process *server, uint32_t slot, bool alone)
{
    if (slot >= CSPACE_LEAF_CAPS)
        return false;
    const struct endpoint *endpoint = &server->service; /* it lives: its owner runs */
    const struct capability *cap = cspace_first(server, slot);
    return capability_is(cap, OBJECT_ENDPOINT, RIGHT_RECEIVE) && cap->object == server->index &&
           cap->generation == endpoint->generation &&
           (alone ? queues_are_empty(&endpoint->senders)
                  : endpoint->senders.first == KERNEL_NONE) &&
           endpoint->events.first == KERNEL_NONE;
}

/* Whether somebody is ready in a band between that of the server, which runs, and that of whom it
 * answers. */
KERNEL_INLINE bool band_waits(const struct kernel *kernel, const struct process *server,
                              uint32_t band)
{
    for (uint32_t i = process_band(server); i < band; i++) {
        if (kernel->ready[i].first != KERNEL_NONE)
            return true;
    }
    return false;
}

#endif
