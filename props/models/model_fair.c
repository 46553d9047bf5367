/* SPDX-License-Identifier: ISC */
/* A tally by owner, in the order of their oldest records. */
#include "props/models/model_fair.h"

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
    static struct tally tallies[PLACES]; /* all zeros between two calls */
    static struct tally *used[MODEL_FAIR_KEPT];
    struct tally most = {0};
    uint32_t used_count = 0;
    HARNESS(count <= MODEL_FAIR_KEPT);
    for (uint32_t i = 0; i < count; i++) {
        struct tally *tally = tally_of(tallies, owners[i]);
        if (tally->held == 0) {
            *tally = (struct tally){.owner = owners[i], .oldest = i};
            used[used_count++] = tally;
        }
        tally->held++;
    }
    for (uint32_t i = 0; i < used_count; i++) { /* in the order of their oldest */
        if (used[i]->held > most.held)
            most = *used[i];
        *used[i] = (struct tally){0};
    }
    return most.oldest;
}
