/* SPDX-License-Identifier: ISC */
/* The operations of vspaced that map: anonymous pages and what the caller supplies. Decides whether
 * a range may be mapped so; never maps over anything, and leaves nothing half mapped (V3). */
#include <string.h>

#include "services/lib/call_memd.h"
#include "services/vspaced/pages.h"
#include "services/vspaced/regions.h"
#include "services/vspaced/internal.h"

/* --- anonymous pages ------------------------------------------------------------------------- */

_Static_assert((int)VSPACED_FRAME_WINDOW_SLOT + (int)MEMD_ALLOC_FRAMES_MAX <=
                   (int)SLOT_RECEIVE_BASE + (int)SLOT_RECEIVE_COUNT,
               "both windows lie among the receive slots");

/* What a MAP_ANONYMOUS has done so far. */
struct anonymous_work {
    uint32_t allocated; /* the ids of so many are set */
    uint32_t mapped;    /* the first so many pages of the range */
    uint32_t frame_ids[VSPACED_ANONYMOUS_PAGES_MAX];
};

/* OVER_LIMIT: the space has no region for the piece; EXHAUSTED: no place for its frames. */
static enum status map_room(const struct vspaced *vspaced, const struct vspaced_target *target,
                            const struct vspaced_piece *piece, uint32_t frame_count)
{
    int32_t cost = vspaced_region_add_cost(vspaced, target->space_index, piece, target->before);
    if (!vspaced_region_room(vspaced, target->space_index, cost))
        return STATUS_OVER_LIMIT;
    return vspaced_page_room(vspaced, frame_count) ? STATUS_OK : STATUS_EXHAUSTED;
}

static enum status map_anonymous_decide(const struct vspaced *vspaced,
                                        const struct vspaced_map_anonymous_request *request,
                                        struct vspaced_target *target, struct vspaced_piece *piece)
{
    enum status status = vspaced_target_find(vspaced, request->vspace_cap_slot, request->va,
                                             request->page_count, target);
    if (status == STATUS_OK)
        status = vspaced_rights_check(request->rights);
    if (status != STATUS_OK)
        return status;
    *piece = (struct vspaced_piece){
        .first_page = target->first_page,
        .page_count = target->page_count,
        .kind = REGION_ANONYMOUS,
        .rights = (uint16_t)request->rights,
        .rights_mapped = (uint16_t)request->rights,
    };
    if (vspaced_region_overlap(vspaced, target->space_index, piece->first_page, piece->page_count,
                               &target->before))
        return STATUS_BUSY;
    return map_room(vspaced, target, piece, request->page_count);
}

/* Empties the slots that the last frames came in: those that a refused DROP has left. False: one is
 * still in the way (the kernel would answer BUSY, which is no answer about a page). */
static bool window_ready(struct vspaced *vspaced)
{
    for (uint32_t i = 0; i < MEMD_ALLOC_FRAMES_MAX; i++) {
        if ((vspaced->window_filled & 1u << i) == 0)
            continue;
        enum status status = kernel_drop_local_cap(&vspaced->caller, VSPACED_FRAME_WINDOW_SLOT + i);
        if (status == STATUS_OK || status == STATUS_NOT_FOUND)
            vspaced->window_filled &= ~(1u << i);
    }
    return vspaced->window_filled == 0;
}

/* What memd may say to who asks for frames; anything else is no word about memory or a page. */
static enum status memd_status(enum status status)
{
    bool known = status == STATUS_OK || status == STATUS_EXHAUSTED || status == STATUS_OVER_LIMIT ||
                 status == STATUS_NOT_FOUND || status == STATUS_TIMED_OUT ||
                 status == STATUS_PEER_DIED;
    return known ? status : STATUS_INTERNAL;
}

/* Takes the next batch of frames into the window. */
static enum status batch_alloc(struct vspaced *vspaced, const struct vspaced_target *target,
                               uint32_t count, uint64_t deadline_ticks, struct anonymous_work *work)
{
    struct window window = {VSPACED_FRAME_WINDOW_SLOT, count};
    struct memd_alloc_frames_request request = {.count = count};
    struct memd_alloc_frames_reply reply;
    if (!window_ready(vspaced))
        return STATUS_EXHAUSTED;
    enum status status = memd_status(memd_call_alloc_frames(
        &vspaced->caller, target->account_slot, window, deadline_ticks, &request, &reply));
    if (status != STATUS_OK)
        return status;
    vspaced->window_filled = (1u << count) - 1;
    bool as_asked = reply.count == count;
    for (uint32_t i = 0; i < MEMD_ALLOC_FRAMES_MAX; i++) {
        bool wanted = i < count;
        bool delivered = reply.frame_slots[i] == window.first_slot + i;
        as_asked &= (reply.frame_ids[i] != 0) == wanted && delivered == wanted;
        if (wanted && reply.frame_ids[i] != 0) {
            UNIT_ASSERT(work->allocated < VSPACED_ANONYMOUS_PAGES_MAX);
            work->frame_ids[work->allocated++] = reply.frame_ids[i];
        }
    }
    UNIT_ASSERT(!as_asked || work->allocated == work->mapped + count);
    return as_asked ? STATUS_OK : STATUS_INTERNAL;
}

/* Maps the frames of the window and gives up their capabilities: the mapping holds, and memd's
 * books. */
static enum status batch_map(struct vspaced *vspaced, const struct vspaced_target *target,
                             uint32_t count, uint32_t rights, struct anonymous_work *work)
{
    struct kernel_give_frames_request request = {
        .vspace_slot = target->vspace_slot,
        .frame_slot = VSPACED_FRAME_WINDOW_SLOT,
        .va = (target->first_page + work->mapped) << PAGE_SHIFT,
        .count = count,
        .rights = rights,
    };
    UNIT_ASSERT(work->mapped + count <= work->allocated);
    enum status status =
        kernel_give_frames(&vspaced->caller, SLOT_KERNEL_VSPACE_ENDPOINT, &request);
    if (status != STATUS_OK)
        return status;
    work->mapped += count;
    vspaced->window_filled = 0;
    return STATUS_OK;
}

static enum status map_anonymous_perform(struct vspaced *vspaced,
                                         const struct vspaced_target *target, uint32_t rights,
                                         struct anonymous_work *work)
{
    uint64_t deadline_ticks = caller_deadline(&vspaced->caller, VSPACED_MEMD_TICKS);
    enum status status = STATUS_OK;
    while (work->mapped < target->page_count && status == STATUS_OK) {
        uint32_t left = (uint32_t)target->page_count - work->mapped;
        uint32_t count = left < MEMD_ALLOC_FRAMES_MAX ? left : (uint32_t)MEMD_ALLOC_FRAMES_MAX;
        status = batch_alloc(vspaced, target, count, deadline_ticks, work);
        if (status == STATUS_OK)
            status = batch_map(vspaced, target, count, rights, work);
    }
    return status;
}

/* Undoes map_anonymous_perform(): E4. Should the kernel refuse to unmap, the pages go with their
 * frames. */
static void map_anonymous_undo(struct vspaced *vspaced, const struct vspaced_target *target,
                               const struct anonymous_work *work)
{
    if (work->mapped != 0)
        (void)kernel_unmap_frame(&vspaced->caller, SLOT_KERNEL_VSPACE_ENDPOINT, target->vspace_slot,
                                 target->first_page << PAGE_SHIFT, work->mapped);
    (void)window_ready(vspaced);
    (void)vspaced_frames_give_back(vspaced, target, work->frame_ids, work->allocated);
}

enum status vspaced_map_anonymous(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_map_anonymous_request *body = &request->body.map_anonymous;
    struct vspaced_target target;
    struct vspaced_piece piece;
    struct anonymous_work work;
    enum status status = map_anonymous_decide(vspaced, body, &target, &piece);
    if (status != STATUS_OK)
        return status;
    work.allocated = work.mapped = 0;
    vspaced_owed_offer(vspaced);
    status = map_anonymous_perform(vspaced, &target, body->rights, &work);
    if (status != STATUS_OK) {
        map_anonymous_undo(vspaced, &target, &work);
        return status;
    }
    UNIT_ASSERT(work.allocated == target.page_count && work.mapped == target.page_count);
    vspaced_region_add(vspaced, target.space_index, &piece, target.before);
    for (uint32_t i = 0; i < work.allocated; i++)
        vspaced_page_add(vspaced, target.space_index, target.first_page + i, work.frame_ids[i]);
    return STATUS_OK;
}

/* --- what the caller supplies ---------------------------------------------------------------- */

static bool map_frames_shape_allowed(const struct vspaced_map_frames_request *request,
                                     uint32_t cap_type)
{
    if (cap_type == OBJECT_IMAGE)
        return request->frame_id == 0;
    return request->page_count == 1 && request->frame_page == 0;
}

static enum status map_frames_decide(const struct vspaced *vspaced,
                                     const struct vspaced_request *request,
                                     struct vspaced_target *target, struct vspaced_piece *piece)
{
    const struct vspaced_map_frames_request *body = &request->body.map_frames;
    const struct message_cap *cap = &request->common.message->caps[0];
    enum status status =
        vspaced_target_find(vspaced, body->vspace_cap_slot, body->va, body->page_count, target);
    if (status == STATUS_OK)
        status = vspaced_rights_check(body->rights);
    if (status != STATUS_OK)
        return status;
    *piece = (struct vspaced_piece){
        .first_page = target->first_page,
        .page_count = target->page_count,
        .image_page = body->frame_page,
        .kind = cap->object_type == OBJECT_IMAGE ? REGION_IMAGE : REGION_FRAME,
        .rights = (uint16_t)body->rights,
        .rights_mapped = (uint16_t)body->rights,
    };
    if (!map_frames_shape_allowed(body, cap->object_type))
        return STATUS_INVALID_ARGUMENT;
    if ((body->rights & ~cap->rights) != 0)
        return STATUS_DENIED;
    if (vspaced_region_overlap(vspaced, target->space_index, piece->first_page, piece->page_count,
                               &target->before))
        return STATUS_BUSY;
    if (body->frame_id != 0 && vspaced_page_has_frame(vspaced, body->frame_id))
        return STATUS_DUPLICATE;
    return STATUS_OK;
}

enum status vspaced_map_frames(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_map_frames_request *body = &request->body.map_frames;
    struct vspaced_target target;
    struct vspaced_piece piece;
    enum status status = map_frames_decide(vspaced, request, &target, &piece);
    if (status == STATUS_OK)
        status = map_room(vspaced, &target, &piece, body->frame_id != 0);
    if (status != STATUS_OK)
        return status;
    struct kernel_map_frame_request kernel_request = {
        .vspace_slot = target.vspace_slot,
        .frame_slot = body->frame_slot,
        .va = body->va,
        .frame_page = body->frame_page,
        .page_count = body->page_count,
        .rights = body->rights,
    };
    status = kernel_map_frame(&vspaced->caller, SLOT_KERNEL_VSPACE_ENDPOINT, &kernel_request);
    if (status != STATUS_OK)
        return status;
    vspaced_region_add(vspaced, target.space_index, &piece, target.before);
    if (body->frame_id != 0)
        vspaced_page_add(vspaced, target.space_index, target.first_page, body->frame_id);
    return STATUS_OK;
}
