/* SPDX-License-Identifier: ISC */
/* See peers_memd.h. */
#include "props/stand_ins/peers_memd.h"

#include <string.h>

#include "abi/messages/memd.h"
#include "abi/roles.h"
#include "props/base/property.h"

struct account {
    bool open;
    bool has_untyped;
    uint32_t untyped;
    uint64_t key; /* 0: the harness opened it */
    uint64_t guarantee_pages;
    uint64_t limit_pages;
    uint64_t held_pages;
};

static struct account accounts[PEERS_ACCOUNT_LIMIT];
static uint32_t account_high;
static uint32_t account_low; /* no place below is closed */
static uint32_t account_count;
static uint32_t pool; /* object of the untyped that everything comes from */
static struct {
    bool live;
    bool given;
    uint32_t account;
    uint32_t object;
} ids[PEERS_FRAME_ID_LIMIT];
static uint32_t id_count; /* ids given out, 1 to this */
static uint32_t id_by_object[STAND_IN_FRAME_LIMIT];

void peers_memd_begin(uint64_t pool_pages)
{
    memset(accounts, 0, account_high * sizeof accounts[0]);
    for (uint32_t id = 1; id <= id_count; id++)
        id_by_object[ids[id].object] = 0;
    memset(ids, 0, (id_count + 1) * sizeof ids[0]);
    account_high = account_low = account_count = id_count = 0;
    pool = stand_in_untyped_add(pool_pages);
}

uint64_t peers_pool_free_pages(void)
{
    return stand_in_untyped(pool)->free_pages;
}

void peers_pool_free_pages_set(uint64_t pages)
{
    stand_in_untyped_free_set(pool, pages);
}

/* --- accounts --------------------------------------------------------------------------------- */

uint32_t peers_account_open(uint64_t limit_pages)
{
    while (account_low < account_high && accounts[account_low].open)
        account_low++;
    HARNESS(account_low < PEERS_ACCOUNT_LIMIT);
    account_high += account_low == account_high;
    accounts[account_low] = (struct account){.open = true, .limit_pages = limit_pages};
    account_count++;
    return account_low;
}

void peers_account_limit_set(uint32_t account, uint64_t limit_pages)
{
    accounts[account].limit_pages = limit_pages;
}

uint64_t peers_account_limit(uint32_t account)
{
    return accounts[account].limit_pages;
}

uint64_t peers_account_guarantee(uint32_t account)
{
    return accounts[account].guarantee_pages;
}

uint64_t peers_account_key(uint32_t account)
{
    return accounts[account].key;
}

uint64_t peers_account_held(uint32_t account)
{
    return accounts[account].held_pages;
}

uint32_t peers_account_count(void)
{
    return account_count;
}

bool peers_account_pays(uint32_t account, uint32_t untyped)
{
    return account < PEERS_ACCOUNT_LIMIT && accounts[account].open &&
           accounts[account].has_untyped && accounts[account].untyped == untyped;
}

struct stand_in_cap peers_account_cap(uint32_t account)
{
    struct stand_in_cap cap = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_MEMD);
    cap.rights = RIGHT_SEND | RIGHT_TRANSFER;
    cap.badge = account + UINT64_C(1);
    return cap;
}

/* --- frames ----------------------------------------------------------------------------------- */

static bool account_has_room(uint32_t account)
{
    return accounts[account].held_pages < accounts[account].limit_pages;
}

bool peers_frame_take(uint32_t account, uint32_t *object, uint32_t *frame_id)
{
    *frame_id = 0;
    if ((account != PEERS_NOBODY && !account_has_room(account)) ||
        !stand_in_frame_add(pool, object))
        return false;
    stand_in_frame_held_outside(*object);
    id_by_object[*object] = 0;
    if (account == PEERS_NOBODY)
        return true;
    HARNESS(id_count + 1 < PEERS_FRAME_ID_LIMIT);
    *frame_id = ++id_count;
    ids[*frame_id].live = true;
    ids[*frame_id].given = false;
    ids[*frame_id].account = account;
    ids[*frame_id].object = *object;
    id_by_object[*object] = *frame_id;
    accounts[account].held_pages++;
    return true;
}

uint32_t peers_frame_id(uint32_t object, uint32_t *account)
{
    uint32_t id = id_by_object[object];
    *account = ids[id].account;
    return ids[id].live ? id : 0;
}

bool peers_frame_find(uint32_t frame_id, uint32_t *object, uint32_t *account)
{
    if (frame_id >= PEERS_FRAME_ID_LIMIT || !ids[frame_id].live)
        return false;
    *object = ids[frame_id].object;
    *account = ids[frame_id].account;
    return true;
}

void peers_frame_give(uint32_t frame_id)
{
    ids[frame_id].given = true;
}

bool peers_frame_is_given(uint32_t frame_id)
{
    return ids[frame_id].given;
}

uint32_t peers_frame_id_last(void)
{
    return id_count;
}

void peers_frame_revoke(uint32_t object)
{
    uint32_t id = id_by_object[object];
    if (ids[id].live) {
        ids[id].live = false;
        accounts[ids[id].account].held_pages--;
    }
    id_by_object[object] = 0;
    stand_in_frame_destroy(object);
}

enum status peers_page_take(uint32_t account, uint32_t *object)
{
    uint32_t no_id;
    if (!account_has_room(account))
        return STATUS_OVER_LIMIT;
    if (!peers_frame_take(PEERS_NOBODY, object, &no_id))
        return STATUS_EXHAUSTED;
    accounts[account].held_pages++;
    return STATUS_OK;
}

void peers_page_give(uint32_t account, uint32_t object)
{
    peers_frame_revoke(object);
    accounts[account].held_pages--;
}

/* --- what account holders ask ----------------------------------------------------------------- */

static enum status alloc_frames(uint32_t account, struct stand_in_call *call)
{
    const struct memd_alloc_frames_request *request = call->request;
    struct memd_alloc_frames_reply *reply = call->reply;
    uint32_t objects[MEMD_ALLOC_FRAMES_MAX];
    if (accounts[account].held_pages + request->count > accounts[account].limit_pages)
        return STATUS_OVER_LIMIT;
    reply->count = request->count;
    for (uint32_t i = 0; i < request->count; i++) {
        if (!peers_frame_take(account, &objects[i], &reply->frame_ids[i])) {
            while (i-- > 0)
                peers_frame_revoke(objects[i]);
            return STATUS_EXHAUSTED;
        }
        reply->frame_slots[i] = 1; /* delivery says where */
        call->caps[i] = stand_in_cap_to(OBJECT_FRAME, objects[i]);
        call->caps[i].rights = RIGHTS_MAPPING | RIGHT_MAP | RIGHT_TRANSFER;
    }
    return STATUS_OK;
}

void peers_frames_undelivered(const struct stand_in_call *call)
{
    const struct memd_alloc_frames_reply *reply = call->reply;
    for (uint32_t i = 0; i < reply->count; i++)
        peers_frame_revoke(ids[reply->frame_ids[i]].object);
}

static enum status free_frames(uint32_t account, const struct memd_free_frames_request *request)
{
    uint32_t object;
    uint32_t owner;
    for (uint32_t i = 0; i < request->count; i++) {
        uint32_t id = request->frame_ids[i].frame_id;
        if (!peers_frame_find(id, &object, &owner) || owner != account)
            return STATUS_NOT_FOUND;
        for (uint32_t j = 0; j < i; j++)
            if (request->frame_ids[j].frame_id == id)
                return STATUS_DUPLICATE;
    }
    for (uint32_t i = 0; i < request->count; i++)
        peers_frame_revoke(ids[request->frame_ids[i].frame_id].object);
    return STATUS_OK;
}

static enum status alloc_untyped(uint32_t account, struct stand_in_call *call)
{
    const struct memd_alloc_untyped_request *request = call->request;
    struct memd_alloc_untyped_reply *reply = call->reply;
    struct account *holder = &accounts[account];
    PROPERTY(E10, "untyped", call->window_count == 1 && !holder->has_untyped);
    if (request->pages > holder->limit_pages)
        return STATUS_OVER_LIMIT;
    if (stand_in_untyped_split(pool, request->pages, &holder->untyped) != STATUS_OK)
        return STATUS_EXHAUSTED;
    holder->has_untyped = true;
    call->caps[0] = stand_in_cap_to(OBJECT_UNTYPED, holder->untyped);
    *reply = (struct memd_alloc_untyped_reply){account + 1, 1};
    return STATUS_OK;
}

enum status peers_memd_answer(uint32_t account, struct stand_in_call *call)
{
    PROPERTY(E10, "account", account < PEERS_ACCOUNT_LIMIT && accounts[account].open);
    switch (call->operation->id) {
    case OP_MEMD_ALLOC_FRAMES:
        return alloc_frames(account, call);
    case OP_MEMD_FREE_FRAMES:
        return free_frames(account, call->request);
    case OP_MEMD_ALLOC_UNTYPED:
        return alloc_untyped(account, call);
    default:
        PROPERTY(E5, "rank", false);
    }
}

/* --- what the administrator asks -------------------------------------------------------------- */

/* PEERS_NOBODY: none. */
static uint32_t account_by_key(uint64_t key)
{
    for (uint32_t i = 0; i < account_high; i++)
        if (accounts[i].open && accounts[i].key == key)
            return i;
    return PEERS_NOBODY;
}

/* Asked again, it answers again. */
static enum status open_account(struct stand_in_call *call)
{
    const struct memd_open_account_request *request = call->request;
    struct memd_open_account_reply *reply = call->reply;
    PROPERTY(E10, "open", call->window_count == 1);
    PROPERTY(M8, "open", request->guarantee_pages <= request->limit_pages);
    uint32_t account = account_by_key(request->key);
    if (account == PEERS_NOBODY) {
        account = peers_account_open(request->limit_pages);
        accounts[account].key = request->key;
        accounts[account].guarantee_pages = request->guarantee_pages;
    }
    call->caps[0] = peers_account_cap(account);
    *reply = (struct memd_open_account_reply){.account_slot = 1};
    return STATUS_OK;
}

static enum status close_account(struct stand_in_call *call)
{
    const struct memd_close_account_request *request = call->request;
    struct memd_close_account_reply *reply = call->reply;
    uint32_t closed = account_by_key(request->key);
    PROPERTY(M5, "close", closed != PEERS_NOBODY);
    struct account *account = &accounts[closed];
    if (account->has_untyped) {
        reply->released_pages = (uint32_t)stand_in_untyped(account->untyped)->total_pages;
        /* the process is gone before its memory */
        PROPERTY(M5, "close", stand_in_untyped_join(account->untyped) == STATUS_OK);
    }
    *account = (struct account){0};
    account_low = closed < account_low ? closed : account_low;
    account_count--;
    return STATUS_OK;
}

enum status peers_memd_administer(struct stand_in_call *call)
{
    switch (call->operation->id) {
    case OP_MEMD_OPEN_ACCOUNT:
        return open_account(call);
    case OP_MEMD_CLOSE_ACCOUNT:
        return close_account(call);
    default:
        PROPERTY(E5, "rank", false);
    }
}
