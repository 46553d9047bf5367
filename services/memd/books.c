/* SPDX-License-Identifier: ISC */
/* memd's books. Decides which place, generation and source the next object gets; never makes a call
 * and never refuses. */
#include "services/memd/internal.h"

/* --- names ----------------------------------------------------------------------------------- */

uint64_t memd_account_badge(const struct memd *memd, uint32_t account_index)
{
    UNIT_ASSERT(memd->accounts[account_index].is_open);
    return (uint64_t)memd->accounts[account_index].generation << 32 | (account_index + 1);
}

uint32_t memd_account_id(const struct memd *memd, uint32_t account_index)
{
    UNIT_ASSERT(memd->accounts[account_index].is_open);
    return memd->accounts[account_index].generation << MEMD_ACCOUNT_INDEX_BITS | account_index;
}

uint32_t memd_frame_id(const struct memd *memd, uint32_t frame_index)
{
    UNIT_ASSERT(memd->frames[frame_index].account != 0);
    return memd->frames[frame_index].generation << MEMD_FRAME_INDEX_BITS | frame_index;
}

uint32_t memd_untyped_id(const struct memd *memd, uint32_t untyped_index)
{
    UNIT_ASSERT(memd->untypeds[untyped_index].account != 0);
    return memd->untypeds[untyped_index].generation << MEMD_UNTYPED_INDEX_BITS | untyped_index;
}

memd_link memd_account_by_badge(const struct memd *memd, uint64_t badge)
{
    uint32_t link = (uint32_t)badge;
    if (link == 0 || link > memd->account_places.used_count)
        return 0;
    const struct memd_account *account = &memd->accounts[link - 1];
    return account->is_open && account->generation == badge >> 32 ? link : 0;
}

memd_link memd_account_by_id(const struct memd *memd, uint32_t account_id)
{
    uint32_t index = account_id & (MEMD_ACCOUNT_LIMIT - 1);
    const struct memd_account *account = &memd->accounts[index];
    return account->is_open && memd_account_id(memd, index) == account_id ? index + 1 : 0;
}

memd_link memd_frame_of(const struct memd *memd, uint32_t account_index, uint32_t frame_id)
{
    uint32_t index = frame_id & (MEMD_FRAME_LIMIT - 1);
    bool held = memd->frames[index].account == account_index + 1; /* M3 */
    return held && memd_frame_id(memd, index) == frame_id ? index + 1 : 0;
}

memd_link memd_untyped_of(const struct memd *memd, uint32_t account_index, uint32_t untyped_id)
{
    uint32_t index = untyped_id & (MEMD_UNTYPED_LIMIT - 1);
    bool held = memd->untypeds[index].account == account_index + 1; /* M3 */
    return held && memd_untyped_id(memd, index) == untyped_id ? index + 1 : 0;
}

/* --- what is left ---------------------------------------------------------------------------- */

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What a class may have of something that has `left` left (M7). */
static uint64_t beyond_reserve(uint32_t account_class, uint64_t left)
{
    uint64_t kept = account_class == ACCOUNT_RESERVE ? 0 : MEMD_RESERVE_PAGES;
    return left - smaller(left, kept);
}

uint64_t memd_pages_left(const struct memd *memd)
{
    UNIT_ASSERT(memd->taken_pages <= memd->total_pages); /* M1 */
    return memd->total_pages - memd->taken_pages;
}

uint64_t memd_pages_allowed(const struct memd *memd, uint32_t account_index)
{
    const struct memd_account *account = &memd->accounts[account_index];
    UNIT_ASSERT(account->is_open && account->frame_pages <= account->limit_pages &&
                account->untyped_pages <= account->limit_pages - account->frame_pages); /* M4 */
    uint64_t below_limit = account->limit_pages - account->frame_pages - account->untyped_pages;
    return smaller(below_limit, beyond_reserve(account->account_class, memd_pages_left(memd)));
}

uint32_t memd_frame_records_allowed(const struct memd *memd, uint32_t account_index)
{
    UNIT_ASSERT(memd->frame_places.held_count <= MEMD_FRAME_LIMIT); /* E6 */
    uint64_t left = MEMD_FRAME_LIMIT - memd->frame_places.held_count;
    return (uint32_t)beyond_reserve(memd->accounts[account_index].account_class, left);
}

bool memd_account_room(const struct memd *memd)
{
    return memd->account_places.first_free != 0 ||
           memd->account_places.used_count < MEMD_ACCOUNT_LIMIT;
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

/* --- accounts -------------------------------------------------------------------------------- */

uint32_t memd_account_open(struct memd *memd, uint64_t limit_pages, uint32_t account_class)
{
    struct memd_places *places = &memd->account_places;
    uint32_t index = places->used_count;
    UNIT_ASSERT(memd_account_room(memd)); /* E6 */
    if (places->first_free != 0) {
        index = places->first_free - 1;
        places->first_free = memd->accounts[index].next_free;
    } else {
        places->used_count++;
    }
    places->held_count++;
    UNIT_ASSERT(!memd->accounts[index].is_open &&
                memd->accounts[index].generation < MEMD_GENERATION_LAST); /* M3 */
    memd->accounts[index] = (struct memd_account){
        .limit_pages = limit_pages,
        .generation = memd->accounts[index].generation + 1,
        .account_class = account_class,
        .is_open = 1,
    };
    return index;
}

void memd_account_close(struct memd *memd, uint32_t account_index)
{
    struct memd_places *places = &memd->account_places;
    const struct memd_account *account = &memd->accounts[account_index];
    uint32_t generation = account->generation;
    UNIT_ASSERT(account->is_open && places->held_count != 0);
    UNIT_ASSERT(account->first_frame == 0 && account->first_untyped == 0);
    UNIT_ASSERT(account->frame_pages == 0 && account->untyped_pages == 0); /* M5 */
    memd->accounts[account_index] = (struct memd_account){.generation = generation};
    places->held_count--;
    if (generation == MEMD_GENERATION_LAST)
        return; /* its badges are used up: the place stays empty (M3) */
    memd->accounts[account_index].next_free = places->first_free;
    places->first_free = account_index + 1;
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
    uint32_t generation = table[index].generation;
    table[index].generation = generation == generation_last ? 1 : generation + 1;
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

/* Every page that is taken or given back passes here, so that the three sums agree (M1). */
static void pages_take(struct memd *memd, uint32_t source_index, uint64_t pages)
{
    UNIT_ASSERT(pages <= memd_source_left(memd, source_index));
    memd->sources[source_index].taken_pages += pages;
    memd->taken_pages += pages;
}

static void pages_give(struct memd *memd, uint32_t source_index, uint64_t pages)
{
    UNIT_ASSERT(pages <= memd->sources[source_index].taken_pages && pages <= memd->taken_pages);
    memd->sources[source_index].taken_pages -= pages;
    memd->taken_pages -= pages;
}

uint32_t memd_frame_peek(const struct memd *memd, memd_link *link, uint32_t *fresh)
{
    if (*fresh == 0)
        *link = *link == 0 ? memd->frame_places.first_free : memd->frames[*link - 1].next;
    if (*link != 0)
        return *link - 1;
    UNIT_ASSERT(memd->frame_places.used_count + *fresh < MEMD_FRAME_LIMIT);
    return memd->frame_places.used_count + (*fresh)++;
}

uint32_t memd_frame_take(struct memd *memd, uint32_t account_index, uint32_t source_index)
{
    struct memd_account *account = &memd->accounts[account_index];
    UNIT_ASSERT(account->is_open && memd->frame_places.held_count < MEMD_FRAME_LIMIT); /* E6 */
    uint32_t index = place_take(&memd->frame_places, memd->frames, MEMD_FRAME_GENERATION_LAST);
    memd->frames[index].account = account_index + 1;
    memd->frames[index].source = source_index;
    memd->frames[index].pages = 1;
    list_add(memd->frames, &account->first_frame, index);
    account->frame_pages++;
    pages_take(memd, source_index, 1);
    return index;
}

void memd_frame_give(struct memd *memd, uint32_t frame_index)
{
    UNIT_ASSERT(memd->frames[frame_index].account != 0);
    struct memd_account *account = &memd->accounts[memd->frames[frame_index].account - 1];
    UNIT_ASSERT(account->is_open && account->frame_pages != 0);
    pages_give(memd, memd->frames[frame_index].source, 1);
    account->frame_pages--;
    list_remove(memd->frames, &account->first_frame, frame_index);
    place_give(&memd->frame_places, memd->frames, frame_index);
}

uint32_t memd_untyped_peek(const struct memd *memd)
{
    return place_peek(&memd->untyped_places);
}

uint32_t memd_untyped_take(struct memd *memd, uint32_t account_index, uint32_t source_index,
                           uint32_t pages)
{
    struct memd_account *account = &memd->accounts[account_index];
    UNIT_ASSERT(account->is_open && memd_untyped_room(memd)); /* E6 */
    uint32_t index = place_take(&memd->untyped_places, memd->untypeds, MEMD_GENERATION_LAST);
    memd->untypeds[index].account = account_index + 1;
    memd->untypeds[index].source = source_index;
    memd->untypeds[index].pages = pages;
    list_add(memd->untypeds, &account->first_untyped, index);
    account->untyped_count++;
    account->untyped_pages += pages;
    pages_take(memd, source_index, pages);
    return index;
}

void memd_untyped_give(struct memd *memd, uint32_t untyped_index)
{
    const struct memd_holding untyped = memd->untypeds[untyped_index];
    UNIT_ASSERT(untyped.account != 0);
    struct memd_account *account = &memd->accounts[untyped.account - 1];
    UNIT_ASSERT(account->is_open && account->untyped_count != 0 &&
                untyped.pages <= account->untyped_pages);
    pages_give(memd, untyped.source, untyped.pages);
    account->untyped_count--;
    account->untyped_pages -= untyped.pages;
    list_remove(memd->untypeds, &account->first_untyped, untyped_index);
    place_give(&memd->untyped_places, memd->untypeds, untyped_index);
}
