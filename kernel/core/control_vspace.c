/* SPDX-License-Identifier: ISC */
/* Kernel control of address spaces: map, unmap, protect; whole requests or nothing (V3). Keeps W^X
 * over time (V2) without trusting vspaced. Questions in the order of control.h, then changes that
 * cannot fail. */
#include "abi/formats/cursor.h"
#include "kernel/core/control.h"

/* Pages that a request wants to map. */
struct pages {
    uint32_t first;
    uint32_t count;
    bool frame; /* one frame; otherwise pages of the image */
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

static enum status vspace_get(const struct control *control, uint32_t slot, struct process **out)
{
    struct capability *cap;
    enum status status = control_get(control, slot, OBJECT_VSPACE, RIGHT_MAP, &cap);
    if (status == STATUS_OK)
        *out = process_at(control->kernel, cap->object);
    return status;
}

/* --- MAP_FRAME -------------------------------------------------------------------------------- */

static enum status pages_find(const struct control *control,
                              const struct kernel_map_frame_request *request, struct pages *out)
{
    const struct kernel *kernel = control->kernel;
    const struct capability *cap = cspace_find(control->caller, request->frame_slot);
    if (cap == NULL || !kernel_capability_live(kernel, cap))
        return STATUS_NOT_FOUND;
    if (cap->object_type != OBJECT_FRAME && cap->object_type != OBJECT_IMAGE)
        return STATUS_INVALID_ARGUMENT;
    uint32_t needed = RIGHT_MAP | request->rights;
    if ((cap->rights & needed) != needed)
        return STATUS_DENIED; /* K1 */
    bool frame = cap->object_type == OBJECT_FRAME;
    if (!range_within(request->frame_page, request->page_count, frame ? 1 : kernel->image_pages))
        return STATUS_OUT_OF_RANGE;
    uint32_t first = frame ? cap->object : kernel->image_first_page;
    *out = (struct pages){first + (uint32_t)request->frame_page, request->page_count, frame};
    return STATUS_OK;
}

/* A frame's first writable or executable mapping settles what it is; the image is code from
 * boot. */
static bool use_allows(const struct pages *pages, uint32_t rights)
{
    uint8_t use = pages->frame ? machine_page_record(pages->first)->use : FRAME_CODE;
    if ((rights & RIGHT_WRITE) != 0)
        return use != FRAME_CODE;
    return (rights & RIGHT_EXECUTE) == 0 || use != FRAME_DATA;
}

static void use_settle(const struct pages *pages, uint32_t rights)
{
    struct page_record *record = machine_page_record(pages->first);
    if (!pages->frame)
        return;
    if ((rights & RIGHT_WRITE) != 0)
        record->use = FRAME_DATA;
    else if ((rights & RIGHT_EXECUTE) != 0)
        record->use = FRAME_CODE;
}

static enum status map_decide(struct control *control,
                              const struct kernel_map_frame_request *request,
                              struct process **process, struct pages *pages)
{
    enum status status = rights_allowed(request->rights);
    if (status == STATUS_OK)
        status = vspace_get(control, request->vspace_slot, process);
    if (status == STATUS_OK)
        status = pages_find(control, request, pages);
    if (status != STATUS_OK)
        return status;
    if (!range_is_user(request->va, request->page_count))
        return STATUS_OUT_OF_RANGE; /* V5 */
    if (control->kind == OBJECT_KERNEL_PROCESS && (*process)->life != LIFE_STAGED)
        return STATUS_DENIED;
    if (!use_allows(pages, request->rights))
        return STATUS_WRITE_AND_EXECUTE;
    if (vspace_present_count(*process, request->va, request->page_count) != 0)
        return STATUS_BUSY; /* K4 */
    return vspace_reserve(control->kernel, *process, request->va, request->page_count);
}

enum status control_map_frame(struct control *control)
{
    const struct kernel_map_frame_request *request = &control->request.kernel_map_frame;
    struct process *process;
    struct pages pages;
    enum status status = map_decide(control, request, &process, &pages);
    if (status != STATUS_OK)
        return status;
    use_settle(&pages, request->rights);
    mapping_add(process, request->va, pages.first, pages.count, (uint16_t)request->rights);
    return STATUS_OK;
}

/* --- UNMAP_FRAME, PROTECT_FRAME --------------------------------------------------------------- */

static enum status range_allowed(const struct process *process, uint64_t va, uint32_t page_count)
{
    if (!range_is_user(va, page_count))
        return STATUS_OUT_OF_RANGE;
    if (vspace_present_count(process, va, page_count) != page_count)
        return STATUS_NOT_FOUND;
    return STATUS_OK;
}

enum status control_unmap_frame(struct control *control)
{
    const struct kernel_unmap_frame_request *request = &control->request.kernel_unmap_frame;
    struct process *process;
    enum status status = vspace_get(control, request->vspace_slot, &process);
    if (status == STATUS_OK)
        status = range_allowed(process, request->va, request->page_count);
    if (status != STATUS_OK)
        return status;
    work_start(control->kernel, control->caller,
               (struct work){.kind = WORK_UNMAP,
                             .object = process->index,
                             .generation = process->service.generation,
                             .at = request->va,
                             .count = request->page_count});
    return STATUS_OK;
}

static bool rights_within_max(const struct process *process, uint64_t va, uint32_t page_count,
                              uint32_t rights)
{
    uint64_t *entry = NULL;
    for (uint32_t i = 0; i < page_count; i++, va += PAGE_BYTES) {
        entry = vspace_entry_next(process, entry, va);
        if ((rights & ~(uint32_t)entry_rights_max(*entry)) != 0)
            return false;
    }
    return true;
}

enum status control_protect_frame(struct control *control)
{
    const struct kernel_protect_frame_request *request = &control->request.kernel_protect_frame;
    struct process *process;
    enum status status = rights_allowed(request->rights);
    if (status == STATUS_OK)
        status = vspace_get(control, request->vspace_slot, &process);
    if (status == STATUS_OK)
        status = range_allowed(process, request->va, request->page_count);
    if (status != STATUS_OK)
        return status;
    if (!rights_within_max(process, request->va, request->page_count, request->rights))
        return STATUS_DENIED;
    uint64_t va = request->va;
    uint64_t *entry = NULL;
    for (uint32_t i = 0; i < request->page_count; i++, va += PAGE_BYTES) {
        entry = vspace_entry_next(process, entry, va);
        *entry = entry_with_rights(*entry, (uint16_t)request->rights);
        machine_flush(process->vspace_page, va);
    }
    return STATUS_OK;
}
