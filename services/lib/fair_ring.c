/* SPDX-License-Identifier: ISC */
/* Who holds how many of the places, and whose record goes for a new one. Knows nothing of what the
 * records are. */
#include "services/lib/fair_ring.h"

#include <stddef.h>
#include <string.h>

#include "abi/assert.h"

_Static_assert(FAIR_RING_LIMIT - 1 <= UINT8_MAX, "a place and a share fit a byte");

static struct fair_share *share_at(struct fair_ring *ring, uint32_t age)
{
    return &ring->shares[ring->share_of[ring->order[age]]];
}

static void drop(struct fair_ring *ring, uint32_t age)
{
    UNIT_ASSERT(age < ring->count);
    uint8_t place = ring->order[age];
    share_at(ring, age)->count--;
    memmove(&ring->order[age], &ring->order[age + 1], ring->count - age - 1);
    ring->order[--ring->count] = place;
}

/* The age of the oldest record whose owner holds as many as anybody. */
static uint32_t age_to_go(struct fair_ring *ring)
{
    uint32_t most = 0;
    uint32_t age = 0;
    for (uint32_t share = 0; share < FAIR_RING_LIMIT; share++)
        most = ring->shares[share].count > most ? ring->shares[share].count : most;
    while (share_at(ring, age)->count != most)
        age++;
    return age;
}

/* Its own, or a free one: where there is room for a record there is one for its owner. */
static uint32_t share_for(const struct fair_ring *ring, uint64_t owner)
{
    uint32_t free = FAIR_RING_LIMIT;
    for (uint32_t share = 0; share < FAIR_RING_LIMIT; share++) {
        if (ring->shares[share].count == 0)
            free = free == FAIR_RING_LIMIT ? share : free;
        else if (ring->shares[share].owner == owner)
            return share;
    }
    UNIT_ASSERT(free != FAIR_RING_LIMIT);
    return free;
}

uint32_t fair_ring_take(struct fair_ring *ring, uint64_t owner)
{
    if (ring->count == FAIR_RING_LIMIT)
        drop(ring, age_to_go(ring));
    if (ring->count == ring->used_count) {
        ring->order[ring->count] = (uint8_t)ring->used_count;
        ring->used_count++;
    }
    uint32_t place = ring->order[ring->count++];
    uint32_t share = share_for(ring, owner);
    ring->share_of[place] = (uint8_t)share;
    ring->shares[share].owner = owner;
    ring->shares[share].count++;
    return place;
}

void fair_ring_drop_oldest(struct fair_ring *ring)
{
    drop(ring, 0);
}

uint32_t fair_ring_place(const struct fair_ring *ring, uint32_t age)
{
    UNIT_ASSERT(age < ring->count);
    return ring->order[age];
}

/* --- the check -------------------------------------------------------------------------------- */

/* Each place that was ever taken is there once. */
static bool places_agree(const struct fair_ring *ring)
{
    bool seen[FAIR_RING_LIMIT] = {false};
    for (uint32_t i = 0; i < ring->used_count; i++) {
        if (ring->order[i] >= ring->used_count || seen[ring->order[i]])
            return false;
        seen[ring->order[i]] = true;
    }
    return true;
}

/* A share is of as many records as name it, and no two are of one owner. */
static bool shares_agree(const struct fair_ring *ring)
{
    uint32_t counts[FAIR_RING_LIMIT] = {0};
    for (uint32_t age = 0; age < ring->count; age++)
        counts[ring->share_of[ring->order[age]]]++;
    for (uint32_t share = 0; share < FAIR_RING_LIMIT; share++) {
        if (counts[share] != ring->shares[share].count)
            return false;
        for (uint32_t other = 0; other < share && counts[share] != 0; other++) {
            if (counts[other] != 0 && ring->shares[other].owner == ring->shares[share].owner)
                return false;
        }
    }
    return true;
}

const char *fair_ring_check(const struct fair_ring *ring)
{
    if (ring->count > ring->used_count || ring->used_count > FAIR_RING_LIMIT)
        return "a ring holds more records than it has places";
    if (!places_agree(ring))
        return "a place of a ring is lost, or there twice";
    if (!shares_agree(ring))
        return "a share of a ring is miscounted";
    return NULL;
}
