/* SPDX-License-Identifier: ISC */
/* Untyped pools and frames, and whether a capability still names its object. The smallest free
 * place is used next, of frames the one that was freed last. */
#include <string.h>

#include "props/base/property.h"
#include "props/stand_ins/stand_in_books.h"

static struct stand_in_untyped untypeds[STAND_IN_UNTYPED_LIMIT];
static uint32_t untyped_high;
static uint32_t untyped_low; /* no place below is free */
static struct stand_in_frame frames[STAND_IN_FRAME_LIMIT];
static uint32_t frame_high;
static uint32_t frame_free[STAND_IN_FRAME_LIMIT]; /* a stack: the last one freed is made next */
static uint32_t frame_free_count;
static uint32_t other_generations[STAND_IN_OTHER_LIMIT];

void stand_in_objects_begin(void)
{
    memset(untypeds, 0, untyped_high * sizeof untypeds[0]);
    memset(frames, 0, frame_high * sizeof frames[0]);
    memset(other_generations, 0, sizeof other_generations);
    untyped_high = untyped_low = frame_high = frame_free_count = 0;
}

uint64_t stand_in_objects_digest(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < untyped_high; i++)
        if (untypeds[i].live)
            sum +=
                stand_in_mix((uint64_t)i << 48 ^ untypeds[i].free_pages << 16 ^ untypeds[i].parent);
    for (uint32_t i = 0; i < frame_high; i++)
        if (frames[i].live)
            sum += stand_in_mix(UINT64_C(1) << 62 ^ (uint64_t)i << 32 ^ frames[i].mapping_count);
    return sum;
}

/* --- untyped memory --------------------------------------------------------------------------- */

const struct stand_in_untyped *stand_in_untyped(uint32_t object)
{
    return &untypeds[object];
}

/* False: there is none. */
static bool untyped_place(uint32_t *object)
{
    while (untyped_low < untyped_high && untypeds[untyped_low].live)
        untyped_low++;
    *object = untyped_low;
    if (untyped_low == STAND_IN_UNTYPED_LIMIT)
        return false;
    untyped_high += untyped_low == untyped_high;
    return true;
}

static void untyped_make(uint32_t object, uint32_t parent, uint64_t pages)
{
    untypeds[object] = (struct stand_in_untyped){
        .live = true,
        .generation = untypeds[object].generation,
        .parent = parent,
        .total_pages = pages,
        .free_pages = pages,
    };
}

uint32_t stand_in_untyped_add(uint64_t pages)
{
    uint32_t object;
    HARNESS(untyped_place(&object));
    untyped_make(object, object, pages);
    return object;
}

enum status stand_in_untyped_split(uint32_t untyped, uint64_t pages, uint32_t *child)
{
    if (untypeds[untyped].free_pages < pages || !untyped_place(child))
        return STATUS_EXHAUSTED;
    untypeds[untyped].free_pages -= pages;
    untyped_make(*child, untyped, pages);
    return STATUS_OK;
}

enum status stand_in_untyped_join(uint32_t untyped)
{
    struct stand_in_untyped *child = &untypeds[untyped];
    if (child->parent == untyped)
        return STATUS_DENIED; /* a root is nobody's to destroy */
    if (child->free_pages != child->total_pages)
        return STATUS_BUSY;
    untypeds[child->parent].free_pages += child->total_pages;
    *child = (struct stand_in_untyped){.generation = child->generation + 1};
    untyped_low = untyped < untyped_low ? untyped : untyped_low;
    return STATUS_OK;
}

bool stand_in_untyped_take(uint32_t untyped, uint64_t pages)
{
    if (untypeds[untyped].free_pages < pages)
        return false;
    untypeds[untyped].free_pages -= pages;
    return true;
}

void stand_in_untyped_give(uint32_t untyped, uint64_t pages)
{
    untypeds[untyped].free_pages += pages;
}

void stand_in_untyped_free_set(uint32_t untyped, uint64_t pages)
{
    untypeds[untyped].free_pages = pages;
}

/* --- frames ----------------------------------------------------------------------------------- */

const struct stand_in_frame *stand_in_frame(uint32_t object)
{
    return &frames[object];
}

uint32_t stand_in_frame_count(void)
{
    return frame_high - frame_free_count;
}

uint32_t stand_in_frame_high(void)
{
    return frame_high;
}

bool stand_in_frame_add(uint32_t untyped, uint32_t *frame)
{
    if (stand_in_frame_count() == STAND_IN_FRAME_LIMIT || !stand_in_untyped_take(untyped, 1))
        return false;
    *frame = frame_free_count != 0 ? frame_free[--frame_free_count] : frame_high++;
    frames[*frame] = (struct stand_in_frame){
        .live = true, .generation = frames[*frame].generation, .untyped = untyped};
    return true;
}

void stand_in_frame_destroy(uint32_t frame)
{
    frames[frame].outside = true; /* no unmapping frees it first */
    if (frames[frame].mapping_count != 0)
        stand_in_frame_unmap_all(frame);
    untypeds[frames[frame].untyped].free_pages++;
    frames[frame] = (struct stand_in_frame){.generation = frames[frame].generation + 1};
    frame_free[frame_free_count++] = frame;
}

/* What nobody holds and nobody maps goes back. */
static void frame_look(uint32_t frame)
{
    const struct stand_in_frame *looked = &frames[frame];
    if (!looked->outside && looked->cap_count == 0 && looked->mapping_count == 0)
        stand_in_frame_destroy(frame);
}

void stand_in_frame_held_outside(uint32_t frame)
{
    frames[frame].outside = true;
}

void stand_in_frame_dirty(uint32_t frame)
{
    frames[frame].content = 1;
}

void stand_in_frame_copied(uint32_t frame, uint64_t content)
{
    frames[frame].content += content;
}

uint64_t stand_in_content_of(const uint8_t *bytes, uint32_t offset_bytes, uint32_t count)
{
    uint64_t content = 0;
    for (uint32_t i = 0; i < count; i++)
        content += bytes[i] != 0 ? stand_in_mix((uint64_t)(offset_bytes + i) << 8 | bytes[i]) : 0;
    return content;
}

void stand_in_cap_counted(const struct stand_in_cap *cap, bool held)
{
    if (cap->object_type != OBJECT_FRAME || cap->object == STAND_IN_ELSEWHERE ||
        !frames[cap->object].live || frames[cap->object].generation != cap->generation)
        return;
    if (held) {
        frames[cap->object].cap_count++;
        return;
    }
    frames[cap->object].cap_count--;
    frame_look(cap->object);
}

bool stand_in_use_allows(uint32_t frame, uint32_t rights)
{
    bool data = (rights & RIGHT_WRITE) != 0;
    bool code = (rights & RIGHT_EXECUTE) != 0;
    return !(data && code) && !(data && frames[frame].use == FRAME_CODE) &&
           !(code && frames[frame].use == FRAME_DATA);
}

void stand_in_frame_mapped(uint32_t frame, uint32_t rights)
{
    frames[frame].mapping_count++;
    if ((rights & RIGHT_WRITE) != 0)
        frames[frame].use = FRAME_DATA;
    if ((rights & RIGHT_EXECUTE) != 0)
        frames[frame].use = FRAME_CODE;
}

void stand_in_frame_unmapped(uint32_t frame)
{
    frames[frame].mapping_count--;
    frame_look(frame);
}

/* --- capabilities ----------------------------------------------------------------------------- */

void stand_in_other_end(uint32_t n)
{
    HARNESS(n < STAND_IN_OTHER_LIMIT);
    other_generations[n]++;
}

/* Of an endpoint that may end; 0 for those that never do. */
static uint32_t endpoint_generation(uint32_t object)
{
    uint32_t n = object - STAND_IN_OTHER;
    return n < STAND_IN_OTHER_LIMIT ? other_generations[n] : 0;
}

bool stand_in_cap_live(const struct stand_in_cap *cap)
{
    if (cap->object == STAND_IN_ELSEWHERE)
        return cap->object_type != OBJECT_NONE;
    switch (cap->object_type) {
    case OBJECT_NONE:
        return false;
    case OBJECT_UNTYPED:
        return untypeds[cap->object].live && untypeds[cap->object].generation == cap->generation;
    case OBJECT_FRAME:
        return frames[cap->object].live && frames[cap->object].generation == cap->generation;
    case OBJECT_ENDPOINT:
        return endpoint_generation(cap->object) == cap->generation;
    case OBJECT_VSPACE:
        return stand_in_vspace_is(cap->object, cap->generation);
    case OBJECT_PROCESS:
    case OBJECT_GRANT:
        return stand_in_process_is(cap->object, cap->generation);
    default:
        return true;
    }
}

struct stand_in_cap stand_in_cap_to(uint32_t object_type, uint32_t object)
{
    struct stand_in_cap cap = {
        .object_type = object_type,
        .rights = object_type_rights(object_type),
        .object = object,
    };
    if (object == STAND_IN_ELSEWHERE)
        return cap;
    if (object_type == OBJECT_UNTYPED)
        cap.generation = untypeds[object].generation;
    if (object_type == OBJECT_FRAME)
        cap.generation = frames[object].generation;
    if (object_type == OBJECT_ENDPOINT)
        cap.generation = endpoint_generation(object);
    if (object_type == OBJECT_VSPACE)
        cap.generation = stand_in_vspace_generation(object);
    if (object_type == OBJECT_PROCESS || object_type == OBJECT_GRANT)
        cap.generation = stand_in_process(object)->generation;
    return cap;
}
