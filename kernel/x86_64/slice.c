/* SPDX-License-Identifier: ISC */
/* Whose time it is: cycles of the processor's counter go to kernel.payer (K7). Decides when a turn
 * is over; the core decides who is next. */
#include "kernel/x86_64/x86.h"

#include "kernel/machine/meter.h"

uint16_t slice_payer = KERNEL_IDLE;
static struct meter meter;

static int64_t *slice_of(uint16_t index)
{
    struct process *process = index == KERNEL_IDLE ? NULL : kernel_process(&kernel, index);
    return process == NULL ? NULL : &machine_area_of(process)->slice_cycles;
}

void slice_change_payer(void)
{
    meter.slice = slice_of(slice_payer); /* its record may have gone meanwhile */
    slice_payer = kernel.payer;
    meter_change(&meter, slice_of(slice_payer), cpu_cycles());
}

bool slice_used_up(void)
{
    return meter_is_over(&meter, cpu_cycles(), timer_tick_cycles());
}

void slice_begin(struct machine_area *area)
{
    area->slice_cycles = SLICE_FIRST_TICKS * (int64_t)timer_tick_cycles();
}
