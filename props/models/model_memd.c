/* SPDX-License-Identifier: ISC */
/* The model of memd. Clear rather than quick: every question is a search, every sum is summed. */
#include "props/models/model_memd.h"

#include <string.h>

#include "abi/roles.h"
#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/memd.h"
#include "props/base/property.h"

void model_memd_reset(struct model_memd *model)
{
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

static uint64_t total(const struct model_memd *model)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < model->source_count; i++)
        sum += model->total_pages[i];
    return sum;
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
    return total(model) - model_memd_taken(model);
}

uint64_t model_memd_held(const struct model_memd *model, const struct model_memd_account *account)
{
    uint32_t index = (uint32_t)(account - model->accounts);
    return held_by(model, index, false) + held_by(model, index, true);
}

/* --- who --- */

const struct model_memd_account *model_memd_account(const struct model_memd *model, uint64_t badge)
{
    for (uint32_t i = 0; i < model->account_count; i++)
        if (model->accounts[i].open && model->accounts[i].named &&
            model->accounts[i].badge == badge)
            return &model->accounts[i];
    return NULL;
}

static struct model_memd_account *account_by_id(struct model_memd *model, uint32_t id)
{
    for (uint32_t i = 0; i < model->account_count; i++)
        if (model->accounts[i].open && model->accounts[i].named && model->accounts[i].id == id)
            return &model->accounts[i];
    return NULL;
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

void model_memd_stuck(struct model_memd *model, uint64_t badge, uint32_t source, uint32_t id,
                      uint32_t object)
{
    HARNESS(model->holding_count < MODEL_MEMD_HOLDING_LIMIT && source < model->source_count);
    model->taken_pages[source]++;
    model->holdings[model->holding_count++] = (struct model_memd_holding){
        .named = true,
        .id = id,
        .account = (uint32_t)(model_memd_account(model, badge) - model->accounts),
        .source = source,
        .pages = 1,
        .object = object,
    };
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

static bool pages_allowed(const struct model_memd *model, uint32_t account, uint64_t pages)
{
    const struct model_memd_account *who = &model->accounts[account];
    uint64_t left = model_memd_left(model);
    uint64_t kept = who->account_class == ACCOUNT_RESERVE ? 0 : MODEL_MEMD_RESERVE_PAGES;
    uint64_t used = held_by(model, account, false) + held_by(model, account, true);
    /* Sums of things below 2^64 by far: the limit itself is the only number that is not. */
    return left >= kept + pages && used + pages <= who->limit_pages;
}

static void alloc(struct model_memd *model, uint32_t account, bool untyped, uint32_t count,
                  const struct model_failure *failure, struct model_memd_answer *answer)
{
    bool room = !untyped || source_with(model, count) < model->source_count;
    if (!pages_allowed(model, account, count) || !room) {
        answer->status = STATUS_EXHAUSTED;
        return;
    }
    if (failure->count != 0) {
        answer->status = failure->status;
        answer->stuck = failure->count == 2; /* made, and not destroyed either */
        answer->changed = answer->stuck;
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

/* Untypeds, then frames, the newest first, until one cannot be taken back. */
static void close_account(struct model_memd *model, struct model_memd_account *account,
                          const struct model_failure *failure, struct model_memd_answer *answer)
{
    if (account == NULL) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    uint32_t index = (uint32_t)(account - model->accounts);
    uint64_t before = model_memd_taken(model);
    for (uint64_t calls = 0;; calls++) {
        struct model_memd_holding *holding = newest(model, index, true);
        if (holding == NULL)
            holding = newest(model, index, false);
        if (holding == NULL)
            break;
        bool fails = failure->count != 0 && calls == failure->calls_before;
        if (fails || holding->busy) {
            answer->status = fails ? failure->status : STATUS_BUSY;
            answer->changed = calls != 0;
            return;
        }
        holding_remove(model, holding);
    }
    account->open = false;
    answer->released_pages = before - model_memd_taken(model);
}

static void open_account(struct model_memd *model, const struct memd_open_account_request *request,
                         struct model_memd_answer *answer)
{
    HARNESS(model->account_count < MODEL_MEMD_ACCOUNT_LIMIT);
    model->accounts[model->account_count++] = (struct model_memd_account){
        .open = true,
        .limit_pages = request->limit_pages,
        .account_class = request->account_class,
    };
    answer->new_count = 1;
}

static void query_memory(const struct model_memd *model, struct model_memd_answer *answer)
{
    uint64_t left = model_memd_left(model);
    uint64_t reserve = left < MODEL_MEMD_RESERVE_PAGES ? left : MODEL_MEMD_RESERVE_PAGES;
    answer->memory = (struct memd_query_memory_reply){
        .total_pages = total(model),
        .free_pages = left - reserve,
        .reserve_pages = reserve,
        .handed_out_pages = model_memd_taken(model),
    };
    for (uint32_t i = 0; i < model->account_count; i++)
        answer->memory.account_count += model->accounts[i].open;
}

union model_request {
    struct memd_open_account_request open_account;
    struct memd_close_account_request close_account;
    struct memd_alloc_frames_request alloc_frames;
    struct memd_free_frames_request free_frames;
    struct memd_alloc_untyped_request alloc_untyped;
    struct memd_free_untyped_request free_untyped;
};

static void query_account(const struct model_memd *model, uint32_t account,
                          struct model_memd_answer *answer)
{
    answer->account = (struct memd_query_account_reply){
        .limit_pages = model->accounts[account].limit_pages,
        .frame_pages = held_by(model, account, false),
        .untyped_pages = held_by(model, account, true),
    };
}

/* Whose operation it is: an administrator's, or an account's. */
static bool is_for_admin(uint16_t id)
{
    switch (id) {
    case OP_MEMD_OPEN_ACCOUNT:
    case OP_MEMD_CLOSE_ACCOUNT:
    case OP_MEMD_QUERY_MEMORY:
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
        open_account(model, &request->open_account, answer);
        return;
    case OP_MEMD_CLOSE_ACCOUNT:
        close_account(model, account_by_id(model, request->close_account.account_id), failure,
                      answer);
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
    bool reads_book = id == OP_MEMD_QUERY_MEMORY && badge == ROLE_TESTER;
    if (answer.status == STATUS_OK &&
        (is_for_admin(id) ? badge != 0 && !reads_book : account == NULL))
        answer.status = STATUS_DENIED;
    if (answer.status != STATUS_OK)
        return answer;
    uint32_t index = account == NULL ? 0 : (uint32_t)(account - model->accounts);
    perform(model, index, id, &body, failure, &answer);
    answer.changed |= answer.status == STATUS_OK;
    if (answer.status == STATUS_OK && answer.new_count != 0 && failure->reply != STATUS_OK)
        answer.status = failure->reply; /* done, and nobody to take it */
    return answer;
}
