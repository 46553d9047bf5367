/* SPDX-License-Identifier: ISC */
/* The calls that pagerd makes, all down the rank (E5): vspaced, memd by the account's capability,
 * kernel control. Each function does one effect whole or gives back what it took (E4); none touches
 * registrations or fills. */
#include "services/pagerd/internal.h"

#include <string.h>

#include "services/lib/call_memd.h"
#include "services/lib/call_vspaced.h"

_Static_assert((int)PAGERD_WALK_PAGES <= (int)VSPACED_ANONYMOUS_PAGES_MAX &&
                   (int)PAGERD_WALK_PAGES <= (int)MEMD_ALLOC_FRAMES_MAX,
               "one message to each of the two has what a walk takes");

/* The time that a peer has, from now on (P12). */
static uint64_t peer_deadline(const struct pagerd *pagerd)
{
    return caller_deadline(&pagerd->caller, PAGERD_PEER_TICKS);
}

/* --- address spaces -------------------------------------------------------------------------- */

bool pagerd_release_vspace(struct pagerd *pagerd, uint32_t vspace_cap_slot)
{
    struct vspaced_unregister_vspace_request request = {.vspace_cap_slot = vspace_cap_slot};
    enum status status = vspaced_call_unregister_vspace(
        &pagerd->caller, SLOT_PEER_VSPACED, NO_WINDOW, peer_deadline(pagerd), &request, NULL);
    return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

static enum status place_guards(struct pagerd *pagerd,
                                const struct pagerd_register_process_request *request,
                                uint32_t vspace_cap_slot)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < request->area_count && status == STATUS_OK; i++) {
        const struct pagerd_area *area = &request->areas[i];
        struct vspaced_guard_request guard = {
            .vspace_cap_slot = vspace_cap_slot,
            .page_count = (uint32_t)pagerd_area_pages(area),
            .va = area->va,
        };
        if (area->kind == AREA_GUARD)
            status = vspaced_call_guard(&pagerd->caller, SLOT_PEER_VSPACED, NO_WINDOW,
                                        peer_deadline(pagerd), &guard, NULL);
    }
    return status;
}

enum status pagerd_adopt_vspace(struct pagerd *pagerd,
                                const struct pagerd_register_process_request *request,
                                uint32_t account_slot, uint32_t *vspace_cap_slot)
{
    struct vspaced_register_vspace_request adopt = {
        .vspace_slot = request->vspace_slot,
        .account_slot = request->account_slot,
        .region_limit = request->region_limit,
    };
    struct vspaced_register_vspace_reply adopted;
    enum status status = vspaced_call_register_vspace(&pagerd->caller, SLOT_PEER_VSPACED, NO_WINDOW,
                                                      peer_deadline(pagerd), &adopt, &adopted);
    if (status != STATUS_OK)
        return status;
    status = place_guards(pagerd, request, adopted.vspace_cap_slot);
    if (status == STATUS_OK)
        status = kernel_move_local_cap(&pagerd->caller, request->account_slot, account_slot);
    if (status == STATUS_OK || !pagerd_release_vspace(pagerd, adopted.vspace_cap_slot))
        *vspace_cap_slot = adopted.vspace_cap_slot; /* released: the guards went with it */
    return status;
}

/* --- pages ----------------------------------------------------------------------------------- */

static enum status map_anonymous(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                                 const struct pagerd_supply *supply)
{
    struct vspaced_map_anonymous_request request = {
        .vspace_cap_slot = vspace_cap_slot,
        .rights = supply->rights,
        .va = supply->va,
        .page_count = supply->block_pages,
    };
    return vspaced_call_map_anonymous(&pagerd->caller, SLOT_PEER_VSPACED, NO_WINDOW,
                                      peer_deadline(pagerd), &request, NULL);
}

/* Sends the frame or image capability with the rights of the mapping and no more (K1). */
static enum status map_frame(struct pagerd *pagerd,
                             const struct vspaced_map_frames_request *request)
{
    const struct message_type *type = &vspaced_map_frames_request_type;
    struct message *message = caller_message(&pagerd->caller);
    enum status status = message_encode(type, request, message);
    if (status != STATUS_OK)
        return STATUS_INTERNAL;
    message->caps[0].rights = (uint16_t)(RIGHT_MAP | request->rights);
    return caller_call_message(&pagerd->caller, SLOT_PEER_VSPACED, NO_WINDOW, peer_deadline(pagerd),
                               type, NULL);
}

static enum status map_image(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                             const struct pagerd_supply *supply)
{
    struct vspaced_map_frames_request request = {
        .vspace_cap_slot = vspace_cap_slot,
        .rights = supply->rights,
        .va = supply->va - ((uint64_t)supply->block_before << PAGE_SHIFT),
        .frame_page = (supply->image_offset >> PAGE_SHIFT) - supply->block_before,
        .page_count = supply->block_pages,
        .frame_slot = SLOT_IMAGE,
    };
    return map_frame(pagerd, &request);
}

/* Makes sure that the scratch slot is empty, should the kernel have refused to empty it before. */
static bool scratch_ready(struct pagerd *pagerd)
{
    if (pagerd->scratch_full != 0) {
        enum status status = kernel_drop_local_cap(&pagerd->caller, PAGERD_SCRATCH_SLOT);
        pagerd->scratch_full = status != STATUS_OK && status != STATUS_NOT_FOUND;
    }
    return pagerd->scratch_full == 0;
}

/* A frame of the account, its capability in the scratch slot. EXHAUSTED: none now. */
static enum status fetch_frame(struct pagerd *pagerd, uint32_t account_slot, uint32_t *frame_id)
{
    struct memd_alloc_frames_request request = {.count = 1};
    struct memd_alloc_frames_reply reply;
    if (!scratch_ready(pagerd))
        return STATUS_EXHAUSTED;
    enum status status = memd_call_alloc_frames(&pagerd->caller, account_slot,
                                                (struct window){PAGERD_SCRATCH_SLOT, 1},
                                                peer_deadline(pagerd), &request, &reply);
    *frame_id = reply.frame_ids[0];
    bool known = status == STATUS_OK || status == STATUS_EXHAUSTED || status == STATUS_OVER_LIMIT ||
                 status == STATUS_TIMED_OUT;
    return known ? status : STATUS_INTERNAL; /* BUSY here would not mean that the page is there */
}

bool pagerd_return_frame(struct pagerd *pagerd, uint32_t account_slot, uint32_t frame_id)
{
    struct memd_free_frames_request request = {.count = 1, .frame_ids = {{frame_id}}};
    enum status status = memd_call_free_frames(&pagerd->caller, account_slot, NO_WINDOW,
                                               peer_deadline(pagerd), &request, NULL);
    if (status == STATUS_OK)
        pagerd_wake(pagerd); /* a page came back */
    return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

/* Frame, bytes, mapping; vspaced keeps a capability of its own. A frame that may be mapped is not
 * given back (K2). */
static enum status map_copy(struct pagerd *pagerd, uint32_t vspace_cap_slot, uint32_t account_slot,
                            const struct pagerd_supply *supply, uint32_t *owed_frame)
{
    uint32_t frame_id = 0;
    enum status status = fetch_frame(pagerd, account_slot, &frame_id);
    if (status != STATUS_OK)
        return status;
    struct vspaced_map_frames_request request = {
        .vspace_cap_slot = vspace_cap_slot,
        .rights = supply->rights,
        .va = supply->va,
        .page_count = 1,
        .frame_id = frame_id,
        .frame_slot = PAGERD_SCRATCH_SLOT,
    };
    status = kernel_frame_copy(&pagerd->caller, SLOT_KERNEL_PAGER_ENDPOINT, SLOT_IMAGE,
                               supply->image_offset, PAGERD_SCRATCH_SLOT, supply->copy_at,
                               supply->copy_bytes);
    status = status == STATUS_OK ? map_frame(pagerd, &request) : STATUS_INTERNAL;
    pagerd->scratch_full = 1;
    (void)scratch_ready(pagerd);
    bool given = status != STATUS_OK && status != STATUS_TIMED_OUT &&
                 pagerd_return_frame(pagerd, account_slot, frame_id);
    *owed_frame = status == STATUS_OK || given ? 0 : frame_id;
    return status;
}

/* The block as it is planned. */
static enum status supply_block(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                                uint32_t account_slot, const struct pagerd_supply *supply,
                                uint32_t *owed_frame)
{
    switch (supply->backing) {
    case BACKING_ANONYMOUS:
        return map_anonymous(pagerd, vspace_cap_slot, supply);
    case BACKING_IMAGE:
        return map_image(pagerd, vspace_cap_slot, supply);
    case BACKING_COPY:
        return map_copy(pagerd, vspace_cap_slot, account_slot, supply, owed_frame);
    }
    return STATUS_INTERNAL;
}

/* Who did not answer in time is not asked for anything more. */
enum status pagerd_supply_page(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                               uint32_t account_slot, struct pagerd_supply *supply,
                               uint32_t *owed_frame)
{
    enum status status = supply_block(pagerd, vspace_cap_slot, account_slot, supply, owed_frame);
    if (status == STATUS_OK || status == STATUS_TIMED_OUT || supply->block_pages == 1)
        return status;
    pagerd_leave_neighbours(supply);
    return supply_block(pagerd, vspace_cap_slot, account_slot, supply, owed_frame);
}

enum status pagerd_map_given(struct pagerd *pagerd, uint32_t vspace_cap_slot, uint32_t rights,
                             const struct pagerd_give_page_request *given)
{
    struct vspaced_map_frames_request request = {
        .vspace_cap_slot = vspace_cap_slot,
        .rights = rights,
        .va = given->va,
        .page_count = 1,
        .frame_id = given->frame_id,
        .frame_slot = given->frame_slot,
    };
    return map_frame(pagerd, &request);
}

enum status pagerd_ask_page(struct pagerd *pagerd, uint32_t vspace_cap_slot, uint64_t va,
                            uint32_t *rights)
{
    struct vspaced_query_region_request request = {.vspace_cap_slot = vspace_cap_slot, .va = va};
    struct vspaced_query_region_reply reply;
    enum status status = vspaced_call_query_region(&pagerd->caller, SLOT_PEER_VSPACED, NO_WINDOW,
                                                   peer_deadline(pagerd), &request, &reply);
    *rights = status == STATUS_OK ? reply.rights : 0;
    return status;
}
