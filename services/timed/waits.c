/* SPDX-License-Identifier: ISC */
/* Who waits, by deadline: a binary heap of places, earliest first, of equal ones who came first
 * (W1). Decides nothing else. */
#include "services/timed/internal.h"

#include <stddef.h>

static bool is_before(const struct timed *timed, uint32_t a, uint32_t b)
{
    const struct timed_wait *first = &timed->waits[a];
    const struct timed_wait *second = &timed->waits[b];
    if (first->deadline_ticks != second->deadline_ticks)
        return first->deadline_ticks < second->deadline_ticks;
    return first->order < second->order;
}

static void put(struct timed *timed, uint32_t position, uint32_t place)
{
    timed->heap[position] = (uint16_t)place;
    timed->waits[place].position = position;
}

/* A place goes up from a position, past all that it is before. */
static void rise(struct timed *timed, uint32_t position, uint32_t place)
{
    while (position != 0 && is_before(timed, place, timed->heap[(position - 1) / 2])) {
        put(timed, position, timed->heap[(position - 1) / 2]);
        position = (position - 1) / 2;
    }
    put(timed, position, place);
}

/* ... or down, past all that are before it. */
static void sink(struct timed *timed, uint32_t position, uint32_t place)
{
    uint32_t below = 2 * position + 1;
    while (below < timed->wait_count) {
        if (below + 1 < timed->wait_count &&
            is_before(timed, timed->heap[below + 1], timed->heap[below]))
            below++;
        if (is_before(timed, place, timed->heap[below]))
            break;
        put(timed, position, timed->heap[below]);
        position = below;
        below = 2 * position + 1;
    }
    put(timed, position, place);
}

void timed_wait_add(struct timed *timed, uint32_t place, uint64_t deadline_ticks,
                    uint64_t request_id)
{
    UNIT_ASSERT(place < TIMED_WAIT_LIMIT && timed->waits[place].order == 0);
    UNIT_ASSERT(timed->wait_count < TIMED_WAIT_LIMIT); /* W2 */
    timed->waits[place] = (struct timed_wait){
        .deadline_ticks = deadline_ticks,
        .order = ++timed->last_order,
        .request_id = request_id,
    };
    rise(timed, timed->wait_count++, place);
}

void timed_wait_remove(struct timed *timed, uint32_t place)
{
    UNIT_ASSERT(place < TIMED_WAIT_LIMIT && timed->waits[place].order != 0);
    uint32_t position = timed->waits[place].position;
    uint32_t last = timed->heap[--timed->wait_count];
    timed->waits[place] = (struct timed_wait){0};
    if (last == place)
        return;
    if (position != 0 && is_before(timed, last, timed->heap[(position - 1) / 2]))
        rise(timed, position, last);
    else
        sink(timed, position, last);
}

uint32_t timed_wait_first(const struct timed *timed)
{
    return timed->wait_count == 0 ? TIMED_WAIT_LIMIT : timed->heap[0];
}

uint64_t timed_next_deadline(const struct timed *timed)
{
    return timed->wait_count == 0 ? DEADLINE_NEVER : timed->waits[timed->heap[0]].deadline_ticks;
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool wait_agrees(const struct timed *timed, uint32_t position)
{
    uint32_t place = timed->heap[position];
    if (place >= TIMED_WAIT_LIMIT)
        return false;
    const struct timed_wait *wait = &timed->waits[place];
    bool below = position == 0 || !is_before(timed, place, timed->heap[(position - 1) / 2]);
    return wait->order != 0 && wait->order <= timed->last_order && wait->position == position &&
           wait->deadline_ticks != DEADLINE_NEVER && below;
}

const char *timed_check(const struct timed *timed)
{
    uint32_t count = 0;
    if (timed->wait_count > TIMED_WAIT_LIMIT)
        return "E6";
    for (uint32_t position = 0; position < timed->wait_count; position++)
        if (!wait_agrees(timed, position))
            return "W1";
    for (uint32_t place = 0; place < TIMED_WAIT_LIMIT; place++)
        count += timed->waits[place].order != 0;
    return count == timed->wait_count ? NULL : "W1";
}

void timed_visit_fields(const struct timed *timed, void (*visit)(void *context, uint64_t value),
                        void *context)
{
    visit(context, timed->caller.now_ticks);
    visit(context, timed->last_order);
    visit(context, timed->wait_count);
    for (uint32_t position = 0; position < timed->wait_count; position++) {
        const struct timed_wait *wait = &timed->waits[timed->heap[position]];
        visit(context, timed->heap[position]);
        visit(context, wait->deadline_ticks);
        visit(context, wait->order);
        visit(context, wait->request_id);
    }
}
