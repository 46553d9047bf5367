/* SPDX-License-Identifier: ISC */
/* From one counter's unit to another's, without a division at each reading: a clock is a counter,
 * its value at the beginning, and a fraction. */
#ifndef BASALT_KERNEL_MACHINE_SCALE_H
#define BASALT_KERNEL_MACHINE_SCALE_H

#include <stdint.h>

/* A ratio: whole + fraction / 2^64. */
struct scale {
    uint64_t whole;
    uint64_t fraction;
};

/* numerator / denominator (1 to 2^63), rounded down in the 64th place. */
struct scale scale_of(uint64_t numerator, uint64_t denominator);

/* value * scale, rounded down; the caller's numbers fit. */
uint64_t scale_apply(struct scale scale, uint64_t value);

#endif
