/* SPDX-License-Identifier: ISC */
/* The model of memd. Clear rather than quick: every question is a search, every sum is summed, and
 * whether a change is allowed is seen by asking the rule of every account after it. */
#include "props/models/model_memd.h"

#include <string.h>

#include "abi/roles.h"
#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/memd.h"
#include "props/base/property.h"

enum { CLOSE_STEPS = 64, DEPTH_LIMIT = 16, UNTYPED_LIMIT = 2048 }; /* of the contract */

__extension__ typedef unsigned __int128 wide;

void model_memd_reset(struct model_memd *model, uint64_t frame_limit)
{
    model->frame_limit = frame_limit;
    model->source_count = 0;
    model->account_count = 0;
    model->holding_count = 0;
}

void model_memd_add_source(struct model_memd *model, uint64_t pages)
{
    model->total_pages[model->source_count] = pages;
    model->taken_pages[model->source_count] = 0;
    model->source_count++;
}

/* --- sums --- */

uint64_t model_memd_taken(const struct model_memd *model)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < model->holding_count; i++)
        sum += model->holdings[i].pages;
    return sum;
}

uint64_t model_memd_total(const struct model_memd *model)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < model->source_count; i++)
        sum += model->total_pages[i];
    return sum < model->frame_limit ? sum : model->frame_limit;
}

uint32_t model_memd_count(const struct model_memd *model, bool untyped)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->holding_count; i++)
        count += model->holdings[i].untyped == untyped;
    return count;
}

static uint64_t held_by(const struct model_memd *model, uint32_t account, bool untyped)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < model->holding_count; i++)
        if (model->holdings[i].account == account && model->holdings[i].untyped == untyped)
            sum += model->holdings[i].pages;
    return sum;
}

uint64_t model_memd_left(const struct model_memd *model)
{
    return model_memd_total(model) - model_memd_taken(model);
}

uint64_t model_memd_held(const struct model_memd *model, uint32_t account)
{
    return held_by(model, account, false) + held_by(model, account, true);
}

uint64_t model_memd_reserve(const struct model_memd *model)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < model->account_count; i++) {
        uint64_t held = model_memd_held(model, i);
        if (model->accounts[i].open && held < model->accounts[i].guarantee_pages)
            sum += model->accounts[i].guarantee_pages - held;
    }
    return sum;
}

/* --- the tree --- */

static bool is_below(const struct model_memd *model, uint32_t account, uint32_t parent)
{
    return model->accounts[account].open && model->accounts[account].parent == parent;
}

/* With `extra` pages more in the account `taker`. */
static wide claim(const struct model_memd *model, uint32_t account, uint32_t taker, wide extra)
{
    wide sum = model_memd_held(model, account) + (account == taker ? extra : 0);
    if (sum < model->accounts[account].guarantee_pages)
        sum = model->accounts[account].guarantee_pages;
    for (uint32_t i = 0; i < model->account_count; i++)
        if (is_below(model, i, account))
            sum += claim(model, i, taker, extra);
    return sum;
}

/* The one rule, asked of every account. */
static enum status rule(const struct model_memd *model, uint32_t taker, wide extra)
{
    wide top = 0;
    for (uint32_t i = 0; i < model->account_count; i++) {
        if (!model->accounts[i].open)
            continue;
        wide claimed = claim(model, i, taker, extra);
        if (claimed > model->accounts[i].limit_pages)
            return STATUS_OVER_LIMIT;
        if (model->accounts[i].parent == MODEL_MEMD_NO_PARENT)
            top += claimed;
    }
    return top > model_memd_total(model) ? STATUS_EXHAUSTED : STATUS_OK;
}

static uint64_t tree_pages(const struct model_memd *model, uint32_t account)
{
    uint64_t sum = model_memd_held(model, account);
    for (uint32_t i = 0; i < model->account_count; i++)
        if (is_below(model, i, account))
            sum += tree_pages(model, i);
    return sum;
}

static uint32_t tree_count(const struct model_memd *model, uint32_t account)
{
    uint32_t sum = 1;
    for (uint32_t i = 0; i < model->account_count; i++)
        if (is_below(model, i, account))
            sum += tree_count(model, i);
    return sum;
}

static uint32_t depth(const struct model_memd *model, uint32_t account)
{
    return account == MODEL_MEMD_NO_PARENT ? 0 : 1 + depth(model, model->accounts[account].parent);
}

bool model_memd_is_dead(const struct model_memd *model, uint32_t account)
{
    return account != MODEL_MEMD_NO_PARENT &&
           (model->accounts[account].closing ||
            model_memd_is_dead(model, model->accounts[account].parent));
}

/* --- who --- */

const struct model_memd_account *model_memd_account(const struct model_memd *model, uint64_t badge)
{
    for (uint32_t i = 0; i < model->account_count; i++)
        if (model->accounts[i].open && model->accounts[i].named &&
            model->accounts[i].badge == badge && !model_memd_is_dead(model, i))
            return &model->accounts[i];
    return NULL;
}

/* account_count: none. */
static uint32_t account_by_key(const struct model_memd *model, uint64_t key)
{
    uint32_t i = 0;
    while (i < model->account_count && (!model->accounts[i].open || model->accounts[i].key != key))
        i++;
    return i;
}

static struct model_memd_holding *holding_by_id(struct model_memd *model, uint32_t account,
                                                bool untyped, uint32_t id)
{
    for (uint32_t i = 0; i < model->holding_count; i++) {
        struct model_memd_holding *holding = &model->holdings[i];
        if (holding->named && holding->id == id && holding->untyped == untyped &&
            holding->account == account)
            return holding;
    }
    return NULL;
}

/* --- changes --- */

/* The first source with that many pages left; source_count: none. */
static uint32_t source_with(const struct model_memd *model, uint64_t pages)
{
    for (uint32_t i = 0; i < model->source_count; i++)
        if (model->total_pages[i] - model->taken_pages[i] >= pages)
            return i;
    return model->source_count;
}

static void holding_add(struct model_memd *model, uint32_t account, bool untyped, uint32_t pages)
{
    uint32_t source = source_with(model, pages);
    HARNESS(source < model->source_count);
    HARNESS(model->holding_count < MODEL_MEMD_HOLDING_LIMIT);
    model->taken_pages[source] += pages;
    model->holdings[model->holding_count++] = (struct model_memd_holding){
        .untyped = untyped, .account = account, .source = source, .pages = pages};
}

void model_memd_stuck(struct model_memd *model, uint64_t badge,
                      const struct model_memd_holding *holding)
{
    HARNESS(model->holding_count < MODEL_MEMD_HOLDING_LIMIT);
    HARNESS(holding->source < model->source_count);
    struct model_memd_holding *added = &model->holdings[model->holding_count++];
    *added = *holding;
    added->account = (uint32_t)(model_memd_account(model, badge) - model->accounts);
    model->taken_pages[added->source] += added->pages;
}

static void holding_remove(struct model_memd *model, struct model_memd_holding *holding)
{
    uint32_t index = (uint32_t)(holding - model->holdings);
    model->taken_pages[holding->source] -= holding->pages;
    model->holding_count--;
    memmove(holding, holding + 1, (model->holding_count - index) * sizeof *holding);
}

/* The newest of an account; null: it holds none of that sort. */
static struct model_memd_holding *newest(struct model_memd *model, uint32_t account, bool untyped)
{
    for (uint32_t i = model->holding_count; i-- > 0;)
        if (model->holdings[i].account == account && model->holdings[i].untyped == untyped)
            return &model->holdings[i];
    return NULL;
}

/* --- operations --- */

static enum status alloc_verdict(const struct model_memd *model, uint32_t account, bool untyped,
                                 uint32_t count)
{
    uint64_t held = model_memd_held(model, account);
    enum status status = STATUS_OK;
    if (held + count > model->accounts[account].guarantee_pages)
        status = rule(model, account, count);
    if (status == STATUS_OK && untyped &&
        (source_with(model, count) == model->source_count ||
         model_memd_count(model, true) == UNTYPED_LIMIT))
        status = STATUS_EXHAUSTED;
    return status;
}

/* A call that fails is a RETYPE, and calls that fail after it are DESTROYs of the undo; when the
 * reply was refused, every RETYPE had worked. */
static void alloc(struct model_memd *model, uint32_t account, bool untyped, uint32_t count,
                  const struct model_failure *failure, struct model_memd_answer *answer)
{
    answer->status = alloc_verdict(model, account, untyped, count);
    if (answer->status != STATUS_OK)
        return;
    if (failure->reply != STATUS_OK || failure->count != 0) {
        bool undelivered = failure->reply != STATUS_OK;
        answer->status = undelivered ? failure->reply : failure->status;
        answer->stuck_count = failure->count - (undelivered ? 0 : 1);
        answer->changed = answer->stuck_count != 0;
        return;
    }
    answer->new_count = untyped ? 1 : count;
    for (uint32_t i = 0; i < answer->new_count; i++)
        holding_add(model, account, untyped, untyped ? count : 1);
}

static void free_frames(struct model_memd *model, uint32_t account,
                        const struct memd_free_frames_request *request,
                        const struct model_failure *failure, struct model_memd_answer *answer)
{
    for (uint32_t i = 0; i < request->count; i++) {
        uint32_t id = request->frame_ids[i].frame_id;
        bool repeated = false;
        for (uint32_t j = 0; j < i; j++)
            repeated |= request->frame_ids[j].frame_id == id;
        if (holding_by_id(model, account, false, id) == NULL)
            answer->status = STATUS_NOT_FOUND;
        else if (repeated)
            answer->status = STATUS_DUPLICATE;
        if (answer->status != STATUS_OK)
            return;
    }
    uint64_t done = request->count;
    if (failure->count != 0) {
        done = failure->calls_before;
        answer->status = failure->status;
        answer->changed = done != 0;
    }
    for (uint64_t i = 0; i < done; i++) {
        uint32_t id = request->frame_ids[request->count - 1 - i].frame_id;
        holding_remove(model, holding_by_id(model, account, false, id));
    }
}

static void free_untyped(struct model_memd *model, uint32_t account, uint32_t id,
                         const struct model_failure *failure, struct model_memd_answer *answer)
{
    struct model_memd_holding *holding = holding_by_id(model, account, true, id);
    if (holding == NULL)
        answer->status = STATUS_NOT_FOUND;
    else if (failure->count != 0)
        answer->status = failure->status;
    else if (holding->busy)
        answer->status = STATUS_BUSY;
    else
        holding_remove(model, holding);
}

/* The account that is emptied next: by the youngest child of each, as far down as it goes. */
static uint32_t deepest(const struct model_memd *model, uint32_t account)
{
    for (uint32_t i = model->account_count; i-- > 0;)
        if (is_below(model, i, account))
            return deepest(model, i);
    return account;
}

/* Untypeds, then frames, the newest first, then the account. */
static void close_account(struct model_memd *model, uint64_t key,
                          const struct model_failure *failure, struct model_memd_answer *answer)
{
    uint32_t index = account_by_key(model, key);
    uint64_t before = model_memd_taken(model);
    uint64_t calls = 0;
    if (index == model->account_count) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    answer->changed = true;
    model->accounts[index].closing = true;
    for (uint32_t i = 0; i < CLOSE_STEPS && model->accounts[index].open; i++) {
        uint32_t account = deepest(model, index);
        struct model_memd_holding *holding = newest(model, account, true);
        if (holding == NULL)
            holding = newest(model, account, false);
        bool fails = holding != NULL && failure->count != 0 && calls == failure->calls_before;
        if (fails || (holding != NULL && holding->busy)) {
            answer->status = fails ? failure->status : STATUS_BUSY;
            return;
        }
        if (holding != NULL)
            holding_remove(model, holding);
        else
            model->accounts[account].open = false;
        calls += holding != NULL;
    }
    answer->close.released_pages = before - model_memd_taken(model);
    if (!model->accounts[index].open)
        return;
    answer->close.left_pages = tree_pages(model, index);
    answer->close.left_accounts = tree_count(model, index);
}

/* The account of the key is there already. */
static enum status open_again(const struct model_memd *model, uint32_t account, uint32_t parent,
                              const struct memd_open_account_request *request)
{
    const struct model_memd_account *found = &model->accounts[account];
    if (model_memd_is_dead(model, account))
        return STATUS_BUSY;
    bool same = found->parent == parent && found->guarantee_pages == request->guarantee_pages &&
                found->limit_pages == request->limit_pages;
    return same ? STATUS_OK : STATUS_DUPLICATE;
}

static enum status open_new(struct model_memd *model, uint32_t parent,
                            const struct memd_open_account_request *request)
{
    if (parent == model->account_count ||
        (parent != MODEL_MEMD_NO_PARENT && model_memd_is_dead(model, parent)))
        return STATUS_NOT_FOUND;
    if (parent != MODEL_MEMD_NO_PARENT &&
        (request->limit_pages > model->accounts[parent].limit_pages ||
         depth(model, parent) == DEPTH_LIMIT))
        return STATUS_OVER_LIMIT;
    HARNESS(model->account_count < MODEL_MEMD_ACCOUNT_LIMIT);
    model->accounts[model->account_count++] = (struct model_memd_account){
        .open = true,
        .key = request->key,
        .parent = parent,
        .guarantee_pages = request->guarantee_pages,
        .limit_pages = request->limit_pages,
    };
    enum status status = rule(model, MODEL_MEMD_NO_PARENT, 0);
    model->account_count -= status != STATUS_OK;
    return status;
}

static void open_account(struct model_memd *model, const struct memd_open_account_request *request,
                         const struct model_failure *failure, struct model_memd_answer *answer)
{
    uint32_t account = account_by_key(model, request->key);
    uint32_t parent = request->parent_key == 0 ? (uint32_t)MODEL_MEMD_NO_PARENT
                                               : account_by_key(model, request->parent_key);
    answer->account = account; /* a new one comes to the end */
    if (request->guarantee_pages > request->limit_pages)
        answer->status = STATUS_INVALID_ARGUMENT;
    else if (account < model->account_count)
        answer->status = open_again(model, account, parent, request);
    else
        answer->status = open_new(model, parent, request);
    answer->changed = answer->status == STATUS_OK;
    if (answer->status == STATUS_OK && failure->reply != STATUS_OK)
        answer->status = failure->reply; /* done, and nobody to take it: it is asked again */
}

static void query_memory(const struct model_memd *model, struct model_memd_answer *answer)
{
    uint64_t reserve = model_memd_reserve(model);
    answer->memory = (struct memd_query_memory_reply){
        .total_pages = model_memd_total(model),
        .free_pages = model_memd_left(model) - reserve,
        .reserve_pages = reserve,
        .handed_out_pages = model_memd_taken(model),
    };
    for (uint32_t i = 0; i < model->account_count; i++)
        answer->memory.account_count += model->accounts[i].open;
}

static void query_account(const struct model_memd *model, uint32_t account,
                          struct model_memd_answer *answer)
{
    answer->query = (struct memd_query_account_reply){
        .guarantee_pages = model->accounts[account].guarantee_pages,
        .limit_pages = model->accounts[account].limit_pages,
        .frame_pages = held_by(model, account, false),
        .untyped_pages = held_by(model, account, true),
        .claim_pages = (uint64_t)claim(model, account, MODEL_MEMD_NO_PARENT, 0),
        .tree_pages = tree_pages(model, account),
    };
}

/* Asked by key, in the order of keys. */
static void list_accounts(const struct model_memd *model, uint64_t from_key,
                          struct model_memd_answer *answer)
{
    uint32_t found = model->account_count;
    for (uint32_t i = 0; i < model->account_count; i++) {
        const struct model_memd_account *account = &model->accounts[i];
        if (account->open && account->key >= from_key &&
            (found == model->account_count || account->key < model->accounts[found].key))
            found = i;
    }
    if (found == model->account_count) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    uint32_t parent = model->accounts[found].parent;
    query_account(model, found, answer);
    answer->list = (struct memd_list_accounts_reply){
        .key = model->accounts[found].key,
        .parent_key = parent == MODEL_MEMD_NO_PARENT ? 0 : model->accounts[parent].key,
        .guarantee_pages = answer->query.guarantee_pages,
        .limit_pages = answer->query.limit_pages,
        .frame_pages = answer->query.frame_pages,
        .untyped_pages = answer->query.untyped_pages,
        .claim_pages = answer->query.claim_pages,
        .tree_pages = answer->query.tree_pages,
    };
}

union model_request {
    struct memd_list_accounts_request list_accounts;
    struct memd_open_account_request open_account;
    struct memd_close_account_request close_account;
    struct memd_alloc_frames_request alloc_frames;
    struct memd_free_frames_request free_frames;
    struct memd_alloc_untyped_request alloc_untyped;
    struct memd_free_untyped_request free_untyped;
};

/* Whose operation it is: an administrator's, or an account's. */
static bool is_for_admin(uint16_t id)
{
    switch (id) {
    case OP_MEMD_OPEN_ACCOUNT:
    case OP_MEMD_CLOSE_ACCOUNT:
    case OP_MEMD_QUERY_MEMORY:
    case OP_MEMD_LIST_ACCOUNTS:
        return true;
    case OP_MEMD_ALLOC_FRAMES:
    case OP_MEMD_FREE_FRAMES:
    case OP_MEMD_ALLOC_UNTYPED:
    case OP_MEMD_FREE_UNTYPED:
    case OP_MEMD_QUERY_ACCOUNT:
        return false;
    }
    MODEL_KNOWS_NOT(id);
}

static void perform(struct model_memd *model, uint32_t account, uint16_t id,
                    const union model_request *request, const struct model_failure *failure,
                    struct model_memd_answer *answer)
{
    switch (id) {
    case OP_MEMD_OPEN_ACCOUNT:
        open_account(model, &request->open_account, failure, answer);
        return;
    case OP_MEMD_CLOSE_ACCOUNT:
        close_account(model, request->close_account.key, failure, answer);
        return;
    case OP_MEMD_ALLOC_FRAMES:
        alloc(model, account, false, request->alloc_frames.count, failure, answer);
        return;
    case OP_MEMD_FREE_FRAMES:
        free_frames(model, account, &request->free_frames, failure, answer);
        return;
    case OP_MEMD_ALLOC_UNTYPED:
        alloc(model, account, true, request->alloc_untyped.pages, failure, answer);
        return;
    case OP_MEMD_FREE_UNTYPED:
        free_untyped(model, account, request->free_untyped.untyped_id, failure, answer);
        return;
    case OP_MEMD_QUERY_ACCOUNT:
        query_account(model, account, answer);
        return;
    case OP_MEMD_QUERY_MEMORY:
        query_memory(model, answer);
        return;
    case OP_MEMD_LIST_ACCOUNTS:
        list_accounts(model, request->list_accounts.key, answer);
        return;
    }
    MODEL_KNOWS_NOT(id);
}

struct model_memd_answer model_memd_step(struct model_memd *model, const struct message *request,
                                         const struct model_failure *failure)
{
    struct model_memd_answer answer = {.status = STATUS_INVALID_ARGUMENT};
    union model_request body;
    uint16_t id = request->header.operation;
    uint64_t badge = request->header.badge;
    const struct operation *operation = operation_find(SERVICE_MEMD, id);
    const struct model_memd_account *account = model_memd_account(model, badge);
    if (operation != NULL)
        answer.status = message_decode(operation->request, request, &body);
    bool inspects =
        badge == ROLE_CONSOLE || badge == ROLE_TEST_OPERATOR || badge == ROLE_TEST_REAPER;
    bool reads_book = (id == OP_MEMD_QUERY_MEMORY &&
                       (badge == ROLE_TESTER || badge == ROLE_ATTACKS || inspects)) ||
                      (id == OP_MEMD_LIST_ACCOUNTS && inspects);
    if (answer.status == STATUS_OK &&
        (is_for_admin(id) ? badge != 0 && !reads_book : account == NULL))
        answer.status = STATUS_DENIED;
    if (answer.status != STATUS_OK)
        return answer;
    uint32_t index = account == NULL ? 0 : (uint32_t)(account - model->accounts);
    perform(model, index, id, &body, failure, &answer);
    answer.changed |= answer.status == STATUS_OK;
    return answer;
}
