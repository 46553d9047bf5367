/* SPDX-License-Identifier: ISC */
/* Address spaces as a table of pages, found by (space, page). */
#include <string.h>

#include "props/base/property.h"
#include "props/stand_ins/stand_in_books.h"

enum { BUCKET_COUNT = 4096 };

static struct {
    bool live;
    uint32_t generation;
    uint32_t mapping_count;
    uint32_t mapping_low; /* no mapping of it has a lower index */
    uint32_t image_count; /* of these, pages of the image */
    bool has_budget;      /* else there is no limit */
    uint32_t budget_pages;
} vspaces[STAND_IN_VSPACE_LIMIT];
static uint32_t vspace_high;
static uint32_t vspace_low; /* no place below is free */
static struct stand_in_mapping mappings[STAND_IN_MAPPING_LIMIT];
static uint32_t mapping_next[STAND_IN_MAPPING_LIMIT]; /* index + 1 in a bucket */
static uint32_t mapping_free[STAND_IN_MAPPING_LIMIT];
static uint32_t mapping_free_count;
static uint32_t mapping_high;
static uint32_t buckets[BUCKET_COUNT];

static uint32_t bucket_of(uint32_t vspace, uint64_t page)
{
    return (uint32_t)(page ^ page >> 20 ^ vspace * UINT64_C(0x9E3779B1)) % BUCKET_COUNT;
}

void stand_in_mappings_begin(void)
{
    memset(vspaces, 0, vspace_high * sizeof vspaces[0]);
    for (uint32_t i = 0; i < mapping_high && mapping_high != mapping_free_count; i++)
        buckets[bucket_of(mappings[i].vspace, mappings[i].page)] = 0;
    vspace_high = vspace_low = mapping_free_count = mapping_high = 0;
}

uint64_t stand_in_mappings_digest(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < mapping_high; i++) {
        const struct stand_in_mapping *mapping = &mappings[i];
        uint64_t where = stand_in_mix((uint64_t)mapping->vspace << 48 ^ mapping->page);
        uint64_t what = (uint64_t)mapping->object << 20 ^ mapping->rights << 8 ^ mapping->image;
        if (mapping->live)
            sum += stand_in_mix(where ^ what);
    }
    return sum;
}

/* --- spaces ----------------------------------------------------------------------------------- */

uint32_t stand_in_vspace_add(void)
{
    while (vspace_low < vspace_high && vspaces[vspace_low].live)
        vspace_low++;
    HARNESS(vspace_low < STAND_IN_VSPACE_LIMIT);
    vspace_high += vspace_low == vspace_high;
    vspaces[vspace_low].live = true;
    vspaces[vspace_low].mapping_low = STAND_IN_MAPPING_LIMIT;
    vspaces[vspace_low].has_budget = false;
    return vspace_low;
}

bool stand_in_vspace_is(uint32_t object, uint32_t generation)
{
    return vspaces[object].live && vspaces[object].generation == generation;
}

uint32_t stand_in_vspace_generation(uint32_t vspace)
{
    return vspaces[vspace].generation;
}

uint32_t stand_in_mapping_count(uint32_t vspace)
{
    return vspaces[vspace].mapping_count;
}

uint32_t stand_in_mapped_frame_count(uint32_t vspace)
{
    return vspaces[vspace].mapping_count - vspaces[vspace].image_count;
}

uint32_t stand_in_vspace_frames(uint32_t vspace, uint32_t *objects, uint32_t limit)
{
    uint32_t count = 0;
    if (vspaces[vspace].mapping_count == 0)
        return 0;
    for (uint32_t i = 0; i < mapping_high && count < limit; i++)
        if (mappings[i].live && mappings[i].vspace == vspace && !mappings[i].image)
            objects[count++] = mappings[i].object;
    return count;
}

static void mapping_remove(uint32_t index)
{
    struct stand_in_mapping *mapping = &mappings[index];
    uint32_t *at = &buckets[bucket_of(mapping->vspace, mapping->page)];
    while (*at != index + 1)
        at = &mapping_next[*at - 1];
    *at = mapping_next[index];
    vspaces[mapping->vspace].mapping_count--;
    vspaces[mapping->vspace].image_count -= mapping->image;
    mapping->live = false;
    mapping_free[mapping_free_count++] = index;
    if (!mapping->image)
        stand_in_frame_unmapped(mapping->object);
}

void stand_in_vspace_destroy(uint32_t vspace)
{
    for (uint32_t i = vspaces[vspace].mapping_low; vspaces[vspace].mapping_count != 0; i++)
        if (mappings[i].live && mappings[i].vspace == vspace)
            mapping_remove(i);
    vspaces[vspace].live = false;
    vspaces[vspace].generation++;
    vspace_low = vspace < vspace_low ? vspace : vspace_low;
}

void stand_in_frame_unmap_all(uint32_t frame)
{
    for (uint32_t i = 0; i < mapping_high && stand_in_frame(frame)->mapping_count != 0; i++)
        if (mappings[i].live && !mappings[i].image && mappings[i].object == frame)
            mapping_remove(i);
}

/* --- pages ------------------------------------------------------------------------------------ */

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
    vspaces[vspace].mapping_low =
        index < vspaces[vspace].mapping_low ? index : vspaces[vspace].mapping_low;
    vspaces[vspace].image_count += image;
}

enum status stand_in_map(uint32_t vspace, const struct stand_in_cap *frame, uint32_t image_pages,
                         const struct kernel_map_frame_request *request)
{
    bool image = frame->object_type == OBJECT_IMAGE;
    uint64_t page = request->va >> PAGE_SHIFT;
    if (image && request->frame_page + request->page_count > image_pages)
        return STATUS_OUT_OF_RANGE;
    if (!image && (request->page_count != 1 || request->frame_page != 0))
        return STATUS_INVALID_ARGUMENT;
    if (!image && !stand_in_use_allows(frame->object, request->rights))
        return STATUS_WRITE_AND_EXECUTE;
    if (present_count(vspace, page, request->page_count) != 0)
        return STATUS_BUSY;
    if (vspaces[vspace].has_budget && vspaces[vspace].budget_pages < request->page_count)
        return STATUS_OVER_BUDGET;
    HARNESS(mapping_high - mapping_free_count + request->page_count <= STAND_IN_MAPPING_LIMIT);
    vspaces[vspace].budget_pages -= vspaces[vspace].has_budget ? request->page_count : 0;
    for (uint32_t i = 0; i < request->page_count; i++) {
        uint32_t object = image ? (uint32_t)request->frame_page + i : frame->object;
        mapping_add(vspace, page + i, image, object, request->rights);
    }
    if (!image)
        stand_in_frame_mapped(frame->object, request->rights);
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

void stand_in_vspace_budget_set(uint32_t vspace, uint32_t pages)
{
    vspaces[vspace].has_budget = true;
    vspaces[vspace].budget_pages = pages;
}

/* --- sums ------------------------------------------------------------------------------------- */

uint64_t stand_in_page_sum(uint64_t va, uint32_t rights, bool image, uint64_t what)
{
    return stand_in_mix(stand_in_mix(va ^ rights ^ (uint64_t)image << 63) ^ what);
}

uint64_t stand_in_content(uint64_t source_offset_bytes, uint32_t count)
{
    return stand_in_mix(stand_in_mix(source_offset_bytes) ^ count);
}

uint64_t stand_in_vspace_sum(uint32_t vspace)
{
    uint64_t sum = 0;
    uint32_t left = vspaces[vspace].mapping_count;
    for (uint32_t i = vspaces[vspace].mapping_low; left != 0; i++) {
        const struct stand_in_mapping *mapping = &mappings[i];
        if (!mapping->live || mapping->vspace != vspace)
            continue;
        left--;
        uint64_t what = mapping->image ? mapping->object : stand_in_frame(mapping->object)->content;
        sum +=
            stand_in_page_sum(mapping->page << PAGE_SHIFT, mapping->rights, mapping->image, what);
    }
    return sum;
}
