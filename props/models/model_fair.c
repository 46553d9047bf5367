/* SPDX-License-Identifier: ISC */
/* A tally by owner, in the order of their oldest records. */
#include "props/models/model_fair.h"

#include <string.h>

#include "props/base/property.h"

enum { PLACES = 2 * MODEL_FAIR_KEPT };

struct tally {
    uint64_t owner;
    uint32_t held, oldest;
};

/* Where the tally of an owner is, or is to be. */
static struct tally *tally_of(struct tally *tallies, uint64_t owner)
{
    uint32_t place = (uint32_t)(owner * UINT64_C(0x9E3779B97F4A7C15) >> 32) % PLACES;
    while (tallies[place].held != 0 && tallies[place].owner != owner)
        place = (place + 1) % PLACES;
    return &tallies[place];
}

uint32_t model_fair_goes(const uint64_t *owners, uint32_t count)
{
    static struct tally tallies[PLACES];
    const struct tally *most = &tallies[0];
    HARNESS(count <= MODEL_FAIR_KEPT);
    memset(tallies, 0, sizeof tallies);
    for (uint32_t i = 0; i < count; i++) {
        struct tally *tally = tally_of(tallies, owners[i]);
        tally->oldest = tally->held == 0 ? i : tally->oldest;
        tally->owner = owners[i];
        tally->held++;
    }
    for (uint32_t i = 0; i < PLACES; i++) {
        const struct tally *tally = &tallies[i];
        if (tally->held > most->held || (tally->held == most->held && tally->oldest < most->oldest))
            most = tally;
    }
    return most->oldest;
}
