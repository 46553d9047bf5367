/* SPDX-License-Identifier: ISC */
/* memd's operations. Decides what an account may have and makes the kernel's memory calls; never
 * maps anything, never reads or writes a frame, and names no untyped other than its sources
 * (M2). */
#include "services/memd/memd.h"

#include <stddef.h>
#include <string.h>

#include "abi/roles.h"
#include "services/memd/internal.h"

static enum status destroy(struct memd *memd, uint32_t slot)
{
    return kernel_destroy(&memd->caller, SLOT_KERNEL_MEM_ENDPOINT, slot);
}

/* --- frames ---------------------------------------------------------------------------------- */

/* Where the frames of one batch go and what they are made from. */
struct frames_plan {
    uint32_t count;
    uint32_t index[MEMD_ALLOC_FRAMES_MAX];
    uint32_t source[MEMD_ALLOC_FRAMES_MAX];
};

static enum status alloc_frames_decide(const struct memd *memd, uint32_t account_index,
                                       uint32_t count, struct frames_plan *plan)
{
    *plan = (struct frames_plan){.count = count};
    enum status status = memd_pages_decide(memd, account_index, count);
    if (status != STATUS_OK)
        return status;
    /* Enough pages are left over all sources, so that this cannot run past the last one, which
     * memd_source_left asserts; there is a record for each (E6). */
    memd_link link = 0;
    uint32_t fresh = 0;
    uint32_t source = 0;
    uint64_t taken = 0; /* by this plan, from this source */
    for (uint32_t i = 0; i < count; i++) {
        while (memd_source_left(memd, source) == taken) {
            source++;
            taken = 0;
        }
        plan->source[i] = source;
        plan->index[i] = memd_frame_peek(memd, &link, &fresh);
        taken++;
    }
    return STATUS_OK;
}

/* Frames from `first` on that one RETYPE can make: neighbours in slots, of one source. */
static uint32_t plan_run(const struct frames_plan *plan, uint32_t first)
{
    uint32_t count = 1;
    while (first + count < plan->count &&
           plan->index[first + count] == plan->index[first] + count &&
           plan->source[first + count] == plan->source[first])
        count++;
    return count;
}

/* Makes the planned frames; *made says how many there are when the kernel refuses. */
static enum status frames_make(struct memd *memd, const struct frames_plan *plan, uint32_t *made)
{
    *made = 0;
    while (*made < plan->count) {
        uint32_t run = plan_run(plan, *made);
        UNIT_ASSERT(run != 0 && run <= plan->count - *made);
        enum status status = kernel_retype(&memd->caller, SLOT_KERNEL_MEM_ENDPOINT,
                                           memd->sources[plan->source[*made]].slot, OBJECT_FRAME,
                                           run, MEMD_FRAME_SLOT_BASE + plan->index[*made]);
        if (status != STATUS_OK)
            return status;
        *made += run;
    }
    return STATUS_OK;
}

static void frames_commit(struct memd *memd, uint32_t account_index, const struct frames_plan *plan,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = memd_frame_take(memd, account_index, plan->source[i]);
        UNIT_ASSERT(index == plan->index[i]); /* whose slot the frame lies in */
    }
}

/* Undoes frames_make(). What cannot be destroyed is charged to the account, so that books and
 * kernel still agree (M1). */
static void frames_unmake(struct memd *memd, uint32_t account_index, const struct frames_plan *plan,
                          uint32_t made)
{
    bool stuck[MEMD_ALLOC_FRAMES_MAX] = {false};
    bool any_stuck = false;
    for (uint32_t i = made; i-- > 0;) {
        stuck[i] = destroy(memd, MEMD_FRAME_SLOT_BASE + plan->index[i]) != STATUS_OK;
        any_stuck |= stuck[i];
    }
    if (!any_stuck)
        return;
    frames_commit(memd, account_index, plan, made);
    for (uint32_t i = made; i-- > 0;)
        if (!stuck[i])
            memd_frame_give(memd, plan->index[i]);
}

/* Sends the reply, which is filled in, before anything is in the books: OK when its caller has what
 * it carries. */
static enum status deliver(struct service_request *common)
{
    common->handled = HANDLED_LATER;
    enum status status = service_encode(common);
    return status == STATUS_OK ? sys_reply(common->info->reply_slot, common->message) : status;
}

/* The answer to an ALLOC that was undone. A caller that gave up meanwhile gets none. */
static enum status undone(const struct service_request *common, enum status status)
{
    bool gone = common->handled == HANDLED_LATER && status == STATUS_NOT_FOUND;
    return gone ? STATUS_OK : status;
}

static enum status frames_deliver(const struct memd *memd, struct memd_request *request,
                                  const struct frames_plan *plan)
{
    struct memd_alloc_frames_reply *reply = &request->reply.alloc_frames;
    reply->count = plan->count;
    for (uint32_t i = 0; i < plan->count; i++) {
        reply->frame_ids[i] = memd_frame_id(memd, plan->index[i]);
        reply->frame_slots[i] = MEMD_FRAME_SLOT_BASE + plan->index[i];
    }
    return deliver(&request->common);
}

enum status memd_alloc_frames(struct memd *memd, struct memd_request *request)
{
    struct frames_plan plan;
    uint32_t made;
    enum status status =
        alloc_frames_decide(memd, request->account_index, request->body.alloc_frames.count, &plan);
    if (status != STATUS_OK)
        return status;
    status = frames_make(memd, &plan, &made);
    if (status == STATUS_OK)
        status = frames_deliver(memd, request, &plan);
    if (status != STATUS_OK) {
        frames_unmake(memd, request->account_index, &plan, made);
        return undone(&request->common, status);
    }
    frames_commit(memd, request->account_index, &plan, plan.count);
    return STATUS_OK;
}

/* A set of frame indexes, big enough to stay half empty. */
enum { SEEN_LIMIT = 2 * MEMD_FREE_FRAMES_MAX };

/* Adds to the set; false when it was there. */
static bool seen_add(memd_link *seen, uint32_t index)
{
    uint32_t at = index % SEEN_LIMIT;
    while (seen[at] != 0 && seen[at] != index + 1)
        at = (at + 1) % SEEN_LIMIT;
    bool added = seen[at] == 0;
    seen[at] = index + 1;
    return added;
}

static enum status free_frames_decide(const struct memd *memd, uint32_t account_index,
                                      const struct memd_free_frames_request *request,
                                      uint32_t *indexes)
{
    memd_link seen[SEEN_LIMIT] = {0};
    for (uint32_t i = 0; i < request->count; i++) {
        memd_link link = memd_frame_of(memd, account_index, request->frame_ids[i].frame_id);
        if (link == 0)
            return STATUS_NOT_FOUND;
        if (!seen_add(seen, link - 1))
            return STATUS_DUPLICATE;
        indexes[i] = link - 1;
    }
    return STATUS_OK;
}

static enum status frame_destroy(struct memd *memd, uint32_t index)
{
    enum status status = destroy(memd, MEMD_FRAME_SLOT_BASE + index);
    if (status == STATUS_OK)
        memd_frame_give(memd, index);
    return status;
}

/* From the last to the first, so that the places are taken again in ascending order and one RETYPE
 * can fill several. */
enum status memd_free_frames(struct memd *memd, struct memd_request *request)
{
    uint32_t indexes[MEMD_FREE_FRAMES_MAX];
    enum status status =
        free_frames_decide(memd, request->account_index, &request->body.free_frames, indexes);
    for (uint32_t i = request->body.free_frames.count; i-- > 0 && status == STATUS_OK;)
        status = frame_destroy(memd, indexes[i]);
    return status;
}

/* --- untyped memory -------------------------------------------------------------------------- */

static enum status alloc_untyped_decide(const struct memd *memd, uint32_t account_index,
                                        uint32_t pages, uint32_t *source)
{
    *source = memd_source_with(memd, pages);
    enum status status = memd_pages_decide(memd, account_index, pages);
    if (status != STATUS_OK)
        return status;
    bool room = memd_untyped_room(memd) && *source < memd->source_count;
    return room ? STATUS_OK : STATUS_EXHAUSTED;
}

static void untyped_commit(struct memd *memd, const struct memd_request *request, uint32_t source)
{
    uint32_t index =
        memd_untyped_take(memd, request->account_index, source, request->body.alloc_untyped.pages);
    UNIT_ASSERT(MEMD_UNTYPED_SLOT_BASE + index == request->reply.alloc_untyped.untyped_slot);
}

enum status memd_alloc_untyped(struct memd *memd, struct memd_request *request)
{
    uint32_t pages = request->body.alloc_untyped.pages;
    uint32_t source;
    enum status status = alloc_untyped_decide(memd, request->account_index, pages, &source);
    if (status != STATUS_OK)
        return status;
    uint32_t index = memd_untyped_peek(memd);
    uint32_t slot = MEMD_UNTYPED_SLOT_BASE + index;
    status = kernel_retype(&memd->caller, SLOT_KERNEL_MEM_ENDPOINT, memd->sources[source].slot,
                           OBJECT_UNTYPED, pages, slot);
    if (status != STATUS_OK)
        return status;
    request->reply.alloc_untyped = (struct memd_alloc_untyped_reply){
        .untyped_id = memd_untyped_id(memd, index),
        .untyped_slot = slot,
    };
    status = deliver(&request->common);
    if (status == STATUS_OK || destroy(memd, slot) != STATUS_OK)
        untyped_commit(memd, request, source); /* M1: what cannot be destroyed is charged */
    return undone(&request->common, status);
}

static enum status untyped_destroy(struct memd *memd, uint32_t index)
{
    enum status status = destroy(memd, MEMD_UNTYPED_SLOT_BASE + index);
    if (status == STATUS_OK)
        memd_untyped_give(memd, index);
    return status;
}

enum status memd_free_untyped(struct memd *memd, struct memd_request *request)
{
    memd_link link =
        memd_untyped_of(memd, request->account_index, request->body.free_untyped.untyped_id);
    return link == 0 ? STATUS_NOT_FOUND : untyped_destroy(memd, link - 1);
}

/* --- accounts -------------------------------------------------------------------------------- */

/* Whether the account that has the key already is the one that is asked for. */
static enum status open_again_decide(const struct memd *memd, uint32_t account_index,
                                     const struct memd_open_account_request *request)
{
    const struct memd_account *account = &memd->accounts[account_index];
    if (memd_account_is_dead(memd, account_index))
        return STATUS_BUSY;
    uint64_t parent_key = account->parent == 0 ? 0 : memd->accounts[account->parent - 1].key;
    bool same = parent_key == request->parent_key &&
                account->guarantee_pages == request->guarantee_pages &&
                account->limit_pages == request->limit_pages;
    return same ? STATUS_OK : STATUS_DUPLICATE;
}

/* Whether a new account may lie below `parent`. */
static enum status open_decide(const struct memd *memd, memd_link parent,
                               const struct memd_open_account_request *request)
{
    if (request->parent_key != 0) {
        if (parent == 0 || memd_account_is_dead(memd, parent - 1))
            return STATUS_NOT_FOUND;
        const struct memd_account *above = &memd->accounts[parent - 1];
        if (request->limit_pages > above->limit_pages || above->depth == MEMD_DEPTH_LIMIT)
            return STATUS_OVER_LIMIT; /* M8 */
    }
    enum status status = memd_claim_decide(memd, parent, request->guarantee_pages);
    if (status == STATUS_OK && !memd_account_room(memd))
        status = STATUS_EXHAUSTED;
    return status;
}

enum status memd_open_account(struct memd *memd, struct memd_request *request)
{
    const struct memd_open_account_request *body = &request->body.open_account;
    if (body->guarantee_pages > body->limit_pages)
        return STATUS_INVALID_ARGUMENT;
    memd_link account = memd_account_by_key(memd, body->key);
    memd_link parent = body->parent_key == 0 ? 0 : memd_account_by_key(memd, body->parent_key);
    enum status status =
        account != 0 ? open_again_decide(memd, account - 1, body) : open_decide(memd, parent, body);
    if (status != STATUS_OK)
        return status;
    uint32_t index = account != 0 ? account - 1 : memd_account_open(memd, body, parent);
    /* The reply's capability is memd's own endpoint under the account's badge. */
    request->common.transfer = (struct message_cap){
        .mode = TRANSFER_COPY,
        .flags = TRANSFER_SET_BADGE,
        .badge = memd_account_badge(memd, index),
    };
    request->reply.open_account.account_slot = SLOT_SERVICE_ENDPOINT;
    return STATUS_OK;
}

/* One step of a close: of the deepest account on the way down by the first of each one's children,
 * a holding is given back, or it is removed. Untyped memory first: that is what the kernel may
 * refuse to take back (BUSY). */
static enum status close_step(struct memd *memd, uint32_t account_index)
{
    uint32_t index = account_index;
    while (memd->accounts[index].first_child != 0)
        index = memd->accounts[index].first_child - 1;
    const struct memd_account *account = &memd->accounts[index];
    if (account->first_untyped != 0)
        return untyped_destroy(memd, account->first_untyped - 1);
    if (account->first_frame != 0)
        return frame_destroy(memd, account->first_frame - 1);
    memd_account_remove(memd, index);
    return STATUS_OK;
}

enum status memd_close_account(struct memd *memd, struct memd_request *request)
{
    memd_link link = memd_account_by_key(memd, request->body.close_account.key);
    if (link == 0)
        return STATUS_NOT_FOUND;
    struct memd_account *account = &memd->accounts[link - 1];
    uint64_t taken_before = memd->taken_pages;
    enum status status = STATUS_OK;
    account->is_closing = 1;
    for (uint32_t i = 0; i < MEMD_CLOSE_STEPS && account->key != 0 && status == STATUS_OK; i++)
        status = close_step(memd, link - 1);
    request->reply.close_account = (struct memd_close_account_reply){
        .released_pages = taken_before - memd->taken_pages, /* M5 */
        .left_pages = account->tree_pages,
        .left_accounts = account->tree_count,
    };
    return status;
}

/* --- questions ------------------------------------------------------------------------------- */

enum status memd_query_account(struct memd *memd, struct memd_request *request)
{
    const struct memd_account *account = &memd->accounts[request->account_index];
    request->reply.query_account = (struct memd_query_account_reply){
        .guarantee_pages = account->guarantee_pages,
        .limit_pages = account->limit_pages,
        .frame_pages = account->held_pages - account->untyped_pages,
        .untyped_pages = account->untyped_pages,
        .claim_pages = account->claim_pages,
        .tree_pages = account->tree_pages,
    };
    return STATUS_OK;
}

/* A walk over all places, few of which are ever used: nobody but an operator asks. */
enum status memd_list_accounts(struct memd *memd, struct memd_request *request)
{
    const struct memd_account *found = NULL;
    for (uint32_t i = 0; i < memd->account_places.used_count; i++) {
        const struct memd_account *account = &memd->accounts[i];
        if (account->key != 0 && account->key >= request->body.list_accounts.key &&
            (found == NULL || account->key < found->key))
            found = account;
    }
    if (found == NULL)
        return STATUS_NOT_FOUND;
    request->reply.list_accounts = (struct memd_list_accounts_reply){
        .key = found->key,
        .parent_key = found->parent == 0 ? 0 : memd->accounts[found->parent - 1].key,
        .guarantee_pages = found->guarantee_pages,
        .limit_pages = found->limit_pages,
        .frame_pages = found->held_pages - found->untyped_pages,
        .untyped_pages = found->untyped_pages,
        .claim_pages = found->claim_pages,
        .tree_pages = found->tree_pages,
    };
    return STATUS_OK;
}

enum status memd_query_memory(struct memd *memd, struct memd_request *request)
{
    UNIT_ASSERT(memd->taken_pages <= memd->claimed_pages); /* M7 */
    request->reply.query_memory = (struct memd_query_memory_reply){
        .total_pages = memd->total_pages,
        .free_pages = memd->total_pages - memd->claimed_pages,
        .reserve_pages = memd->claimed_pages - memd->taken_pages,
        .handed_out_pages = memd->taken_pages,
        .account_count = memd->account_places.held_count,
    };
    return STATUS_OK;
}

/* --- one message ----------------------------------------------------------------------------- */

#define SERVICE       memd
#define SERVICE_TABLE "abi/messages/memd.def"
#include "services/lib/unfold_rows.h"

/* Badge 0 is an administrator, the badge of an open account is that account. */
static uint32_t sender(const void *service, void *in_hand)
{
    const struct memd *memd = service;
    struct memd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    if (badge == 0)
        return FROM_ADMIN;
    memd_link link = memd_account_by_badge(memd, badge);
    if (badge == ROLE_TESTER || badge == ROLE_ATTACKS)
        return FROM_TESTER; /* no account's: those lie above every role id */
    if (badge <= ROLE_ID_MAX && role_inspects((uint32_t)badge))
        return FROM_INSPECTOR;
    if (link == 0)
        return 0;
    request->account_index = link - 1;
    return FROM_ACCOUNT;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled memd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct memd *memd = state;
    struct memd_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &memd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, memd, &request.common);
}

/* --- start ----------------------------------------------------------------------------------- */

/* One source, of the size that the kernel tells. */
static enum status source_add(struct memd *memd, uint32_t slot)
{
    struct kernel_query_local_cap_reply held;
    enum status status = kernel_query_local_cap(&memd->caller, slot, QUERY_EXACT, &held);
    if (status != STATUS_OK)
        return status;
    if (held.object_type != OBJECT_UNTYPED || held.size_pages == 0 ||
        __builtin_add_overflow(memd->total_pages, held.size_pages, &memd->total_pages))
        return STATUS_INTERNAL;
    UNIT_ASSERT(memd->source_count < SLOT_UNTYPED_COUNT); /* an envelope names a slot once */
    memd->sources[memd->source_count++] =
        (struct memd_source){.slot = slot, .total_pages = held.size_pages};
    return STATUS_OK;
}

/* As many records as the table holds whole, and as have a slot. */
static void table_take(struct memd *memd, const struct envelope *envelope, void *frame_table)
{
    uint64_t bytes = role_table_pages(ROLE_MEMD, envelope->memory_pages) * PAGE_BYTES;
    uint64_t records = bytes / sizeof memd->frames[0];
    memd->frames = frame_table;
    memd->frame_limit = records < MEMD_FRAME_LIMIT ? (uint32_t)records : MEMD_FRAME_LIMIT;
}

enum status memd_init(struct memd *memd, const struct envelope *envelope, void *frame_table)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < envelope->entry_count && status == STATUS_OK; i++) {
        uint32_t slot = envelope->entries[i].slot;
        if (envelope->entries[i].object_type == OBJECT_UNTYPED && slot >= SLOT_UNTYPED_BASE &&
            slot < SLOT_UNTYPED_BASE + SLOT_UNTYPED_COUNT)
            status = source_add(memd, slot);
    }
    if (status != STATUS_OK) {
        memset(memd->sources, 0, sizeof memd->sources);
        memd->source_count = 0;
        memd->total_pages = 0;
        return status;
    }
    table_take(memd, envelope, frame_table);
    if (memd->total_pages > memd->frame_limit)
        memd->total_pages = memd->frame_limit; /* no more pages than records (memd.h) */
    return STATUS_OK;
}

/* What memd_prepare needs, and where the table lies. */
struct starting {
    struct memd *memd;
    void *frame_table;
};

static enum status memd_prepare(void *state, const struct envelope *start)
{
    const struct starting *starting = state;
    return memd_init(starting->memd, start, starting->frame_table);
}

static const char *unsound(const void *state)
{
    const struct starting *starting = state;
    return memd_check(starting->memd);
}

void memd_run(struct memd *memd, void *frame_table)
{
    struct starting starting = {memd, frame_table};
    struct envelope envelope;
    enum status status =
        service_start(&memd->caller, ROLE_MEMD, &envelope, memd_prepare, unsound, &starting);
    service_serve(&memd->caller, status, memd_handle, memd);
}
