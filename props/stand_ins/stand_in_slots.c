/* SPDX-License-Identifier: ISC */
/* The slots of the service: a dense list of what is held, and for each slot its place in the list,
 * so that a life pays for what it holds and not for what a cspace could hold. */
#include <string.h>

#include "abi/slots.h"
#include "props/base/property.h"
#include "props/stand_ins/stand_in_books.h"

struct stand_in_held stand_in_held[STAND_IN_HELD_LIMIT];
uint32_t stand_in_place_of[SLOT_LIMIT];
static uint32_t held_count;

void stand_in_slots_begin(void)
{
    for (uint32_t i = 0; i < held_count; i++)
        stand_in_place_of[stand_in_held[i].slot] = 0;
    held_count = 0;
}

void stand_in_put(uint32_t slot, struct stand_in_cap cap)
{
    HARNESS(stand_in_slot_empty(slot) && held_count < STAND_IN_HELD_LIMIT);
    HARNESS(cap.object_type != OBJECT_NONE);
    stand_in_held[held_count].slot = slot;
    stand_in_held[held_count].cap = cap;
    stand_in_place_of[slot] = ++held_count;
    stand_in_cap_counted(&cap, true);
}

struct stand_in_cap stand_in_at(uint32_t slot)
{
    const struct stand_in_cap *cap = stand_in_cap_in(slot);
    return cap == NULL ? (struct stand_in_cap){0} : *cap;
}

struct stand_in_cap stand_in_take(uint32_t slot)
{
    struct stand_in_cap cap = stand_in_at(slot);
    HARNESS(cap.object_type != OBJECT_NONE);
    uint32_t place = stand_in_place_of[slot] - 1;
    stand_in_held[place] = stand_in_held[--held_count];
    stand_in_place_of[stand_in_held[place].slot] = place + 1;
    stand_in_place_of[slot] = 0;
    stand_in_cap_counted(&cap, false);
    return cap;
}

void stand_in_relabel(uint32_t slot, uint32_t target_slot)
{
    HARNESS(stand_in_slot_empty(target_slot));
    uint32_t place = stand_in_place_of[slot];
    stand_in_held[place - 1].slot = target_slot;
    stand_in_place_of[slot] = 0;
    stand_in_place_of[target_slot] = place;
}

bool stand_in_slot_empty(uint32_t slot)
{
    return slot != SLOT_NULL && slot < SLOT_LIMIT && stand_in_place_of[slot] == 0;
}

bool stand_in_slots_empty(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!stand_in_slot_empty(first + i))
            return false;
    return true;
}

void stand_in_slots_drop(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!stand_in_slot_empty(first + i))
            (void)stand_in_take(first + i);
}

uint32_t stand_in_slot_count(void)
{
    return held_count;
}

uint32_t stand_in_slot_count_below(uint32_t limit)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < held_count; i++)
        count += stand_in_held[i].slot < limit;
    return count;
}

uint32_t stand_in_slot_number(uint32_t i)
{
    HARNESS(i < held_count);
    return stand_in_held[i].slot;
}

struct stand_in_cap *stand_in_slot_cap(uint32_t i)
{
    HARNESS(i < held_count);
    return &stand_in_held[i].cap;
}

enum status stand_in_get(uint32_t slot, uint32_t type, uint32_t rights, struct stand_in_cap *cap)
{
    *cap = stand_in_at(slot);
    return stand_in_look(cap, type, rights);
}

enum status stand_in_look(const struct stand_in_cap *cap, uint32_t type, uint32_t rights)
{
    if (cap == NULL || !stand_in_cap_live(cap))
        return STATUS_NOT_FOUND;
    if (cap->object_type != type)
        return STATUS_INVALID_ARGUMENT;
    return (cap->rights & rights) == rights ? STATUS_OK : STATUS_DENIED;
}

enum status stand_in_give(const struct message *message, const struct message_cap *descriptor,
                          struct stand_in_cap *cap)
{
    uint32_t slot;
    memcpy(&slot, message->body + descriptor->field_offset, sizeof slot);
    *cap = stand_in_at(slot);
    if (!stand_in_cap_live(cap))
        return STATUS_NOT_FOUND;
    if ((cap->rights & RIGHT_TRANSFER) == 0)
        return STATUS_DENIED;
    if ((descriptor->flags & TRANSFER_SET_BADGE) != 0) {
        if (cap->object_type != OBJECT_ENDPOINT || cap->badge != 0 ||
            (cap->rights & RIGHT_RECEIVE) == 0)
            return STATUS_DENIED;
        cap->badge = descriptor->badge;
    }
    cap->rights &= descriptor->rights;
    return STATUS_OK;
}

/* A sum over slots, so that the order in which they were filled does not matter. */
uint64_t stand_in_digest(void)
{
    uint64_t sum = stand_in_objects_digest() + stand_in_mappings_digest() + stand_in_lines_digest();
    for (uint32_t i = 0; i < held_count; i++) {
        const struct stand_in_cap *cap = &stand_in_held[i].cap;
        uint64_t value =
            (uint64_t)stand_in_held[i].slot << 32 | cap->object_type << 16 | cap->rights;
        value = stand_in_mix(value) ^ ((uint64_t)cap->object << 32 | cap->generation);
        sum += stand_in_mix(value) ^ cap->badge;
    }
    return sum;
}
