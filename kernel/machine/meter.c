/* SPDX-License-Identifier: ISC */
/* Time slices. */
#include "kernel/machine/meter.h"

#include <stddef.h>

bool meter_charge(struct meter *meter, int64_t *slice, uint64_t now)
{
    if (meter->slice != NULL)
        *meter->slice -= (int64_t)(now - meter->since);
    meter->since = now;
    meter->slice = slice;
    return slice != NULL && *slice <= 0;
}

enum turn meter_turn(struct meter *meter, uint64_t tick_cycles, bool can_end)
{
    if (!can_end)
        return TURN_OWED;
    *meter->slice += SLICE_TICKS * (int64_t)tick_cycles;
    return TURN_OVER;
}
