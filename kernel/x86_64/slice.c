/* SPDX-License-Identifier: ISC */
/* Time slices: cycles of the processor's counter, charged to kernel.payer. A slice is filled when it
 * is used up, and at no other time: who sleeps keeps what is left, and no more (K7). Decides when a
 * turn is over; the core decides who is next. */
#include "kernel/x86_64/x86.h"

enum {
    SLICE_TICKS = 10,
    SLICE_FIRST_TICKS = 2 /* of a new process: enough to start, to do little and to end */
};

static uint64_t charged_since; /* cycles */
uint16_t slice_payer = KERNEL_IDLE;

/* Takes what has passed from the slice of who pays; null: nobody does, or it is gone. */
static struct machine_area *charge(void)
{
    uint64_t now = cpu_cycles();
    struct process *payer =
        slice_payer == KERNEL_IDLE ? NULL : kernel_process(&kernel, slice_payer);
    struct machine_area *area = payer == NULL ? NULL : machine_area_of(payer);
    if (area != NULL)
        area->slice_cycles -= (int64_t)(now - charged_since);
    charged_since = now;
    return area;
}

void slice_change_payer(void)
{
    (void)charge();
    slice_payer = kernel.payer;
}

bool slice_used_up(void)
{
    struct machine_area *area = charge();
    if (area == NULL || area->slice_cycles > 0)
        return false;
    area->slice_cycles += SLICE_TICKS * (int64_t)timer_tick_cycles();
    return true;
}

void slice_begin(struct machine_area *area)
{
    area->slice_cycles = SLICE_FIRST_TICKS * (int64_t)timer_tick_cycles();
}
