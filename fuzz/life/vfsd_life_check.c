/* SPDX-License-Identifier: ISC */
/* What vfsd's life compares after each message: statuses, replies, trees, handles and slots with
 * the model. */
#include <string.h>

#include "abi/codec.h"
#include "fuzz/life/vfsd_life.h"
#include "props/models/model_ramfsd_inside.h"

static bool is_about_handles(uint16_t operation)
{
    return operation == OP_VFSD_CLOSE || operation == OP_VFSD_READ || operation == OP_VFSD_WRITE ||
           operation == OP_VFSD_READDIR || operation == OP_VFSD_STAT_HANDLE ||
           operation == OP_VFSD_TRUNCATE || operation == OP_VFSD_ATTACH;
}

void compare_reply(void)
{
    static uint64_t reply[MESSAGE_BODY_BYTES_MAX / 8];
    const struct message_type *type = operation_find(SERVICE_VFSD, life.operation)->reply;
    memset(reply, 0, sizeof reply);
    PROPERTY_EQUAL(E5, reply_decode(type, stand_in_reply(), reply), STATUS_OK);
    bool same = memcmp(reply, &life.answer.reply, type->max_bytes) == 0;
    if (is_about_handles(life.operation))
        PROPERTY(F8, "reply", same);
    PROPERTY(F7, "reply", same);
}

/* Whether a provider was attached by one of the calls. */
static bool is_attached(const struct model_vfsd_call *calls, uint32_t count, uint32_t tree)
{
    for (uint32_t i = 0; i < count; i++)
        if (calls[i].what == CALL_ASK && calls[i].operation == OP_RAMFSD_ATTACH &&
            calls[i].tree == tree && calls[i].status == STATUS_OK)
            return true;
    return false;
}

void vfsd_life_check_calls(void)
{
    const struct model_vfsd_call *calls;
    uint32_t count = peers_vfsd_calls(&calls);
    for (uint32_t i = 0; i < count; i++)
        PROPERTY(
            F9, "asked",
            calls[i].what != CALL_ASK || !model_ramfsd_would_change(calls[i].operation) ||
                model_vfsd_may_change(&model, calls[i].tree, is_attached(calls, i, calls[i].tree)));
}

void vfsd_life_check_time(uint64_t begin_ticks)
{
    uint64_t times = 1; /* with one mount, everything is asked of its provider */
    if (model.mount_count > 1)
        times = life.operation == OP_VFSD_ATTACH ? model.mount_count : 2u + model.tried;
    PROPERTY(F10, "bound", stand_in_now() - begin_ticks <= times * VFSD_CALL_TICKS);
}

static bool is_one_of(unsigned status, const enum status *some)
{
    while (*some != STATUS_OK && *some != status)
        some++;
    return *some != STATUS_OK;
}

void vfsd_life_check_status(unsigned status, unsigned predicted)
{
    static const enum status of_providers[] = {STATUS_PEER_DIED, STATUS_TIMED_OUT, STATUS_INTERNAL,
                                               STATUS_OK};
    static const enum status of_mounts[] = {STATUS_READ_ONLY, STATUS_BUSY, STATUS_UNSUPPORTED,
                                            STATUS_OK};
    if (is_about_handles(life.operation))
        PROPERTY_EQUAL(F8, status, predicted);
    if (is_one_of(status, of_providers) || is_one_of(predicted, of_providers))
        PROPERTY_EQUAL(F10, status, predicted);
    if (is_one_of(status, of_mounts) || is_one_of(predicted, of_mounts))
        PROPERTY_EQUAL(F9, status, predicted);
    PROPERTY_EQUAL(F7, status, predicted);
}

/* --- everything --- */

static bool nodes_are_equal(const struct model_ramfsd_node *one,
                            const struct model_ramfsd_node *other)
{
    return one->number == other->number && one->account == other->account &&
           memcmp(&one->is, &other->is, sizeof one->is) == 0 &&
           one->directory == other->directory && one->opens == other->opens &&
           one->name_count == other->name_count &&
           memcmp(one->name, other->name, one->name_count) == 0;
}

static void check_tree(const struct model_ramfsd *tree, const struct model_ramfsd *told)
{
    PROPERTY_EQUAL(F7, "nodes", tree->used, told->used);
    for (uint32_t place = 1; place <= tree->used; place++) {
        const struct model_ramfsd_node *node = &tree->nodes[place];
        PROPERTY(F7, "tree", nodes_are_equal(node, &told->nodes[place]));
    }
    for (uint32_t i = 0; i < tree->limit; i++) {
        const struct model_ramfsd_page *page = &tree->pages[i];
        PROPERTY_EQUAL(F8, "page", page->node, told->pages[i].node);
        if (page->node != 0)
            PROPERTY(F8, "bytes",
                     page->begin == told->pages[i].begin &&
                         page->account == told->pages[i].account &&
                         memcmp(page->bytes, told->pages[i].bytes, sizeof page->bytes) == 0);
    }
}

static void check_handles(void)
{
    for (uint32_t i = 0; i < VFSD_HANDLE_LIMIT; i++) {
        PROPERTY_EQUAL(F8, "handle", vfsd.handles[i].number, model.handles[i].number);
        PROPERTY_EQUAL(F8, "whose", vfsd.handles[i].client, model.handles[i].client);
    }
}

void vfsd_life_check(void)
{
    uint32_t held = 0;
    if (!oracle_due())
        return;
    life_check(vfsd_check(&vfsd));
    for (uint32_t tree = 0; tree < MODEL_VFSD_TREES; tree++)
        check_tree(peers_vfsd_tree(tree), model.trees[tree]);
    check_handles();
    PROPERTY_EQUAL(F7, "mounts", vfsd.mount_count, model.mount_count);
    for (uint32_t i = 0; i <= MODEL_VFSD_MOUNTS; i++)
        held += model.held[i];
    PROPERTY_EQUAL(K1, "slots", stand_in_slot_count(), life_now.startup_slots + held);
}

/* A session that is over ends when its mount is used again: until then its provider may hold what
 * it had. */
void vfsd_life_check_closed(void)
{
    PROPERTY_EQUAL(F8, "handles", model_vfsd_handles_of(&model, 0, true),
                   model.sealed ? 0 : model_vfsd_handles_of(&model, 0, true));
    for (uint32_t i = 0; i < model.mount_count; i++) {
        const struct model_vfsd_mount *mount = &model.mounts[i];
        for (uint32_t place = 1; mount->session != 0 && place <= model.trees[mount->tree]->used;
             place++)
            PROPERTY_EQUAL(F8, "open", peers_vfsd_tree(mount->tree)->nodes[place].opens, 0);
    }
}

/* All but the clock, which every message tells. */
uint64_t vfsd_life_digest(void)
{
    static const struct caller nothing;
    struct caller caller = vfsd.caller;
    uint64_t sum = 0;
    vfsd.caller = nothing;
    vfsd_visit_fields(&vfsd, life_digest_visit, &sum);
    vfsd.caller = caller;
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}
