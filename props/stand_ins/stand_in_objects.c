/* SPDX-License-Identifier: ISC */
/* The stand-in's objects: untyped pools, frames with use and generation, address spaces as tables
 * of pages. Written from the kernel's contract (abi/messages/kernel.def), smallest place first. */
#include "props/stand_ins/stand_in_objects.h"

#include <string.h>

#include "props/base/property.h"

enum { BUCKET_COUNT = 4096 };

static struct stand_in_untyped untypeds[STAND_IN_UNTYPED_LIMIT];
static uint32_t untyped_high;
static struct stand_in_frame frames[STAND_IN_FRAME_LIMIT];
static uint32_t frame_high;
static uint32_t frame_free[STAND_IN_FRAME_LIMIT]; /* a stack: the last one freed is made next */
static uint32_t frame_free_count;
static struct {
    bool live;
    uint32_t generation;
    uint32_t mapping_count;
} vspaces[STAND_IN_VSPACE_LIMIT];
static uint32_t vspace_high;
static struct stand_in_mapping mappings[STAND_IN_MAPPING_LIMIT];
static uint32_t mapping_next[STAND_IN_MAPPING_LIMIT]; /* index + 1 in a bucket */
static uint32_t mapping_free[STAND_IN_MAPPING_LIMIT];
static uint32_t mapping_free_count;
static uint32_t mapping_high;
static uint32_t buckets[BUCKET_COUNT];

uint64_t stand_in_mix(uint64_t value)
{
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

static uint32_t bucket_of(uint32_t vspace, uint64_t page)
{
    return (uint32_t)(stand_in_mix((uint64_t)vspace << 48 | page) % BUCKET_COUNT);
}

void stand_in_objects_begin(void)
{
    memset(untypeds, 0, untyped_high * sizeof untypeds[0]);
    memset(frames, 0, frame_high * sizeof frames[0]);
    memset(vspaces, 0, vspace_high * sizeof vspaces[0]);
    for (uint32_t i = 0; i < mapping_high; i++)
        buckets[bucket_of(mappings[i].vspace, mappings[i].page)] = 0;
    memset(mappings, 0, mapping_high * sizeof mappings[0]);
    untyped_high = frame_high = frame_free_count = vspace_high = 0;
    mapping_free_count = mapping_high = 0;
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
    for (uint32_t i = 0; i < mapping_high; i++) {
        const struct stand_in_mapping *mapping = &mappings[i];
        uint64_t where = stand_in_mix((uint64_t)mapping->vspace << 48 ^ mapping->page);
        uint64_t what = (uint64_t)mapping->object << 20 ^ mapping->rights << 8 ^ mapping->image;
        if (mapping->live)
            sum += stand_in_mix(where ^ what);
    }
    return sum;
}

/* --- untyped memory -------------------------------------------------------------------------- */

const struct stand_in_untyped *stand_in_untyped(uint32_t object)
{
    return &untypeds[object];
}

uint32_t stand_in_untyped_add(uint64_t pages)
{
    uint32_t object = untyped_high++;
    HARNESS(object < STAND_IN_UNTYPED_LIMIT);
    untypeds[object] = (struct stand_in_untyped){
        .live = true, .parent = object, .total_pages = pages, .free_pages = pages};
    return object;
}

enum status stand_in_untyped_split(uint32_t untyped, uint64_t pages, uint32_t *child)
{
    uint32_t object = 0;
    while (object < untyped_high && untypeds[object].live)
        object++;
    if (untypeds[untyped].free_pages < pages || object == STAND_IN_UNTYPED_LIMIT)
        return STATUS_EXHAUSTED;
    untyped_high += object == untyped_high;
    untypeds[untyped].free_pages -= pages;
    untypeds[object] = (struct stand_in_untyped){
        .live = true,
        .generation = untypeds[object].generation,
        .parent = untyped,
        .total_pages = pages,
        .free_pages = pages,
    };
    *child = object;
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
    return STATUS_OK;
}

void stand_in_untyped_use(uint32_t untyped, bool used)
{
    struct stand_in_untyped *object = &untypeds[untyped];
    object->free_pages = used ? object->total_pages - 1 : object->total_pages;
}

/* --- frames ---------------------------------------------------------------------------------- */

const struct stand_in_frame *stand_in_frame(uint32_t object)
{
    return &frames[object];
}

uint32_t stand_in_frame_count(void)
{
    return frame_high - frame_free_count;
}

uint32_t stand_in_frame_add(uint32_t untyped, bool *made)
{
    *made = untypeds[untyped].free_pages != 0 && stand_in_frame_count() < STAND_IN_FRAME_LIMIT;
    if (!*made)
        return 0;
    uint32_t object = frame_free_count != 0 ? frame_free[--frame_free_count] : frame_high++;
    untypeds[untyped].free_pages--;
    frames[object] = (struct stand_in_frame){
        .live = true, .generation = frames[object].generation, .untyped = untyped, .zero = true};
    return object;
}

void stand_in_frame_dirty(uint32_t frame)
{
    frames[frame].zero = false;
}

static void mapping_remove(uint32_t index)
{
    struct stand_in_mapping *mapping = &mappings[index];
    uint32_t *at = &buckets[bucket_of(mapping->vspace, mapping->page)];
    while (*at != index + 1)
        at = &mapping_next[*at - 1];
    *at = mapping_next[index];
    if (!mapping->image)
        frames[mapping->object].mapping_count--;
    vspaces[mapping->vspace].mapping_count--;
    mapping->live = false;
    mapping_free[mapping_free_count++] = index;
}

void stand_in_frame_destroy(uint32_t frame)
{
    for (uint32_t i = 0; i < mapping_high && frames[frame].mapping_count != 0; i++)
        if (mappings[i].live && !mappings[i].image && mappings[i].object == frame)
            mapping_remove(i);
    untypeds[frames[frame].untyped].free_pages++;
    frames[frame] = (struct stand_in_frame){.generation = frames[frame].generation + 1};
    frame_free[frame_free_count++] = frame;
}

/* --- address spaces -------------------------------------------------------------------------- */

uint32_t stand_in_vspace_add(void)
{
    uint32_t object = 0;
    while (object < vspace_high && vspaces[object].live)
        object++;
    HARNESS(object < STAND_IN_VSPACE_LIMIT);
    vspace_high += object == vspace_high;
    vspaces[object].live = true;
    return object;
}

void stand_in_vspace_destroy(uint32_t vspace)
{
    for (uint32_t i = 0; i < mapping_high && vspaces[vspace].mapping_count != 0; i++)
        if (mappings[i].live && mappings[i].vspace == vspace)
            mapping_remove(i);
    vspaces[vspace].live = false;
    vspaces[vspace].generation++;
}

bool stand_in_vspace_live(uint32_t vspace)
{
    return vspaces[vspace].live;
}

uint32_t stand_in_vspace_generation(uint32_t vspace)
{
    return vspaces[vspace].generation;
}

uint32_t stand_in_mapping_count(uint32_t vspace)
{
    return vspaces[vspace].mapping_count;
}

static uint32_t mapping_find(uint32_t vspace, uint64_t page)
{
    uint32_t link = buckets[bucket_of(vspace, page)];
    while (link != 0 && (mappings[link - 1].vspace != vspace || mappings[link - 1].page != page))
        link = mapping_next[link - 1];
    return link;
}

const struct stand_in_mapping *stand_in_mapping(uint32_t vspace, uint64_t page)
{
    uint32_t link = mapping_find(vspace, page);
    return link == 0 ? NULL : &mappings[link - 1];
}

static uint32_t present_count(uint32_t vspace, uint64_t page, uint32_t count)
{
    uint32_t present = 0;
    for (uint32_t i = 0; i < count; i++)
        present += mapping_find(vspace, page + i) != 0;
    return present;
}

static bool use_allows(const struct stand_in_frame *frame, uint32_t rights)
{
    bool data = (rights & RIGHT_WRITE) != 0;
    bool code = (rights & RIGHT_EXECUTE) != 0;
    return !(data && code) && !(data && frame->use == FRAME_CODE) &&
           !(code && frame->use == FRAME_DATA);
}

static void use_settle(struct stand_in_frame *frame, uint32_t rights)
{
    if ((rights & RIGHT_WRITE) != 0)
        frame->use = FRAME_DATA;
    if ((rights & RIGHT_EXECUTE) != 0)
        frame->use = FRAME_CODE;
}

static void mapping_add(uint32_t vspace, uint64_t page, bool image, uint32_t object,
                        uint32_t rights)
{
    uint32_t index = mapping_free_count != 0 ? mapping_free[--mapping_free_count] : mapping_high++;
    uint32_t *bucket = &buckets[bucket_of(vspace, page)];
    mappings[index] = (struct stand_in_mapping){
        .live = true,
        .vspace = vspace,
        .page = page,
        .image = image,
        .object = object,
        .rights = rights,
        .rights_mapped = rights,
    };
    mapping_next[index] = *bucket;
    *bucket = index + 1;
    vspaces[vspace].mapping_count++;
}

enum status stand_in_map(uint32_t vspace, const struct stand_in_cap *frame,
                         const struct kernel_map_frame_request *request)
{
    bool image = frame->object_type == OBJECT_IMAGE;
    uint64_t page = request->va >> PAGE_SHIFT;
    if (image && request->frame_page + request->page_count > STAND_IN_IMAGE_PAGES)
        return STATUS_OUT_OF_RANGE;
    if (!image && (request->page_count != 1 || request->frame_page != 0))
        return STATUS_INVALID_ARGUMENT;
    if (!image && !use_allows(&frames[frame->object], request->rights))
        return STATUS_WRITE_AND_EXECUTE;
    if (present_count(vspace, page, request->page_count) != 0)
        return STATUS_BUSY;
    if (mapping_high - mapping_free_count + request->page_count > STAND_IN_MAPPING_LIMIT)
        return STATUS_EXHAUSTED;
    if (!image)
        use_settle(&frames[frame->object], request->rights);
    for (uint32_t i = 0; i < request->page_count; i++) {
        uint32_t object = image ? (uint32_t)request->frame_page + i : frame->object;
        mapping_add(vspace, page + i, image, object, request->rights);
    }
    if (!image)
        frames[frame->object].mapping_count++;
    return STATUS_OK;
}

enum status stand_in_unmap(uint32_t vspace, uint64_t page, uint32_t count)
{
    if (present_count(vspace, page, count) != count)
        return STATUS_NOT_FOUND;
    for (uint32_t i = 0; i < count; i++)
        mapping_remove(mapping_find(vspace, page + i) - 1);
    return STATUS_OK;
}

enum status stand_in_protect(uint32_t vspace, uint64_t page, uint32_t count, uint32_t rights)
{
    if (present_count(vspace, page, count) != count)
        return STATUS_NOT_FOUND;
    for (uint32_t i = 0; i < count; i++)
        if ((rights & ~mappings[mapping_find(vspace, page + i) - 1].rights_mapped) != 0)
            return STATUS_DENIED;
    for (uint32_t i = 0; i < count; i++)
        mappings[mapping_find(vspace, page + i) - 1].rights = rights;
    return STATUS_OK;
}

/* --- capabilities ---------------------------------------------------------------------------- */

bool stand_in_cap_live(const struct stand_in_cap *cap)
{
    switch (cap->object_type) {
    case OBJECT_NONE:
        return false;
    case OBJECT_UNTYPED:
        return untypeds[cap->object].live && untypeds[cap->object].generation == cap->generation;
    case OBJECT_FRAME:
        return frames[cap->object].live && frames[cap->object].generation == cap->generation;
    case OBJECT_VSPACE:
        return vspaces[cap->object].live && vspaces[cap->object].generation == cap->generation;
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
    if (object_type == OBJECT_UNTYPED)
        cap.generation = untypeds[object].generation;
    if (object_type == OBJECT_FRAME)
        cap.generation = frames[object].generation;
    if (object_type == OBJECT_VSPACE)
        cap.generation = vspaces[object].generation;
    return cap;
}
