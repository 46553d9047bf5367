/* SPDX-License-Identifier: ISC */
/* Time slices. */
#include "kernel/machine/meter.h"

#include <stddef.h>

static void charge(struct meter *meter, uint64_t now)
{
    if (meter->slice != NULL)
        *meter->slice -= (int64_t)(now - meter->since);
    meter->since = now;
}

void meter_change(struct meter *meter, int64_t *slice, uint64_t now)
{
    charge(meter, now);
    meter->slice = slice;
}

bool meter_is_over(struct meter *meter, uint64_t now, uint64_t tick_cycles)
{
    charge(meter, now);
    if (meter->slice == NULL || *meter->slice > 0)
        return false;
    *meter->slice += SLICE_TICKS * (int64_t)tick_cycles;
    return true;
}
