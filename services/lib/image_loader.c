/* SPDX-License-Identifier: ISC */
/* Turns an ELF plan into mappings of a staged child. Decides which page is shared and which is a
 * private copy; never maps a page writable that is the image's, and leaves nothing in the caller's
 * cspace. */
#include "services/lib/image_loader.h"

#include <string.h>

#include "abi/formats/cursor.h"

/* What one FRAME_READ did not show of the headers. */
static enum status read_rest(struct caller *caller, const struct image_module *module,
                             uint8_t *view, uint32_t *count)
{
    uint32_t end = ELF_VIEW_BYTES;
    if (module->size_bytes < end)
        end = (uint32_t)module->size_bytes;
    if (end == *count)
        return STATUS_OK;
    enum status status =
        kernel_frame_read(caller, module->kernel_slot, module->image_slot,
                          module->offset_bytes + *count, end - *count, view + *count);
    *count = end;
    return status;
}

enum status image_plan(struct caller *caller, const struct image_module *module,
                       struct elf_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    if (module->size_bytes == 0)
        return STATUS_INVALID_ARGUMENT;
    if (module->offset_bytes % PAGE_BYTES != 0)
        return STATUS_NOT_ALIGNED;
    if (!range_within(module->offset_bytes, module->size_bytes, UINT64_MAX))
        return STATUS_OUT_OF_RANGE;
    uint8_t view[ELF_VIEW_BYTES];
    uint32_t count = FRAME_TRANSFER_BYTES_MAX;
    if (module->size_bytes < count)
        count = (uint32_t)module->size_bytes;
    enum status status = kernel_frame_read(caller, module->kernel_slot, module->image_slot,
                                           module->offset_bytes, count, view);
    if (status == STATUS_OK && elf_plan_view_bytes(view, count) > count)
        status = read_rest(caller, module, view, &count);
    if (status != STATUS_OK)
        return status;
    return elf_plan_parse(view, count, module->size_bytes, plan);
}

uint64_t image_shared_pages(const struct elf_segment *segment)
{
    uint64_t first = 0;
    uint64_t count = 0;
    if ((segment->rights & RIGHT_WRITE) == 0)
        elf_segment_whole(segment, &first, &count);
    return count;
}

/* Maps the image's own pages, as many as one call takes at a time. */
static enum status map_shared(struct caller *caller, const struct image_module *module,
                              const struct image_target *target, const struct elf_segment *segment)
{
    uint64_t first;
    uint64_t pages;
    elf_segment_whole(segment, &first, &pages);
    if ((segment->rights & RIGHT_WRITE) != 0 || pages == 0)
        return STATUS_OK;
    uint64_t first_page =
        (module->offset_bytes + elf_segment_piece(segment, first).file_offset) / PAGE_BYTES;
    for (uint64_t done = 0; done < pages;) {
        uint64_t left = pages - done;
        struct kernel_map_frame_request request = {
            .vspace_slot = target->vspace_slot,
            .frame_slot = module->image_slot,
            .va = segment->va + (first + done) * PAGE_BYTES,
            .frame_page = first_page + done,
            .page_count = (uint32_t)(left < VSPACED_MAP_PAGES_MAX ? left : VSPACED_MAP_PAGES_MAX),
            .rights = segment->rights,
        };
        enum status status = kernel_map_frame(caller, module->kernel_slot, &request);
        if (status != STATUS_OK)
            return status;
        done += request.page_count;
    }
    return STATUS_OK;
}

/* Copies the file's bytes of page `page` of the segment, if it has any, to the frame at
 * `frame_slot`. */
static enum status fill(struct caller *caller, const struct image_module *module,
                        const struct elf_segment *segment, uint64_t page, uint32_t frame_slot)
{
    struct elf_piece piece = elf_segment_piece(segment, page);
    if (piece.bytes == 0)
        return STATUS_OK;
    return kernel_frame_copy(caller, module->kernel_slot, module->image_slot,
                             module->offset_bytes + piece.file_offset, frame_slot, piece.at,
                             piece.bytes);
}

/* Fills the frames at the scratch slots and gives them to the child, so that the slots are empty. */
static enum status fill_and_give(struct caller *caller, const struct image_module *module,
                                 const struct image_target *target,
                                 const struct elf_segment *segment, uint64_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        enum status status = fill(caller, module, segment, first + i, target->scratch_slot + i);
        if (status != STATUS_OK)
            return status;
    }
    return kernel_give_frames(caller, module->kernel_slot,
                              &(struct kernel_give_frames_request){
                                  .vspace_slot = target->vspace_slot,
                                  .frame_slot = target->scratch_slot,
                                  .va = segment->va + first * PAGE_BYTES,
                                  .count = count,
                                  .rights = segment->rights,
                              });
}

/* Makes `count` frames, and of them the private pages from `first` on. After an error the frames
 * are dropped and go back to their untyped. */
static enum status map_some(struct caller *caller, const struct image_module *module,
                            const struct image_target *target, const struct elf_segment *segment,
                            uint64_t first, uint32_t count)
{
    enum status status = kernel_retype(caller, module->kernel_slot, target->untyped_slot,
                                       OBJECT_FRAME, count, target->scratch_slot);
    if (status != STATUS_OK)
        return status;
    status = fill_and_give(caller, module, target, segment, first, count);
    for (uint32_t i = 0; i < count && status != STATUS_OK; i++)
        (void)kernel_drop_local_cap(caller, target->scratch_slot + i);
    return status;
}

/* One frame for each page from `page` to `end`. */
static enum status map_private(struct caller *caller, const struct image_module *module,
                               const struct image_target *target, const struct elf_segment *segment,
                               uint64_t page, uint64_t end)
{
    while (page < end) {
        uint64_t left = end - page;
        uint32_t count = left < IMAGE_SCRATCH_SLOTS ? (uint32_t)left : IMAGE_SCRATCH_SLOTS;
        enum status status = map_some(caller, module, target, segment, page, count);
        if (status != STATUS_OK)
            return status;
        page += count;
    }
    return STATUS_OK;
}

/* The pages that are shared, and those on either side of them. */
static enum status map_segment(struct caller *caller, const struct image_module *module,
                               const struct image_target *target, const struct elf_segment *segment)
{
    uint64_t shared = image_shared_pages(segment);
    uint64_t first = shared != 0 && segment->first_bytes != 0 ? 1 : 0;
    enum status status = map_shared(caller, module, target, segment);
    if (status == STATUS_OK)
        status = map_private(caller, module, target, segment, 0, first);
    if (status == STATUS_OK)
        status = map_private(caller, module, target, segment, first + shared, segment->pages);
    return status;
}

enum status image_map_zeroed(struct caller *caller, const struct image_module *module,
                             const struct image_target *target, uint64_t va, uint64_t pages)
{
    struct elf_segment segment = {
        .va = va,
        .memory_bytes = pages * PAGE_BYTES,
        .pages = pages,
        .rights = RIGHT_READ | RIGHT_WRITE,
    };
    return map_private(caller, module, target, &segment, 0, pages);
}

enum status image_build(struct caller *caller, const struct image_module *module,
                        const struct image_target *target, const struct elf_plan *plan)
{
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        enum status status = map_segment(caller, module, target, &plan->segments[i]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
