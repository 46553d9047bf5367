/* SPDX-License-Identifier: ISC */
/* memd as procd sees it: a tree of accounts by key, each with one untyped. What is set aside for an
 * account is counted at every ancestor when it is opened and closed. Taking an account back needs
 * so many messages as the harness says; what lies below it goes with the last one. */
#include <string.h>

#include "abi/messages/memd.h"
#include "abi/roles.h"
#include "props/base/property.h"
#include "props/stand_ins/key_index.h"
#include "props/stand_ins/peers_of_procd.h"

enum { NODES = STAND_IN_PROCESS_LIMIT, NOWHERE = NODES, FRAMES = 1024 };

struct node {
    uint64_t key; /* 0: free */
    uint32_t parent;
    uint64_t guarantee_pages;
    uint64_t limit_pages;
    uint64_t claimed_pages; /* the guarantee, and what is claimed below */
    uint32_t untyped;
    bool has_untyped;
    uint32_t closes; /* messages it still needs */
    uint32_t children;
    uint64_t frame_pages;
};

static struct node nodes[NODES];
static struct key_index by_key; /* of those that are not free */
static uint32_t node_high;
static uint32_t node_low; /* no node below is free */

/* Frames that accounts hold, in any order. */
static struct frame {
    uint32_t account;
    uint32_t id;
    uint32_t object;
} frames[FRAMES];
static uint32_t frame_count;
static struct {
    uint32_t pool; /* object of the untyped that everything comes from */
    uint64_t total_pages;
    uint64_t claimed_pages;
    uint32_t closes;
    uint32_t count;
    uint32_t last_frame_id;
} memory;

void peers_accounts_begin(void)
{
    key_index_clear(&by_key, node_high);
    memset(nodes, 0, node_high * sizeof nodes[0]);
    node_high = node_low = frame_count = 0;
    memset(&memory, 0, sizeof memory);
    memory.pool = stand_in_untyped_add(PEERS_PROCD_MEMORY_PAGES);
    memory.total_pages = PEERS_PROCD_MEMORY_PAGES;
    memory.closes = 1;
}

uint64_t peers_accounts_total(uint64_t free_pages)
{
    memory.total_pages = memory.claimed_pages + free_pages;
    if (memory.total_pages > PEERS_PROCD_MEMORY_PAGES)
        memory.total_pages = PEERS_PROCD_MEMORY_PAGES;
    return memory.total_pages;
}

void peers_accounts_close_in(uint32_t messages)
{
    memory.closes = messages;
}

uint32_t peers_accounts_count(void)
{
    return memory.count;
}

uint64_t peers_accounts_handed_out(void)
{
    return PEERS_PROCD_MEMORY_PAGES - stand_in_untyped(memory.pool)->free_pages;
}

/* --- the tree --------------------------------------------------------------------------------- */

static uint32_t find(uint64_t key)
{
    uint32_t place = key_index_find(&by_key, key);
    return place == KEY_INDEX_PLACES ? (uint32_t)NOWHERE : place;
}

uint32_t peers_account_closes(uint64_t key)
{
    uint32_t node = find(key);
    return key == 0 || node == NOWHERE ? 0 : nodes[node].closes;
}

bool peers_account_is(uint32_t account, uint64_t key, const struct role *role)
{
    const struct node *node = &nodes[account];
    return account < NODES && node->key == key &&
           node->guarantee_pages == role_account_guarantee(role) &&
           node->limit_pages == role_account_limit(role);
}

uint64_t peers_account_pages(uint64_t key)
{
    uint32_t node = find(key);
    bool has = key != 0 && node != NOWHERE && nodes[node].has_untyped;
    return has ? stand_in_untyped(nodes[node].untyped)->total_pages : 0;
}

uint64_t peers_account_parent(uint64_t key)
{
    const struct node *node = &nodes[find(key)];
    return node->parent == NOWHERE ? 0 : nodes[node->parent].key;
}

bool peers_account_pays_by(uint32_t account, uint32_t untyped)
{
    return account < NODES && nodes[account].key != 0 && nodes[account].has_untyped &&
           nodes[account].untyped == untyped;
}

/* Adds to what is claimed, from a node up; null: it does not fit. */
static enum status may_claim(uint32_t parent, uint64_t pages)
{
    for (uint32_t i = parent; i != NOWHERE; i = nodes[i].parent)
        if (pages > nodes[i].limit_pages - nodes[i].claimed_pages)
            return STATUS_OVER_LIMIT;
    return pages > memory.total_pages - memory.claimed_pages ? STATUS_EXHAUSTED : STATUS_OK;
}

static void claim(uint32_t parent, int64_t pages)
{
    for (uint32_t i = parent; i != NOWHERE; i = nodes[i].parent)
        nodes[i].claimed_pages += (uint64_t)pages;
    memory.claimed_pages += (uint64_t)pages;
}

static bool lies_below(uint32_t node, uint32_t top)
{
    while (node != NOWHERE && node != top)
        node = nodes[node].parent;
    return node == top;
}

/* --- what is asked ---------------------------------------------------------------------------- */

static enum status open_account(struct stand_in_call *call)
{
    const struct memd_open_account_request *request = call->request;
    struct memd_open_account_reply *reply = call->reply;
    uint32_t parent = request->parent_key == 0 ? NOWHERE : find(request->parent_key);
    PROPERTY(E10, "open", call->window_count == 1);
    PROPERTY(P12, "open", find(request->key) == NOWHERE); /* ids never come back */
    if (request->parent_key != 0 && parent == NOWHERE)
        return STATUS_NOT_FOUND;
    enum status status = may_claim(parent, request->guarantee_pages);
    if (status != STATUS_OK)
        return status;
    while (node_low < node_high && nodes[node_low].key != 0)
        node_low++;
    HARNESS(node_low < NODES);
    uint32_t place = node_low;
    node_high += place == node_high;
    nodes[place] = (struct node){
        .key = request->key,
        .parent = parent,
        .guarantee_pages = request->guarantee_pages,
        .limit_pages = request->limit_pages,
        .claimed_pages = request->guarantee_pages,
        .closes = memory.closes,
    };
    key_index_add(&by_key, request->key, place);
    if (parent != NOWHERE)
        nodes[parent].children++;
    claim(parent, (int64_t)request->guarantee_pages);
    memory.count++;
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_MEMD);
    call->caps[0].rights = RIGHT_SEND | RIGHT_TRANSFER;
    call->caps[0].badge = place + UINT64_C(1);
    reply->account_slot = 1; /* delivery says where */
    return STATUS_OK;
}

static bool is_used(uint32_t node)
{
    const struct stand_in_untyped *untyped = stand_in_untyped(nodes[node].untyped);
    return nodes[node].key != 0 && nodes[node].has_untyped &&
           untyped->free_pages != untyped->total_pages;
}

/* Nothing made from its untypeds, or from those below it, lives any more. */
static bool can_close(uint32_t top)
{
    for (uint32_t i = 0; i < node_high && nodes[top].children != 0; i++)
        if (is_used(i) && lies_below(i, top))
            return false;
    return !is_used(top);
}

/* Nobody reaches them any more (K2). */
static uint64_t free_frames(uint32_t account)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < frame_count; i++) {
        if (frames[i].account != account) {
            frames[kept++] = frames[i];
            continue;
        }
        PROPERTY(K2, "mapped", stand_in_frame(frames[i].object)->mapping_count == 0);
        stand_in_frame_destroy(frames[i].object);
    }
    uint64_t pages = frame_count - kept;
    frame_count = kept;
    return pages;
}

static uint64_t close_node(uint32_t node)
{
    uint64_t pages = free_frames(node);
    if (nodes[node].has_untyped) {
        pages += stand_in_untyped(nodes[node].untyped)->total_pages;
        PROPERTY(M5, "close", stand_in_untyped_join(nodes[node].untyped) == STATUS_OK);
    }
    key_index_remove(&by_key, node);
    node_low = node < node_low ? node : node_low;
    if (nodes[node].parent != NOWHERE)
        nodes[nodes[node].parent].children--;
    nodes[node].key = 0;
    nodes[node].has_untyped = false;
    memory.count--;
    return pages;
}

static enum status close_account(struct stand_in_call *call)
{
    const struct memd_close_account_request *request = call->request;
    struct memd_close_account_reply *reply = call->reply;
    uint32_t top = find(request->key);
    if (top == NOWHERE)
        return STATUS_NOT_FOUND;
    if (!can_close(top))
        return STATUS_BUSY;
    if (--nodes[top].closes != 0) {
        reply->left_pages = reply->left_accounts = nodes[top].closes;
        return STATUS_OK;
    }
    claim(nodes[top].parent, -(int64_t)nodes[top].claimed_pages);
    bool alone = nodes[top].children == 0;
    for (uint32_t i = 0; i < node_high && !alone; i++)
        if (i != top && nodes[i].key != 0 && lies_below(i, top))
            reply->released_pages += close_node(i);
    reply->released_pages += close_node(top);
    return STATUS_OK;
}

/* One at a time, for a page that a transfer brings; within what is set aside for the account. */
static enum status alloc_frames(uint32_t account, struct stand_in_call *call)
{
    const struct memd_alloc_frames_request *request = call->request;
    struct memd_alloc_frames_reply *reply = call->reply;
    PROPERTY(E10, "frames", call->window_count == 1 && request->count == 1);
    HARNESS(frame_count < FRAMES && nodes[account].frame_pages < nodes[account].limit_pages);
    struct frame *frame = &frames[frame_count];
    HARNESS(stand_in_frame_add(memory.pool, &frame->object));
    stand_in_frame_held_outside(frame->object);
    frame->account = account;
    frame->id = ++memory.last_frame_id;
    frame_count++;
    nodes[account].frame_pages++;
    call->caps[0] = stand_in_cap_to(OBJECT_FRAME, frame->object);
    call->caps[0].rights = RIGHTS_MAPPING | RIGHT_MAP | RIGHT_TRANSFER;
    *reply =
        (struct memd_alloc_frames_reply){.count = 1, .frame_ids = {frame->id}, .frame_slots = {1}};
    return STATUS_OK;
}

bool peers_account_has_frame(uint32_t account, uint32_t frame_id, uint32_t object)
{
    for (uint32_t i = 0; i < frame_count; i++)
        if (frames[i].id == frame_id)
            return frames[i].account == account && frames[i].object == object;
    return false;
}

static enum status alloc_untyped(uint32_t account, struct stand_in_call *call)
{
    const struct memd_alloc_untyped_request *request = call->request;
    struct memd_alloc_untyped_reply *reply = call->reply;
    struct node *node = &nodes[account];
    PROPERTY(E10, "untyped", call->window_count == 1 && !node->has_untyped);
    PROPERTY(P11, "untyped", request->pages <= node->guarantee_pages);
    HARNESS(stand_in_untyped_split(memory.pool, request->pages, &node->untyped) == STATUS_OK);
    node->has_untyped = true;
    call->caps[0] = stand_in_cap_to(OBJECT_UNTYPED, node->untyped);
    *reply = (struct memd_alloc_untyped_reply){account + 1, 1};
    return STATUS_OK;
}

enum status peers_accounts_answer(struct stand_in_call *call)
{
    uint32_t account = (uint32_t)call->through.badge - 1;
    uint16_t id = call->operation->id;
    if (call->through.badge == 0 && id == OP_MEMD_OPEN_ACCOUNT)
        return open_account(call);
    if (call->through.badge == 0 && id == OP_MEMD_CLOSE_ACCOUNT)
        return close_account(call);
    PROPERTY(E10, "account", account < NODES && nodes[account].key != 0);
    if (id == OP_MEMD_ALLOC_FRAMES)
        return alloc_frames(account, call);
    PROPERTY_EQUAL(E5, "rank", id, OP_MEMD_ALLOC_UNTYPED);
    return alloc_untyped(account, call);
}
