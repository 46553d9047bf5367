/* SPDX-License-Identifier: ISC */
/* Time slices. */
#include "kernel/machine/meter.h"

#include <stddef.h>

bool meter_settle(struct meter *meter, int64_t *slice, uint64_t now, uint64_t tick_cycles)
{
    if (meter->slice != NULL)
        *meter->slice -= (int64_t)(now - meter->since);
    meter->since = now;
    meter->slice = slice;
    if (slice == NULL || *slice > 0)
        return false;
    *slice += SLICE_TICKS * (int64_t)tick_cycles;
    return true;
}
