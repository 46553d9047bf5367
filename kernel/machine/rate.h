/* SPDX-License-Identifier: ISC */
/* How fast a processor's counter and a timer run, out of rounds of measurement against the 8254,
 * whose rate is known. Whoever measures can be held up at any moment, as an emulator on a busy host:
 * then the 8254's 16 bits have gone round, or an interrupt is an old one and the round not what it
 * was taken for. One such round must not become the clock, or all time is wrong (K9). Short rounds
 * are seldom held up, and two that agree are right to a few percent. Long ones are exact, and count
 * if they say the same. */
#ifndef BASALT_KERNEL_MACHINE_RATE_H
#define BASALT_KERNEL_MACHINE_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RATE_PARTS = 32,         /* rounds agree when they differ by one part in so many, or less */
    RATE_LONG_COUNTS = 11932 /* of the 8254, 10 ms: what is shorter is no long round */
};

/* How far each counter went. */
struct rate_round {
    uint64_t cycles;
    uint32_t timer; /* what interrupts; that may be the 8254, too */
    uint16_t pit;
};

/* All zero: nothing is measured. */
struct rate {
    struct rate_round quick; /* the best short round; pit 0: none */
    struct rate_round exact; /* the best long one; pit 0: none */
    bool agreed;             /* a second short round said the same as `quick` */
};

/* A short round. False: another one must say the same before the rate is known. */
bool rate_take_short(struct rate *rate, struct rate_round round);

/* A long round, when the rate is known by short ones. False: it was disturbed, and is not used. */
bool rate_take_long(struct rate *rate, struct rate_round round);

/* The round to go by, of which each field is above 0. */
struct rate_round rate_result(const struct rate *rate);

#endif
