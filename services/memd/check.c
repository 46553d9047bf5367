/* SPDX-License-Identifier: ISC */
/* Walks memd's whole state: do the books agree with themselves, and what is in them. Decides
 * nothing and changes nothing. */
#include "services/memd/internal.h"

#include <stddef.h>

/* --- the lists ------------------------------------------------------------------------------- */

/* A table of holdings: each place below used_count is held or free, and in exactly the list it
 * belongs to. */
static bool places_agree(const struct memd_places *places, const struct memd_holding *table,
                         uint32_t limit)
{
    uint32_t held = 0;
    uint32_t free_count = 0;
    if (places->used_count > limit)
        return false;
    for (uint32_t i = 0; i < places->used_count; i++)
        held += table[i].account != 0;
    for (memd_link link = places->first_free; link != 0; link = table[link - 1].next) {
        if (link > places->used_count || table[link - 1].account != 0 || free_count > limit)
            return false;
        free_count++;
    }
    return held == places->held_count && held + free_count == places->used_count;
}

/* The list of what one account holds: linked both ways, all its own; sums up into *count,
 * *pages. */
static bool list_agrees(const struct memd_holding *table, uint32_t limit, memd_link first,
                        uint32_t account_index, uint64_t *count, uint64_t *pages)
{
    memd_link previous = 0;
    *count = 0;
    *pages = 0;
    for (memd_link link = first; link != 0; link = table[link - 1].next) {
        if (link > limit || *count >= limit)
            return false;
        const struct memd_holding *holding = &table[link - 1];
        if (holding->account != account_index + 1 || holding->previous != previous ||
            holding->pages == 0 || holding->generation == 0)
            return false;
        previous = link;
        *count += 1;
        *pages += holding->pages;
    }
    return true;
}

/* --- accounts -------------------------------------------------------------------------------- */

struct sums {
    uint64_t pages;
    uint64_t frames;
    uint64_t untypeds;
    uint64_t open;
    uint64_t claims; /* of the accounts at the top */
};

/* What the accounts directly below one add up to. Each of them is checked in the same way, so that
 * claims and sums of the whole tree are right when every account's agree with those below it. */
struct below {
    uint64_t claim_pages;
    uint64_t tree_pages;
    uint64_t tree_count;
};

/* The children of an account: linked both ways, all its own, one deeper. */
static bool children_agree(const struct memd *memd, uint32_t index, struct below *below)
{
    const struct memd_account *account = &memd->accounts[index];
    memd_link previous = 0;
    uint32_t count = 0;
    *below = (struct below){0};
    for (memd_link link = account->first_child; link != 0; link = memd->accounts[link - 1].next) {
        if (link > memd->account_places.used_count || count++ > MEMD_ACCOUNT_LIMIT)
            return false;
        const struct memd_account *child = &memd->accounts[link - 1];
        if (child->key == 0 || child->parent != index + 1 || child->previous != previous ||
            child->depth != account->depth + 1)
            return false;
        if (__builtin_add_overflow(below->claim_pages, child->claim_pages, &below->claim_pages))
            return false;
        previous = link;
        below->tree_pages += child->tree_pages;
        below->tree_count += child->tree_count;
    }
    return true;
}

/* Claim and sums of an account, from scratch (M8). */
static bool claim_agrees(const struct memd *memd, uint32_t index)
{
    const struct memd_account *account = &memd->accounts[index];
    struct below below;
    uint64_t own = account->held_pages > account->guarantee_pages ? account->held_pages
                                                                  : account->guarantee_pages;
    uint64_t claim;
    if (!children_agree(memd, index, &below) ||
        __builtin_add_overflow(own, below.claim_pages, &claim))
        return false;
    bool top = account->parent == 0;
    bool inside = top || account->limit_pages <= memd->accounts[account->parent - 1].limit_pages;
    return claim == account->claim_pages && inside && (account->depth == 1) == top &&
           account->depth <= MEMD_DEPTH_LIMIT && account->guarantee_pages <= account->limit_pages &&
           account->tree_pages == account->held_pages + below.tree_pages &&
           account->tree_count == 1 + below.tree_count;
}

/* The lists of what one account holds, and their sums. */
static const char *holdings_check(const struct memd *memd, uint32_t index, struct sums *sums)
{
    const struct memd_account *account = &memd->accounts[index];
    uint64_t frames, frame_pages, untypeds, untyped_pages;
    if (!list_agrees(memd->frames, memd->frame_limit, account->first_frame, index, &frames,
                     &frame_pages) ||
        !list_agrees(memd->untypeds, MEMD_UNTYPED_LIMIT, account->first_untyped, index, &untypeds,
                     &untyped_pages))
        return "M3";
    if (frames != frame_pages || untyped_pages != account->untyped_pages ||
        frame_pages + untyped_pages != account->held_pages)
        return "M1";
    sums->pages += frame_pages + untyped_pages;
    sums->frames += frames;
    sums->untypeds += untypeds;
    return NULL;
}

static const char *account_check(const struct memd *memd, uint32_t index, struct sums *sums)
{
    const struct memd_account *account = &memd->accounts[index];
    if (account->key == 0) {
        bool empty = account->first_frame == 0 && account->first_untyped == 0 &&
                     account->held_pages == 0 && account->tree_count == 0;
        return empty ? NULL : "M5";
    }
    if (account->claim_pages > account->limit_pages)
        return "M4";
    if (account->parent > memd->account_places.used_count || !claim_agrees(memd, index))
        return "M8";
    if (account->generation == 0 || account->generation > MEMD_ACCOUNT_GENERATION_LAST ||
        index_find(memd->key_root, memd->key_nodes, account->key) != index + 1)
        return "M3";
    sums->open++;
    if (account->parent == 0)
        sums->claims += account->claim_pages;
    return holdings_check(memd, index, sums);
}

/* Every place is open, free, or used up. */
static bool account_places_agree(const struct memd *memd)
{
    const struct memd_places *places = &memd->account_places;
    uint32_t others = 0; /* open or used up */
    uint32_t free_count = 0;
    if (places->used_count > MEMD_ACCOUNT_LIMIT)
        return false;
    for (uint32_t i = 0; i < places->used_count; i++)
        others += memd->accounts[i].key != 0 ||
                  memd->accounts[i].generation == MEMD_ACCOUNT_GENERATION_LAST;
    for (memd_link link = places->first_free; link != 0; link = memd->accounts[link - 1].next) {
        if (link > places->used_count || memd->accounts[link - 1].key != 0 ||
            free_count > MEMD_ACCOUNT_LIMIT)
            return false;
        free_count++;
    }
    return others + free_count == places->used_count &&
           index_check(memd->key_root, memd->key_nodes, places->held_count, places->used_count);
}

/* --- sources --------------------------------------------------------------------------------- */

/* What the sources have, as far as there are records for it, and what is taken from them are the
 * sums that the books state (M1). */
static bool sources_agree(const struct memd *memd)
{
    uint64_t total = 0;
    uint64_t taken = 0;
    for (uint32_t i = 0; i < memd->source_count; i++) {
        if (memd->sources[i].taken_pages > memd->sources[i].total_pages)
            return false;
        total += memd->sources[i].total_pages;
        taken += memd->sources[i].taken_pages;
    }
    uint64_t usable = total < memd->frame_limit ? total : memd->frame_limit;
    return usable == memd->total_pages && taken == memd->taken_pages;
}

/* What is held of each source is what it says. */
static bool source_holdings_agree(const struct memd *memd)
{
    uint64_t held[SLOT_UNTYPED_COUNT] = {0};
    for (uint32_t i = 0; i < memd->frame_places.used_count; i++)
        if (memd->frames[i].account != 0)
            held[memd->frames[i].source % SLOT_UNTYPED_COUNT] += 1;
    for (uint32_t i = 0; i < memd->untyped_places.used_count; i++)
        if (memd->untypeds[i].account != 0)
            held[memd->untypeds[i].source % SLOT_UNTYPED_COUNT] += memd->untypeds[i].pages;
    for (uint32_t i = 0; i < SLOT_UNTYPED_COUNT; i++)
        if (held[i] != memd->sources[i].taken_pages)
            return false;
    return true;
}

/* M2: sources are start-up slots; all that is handed out lies above them by its place. */
static bool sources_allowed(const struct memd *memd)
{
    if (memd->source_count > SLOT_UNTYPED_COUNT)
        return false;
    for (uint32_t i = 0; i < memd->source_count; i++)
        if (memd->sources[i].slot < SLOT_UNTYPED_BASE ||
            memd->sources[i].slot >= SLOT_UNTYPED_BASE + SLOT_UNTYPED_COUNT)
            return false;
    return true;
}

const char *memd_check(const struct memd *memd)
{
    struct sums sums = {0};
    if (!sources_allowed(memd))
        return "M2";
    if (!sources_agree(memd) || !source_holdings_agree(memd))
        return "M1";
    if (!places_agree(&memd->frame_places, memd->frames, memd->frame_limit) ||
        !places_agree(&memd->untyped_places, memd->untypeds, MEMD_UNTYPED_LIMIT) ||
        !account_places_agree(memd))
        return "E6";
    for (uint32_t i = 0; i < memd->account_places.used_count; i++) {
        const char *broken = account_check(memd, i, &sums);
        if (broken != NULL)
            return broken;
    }
    if (sums.claims != memd->claimed_pages || sums.claims > memd->total_pages)
        return "M8";
    bool agree = sums.pages == memd->taken_pages && sums.frames == memd->frame_places.held_count &&
                 sums.untypeds == memd->untyped_places.held_count &&
                 sums.open == memd->account_places.held_count;
    return agree ? NULL : "M1";
}

/* --- fields ---------------------------------------------------------------------------------- */

static void visit_places(const struct memd_places *places, void (*visit)(void *, uint64_t),
                         void *context)
{
    visit(context, places->first_free);
    visit(context, places->used_count);
    visit(context, places->held_count);
}

static void visit_holdings(const struct memd_places *places, const struct memd_holding *table,
                           void (*visit)(void *, uint64_t), void *context)
{
    for (uint32_t i = 0; i < places->used_count; i++) {
        visit(context, (uint64_t)table[i].generation << 32 | table[i].account);
        visit(context, (uint64_t)table[i].next << 32 | table[i].previous);
        visit(context, (uint64_t)table[i].source << 32 | table[i].pages);
    }
}

static void visit_account(const struct memd_account *account, void (*visit)(void *, uint64_t),
                          void *context)
{
    visit(context, account->key);
    visit(context, account->guarantee_pages);
    visit(context, account->limit_pages);
    visit(context, account->claim_pages);
    visit(context, account->held_pages);
    visit(context, account->untyped_pages);
    visit(context, account->tree_pages);
    visit(context, (uint64_t)account->tree_count << 32 | account->generation);
    visit(context, (uint64_t)account->depth << 32 | account->is_closing);
    visit(context, (uint64_t)account->parent << 32 | account->first_child);
    visit(context, (uint64_t)account->next << 32 | account->previous);
    visit(context, (uint64_t)account->first_frame << 32 | account->first_untyped);
}

void memd_visit_fields(const struct memd *memd, void (*visit)(void *context, uint64_t value),
                       void *context)
{
    for (uint32_t i = 0; i < memd->source_count; i++) {
        visit(context, memd->sources[i].slot);
        visit(context, memd->sources[i].total_pages);
        visit(context, memd->sources[i].taken_pages);
    }
    visit(context, memd->taken_pages);
    visit(context, memd->claimed_pages);
    visit_places(&memd->account_places, visit, context);
    visit_places(&memd->frame_places, visit, context);
    visit_places(&memd->untyped_places, visit, context);
    for (uint32_t i = 0; i < memd->account_places.used_count; i++)
        visit_account(&memd->accounts[i], visit, context);
    visit_holdings(&memd->frame_places, memd->frames, visit, context);
    visit_holdings(&memd->untyped_places, memd->untypeds, visit, context);
}
