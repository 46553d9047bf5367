/* SPDX-License-Identifier: ISC */
/* Time slices. */
#include "kernel/machine/meter.h"

#include <stddef.h>

enum turn meter_settle(struct meter *meter, int64_t *slice, uint64_t now, uint64_t tick_cycles,
                       bool can_end)
{
    if (meter->slice != NULL)
        *meter->slice -= (int64_t)(now - meter->since);
    meter->since = now;
    meter->slice = slice;
    if (slice == NULL || *slice > 0)
        return TURN_GOES_ON;
    if (!can_end)
        return TURN_OWED;
    *slice += SLICE_TICKS * (int64_t)tick_cycles;
    return TURN_OVER;
}
