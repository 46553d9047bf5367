/* SPDX-License-Identifier: ISC */
/* Kernel control of memory: retype, destroy, and bytes of frames. Questions in the order of
 * control.h, then changes that cannot fail. */
#include "abi/formats/cursor.h"
#include "kernel/core/control.h"

/* --- retype and destroy ----------------------------------------------------------------------- */

static void retype_frames(struct control *control, uint32_t untyped, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t page = frame_create(control->kernel, untyped);
        struct capability cap = {
            .object_type = OBJECT_FRAME,
            .rights = object_type_rights(OBJECT_FRAME),
            .object = page,
            .generation = machine_page_record(page)->generation,
        };
        cspace_put(control->kernel, control->caller, first + i, cap);
    }
}

static void retype_untyped(struct control *control, uint32_t untyped, uint32_t slot, uint32_t pages)
{
    uint32_t index = untyped_create(control->kernel, untyped, pages);
    struct capability cap = {
        .object_type = OBJECT_UNTYPED,
        .rights = object_type_rights(OBJECT_UNTYPED),
        .object = index,
        .generation = control->kernel->untypeds[index].generation,
    };
    cspace_put(control->kernel, control->caller, slot, cap);
}

enum status control_retype(struct control *control)
{
    const struct kernel_retype_request *request = &control->request->kernel_retype;
    struct capability *untyped;
    bool frames = request->object_type == OBJECT_FRAME;
    uint32_t slots = frames ? request->count : 1;
    enum status status =
        control_get(control, request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL, &untyped);
    if (status != STATUS_OK)
        return status;
    if (slots > KERNEL_RETYPE_FRAMES_MAX)
        return STATUS_INVALID_ARGUMENT;
    if (!cspace_range_fillable(request->target_slot, slots))
        return STATUS_OUT_OF_RANGE;
    if (!cspace_range_empty(control->caller, request->target_slot, slots))
        return STATUS_BUSY;
    const struct untyped *pool = &control->kernel->untypeds[untyped->object];
    if (!frames && pool->depth == KERNEL_UNTYPED_DEPTH_MAX)
        return STATUS_OVER_LIMIT;
    if (kernel_untyped_available(pool) < request->count)
        return STATUS_EXHAUSTED;
    if (!frames && untyped_table_full(control->kernel))
        return STATUS_EXHAUSTED;
    status = cspace_reserve(control->kernel, control->caller, request->target_slot, slots);
    if (status != STATUS_OK)
        return status;
    if (frames)
        retype_frames(control, untyped->object, request->target_slot, request->count);
    else
        retype_untyped(control, untyped->object, request->target_slot, request->count);
    return STATUS_OK;
}

static enum status destroy_untyped(struct control *control, struct capability *slot)
{
    struct kernel *kernel = control->kernel;
    uint32_t index = slot->object;
    uint32_t parent = kernel->untypeds[index].parent;
    if (parent == KERNEL_NONE)
        return STATUS_DENIED;
    if (untyped_in_use(&kernel->untypeds[index]))
        return STATUS_BUSY;
    *slot = (struct capability){0};
    untyped_destroy(kernel, index);
    untyped_sweep(kernel, parent);
    return STATUS_OK;
}

static enum status destroy_frame(struct control *control, struct capability *slot)
{
    uint32_t page = slot->object;
    *slot = (struct capability){0};
    frame_doom(page);
    if (!frame_destroy_piece(control->kernel, page))
        work_leave(control->caller, (struct work){.kind = WORK_DESTROY, .object = page});
    return STATUS_OK;
}

enum status control_destroy(struct control *control)
{
    const struct kernel *kernel = control->kernel;
    struct capability *slot = cspace_find(control->caller, control->request->kernel_destroy.slot);
    bool frame = slot != NULL && slot->object_type == OBJECT_FRAME;
    if (frame ? !capability_is_live(kernel, slot, OBJECT_FRAME)
              : slot == NULL || slot->object_type != OBJECT_UNTYPED ||
                    !capability_is_live(kernel, slot, OBJECT_UNTYPED))
        return capability_misfit(kernel, slot, frame ? OBJECT_FRAME : OBJECT_UNTYPED);
    if ((slot->rights & RIGHT_CONTROL) == 0)
        return STATUS_DENIED;
    return frame ? destroy_frame(control, slot) : destroy_untyped(control, slot);
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* What bytes come from: a frame, or the pages of the image. */
struct source {
    uint32_t first_page;
    uint64_t bytes;
};

static enum status source_find(const struct control *control, uint32_t slot, struct source *out)
{
    struct kernel *kernel = control->kernel;
    const struct capability *cap;
    enum status status = control_get_memory(control, slot, RIGHT_READ, &cap);
    if (status != STATUS_OK)
        return status;
    *out = (struct source){.first_page = cap->object, .bytes = PAGE_BYTES};
    if (cap->object_type == OBJECT_IMAGE) {
        out->first_page = kernel->image_first_page;
        out->bytes = (uint64_t)kernel->image_pages * PAGE_BYTES;
    }
    return STATUS_OK;
}

/* The range lies inside the source; memmove, because source and target may be one frame. */
static void source_read(const struct source *source, uint64_t offset, uint32_t count, void *target)
{
    uint8_t *bytes = target;
    while (count != 0) {
        uint32_t page = source->first_page + (uint32_t)(offset / PAGE_BYTES);
        uint32_t at = (uint32_t)(offset % PAGE_BYTES);
        uint32_t piece = PAGE_BYTES - at < count ? PAGE_BYTES - at : count;
        memmove(bytes, (const uint8_t *)machine_page(page) + at, piece);
        bytes += piece;
        offset += piece;
        count -= piece;
    }
}

/* A frame that may be filled: *target is where. */
static enum status target_allowed(const struct capability *cap, uint32_t offset, uint32_t count,
                                  uint8_t **target)
{
    if (!range_within(offset, count, PAGE_BYTES))
        return STATUS_OUT_OF_RANGE;
    if (machine_page_record(cap->object)->use == FRAME_CODE)
        return STATUS_WRITE_AND_EXECUTE; /* V2 */
    *target = (uint8_t *)machine_page(cap->object) + offset;
    return STATUS_OK;
}

enum status control_frame_read(struct control *control)
{
    const struct kernel_frame_read_request *request = &control->request->kernel_frame_read;
    struct kernel_frame_read_reply *reply = &control->reply->kernel_frame_read;
    struct source source;
    enum status status = source_find(control, request->frame_slot, &source);
    if (status != STATUS_OK)
        return status;
    if (!range_within(request->offset_bytes, request->count, source.bytes))
        return STATUS_OUT_OF_RANGE;
    uint64_t offset_bytes = request->offset_bytes; /* the reply lies over it */
    uint32_t count = request->count;
    reply->count = count;
    source_read(&source, offset_bytes, count, reply->bytes);
    control->reply_bytes = (uint32_t)offsetof(struct kernel_frame_read_reply, bytes) + count;
    return STATUS_OK;
}

enum status control_frame_write(struct control *control)
{
    const struct kernel_frame_write_request *request = &control->request->kernel_frame_write;
    struct capability *cap;
    uint8_t *target = NULL;
    enum status status = control_get(control, request->frame_slot, OBJECT_FRAME, RIGHT_WRITE, &cap);
    if (status == STATUS_OK)
        status = target_allowed(cap, request->offset_bytes, request->count, &target);
    if (status == STATUS_OK)
        memcpy(target, request->bytes, request->count);
    return status;
}

enum status control_frame_copy(struct control *control)
{
    const struct kernel_frame_copy_request *request = &control->request->kernel_frame_copy;
    struct source source;
    struct capability *cap;
    uint8_t *target = NULL;
    enum status status = source_find(control, request->source_slot, &source);
    if (status == STATUS_OK)
        status = control_get(control, request->target_slot, OBJECT_FRAME, RIGHT_WRITE, &cap);
    if (status != STATUS_OK)
        return status;
    if (!range_within(request->source_offset_bytes, request->count, source.bytes))
        return STATUS_OUT_OF_RANGE;
    status = target_allowed(cap, request->target_offset_bytes, request->count, &target);
    if (status == STATUS_OK)
        source_read(&source, request->source_offset_bytes, request->count, target);
    return status;
}
