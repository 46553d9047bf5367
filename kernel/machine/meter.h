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
 * nobody). To be called with who pays from then on, at each tick, and before anybody runs on when
 * another one pays or a turn is owed. True: that slice is used up, and meter_turn is to be asked. */
bool meter_charge(struct meter *meter, int64_t *slice, uint64_t now);

enum turn {
    TURN_OWED, /* others wait, but a server of a higher band stands in: the debt grows until whoever
                  the server works for goes on */
    TURN_OVER  /* a full slice was added: the next of the band goes first */
};

/* What becomes of a slice that is used up. `can_end`: kernel_turn_can_end(). A debt of several
 * slices is several turns: the question comes again each time the owner is to go on. */
enum turn meter_turn(struct meter *meter, uint64_t tick_cycles, bool can_end);

#endif
