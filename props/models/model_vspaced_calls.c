/* SPDX-License-Identifier: ISC */
/* The model of vspaced, the calls that it makes, and MAP_ANONYMOUS, which makes most of them. */
#include "props/models/model_vspaced_inside.h"

#include <string.h>

#include "abi/messages/memd.h"
#include "props/base/marks.h"
#include "props/base/property.h"

/* --- calls: in the order of the contract, one of which may fail by plan --- */

static bool call_fails(struct model_vspaced_walk *walk)
{
    return walk->failure->count != 0 && walk->calls++ == walk->failure->calls_before;
}

enum status model_vspaced_call(struct model_vspaced_walk *walk, enum status natural)
{
    return call_fails(walk) ? walk->failure->status : natural;
}

bool model_vspaced_is_done(enum status status)
{
    return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

/* memd takes ids back, all or none. */
enum status model_vspaced_free_call(struct model_vspaced *model, struct model_vspaced_walk *walk,
                                    uint32_t vspace_index, const uint32_t *ids, uint32_t count)
{
    const struct model_vspaced_vspace *vspace = &model->vspaces[vspace_index];
    bool fails = call_fails(walk);
    if (fails && !walk->late)
        return walk->failure->status;
    bool known = vspace->account_held;
    for (uint32_t i = 0; i < count; i++)
        known &= ids[i] < model->id_high && model->ids[ids[i]].live &&
                 model->ids[ids[i]].account == vspace->account;
    for (uint32_t i = 0; known && i < count; i++)
        model_vspaced_frame_destroyed(model, model->ids[ids[i]].object);
    if (fails)
        return STATUS_TIMED_OUT;
    return known ? STATUS_OK : STATUS_NOT_FOUND;
}

void model_vspaced_owe(struct model_vspaced *model, uint32_t vspace, uint32_t frame_id)
{
    HARNESS(model->owed_count < MODEL_VSPACED_OWED_LIMIT);
    MARK("vspaced: a frame owed");
    model->owed[model->owed_count].vspace = vspace;
    model->owed[model->owed_count++].frame_id = frame_id;
}

void model_vspaced_owed_remove(struct model_vspaced *model, uint32_t at)
{
    memmove(&model->owed[at], &model->owed[at + 1],
            (model->owed_count - at - 1) * sizeof model->owed[0]);
    model->owed_count--;
}

/* What was not taken back is offered again, four at most, until one is not taken again. */
void model_vspaced_offer(struct model_vspaced *model, struct model_vspaced_walk *walk)
{
    for (unsigned i = 0; i < 4 && model->owed_count != 0; i++) {
        uint32_t vspace = model->owed[0].vspace;
        uint32_t id = model->owed[0].frame_id;
        bool done = model_vspaced_is_done(model_vspaced_free_call(model, walk, vspace, &id, 1));
        MARK_IF("vspaced: an owed frame settled", done);
        model_vspaced_owed_remove(model, 0);
        if (done)
            continue;
        model_vspaced_owe(model, vspace, id);
        return;
    }
}

/* False: a frame that cannot be dropped is in the way. */
static bool window_ready(struct model_vspaced *model, struct model_vspaced_walk *walk)
{
    for (uint32_t bit = 1; bit < 16; bit <<= 1)
        if ((model->window_filled & bit) != 0 &&
            model_vspaced_is_done(model_vspaced_call(walk, STATUS_OK)))
            model->window_filled &= ~bit;
    return !MARK_IF("vspaced: the frame window is not empty", model->window_filled != 0);
}

/* --- anonymous pages --- */

static enum status memd_status(enum status status)
{
    switch ((uint32_t)status) {
    case STATUS_OK:
    case STATUS_EXHAUSTED:
    case STATUS_OVER_LIMIT:
    case STATUS_NOT_FOUND:
    case STATUS_TIMED_OUT:
    case STATUS_PEER_DIED:
        return status;
    }
    return STATUS_INTERNAL;
}

/* What memd says to a batch. */
static enum status batch_status(const struct model_vspaced *model,
                                const struct model_vspaced_vspace *vspace, uint32_t taken,
                                uint32_t batch)
{
    uint32_t held = model->account_held[vspace->account] + taken;
    if (!vspace->account_held)
        return STATUS_NOT_FOUND;
    if (held + batch > model->account_limit[vspace->account])
        return STATUS_OVER_LIMIT;
    return taken + batch > model->pool_left ? STATUS_EXHAUSTED : STATUS_OK;
}

/* memd and the kernel for each batch of four. *taken:
 * frames that were allocated, *mapped: pages. */
static enum status anonymous_calls(struct model_vspaced *model, struct model_vspaced_walk *walk,
                                   const struct model_vspaced_answer *answer, uint32_t *taken,
                                   uint32_t *mapped)
{
    const struct model_vspaced_vspace *vspace = &model->vspaces[answer->vspace];
    *taken = *mapped = 0;
    while (*taken < answer->page_count) {
        uint32_t rest = (uint32_t)answer->page_count - *taken;
        uint32_t batch = rest < 4 ? rest : 4;
        if (!window_ready(model, walk))
            return STATUS_EXHAUSTED;
        enum status status =
            memd_status(model_vspaced_call(walk, batch_status(model, vspace, *taken, batch)));
        if (status != STATUS_OK)
            return status;
        *taken += batch;
        model->window_filled = (1u << batch) - 1;
        bool there = false; /* from before an UNREGISTER */
        for (uint32_t i = 0; i < batch; i++)
            there |=
                model_vspaced_in_kernel(model, answer->vspace, answer->first_page + *mapped + i);
        status = model_vspaced_call(walk, !vspace->alive ? STATUS_NOT_FOUND
                                          : there        ? STATUS_BUSY
                                                         : STATUS_OK);
        if (status != STATUS_OK)
            return status;
        *mapped += batch;
        model->window_filled = 0;
    }
    return STATUS_OK;
}

/* Everything goes back; what memd does not take is owed. Its ids count up. */
static void anonymous_undo(struct model_vspaced *model, struct model_vspaced_walk *walk,
                           const struct model_vspaced_answer *answer, uint32_t taken,
                           uint32_t mapped, uint32_t first_id)
{
    if (mapped != 0)
        MARK_IF("vspaced: an undo that is refused",
                model_vspaced_call(walk, STATUS_OK) != STATUS_OK);
    (void)window_ready(model, walk);
    if (taken == 0 || model_vspaced_call(walk, STATUS_OK) == STATUS_OK)
        return;
    MARK("vspaced: an undo that is refused");
    for (uint32_t i = 0; i < taken; i++)
        model_vspaced_owe(model, answer->vspace, first_id + i);
}

void model_vspaced_map_anonymous(struct model_vspaced *model,
                                 const struct vspaced_map_anonymous_request *body,
                                 const struct model_vspaced_request *request,
                                 struct model_vspaced_walk *walk,
                                 struct model_vspaced_answer *answer)
{
    uint32_t taken;
    uint32_t mapped;
    answer->status =
        model_vspaced_target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK)
        answer->status = model_vspaced_rights_status(body->rights);
    if (answer->status == STATUS_OK && model_vspaced_any_in_books(model, answer))
        answer->status = STATUS_BUSY;
    if (answer->status == STATUS_OK &&
        !model_vspaced_regions_fit(model, answer,
                                   model_vspaced_change_to(REGION_ANONYMOUS, body->rights, 0)))
        answer->status = STATUS_OVER_LIMIT;
    if (answer->status != STATUS_OK)
        return;
    uint32_t owed_before = model->owed_count;
    uint32_t filled_before = model->window_filled;
    model_vspaced_offer(model, walk);
    answer->status = anonymous_calls(model, walk, answer, &taken, &mapped);
    if (answer->status != STATUS_OK)
        anonymous_undo(model, walk, answer, taken, mapped, request->next_frame_id);
    answer->changed = owed_before != 0 || model->owed_count != 0 || filled_before != 0 ||
                      model->window_filled != 0;
    for (uint64_t i = 0; i < answer->page_count && answer->status == STATUS_OK; i++)
        model_vspaced_put(model, answer, i, REGION_ANONYMOUS, body->rights);
}
