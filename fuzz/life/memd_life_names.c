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

/* The reply that names are taken from: the one that the client got, or the one that was kept from it,
 * since what a client was not told it may still guess. */
static struct {
    const struct message *message;
    const struct stand_in_cap *caps;
} told;

static void learn_account(void)
{
    struct memd_open_account_reply reply;
    struct model_account *account = &model.accounts[model.account_count - 1];
    PROPERTY_EQUAL(E5, reply_decode(&memd_open_account_reply_type, told.message, &reply),
                   STATUS_OK);
    const struct stand_in_cap *cap = told.caps;
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
        PROPERTY_EQUAL(K2, stand_in_frame(cap->object)->content, 0);
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
    PROPERTY_EQUAL(E5, reply_decode(&memd_alloc_frames_reply_type, told.message, &reply),
                   STATUS_OK);
    uint32_t ids[] = {reply.frame_id_0, reply.frame_id_1, reply.frame_id_2, reply.frame_id_3};
    PROPERTY_EQUAL(M4, reply.count, count);
    PROPERTY_EQUAL(M4, told.message->header.cap_count, count);
    for (uint32_t i = 0; i < MEMD_ALLOC_FRAMES_MAX; i++)
        PROPERTY(M4, (ids[i] != 0) == (i < count));
    for (uint32_t i = 0; i < count; i++)
        learn_holding(&model.holdings[model.holding_count - count + i], ids[i], &told.caps[i]);
}

static void learn_untyped(void)
{
    struct memd_alloc_untyped_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&memd_alloc_untyped_reply_type, told.message, &reply),
                   STATUS_OK);
    learn_holding(&model.holdings[model.holding_count - 1], reply.untyped_id, told.caps);
}

/* The frame that could be neither handed out nor destroyed. The kernel knows which it is and what it
 * came from; its name is in no reply, and memd alone can tell it. */
static void learn_stuck(uint64_t badge)
{
    uint32_t slot = stand_in_failures().kept_slot;
    uint32_t object = stand_in_at(slot).object;
    uint32_t account = 0;
    uint32_t source = 0;
    while (!model.accounts[account].open || model.accounts[account].badge != badge)
        account++;
    while (life.source_objects[source] != stand_in_frame(object)->untyped)
        HARNESS(++source < model.source_count);
    model.taken_pages[source]++;
    model.holdings[model.holding_count++] = (struct model_holding){
        .named = true,
        .id = memd_frame_id(&memd, slot - MEMD_FRAME_SLOT_BASE),
        .account = account,
        .source = source,
        .pages = 1,
        .object = object,
    };
}

void memd_life_learn(const struct message *request, const struct model_memd_answer *answer)
{
    uint16_t operation = request->header.operation;
    const struct stand_in_reply *lost = stand_in_reply_lost();
    if (answer->stuck)
        learn_stuck(request->header.badge);
    if (answer->status == STATUS_OK) {
        told.message = stand_in_reply();
        told.caps = stand_in_reply_caps();
    } else if (answer->new_count != 0 && lost != NULL) {
        told.message = &lost->message;
        told.caps = lost->caps;
    } else {
        return;
    }
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
