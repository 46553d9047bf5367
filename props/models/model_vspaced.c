/* SPDX-License-Identifier: ISC */
/* The model of vspaced. Clear rather than quick: ranges are walked page by page. */
#include "props/models/model_vspaced.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/memd.h"
#include "abi/messages/vspaced.h"
#include "abi/roles.h"
#include "props/base/property.h"

enum { FIRST_PAGE = 1 }; /* of the user's half; page 0 is never mapped */
#define LAST_PAGE (UINT64_C(0x7FFFFFFFF) - 1)

/* --- pages --- */

static uint32_t bucket_of(uint32_t vspace, uint64_t page)
{
    uint64_t key = (page + vspace * UINT64_C(0x100000001B3)) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(key >> 48);
}

struct model_vspaced_page *model_vspaced_page(struct model_vspaced *model, uint32_t vspace,
                                              uint64_t page)
{
    uint32_t link = model->buckets[bucket_of(vspace, page)];
    while (link != 0) {
        struct model_vspaced_page *found = &model->pages[link - 1];
        if (found->vspace == vspace && found->page == page)
            return found;
        link = found->next;
    }
    return NULL;
}

static struct model_vspaced_page *page_make(struct model_vspaced *model, uint32_t vspace,
                                            uint64_t page)
{
    struct model_vspaced_page *found = model_vspaced_page(model, vspace, page);
    if (found != NULL)
        return found;
    HARNESS(model->page_high < MODEL_VSPACED_PAGE_LIMIT);
    uint32_t *bucket = &model->buckets[bucket_of(vspace, page)];
    found = &model->pages[model->page_high++];
    *found =
        (struct model_vspaced_page){.used = true, .vspace = vspace, .page = page, .next = *bucket};
    *bucket = model->page_high;
    return found;
}

static bool in_books(struct model_vspaced *model, uint32_t vspace, uint64_t page)
{
    const struct model_vspaced_page *found = model_vspaced_page(model, vspace, page);
    return found != NULL && found->in_books;
}

static bool in_kernel(struct model_vspaced *model, uint32_t vspace, uint64_t page)
{
    const struct model_vspaced_page *found = model_vspaced_page(model, vspace, page);
    return found != NULL && found->in_kernel;
}

/* --- what the harness tells --- */

void model_vspaced_reset(struct model_vspaced *model)
{
    memset(model->vspaces, 0, sizeof model->vspaces);
    memset(model->frames, 0, sizeof model->frames);
    memset(model->account_held, 0, sizeof model->account_held);
    memset(model->ids, 0, model->id_high * sizeof model->ids[0]);
    for (uint32_t i = 0; i < model->page_high; i++)
        model->buckets[bucket_of(model->pages[i].vspace, model->pages[i].page)] = 0;
    model->page_high = 0;
    model->id_high = 0;
    model->vspace_count = 0;
}

uint32_t model_vspaced_vspace(struct model_vspaced *model)
{
    HARNESS(model->vspace_count < MODEL_VSPACED_VSPACE_LIMIT);
    model->vspaces[model->vspace_count] = (struct model_vspaced_vspace){.alive = true};
    return model->vspace_count++;
}

void model_vspaced_vspace_died(struct model_vspaced *model, uint32_t vspace)
{
    model->vspaces[vspace].alive = false;
    for (uint32_t i = 0; i < model->page_high; i++)
        if (model->pages[i].vspace == vspace)
            model->pages[i].in_kernel = false;
}

void model_vspaced_frame_made(struct model_vspaced *model, uint32_t object, uint32_t frame_id,
                              uint32_t account)
{
    model->frames[object] = (struct model_vspaced_frame){0};
    model->pool_left--;
    if (frame_id == 0)
        return;
    model->ids[frame_id] = (struct model_vspaced_id){true, account, object};
    model->account_held[account]++;
    if (frame_id >= model->id_high)
        model->id_high = frame_id + 1;
}

void model_vspaced_frame_destroyed(struct model_vspaced *model, uint32_t object)
{
    for (uint32_t i = 0; i < model->page_high; i++) {
        struct model_vspaced_page *page = &model->pages[i];
        if (page->in_kernel && !page->kernel_image && page->kernel_object == object)
            page->in_kernel = false;
    }
    for (uint32_t i = 1; i < model->id_high; i++) {
        if (!model->ids[i].live || model->ids[i].object != object)
            continue;
        model->ids[i].live = false;
        model->account_held[model->ids[i].account]--;
        break; /* a frame has one id */
    }
    model->pool_left++;
}

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
static enum status target(const struct model_vspaced *model, uint32_t slot, uint64_t va,
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

static enum status rights_status(uint32_t rights)
{
    if ((rights & RIGHT_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    if ((rights & RIGHT_WRITE) != 0 && (rights & RIGHT_EXECUTE) != 0)
        return STATUS_WRITE_AND_EXECUTE;
    return STATUS_OK;
}

static bool any_in_books(struct model_vspaced *model, const struct model_vspaced_answer *answer)
{
    for (uint64_t i = 0; i < answer->page_count; i++)
        if (in_books(model, answer->vspace, answer->first_page + i))
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
            !in_kernel(model, answer->vspace, answer->first_page + i))
            return STATUS_NOT_FOUND;
    return STATUS_OK;
}

static struct model_vspaced_page *put(struct model_vspaced *model,
                                      const struct model_vspaced_answer *answer, uint64_t index,
                                      uint32_t kind, uint32_t rights)
{
    struct model_vspaced_page *page = page_make(model, answer->vspace, answer->first_page + index);
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

static void register_vspace(struct model_vspaced *model,
                            const struct model_vspaced_request *request,
                            const struct model_failure *failure,
                            struct model_vspaced_answer *answer)
{
    struct model_vspaced_vspace *vspace = &model->vspaces[request->vspace];
    answer->vspace = request->vspace;
    if (failure->count != 0)
        answer->status = failure->status;
    else if (!vspace->alive)
        answer->status = STATUS_NOT_FOUND;
    else if (vspace->registered)
        answer->status = STATUS_BUSY;
    if (answer->status != STATUS_OK)
        return;
    vspace->registered = true;
    vspace->account_held = true;
    vspace->account = request->account;
    vspace->slot = 0; /* to be learned */
}

static void unregister_vspace(struct model_vspaced *model, uint32_t slot,
                              const struct model_failure *failure,
                              struct model_vspaced_answer *answer)
{
    uint32_t index = vspace_at(model, slot);
    answer->vspace = index;
    if (index == MODEL_VSPACED_VSPACE_LIMIT) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    if (failure->count != 0) {
        answer->status = failure->status;
        answer->changed = failure->calls_before != 0;
        model->vspaces[index].account_held &= !answer->changed;
        return;
    }
    model->vspaces[index].registered = false;
    for (uint32_t i = 0; i < model->page_high; i++)
        if (model->pages[i].vspace == index)
            model->pages[i].in_books = false;
}

static uint32_t frames_left(const struct model_vspaced *model,
                            const struct model_vspaced_vspace *vspace)
{
    uint32_t left = model->account_limit[vspace->account] - model->account_held[vspace->account];
    return left < model->pool_left ? left : model->pool_left;
}

/* What the peers would say in turn: memd for each batch of four, the kernel for each page (a MAP
 * and the DROP of the frame). *calls: how many calls come before the one that fails. */
static enum status anonymous_peers(struct model_vspaced *model,
                                   const struct model_vspaced_answer *answer, uint64_t *calls)
{
    const struct model_vspaced_vspace *vspace = &model->vspaces[answer->vspace];
    uint64_t left = frames_left(model, vspace);
    *calls = 0;
    for (uint64_t i = 0; i < answer->page_count; i++) {
        uint64_t rest = answer->page_count - i;
        uint64_t batch = rest < 4 ? rest : 4;
        if (i % 4 == 0) {
            if (!vspace->account_held)
                return STATUS_NOT_FOUND;
            if (left < batch)
                return STATUS_EXHAUSTED;
            left -= batch;
            *calls += 1;
        }
        if (!vspace->alive)
            return STATUS_NOT_FOUND;
        if (in_kernel(model, answer->vspace, answer->first_page + i))
            return STATUS_BUSY; /* from before an UNREGISTER */
        *calls += 2;
    }
    return STATUS_OK;
}

static void map_anonymous(struct model_vspaced *model,
                          const struct vspaced_map_anonymous_request *body,
                          const struct model_failure *failure, struct model_vspaced_answer *answer)
{
    uint64_t calls;
    answer->status = target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK)
        answer->status = rights_status(body->rights);
    if (answer->status == STATUS_OK && any_in_books(model, answer))
        answer->status = STATUS_BUSY;
    if (answer->status != STATUS_OK)
        return;
    answer->status = anonymous_peers(model, answer, &calls);
    if (failure->count != 0) {
        answer->undo_failed = failure->calls_before > calls;
        answer->status = failure->status;
    }
    for (uint64_t i = 0; i < answer->page_count && answer->status == STATUS_OK; i++)
        put(model, answer, i, REGION_ANONYMOUS, body->rights);
}

static bool frame_id_mapped(const struct model_vspaced *model, uint32_t frame_id)
{
    for (uint32_t i = 0; i < model->page_high; i++)
        if (model->pages[i].in_books && model->pages[i].frame_id == frame_id)
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
    enum status status = target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (status == STATUS_OK)
        status = rights_status(body->rights);
    if (status != STATUS_OK)
        return status;
    if (image ? body->frame_id != 0 : body->page_count != 1 || body->frame_page != 0)
        return STATUS_INVALID_ARGUMENT;
    if ((body->rights & ~request->cap_rights) != 0)
        return STATUS_DENIED;
    if (any_in_books(model, answer))
        return STATUS_BUSY;
    if (body->frame_id != 0 && frame_id_mapped(model, body->frame_id))
        return STATUS_DUPLICATE;
    return STATUS_OK;
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
        if (in_kernel(model, answer->vspace, answer->first_page + i))
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
            put(model, answer, i, image ? REGION_IMAGE : REGION_FRAME, body->rights);
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

/* Gives one batch of ids back: all or none, as memd says. */
static bool free_batch(struct model_vspaced *model, const struct model_vspaced_vspace *vspace,
                       const uint32_t *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] >= model->id_high || !model->ids[ids[i]].live ||
            model->ids[ids[i]].account != vspace->account)
            return false;
    for (uint32_t i = 0; i < count; i++)
        model_vspaced_frame_destroyed(model, model->ids[ids[i]].object);
    return true;
}

static void unmap(struct model_vspaced *model, const struct vspaced_unmap_request *body,
                  const struct model_failure *failure, struct model_vspaced_answer *answer)
{
    uint32_t ids[VSPACED_MAP_PAGES_MAX];
    uint32_t count = 0;
    uint32_t rights_mapped;
    answer->status = target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK && !all_mapped(model, answer, &rights_mapped))
        answer->status = STATUS_NOT_FOUND;
    if (answer->status != STATUS_OK)
        return;
    answer->status = kernel_has_all(model, answer);
    if (failure->count != 0 && failure->calls_before == 0)
        answer->status = failure->status;
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
    const struct model_vspaced_vspace *vspace = &model->vspaces[answer->vspace];
    for (uint32_t first = 0; first < count; first += MEMD_FREE_FRAMES_MAX) {
        uint32_t left = count - first;
        uint32_t batch = left < MEMD_FREE_FRAMES_MAX ? left : (uint32_t)MEMD_FREE_FRAMES_MAX;
        bool failed =
            failure->count != 0 && failure->calls_before == 1 + first / MEMD_FREE_FRAMES_MAX;
        if (failed || !vspace->account_held || !free_batch(model, vspace, ids + first, batch))
            answer->status = STATUS_INTERNAL;
    }
    answer->changed = true;
}

static void protect(struct model_vspaced *model, const struct vspaced_protect_request *body,
                    const struct model_failure *failure, struct model_vspaced_answer *answer)
{
    uint32_t rights_mapped;
    answer->status = target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK)
        answer->status = rights_status(body->rights);
    if (answer->status != STATUS_OK)
        return;
    if (!all_mapped(model, answer, &rights_mapped))
        answer->status = STATUS_NOT_FOUND;
    else if ((body->rights & ~rights_mapped) != 0)
        answer->status = STATUS_DENIED;
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
    answer->status = target(model, body->vspace_cap_slot, body->va, body->page_count, answer);
    if (answer->status == STATUS_OK && any_in_books(model, answer))
        answer->status = STATUS_BUSY;
    for (uint64_t i = 0; i < answer->page_count && answer->status == STATUS_OK; i++)
        put(model, answer, i, REGION_GUARD, 0);
}

/* Whether two neighbouring pages are of one region. */
static bool alike(const struct model_vspaced_page *left, const struct model_vspaced_page *right)
{
    return left != NULL && right != NULL && left->in_books && right->in_books &&
           left->kind == right->kind && left->rights == right->rights &&
           left->rights_mapped == right->rights_mapped &&
           (left->kind != REGION_IMAGE || left->image_page + 1 == right->image_page);
}

static void query_region(struct model_vspaced *model,
                         const struct vspaced_query_region_request *body,
                         struct model_vspaced_answer *answer)
{
    uint64_t first = body->va / PAGE_BYTES;
    answer->vspace = vspace_at(model, body->vspace_cap_slot);
    if (answer->vspace == MODEL_VSPACED_VSPACE_LIMIT || !in_books(model, answer->vspace, first)) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    uint32_t vspace = answer->vspace;
    uint64_t last = first;
    while (alike(model_vspaced_page(model, vspace, first - 1),
                 model_vspaced_page(model, vspace, first)))
        first--;
    while (
        alike(model_vspaced_page(model, vspace, last), model_vspaced_page(model, vspace, last + 1)))
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
    switch (id) {
    case OP_VSPACED_REGISTER_VSPACE:
        register_vspace(model, request, failure, answer);
        return;
    case OP_VSPACED_UNREGISTER_VSPACE:
        unregister_vspace(model, body->unregister_vspace.vspace_cap_slot, failure, answer);
        return;
    case OP_VSPACED_MAP_ANONYMOUS:
        map_anonymous(model, &body->map_anonymous, failure, answer);
        return;
    case OP_VSPACED_MAP_FRAMES:
        map_frames(model, &body->map_frames, request, failure, answer);
        return;
    case OP_VSPACED_UNMAP:
        unmap(model, &body->unmap, failure, answer);
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
