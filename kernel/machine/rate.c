/* SPDX-License-Identifier: ISC */
/* Rates of counters. Decides which rounds of measurement are believed. */
#include "kernel/machine/rate.h"

typedef unsigned __int128 wide; /* products of two counts */

/* Whether a / b and c / d are the same to one part in RATE_PARTS. */
static bool is_near(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    wide left = (wide)a * d;
    wide right = (wide)c * b;
    return (left < right ? right - left : left - right) * RATE_PARTS <= right;
}

static bool is_whole(const struct rate_round *round)
{
    return round->cycles != 0 && round->timer != 0 && round->pit != 0;
}

static bool agrees(const struct rate_round *round, const struct rate_round *other)
{
    return is_near(round->cycles, round->pit, other->cycles, other->pit) &&
           is_near(round->timer, round->cycles, other->timer, other->cycles);
}

/* Whoever is held up between two readings finds more cycles in a count of the 8254, or has lost
 * rounds of it, and never fewer. */
static bool is_better(const struct rate_round *round, const struct rate_round *best)
{
    return best->pit == 0 || (wide)round->cycles * best->pit < (wide)best->cycles * round->pit;
}

bool rate_take_short(struct rate *rate, struct rate_round round)
{
    if (!is_whole(&round))
        return rate->agreed;
    bool better = is_better(&round, &rate->quick);
    bool agreed = rate->quick.pit != 0 && agrees(&round, &rate->quick);
    rate->agreed = agreed || (rate->agreed && !better);
    if (better)
        rate->quick = round;
    return rate->agreed;
}

bool rate_take_long(struct rate *rate, struct rate_round round)
{
    if (!is_whole(&round) || round.pit < RATE_LONG_COUNTS || !agrees(&round, &rate->quick))
        return false;
    if (is_better(&round, &rate->exact))
        rate->exact = round;
    return true;
}

struct rate_round rate_result(const struct rate *rate)
{
    return rate->exact.pit != 0 ? rate->exact : rate->quick;
}
