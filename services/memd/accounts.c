/* SPDX-License-Identifier: ISC */
/* memd's tree of accounts. Decides who may take or promise how many pages by the one rule of
 * memd.h, and keeps claims and sums of all accounts above in step; makes no call and knows no
 * frame. */
#include "services/memd/internal.h"

/* --- names ----------------------------------------------------------------------------------- */

uint64_t memd_account_badge(const struct memd *memd, uint32_t account_index)
{
    UNIT_ASSERT(memd->accounts[account_index].key != 0);
    return (uint64_t)memd->accounts[account_index].generation << 32 | (account_index + 1);
}

bool memd_account_is_dead(const struct memd *memd, uint32_t account_index)
{
    memd_link link = account_index + 1;
    while (link != 0 && memd->accounts[link - 1].is_closing == 0)
        link = memd->accounts[link - 1].parent;
    return link != 0;
}

memd_link memd_account_by_badge(const struct memd *memd, uint64_t badge)
{
    uint32_t link = (uint32_t)badge;
    if (link == 0 || link > memd->account_places.used_count)
        return 0;
    const struct memd_account *account = &memd->accounts[link - 1];
    bool named = account->key != 0 && account->generation == badge >> 32; /* M3 */
    return named && !memd_account_is_dead(memd, link - 1) ? link : 0;
}

memd_link memd_account_by_key(const struct memd *memd, uint64_t key)
{
    return index_find(memd->key_root, memd->key_nodes, key);
}

bool memd_account_room(const struct memd *memd)
{
    return memd->account_places.first_free != 0 ||
           memd->account_places.used_count < MEMD_ACCOUNT_LIMIT;
}

/* --- the one rule ---------------------------------------------------------------------------- */

/* What an account claims for itself when it holds so many pages. */
static uint64_t own_claim(const struct memd_account *account, uint64_t held_pages)
{
    return held_pages < account->guarantee_pages ? account->guarantee_pages : held_pages;
}

enum status memd_claim_decide(const struct memd *memd, memd_link account, uint64_t pages)
{
    for (memd_link link = account; link != 0; link = memd->accounts[link - 1].parent) {
        const struct memd_account *above = &memd->accounts[link - 1];
        UNIT_ASSERT(above->claim_pages <= above->limit_pages); /* M4 */
        if (pages > above->limit_pages - above->claim_pages)
            return STATUS_OVER_LIMIT;
    }
    UNIT_ASSERT(memd->claimed_pages <= memd->total_pages); /* M8 */
    return pages > memd->total_pages - memd->claimed_pages ? STATUS_EXHAUSTED : STATUS_OK;
}

enum status memd_pages_decide(const struct memd *memd, uint32_t account_index, uint64_t pages)
{
    const struct memd_account *account = &memd->accounts[account_index];
    uint64_t held_pages;
    if (__builtin_add_overflow(account->held_pages, pages, &held_pages))
        return STATUS_OVER_LIMIT;
    uint64_t rise = own_claim(account, held_pages) - own_claim(account, account->held_pages);
    return rise == 0 ? STATUS_OK : memd_claim_decide(memd, account_index + 1, rise); /* M9 */
}

/* --- changes --------------------------------------------------------------------------------- */

static void claims_rise(struct memd *memd, memd_link account, uint64_t pages)
{
    UNIT_ASSERT(memd_claim_decide(memd, account, pages) == STATUS_OK);
    for (memd_link link = account; link != 0; link = memd->accounts[link - 1].parent)
        memd->accounts[link - 1].claim_pages += pages;
    memd->claimed_pages += pages;
}

static void claims_fall(struct memd *memd, memd_link account, uint64_t pages)
{
    for (memd_link link = account; link != 0; link = memd->accounts[link - 1].parent) {
        UNIT_ASSERT(pages <= memd->accounts[link - 1].claim_pages);
        memd->accounts[link - 1].claim_pages -= pages;
    }
    UNIT_ASSERT(pages <= memd->claimed_pages);
    memd->claimed_pages -= pages;
}

void memd_account_charge(struct memd *memd, uint32_t account_index, uint64_t pages)
{
    struct memd_account *account = &memd->accounts[account_index];
    uint64_t before = own_claim(account, account->held_pages);
    account->held_pages += pages;
    uint64_t rise = own_claim(account, account->held_pages) - before;
    if (rise != 0)
        claims_rise(memd, account_index + 1, rise);
    for (memd_link link = account_index + 1; link != 0; link = memd->accounts[link - 1].parent)
        memd->accounts[link - 1].tree_pages += pages;
}

void memd_account_discharge(struct memd *memd, uint32_t account_index, uint64_t pages)
{
    struct memd_account *account = &memd->accounts[account_index];
    UNIT_ASSERT(pages <= account->held_pages); /* M5 */
    uint64_t before = own_claim(account, account->held_pages);
    account->held_pages -= pages;
    uint64_t fall = before - own_claim(account, account->held_pages);
    if (fall != 0)
        claims_fall(memd, account_index + 1, fall);
    for (memd_link link = account_index + 1; link != 0; link = memd->accounts[link - 1].parent)
        memd->accounts[link - 1].tree_pages -= pages;
}

static uint32_t place_take(struct memd *memd)
{
    struct memd_places *places = &memd->account_places;
    uint32_t index = places->used_count;
    UNIT_ASSERT(memd_account_room(memd)); /* E6 */
    if (places->first_free != 0) {
        index = places->first_free - 1;
        places->first_free = memd->accounts[index].next;
    } else {
        places->used_count++;
    }
    places->held_count++;
    UNIT_ASSERT(memd->accounts[index].key == 0 &&
                memd->accounts[index].generation < MEMD_ACCOUNT_GENERATION_LAST); /* M3 */
    return index;
}

static void place_give(struct memd *memd, uint32_t index)
{
    struct memd_places *places = &memd->account_places;
    uint32_t generation = memd->accounts[index].generation;
    UNIT_ASSERT(places->held_count != 0);
    memd->accounts[index] = (struct memd_account){.generation = generation};
    places->held_count--;
    if (generation == MEMD_ACCOUNT_GENERATION_LAST)
        return; /* its badges are used up: the place stays empty (M3) */
    memd->accounts[index].next = places->first_free;
    places->first_free = index + 1;
}

/* Hangs the account into its parent's list, or takes it out; those above count one more, or
 * less. */
static void child_add(struct memd *memd, uint32_t index)
{
    memd_link parent = memd->accounts[index].parent;
    if (parent == 0)
        return;
    memd_link *first = &memd->accounts[parent - 1].first_child;
    memd->accounts[index].next = *first;
    if (*first != 0)
        memd->accounts[*first - 1].previous = index + 1;
    *first = index + 1;
    for (memd_link link = parent; link != 0; link = memd->accounts[link - 1].parent)
        memd->accounts[link - 1].tree_count++;
}

static void child_remove(struct memd *memd, uint32_t index)
{
    const struct memd_account *account = &memd->accounts[index];
    if (account->parent == 0)
        return;
    if (account->previous != 0)
        memd->accounts[account->previous - 1].next = account->next;
    else
        memd->accounts[account->parent - 1].first_child = account->next;
    if (account->next != 0)
        memd->accounts[account->next - 1].previous = account->previous;
    for (memd_link link = account->parent; link != 0; link = memd->accounts[link - 1].parent)
        memd->accounts[link - 1].tree_count--;
}

uint32_t memd_account_open(struct memd *memd, const struct memd_open_account_request *request,
                           memd_link parent)
{
    UNIT_ASSERT(request->key != 0 && request->guarantee_pages <= request->limit_pages);
    uint32_t depth = parent == 0 ? 1 : memd->accounts[parent - 1].depth + 1;
    UNIT_ASSERT(depth <= MEMD_DEPTH_LIMIT);
    claims_rise(memd, parent, request->guarantee_pages);
    uint32_t index = place_take(memd);
    memd->accounts[index] = (struct memd_account){
        .key = request->key,
        .guarantee_pages = request->guarantee_pages,
        .limit_pages = request->limit_pages,
        .claim_pages = request->guarantee_pages,
        .tree_count = 1,
        .generation = memd->accounts[index].generation + 1,
        .depth = depth,
        .parent = parent,
    };
    child_add(memd, index);
    index_add(&memd->key_root, memd->key_nodes, index + 1, request->key);
    return index;
}

void memd_account_remove(struct memd *memd, uint32_t account_index)
{
    const struct memd_account *account = &memd->accounts[account_index];
    UNIT_ASSERT(account->key != 0 && account->first_child == 0 && account->tree_count == 1);
    UNIT_ASSERT(account->first_frame == 0 && account->first_untyped == 0);
    UNIT_ASSERT(account->tree_pages == 0 && account->held_pages == 0 &&
                account->untyped_pages == 0); /* M5 */
    claims_fall(memd, account->parent, account->guarantee_pages);
    child_remove(memd, account_index);
    index_remove(&memd->key_root, memd->key_nodes, account_index + 1);
    place_give(memd, account_index);
}
