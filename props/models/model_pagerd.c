/* SPDX-License-Identifier: ISC */
/* The model of pagerd: what it is asked, and what it owes. Written from the contract (services/pagerd/pagerd.h), with none of its code:
 * everything is found by walking rows, numbers are wide enough not to wrap. */
#include "props/models/model_pagerd_inside.h"

#include <stddef.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/slots.h"
#include "props/base/marks.h"
#include "props/models/model_pagerd_areas.h"
#include "props/base/property.h"

static void expect_nothing(const struct pagerd_log *log)
{
    PROPERTY_EQUAL(G1, "extra", log->used, log->count);
}

/* One message on its way through the model. */
struct turn {
    const struct model_pagerd_request *request;
    enum status decoded;
    union {
        struct pagerd_register_process_request reg;
        struct pagerd_unregister_process_request unregister;
        struct pagerd_resolve_fault_request resolve;
        struct pagerd_query_faults_request query;
        struct pagerd_give_page_request give;
        struct event_fault_request fault;
    } body;
};

/* --- what is owed ---------------------------------------------------------------------------- */

bool model_pagerd_is_done(enum status status)
{
    return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

/* Something may have come back for those who wait. */
static void wake(struct model_pagerd *model)
{
    model->wakes |=
        model_pagerd_count(model, MODEL_PARKED) + model_pagerd_count(model, MODEL_WOKEN) != 0;
}

static void owe(struct model_pagerd *model, const struct model_pagerd_owed *owed)
{
    MARK("pagerd: something owed");
    if (model->owed_count == 0)
        model->settle_at = model->now + MODEL_PAGERD_RETRY;
    model->owed[model->owed_count++] = *owed;
}

static void owed_remove(struct model_pagerd *model, unsigned at)
{
    memmove(&model->owed[at], &model->owed[at + 1],
            (model->owed_count - at - 1) * sizeof model->owed[0]);
    model->owed_count--;
}

void model_pagerd_note_open_page(struct model_pagerd *model,
                                 const struct model_pagerd_process *process)
{
    bool open = process->doubt_page != 0 || process->owed_frame != 0;
    unsigned at = 0;
    while (at < model->owed_count &&
           (model->owed[at].is_left || model->owed[at].token != process->token))
        at++;
    if (open && at == model->owed_count)
        owe(model, &(struct model_pagerd_owed){.token = process->token});
    else if (!open && at != model->owed_count)
        owed_remove(model, at);
}

/* Its fills are over, without a page. How many there were. */
static uint32_t cancel_all(struct model_pagerd *model, uint64_t token)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < model->fill_count;) {
        if (model->fills[i].token != token) {
            i++;
            continue;
        }
        bool queued = model->fills[i].wait == MODEL_QUEUED;
        MARK_IF("pagerd: cancelled while waiting", !queued);
        MARK_IF("pagerd: cancelled before its turn", queued);
        model_pagerd_finish(model, model->fills[i].id, END_FAULT_BACKING);
        count++;
    }
    model_pagerd_turn_remove(model, token);
    return count;
}

/* What was open about its pages is its account's business now. */
static void close_page(struct model_pagerd *model, struct model_pagerd_process *process)
{
    if (process->owed_frame != 0) {
        HARNESS(model->orphan_count < MODEL_PAGERD_PROCESSES);
        model->orphans[model->orphan_count++] = process->owed_frame;
    }
    process->owed_frame = process->doubt_page = 0;
    model_pagerd_note_open_page(model, process);
}

/* A space of vspaced's has the slot that one who is left still wanted to leave, or that one had who
 * is dead and not unregistered (G2). */
static void successor(struct model_pagerd *model, uint64_t space)
{
    for (unsigned i = 0; i < model->process_count; i++) {
        struct model_pagerd_process *process = &model->processes[i];
        if (!MARK_IF("pagerd: a space is lost", process->space == space))
            continue;
        process->space = 0;
        (void)cancel_all(model, process->token);
        close_page(model, process);
    }
    for (unsigned i = model->owed_count; i-- > 0;) {
        struct model_pagerd_owed *owed = &model->owed[i];
        if (!owed->is_left || owed->space != space)
            continue;
        MARK("pagerd: a successor has the slot");
        owed->space = 0;
        if (!owed->has_account)
            owed_remove(model, i);
    }
}

bool model_pagerd_give_back(struct model_pagerd *model, uint64_t account, uint64_t frame)
{
    enum status status =
        model_pagerd_expect(model, ACT_FREE_FRAMES, account, 1, frame, 0, 0).result;
    if (status == STATUS_OK)
        wake(model);
    return model_pagerd_is_done(status);
}

/* A page in doubt that is there counts, and whoever waits for it need not ask for it again. */
static enum status resolve_doubt(struct model_pagerd *model, struct model_pagerd_process *process)
{
    struct pagerd_event event =
        model_pagerd_expect(model, ACT_QUERY_REGION, process->space, process->doubt_page, 0, 0, 0);
    if (MARK_IF("pagerd: a page stays in doubt",
                event.result != STATUS_OK && event.result != STATUS_NOT_FOUND))
        return event.result == STATUS_TIMED_OUT ? STATUS_TIMED_OUT : STATUS_INTERNAL;
    MARK_IF("pagerd: neighbours in doubt are there",
            event.result == STATUS_OK && process->doubt_pages != 1);
    if (MARK_IF("pagerd: a page in doubt is there", event.result == STATUS_OK)) {
        model_pagerd_came(model, process, process->doubt_page, process->doubt_pages);
        process->owed_frame = 0;
    }
    process->doubt_page = 0;
    return STATUS_OK;
}

enum status model_pagerd_settle_page(struct model_pagerd *model,
                                     struct model_pagerd_process *process)
{
    enum status status = process->doubt_page != 0 ? resolve_doubt(model, process) : STATUS_OK;
    if (status != STATUS_OK || process->owed_frame == 0)
        return status;
    if (!model_pagerd_give_back(model, process->account, process->owed_frame))
        return STATUS_EXHAUSTED;
    process->owed_frame = 0;
    return STATUS_OK;
}

/* One attempt; true: nothing is owed any more. */
static bool settle(struct model_pagerd *model, struct model_pagerd_owed *owed)
{
    if (!owed->is_left)
        return model_pagerd_settle_page(model, model_pagerd_process(model, owed->token)) ==
               STATUS_OK;
    if (owed->space != 0 &&
        model_pagerd_is_done(
            model_pagerd_expect(model, ACT_UNREGISTER_VSPACE, owed->space, 0, 0, 0, 0).result))
        owed->space = 0;
    if (owed->has_account &&
        model_pagerd_is_done(
            model_pagerd_expect(model, ACT_DROP_ACCOUNT, owed->account, 0, 0, 0, 0).result))
        owed->has_account = false;
    return owed->space == 0 && !owed->has_account;
}

static void settle_due(struct model_pagerd *model)
{
    unsigned turns =
        model->owed_count < MODEL_PAGERD_TURNS ? model->owed_count : (unsigned)MODEL_PAGERD_TURNS;
    if (turns == 0 || model->settle_at > model->now)
        return;
    for (unsigned turn = 0; turn < turns; turn++) {
        struct model_pagerd_owed owed = model->owed[0];
        owed_remove(model, 0);
        if (MARK_IF("pagerd: settled later", settle(model, &owed)))
            continue;
        model->owed[model->owed_count++] = owed;
    }
    model->settle_at = model->now + MODEL_PAGERD_RETRY;
}

unsigned model_pagerd_left(const struct model_pagerd *model, unsigned *account_count)
{
    unsigned count = 0;
    *account_count = 0;
    for (unsigned i = 0; i < model->owed_count; i++) {
        count += model->owed[i].is_left;
        *account_count += model->owed[i].is_left && model->owed[i].has_account;
    }
    return count;
}

bool model_pagerd_owes_frame(const struct model_pagerd *model, uint64_t frame_id)
{
    for (unsigned i = 0; i < model->process_count; i++)
        if (model->processes[i].owed_frame == frame_id)
            return true;
    for (unsigned i = 0; i < model->orphan_count; i++)
        if (model->orphans[i] == frame_id)
            return true;
    return false;
}

/* --- registration ---------------------------------------------------------------------------- */

/* What vspaced and the kernel are asked, up to the first refusal. */
static enum status take_space(struct model_pagerd *model, const struct turn *turn, uint64_t *space,
                              bool *leaves)
{
    const struct pagerd_register_process_request *request = &turn->body.reg;
    struct pagerd_event event =
        model_pagerd_expect(model, ACT_REGISTER_VSPACE, turn->request->vspace,
                            turn->request->account, request->region_limit, 0, 0);
    if (event.result != STATUS_OK)
        return event.result;
    *space = event.out;
    for (uint32_t i = 0; i < request->area_count && event.result == STATUS_OK; i++)
        if (request->areas[i].kind == AREA_GUARD)
            event = model_pagerd_expect(
                model, ACT_GUARD, *space, request->areas[i].va,
                (request->areas[i].memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES, 0, 0);
    if (event.result == STATUS_OK)
        event = model_pagerd_expect(model, ACT_KEEP_ACCOUNT, turn->request->account, 0, 0, 0, 0);
    if (event.result == STATUS_OK) {
        successor(model, *space);
        return STATUS_OK;
    }
    MARK("pagerd: undone registration");
    if (!model_pagerd_is_done(
            model_pagerd_expect(model, ACT_UNREGISTER_VSPACE, *space, 0, 0, 0, 0).result)) {
        successor(model, *space);
        owe(model, &(struct model_pagerd_owed){.is_left = true, .space = *space});
        *leaves = true;
    }
    return event.result;
}

static bool table_is_full(const struct model_pagerd *model)
{
    unsigned accounts;
    return model->process_count + model_pagerd_left(model, &accounts) == MODEL_PAGERD_PROCESSES;
}

static enum status register_process(struct model_pagerd *model, const struct turn *turn,
                                    bool *leaves)
{
    const struct pagerd_register_process_request *request = &turn->body.reg;
    if (model_pagerd_process(model, request->token) != NULL)
        return STATUS_BUSY;
    enum status status = model_areas_status(request);
    if (status != STATUS_OK)
        return status;
    if (MARK_IF("pagerd: table full", table_is_full(model)))
        return STATUS_EXHAUSTED;
    struct model_pagerd_process process = {
        .token = request->token,
        .account = turn->request->account,
        .page_limit = request->page_limit,
        .flags = request->flags,
        .area_count = request->area_count,
    };
    status = take_space(model, turn, &process.space, leaves);
    if (status != STATUS_OK)
        return status;
    memcpy(process.areas, request->areas, sizeof process.areas);
    model->tokens[model->process_count] = process.token;
    model->processes[model->process_count++] = process;
    return STATUS_OK;
}

/* --- the operations -------------------------------------------------------------------------- */

/* vspaced and the kernel are told; what they refuse is owed. */
static void leave(struct model_pagerd *model, struct model_pagerd_process *process)
{
    struct model_pagerd_owed owed = {
        .is_left = true, .space = process->space, .account = process->account};
    close_page(model, process);
    if (process->space != 0 &&
        model_pagerd_is_done(
            model_pagerd_expect(model, ACT_UNREGISTER_VSPACE, process->space, 0, 0, 0, 0).result))
        owed.space = 0;
    owed.has_account = !model_pagerd_is_done(
        model_pagerd_expect(model, ACT_DROP_ACCOUNT, process->account, 0, 0, 0, 0).result);
    if (owed.space != 0 || owed.has_account)
        owe(model, &owed);
    model->process_count--;
    model->tokens[process - model->processes] = model->tokens[model->process_count];
    *process = model->processes[model->process_count];
}

static enum status unregister_process(struct model_pagerd *model, uint64_t token,
                                      struct pagerd_unregister_process_reply *reply)
{
    struct model_pagerd_process *process = model_pagerd_process(model, token);
    if (process == NULL)
        return STATUS_NOT_FOUND;
    reply->cancelled_count = cancel_all(model, token);
    leave(model, process);
    wake(model);
    reply->parked_count =
        model_pagerd_count(model, MODEL_PARKED) + model_pagerd_count(model, MODEL_WOKEN);
    return STATUS_OK;
}

/* Parked, or about to be tried again: both wait for what was missing. */
static struct model_pagerd_fill *parked_by_id(struct model_pagerd *model, uint64_t id)
{
    for (unsigned i = 0; i < model->fill_count; i++)
        if (model->fills[i].id == id && model->fills[i].wait != MODEL_QUEUED)
            return &model->fills[i];
    return NULL;
}

static struct model_pagerd_fill *parked_first(struct model_pagerd *model)
{
    struct model_pagerd_fill *parked = model_pagerd_first(model, MODEL_PARKED);
    struct model_pagerd_fill *woken = model_pagerd_first(model, MODEL_WOKEN);
    if (parked == NULL || woken == NULL)
        return parked != NULL ? parked : woken;
    return parked->park_order < woken->park_order ? parked : woken;
}

static void resolve_all(struct model_pagerd *model,
                        const struct pagerd_resolve_fault_request *request)
{
    struct model_pagerd_fill *fill;
    if (request->action == RESOLVE_RETRY)
        wake(model);
    while (request->action == RESOLVE_END && (fill = parked_first(model)) != NULL)
        model_pagerd_finish(model, fill->id, (enum end_reason)request->reason);
}

static enum status resolve(struct model_pagerd *model,
                           const struct pagerd_resolve_fault_request *request, uint64_t *resumed)
{
    bool is_end = request->action == RESOLVE_END;
    struct model_pagerd_fill *fill = parked_by_id(model, request->fault_id);
    if (is_end ? request->reason < END_FAULT_OUTSIDE : request->reason != END_NONE)
        return STATUS_INVALID_ARGUMENT;
    if (request->fault_id != 0 && fill == NULL)
        return STATUS_NOT_FOUND;
    MARK_IF("pagerd: resolved while it is about to be tried again",
            fill != NULL && fill->wait == MODEL_WOKEN);
    *resumed = model_pagerd_count(model, MODEL_PARKED) + model_pagerd_count(model, MODEL_WOKEN);
    if (request->fault_id != 0)
        *resumed = 1;
    if (request->fault_id == 0)
        resolve_all(model, request);
    else if (is_end)
        model_pagerd_finish(model, fill->id, (enum end_reason)request->reason);
    else
        fill->wait = MODEL_WOKEN;
    model_pagerd_run(model);
    return STATUS_OK;
}

static enum status query(struct model_pagerd *model, uint64_t token,
                         struct pagerd_query_faults_reply *reply)
{
    const struct model_pagerd_process *process = model_pagerd_process(model, token);
    if (process == NULL)
        return STATUS_NOT_FOUND;
    *reply = (struct pagerd_query_faults_reply){
        .last_fault_id = process->last_fault_id,
        .fault_count = process->faults,
        .resolved_count = process->resolved,
        .page_count = process->pages,
    };
    for (unsigned i = 0; i < model->fill_count; i++)
        reply->parked_count +=
            model->fills[i].token == token && model->fills[i].wait != MODEL_QUEUED;
    return STATUS_OK;
}

/* --- faults ---------------------------------------------------------------------------------- */

/* NONE: it waits for a fill. */
static enum end_reason fate(struct model_pagerd *model, const struct event_fault_request *fault,
                            uint64_t page)
{
    struct model_pagerd_process *process = model_pagerd_process(model, fault->token);
    enum end_reason reason = model_forbidden(process, fault);
    if (reason != END_NONE)
        return reason;
    if (MARK_IF("pagerd: told in vain",
                process->vain_page == page && (process->vain_rights & model_right(fault->access))))
        return END_FAULT_BACKING;
    if (MARK_IF("pagerd: fault of one whose space is lost", process->space == 0))
        return END_FAULT_BACKING;
    if (model_pagerd_fill(model, fault->token, page) != NULL ||
        model_is_shared(model_area_of(process, page), page) || process->pages < process->page_limit)
        return END_NONE;
    return END_FAULT_PAGE_LIMIT;
}

static bool can_be_kept(uint64_t slot)
{
    return slot >= SLOT_REPLY_BASE && slot < SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
}

/* True when the fault waits, or was answered after the fill's own way. */
static bool fault(struct model_pagerd *model, const struct turn *turn,
                  struct event_fault_reply *reply)
{
    uint64_t token = turn->body.fault.token;
    uint64_t page = turn->body.fault.va / PAGE_BYTES * PAGE_BYTES;
    struct model_pagerd_process *process = model_pagerd_process(model, token);
    enum end_reason reason = fate(model, &turn->body.fault, page);
    *reply = (struct event_fault_reply){FAULT_END, reason};
    if (process == NULL)
        return false;
    process->faults++;
    process->vain_page = process->vain_rights = 0;
    struct model_pagerd_fill *fill =
        reason == END_NONE ? model_pagerd_fill(model, token, page) : NULL;
    MARK_IF("pagerd: second faulter joined", fill != NULL);
    process->last_fault_id = fill != NULL ? fill->id : ++model->last_id;
    if (reason != END_NONE)
        return false;
    if (fill == NULL) {
        fill = &model->fills[model->fill_count++];
        *fill =
            (struct model_pagerd_fill){.id = process->last_fault_id, .token = token, .page = page};
        model_pagerd_turn_add(model, token);
    }
    fill->asked |= model_right(turn->body.fault.access);
    model->faulters[model->faulter_count++] = (struct model_pagerd_faulter){
        process->last_fault_id, turn->request->slot, turn->request->message->header.request_id};
    model_pagerd_run(model);
    return true;
}

/* --- the front ------------------------------------------------------------------------------- */

static void see(struct model_pagerd *model, uint64_t now)
{
    if (now > model->now)
        model->now = now;
}

static const struct operation *row_of(uint16_t id)
{
    return id == OP_EVENT_FAULT ? operation_find(SERVICE_EVENT, id)
                                : operation_find(SERVICE_PAGERD, id);
}

/* Who may send what. */
static enum status admitted(const struct turn *turn)
{
    uint16_t id = turn->request->message->header.operation;
    uint64_t badge = turn->request->message->header.badge;
    if (row_of(id) == NULL)
        return STATUS_INVALID_ARGUMENT;
    if (turn->decoded != STATUS_OK)
        return turn->decoded; /* before anybody asks who sent it */
    switch (id) {
    case OP_PAGERD_REGISTER_PROCESS:
    case OP_PAGERD_UNREGISTER_PROCESS:
    case OP_PAGERD_RESOLVE_FAULT:
    case OP_PAGERD_QUERY_FAULTS:
    case OP_PAGERD_GIVE_PAGE:
        return badge == 0 ? STATUS_OK : STATUS_DENIED;
    case OP_EVENT_FAULT:
        return badge == UINT64_MAX ? STATUS_OK : STATUS_DENIED;
    }
    MODEL_KNOWS_NOT(id);
}

static void perform(struct model_pagerd *model, const struct turn *turn,
                    struct model_pagerd_answer *answer)
{
    uint16_t id = turn->request->message->header.operation;
    switch (id) {
    case OP_PAGERD_REGISTER_PROCESS:
        answer->status = register_process(model, turn, &answer->leaves);
        return;
    case OP_PAGERD_UNREGISTER_PROCESS:
        answer->status =
            unregister_process(model, turn->body.unregister.token, &answer->body.unregister);
        return;
    case OP_PAGERD_RESOLVE_FAULT:
        answer->status = resolve(model, &turn->body.resolve, &answer->body.resolve.resumed_count);
        return;
    case OP_PAGERD_QUERY_FAULTS:
        answer->status = query(model, turn->body.query.token, &answer->body.query);
        return;
    case OP_PAGERD_GIVE_PAGE:
        answer->status = model_pagerd_give(model, &turn->body.give, &answer->leaves);
        return;
    case OP_EVENT_FAULT:
        if (MARK_IF("pagerd: no reply slot to keep", !can_be_kept(turn->request->slot)))
            answer->status = STATUS_INTERNAL;
        else
            answer->later = fault(model, turn, &answer->body.fault);
        return;
    }
    MODEL_KNOWS_NOT(id);
}

struct model_pagerd_answer model_pagerd_step(struct model_pagerd *model,
                                             const struct model_pagerd_request *request,
                                             struct pagerd_log *log)
{
    struct model_pagerd_answer answer;
    struct turn turn = {.request = request};
    const struct operation *row = row_of(request->message->header.operation);
    memset(&answer, 0, sizeof answer);
    model->log = log;
    if (row != NULL)
        turn.decoded = message_decode(row->request, request->message, &turn.body);
    if (request->slot != 0)
        see(model, request->now);
    answer.forgot = model_pagerd_slot_again(model, request->slot);
    answer.later = request->slot == 0;
    answer.status = admitted(&turn);
    if (answer.status == STATUS_OK && !answer.later)
        perform(model, &turn, &answer);
    expect_nothing(log);
    return answer;
}

void model_pagerd_tick(struct model_pagerd *model, uint64_t now, struct pagerd_log *log)
{
    model->log = log;
    see(model, now);
    settle_due(model);
    if (model_pagerd_count(model, MODEL_PARKED) != 0 && model->wake_at <= model->now) {
        wake(model);
        model->wake_at = model->now + MODEL_PAGERD_RETRY;
    }
    model_pagerd_run(model);
    expect_nothing(log);
}

uint64_t model_pagerd_deadline(const struct model_pagerd *model)
{
    uint64_t first = UINT64_MAX;
    if (model->turn_count != 0 || model_pagerd_count(model, MODEL_WOKEN) != 0 || model->wakes)
        return 0;
    if (model_pagerd_count(model, MODEL_PARKED) != 0)
        first = model->wake_at;
    if (model->owed_count != 0 && model->settle_at < first)
        first = model->settle_at;
    return first;
}

void model_pagerd_reset(struct model_pagerd *model)
{
    memset(model, 0, offsetof(struct model_pagerd, tokens));
}
