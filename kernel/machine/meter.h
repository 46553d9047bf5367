/* SPDX-License-Identifier: ISC */
/* Time slices: a counter's cycles are charged to one slice at a time. A slice is filled when it is
 * used up and at no other time, so that who sleeps keeps what is left and gains nothing (K7); what
 * was used beyond it is taken from the next one. */
#ifndef BASALT_KERNEL_MACHINE_METER_H
#define BASALT_KERNEL_MACHINE_METER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SLICE_TICKS = 10,
    SLICE_FIRST_TICKS = 2 /* of a new process: enough to start, to do little and to end */
};

struct meter {
    int64_t *slice; /* cycles left of who pays; null: nobody does */
    uint64_t since; /* charged up to here */
};

/* Charges the time until `now` to who paid so far; what comes after it is paid by `slice` (null: by
 * nobody). To be asked before anybody runs on when another one pays, and at each tick, with who pays
 * from then on. True: that slice was used up, by its owner or by who stood in for it, and is full
 * again: the owner has had its turn, and the next of its band goes first. */
bool meter_settle(struct meter *meter, int64_t *slice, uint64_t now, uint64_t tick_cycles);

#endif
