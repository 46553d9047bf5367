/* SPDX-License-Identifier: ISC */
/* Whose time it is: cycles of the processor's counter go to kernel.payer (K7). Decides when a turn
 * is over; the core decides who is next. */
#include "kernel/x86_64/x86.h"

uint16_t slice_asked = KERNEL_IDLE;
static uint16_t payer = KERNEL_IDLE; /* who is charged */
static struct meter meter;

/* Null: nobody's, or its record has gone. */
static inline int64_t *slice_of(uint16_t index)
{
    if (index == KERNEL_IDLE || kernel.processes[index].record_page == 0)
        return NULL;
    return &machine_area_of(process_record(index))->slice_cycles;
}

bool slice_is_used_up(void)
{
    meter.slice = slice_of(payer); /* its record may have gone meanwhile */
    payer = slice_asked = kernel.payer;
    return meter_charge(&meter, slice_of(payer), cpu_cycles());
}

bool slice_ends_turn(void)
{
    if (meter_turn(&meter, timer_tick_cycles(), kernel_turn_can_end(&kernel)) == TURN_OVER)
        return true;
    slice_asked = SLICE_ASK_AGAIN;
    return false;
}

void slice_begin(struct machine_area *area)
{
    area->slice_cycles = SLICE_FIRST_TICKS * (int64_t)timer_tick_cycles();
}
