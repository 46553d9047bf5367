/* SPDX-License-Identifier: ISC */
/* Draws requests for memd's life: most name what exists and ask for what is there. Decides nothing
 * about what is right: the model does. */
#include "abi/roles.h"
#include "fuzz/life/memd_life.h"

static uint64_t some_badge(struct choices *choices)
{
    uint64_t which = choices_below(choices, model.account_count + 2);
    if (which >= model.account_count && model.account_count != 0 && life_avoids_strangers(choices))
        which = choices_below(choices, model.account_count);
    if (which < model.account_count)
        return model.accounts[which].badge; /* closed ones too: stale badges */
    return which == model.account_count ? ROLE_PAGERD : choices_u64(choices);
}

static uint32_t some_id(struct choices *choices, bool untyped)
{
    uint64_t how = choices_below(choices, 16);
    if (how == 0 && life.stale_count != 0)
        return (uint32_t)life.stale[choices_below(choices, life.stale_count) % STALE_LIMIT];
    if (how == 1 && !life_avoids_strangers(choices))
        return choices_u32(choices) | 1;
    uint64_t skip = choices_below(choices, 64);
    uint32_t id = 1;
    for (uint32_t i = 0; i < model.holding_count; i++) {
        if (model.holdings[i].untyped != untyped || !model.holdings[i].named)
            continue;
        id = model.holdings[i].id;
        if (skip-- == 0)
            break;
    }
    return id;
}

/* The badge whose holding that is, so that most FREEs can be right. */
static uint64_t holder_of(uint32_t id, bool untyped)
{
    for (uint32_t i = 0; i < model.holding_count; i++)
        if (model.holdings[i].untyped == untyped && model.holdings[i].id == id)
            return model.accounts[model.holdings[i].account].badge;
    return 0;
}

/* Mostly: different frames of one account. */
static void name_different(struct memd_free_frames_request *request, uint64_t badge)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model.holding_count && count < request->count; i++)
        if (!model.holdings[i].untyped && model.accounts[model.holdings[i].account].badge == badge)
            request->frame_ids[count++].frame_id = model.holdings[i].id;
    request->count = count == 0 ? 1 : count;
}

/* Mostly a new key, and then often the next number; else one that was used. */
static uint64_t some_key(struct choices *choices)
{
    uint64_t how = choices_below(choices, 8);
    if (how == 0)
        return choices_u64(choices) | 1;
    if (how == 1 && model.account_count != 0)
        return model.accounts[choices_below(choices, model.account_count)].key;
    return model.account_count + 1;
}

static uint64_t some_pages(struct choices *choices)
{
    static const uint64_t pages[] = {1000, 8, 0, 1, 3, 64, UINT64_MAX, UINT64_MAX - 1};
    uint64_t which = choices_below(choices, 9);
    return which < 8 ? pages[which] : choices_u64(choices);
}

/* Mostly within the parent's limit, with a guarantee that is there. */
void draw_open_account(struct choices *choices, struct life_draft *draft)
{
    struct memd_open_account_request *request = (void *)draft->body;
    uint64_t parent = choices_below(choices, 2 * (uint64_t)model.account_count + 2);
    request->key = some_key(choices);
    request->limit_pages = some_pages(choices);
    request->guarantee_pages = choices_below(choices, 16);
    draft->badge = 0;
    if (parent < model.account_count) {
        const struct model_memd_account *above = &model.accounts[parent];
        request->parent_key = above->key;
        if (request->limit_pages > above->limit_pages && choices_below(choices, 8) != 0)
            request->limit_pages = above->limit_pages;
    } else if (parent == model.account_count) {
        request->parent_key = choices_u64(choices);
    }
    uint64_t how = choices_below(choices, 16);
    if (how == 0)
        request->guarantee_pages = some_pages(choices);
    else if (request->guarantee_pages > request->limit_pages)
        request->guarantee_pages = request->limit_pages;
    if (how == 1 && model.account_count != 0) { /* asked again, or nearly */
        const struct model_memd_account *again =
            &model.accounts[choices_below(choices, model.account_count)];
        request->key = again->key;
        request->parent_key =
            again->parent == MODEL_MEMD_NO_PARENT ? 0 : model.accounts[again->parent].key;
        request->guarantee_pages = again->guarantee_pages;
        request->limit_pages = again->limit_pages - (choices_below(choices, 4) == 0);
    }
}

void draw_close_account(struct choices *choices, struct life_draft *draft)
{
    struct memd_close_account_request *request = (void *)draft->body;
    uint64_t which = choices_below(choices, model.account_count + 1);
    request->key =
        which < model.account_count ? model.accounts[which].key : choices_u64(choices) | 1;
    draft->badge = 0;
}

void draw_alloc_frames(struct choices *choices, struct life_draft *draft)
{
    struct memd_alloc_frames_request *request = (void *)draft->body;
    request->count = (uint32_t)choices_between(choices, 1, MEMD_ALLOC_FRAMES_MAX);
}

void draw_free_frames(struct choices *choices, struct life_draft *draft)
{
    struct memd_free_frames_request *request = (void *)draft->body;
    request->count = (uint32_t)choices_between(choices, 1, 6);
    request->frame_ids[0].frame_id = some_id(choices, false);
    draft->badge = holder_of(request->frame_ids[0].frame_id, false);
    uint64_t how = choices_below(choices, 8);
    for (uint32_t i = 1; i < request->count; i++)
        request->frame_ids[i].frame_id = some_id(choices, false);
    if (how != 0)
        name_different(request, draft->badge);
}

void draw_alloc_untyped(struct choices *choices, struct life_draft *draft)
{
    struct memd_alloc_untyped_request *request = (void *)draft->body;
    request->pages = (uint32_t)choices_between(choices, 1, 80);
}

void draw_free_untyped(struct choices *choices, struct life_draft *draft)
{
    struct memd_free_untyped_request *request = (void *)draft->body;
    request->untyped_id = some_id(choices, true);
    draft->badge = holder_of(request->untyped_id, true);
}

void draw_query_memory(struct choices *choices, struct life_draft *draft)
{
    (void)choices;
    draft->badge = 0;
}

void draw_list_accounts(struct choices *choices, struct life_draft *draft)
{
    draw_close_account(choices, draft); /* a key */
    draft->badge = choices_flag(choices) ? ROLE_CONSOLE : 0;
}

static bool has_holding(bool untyped)
{
    for (uint32_t i = 0; i < model.holding_count; i++)
        if (model.holdings[i].untyped == untyped && model.holdings[i].named)
            return true;
    return false;
}

/* What nobody could be granted yet gives way to what has to come before it. */
static uint16_t possible(uint16_t operation)
{
    bool of_account = operation != OP_MEMD_OPEN_ACCOUNT && operation != OP_MEMD_QUERY_MEMORY;
    if (of_account && model.account_count == 0)
        return OP_MEMD_OPEN_ACCOUNT;
    if (operation == OP_MEMD_FREE_FRAMES && !has_holding(false))
        return OP_MEMD_ALLOC_FRAMES;
    if (operation == OP_MEMD_FREE_UNTYPED && !has_holding(true))
        return OP_MEMD_ALLOC_UNTYPED;
    return operation;
}

void memd_life_generate(struct choices *choices, struct message *request)
{
    struct life_draft draft;
    life_draw_operation(&memd_life_language, choices, &draft);
    if (possible(draft.operation) != draft.operation && life_avoids_strangers(choices)) {
        draft.operation = possible(draft.operation);
        draft.row = life_operation_of(&memd_life_language, draft.operation);
    }
    uint64_t oddity = choices_below(choices, 16);
    draft.badge = some_badge(choices);
    life_draw_body(&memd_life_language, choices, &draft);
    life_draft_message(&memd_life_language, &draft, request);
    if (oddity == 0 && !life_avoids_strangers(choices))
        request->header.badge = some_badge(choices);
    life_make_odd(choices, oddity, request);
}
