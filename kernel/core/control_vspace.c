/* SPDX-License-Identifier: ISC */
/* Kernel control of address spaces: map, unmap, protect; whole requests or nothing (V3). Keeps W^X
 * over time (V2) without trusting vspaced. Questions in the order of control.h, then changes that
 * cannot fail. */
#include "abi/formats/cursor.h"
#include "kernel/core/control.h"
#include "kernel/core/vspace.h"

/* Pages that a request wants to map. */
struct pages {
    uint32_t first;
    struct page_record *frame; /* of the one frame that they are; null: pages of the image */
};

static enum status rights_allowed(uint32_t rights)
{
    if ((rights & RIGHT_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    if ((rights & RIGHT_WRITE) != 0 && (rights & RIGHT_EXECUTE) != 0)
        return STATUS_WRITE_AND_EXECUTE; /* V2 */
    return STATUS_OK;
}

static bool range_is_user(uint64_t va, uint32_t page_count)
{
    return va >= USER_VA_FIRST && range_within(va, (uint64_t)page_count * PAGE_BYTES, USER_VA_END);
}

__attribute__((always_inline)) static inline enum status
vspace_get(const struct control *control, uint32_t slot, struct process **out)
{
    return control_get_process(control, slot, OBJECT_VSPACE, RIGHT_MAP, out);
}

/* --- MAP_FRAME -------------------------------------------------------------------------------- */

KERNEL_INLINE enum status pages_find(const struct control *control,
                                     const struct kernel_map_frame_request *request,
                                     uint32_t page_count, struct pages *out)
{
    const struct kernel *kernel = control->kernel;
    const struct capability *cap;
    enum status status =
        control_get_memory(control, request->frame_slot, RIGHT_MAP | request->rights, &cap);
    if (status != STATUS_OK)
        return status;
    bool frame = cap->object_type == OBJECT_FRAME;
    if (!range_within(request->frame_page, page_count, frame ? 1 : kernel->image_pages))
        return STATUS_OUT_OF_RANGE;
    out->first = cap->object;
    out->frame = machine_page_record(cap->object);
    if (!frame)
        *out = (struct pages){kernel->image_first_page + (uint32_t)request->frame_page, NULL};
    return STATUS_OK;
}

/* A frame's first writable or executable mapping settles what it is; the image is code from
 * boot. */
static bool use_allows(const struct page_record *frame, uint32_t rights)
{
    uint8_t use = frame != NULL ? frame->use : FRAME_CODE;
    if ((rights & RIGHT_WRITE) != 0)
        return use != FRAME_CODE;
    return (rights & RIGHT_EXECUTE) == 0 || use != FRAME_DATA;
}

static void use_settle(struct page_record *frame, uint32_t rights)
{
    if (frame == NULL)
        return;
    if ((rights & RIGHT_WRITE) != 0)
        frame->use = FRAME_DATA;
    else if ((rights & RIGHT_EXECUTE) != 0)
        frame->use = FRAME_CODE;
}

/* What MAP_FRAME is about, found by the questions. */
struct map {
    struct process *process;
    struct pages pages;
    struct vspace_range range;
};

KERNEL_INLINE enum status map_decide(struct control *control,
                                     const struct kernel_map_frame_request *request,
                                     uint32_t page_count, struct map *map)
{
    enum status status = rights_allowed(request->rights);
    if (status == STATUS_OK)
        status = vspace_get(control, request->vspace_slot, &map->process);
    if (status == STATUS_OK)
        status = pages_find(control, request, page_count, &map->pages);
    if (status != STATUS_OK)
        return status;
    if (!range_is_user(request->va, page_count))
        return STATUS_OUT_OF_RANGE; /* V5 */
    if (control->kind == OBJECT_KERNEL_PROCESS && map->process->life != LIFE_STAGED)
        return STATUS_DENIED;
    if (!use_allows(map->pages.frame, request->rights))
        return STATUS_WRITE_AND_EXECUTE;
    map->range = vspace_range_find(map->process, request->va, page_count);
    if (!vspace_range_is(&map->range, false))
        return STATUS_BUSY; /* K4 */
    return vspace_reserve(control->kernel, map->process, &map->range);
}

KERNEL_INLINE enum status map_pages(struct control *control,
                                    const struct kernel_map_frame_request *request,
                                    uint32_t page_count)
{
    struct map map;
    enum status status = map_decide(control, request, page_count, &map);
    if (status != STATUS_OK)
        return status;
    use_settle(map.pages.frame, request->rights);
    mapping_add(map.process, &map.range, map.pages.first, (uint16_t)request->rights);
    return STATUS_OK;
}

__attribute__((noinline)) static enum status
map_many(struct control *control, const struct kernel_map_frame_request *request)
{
    return map_pages(control, request, request->page_count);
}

/* The same for one page, the number of most requests: it has neither loops nor a second leaf. */
enum status control_map_frame(struct control *control)
{
    const struct kernel_map_frame_request *request = &control->request->kernel_map_frame;
    return request->page_count == 1 ? map_pages(control, request, 1) : map_many(control, request);
}

/* --- GIVE_FRAMES ------------------------------------------------------------------------------ */

static enum status give_find(const struct control *control,
                             const struct kernel_give_frames_request *request,
                             struct capability **frames)
{
    if (request->count > SLOT_LIMIT - request->frame_slot)
        return STATUS_INVALID_ARGUMENT;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < request->count && status == STATUS_OK; i++)
        status = control_get(control, request->frame_slot + i, OBJECT_FRAME,
                             (uint16_t)(RIGHT_MAP | request->rights), &frames[i]);
    return status;
}

static inline enum status give_decide(struct control *control,
                                      const struct kernel_give_frames_request *request,
                                      struct capability **frames, struct map *map)
{
    enum status status = rights_allowed(request->rights);
    if (status == STATUS_OK)
        status = vspace_get(control, request->vspace_slot, &map->process);
    if (status == STATUS_OK)
        status = give_find(control, request, frames);
    if (status != STATUS_OK)
        return status;
    if (!range_is_user(request->va, request->count))
        return STATUS_OUT_OF_RANGE; /* V5 */
    if (control->kind == OBJECT_KERNEL_PROCESS && map->process->life != LIFE_STAGED)
        return STATUS_DENIED;
    for (uint32_t i = 0; i < request->count; i++) {
        if (!use_allows(machine_page_record(frames[i]->object), request->rights))
            return STATUS_WRITE_AND_EXECUTE;
    }
    map->range = vspace_range_find(map->process, request->va, request->count);
    if (!vspace_range_is(&map->range, false))
        return STATUS_BUSY; /* K4 */
    return vspace_reserve(control->kernel, map->process, &map->range);
}

/* The mapping comes before the drop, which would otherwise be the end of the frame. */
enum status control_give_frames(struct control *control)
{
    const struct kernel_give_frames_request *request = &control->request->kernel_give_frames;
    struct capability *frames[MESSAGE_CAP_LIMIT];
    struct map map;
    enum status status = give_decide(control, request, frames, &map);
    if (status != STATUS_OK)
        return status;
    const struct vspace_range *range = &map.range;
    map.process->mapped_pages += request->count;
    for (uint32_t i = 0; i < request->count; i++) {
        use_settle(machine_page_record(frames[i]->object), request->rights);
        if (i < range->here)
            leaf_add_one(range->leaf, range->at + i, frames[i]->object, (uint16_t)request->rights);
        else
            leaf_add_one(range->behind, i - range->here, frames[i]->object,
                         (uint16_t)request->rights);
        capability_drop(control->kernel, frames[i]);
    }
    return STATUS_OK;
}

/* --- UNMAP_FRAME, PROTECT_FRAME --------------------------------------------------------------- */

__attribute__((always_inline)) static inline enum status
range_allowed(const struct process *process, uint64_t va, uint32_t page_count,
              struct vspace_range *range)
{
    if (!range_is_user(va, page_count))
        return STATUS_OUT_OF_RANGE;
    *range = vspace_range_find(process, va, page_count);
    return vspace_range_is(range, true) ? STATUS_OK : STATUS_NOT_FOUND;
}

KERNEL_INLINE enum status unmap_pages(struct control *control,
                                      const struct kernel_unmap_frame_request *request,
                                      uint32_t page_count)
{
    struct process *process;
    struct vspace_range range;
    enum status status = vspace_get(control, request->vspace_slot, &process);
    if (status == STATUS_OK)
        status = range_allowed(process, request->va, page_count, &range);
    if (status != STATUS_OK)
        return status;
    mappings_remove(control->kernel, process, &range);
    if (range.count != 0)
        work_leave(control->caller, (struct work){.kind = WORK_UNMAP,
                                                  .object = process->index,
                                                  .generation = process->service.generation,
                                                  .at = range.va,
                                                  .count = range.count});
    return STATUS_OK;
}

__attribute__((noinline)) static enum status
unmap_many(struct control *control, const struct kernel_unmap_frame_request *request)
{
    return unmap_pages(control, request, request->page_count);
}

/* As MAP_FRAME: the same for one page. */
enum status control_unmap_frame(struct control *control)
{
    const struct kernel_unmap_frame_request *request = &control->request->kernel_unmap_frame;
    return request->page_count == 1 ? unmap_pages(control, request, 1)
                                    : unmap_many(control, request);
}

static bool leaf_rights_within_max(uint32_t leaf, uint32_t at, uint32_t count, uint32_t rights)
{
    const uint64_t *entries = machine_page(leaf);
    for (uint32_t i = at; i < at + count; i++) {
        if ((rights & ~(uint32_t)entry_rights_max(entries[i])) != 0)
            return false;
    }
    return true;
}

static void leaf_protect(const struct process *process, uint32_t leaf, uint32_t at, uint32_t count,
                         uint32_t rights)
{
    uint64_t *entries = machine_page(leaf);
    uint64_t base_va = (uint64_t)machine_page_record(leaf)->leaf_number * LEAF_BYTES;
    for (uint32_t i = at; i < at + count; i++) {
        entries[i] = entry_with_rights(entries[i], (uint16_t)rights);
        machine_flush(process->vspace_page, base_va + (uint64_t)i * PAGE_BYTES);
    }
}

enum status control_protect_frame(struct control *control)
{
    const struct kernel_protect_frame_request *request = &control->request->kernel_protect_frame;
    struct process *process;
    struct vspace_range range;
    uint32_t rights = request->rights;
    enum status status = rights_allowed(rights);
    if (status == STATUS_OK)
        status = vspace_get(control, request->vspace_slot, &process);
    if (status == STATUS_OK)
        status = range_allowed(process, request->va, request->page_count, &range);
    if (status != STATUS_OK)
        return status;
    uint32_t rest = range.count - range.here; /* none: `behind` may be 0 */
    if (!leaf_rights_within_max(range.leaf, range.at, range.here, rights) ||
        (rest != 0 && !leaf_rights_within_max(range.behind, 0, rest, rights)))
        return STATUS_DENIED;
    leaf_protect(process, range.leaf, range.at, range.here, rights);
    if (rest != 0)
        leaf_protect(process, range.behind, 0, rest, rights);
    return STATUS_OK;
}
