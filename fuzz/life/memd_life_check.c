/* SPDX-License-Identifier: ISC */
/* What memd's life compares after each message, and what the model learns: from replies, and from
 * the stand-in's books where no reply told. */
#include "abi/roles.h"
#include "fuzz/life/memd_life.h"

#include <string.h>

#include "abi/codec.h"

/* --- names: each is new, and none comes back (M3) --- */

enum { NAME_BADGE, NAME_FRAME, NAME_UNTYPED };

static void name_died(uint64_t sort, uint64_t name)
{
    life.stale[life.stale_count++ % STALE_LIMIT] = sort << 60 | name;
}

static void name_is_new(uint64_t sort, uint64_t name)
{
    uint32_t known = life.stale_count < STALE_LIMIT ? life.stale_count : (uint32_t)STALE_LIMIT;
    for (uint32_t i = 0; i < known; i++)
        PROPERTY(M3, life.stale[i] != (sort << 60 | name));
    for (uint32_t i = 0; i < model.holding_count; i++) {
        const struct model_memd_holding *holding = &model.holdings[i];
        bool same_sort = sort == (holding->untyped ? NAME_UNTYPED : NAME_FRAME);
        PROPERTY(M3, !same_sort || !holding->named || holding->id != name);
    }
    for (uint32_t i = 0; i < model.account_count; i++) {
        const struct model_memd_account *account = &model.accounts[i];
        PROPERTY(M3,
                 sort != NAME_BADGE || !account->open || !account->named || account->badge != name);
    }
}

/* --- what a reply told --- */

void learn_account(void)
{
    struct memd_open_account_reply reply;
    struct model_memd_account *account = &model.accounts[life.answer.account];
    const struct stand_in_reply *lost = stand_in_reply_lost();
    const struct message *told = lost != NULL ? &lost->message : stand_in_reply();
    const struct stand_in_cap *cap = lost != NULL ? lost->caps : stand_in_reply_caps();
    PROPERTY_EQUAL(E5, reply_decode(&memd_open_account_reply_type, told, &reply), STATUS_OK);
    PROPERTY_EQUAL(M3, cap->object_type, OBJECT_ENDPOINT);
    PROPERTY_EQUAL(K1, cap->rights, RIGHT_SEND | RIGHT_TRANSFER);
    PROPERTY(M3, cap->object == ROLE_MEMD && cap->badge > ROLE_ID_MAX);
    PROPERTY(M3, cap->badge != BADGE_KERNEL);
    if (account->named)
        PROPERTY_EQUAL(M3, cap->badge, account->badge); /* asked again */
    else
        name_is_new(NAME_BADGE, cap->badge);
    account->named = true;
    account->badge = cap->badge;
}

/* An id says place and generation (memd.h). */
static void holding_named(bool untyped, uint32_t id)
{
    uint32_t bits = untyped ? MEMD_UNTYPED_INDEX_BITS : MEMD_FRAME_INDEX_BITS;
    uint32_t place = id & ((1u << bits) - 1);
    HARNESS(place < LIFE_PLACE_LIMIT);
    (untyped ? life.untyped_generations : life.frame_generations)[place] = id >> bits;
}

/* One frame or untyped: of the predicted source, zeroed, nobody else's, with the rights of the
 * row. */
static void learn_holding(struct model_memd_holding *holding, uint32_t id,
                          const struct stand_in_cap *cap)
{
    uint32_t frame_rights = RIGHTS_MAPPING | RIGHT_MAP | RIGHT_TRANSFER;
    PROPERTY_EQUAL(M1, cap->object_type, holding->untyped ? OBJECT_UNTYPED : OBJECT_FRAME);
    PROPERTY_EQUAL(K1, cap->rights,
                   holding->untyped ? RIGHT_CONTROL | RIGHT_TRANSFER : frame_rights);
    for (uint32_t i = 0; i < model.holding_count; i++) {
        const struct model_memd_holding *other = &model.holdings[i];
        PROPERTY(M1, other == holding || other->untyped != holding->untyped || !other->named ||
                         other->object != cap->object);
    }
    uint32_t source = life.source_objects[holding->source];
    if (holding->untyped) {
        PROPERTY_EQUAL(M2, stand_in_untyped(cap->object)->parent, source);
        PROPERTY_EQUAL(M1, stand_in_untyped(cap->object)->total_pages, holding->pages);
        name_is_new(NAME_UNTYPED, id);
    } else {
        PROPERTY_EQUAL(M2, stand_in_frame(cap->object)->untyped, source);
        PROPERTY_EQUAL(K2, stand_in_frame(cap->object)->content, 0);
        stand_in_frame_dirty(cap->object);
        name_is_new(NAME_FRAME, id);
    }
    holding_named(holding->untyped, id);
    holding->named = true;
    holding->id = id;
    holding->object = cap->object;
}

void learn_frames(void)
{
    struct memd_alloc_frames_reply reply;
    uint32_t count = life.answer.new_count;
    PROPERTY_EQUAL(E5, reply_decode(&memd_alloc_frames_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    PROPERTY_EQUAL(M4, reply.count, count);
    PROPERTY_EQUAL(M4, stand_in_reply()->header.cap_count, count);
    for (uint32_t i = 0; i < MEMD_ALLOC_FRAMES_MAX; i++)
        PROPERTY(M4, (reply.frame_ids[i] != 0) == (i < count));
    for (uint32_t i = 0; i < count; i++)
        learn_holding(&model.holdings[model.holding_count - count + i], reply.frame_ids[i],
                      &stand_in_reply_caps()[i]);
}

void learn_untyped(void)
{
    struct memd_alloc_untyped_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&memd_alloc_untyped_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    learn_holding(&model.holdings[model.holding_count - 1], reply.untyped_id,
                  stand_in_reply_caps());
}

static uint32_t source_of(uint32_t object)
{
    uint32_t source = 0;
    while (source < model.source_count && life.source_objects[source] != object)
        source++;
    return source;
}

static bool is_known(bool untyped, uint32_t object)
{
    for (uint32_t i = 0; i < model.holding_count; i++)
        if (model.holdings[i].untyped == untyped && model.holdings[i].object == object)
            return true;
    return false;
}

/* What is in the place now. No later one has the generation of an earlier one (M3); what was undone
 * beside it used up generations of which nobody was told. */
static uint32_t generation_of_stuck(bool untyped, uint32_t place)
{
    uint32_t *last = (untyped ? life.untyped_generations : life.frame_generations) + place;
    uint32_t generation = (untyped ? memd.untypeds : memd.frames)[place].generation;
    PROPERTY(M3, "stuck", generation > *last);
    *last = generation;
    return generation;
}

/* The kernel knows what is left. */
static uint32_t learn_stuck(bool untyped, uint64_t badge)
{
    uint32_t base = untyped ? MEMD_UNTYPED_SLOT_BASE : MEMD_FRAME_SLOT_BASE;
    uint32_t bits = untyped ? MEMD_UNTYPED_INDEX_BITS : MEMD_FRAME_INDEX_BITS;
    uint32_t count = 0;
    for (uint32_t place = 0; place < LIFE_PLACE_LIMIT; place++) {
        struct stand_in_cap cap = stand_in_at(base + place);
        if (cap.object_type == OBJECT_NONE || is_known(untyped, cap.object))
            continue;
        uint32_t source =
            untyped ? stand_in_untyped(cap.object)->parent : stand_in_frame(cap.object)->untyped;
        struct model_memd_holding holding = {
            .untyped = untyped,
            .named = true,
            .id = generation_of_stuck(untyped, place) << bits | place,
            .source = source_of(source),
            .pages = untyped ? (uint32_t)stand_in_untyped(cap.object)->total_pages : 1,
            .object = cap.object,
        };
        model_memd_stuck(&model, badge, &holding);
        count++;
    }
    return count;
}

void memd_life_learn_stuck(uint64_t badge)
{
    uint32_t count = learn_stuck(false, badge);
    PROPERTY_EQUAL(M1, "stuck", count + learn_stuck(true, badge), life.answer.stuck_count);
}

/* --- what a reply states --- */

void compare_close_account(void)
{
    struct memd_close_account_reply closed;
    PROPERTY_EQUAL(E5, reply_decode(&memd_close_account_reply_type, stand_in_reply(), &closed),
                   STATUS_OK);
    PROPERTY_EQUAL(M5, closed.released_pages, life.answer.close.released_pages);
    PROPERTY_EQUAL(M5, closed.left_pages, life.answer.close.left_pages);
    PROPERTY_EQUAL(M5, closed.left_accounts, life.answer.close.left_accounts);
}

void compare_query_account(void)
{
    struct memd_query_account_reply account;
    PROPERTY_EQUAL(E5, reply_decode(&memd_query_account_reply_type, stand_in_reply(), &account),
                   STATUS_OK);
    PROPERTY(M1, memcmp(&account, &life.answer.query, sizeof account) == 0);
}

void compare_query_memory(void)
{
    struct memd_query_memory_reply memory;
    PROPERTY_EQUAL(E5, reply_decode(&memd_query_memory_reply_type, stand_in_reply(), &memory),
                   STATUS_OK);
    PROPERTY(M1, memcmp(&memory, &life.answer.memory, sizeof memory) == 0);
    PROPERTY_EQUAL(M1, memory.total_pages,
                   memory.free_pages + memory.reserve_pages + memory.handed_out_pages);
}

void compare_list_accounts(void)
{
    struct memd_list_accounts_reply account;
    PROPERTY_EQUAL(E5, reply_decode(&memd_list_accounts_reply_type, stand_in_reply(), &account),
                   STATUS_OK);
    PROPERTY(M1, memcmp(&account, &life.answer.list, sizeof account) == 0);
}

/* --- everything --- */

/* Asks what accounts hold, not what memd said: the pages are there, and one of them was promised. */
void memd_life_refused(const struct message *request)
{
    const struct model_memd_account *account = model_memd_account(&model, request->header.badge);
    struct memd_alloc_frames_request frames;
    struct memd_alloc_untyped_request untyped;
    uint64_t pages = 0;
    if (account == NULL)
        return;
    if (request->header.operation == OP_MEMD_ALLOC_FRAMES &&
        message_decode(&memd_alloc_frames_request_type, request, &frames) == STATUS_OK)
        pages = frames.count;
    if (request->header.operation == OP_MEMD_ALLOC_UNTYPED && model.source_count == 1 &&
        message_decode(&memd_alloc_untyped_request_type, request, &untyped) == STATUS_OK)
        pages = untyped.pages;
    uint64_t held = model_memd_held(&model, (uint32_t)(account - model.accounts));
    PROPERTY(M9, pages == 0 || held + pages > account->guarantee_pages);
}

static uint64_t guarantees(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < model.account_count; i++)
        sum += model.accounts[i].open ? model.accounts[i].guarantee_pages : 0;
    return sum;
}

void memd_life_check(void)
{
    if (!oracle_due())
        return;
    life_check(memd_check(&memd));
    uint32_t frames = model_memd_count(&model, false);
    uint32_t untypeds = model_memd_count(&model, true);
    PROPERTY_EQUAL(M1, stand_in_frame_count(), frames);
    PROPERTY_EQUAL(M1, memd.taken_pages, model_memd_taken(&model));
    uint64_t free_pages = 0;
    for (uint32_t i = 0; i < model.source_count; i++) {
        uint64_t pool = stand_in_untyped(life.source_objects[i])->free_pages;
        PROPERTY_EQUAL(M1, pool, model.total_pages[i] - model.taken_pages[i]);
        free_pages += pool;
    }
    PROPERTY(M7, model_memd_reserve(&model) <= free_pages);
    PROPERTY(M7, model_memd_reserve(&model) <= life.frame_limit - frames);
    PROPERTY(M8, guarantees() <= free_pages + model_memd_taken(&model));
    for (uint32_t i = 0; i < model.holding_count; i++) {
        const struct model_memd_holding *holding = &model.holdings[i];
        bool live = holding->untyped ? stand_in_untyped(holding->object)->live
                                     : stand_in_frame(holding->object)->live;
        PROPERTY(M1, live);
    }
    PROPERTY_EQUAL(M2, stand_in_slot_count_below(SLOT_DYNAMIC_BASE), life_now.startup_slots);
    PROPERTY_EQUAL(M1, stand_in_slot_count(), life_now.startup_slots + frames + untypeds);
}

uint64_t memd_life_digest(void)
{
    uint64_t sum = 0;
    memd_visit_fields(&memd, life_digest_visit, &sum);
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

unsigned memd_life_state(const struct message *request)
{
    uint64_t badge = request->header.badge;
    const struct model_memd_account *account = model_memd_account(&model, badge);
    unsigned state = badge == 0 ? 0 : account != NULL ? 1 : badge > ROLE_ID_MAX ? 2 : 3;
    if (account != NULL) {
        uint64_t used = model_memd_held(&model, (uint32_t)(account - model.accounts));
        state |= used != 0 ? 4u : 0;
        state |= account->limit_pages - used < MEMD_ALLOC_FRAMES_MAX ? 8u : 0;
        state |= used < account->guarantee_pages ? 16u : 0;
    }
    state |= model_memd_left(&model) <= model_memd_reserve(&model) + 4 ? 32u : 0;
    return state;
}

/* --- names that die --- */

/* Names that this message is about to kill, when it does. */
void memd_life_names_before(struct memd_life_names *before)
{
    uint64_t *names = before->names;
    uint32_t *count = &before->count;
    *count = 0;
    for (uint32_t i = 0; i < model.holding_count; i++)
        if (model.holdings[i].named && *count < STALE_LIMIT)
            names[(*count)++] = (uint64_t)(model.holdings[i].untyped ? NAME_UNTYPED : NAME_FRAME)
                                    << 60 |
                                model.holdings[i].id;
    for (uint32_t i = 0; i < model.account_count; i++)
        if (model.accounts[i].open && model.accounts[i].named && *count < STALE_LIMIT)
            names[(*count)++] = (uint64_t)NAME_BADGE << 60 | model.accounts[i].badge;
}

static bool name_lives(uint64_t name)
{
    for (uint32_t i = 0; i < model.holding_count; i++) {
        const struct model_memd_holding *holding = &model.holdings[i];
        uint64_t sort = holding->untyped ? NAME_UNTYPED : NAME_FRAME;
        if (holding->named && (sort << 60 | holding->id) == name)
            return true;
    }
    for (uint32_t i = 0; i < model.account_count; i++)
        if (model.accounts[i].open && model.accounts[i].named &&
            ((uint64_t)NAME_BADGE << 60 | model.accounts[i].badge) == name)
            return true;
    return false;
}

void memd_life_names_after(const struct memd_life_names *before)
{
    for (uint32_t i = 0; i < before->count; i++)
        if (!name_lives(before->names[i]))
            name_died(before->names[i] >> 60, before->names[i] & ((UINT64_C(1) << 60) - 1));
}
