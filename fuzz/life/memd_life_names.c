/* SPDX-License-Identifier: ISC */
/* Names in memd's life: what replies tell, and that no name comes back. */
#include "abi/codec.h"
#include "fuzz/life/memd_life.h"

/* --- names: each is new, and none comes back (M3) -------------------------------------------- */

enum { NAME_ACCOUNT, NAME_BADGE, NAME_FRAME, NAME_UNTYPED };

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
        const struct model_holding *holding = &model.holdings[i];
        bool same_sort = sort == (holding->untyped ? NAME_UNTYPED : NAME_FRAME);
        PROPERTY(M3, !same_sort || !holding->named || holding->id != name);
    }
    for (uint32_t i = 0; i < model.account_count; i++) {
        const struct model_account *account = &model.accounts[i];
        PROPERTY(M3, !account->open || !account->named ||
                         name != (sort == NAME_BADGE ? account->badge : account->id) ||
                         sort == NAME_FRAME || sort == NAME_UNTYPED);
    }
}

/* --- what a reply gave ----------------------------------------------------------------------- */

static void learn_account(void)
{
    struct memd_open_account_reply reply;
    struct model_account *account = &model.accounts[model.account_count - 1];
    PROPERTY_EQUAL(E5, reply_decode(&memd_open_account_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    const struct stand_in_cap *cap = stand_in_reply_caps();
    PROPERTY_EQUAL(M3, cap->object_type, OBJECT_ENDPOINT);
    PROPERTY_EQUAL(K1, cap->rights, RIGHT_SEND | RIGHT_TRANSFER);
    PROPERTY(M3, cap->object == ROLE_MEMD && cap->badge > ROLE_ID_MAX);
    PROPERTY(M3, cap->badge != BADGE_KERNEL);
    name_is_new(NAME_ACCOUNT, reply.account_id);
    name_is_new(NAME_BADGE, cap->badge);
    account->named = true;
    account->id = reply.account_id;
    account->badge = cap->badge;
}

/* One frame or untyped: of the predicted source, zeroed, nobody else's, with the rights of the row.
 */
static void learn_holding(struct model_holding *holding, uint32_t id,
                          const struct stand_in_cap *cap)
{
    uint32_t frame_rights = RIGHTS_MAPPING | RIGHT_MAP | RIGHT_TRANSFER;
    PROPERTY_EQUAL(M1, cap->object_type, holding->untyped ? OBJECT_UNTYPED : OBJECT_FRAME);
    PROPERTY_EQUAL(K1, cap->rights,
                   holding->untyped ? RIGHT_CONTROL | RIGHT_TRANSFER : frame_rights);
    for (uint32_t i = 0; i < model.holding_count; i++) {
        const struct model_holding *other = &model.holdings[i];
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
        PROPERTY(K2, stand_in_frame(cap->object)->zero);
        stand_in_frame_dirty(cap->object);
        name_is_new(NAME_FRAME, id);
    }
    holding->named = true;
    holding->id = id;
    holding->object = cap->object;
}

static void learn_frames(uint32_t count)
{
    struct memd_alloc_frames_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&memd_alloc_frames_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    uint32_t ids[] = {reply.frame_id_0, reply.frame_id_1, reply.frame_id_2, reply.frame_id_3};
    PROPERTY_EQUAL(M4, reply.count, count);
    PROPERTY_EQUAL(M4, stand_in_reply()->header.cap_count, count);
    for (uint32_t i = 0; i < MEMD_ALLOC_FRAMES_MAX; i++)
        PROPERTY(M4, (ids[i] != 0) == (i < count));
    for (uint32_t i = 0; i < count; i++)
        learn_holding(&model.holdings[model.holding_count - count + i], ids[i],
                      &stand_in_reply_caps()[i]);
}

static void learn_untyped(void)
{
    struct memd_alloc_untyped_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&memd_alloc_untyped_reply_type, stand_in_reply(), &reply),
                   STATUS_OK);
    learn_holding(&model.holdings[model.holding_count - 1], reply.untyped_id,
                  stand_in_reply_caps());
}

/* Names that no reply told are taken from the books: what the client does not know it may still
 * guess. */
static void learn_unheard(uint16_t operation, uint32_t count)
{
    if (operation == OP_MEMD_OPEN_ACCOUNT) {
        struct model_account *account = &model.accounts[model.account_count - 1];
        for (uint32_t i = 0; i < memd.account_places.used_count && !account->named; i++) {
            bool known = false;
            for (uint32_t j = 0; j < model.account_count; j++)
                known |= model.accounts[j].open && model.accounts[j].named &&
                         model.accounts[j].badge == memd_account_badge(&memd, i);
            account->named = memd.accounts[i].is_open && !known;
            account->id = memd_account_id(&memd, i);
            account->badge = memd_account_badge(&memd, i);
        }
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct model_holding *holding = &model.holdings[model.holding_count - 1 - i];
        uint64_t badge = model.accounts[holding->account].badge;
        const struct memd_account *account =
            &memd.accounts[memd_account_by_badge(&memd, badge) - 1];
        const struct memd_holding *table = holding->untyped ? memd.untypeds : memd.frames;
        memd_link link = holding->untyped ? account->first_untyped : account->first_frame;
        for (uint32_t j = 0; j < i; j++)
            link = table[link - 1].next;
        uint32_t base = holding->untyped ? MEMD_UNTYPED_SLOT_BASE : MEMD_FRAME_SLOT_BASE;
        holding->named = true;
        holding->id =
            holding->untyped ? memd_untyped_id(&memd, link - 1) : memd_frame_id(&memd, link - 1);
        holding->object = stand_in_at(base + link - 1).object;
    }
}

/* The frame that could be neither handed out nor destroyed: the account's newest. */
static void learn_stuck(uint64_t badge)
{
    uint32_t index = memd_account_by_badge(&memd, badge) - 1;
    uint32_t frame = memd.accounts[index].first_frame - 1;
    uint32_t account = 0;
    while (!model.accounts[account].open || model.accounts[account].badge != badge)
        account++;
    model.taken_pages[memd.frames[frame].source]++;
    model.holdings[model.holding_count++] = (struct model_holding){
        .named = true,
        .id = memd_frame_id(&memd, frame),
        .account = account,
        .source = memd.frames[frame].source,
        .pages = 1,
        .object = stand_in_at(MEMD_FRAME_SLOT_BASE + frame).object,
    };
}

void memd_life_learn(const struct message *request, const struct model_memd_answer *answer)
{
    uint16_t operation = request->header.operation;
    if (answer->stuck)
        learn_stuck(request->header.badge);
    if (answer->new_count != 0 && answer->status == STATUS_BUSY)
        learn_unheard(operation, answer->new_count);
    if (answer->status != STATUS_OK)
        return;
    if (operation == OP_MEMD_OPEN_ACCOUNT)
        learn_account();
    else if (operation == OP_MEMD_ALLOC_FRAMES)
        learn_frames(answer->new_count);
    else if (operation == OP_MEMD_ALLOC_UNTYPED)
        learn_untyped();
}

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
        if (model.accounts[i].open && model.accounts[i].named && *count + 1 < STALE_LIMIT)
            names[(*count)++] = (uint64_t)NAME_ACCOUNT << 60 | model.accounts[i].id;
}

static bool name_lives(uint64_t name)
{
    for (uint32_t i = 0; i < model.holding_count; i++) {
        const struct model_holding *holding = &model.holdings[i];
        uint64_t sort = holding->untyped ? NAME_UNTYPED : NAME_FRAME;
        if (holding->named && (sort << 60 | holding->id) == name)
            return true;
    }
    for (uint32_t i = 0; i < model.account_count; i++)
        if (model.accounts[i].open && model.accounts[i].named &&
            ((uint64_t)NAME_ACCOUNT << 60 | model.accounts[i].id) == name)
            return true;
    return false;
}

void memd_life_names_after(const struct memd_life_names *before)
{
    for (uint32_t i = 0; i < before->count; i++)
        if (!name_lives(before->names[i]))
            name_died(before->names[i] >> 60, before->names[i] & ((UINT64_C(1) << 60) - 1));
}
