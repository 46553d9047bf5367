/* SPDX-License-Identifier: ISC */
/* Ratios of counters. */
#include "kernel/machine/scale.h"

struct scale scale_of(uint64_t numerator, uint64_t denominator)
{
    struct scale scale = {.whole = numerator / denominator};
    uint64_t rest = numerator % denominator;
    for (int i = 0; i < 64; i++) { /* a division by hand: a freestanding program has none of 128 */
        rest *= 2;
        scale.fraction *= 2;
        if (rest >= denominator) {
            rest -= denominator;
            scale.fraction++;
        }
    }
    return scale;
}

uint64_t scale_apply(struct scale scale, uint64_t value)
{
    return scale.whole * value + (uint64_t)((unsigned __int128)scale.fraction * value >> 64);
}
