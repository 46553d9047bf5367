/* SPDX-License-Identifier: ISC */
/* The calls that pagerd makes, all down the rank (E5): vspaced, memd by the account's capability,
 * kernel control. Each function does one effect whole or gives back what it took (E4); none touches
 * registrations or fills. */
#include "abi/messages/memd.h"
#include "abi/messages/vspaced.h"
#include "services/pagerd/internal.h"

#include <string.h>

static const struct window no_window = {0, 0};

/* A call within the time that a peer has; the capabilities of its reply arrive in the window. */
static enum status ask(struct pagerd *pagerd, uint32_t slot, enum service_id service, uint16_t id,
                       const void *request, struct window window, void *reply)
{
    const struct operation *operation = operation_find(service, id);
    if (operation == NULL)
        return STATUS_UNSUPPORTED;
    return caller_call(&pagerd->caller, slot, operation, request, window,
                       deadline_after(pagerd->now_ticks, PAGERD_PEER_TICKS), reply);
}

static enum status ask_vspaced(struct pagerd *pagerd, uint16_t id, const void *request)
{
    uint64_t nothing = 0;
    return ask(pagerd, SLOT_PEER_VSPACED, SERVICE_VSPACED, id, request, no_window, &nothing);
}

/* --- address spaces -------------------------------------------------------------------------- */

enum status pagerd_release_vspace(struct pagerd *pagerd, uint32_t vspace_cap_slot)
{
    struct vspaced_unregister_vspace_request request = {.vspace_cap_slot = vspace_cap_slot};
    return ask_vspaced(pagerd, OP_VSPACED_UNREGISTER_VSPACE, &request);
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
            status = ask_vspaced(pagerd, OP_VSPACED_GUARD, &guard);
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
    };
    struct vspaced_register_vspace_reply adopted;
    enum status status = ask(pagerd, SLOT_PEER_VSPACED, SERVICE_VSPACED, OP_VSPACED_REGISTER_VSPACE,
                             &adopt, no_window, &adopted);
    if (status != STATUS_OK)
        return status;
    status = place_guards(pagerd, request, adopted.vspace_cap_slot);
    if (status == STATUS_OK)
        status = kernel_self_move(&pagerd->caller, request->account_slot, account_slot);
    if (status != STATUS_OK) {
        /* The guards go with it. */
        (void)pagerd_release_vspace(pagerd, adopted.vspace_cap_slot);
        return status;
    }
    *vspace_cap_slot = adopted.vspace_cap_slot;
    return STATUS_OK;
}

/* --- pages ----------------------------------------------------------------------------------- */

static enum status map_anonymous(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                                 const struct pagerd_supply *supply)
{
    struct vspaced_map_anonymous_request request = {
        .vspace_cap_slot = vspace_cap_slot,
        .rights = supply->rights,
        .va = supply->va,
        .page_count = 1,
    };
    return ask_vspaced(pagerd, OP_VSPACED_MAP_ANONYMOUS, &request);
}

/* Sends the frame or image capability with the rights of the mapping and no more (K1). */
static enum status map_frame(struct pagerd *pagerd,
                             const struct vspaced_map_frames_request *request)
{
    const struct operation *operation = operation_find(SERVICE_VSPACED, OP_VSPACED_MAP_FRAMES);
    struct message message;
    uint64_t nothing = 0;
    if (operation == NULL)
        return STATUS_UNSUPPORTED;
    memset(&message, 0, sizeof message);
    enum status status = message_encode(operation->request, request, &message);
    if (status != STATUS_OK)
        return STATUS_INTERNAL;
    message.caps[0].rights = (uint16_t)(RIGHT_MAP | request->rights);
    return caller_call_message(&pagerd->caller, SLOT_PEER_VSPACED, operation, &message, no_window,
                               deadline_after(pagerd->now_ticks, PAGERD_PEER_TICKS), &nothing);
}

static enum status map_image(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                             const struct pagerd_supply *supply)
{
    struct vspaced_map_frames_request request = {
        .vspace_cap_slot = vspace_cap_slot,
        .rights = supply->rights,
        .va = supply->va,
        .frame_page = supply->image_offset >> PAGE_SHIFT,
        .page_count = 1,
        .frame_slot = SLOT_IMAGE,
    };
    return map_frame(pagerd, &request);
}

/* Makes sure that the scratch slot is empty, should the kernel have refused to empty it before. */
static bool scratch_ready(struct pagerd *pagerd)
{
    if (pagerd->scratch_full != 0) {
        enum status status = kernel_self_drop(&pagerd->caller, PAGERD_SCRATCH_SLOT);
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
    enum status status = ask(pagerd, account_slot, SERVICE_MEMD, OP_MEMD_ALLOC_FRAMES, &request,
                             (struct window){PAGERD_SCRATCH_SLOT, 1}, &reply);
    *frame_id = reply.frame_id_0;
    if (status == STATUS_OK || status == STATUS_EXHAUSTED)
        return status;
    return STATUS_INTERNAL; /* BUSY here would not mean that the page is there */
}

static void return_frame(struct pagerd *pagerd, uint32_t account_slot, uint32_t frame_id)
{
    struct memd_free_frames_request request = {.count = 1, .frame_ids = {{frame_id}}};
    uint64_t nothing = 0;
    (void)ask(pagerd, account_slot, SERVICE_MEMD, OP_MEMD_FREE_FRAMES, &request, no_window,
              &nothing); /* refused: it stays the account's until that is closed */
}

/* Frame, bytes, mapping; vspaced keeps a capability of its own. */
static enum status map_copy(struct pagerd *pagerd, uint32_t vspace_cap_slot, uint32_t account_slot,
                            const struct pagerd_supply *supply)
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
                               supply->image_offset, PAGERD_SCRATCH_SLOT, 0, supply->copy_bytes);
    status = status == STATUS_OK ? map_frame(pagerd, &request) : STATUS_INTERNAL;
    pagerd->scratch_full = 1;
    (void)scratch_ready(pagerd);
    if (status != STATUS_OK)
        return_frame(pagerd, account_slot, frame_id);
    return status;
}

enum status pagerd_supply_page(struct pagerd *pagerd, uint32_t vspace_cap_slot,
                               uint32_t account_slot, const struct pagerd_supply *supply)
{
    switch (supply->backing) {
    case BACKING_ANONYMOUS:
        return map_anonymous(pagerd, vspace_cap_slot, supply);
    case BACKING_IMAGE:
        return map_image(pagerd, vspace_cap_slot, supply);
    case BACKING_COPY:
        return map_copy(pagerd, vspace_cap_slot, account_slot, supply);
    }
    return STATUS_INTERNAL;
}
