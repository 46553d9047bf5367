/* SPDX-License-Identifier: ISC */
/* The model of pagerd. Written from the contract (services/pagerd/pagerd.h), with none of its code:
 * everything is found by walking rows, numbers are wide enough not to wrap. */
#include "props/models/model_pagerd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/slots.h"
#include "props/base/marks.h"
#include "props/models/model_pagerd_areas.h"
#include "props/base/property.h"

/* --- what pagerd did, against what it had to do ---------------------------------------------- */

static const char *const what_names[5] = {"what-0", "what-1", "what-2", "what-3", "what-4"};

/* An answer is one faulter's (G1), everything else serves a page (G4). */
static void expect_equal(bool answer, const char *what, uint64_t done, uint64_t wanted)
{
    if (done != wanted)
        property_unequal(answer ? PROPERTY_G1 : PROPERTY_G4, what, "done", done, "wanted", wanted,
                         __FILE__, __LINE__);
}

/* The next thing done must be this one. */
static struct pagerd_event expect(struct pagerd_log *log, enum pagerd_act act, uint64_t a,
                                  uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    PROPERTY(G1, "missing", log->used < log->count);
    const struct pagerd_event *event = &log->events[log->used++];
    bool answer = act == ACT_ANSWER || event->act == ACT_ANSWER;
    const uint64_t what[5] = {a, b, c, d, e};
    expect_equal(answer, "act", event->act, act);
    for (unsigned i = 0; i < 5; i++)
        expect_equal(answer, what_names[i], event->what[i], what[i]);
    return *event;
}

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
        struct event_fault_request fault;
    } body;
};

/* --- rows ------------------------------------------------------------------------------------ */

static struct model_pagerd_process *process_of(struct model_pagerd *model, uint64_t token)
{
    for (unsigned i = 0; i < model->process_count; i++)
        if (model->tokens[i] == token)
            return &model->processes[i];
    return NULL;
}

static struct model_pagerd_fill *fill_of(struct model_pagerd *model, uint64_t token, uint64_t page)
{
    for (unsigned i = 0; i < model->fill_count; i++)
        if (model->fills[i].token == token && model->fills[i].page == page)
            return &model->fills[i];
    return NULL;
}

static bool has_queued(const struct model_pagerd *model, uint64_t token)
{
    for (unsigned i = 0; i < model->fill_count; i++)
        if (model->fills[i].token == token && !model->fills[i].parked)
            return true;
    return false;
}

static void turn_remove(struct model_pagerd *model, uint64_t token)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < model->turn_count; i++)
        if (model->turns[i] != token)
            model->turns[kept++] = model->turns[i];
    model->turn_count = kept;
}

/* A process whose fill was queued takes a place in the row, once. */
static void turn_add(struct model_pagerd *model, uint64_t token)
{
    for (unsigned i = 0; i < model->turn_count; i++)
        if (model->turns[i] == token)
            return;
    model->turns[model->turn_count++] = token;
}

/* --- registration ---------------------------------------------------------------------------- */

/* What vspaced and the kernel are asked, up to the first refusal. */
static enum status take_space(const struct turn *turn, struct pagerd_log *log, uint64_t *space)
{
    const struct pagerd_register_process_request *request = &turn->body.reg;
    struct pagerd_event event =
        expect(log, ACT_REGISTER_VSPACE, turn->request->vspace, turn->request->account, 0, 0, 0);
    if (event.result != STATUS_OK)
        return event.result;
    *space = event.out;
    for (uint32_t i = 0; i < request->area_count && event.result == STATUS_OK; i++)
        if (request->areas[i].kind == AREA_GUARD)
            event = expect(log, ACT_GUARD, *space, request->areas[i].va,
                           (request->areas[i].memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES, 0, 0);
    if (event.result == STATUS_OK)
        event = expect(log, ACT_KEEP_ACCOUNT, turn->request->account, 0, 0, 0, 0);
    if (event.result == STATUS_OK)
        return STATUS_OK;
    MARK("pagerd: undone registration");
    expect(log, ACT_UNREGISTER_VSPACE, *space, 0, 0, 0, 0);
    return event.result;
}

static enum status register_process(struct model_pagerd *model, const struct turn *turn,
                                    struct pagerd_log *log)
{
    const struct pagerd_register_process_request *request = &turn->body.reg;
    if (process_of(model, request->token) != NULL)
        return STATUS_BUSY;
    enum status status = model_areas_status(request);
    if (status != STATUS_OK)
        return status;
    if (MARK_IF("pagerd: table full", model->process_count + model->lost == MODEL_PAGERD_PROCESSES))
        return STATUS_EXHAUSTED;
    struct model_pagerd_process process = {
        .token = request->token,
        .account = turn->request->account,
        .page_limit = request->page_limit,
        .area_count = request->area_count,
    };
    status = take_space(turn, log, &process.space);
    if (status != STATUS_OK)
        return status;
    memcpy(process.areas, request->areas, sizeof process.areas);
    model->tokens[model->process_count] = process.token;
    model->processes[model->process_count++] = process;
    return STATUS_OK;
}

/* --- answers --------------------------------------------------------------------------------- */

/* The fill is over: its faulters hear of it in order of arrival, and it is gone. */
static void finish(struct model_pagerd *model, uint64_t id, enum end_reason reason,
                   struct pagerd_log *log)
{
    unsigned at = 0;
    while (model->fills[at].id != id)
        at++;
    struct model_pagerd_process *process = process_of(model, model->fills[at].token);
    unsigned kept = 0;
    for (unsigned i = 0; i < model->faulter_count; i++) {
        struct model_pagerd_faulter faulter = model->faulters[i];
        if (faulter.fill_id != id) {
            model->faulters[kept++] = faulter;
            continue;
        }
        expect(log, ACT_ANSWER, faulter.slot, faulter.request_id,
               reason == END_NONE ? FAULT_RESOLVED : FAULT_END, reason, 0);
        process->resolved += reason == END_NONE;
    }
    model->faulter_count = kept;
    memmove(&model->fills[at], &model->fills[at + 1],
            (model->fill_count - at - 1) * sizeof model->fills[0]);
    model->fill_count--;
}

/* --- turns ----------------------------------------------------------------------------------- */

/* A frame with the bytes of the page, mapped; or everything given back. */
static enum status private_copy(struct model_pagerd *model,
                                const struct model_pagerd_process *process,
                                const struct pagerd_area *area, uint64_t page,
                                struct pagerd_log *log)
{
    if (model->stuck_frame != 0) {
        MARK("pagerd: scratch slot stuck");
        struct pagerd_event drop = expect(log, ACT_DROP_FRAME, model->stuck_frame, 0, 0, 0, 0);
        if (drop.result != STATUS_OK && drop.result != STATUS_NOT_FOUND)
            return STATUS_EXHAUSTED;
        model->stuck_frame = 0;
    }
    struct pagerd_event got = expect(log, ACT_ALLOC_FRAMES, process->account, 1, 0, 0, 0);
    if (got.result != STATUS_OK)
        return got.result == STATUS_EXHAUSTED ? STATUS_EXHAUSTED : STATUS_INTERNAL;
    enum status status = STATUS_INTERNAL;
    struct pagerd_event copied = expect(log, ACT_FRAME_COPY, area->file_offset + (page - area->va),
                                        got.out, 0, model_file_bytes_in(area, page), 0);
    if (copied.result == STATUS_OK)
        status = expect(log, ACT_MAP_FRAME, process->space, page, area->rights, 1, got.out).result;
    enum status dropped = expect(log, ACT_DROP_FRAME, got.out, 0, 0, 0, 0).result;
    if (dropped != STATUS_OK && dropped != STATUS_NOT_FOUND)
        model->stuck_frame = got.out;
    if (status != STATUS_OK) {
        MARK("pagerd: frame given back");
        expect(log, ACT_FREE_FRAMES, process->account, 1, got.out, 0, 0);
    }
    return status;
}

static enum status supply(struct model_pagerd *model, const struct model_pagerd_process *process,
                          const struct pagerd_area *area, uint64_t page, struct pagerd_log *log)
{
    if (model_file_bytes_in(area, page) == 0)
        return expect(log, ACT_MAP_ANONYMOUS, process->space, page, area->rights, 1, 0).result;
    if (model_is_shared(area, page))
        return expect(log, ACT_MAP_IMAGE, process->space, page, area->rights, 1,
                      (area->file_offset + (page - area->va)) / PAGE_BYTES)
            .result;
    return private_copy(model, process, area, page, log);
}

static void park(struct model_pagerd *model, struct model_pagerd_fill *fill)
{
    if (!fill->parked_before)
        fill->parked_first = model->now;
    fill->parked_before = true;
    fill->parked = true;
    fill->retry = model->now + MODEL_PAGERD_RETRY;
    fill->park_order = ++model->park_orders;
}

static void run_fill(struct model_pagerd *model, struct model_pagerd_fill *fill,
                     struct pagerd_log *log)
{
    struct model_pagerd_process *process = process_of(model, fill->token);
    const struct pagerd_area *area = model_area_of(process, fill->page);
    bool counts = !model_is_shared(area, fill->page);
    if (counts && process->pages >= process->page_limit) {
        MARK("pagerd: page limit reached while waiting for the turn");
        finish(model, fill->id, END_FAULT_PAGE_LIMIT, log);
        return;
    }
    enum status status = supply(model, process, area, fill->page, log);
    if (status == STATUS_OK && counts)
        process->pages++;
    bool waited = fill->parked_before && model->now - fill->parked_first >= MODEL_PAGERD_WAIT;
    if (status == STATUS_OK || status == STATUS_BUSY) {
        MARK_IF("pagerd: resumed after out-of-frames", fill->parked_before);
        MARK_IF("pagerd: page was there", status == STATUS_BUSY);
        finish(model, fill->id, END_NONE, log);
    } else if (status == STATUS_EXHAUSTED && !waited) {
        park(model, fill);
    } else {
        MARK_IF("pagerd: waited too long", status == STATUS_EXHAUSTED);
        finish(model, fill->id, END_FAULT_BACKING, log);
    }
}

/* Turns go round the processes that have queued fills; each turn is that process's oldest. */
static void run_turns(struct model_pagerd *model, struct pagerd_log *log)
{
    for (unsigned turn = 0; turn < MODEL_PAGERD_TURNS && model->turn_count != 0; turn++) {
        uint64_t token = model->turns[0];
        struct model_pagerd_fill *fill = model->fills;
        while (fill->token != token || fill->parked)
            fill++;
        turn_remove(model, token);
        fill->parked = true; /* its turn is now: no more queued */
        if (has_queued(model, token))
            turn_add(model, token);
        run_fill(model, fill, log);
    }
    MARK_IF("pagerd: turns ran out", model->turn_count != 0);
}

/* The parked fill whose retry comes first. */
static struct model_pagerd_fill *first_parked(struct model_pagerd *model)
{
    struct model_pagerd_fill *first = NULL;
    for (unsigned i = 0; i < model->fill_count; i++) {
        struct model_pagerd_fill *fill = &model->fills[i];
        if (fill->parked && (first == NULL || fill->park_order < first->park_order))
            first = fill;
    }
    return first;
}

static struct model_pagerd_fill *parked_by_id(struct model_pagerd *model, uint64_t id)
{
    for (unsigned i = 0; i < model->fill_count; i++)
        if (model->fills[i].id == id && model->fills[i].parked)
            return &model->fills[i];
    return NULL;
}

static void queue_again(struct model_pagerd *model, struct model_pagerd_fill *fill)
{
    fill->parked = false;
    turn_add(model, fill->token);
}

/* --- the operations -------------------------------------------------------------------------- */

static enum status unregister_process(struct model_pagerd *model, uint64_t token,
                                      struct pagerd_log *log, uint64_t *cancelled)
{
    struct model_pagerd_process *process = process_of(model, token);
    if (process == NULL)
        return STATUS_NOT_FOUND;
    for (unsigned i = 0; i < model->fill_count;) {
        if (model->fills[i].token != token) {
            i++;
            continue;
        }
        MARK_IF("pagerd: cancelled while waiting", model->fills[i].parked);
        MARK_IF("pagerd: cancelled before its turn", !model->fills[i].parked);
        finish(model, model->fills[i].id, END_FAULT_BACKING, log);
        ++*cancelled;
    }
    turn_remove(model, token);
    expect(log, ACT_UNREGISTER_VSPACE, process->space, 0, 0, 0, 0);
    enum status status = expect(log, ACT_DROP_ACCOUNT, process->account, 0, 0, 0, 0).result;
    if (MARK_IF("pagerd: place lost", status != STATUS_OK && status != STATUS_NOT_FOUND))
        model->lost++;
    model->process_count--;
    model->tokens[process - model->processes] = model->tokens[model->process_count];
    *process = model->processes[model->process_count];
    return STATUS_OK;
}

/* Ends or queues one parked fill. */
static void resolve_fill(struct model_pagerd *model, struct model_pagerd_fill *fill,
                         const struct pagerd_resolve_fault_request *request, struct pagerd_log *log)
{
    if (request->action == RESOLVE_RETRY)
        queue_again(model, fill);
    else
        finish(model, fill->id, (enum end_reason)request->reason, log);
}

static enum status resolve(struct model_pagerd *model,
                           const struct pagerd_resolve_fault_request *request,
                           struct pagerd_log *log, uint64_t *resumed)
{
    bool is_end = request->action == RESOLVE_END;
    if (is_end ? request->reason < END_FAULT_OUTSIDE : request->reason != END_NONE)
        return STATUS_INVALID_ARGUMENT;
    for (;;) {
        struct model_pagerd_fill *fill =
            request->fault_id != 0 ? parked_by_id(model, request->fault_id) : first_parked(model);
        if (fill == NULL)
            break;
        resolve_fill(model, fill, request, log);
        ++*resumed;
        if (request->fault_id != 0)
            break;
    }
    if (request->fault_id != 0 && *resumed == 0)
        return STATUS_NOT_FOUND;
    run_turns(model, log);
    return STATUS_OK;
}

static enum status query(struct model_pagerd *model, uint64_t token,
                         struct pagerd_query_faults_reply *reply)
{
    const struct model_pagerd_process *process = process_of(model, token);
    if (process == NULL)
        return STATUS_NOT_FOUND;
    *reply = (struct pagerd_query_faults_reply){
        .last_fault_id = process->last_fault_id,
        .fault_count = process->faults,
        .resolved_count = process->resolved,
        .page_count = process->pages,
    };
    for (unsigned i = 0; i < model->fill_count; i++)
        reply->parked_count += model->fills[i].token == token && model->fills[i].parked;
    return STATUS_OK;
}

/* --- faults ---------------------------------------------------------------------------------- */

static bool waits(struct model_pagerd *model, const struct turn *turn, uint64_t page,
                  struct event_fault_reply *reply)
{
    const struct event_fault_request *fault = &turn->body.fault;
    struct model_pagerd_process *process = process_of(model, fault->token);
    enum end_reason reason = model_forbidden(process, fault);
    *reply = (struct event_fault_reply){reason == END_NONE ? FAULT_RESOLVED : FAULT_END, reason};
    if (reason != END_NONE || fault->present != 0)
        return false;
    if (fill_of(model, fault->token, page) != NULL ||
        model_is_shared(model_area_of(process, page), page) || process->pages < process->page_limit)
        return true;
    *reply = (struct event_fault_reply){FAULT_END, END_FAULT_PAGE_LIMIT};
    return false;
}

static bool slot_free(const struct model_pagerd *model, uint64_t slot)
{
    for (unsigned i = 0; i < model->faulter_count; i++)
        if (model->faulters[i].slot == slot)
            return false;
    return slot >= SLOT_REPLY_BASE && slot < SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
}

/* True when the fault waits, or was answered after the fill's own way. */
static bool fault(struct model_pagerd *model, const struct turn *turn, struct pagerd_log *log,
                  struct event_fault_reply *reply)
{
    uint64_t token = turn->body.fault.token;
    uint64_t page = turn->body.fault.va / PAGE_BYTES * PAGE_BYTES;
    struct model_pagerd_process *process = process_of(model, token);
    bool waiting = waits(model, turn, page, reply);
    if (process == NULL)
        return false;
    process->faults++;
    struct model_pagerd_fill *fill = waiting ? fill_of(model, token, page) : NULL;
    MARK_IF("pagerd: second faulter joined", fill != NULL);
    process->last_fault_id = fill != NULL ? fill->id : ++model->last_id;
    if (!waiting) {
        process->resolved += reply->verdict == FAULT_RESOLVED;
        return false;
    }
    if (fill == NULL) {
        model->fills[model->fill_count++] =
            (struct model_pagerd_fill){.id = process->last_fault_id, .token = token, .page = page};
        turn_add(model, token);
    }
    model->faulters[model->faulter_count++] = (struct model_pagerd_faulter){
        process->last_fault_id, turn->request->slot, turn->request->message->header.request_id};
    run_turns(model, log);
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
        return badge == 0 ? STATUS_OK : STATUS_DENIED;
    case OP_EVENT_FAULT:
        return badge == UINT64_MAX ? STATUS_OK : STATUS_DENIED;
    }
    MODEL_KNOWS_NOT(id);
}

static void perform(struct model_pagerd *model, const struct turn *turn, struct pagerd_log *log,
                    struct model_pagerd_answer *answer)
{
    uint16_t id = turn->request->message->header.operation;
    switch (id) {
    case OP_PAGERD_REGISTER_PROCESS:
        answer->status = register_process(model, turn, log);
        return;
    case OP_PAGERD_UNREGISTER_PROCESS:
        answer->status = unregister_process(model, turn->body.unregister.token, log,
                                            &answer->body.unregister.cancelled_count);
        return;
    case OP_PAGERD_RESOLVE_FAULT:
        answer->status =
            resolve(model, &turn->body.resolve, log, &answer->body.resolve.resumed_count);
        return;
    case OP_PAGERD_QUERY_FAULTS:
        answer->status = query(model, turn->body.query.token, &answer->body.query);
        return;
    case OP_EVENT_FAULT:
        if (MARK_IF("pagerd: reply slot taken or none", !slot_free(model, turn->request->slot)))
            answer->status = STATUS_INTERNAL;
        else
            answer->later = fault(model, turn, log, &answer->body.fault);
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
    if (row != NULL)
        turn.decoded = message_decode(row->request, request->message, &turn.body);
    if (request->slot != 0)
        see(model, request->now);
    answer.later = request->slot == 0;
    answer.status = admitted(&turn);
    if (answer.status == STATUS_OK && !answer.later)
        perform(model, &turn, log, &answer);
    expect_nothing(log);
    return answer;
}

void model_pagerd_tick(struct model_pagerd *model, uint64_t now, struct pagerd_log *log)
{
    see(model, now);
    for (struct model_pagerd_fill *fill;
         (fill = first_parked(model)) != NULL && fill->retry <= model->now;)
        queue_again(model, fill);
    run_turns(model, log);
    expect_nothing(log);
}

uint64_t model_pagerd_deadline(const struct model_pagerd *model)
{
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; i < model->fill_count; i++) {
        if (!model->fills[i].parked)
            return 0;
        if (model->fills[i].retry < first)
            first = model->fills[i].retry;
    }
    return first;
}

void model_pagerd_reset(struct model_pagerd *model)
{
    model->now = 0;
    model->last_id = 0;
    model->park_orders = 0;
    model->stuck_frame = 0;
    model->lost = 0;
    model->process_count = 0;
    model->fill_count = 0;
    model->faulter_count = 0;
    model->turn_count = 0;
}
