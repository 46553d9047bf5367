/* SPDX-License-Identifier: ISC */
/* The model of pagerd, the fills: what was done against what had to be done, who waits and whose
 * turn it is, how a page comes to be, and what its faulters are told. */
#include "props/models/model_pagerd_inside.h"

#include <string.h>

#include "props/base/marks.h"
#include "props/base/property.h"
#include "props/models/model_pagerd_areas.h"

/* --- what pagerd did, against what it had to do ---------------------------------------------- */

static const char *const what_names[5] = {"what-0", "what-1", "what-2", "what-3", "what-4"};

/* An answer is one faulter's (G1), everything else serves a page (G4). */
static void expect_equal(bool answer, const char *what, uint64_t done, uint64_t wanted)
{
    if (done != wanted)
        property_differs_of[answer ? PROPERTY_G1 : PROPERTY_G4](what, "done", done, "wanted",
                                                                wanted, __FILE__, __LINE__);
}

static bool is_peer_call(enum pagerd_act act)
{
    return act <= ACT_FREE_FRAMES;
}

/* The next thing done must be this one. A peer that did not answer in time took all the time that
 * it had. */
struct pagerd_event model_pagerd_expect(struct model_pagerd *model, enum pagerd_act act, uint64_t a,
                                        uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    struct pagerd_log *log = model->log;
    PROPERTY(G1, "missing", log->used < log->count);
    const struct pagerd_event *event = &log->events[log->used++];
    bool answer = act == ACT_ANSWER || event->act == ACT_ANSWER;
    const uint64_t what[5] = {a, b, c, d, e};
    expect_equal(answer, "act", event->act, act);
    for (unsigned i = 0; i < 5; i++)
        expect_equal(answer, what_names[i], event->what[i], what[i]);
    if (event->result == STATUS_TIMED_OUT && is_peer_call(act))
        model->now += MODEL_PAGERD_PEER;
    return *event;
}

/* --- rows ------------------------------------------------------------------------------------ */

struct model_pagerd_process *model_pagerd_process(struct model_pagerd *model, uint64_t token)
{
    for (unsigned i = 0; i < model->process_count; i++)
        if (model->tokens[i] == token)
            return &model->processes[i];
    return NULL;
}

struct model_pagerd_fill *model_pagerd_fill(struct model_pagerd *model, uint64_t token,
                                            uint64_t page)
{
    for (unsigned i = 0; i < model->fill_count; i++)
        if (model->fills[i].token == token && model->fills[i].page == page)
            return &model->fills[i];
    return NULL;
}

unsigned model_pagerd_count(const struct model_pagerd *model, enum model_pagerd_wait wait)
{
    unsigned count = 0;
    for (unsigned i = 0; i < model->fill_count; i++)
        count += model->fills[i].wait == wait && !model->fills[i].runs;
    return count;
}

/* The fill that was parked first of all, among those that wait in this way. */
struct model_pagerd_fill *model_pagerd_first(struct model_pagerd *model,
                                             enum model_pagerd_wait wait)
{
    struct model_pagerd_fill *first = NULL;
    for (unsigned i = 0; i < model->fill_count; i++) {
        struct model_pagerd_fill *fill = &model->fills[i];
        bool meant = fill->wait == wait && !fill->runs;
        if (meant && (first == NULL || fill->park_order < first->park_order))
            first = fill;
    }
    return first;
}

static bool has_queued(const struct model_pagerd *model, uint64_t token)
{
    for (unsigned i = 0; i < model->fill_count; i++)
        if (model->fills[i].token == token && model->fills[i].wait == MODEL_QUEUED &&
            !model->fills[i].runs)
            return true;
    return false;
}

void model_pagerd_turn_remove(struct model_pagerd *model, uint64_t token)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < model->turn_count; i++)
        if (model->turns[i] != token)
            model->turns[kept++] = model->turns[i];
    model->turn_count = kept;
}

/* A process whose fill was queued takes a place in the row, once. */
void model_pagerd_turn_add(struct model_pagerd *model, uint64_t token)
{
    for (unsigned i = 0; i < model->turn_count; i++)
        if (model->turns[i] == token)
            return;
    model->turns[model->turn_count++] = token;
}

/* --- answers --------------------------------------------------------------------------------- */

/* The fill is over: its faulters hear of it in order of arrival, and it is gone. */
void model_pagerd_finish(struct model_pagerd *model, uint64_t id, enum end_reason reason)
{
    unsigned at = 0;
    while (model->fills[at].id != id)
        at++;
    struct model_pagerd_process *process = model_pagerd_process(model, model->fills[at].token);
    unsigned kept = 0;
    for (unsigned i = 0; i < model->faulter_count; i++) {
        struct model_pagerd_faulter faulter = model->faulters[i];
        if (faulter.fill_id != id) {
            model->faulters[kept++] = faulter;
            continue;
        }
        model_pagerd_expect(model, ACT_ANSWER, faulter.slot, faulter.request_id,
                            reason == END_NONE ? FAULT_RESOLVED : FAULT_END, reason, 0);
        process->resolved += reason == END_NONE;
    }
    model->faulter_count = kept;
    memmove(&model->fills[at], &model->fills[at + 1],
            (model->fill_count - at - 1) * sizeof model->fills[0]);
    model->fill_count--;
}

static void fill_without_faulters(struct model_pagerd *model, uint64_t id)
{
    for (unsigned i = 0; i < model->faulter_count; i++)
        if (MARK_IF("pagerd: one of several who wait is gone", model->faulters[i].fill_id == id))
            return;
    unsigned at = 0;
    while (model->fills[at].id != id)
        at++;
    uint64_t token = model->fills[at].token;
    MARK_IF("pagerd: nobody waits for its turn", model->fills[at].wait == MODEL_QUEUED);
    MARK_IF("pagerd: nobody waits for memory", model->fills[at].wait == MODEL_PARKED);
    model_pagerd_finish(model, id, END_NONE);
    if (!has_queued(model, token))
        model_pagerd_turn_remove(model, token);
}

bool model_pagerd_slot_again(struct model_pagerd *model, uint64_t slot)
{
    for (unsigned i = 0; i < model->faulter_count; i++) {
        uint64_t fill_id = model->faulters[i].fill_id;
        if (model->faulters[i].slot != slot)
            continue;
        model->faulter_count--;
        memmove(&model->faulters[i], &model->faulters[i + 1],
                (model->faulter_count - i) * sizeof model->faulters[0]);
        fill_without_faulters(model, fill_id);
        return true;
    }
    return false;
}

/* --- pages ----------------------------------------------------------------------------------- */

/* A frame in the scratch slot waits for nothing but the kernel. */
static bool hands_free(struct model_pagerd *model)
{
    if (model->stuck_frame == 0)
        return true;
    MARK("pagerd: scratch slot stuck");
    if (!model_pagerd_is_done(
            model_pagerd_expect(model, ACT_DROP_FRAME, model->stuck_frame, 0, 0, 0, 0).result))
        return false;
    model->stuck_frame = 0;
    return true;
}

/* A frame with the bytes of the page, mapped; or everything given back, unless it may be mapped. */
static enum status private_copy(struct model_pagerd *model, struct model_pagerd_process *process,
                                const struct pagerd_area *area, uint64_t page)
{
    if (!hands_free(model))
        return STATUS_EXHAUSTED;
    struct pagerd_event got =
        model_pagerd_expect(model, ACT_ALLOC_FRAMES, process->account, 1, 0, 0, 0);
    if (got.result == STATUS_EXHAUSTED || got.result == STATUS_OVER_LIMIT ||
        got.result == STATUS_TIMED_OUT)
        return got.result;
    if (got.result != STATUS_OK)
        return STATUS_INTERNAL;
    enum status status = STATUS_INTERNAL;
    struct pagerd_event copied =
        model_pagerd_expect(model, ACT_FRAME_COPY, model_file_offset_in(area, page), got.out,
                            model_file_byte_first(area, page), model_file_bytes_in(area, page), 0);
    if (copied.result == STATUS_OK)
        status = model_pagerd_expect(model, ACT_MAP_FRAME, process->space, page, area->rights, 1,
                                     got.out)
                     .result;
    if (!model_pagerd_is_done(
            model_pagerd_expect(model, ACT_DROP_FRAME, got.out, 0, 0, 0, 0).result))
        model->stuck_frame = got.out;
    if (status == STATUS_OK)
        return STATUS_OK;
    if (status == STATUS_TIMED_OUT) {
        process->doubt_page = page;
        process->doubt_pages = 1;
        process->owed_frame = got.out;
        return status;
    }
    MARK("pagerd: frame given back");
    if (!model_pagerd_give_back(model, process->account, got.out))
        process->owed_frame = got.out;
    return status;
}

void model_pagerd_came(struct model_pagerd *model, struct model_pagerd_process *process,
                       uint64_t page, uint64_t count)
{
    process->pages += count;
    process->got_last = page + (count - 1) * PAGE_BYTES;
    for (uint64_t i = 0; i < count; i++) {
        struct model_pagerd_fill *fill =
            model_pagerd_fill(model, process->token, page + i * PAGE_BYTES);
        if (fill != NULL)
            fill->there = true;
        MARK_IF("pagerd: a neighbour that somebody waited for", fill != NULL && i != 0);
    }
}

static enum status zero_pages(struct model_pagerd *model, struct model_pagerd_process *process,
                              const struct pagerd_area *area, uint64_t page, uint64_t count)
{
    enum status status =
        model_pagerd_expect(model, ACT_MAP_ANONYMOUS, process->space, page, area->rights, count, 0)
            .result;
    MARK_IF("pagerd: neighbours in doubt", status == STATUS_TIMED_OUT && count != 1);
    if (status == STATUS_TIMED_OUT) {
        process->doubt_page = page;
        process->doubt_pages = count;
    }
    if (status == STATUS_OK)
        model_pagerd_came(model, process, page, count);
    return status;
}

/* Whoever walks, and may, gets pages of the area one by one until they are four, or the next one
 * lies below another page table, or it may have no more. */
static enum status zero_page(struct model_pagerd *model, struct model_pagerd_process *process,
                             const struct model_pagerd_fill *fill, const struct pagerd_area *area)
{
    bool behind = process->got_last != 0 && process->got_last + PAGE_BYTES == fill->page;
    bool walks = behind && process->flags == REGISTER_FAULT_AROUND;
    uint64_t count = 1;
    MARK_IF("pagerd: walks, and may not", behind && !walks);
    while (walks && fill->park_order == 0 && count < MODEL_PAGERD_WALK &&
           (fill->page + count * PAGE_BYTES) % MODEL_PAGERD_TABLE != 0 &&
           model_area_of(process, fill->page + count * PAGE_BYTES) == area &&
           process->pages + count < process->page_limit)
        count++;
    MARK_IF("pagerd: a walk ends with its area",
            walks && count == 1 && model_area_of(process, fill->page + PAGE_BYTES) != area);
    MARK_IF("pagerd: a walk at the page limit",
            walks && count < MODEL_PAGERD_WALK && process->pages + count == process->page_limit);
    MARK_IF("pagerd: a walk ends with its page table",
            walks && fill->park_order == 0 && count < MODEL_PAGERD_WALK &&
                (fill->page + count * PAGE_BYTES) % MODEL_PAGERD_TABLE == 0);
    MARK_IF("pagerd: alone on a walk, having waited", walks && fill->park_order != 0);
    enum status status = zero_pages(model, process, area, fill->page, count);
    MARK_IF("pagerd: neighbours on a walk", status == STATUS_OK && count != 1);
    if (status == STATUS_OK || status == STATUS_TIMED_OUT || count == 1)
        return status;
    MARK("pagerd: a walk without neighbours");
    return zero_pages(model, process, area, fill->page, 1);
}

/* A page of the process's own: not before it is known what became of the last one. */
static enum status own_page(struct model_pagerd *model, struct model_pagerd_process *process,
                            const struct model_pagerd_fill *fill)
{
    const struct pagerd_area *area = model_area_of(process, fill->page);
    enum status status = model_pagerd_settle_page(model, process);
    if (status != STATUS_OK)
        return status;
    if (MARK_IF("pagerd: came after its deadline", fill->there))
        return STATUS_BUSY;
    if (MARK_IF("pagerd: page limit reached while waiting for the turn",
                process->pages >= process->page_limit))
        return STATUS_OVER_LIMIT;
    if (model_file_bytes_in(area, fill->page) == 0)
        return zero_page(model, process, fill, area);
    MARK_IF("pagerd: a tail of code copied", (area->rights & RIGHT_EXECUTE) != 0);
    MARK_IF("pagerd: a read-only tail copied", (area->rights & RIGHTS_MAPPING) == RIGHT_READ);
    MARK_IF("pagerd: a first page with zeros in front",
            model_file_byte_first(area, fill->page) != 0);
    status = private_copy(model, process, area, fill->page);
    if (status == STATUS_OK)
        model_pagerd_came(model, process, fill->page, 1);
    return status;
}

static enum status image_pages(struct model_pagerd *model, struct model_pagerd_process *process,
                               const struct pagerd_area *area, uint64_t page, uint64_t count)
{
    return model_pagerd_expect(model, ACT_MAP_IMAGE, process->space, page, area->rights, count,
                               model_file_offset_in(area, page) / PAGE_BYTES)
        .result;
}

/* A page that is the image's own, as is every page from `first` to `end` of its block: page by page,
 * until one is of another area or not the image's. */
static enum status shared_page(struct model_pagerd *model, struct model_pagerd_process *process,
                               const struct pagerd_area *area, uint64_t page)
{
    uint64_t block = page / PAGE_BYTES / MODEL_PAGERD_BLOCK;
    uint64_t first = page;
    uint64_t end = page + PAGE_BYTES;
    while ((first / PAGE_BYTES - 1) / MODEL_PAGERD_BLOCK == block &&
           first - PAGE_BYTES >= area->va && model_is_shared(area, first - PAGE_BYTES))
        first -= PAGE_BYTES;
    while (end / PAGE_BYTES / MODEL_PAGERD_BLOCK == block && model_area_of(process, end) == area &&
           model_is_shared(area, end))
        end += PAGE_BYTES;
    uint64_t count = (end - first) / PAGE_BYTES;
    enum status status = image_pages(model, process, area, first, count);
    MARK_IF("pagerd: neighbours came along", status == STATUS_OK && count != 1);
    MARK_IF("pagerd: neighbours in front", status == STATUS_OK && first != page);
    MARK_IF("pagerd: shared behind a first page that is not",
            status == STATUS_OK && first != area->va && first - PAGE_BYTES == area->va);
    MARK_IF("pagerd: a whole block", status == STATUS_OK && count == MODEL_PAGERD_BLOCK);
    if (status == STATUS_OK || status == STATUS_TIMED_OUT || count == 1)
        return status;
    MARK("pagerd: a page without its neighbours");
    return image_pages(model, process, area, page, 1);
}

static enum status supply(struct model_pagerd *model, struct model_pagerd_process *process,
                          const struct model_pagerd_fill *fill)
{
    const struct pagerd_area *area = model_area_of(process, fill->page);
    if (!model_is_shared(area, fill->page))
        return own_page(model, process, fill);
    if (MARK_IF("pagerd: of a shared page only the books", fill->there))
        return STATUS_BUSY;
    MARK_IF("pagerd: alone after a time-out", fill->timed_out);
    if (MARK_IF("pagerd: a shared page alone, having waited", fill->park_order != 0))
        return image_pages(model, process, area, fill->page, 1);
    return shared_page(model, process, area, fill->page);
}

/* --- turns ----------------------------------------------------------------------------------- */

static void park(struct model_pagerd *model, struct model_pagerd_fill *fill)
{
    if (model_pagerd_count(model, MODEL_PARKED) == 0)
        model->wake_at = model->now + MODEL_PAGERD_RETRY;
    if (fill->park_order == 0) {
        fill->parked_first = model->now;
        fill->park_order = ++model->park_orders;
    }
    fill->wait = MODEL_PARKED;
    fill->runs = false;
}

/* vspaced has a page there: it is the one that was asked for, or the process ends (G7). False: its
 * books did not say so in time, for the first time. */
static bool present(struct model_pagerd *model, struct model_pagerd_process *process,
                    struct model_pagerd_fill *fill, enum end_reason *reason)
{
    struct pagerd_event event =
        model_pagerd_expect(model, ACT_QUERY_REGION, process->space, fill->page, 0, 0, 0);
    bool there = event.result == STATUS_OK && (fill->asked & ~event.out) == 0;
    bool late = event.result == STATUS_TIMED_OUT;
    fill->there = true;
    MARK_IF("pagerd: page there without the right", !there && event.result == STATUS_OK);
    if (MARK_IF("pagerd: the books were late", late && !fill->books_late)) {
        fill->books_late = true;
        park(model, fill);
        return false;
    }
    MARK_IF("pagerd: the books were late twice", late);
    *reason = there ? END_NONE : END_FAULT_BACKING;
    if (MARK_IF("pagerd: page was there", there)) {
        process->vain_page = fill->page;
        process->vain_rights = fill->asked;
    }
    return true;
}

/* What the faulters are told; false: they wait on. */
static bool verdict(struct model_pagerd *model, struct model_pagerd_process *process,
                    struct model_pagerd_fill *fill, enum status status, enum end_reason *reason)
{
    bool waited = fill->park_order != 0 && model->now - fill->parked_first >= MODEL_PAGERD_WAIT;
    bool late = status == STATUS_TIMED_OUT;
    *reason = END_FAULT_BACKING;
    if (MARK_IF("pagerd: waits after a time-out", late && !fill->timed_out) ||
        (status == STATUS_EXHAUSTED && !waited)) {
        fill->timed_out |= late;
        park(model, fill);
        return false;
    }
    MARK_IF("pagerd: timed out twice", late);
    if (status == STATUS_BUSY)
        return present(model, process, fill, reason);
    if (status == STATUS_OK)
        *reason = END_NONE;
    else if (MARK_IF("pagerd: waited too long", status == STATUS_EXHAUSTED))
        *reason = END_FAULT_MEMORY;
    else if (MARK_IF("pagerd: over a limit", status == STATUS_OVER_LIMIT))
        *reason = END_FAULT_PAGE_LIMIT;
    else if (MARK_IF("pagerd: over the budget", status == STATUS_OVER_BUDGET))
        *reason = END_FAULT_BUDGET;
    return true;
}

/* True: its faulters wait no more. */
static bool run_fill(struct model_pagerd *model, struct model_pagerd_fill *fill)
{
    struct model_pagerd_process *process = model_pagerd_process(model, fill->token);
    enum end_reason reason;
    enum status status = supply(model, process, fill);
    model_pagerd_note_open_page(model, process);
    if (!verdict(model, process, fill, status, &reason))
        return false;
    MARK_IF("pagerd: resumed after out-of-frames", reason == END_NONE && fill->park_order != 0);
    model_pagerd_finish(model, fill->id, reason);
    return true;
}

/* Turns go round the processes that have queued fills; each turn is that process's oldest. */
static void run_new(struct model_pagerd *model)
{
    uint64_t token = model->turns[0];
    struct model_pagerd_fill *fill = model->fills;
    while (fill->token != token || fill->wait != MODEL_QUEUED)
        fill++;
    model_pagerd_turn_remove(model, token);
    fill->runs = true;
    if (has_queued(model, token))
        model_pagerd_turn_add(model, token);
    if (model->new_turns != 0)
        model->new_turns--;
    run_fill(model, fill);
}

static void run_woken(struct model_pagerd *model)
{
    struct model_pagerd_fill *fill = model_pagerd_first(model, MODEL_WOKEN);
    fill->runs = true;
    bool over = run_fill(model, fill);
    if (model_pagerd_count(model, MODEL_WOKEN) != 0)
        return;
    struct model_pagerd_fill *next = model_pagerd_first(model, MODEL_PARKED);
    if (model->wakes)
        model->new_turns = MODEL_PAGERD_TURNS;
    else if (over && next != NULL)
        next->wait = MODEL_WOKEN;
}

/* Wakes all, when that is due and neither they nor new fills have turns before. */
static void wake_all(struct model_pagerd *model)
{
    if (!model->wakes || model_pagerd_count(model, MODEL_WOKEN) != 0)
        return;
    if (MARK_IF("pagerd: new fills between two rounds of the parked",
                model->new_turns != 0 && model->turn_count != 0))
        return;
    for (unsigned i = 0; i < model->fill_count; i++)
        if (model->fills[i].wait == MODEL_PARKED)
            model->fills[i].wait = MODEL_WOKEN;
    model->wakes = false;
    model->new_turns = 0;
}

void model_pagerd_run(struct model_pagerd *model)
{
    for (unsigned turn = 0; turn < MODEL_PAGERD_TURNS; turn++) {
        wake_all(model);
        struct model_pagerd_fill *first = model_pagerd_first(model, MODEL_PARKED);
        bool look = turn == 0 && !model->wakes && model_pagerd_count(model, MODEL_WOKEN) == 0;
        if (MARK_IF("pagerd: the parked before a new one",
                    look && model->turn_count != 0 && first != NULL))
            first->wait = MODEL_WOKEN;
        if (model_pagerd_count(model, MODEL_WOKEN) != 0)
            run_woken(model);
        else if (model->turn_count != 0)
            run_new(model);
    }
    MARK_IF("pagerd: turns ran out",
            model->turn_count != 0 || model_pagerd_count(model, MODEL_WOKEN) != 0);
}
