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
    uint32_t allocated;
    uint32_t mapped; /* the first so many pages of the range */
    uint32_t frame_ids[VSPACED_ANONYMOUS_PAGES_MAX];
};

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
    if (vspaced_region_overlap(vspaced, target->space_index, piece->first_page, piece->page_count))
        return STATUS_BUSY;
    int32_t cost = vspaced_region_add_cost(vspaced, target->space_index, piece);
    if (!vspaced_region_room(vspaced, cost) || !vspaced_page_room(vspaced, request->page_count))
        return STATUS_EXHAUSTED;
    return STATUS_OK;
}

/* Takes the next batch of frames into the window. */
static enum status batch_alloc(struct vspaced *vspaced, const struct vspaced_target *target,
                               uint32_t count, uint64_t deadline_ticks, struct anonymous_work *work)
{
    struct window window = {VSPACED_FRAME_WINDOW_SLOT, count};
    struct memd_alloc_frames_request request = {.count = count};
    struct memd_alloc_frames_reply reply;
    enum status status = memd_call_alloc_frames(&vspaced->caller, target->account_slot, window,
                                                deadline_ticks, &request, &reply);
    if (status != STATUS_OK)
        return status;
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

/* Maps the frames of the window and drops their capabilities: the mapping holds, and memd's
 * books. */
static enum status batch_map(struct vspaced *vspaced, const struct vspaced_target *target,
                             uint32_t count, uint32_t rights, struct anonymous_work *work)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        struct kernel_map_frame_request request = {
            .vspace_slot = target->vspace_slot,
            .frame_slot = VSPACED_FRAME_WINDOW_SLOT + i,
            .va = (target->first_page + work->mapped) << PAGE_SHIFT,
            .page_count = 1,
            .rights = rights,
        };
        UNIT_ASSERT(work->mapped < work->allocated);
        status = kernel_map_frame(&vspaced->caller, SLOT_KERNEL_VSPACE_ENDPOINT, &request);
        if (status != STATUS_OK)
            return status;
        work->mapped++;
        status = kernel_drop_local_cap(&vspaced->caller, VSPACED_FRAME_WINDOW_SLOT + i);
    }
    return status;
}

static enum status map_anonymous_perform(struct vspaced *vspaced,
                                         const struct vspaced_target *target, uint32_t rights,
                                         uint64_t deadline_ticks, struct anonymous_work *work)
{
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

/* Undoes map_anonymous_perform(): E4. A slot of the window may be empty; its DROP then does
 * nothing. */
static void map_anonymous_undo(struct vspaced *vspaced, const struct vspaced_target *target,
                               uint64_t deadline_ticks, const struct anonymous_work *work)
{
    if (work->mapped != 0)
        (void)kernel_unmap_frame(&vspaced->caller, SLOT_KERNEL_VSPACE_ENDPOINT, target->vspace_slot,
                                 target->first_page << PAGE_SHIFT, work->mapped);
    for (uint32_t i = 0; i < MEMD_ALLOC_FRAMES_MAX && work->allocated != 0; i++)
        (void)kernel_drop_local_cap(&vspaced->caller, VSPACED_FRAME_WINDOW_SLOT + i);
    (void)vspaced_frames_give_back(vspaced, target, work->frame_ids, work->allocated,
                                   deadline_ticks);
}

enum status vspaced_map_anonymous(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_map_anonymous_request *body = &request->body.map_anonymous;
    uint64_t deadline_ticks = vspaced_memd_deadline(request);
    struct vspaced_target target;
    struct vspaced_piece piece;
    struct anonymous_work work;
    enum status status = map_anonymous_decide(vspaced, body, &target, &piece);
    if (status != STATUS_OK)
        return status;
    memset(&work, 0, sizeof work);
    status = map_anonymous_perform(vspaced, &target, body->rights, deadline_ticks, &work);
    if (status != STATUS_OK) {
        map_anonymous_undo(vspaced, &target, deadline_ticks, &work);
        return status;
    }
    UNIT_ASSERT(work.allocated == target.page_count && work.mapped == target.page_count);
    vspaced_region_add(vspaced, target.space_index, &piece);
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
    if (vspaced_region_overlap(vspaced, target->space_index, piece->first_page, piece->page_count))
        return STATUS_BUSY;
    if (body->frame_id != 0 && vspaced_page_has_frame(vspaced, body->frame_id))
        return STATUS_DUPLICATE;
    return STATUS_OK;
}

static enum status map_frames_room(const struct vspaced *vspaced,
                                   const struct vspaced_target *target, uint32_t frame_id,
                                   const struct vspaced_piece *piece)
{
    int32_t cost = vspaced_region_add_cost(vspaced, target->space_index, piece);
    bool room =
        vspaced_region_room(vspaced, cost) && (frame_id == 0 || vspaced_page_room(vspaced, 1));
    return room ? STATUS_OK : STATUS_EXHAUSTED;
}

enum status vspaced_map_frames(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_map_frames_request *body = &request->body.map_frames;
    struct vspaced_target target;
    struct vspaced_piece piece;
    enum status status = map_frames_decide(vspaced, request, &target, &piece);
    if (status == STATUS_OK)
        status = map_frames_room(vspaced, &target, body->frame_id, &piece);
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
    vspaced_region_add(vspaced, target.space_index, &piece);
    if (body->frame_id != 0)
        vspaced_page_add(vspaced, target.space_index, target.first_page, body->frame_id);
    return STATUS_OK;
}
