/* SPDX-License-Identifier: ISC */
/* A tally by owner, in the order of their oldest records. */
#include "props/models/model_fair.h"

uint32_t model_fair_goes(const uint64_t *owners, uint32_t count)
{
    struct tally {
        uint64_t owner;
        uint32_t held, oldest;
    } tallies[MODEL_FAIR_KEPT];
    uint32_t owner_count = 0;
    struct tally most = {0, 0, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < owner_count && tallies[at].owner != owners[i])
            at++;
        if (at == owner_count)
            tallies[owner_count++] = (struct tally){owners[i], 0, i};
        tallies[at].held++;
    }
    for (uint32_t i = 0; i < owner_count; i++) {
        if (tallies[i].held > most.held)
            most = tallies[i];
    }
    return most.oldest;
}
