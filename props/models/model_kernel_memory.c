/* SPDX-License-Identifier: ISC */
/* Kernel control of memory and address spaces, as kernel/core/control.h states it. */
#include "abi/messages/kernel.h"
#include "props/models/model_kernel.h"

#include <string.h>

/* --- bytes ------------------------------------------------------------------------------------ */

uint8_t model_image_byte(uint64_t offset)
{
    return (uint8_t)(1 + offset / PAGE_BYTES + offset % 251);
}

uint8_t *model_frame_bytes(struct model_kernel *model, uint32_t frame)
{
    struct model_frame *target = &model->frames[frame];
    if (target->data == MODEL_NONE)
        target->data = model->data_count++;
    return model->data[target->data];
}

void model_frame_read(const struct model_kernel *model, uint32_t frame, uint32_t offset,
                      uint32_t count, uint8_t *out)
{
    uint32_t data = model->frames[frame].data;
    memset(out, 0, count); /* K2 */
    if (data != MODEL_NONE)
        memcpy(out, model->data[data] + offset, count);
}

/* Where bytes come from: `frame` is MODEL_NONE for the image. */
static enum status need_source(struct model_kernel *model, uint32_t slot, uint64_t offset,
                               uint32_t count, uint32_t *frame)
{
    const struct model_cap *cap = model_cap_find(model, model->current, slot);
    if (cap == NULL || !model_cap_live(model, cap))
        return STATUS_NOT_FOUND;
    if (cap->type != OBJECT_FRAME && cap->type != OBJECT_IMAGE)
        return STATUS_INVALID_ARGUMENT;
    if ((cap->rights & RIGHT_READ) == 0)
        return STATUS_DENIED;
    uint64_t size = cap->type == OBJECT_FRAME ? PAGE_BYTES : MODEL_CODE_PAGES * PAGE_BYTES;
    *frame = cap->type == OBJECT_FRAME ? cap->object : MODEL_NONE;
    return offset <= size && count <= size - offset ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

static void source_read(const struct model_kernel *model, uint32_t frame, uint64_t offset,
                        uint32_t count, uint8_t *out)
{
    if (frame != MODEL_NONE) {
        model_frame_read(model, frame, (uint32_t)offset, count, out);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        out[i] = model_image_byte(offset + i);
}

static enum status need_writable(struct model_kernel *model, uint32_t slot, uint32_t *frame)
{
    struct model_cap *cap;
    enum status status = model_need(model, slot, OBJECT_FRAME, RIGHT_WRITE, &cap);
    *frame = status == STATUS_OK ? cap->object : MODEL_NONE;
    return status;
}

static enum status frame_read(struct model_kernel *model,
                              const struct kernel_frame_read_request *request,
                              struct kernel_frame_read_reply *reply)
{
    uint32_t frame = MODEL_NONE;
    enum status status =
        need_source(model, request->frame_slot, request->offset_bytes, request->count, &frame);
    if (status != STATUS_OK)
        return status;
    reply->count = request->count;
    source_read(model, frame, request->offset_bytes, request->count, reply->bytes);
    return STATUS_OK;
}

static enum status frame_write(struct model_kernel *model,
                               const struct kernel_frame_write_request *request)
{
    uint32_t frame;
    enum status status = need_writable(model, request->frame_slot, &frame);
    if (status != STATUS_OK)
        return status;
    if (request->offset_bytes + request->count > PAGE_BYTES)
        return STATUS_OUT_OF_RANGE;
    if (model->frames[frame].use == MODEL_USE_CODE)
        return STATUS_WRITE_AND_EXECUTE; /* V2 */
    memcpy(model_frame_bytes(model, frame) + request->offset_bytes, request->bytes, request->count);
    return STATUS_OK;
}

static enum status frame_copy(struct model_kernel *model,
                              const struct kernel_frame_copy_request *request)
{
    static uint8_t bytes[PAGE_BYTES];
    uint32_t source = MODEL_NONE;
    uint32_t target;
    enum status in = need_source(model, request->source_slot, request->source_offset_bytes,
                                 request->count, &source);
    if (in != STATUS_OK && in != STATUS_OUT_OF_RANGE)
        return in;
    enum status status = need_writable(model, request->target_slot, &target);
    if (status != STATUS_OK)
        return status;
    if (in != STATUS_OK || request->target_offset_bytes + request->count > PAGE_BYTES)
        return STATUS_OUT_OF_RANGE;
    if (model->frames[target].use == MODEL_USE_CODE)
        return STATUS_WRITE_AND_EXECUTE;
    source_read(model, source, request->source_offset_bytes, request->count, bytes);
    memcpy(model_frame_bytes(model, target) + request->target_offset_bytes, bytes, request->count);
    return STATUS_OK;
}

/* --- retype and destroy ----------------------------------------------------------------------- */

static void frames_add(struct model_kernel *model, uint32_t pool, uint32_t first, uint32_t count)
{
    model->pools[pool].frames += count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t frame = model->frame_count++;
        model->frames[frame] = (struct model_frame){.live = true, .pool = pool, .data = MODEL_NONE};
        model_cap_put(model, model->current,
                      (struct model_cap){first + i, OBJECT_FRAME, object_type_rights(OBJECT_FRAME),
                                         frame, 0});
    }
}

static void pool_add(struct model_kernel *model, uint32_t parent, uint32_t slot, uint32_t pages)
{
    uint32_t pool = model->pool_count++;
    model->pools[parent].children += pages;
    model->pools[pool] = (struct model_pool){.live = true, .parent = parent, .total = pages};
    model_cap_put(
        model, model->current,
        (struct model_cap){slot, OBJECT_UNTYPED, object_type_rights(OBJECT_UNTYPED), pool, 0});
}

static enum status retype(struct model_kernel *model, const struct kernel_retype_request *request)
{
    struct model_cap *untyped;
    bool frames = request->object_type == OBJECT_FRAME;
    uint32_t slots = frames ? request->count : 1;
    enum status status =
        model_need(model, request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL, &untyped);
    if (status != STATUS_OK)
        return status;
    if (frames && request->count > 64)
        return STATUS_INVALID_ARGUMENT;
    if (!model_range_fillable(request->target_slot, slots))
        return STATUS_OUT_OF_RANGE;
    if (!model_range_empty(model, model->current, request->target_slot, slots))
        return STATUS_BUSY;
    uint32_t pool = untyped->object;
    uint32_t above = 0;
    for (uint32_t i = pool; model->pools[i].parent != MODEL_NONE; i = model->pools[i].parent)
        above++;
    if (!frames && above == 32)
        return STATUS_OVER_LIMIT;
    if (model_pool_available(&model->pools[pool]) < request->count)
        return STATUS_EXHAUSTED;
    if (model_tight(model, model->current, MODEL_LEAVES_MAX))
        return STATUS_OVER_BUDGET;
    if (frames)
        frames_add(model, pool, request->target_slot, request->count);
    else
        pool_add(model, pool, request->target_slot, request->count);
    return STATUS_OK;
}

static enum status destroy(struct model_kernel *model, uint32_t slot)
{
    struct model_cap *cap = model_cap_find(model, model->current, slot);
    if (cap == NULL || !model_cap_live(model, cap))
        return STATUS_NOT_FOUND;
    if (cap->type != OBJECT_UNTYPED && cap->type != OBJECT_FRAME)
        return STATUS_INVALID_ARGUMENT;
    if ((cap->rights & RIGHT_CONTROL) == 0)
        return STATUS_DENIED;
    if (cap->type == OBJECT_FRAME) {
        uint32_t frame = cap->object;
        model->frames[frame].live = false;
        model->frames[frame].dying = true;
        model_cap_remove(model, model->current, cap);
        model_work_start(model, MODEL_WORK_DESTROY, frame); /* K4 */
        return STATUS_OK;
    } else {
        struct model_pool *pool = &model->pools[cap->object];
        if (pool->parent == MODEL_NONE)
            return STATUS_DENIED;
        if (model_pool_available(pool) != pool->total)
            return STATUS_BUSY;
        pool->live = false;
        model->pools[pool->parent].children -= pool->total;
    }
    model_cap_remove(model, model->current, cap);
    return STATUS_OK;
}

/* --- address spaces --------------------------------------------------------------------------- */

const struct model_map *model_map_find(const struct model_kernel *model, uint32_t process,
                                       uint64_t va)
{
    const struct model_kernel_process *owner = &model->processes[process];
    for (uint32_t i = 0; i < owner->map_count; i++) {
        if (owner->maps[i].va == va / PAGE_BYTES * PAGE_BYTES)
            return &owner->maps[i];
    }
    return NULL;
}

static uint32_t present_count(const struct model_kernel_process *process, uint64_t va,
                              uint32_t pages)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < process->map_count; i++)
        count += process->maps[i].va >= va && process->maps[i].va - va < pages * UINT64_C(4096);
    return count;
}

static enum status rights_fit(uint32_t rights)
{
    if ((rights & RIGHT_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    bool both = (rights & RIGHT_WRITE) != 0 && (rights & RIGHT_EXECUTE) != 0;
    return both ? STATUS_WRITE_AND_EXECUTE : STATUS_OK;
}

static bool user_range(uint64_t va, uint32_t pages)
{
    return va >= USER_VA_FIRST && va < USER_VA_END &&
           pages * (uint64_t)PAGE_BYTES <= USER_VA_END - va;
}

static bool use_against(const struct model_kernel *model, const struct model_cap *cap,
                        uint32_t rights)
{
    enum model_use use =
        cap->type == OBJECT_FRAME ? model->frames[cap->object].use : MODEL_USE_CODE;
    return ((rights & RIGHT_WRITE) != 0 && use == MODEL_USE_CODE) ||
           ((rights & RIGHT_EXECUTE) != 0 && use == MODEL_USE_DATA);
}

static void maps_add(struct model_kernel *model, uint32_t target, const struct model_cap *cap,
                     const struct kernel_map_frame_request *request)
{
    struct model_kernel_process *process = model_at(model, target);
    bool frame = cap->type == OBJECT_FRAME;
    for (uint32_t i = 0; i < request->page_count; i++) {
        process->maps[process->map_count++] = (struct model_map){
            .va = request->va + i * UINT64_C(4096),
            .frame = frame ? cap->object : MODEL_NONE,
            .image_page = (uint32_t)request->frame_page + i,
            .rights = (uint16_t)request->rights,
            .rights_max = (uint16_t)request->rights,
        };
    }
    if (frame && (request->rights & RIGHT_WRITE) != 0)
        model->frames[cap->object].use = MODEL_USE_DATA;
    if (frame && (request->rights & RIGHT_EXECUTE) != 0)
        model->frames[cap->object].use = MODEL_USE_CODE;
    model->changed = true;
}

static enum status map(struct model_kernel *model, enum object_type kind,
                       const struct kernel_map_frame_request *request)
{
    struct model_cap *vspace;
    enum status status = rights_fit(request->rights);
    if (status == STATUS_OK)
        status = model_need(model, request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    const struct model_cap *cap = model_cap_find(model, model->current, request->frame_slot);
    if (cap == NULL || !model_cap_live(model, cap))
        return STATUS_NOT_FOUND;
    if (cap->type != OBJECT_FRAME && cap->type != OBJECT_IMAGE)
        return STATUS_INVALID_ARGUMENT;
    if (((RIGHT_MAP | request->rights) & ~(uint32_t)cap->rights) != 0)
        return STATUS_DENIED; /* K1 */
    uint64_t pages = cap->type == OBJECT_FRAME ? 1 : MODEL_CODE_PAGES;
    if (request->frame_page >= pages || request->page_count > pages - request->frame_page ||
        !user_range(request->va, request->page_count))
        return STATUS_OUT_OF_RANGE; /* V5 */
    uint32_t target = vspace->object;
    const struct model_kernel_process *process = model_at(model, target);
    if (kind == OBJECT_KERNEL_PROCESS && process->life != MODEL_LIFE_STAGED)
        return STATUS_DENIED;
    if (use_against(model, cap, request->rights))
        return STATUS_WRITE_AND_EXECUTE; /* V2 */
    if (present_count(process, request->va, request->page_count) != 0)
        return STATUS_BUSY; /* K4 */
    if (model_tight(model, target, MODEL_TABLES_MAX))
        return STATUS_OVER_BUDGET;
    maps_add(model, target, cap, request);
    return STATUS_OK;
}

/* Every question about every frame, then the mappings, then the slots. */
static enum status give(struct model_kernel *model, enum object_type kind,
                        const struct kernel_give_frames_request *request)
{
    struct model_cap *vspace;
    struct model_cap *frame;
    enum status status = rights_fit(request->rights);
    if (status == STATUS_OK)
        status = model_need(model, request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status == STATUS_OK && request->frame_slot + request->count > SLOT_LIMIT)
        status = STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < request->count && status == STATUS_OK; i++)
        status = model_need(model, request->frame_slot + i, OBJECT_FRAME,
                            (uint16_t)(RIGHT_MAP | request->rights), &frame); /* K1 */
    if (status != STATUS_OK)
        return status;
    if (!user_range(request->va, request->count))
        return STATUS_OUT_OF_RANGE; /* V5 */
    uint32_t target = vspace->object;
    if (kind == OBJECT_KERNEL_PROCESS && model_at(model, target)->life != MODEL_LIFE_STAGED)
        return STATUS_DENIED;
    for (uint32_t i = 0; i < request->count; i++)
        if (use_against(model, model_cap_find(model, model->current, request->frame_slot + i),
                        request->rights))
            return STATUS_WRITE_AND_EXECUTE; /* V2 */
    if (present_count(model_at(model, target), request->va, request->count) != 0)
        return STATUS_BUSY; /* K4 */
    if (model_tight(model, target, MODEL_TABLES_MAX))
        return STATUS_OVER_BUDGET;
    for (uint32_t i = 0; i < request->count; i++) {
        struct kernel_map_frame_request one = {
            .va = request->va + i * UINT64_C(4096), .page_count = 1, .rights = request->rights};
        frame = model_cap_find(model, model->current, request->frame_slot + i);
        maps_add(model, target, frame, &one);
        model_cap_drop(model, model->current, frame);
    }
    return STATUS_OK;
}

/* The address space, and that every page of the range is there. */
static enum status need_present(struct model_kernel *model, uint32_t slot, uint64_t va,
                                uint32_t pages, uint32_t *target)
{
    struct model_cap *vspace;
    enum status status = model_need(model, slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    *target = vspace->object;
    if (!user_range(va, pages))
        return STATUS_OUT_OF_RANGE;
    return present_count(model_at(model, *target), va, pages) == pages ? STATUS_OK
                                                                       : STATUS_NOT_FOUND;
}

static enum status unmap(struct model_kernel *model,
                         const struct kernel_unmap_frame_request *request)
{
    uint32_t target;
    enum status status =
        need_present(model, request->vspace_slot, request->va, request->page_count, &target);
    if (status != STATUS_OK)
        return status;
    model_at(model, model->current)->work_at = request->va;
    model_at(model, model->current)->work_pages = request->page_count;
    model_work_start(model, MODEL_WORK_UNMAP, target);
    return STATUS_OK;
}

static enum status protect(struct model_kernel *model,
                           const struct kernel_protect_frame_request *request)
{
    uint32_t target;
    enum status status = rights_fit(request->rights);
    if (status == STATUS_OK)
        status =
            need_present(model, request->vspace_slot, request->va, request->page_count, &target);
    if (status != STATUS_OK)
        return status;
    struct model_kernel_process *process = model_at(model, target);
    uint64_t bytes = request->page_count * UINT64_C(4096);
    for (uint32_t i = 0; i < process->map_count; i++) {
        const struct model_map *entry = &process->maps[i];
        bool inside = entry->va >= request->va && entry->va - request->va < bytes;
        if (inside && (request->rights & ~(uint32_t)entry->rights_max) != 0)
            return STATUS_DENIED;
    }
    for (uint32_t i = 0; i < process->map_count; i++) {
        struct model_map *entry = &process->maps[i];
        if (entry->va < request->va || entry->va - request->va >= bytes)
            continue;
        model->translations_lost += (entry->rights & ~request->rights) != 0;
        entry->rights = (uint16_t)request->rights;
    }
    model->changed = true;
    return STATUS_OK;
}

enum status model_control_memory(struct model_kernel *model, enum object_type kind,
                                 uint16_t operation, const void *request, void *reply)
{
    uint32_t first;
    memcpy(&first, request, sizeof first);
    switch (operation) {
    case OP_KERNEL_MAP_FRAME:
        return map(model, kind, request);
    case OP_KERNEL_GIVE_FRAMES:
        return give(model, kind, request);
    case OP_KERNEL_UNMAP_FRAME:
        return unmap(model, request);
    case OP_KERNEL_PROTECT_FRAME:
        return protect(model, request);
    case OP_KERNEL_RETYPE:
        return retype(model, request);
    case OP_KERNEL_DESTROY:
        return destroy(model, first);
    case OP_KERNEL_FRAME_READ:
        return frame_read(model, request, reply);
    case OP_KERNEL_FRAME_WRITE:
        return frame_write(model, request);
    case OP_KERNEL_FRAME_COPY:
        return frame_copy(model, request);
    default:
        return STATUS_INTERNAL; /* a row without a model: the comparison will say so */
    }
}
