/* SPDX-License-Identifier: ISC */
/* The model of vspaced. Clear rather than quick: ranges are walked page by page. */
#include "props/models/model_vspaced_inside.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/memd.h"
#include "abi/messages/vspaced.h"
#include "abi/roles.h"
#include "props/base/marks.h"
#include "props/base/property.h"

enum { FIRST_PAGE = 1 }; /* of the user's half; page 0 is never mapped */
#define LAST_PAGE (UINT64_C(0x7FFFFFFFF) - 1)

/* --- one message --- */

union model_body {
    struct vspaced_register_vspace_request register_vspace;
    struct vspaced_unregister_vspace_request unregister_vspace;
    struct vspaced_map_anonymous_request map_anonymous;
    struct vspaced_map_frames_request map_frames;
    struct vspaced_unmap_request unmap;
    struct vspaced_protect_request protect;
    struct vspaced_guard_request guard;
    struct vspaced_query_region_request query_region;
};

/* The vspace that is registered at a slot; MODEL_VSPACED_VSPACE_LIMIT: none. */
static uint32_t vspace_at(const struct model_vspaced *model, uint32_t slot)
{
    for (uint32_t i = 0; i < model->vspace_count; i++)
        if (model->vspaces[i].registered && model->vspaces[i].slot == slot)
            return i;
    return MODEL_VSPACED_VSPACE_LIMIT;
}

/* Names the target; the status of the first two rules. */
enum status model_vspaced_target(const struct model_vspaced *model, uint32_t slot, uint64_t va,
                                 uint64_t page_count, struct model_vspaced_answer *answer)
{
    answer->vspace = vspace_at(model, slot);
    answer->first_page = va / PAGE_BYTES;
    answer->page_count = page_count;
    if (answer->vspace == MODEL_VSPACED_VSPACE_LIMIT)
        return STATUS_NOT_FOUND;
    bool inside = answer->first_page >= FIRST_PAGE && answer->first_page <= LAST_PAGE &&
                  LAST_PAGE - answer->first_page >= page_count - 1;
    return inside ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

enum status model_vspaced_rights_status(uint32_t rights)
{
    if ((rights & RIGHT_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    if ((rights & RIGHT_WRITE) != 0 && (rights & RIGHT_EXECUTE) != 0)
        return STATUS_WRITE_AND_EXECUTE;
    return STATUS_OK;
}

bool model_vspaced_any_in_books(struct model_vspaced *model,
                                const struct model_vspaced_answer *answer)
{
    for (uint64_t i = 0; i < answer->page_count; i++)
        if (model_vspaced_in_books(model, answer->vspace, answer->first_page + i))
            return true;
    return false;
}

/* Every page is in the books and no guard; *rights_mapped: what all were mapped with. */
static bool all_mapped(struct model_vspaced *model, const struct model_vspaced_answer *answer,
                       uint32_t *rights_mapped)
{
    *rights_mapped = RIGHTS_MAPPING;
    for (uint64_t i = 0; i < answer->page_count; i++) {
        const struct model_vspaced_page *page =
            model_vspaced_page(model, answer->vspace, answer->first_page + i);
        if (page == NULL || !page->in_books || page->kind == REGION_GUARD)
            return false;
        *rights_mapped &= page->rights_mapped;
    }
    return true;
}

/* What the kernel says to UNMAP or PROTECT of the range. */
static enum status kernel_has_all(struct model_vspaced *model,
                                  const struct model_vspaced_answer *answer)
{
    for (uint64_t i = 0; i < answer->page_count; i++)
        if (!model->vspaces[answer->vspace].alive ||
            !model_vspaced_in_kernel(model, answer->vspace, answer->first_page + i))
            return STATUS_NOT_FOUND;
    return STATUS_OK;
}

struct model_vspaced_page *model_vspaced_put(struct model_vspaced *model,
                                             const struct model_vspaced_answer *answer,
                                             uint64_t index, uint32_t kind, uint32_t rights)
{
    struct model_vspaced_page *page =
        model_vspaced_page_make(model, answer->vspace, answer->first_page + index);
    page->in_books = true;
    page->kind = kind;
    page->rights = rights;
    page->rights_mapped = rights;
    page->image_page = 0;
    page->frame_id = 0;
    if (kind == REGION_GUARD)
        return page;
    page->in_kernel = true;
    page->kernel_rights = rights;
    page->kernel_image = kind == REGION_IMAGE;
    page->kernel_unknown = kind == REGION_ANONYMOUS;
    return page;
}

/* --- registration --- */

/* The account goes first. */
static enum status leave(struct model_vspaced *model, struct model_vspaced_walk *walk,
                         uint32_t index)
{
    struct model_vspaced_vspace *vspace = &model->vspaces[index];
    enum status status =
        model_vspaced_call(walk, vspace->account_held ? STATUS_OK : STATUS_NOT_FOUND);
    if (!model_vspaced_is_done(status))
        return status;
    vspace->account_held = false;
    status = model_vspaced_call(walk, STATUS_OK);
    if (status != STATUS_OK)
        return status;
    vspace->registered = false;
    for (uint32_t i = 0; i < model->page_high; i++)
        if (model->pages[i].vspace == index)
            model->pages[i].in_books = false;
    for (uint32_t i = model->owed_count; i-- > 0;)
        if (model->owed[i].vspace == index)
            model_vspaced_owed_remove(model, i);
    return STATUS_OK;
}

static bool regions_left(const struct model_vspaced *model, uint32_t region_limit)
{
    uint64_t sum = region_limit;
    for (uint32_t i = 0; i < model->vspace_count; i++)
        sum += model->vspaces[i].registered ? model->vspaces[i].region_limit : 0;
    return sum <= MODEL_VSPACED_REGIONS;
}

/* The registered vspace with the lowest slot above one; MODEL_VSPACED_VSPACE_LIMIT: none. */
static uint32_t next_registered(const struct model_vspaced *model, uint32_t slot)
{
    uint32_t next = MODEL_VSPACED_VSPACE_LIMIT;
    for (uint32_t i = 0; i < model->vspace_count; i++) {
        const struct model_vspaced_vspace *vspace = &model->vspaces[i];
        if (vspace->registered && vspace->slot > slot &&
            (next == MODEL_VSPACED_VSPACE_LIMIT || vspace->slot < model->vspaces[next].slot))
            next = i;
    }
    return next;
}

static uint32_t registered_count(const struct model_vspaced *model)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->vspace_count; i++)
        count += model->vspaces[i].registered;
    return count;
}

/* Sixteen are asked about at most, none twice, and only while there is no room; the next time goes
 * on behind the last. */
static void sweep(struct model_vspaced *model, struct model_vspaced_walk *walk,
                  uint32_t region_limit)
{
    uint32_t count = registered_count(model);
    for (uint32_t asked = 0; asked < count && !regions_left(model, region_limit); asked++) {
        if (MARK_IF("vspaced: a sweep is not over", asked == 16))
            return;
        uint32_t index = next_registered(model, model->swept_slot);
        if (MARK_IF("vspaced: a sweep begins anew", index == MODEL_VSPACED_VSPACE_LIMIT))
            index = next_registered(model, 0);
        model->swept_slot = model->vspaces[index].slot;
        if (model_vspaced_call(walk, STATUS_OK) == STATUS_OK && !model->vspaces[index].alive)
            MARK_IF("vspaced: a dead space swept", leave(model, walk, index) == STATUS_OK);
    }
}

static void register_vspace(struct model_vspaced *model, uint32_t region_limit,
                            const struct model_vspaced_request *request,
                            struct model_vspaced_walk *walk, struct model_vspaced_answer *answer)
{
    struct model_vspaced_vspace *vspace = &model->vspaces[request->vspace];
    answer->vspace = request->vspace;
    answer->status = model_vspaced_call(walk, vspace->alive ? STATUS_OK : STATUS_NOT_FOUND);
    if (answer->status == STATUS_OK && vspace->registered)
        answer->status = STATUS_BUSY;
    if (answer->status != STATUS_OK)
        return;
    if (!regions_left(model, region_limit)) {
        sweep(model, walk, region_limit);
        answer->changed = true;
    }
    if (!regions_left(model, region_limit))
        answer->status = STATUS_EXHAUSTED;
    for (unsigned i = 0; i < 2 && answer->status == STATUS_OK; i++)
        answer->status = model_vspaced_call(walk, STATUS_OK); /* two slots filled */
    if (answer->status != STATUS_OK)
        return;
    vspace->registered = true;
    vspace->account_held = true;
    vspace->account = request->account;
    vspace->region_limit = region_limit;
    vspace->slot = 0; /* to be learned */
}

static void unregister_vspace(struct model_vspaced *model, uint32_t slot,
                              struct model_vspaced_walk *walk, struct model_vspaced_answer *answer)
{
    uint32_t index = vspace_at(model, slot);
    answer->vspace = index;
    answer->status = STATUS_NOT_FOUND;
    if (index == MODEL_VSPACED_VSPACE_LIMIT)
        return;
    bool held = model->vspaces[index].account_held;
    answer->status = leave(model, walk, index);
    answer->changed = held != model->vspaces[index].account_held;
}

/* --- what the caller supplies --- */

static bool frame_id_mapped(const struct model_vspaced *model, uint32_t frame_id)
{
    for (uint32_t i = 0; i < model->page_high; i++)
        if (model->pages[i].in_books && model->pages[i].frame_id == frame_id)
            return true;
    for (uint32_t i = 0; i < model->owed_count; i++)
        if (model->owed[i].frame_id == frame_id)
            return true;
    return false;
}

static uint32_t other_use(uint32_t rights)
{
    if ((rights & RIGHT_WRITE) != 0)
        return RIGHT_EXECUTE;
    return (rights & RIGHT_EXECUTE) != 0 ? RIGHT_WRITE : 0;
}

/* vspaced's own refusals. */
static enum status map_frames_refusal(struct model_vspaced *model,
                                      const struct vspaced_map_frames_request *body,
                                      const struct model_vspaced_request *request,
                                      struct model_vspaced_answer *answer)
{
    bool image = request->cap_type == OBJECT_IMAGE;
    enum status status =
        model_vspaced_target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (status == STATUS_OK)
        status = model_vspaced_rights_status(body->rights);
    if (status != STATUS_OK)
        return status;
    if (image ? body->frame_id != 0 : body->page_count != 1 || body->frame_page != 0)
        return STATUS_INVALID_ARGUMENT;
    if ((body->rights & ~request->cap_rights) != 0)
        return STATUS_DENIED;
    if (model_vspaced_any_in_books(model, answer))
        return STATUS_BUSY;
    if (body->frame_id != 0 && frame_id_mapped(model, body->frame_id))
        return STATUS_DUPLICATE;
    struct model_vspaced_change change = model_vspaced_change_to(
        image ? REGION_IMAGE : REGION_FRAME, body->rights, image ? body->frame_page : 0);
    return model_vspaced_regions_fit(model, answer, change) ? STATUS_OK : STATUS_OVER_LIMIT;
}

/* V2 by what vspaced saw, then what the kernel says. A vspace that died is known to the kernel
 * alone. */
static enum status map_frames_peers(struct model_vspaced *model,
                                    const struct vspaced_map_frames_request *body,
                                    const struct model_vspaced_request *request,
                                    const struct model_vspaced_answer *answer)
{
    bool image = request->cap_type == OBJECT_IMAGE;
    const struct model_vspaced_frame *frame = &model->frames[request->frame_object];
    if (!model->vspaces[answer->vspace].alive)
        return STATUS_NOT_FOUND;
    if (image && body->frame_page + body->page_count > MODEL_VSPACED_IMAGE_PAGES)
        return STATUS_OUT_OF_RANGE;
    if (!image && (frame->use & other_use(body->rights)) != 0)
        return STATUS_WRITE_AND_EXECUTE;
    for (uint64_t i = 0; i < answer->page_count; i++)
        if (model_vspaced_in_kernel(model, answer->vspace, answer->first_page + i))
            return STATUS_BUSY;
    return STATUS_OK;
}

static void map_frames(struct model_vspaced *model, const struct vspaced_map_frames_request *body,
                       const struct model_vspaced_request *request,
                       const struct model_failure *failure, struct model_vspaced_answer *answer)
{
    answer->status = map_frames_refusal(model, body, request, answer);
    if (answer->status != STATUS_OK)
        return;
    answer->status = map_frames_peers(model, body, request, answer);
    answer->kernel_refuses_use = answer->status == STATUS_WRITE_AND_EXECUTE && failure->count == 0;
    if (failure->count != 0)
        answer->status = failure->status;
    if (answer->status != STATUS_OK)
        return;
    bool image = request->cap_type == OBJECT_IMAGE;
    for (uint64_t i = 0; i < answer->page_count; i++) {
        struct model_vspaced_page *page =
            model_vspaced_put(model, answer, i, image ? REGION_IMAGE : REGION_FRAME, body->rights);
        page->image_page = image ? body->frame_page + i : 0;
        page->frame_id = body->frame_id;
        page->kernel_object = image ? (uint32_t)page->image_page : request->frame_object;
    }
    struct model_vspaced_frame *frame = &model->frames[request->frame_object];
    uint32_t use = body->rights & (RIGHT_WRITE | RIGHT_EXECUTE);
    if (image)
        return;
    frame->use |= use;
}

static void unmap(struct model_vspaced *model, const struct vspaced_unmap_request *body,
                  struct model_vspaced_walk *walk, struct model_vspaced_answer *answer)
{
    uint32_t ids[VSPACED_MAP_PAGES_MAX];
    uint32_t count = 0;
    uint32_t rights_mapped;
    answer->status =
        model_vspaced_target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK && !all_mapped(model, answer, &rights_mapped))
        answer->status = STATUS_NOT_FOUND;
    if (answer->status != STATUS_OK)
        return;
    if (!model_vspaced_regions_fit(model, answer,
                                   (struct model_vspaced_change){.only_rights = false}))
        answer->status = STATUS_OVER_LIMIT;
    else
        answer->status = model_vspaced_call(walk, kernel_has_all(model, answer));
    if (answer->status != STATUS_OK)
        return;
    for (uint64_t i = 0; i < answer->page_count; i++) {
        struct model_vspaced_page *page =
            model_vspaced_page(model, answer->vspace, answer->first_page + i);
        if (page->frame_id != 0)
            ids[count++] = page->frame_id;
        page->in_books = false;
        page->in_kernel = false;
    }
    model_vspaced_offer(model, walk);
    for (uint32_t first = 0; first < count; first += MEMD_FREE_FRAMES_MAX) {
        uint32_t left = count - first;
        uint32_t batch = left < MEMD_FREE_FRAMES_MAX ? left : (uint32_t)MEMD_FREE_FRAMES_MAX;
        if (model_vspaced_free_call(model, walk, answer->vspace, ids + first, batch) == STATUS_OK)
            continue;
        answer->status = STATUS_INTERNAL;
        for (uint32_t i = 0; i < batch; i++)
            model_vspaced_owe(model, answer->vspace, ids[first + i]);
    }
    answer->changed = true;
}

static void protect(struct model_vspaced *model, const struct vspaced_protect_request *body,
                    const struct model_failure *failure, struct model_vspaced_answer *answer)
{
    uint32_t rights_mapped;
    answer->status =
        model_vspaced_target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK)
        answer->status = model_vspaced_rights_status(body->rights);
    if (answer->status != STATUS_OK)
        return;
    if (!all_mapped(model, answer, &rights_mapped))
        answer->status = STATUS_NOT_FOUND;
    else if ((body->rights & ~rights_mapped) != 0)
        answer->status = STATUS_DENIED;
    else if (!model_vspaced_regions_fit(model, answer,
                                        (struct model_vspaced_change){
                                            .to = {.rights = body->rights}, .only_rights = true}))
        answer->status = STATUS_OVER_LIMIT;
    else if (failure->count != 0)
        answer->status = failure->status;
    else
        answer->status = kernel_has_all(model, answer);
    for (uint64_t i = 0; i < answer->page_count && answer->status == STATUS_OK; i++) {
        struct model_vspaced_page *page =
            model_vspaced_page(model, answer->vspace, answer->first_page + i);
        page->rights = body->rights;
        page->kernel_rights = body->rights;
    }
}

static void guard(struct model_vspaced *model, const struct vspaced_guard_request *body,
                  struct model_vspaced_answer *answer)
{
    answer->status =
        model_vspaced_target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK && model_vspaced_any_in_books(model, answer))
        answer->status = STATUS_BUSY;
    if (answer->status == STATUS_OK &&
        !model_vspaced_regions_fit(model, answer, model_vspaced_change_to(REGION_GUARD, 0, 0)))
        answer->status = STATUS_OVER_LIMIT;
    for (uint64_t i = 0; i < answer->page_count && answer->status == STATUS_OK; i++)
        model_vspaced_put(model, answer, i, REGION_GUARD, 0);
}

static void query_region(struct model_vspaced *model,
                         const struct vspaced_query_region_request *body,
                         struct model_vspaced_answer *answer)
{
    uint64_t first = body->va / PAGE_BYTES;
    answer->vspace = vspace_at(model, body->vspace_cap_slot);
    if (answer->vspace == MODEL_VSPACED_VSPACE_LIMIT ||
        !model_vspaced_in_books(model, answer->vspace, first)) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    uint32_t vspace = answer->vspace;
    uint64_t last = first;
    while (!model_vspaced_begins_region(model, vspace, first, NULL))
        first--;
    while (model_vspaced_in_books(model, vspace, last + 1) &&
           !model_vspaced_begins_region(model, vspace, last + 1, NULL))
        last++;
    const struct model_vspaced_page *page = model_vspaced_page(model, vspace, first);
    answer->region = (struct vspaced_query_region_reply){
        .va = first * PAGE_BYTES,
        .page_count = last - first + 1,
        .rights = page->rights,
        .kind = page->kind,
    };
}

static void perform(struct model_vspaced *model, const union model_body *body,
                    const struct model_vspaced_request *request,
                    const struct model_failure *failure, struct model_vspaced_answer *answer)
{
    uint16_t id = request->message->header.operation;
    struct model_vspaced_walk walk = {.failure = failure, .late = request->late};
    switch (id) {
    case OP_VSPACED_REGISTER_VSPACE:
        register_vspace(model, body->register_vspace.region_limit, request, &walk, answer);
        return;
    case OP_VSPACED_UNREGISTER_VSPACE:
        unregister_vspace(model, body->unregister_vspace.vspace_cap_slot, &walk, answer);
        return;
    case OP_VSPACED_MAP_ANONYMOUS:
        model_vspaced_map_anonymous(model, &body->map_anonymous, request, &walk, answer);
        return;
    case OP_VSPACED_MAP_FRAMES:
        map_frames(model, &body->map_frames, request, failure, answer);
        return;
    case OP_VSPACED_UNMAP:
        unmap(model, &body->unmap, &walk, answer);
        return;
    case OP_VSPACED_PROTECT:
        protect(model, &body->protect, failure, answer);
        return;
    case OP_VSPACED_GUARD:
        guard(model, &body->guard, answer);
        return;
    case OP_VSPACED_QUERY_REGION:
        query_region(model, &body->query_region, answer);
        return;
    }
    MODEL_KNOWS_NOT(id);
}

struct model_vspaced_answer model_vspaced_step(struct model_vspaced *model,
                                               const struct model_vspaced_request *request,
                                               const struct model_failure *failure)
{
    struct model_vspaced_answer answer = {.vspace = MODEL_VSPACED_VSPACE_LIMIT};
    union model_body body;
    const struct message *message = request->message;
    const struct operation *operation = operation_find(SERVICE_VSPACED, message->header.operation);
    answer.status = STATUS_INVALID_ARGUMENT;
    if (operation != NULL)
        answer.status = message_decode(operation->request, message, &body);
    if (answer.status == STATUS_OK && message->header.badge != ROLE_PAGERD)
        answer.status = STATUS_DENIED;
    if (answer.status != STATUS_OK)
        return answer;
    perform(model, &body, request, failure, &answer);
    answer.changed |= answer.status == STATUS_OK;
    return answer;
}
