/* SPDX-License-Identifier: ISC */
/* memd's books. Decides which place, generation and source the next object gets; never makes a call
 * and never refuses. */
#include "services/memd/internal.h"

/* --- names ----------------------------------------------------------------------------------- */

/* The generation of what lies in a place; of a free place, that of the next object there. */
static uint32_t generation_of(const struct memd_holding *holding, uint32_t generation_last)
{
    if (holding->account != 0)
        return holding->generation;
    return holding->generation == generation_last ? 1 : holding->generation + 1;
}

uint32_t memd_frame_id(const struct memd *memd, uint32_t frame_index)
{
    uint32_t generation = generation_of(&memd->frames[frame_index], MEMD_FRAME_GENERATION_LAST);
    return generation << MEMD_FRAME_INDEX_BITS | frame_index;
}

uint32_t memd_untyped_id(const struct memd *memd, uint32_t untyped_index)
{
    uint32_t generation =
        generation_of(&memd->untypeds[untyped_index], MEMD_UNTYPED_GENERATION_LAST);
    return generation << MEMD_UNTYPED_INDEX_BITS | untyped_index;
}

memd_link memd_frame_of(const struct memd *memd, uint32_t account_index, uint32_t frame_id)
{
    uint32_t index = frame_id & ((1u << MEMD_FRAME_INDEX_BITS) - 1);
    bool held = index < memd->frame_limit && memd->frames[index].account == account_index + 1;
    return held && memd_frame_id(memd, index) == frame_id ? index + 1 : 0;
}

memd_link memd_untyped_of(const struct memd *memd, uint32_t account_index, uint32_t untyped_id)
{
    uint32_t index = untyped_id & (MEMD_UNTYPED_LIMIT - 1);
    bool held = memd->untypeds[index].account == account_index + 1; /* M3 */
    return held && memd_untyped_id(memd, index) == untyped_id ? index + 1 : 0;
}

/* --- what is left ---------------------------------------------------------------------------- */

uint64_t memd_pages_left(const struct memd *memd)
{
    UNIT_ASSERT(memd->taken_pages <= memd->total_pages); /* M1 */
    return memd->total_pages - memd->taken_pages;
}

bool memd_untyped_room(const struct memd *memd)
{
    return memd->untyped_places.held_count < MEMD_UNTYPED_LIMIT;
}

uint64_t memd_source_left(const struct memd *memd, uint32_t source_index)
{
    const struct memd_source *source = &memd->sources[source_index];
    UNIT_ASSERT(source_index < memd->source_count && source->taken_pages <= source->total_pages);
    return source->total_pages - source->taken_pages;
}

uint32_t memd_source_with(const struct memd *memd, uint64_t pages)
{
    uint32_t index = 0;
    while (index < memd->source_count && memd_source_left(memd, index) < pages)
        index++;
    return index;
}

/* --- holdings: frames and untypeds ----------------------------------------------------------- */

static uint32_t place_peek(const struct memd_places *places)
{
    return places->first_free != 0 ? places->first_free - 1 : places->used_count;
}

static uint32_t place_take(struct memd_places *places, struct memd_holding *table,
                           uint32_t generation_last)
{
    uint32_t index = place_peek(places);
    UNIT_ASSERT(table[index].account == 0);
    if (places->first_free != 0)
        places->first_free = table[index].next;
    else
        places->used_count++;
    places->held_count++;
    table[index].generation = generation_of(&table[index], generation_last);
    return index;
}

static void place_give(struct memd_places *places, struct memd_holding *table, uint32_t index)
{
    UNIT_ASSERT(table[index].account != 0 && places->held_count != 0);
    table[index] =
        (struct memd_holding){.generation = table[index].generation, .next = places->first_free};
    places->first_free = index + 1;
    places->held_count--;
}

static void list_add(struct memd_holding *table, memd_link *first, uint32_t index)
{
    table[index].previous = 0;
    table[index].next = *first;
    if (*first != 0)
        table[*first - 1].previous = index + 1;
    *first = index + 1;
}

static void list_remove(struct memd_holding *table, memd_link *first, uint32_t index)
{
    struct memd_holding *holding = &table[index];
    UNIT_ASSERT(holding->previous != 0 || *first == index + 1);
    if (holding->previous != 0)
        table[holding->previous - 1].next = holding->next;
    else
        *first = holding->next;
    if (holding->next != 0)
        table[holding->next - 1].previous = holding->previous;
}

/* Every page that is taken or given back passes here, so that the sums of sources, accounts and the
 * whole agree (M1). */
static void pages_take(struct memd *memd, const struct memd_holding *holding)
{
    UNIT_ASSERT(holding->pages <= memd_source_left(memd, holding->source));
    memd->sources[holding->source].taken_pages += holding->pages;
    memd->taken_pages += holding->pages;
    memd_account_charge(memd, holding->account - 1, holding->pages);
}

static void pages_give(struct memd *memd, const struct memd_holding *holding)
{
    struct memd_source *source = &memd->sources[holding->source];
    UNIT_ASSERT(holding->pages <= source->taken_pages && holding->pages <= memd->taken_pages);
    source->taken_pages -= holding->pages;
    memd->taken_pages -= holding->pages;
    memd_account_discharge(memd, holding->account - 1, holding->pages);
}

uint32_t memd_frame_peek(const struct memd *memd, memd_link *link, uint32_t *fresh)
{
    if (*fresh == 0)
        *link = *link == 0 ? memd->frame_places.first_free : memd->frames[*link - 1].next;
    if (*link != 0)
        return *link - 1;
    UNIT_ASSERT(memd->frame_places.used_count + *fresh < memd->frame_limit);
    return memd->frame_places.used_count + (*fresh)++;
}

uint32_t memd_frame_take(struct memd *memd, uint32_t account_index, uint32_t source_index)
{
    UNIT_ASSERT(memd->frame_places.held_count < memd->frame_limit); /* E6 */
    uint32_t index = place_take(&memd->frame_places, memd->frames, MEMD_FRAME_GENERATION_LAST);
    memd->frames[index].account = account_index + 1;
    memd->frames[index].source = source_index;
    memd->frames[index].pages = 1;
    list_add(memd->frames, &memd->accounts[account_index].first_frame, index);
    pages_take(memd, &memd->frames[index]);
    return index;
}

void memd_frame_give(struct memd *memd, uint32_t frame_index)
{
    const struct memd_holding *frame = &memd->frames[frame_index];
    UNIT_ASSERT(frame->account != 0);
    pages_give(memd, frame);
    list_remove(memd->frames, &memd->accounts[frame->account - 1].first_frame, frame_index);
    place_give(&memd->frame_places, memd->frames, frame_index);
}

uint32_t memd_untyped_peek(const struct memd *memd)
{
    return place_peek(&memd->untyped_places);
}

uint32_t memd_untyped_take(struct memd *memd, uint32_t account_index, uint32_t source_index,
                           uint32_t pages)
{
    UNIT_ASSERT(memd_untyped_room(memd)); /* E6 */
    uint32_t index =
        place_take(&memd->untyped_places, memd->untypeds, MEMD_UNTYPED_GENERATION_LAST);
    struct memd_account *account = &memd->accounts[account_index];
    memd->untypeds[index].account = account_index + 1;
    memd->untypeds[index].source = source_index;
    memd->untypeds[index].pages = pages;
    list_add(memd->untypeds, &account->first_untyped, index);
    account->untyped_pages += pages;
    pages_take(memd, &memd->untypeds[index]);
    return index;
}

void memd_untyped_give(struct memd *memd, uint32_t untyped_index)
{
    const struct memd_holding *untyped = &memd->untypeds[untyped_index];
    UNIT_ASSERT(untyped->account != 0);
    struct memd_account *account = &memd->accounts[untyped->account - 1];
    UNIT_ASSERT(untyped->pages <= account->untyped_pages);
    account->untyped_pages -= untyped->pages;
    pages_give(memd, untyped);
    list_remove(memd->untypeds, &account->first_untyped, untyped_index);
    place_give(&memd->untyped_places, memd->untypeds, untyped_index);
}
