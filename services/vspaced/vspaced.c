/* SPDX-License-Identifier: ISC */
/* vspaced's operations but those that map (map.c). Decides what may become of a registered address
 * space; never selects one by anything other than its vspace_cap_slot (V6), and holds no frame. */
#include "services/vspaced/vspaced.h"

#include <stddef.h>
#include <string.h>

#include "abi/formats/cursor.h"
#include "abi/roles.h"
#include "services/lib/call_memd.h"
#include "services/vspaced/pages.h"
#include "services/vspaced/regions.h"
#include "services/vspaced/internal.h"

/* --- what requests name ---------------------------------------------------------------------- */

static uint32_t space_vspace_slot(uint32_t space_index)
{
    return VSPACED_SLOT_BASE + 2 * space_index;
}

static uint32_t space_account_slot(uint32_t space_index)
{
    return VSPACED_SLOT_BASE + 2 * space_index + 1;
}

/* The space whose vspace capability lies at a slot; 0: none. */
static vspaced_link space_at(const struct vspaced *vspaced, uint32_t slot)
{
    uint32_t offset = slot - VSPACED_SLOT_BASE;
    if (slot < VSPACED_SLOT_BASE || offset % 2 != 0 || offset / 2 >= VSPACED_VSPACE_LIMIT)
        return 0;
    return vspaced->spaces[offset / 2].is_registered ? offset / 2 + 1 : 0;
}

enum status vspaced_target_find(const struct vspaced *vspaced, uint32_t vspace_cap_slot,
                                uint64_t va, uint64_t page_count, struct vspaced_target *target)
{
    vspaced_link link = space_at(vspaced, vspace_cap_slot);
    if (link == 0)
        return STATUS_NOT_FOUND;
    UNIT_ASSERT(page_count != 0 && page_count <= VSPACED_MAP_PAGES_MAX); /* of the row */
    *target = (struct vspaced_target){
        .space_index = link - 1,
        .vspace_slot = space_vspace_slot(link - 1),
        .account_slot = space_account_slot(link - 1),
        .first_page = va >> PAGE_SHIFT,
        .page_count = page_count,
    };
    bool inside = target->first_page >= USER_VA_FIRST >> PAGE_SHIFT &&
                  range_within(target->first_page, page_count, USER_VA_END >> PAGE_SHIFT);
    return inside ? STATUS_OK : STATUS_OUT_OF_RANGE; /* V3, V5 */
}

enum status vspaced_rights_check(uint32_t rights)
{
    if ((rights & RIGHT_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    bool both = (rights & RIGHT_WRITE) != 0 && (rights & RIGHT_EXECUTE) != 0;
    return both ? STATUS_WRITE_AND_EXECUTE : STATUS_OK; /* V2 */
}

/* Whether every page of the range is mapped: covered by regions without a gap, none of them a
 * guard. When `rights_mapped` is given, it becomes what all of them were mapped with. */
static bool target_mapped(const struct vspaced *vspaced, const struct vspaced_target *target,
                          uint16_t *rights_mapped)
{
    uint64_t page = target->first_page;
    uint64_t end_page = target->first_page + target->page_count;
    vspaced_link link = vspaced_region_at(vspaced, target->space_index, page);
    for (; page < end_page; link = vspaced->regions[link - 1].next) {
        if (link == 0)
            return false;
        const struct vspaced_piece *piece = &vspaced->regions[link - 1].piece;
        if (piece->first_page > page || piece->kind == REGION_GUARD)
            return false;
        if (rights_mapped != NULL)
            *rights_mapped &= piece->rights_mapped;
        page = piece->first_page + piece->page_count;
    }
    return true;
}

/* --- registration ---------------------------------------------------------------------------- */

/* Forgets the pages with frames of a range. */
static void pages_forget(struct vspaced *vspaced, uint32_t space_index, uint64_t first_page,
                         uint64_t page_count)
{
    for (uint64_t i = 0; i < page_count; i++)
        vspaced_page_remove(vspaced, space_index, first_page + i);
}

static void space_forget(struct vspaced *vspaced, uint32_t space_index)
{
    for (vspaced_link link = vspaced->spaces[space_index].first_region; link != 0;
         link = vspaced->regions[link - 1].next) {
        const struct vspaced_piece *piece = &vspaced->regions[link - 1].piece;
        if (piece->kind == REGION_ANONYMOUS || piece->kind == REGION_FRAME)
            pages_forget(vspaced, space_index, piece->first_page, piece->page_count);
    }
    vspaced_region_clear(vspaced, space_index);
    vspaced_owed_clear(vspaced, space_index);
    vspaced_space_remove(vspaced, space_index);
}

/* OK: the slot is empty, if only since somebody emptied it before. */
static enum status slot_empty(struct vspaced *vspaced, uint32_t slot)
{
    enum status status = kernel_drop_local_cap(&vspaced->caller, slot);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The account goes first: one that the kernel stopped half way finds its slot empty. */
static enum status space_leave(struct vspaced *vspaced, uint32_t space_index)
{
    enum status status = slot_empty(vspaced, space_account_slot(space_index));
    if (status == STATUS_OK)
        status = slot_empty(vspaced, space_vspace_slot(space_index));
    if (status == STATUS_OK)
        space_forget(vspaced, space_index);
    return status;
}

/* Is it alive? The kernel answers for a dead one too, without its rights. */
static bool vspace_lives(const struct kernel_query_local_cap_reply *held)
{
    return held->object_type == OBJECT_VSPACE && (held->rights & RIGHT_MAP) != 0;
}

/* Forgets a space whose vspace is dead: pagerd never said so, or could not. */
static void space_sweep(struct vspaced *vspaced, uint32_t space_index)
{
    struct kernel_query_local_cap_reply held;
    enum status status = kernel_query_local_cap(&vspaced->caller, space_vspace_slot(space_index),
                                                QUERY_EXACT, &held);
    if (status == STATUS_OK && !vspace_lives(&held))
        (void)space_leave(vspaced, space_index);
}

/* Sweeps until there is room: a part of the spaces, the next one the next time (E8). */
static void spaces_sweep(struct vspaced *vspaced, uint32_t region_limit)
{
    uint32_t used_count = vspaced->space_places.used_count;
    uint32_t at = vspaced->sweep_next;
    uint32_t asked = 0;
    for (uint32_t i = 0; i < used_count; i++, at++) {
        if (asked == VSPACED_SWEEP_SPACES || vspaced_space_room(vspaced, region_limit))
            return;
        at = at < used_count ? at : 0;
        if (!vspaced->spaces[at].is_registered)
            continue;
        asked++;
        vspaced->sweep_next = at + 1;
        space_sweep(vspaced, at);
    }
}

static enum status register_decide(struct vspaced *vspaced,
                                   const struct kernel_query_local_cap_reply *held,
                                   uint32_t region_limit)
{
    if (!vspace_lives(held))
        return STATUS_NOT_FOUND;
    if (vspaced_space_find(vspaced, held->object, held->generation) != 0)
        return STATUS_BUSY;
    if (!vspaced_space_room(vspaced, region_limit))
        spaces_sweep(vspaced, region_limit);
    return vspaced_space_room(vspaced, region_limit) ? STATUS_OK : STATUS_EXHAUSTED;
}

enum status vspaced_register_vspace(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_register_vspace_request *body = &request->body.register_vspace;
    struct kernel_query_local_cap_reply held;
    enum status status =
        kernel_query_local_cap(&vspaced->caller, body->vspace_slot, QUERY_EXACT, &held);
    if (status == STATUS_OK)
        status = register_decide(vspaced, &held, body->region_limit);
    if (status != STATUS_OK)
        return status;
    uint32_t space_index = vspaced_space_peek(vspaced);
    UNIT_ASSERT(space_index < VSPACED_VSPACE_LIMIT);
    uint32_t vspace_slot = space_vspace_slot(space_index);
    status = kernel_move_local_cap(&vspaced->caller, body->vspace_slot, vspace_slot);
    if (status != STATUS_OK)
        return status;
    status = kernel_move_local_cap(&vspaced->caller, body->account_slot, vspace_slot + 1);
    if (status != STATUS_OK) {
        (void)kernel_drop_local_cap(&vspaced->caller, vspace_slot);
        return status;
    }
    vspaced_space_add(vspaced, held.object, held.generation, body->region_limit);
    request->reply.register_vspace =
        (struct vspaced_register_vspace_reply){.vspace_cap_slot = vspace_slot};
    return STATUS_OK;
}

enum status vspaced_unregister_vspace(struct vspaced *vspaced, struct vspaced_request *request)
{
    vspaced_link link = space_at(vspaced, request->body.unregister_vspace.vspace_cap_slot);
    return link == 0 ? STATUS_NOT_FOUND : space_leave(vspaced, link - 1);
}

/* --- unmap ----------------------------------------------------------------------------------- */

/* OK, or what became of a FREE_FRAMES, which has a deadline of its own: an undo must not be late
 * because what it undoes was (E4). */
static enum status frames_free(struct vspaced *vspaced, uint32_t account_slot,
                               const struct memd_free_frames_request *request)
{
    uint64_t deadline_ticks = caller_deadline(&vspaced->caller, VSPACED_MEMD_TICKS);
    return memd_call_free_frames(&vspaced->caller, account_slot, NO_WINDOW, deadline_ticks, request,
                                 NULL);
}

enum status vspaced_frames_give_back(struct vspaced *vspaced, const struct vspaced_target *target,
                                     const uint32_t *frame_ids, uint32_t count)
{
    enum status result = STATUS_OK;
    for (uint32_t done = 0; done < count;) {
        struct memd_free_frames_request request;
        memset(&request, 0, sizeof request);
        while (request.count < MEMD_FREE_FRAMES_MAX && done < count) {
            UNIT_ASSERT(frame_ids[done] != 0);
            request.frame_ids[request.count++].frame_id = frame_ids[done++];
        }
        if (frames_free(vspaced, target->account_slot, &request) == STATUS_OK)
            continue;
        result = STATUS_INTERNAL;
        for (uint32_t i = 0; i < request.count; i++)
            vspaced_owed_add(vspaced, target->space_index, request.frame_ids[i].frame_id);
    }
    return result;
}

/* One by one: memd takes a list whole or not at all, and one of it may be gone. */
void vspaced_owed_offer(struct vspaced *vspaced)
{
    for (uint32_t i = 0; i < VSPACED_OWED_TURNS && vspaced->owed_first != 0; i++) {
        const struct vspaced_page *owed = &vspaced->pages[vspaced->owed_first - 1];
        struct memd_free_frames_request request = {.count = 1, .frame_ids = {{owed->frame_id}}};
        enum status status =
            frames_free(vspaced, space_account_slot(owed->owed_space - 1), &request);
        bool settled = status == STATUS_OK || status == STATUS_NOT_FOUND;
        vspaced_owed_next(vspaced, !settled);
        if (!settled)
            return;
    }
}

/* The frame ids of the pages of a range that have one. Returns how many. */
static uint32_t frames_collect(const struct vspaced *vspaced, const struct vspaced_target *target,
                               uint32_t *frame_ids)
{
    uint32_t count = 0;
    for (uint64_t i = 0; i < target->page_count; i++) {
        uint32_t id = vspaced_page_frame(vspaced, target->space_index, target->first_page + i);
        if (id != 0) {
            UNIT_ASSERT(count < VSPACED_MAP_PAGES_MAX);
            frame_ids[count++] = id;
        }
    }
    return count;
}

static enum status unmap_decide(const struct vspaced *vspaced,
                                const struct vspaced_unmap_request *request,
                                struct vspaced_target *target)
{
    enum status status = vspaced_target_find(vspaced, request->vspace_cap_slot, request->va,
                                             request->page_count, target);
    if (status != STATUS_OK)
        return status;
    if (!target_mapped(vspaced, target, NULL))
        return STATUS_NOT_FOUND;
    int32_t cost = vspaced_region_cut_cost(vspaced, target->space_index, target->first_page,
                                           target->page_count);
    return vspaced_region_room(vspaced, target->space_index, cost) ? STATUS_OK : STATUS_OVER_LIMIT;
}

enum status vspaced_unmap(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_unmap_request *body = &request->body.unmap;
    struct vspaced_target target;
    uint32_t frame_ids[VSPACED_MAP_PAGES_MAX];
    enum status status = unmap_decide(vspaced, body, &target);
    if (status == STATUS_OK)
        status = kernel_unmap_frame(&vspaced->caller, SLOT_KERNEL_VSPACE_ENDPOINT,
                                    target.vspace_slot, body->va, body->page_count);
    if (status != STATUS_OK)
        return status;
    uint32_t count = frames_collect(vspaced, &target, frame_ids);
    UNIT_ASSERT(count <= target.page_count);
    vspaced_owed_offer(vspaced);
    pages_forget(vspaced, target.space_index, target.first_page, target.page_count);
    vspaced_region_cut(vspaced, target.space_index, target.first_page, target.page_count);
    return vspaced_frames_give_back(vspaced, &target, frame_ids, count);
}

/* --- protect, guard, question ---------------------------------------------------------------- */

static enum status protect_decide(const struct vspaced *vspaced,
                                  const struct vspaced_protect_request *request,
                                  struct vspaced_target *target)
{
    uint16_t mapped = RIGHTS_MAPPING;
    enum status status = vspaced_target_find(vspaced, request->vspace_cap_slot, request->va,
                                             request->page_count, target);
    if (status == STATUS_OK)
        status = vspaced_rights_check(request->rights);
    if (status != STATUS_OK)
        return status;
    if (!target_mapped(vspaced, target, &mapped))
        return STATUS_NOT_FOUND;
    if ((request->rights & ~(uint32_t)mapped) != 0)
        return STATUS_DENIED;
    int32_t cost = vspaced_region_protect_cost(vspaced, target->space_index, target->first_page,
                                               target->page_count, (uint16_t)request->rights);
    return vspaced_region_room(vspaced, target->space_index, cost) ? STATUS_OK : STATUS_OVER_LIMIT;
}

enum status vspaced_protect(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_protect_request *body = &request->body.protect;
    struct vspaced_target target;
    enum status status = protect_decide(vspaced, body, &target);
    if (status == STATUS_OK)
        status = kernel_protect_frame(&vspaced->caller, SLOT_KERNEL_VSPACE_ENDPOINT,
                                      target.vspace_slot, body->va, body->page_count, body->rights);
    if (status == STATUS_OK)
        vspaced_region_protect(vspaced, target.space_index, target.first_page, target.page_count,
                               (uint16_t)body->rights);
    return status;
}

enum status vspaced_guard(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_guard_request *body = &request->body.guard;
    struct vspaced_target target;
    enum status status =
        vspaced_target_find(vspaced, body->vspace_cap_slot, body->va, body->page_count, &target);
    if (status != STATUS_OK)
        return status;
    struct vspaced_piece piece = {
        .first_page = target.first_page,
        .page_count = target.page_count,
        .kind = REGION_GUARD,
    };
    if (vspaced_region_overlap(vspaced, target.space_index, piece.first_page, piece.page_count,
                               &target.before))
        return STATUS_BUSY;
    int32_t cost = vspaced_region_add_cost(vspaced, target.space_index, &piece, target.before);
    if (!vspaced_region_room(vspaced, target.space_index, cost))
        return STATUS_OVER_LIMIT;
    vspaced_region_add(vspaced, target.space_index, &piece, target.before);
    return STATUS_OK;
}

enum status vspaced_query_region(struct vspaced *vspaced, struct vspaced_request *request)
{
    const struct vspaced_query_region_request *body = &request->body.query_region;
    vspaced_link space = space_at(vspaced, body->vspace_cap_slot);
    if (space == 0)
        return STATUS_NOT_FOUND;
    vspaced_link link = vspaced_region_at(vspaced, space - 1, body->va >> PAGE_SHIFT);
    if (link == 0)
        return STATUS_NOT_FOUND;
    const struct vspaced_piece *piece = &vspaced->regions[link - 1].piece;
    request->reply.query_region = (struct vspaced_query_region_reply){
        .va = piece->first_page << PAGE_SHIFT,
        .page_count = piece->page_count,
        .rights = piece->rights,
        .kind = piece->kind,
    };
    return STATUS_OK;
}

/* --- one message ----------------------------------------------------------------------------- */

#define SERVICE       vspaced
#define SERVICE_TABLE "abi/messages/vspaced.def"
#include "services/lib/unfold_rows.h"

/* Only pagerd is served. */
static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct vspaced_request *request = in_hand;
    return request->common.info->badge == ROLE_PAGERD ? FROM_PAGERD : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled vspaced_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct vspaced *vspaced = state;
    struct vspaced_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &vspaced->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    caller_see_clock(&vspaced->caller, info->now_ticks);
    return service_dispatch(&table, vspaced, &request.common);
}

void vspaced_init(struct vspaced *vspaced, uint64_t memory_pages, void *memory)
{
    uint64_t pages = memory_pages < MEMORY_PAGES_LIMIT ? memory_pages : MEMORY_PAGES_LIMIT;
    vspaced->page_limit = (uint32_t)pages;
    vspaced->region_limit = VSPACED_PAGE_REGIONS * (uint32_t)pages + VSPACED_SHARED_REGIONS;
    uint64_t places = (uint64_t)vspaced->region_limit + VSPACED_REGION_SPARE;
    vspaced->regions = memory;
    vspaced->region_nodes = (struct index_node *)(vspaced->regions + places);
    vspaced->page_nodes = vspaced->region_nodes + places + 1;
    vspaced->pages = (struct vspaced_page *)(vspaced->page_nodes + pages + 1);
    vspaced->pages_by_frame = (vspaced_link *)(vspaced->pages + pages);
}

/* What vspaced_prepare needs, and where the tables lie. */
struct starting {
    struct vspaced *vspaced;
    void *memory;
};

static enum status vspaced_prepare(void *state, const struct envelope *start)
{
    const struct starting *starting = state;
    vspaced_init(starting->vspaced, start->memory_pages, starting->memory);
    return STATUS_OK;
}

static const char *unsound(const void *state)
{
    const struct starting *starting = state;
    return vspaced_check(starting->vspaced);
}

void vspaced_run(struct vspaced *vspaced, void *memory)
{
    struct starting starting = {vspaced, memory};
    struct envelope envelope;
    enum status status = service_start(&vspaced->caller, ROLE_VSPACED, &envelope, vspaced_prepare,
                                       unsound, &starting);
    service_serve(&vspaced->caller, status, vspaced_handle, vspaced);
}
