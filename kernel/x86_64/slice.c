/* SPDX-License-Identifier: ISC */
/* Whose time it is: cycles of the processor's counter go to kernel.payer (K7). Decides when a turn
 * is over; the core decides who is next. */
#include "kernel/x86_64/x86.h"

uint16_t slice_payer = KERNEL_IDLE;
bool slice_owed;
static struct meter meter;

/* Null: nobody's, or its record has gone. */
static inline int64_t *slice_of(uint16_t index)
{
    if (index == KERNEL_IDLE || kernel.processes[index].record_page == 0)
        return NULL;
    return &machine_area_of(process_record(index))->slice_cycles;
}

enum turn slice_ask(void)
{
    meter.slice = slice_of(slice_payer); /* its record may have gone meanwhile */
    slice_payer = kernel.payer;
    enum turn turn = meter_settle(&meter, slice_of(slice_payer), cpu_cycles(), timer_tick_cycles(),
                                  kernel_turn_can_end(&kernel));
    slice_owed = turn == TURN_OWED;
    return turn;
}

void slice_begin(struct machine_area *area)
{
    area->slice_cycles = SLICE_FIRST_TICKS * (int64_t)timer_tick_cycles();
}
