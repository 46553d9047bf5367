/* SPDX-License-Identifier: ISC */
/* Deadlines of waits and of processes: who has one has an index, and the next deadline is the first
 * entry of a heap, so that nothing here depends on how many there are (P11). Makes no call. */
#include "services/procd/internal.h"

#include <stddef.h>

/* Of two that are due at once the lower index goes first. */
static bool is_earlier(const struct procd_deadlines *deadlines, uint32_t index, uint32_t than)
{
    if (deadlines->ticks[index] != deadlines->ticks[than])
        return deadlines->ticks[index] < deadlines->ticks[than];
    return index < than;
}

static void put(struct procd_deadlines *deadlines, uint32_t place, uint32_t index)
{
    UNIT_ASSERT(place < deadlines->count && index < PROCD_WAIT_LIMIT);
    deadlines->heap[place] = index;
    deadlines->places[index] = place + 1;
}

/* Moves one towards the first place until it fits. */
static void rise(struct procd_deadlines *deadlines, uint32_t place, uint32_t index)
{
    while (place != 0) {
        uint32_t above = (place - 1) / 2;
        if (!is_earlier(deadlines, index, deadlines->heap[above]))
            break;
        put(deadlines, place, deadlines->heap[above]);
        place = above;
    }
    put(deadlines, place, index);
}

/* ... and away from it. */
static void sink(struct procd_deadlines *deadlines, uint32_t place, uint32_t index)
{
    for (;;) {
        uint32_t below = 2 * place + 1;
        if (below >= deadlines->count)
            break;
        if (below + 1 < deadlines->count &&
            is_earlier(deadlines, deadlines->heap[below + 1], deadlines->heap[below]))
            below++;
        if (!is_earlier(deadlines, deadlines->heap[below], index))
            break;
        put(deadlines, place, deadlines->heap[below]);
        place = below;
    }
    put(deadlines, place, index);
}

bool procd_deadline_has(const struct procd_deadlines *deadlines, uint32_t index)
{
    UNIT_ASSERT(index < PROCD_WAIT_LIMIT);
    return deadlines->places[index] != 0;
}

void procd_deadline_set(struct procd_deadlines *deadlines, uint32_t index, uint64_t ticks)
{
    UNIT_ASSERT(!procd_deadline_has(deadlines, index) && deadlines->count < PROCD_WAIT_LIMIT);
    deadlines->ticks[index] = ticks;
    deadlines->count++;
    rise(deadlines, deadlines->count - 1, index);
}

void procd_deadline_clear(struct procd_deadlines *deadlines, uint32_t index)
{
    UNIT_ASSERT(procd_deadline_has(deadlines, index));
    uint32_t place = deadlines->places[index] - 1;
    uint32_t last = deadlines->heap[--deadlines->count];
    deadlines->heap[deadlines->count] = 0;
    deadlines->places[index] = 0;
    deadlines->ticks[index] = 0;
    if (place == deadlines->count)
        return;
    if (place != 0 && is_earlier(deadlines, last, deadlines->heap[(place - 1) / 2]))
        rise(deadlines, place, last);
    else
        sink(deadlines, place, last);
}

bool procd_deadline_due(const struct procd_deadlines *deadlines, uint64_t now_ticks,
                        uint32_t *index)
{
    *index = deadlines->heap[0];
    return deadlines->count != 0 && deadlines->ticks[*index] <= now_ticks;
}

uint64_t procd_deadline_next(const struct procd_deadlines *deadlines)
{
    return deadlines->count == 0 ? DEADLINE_NEVER : deadlines->ticks[deadlines->heap[0]];
}

const char *procd_deadlines_check(const struct procd_deadlines *deadlines)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < PROCD_WAIT_LIMIT; i++)
        count += deadlines->places[i] != 0;
    if (count != deadlines->count)
        return "deadlines are miscounted";
    for (uint32_t place = 0; place < count; place++) {
        uint32_t index = deadlines->heap[place];
        if (index >= PROCD_WAIT_LIMIT || deadlines->places[index] != place + 1)
            return "a deadline is not where its heap says";
        if (place != 0 && is_earlier(deadlines, index, deadlines->heap[(place - 1) / 2]))
            return "a deadline lies before one that is looked at earlier";
    }
    return NULL;
}
