/* SPDX-License-Identifier: ISC */
/* vspaced's hashed tables: page -> frame id, frame id in use, vspace -> space. Holds
 * what was decided; decides nothing and makes no call. */
#include "services/vspaced/pages.h"

/* --- buckets --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t value)
{
    value ^= value >> 33;
    value *= UINT64_C(0xFF51AFD7ED558CCD);
    value ^= value >> 33;
    value *= UINT64_C(0xC4CEB9FE1A85EC53);
    return value ^ value >> 33;
}

uint32_t vspaced_page_bucket(uint64_t key)
{
    return (uint32_t)(mix(key) % VSPACED_PAGE_BUCKET_LIMIT);
}

uint32_t vspaced_page_id_bucket(uint32_t frame_id)
{
    return (uint32_t)(mix(frame_id) % VSPACED_PAGE_BUCKET_LIMIT);
}

static uint32_t space_bucket(uint32_t object)
{
    return (uint32_t)(mix(object) % VSPACED_SPACE_BUCKET_LIMIT);
}

/* --- pages ----------------------------------------------------------------------------------- */

static uint64_t page_key(uint32_t space_index, uint64_t page)
{
    UNIT_ASSERT(space_index < VSPACED_VSPACE_LIMIT && page >> 48 == 0);
    return (uint64_t)space_index << 48 | page;
}

static vspaced_link page_find(const struct vspaced *vspaced, uint64_t key)
{
    vspaced_link link = vspaced->page_buckets[vspaced_page_bucket(key)];
    while (link != 0 && vspaced->pages[link - 1].key != key)
        link = vspaced->pages[link - 1].next;
    return link;
}

bool vspaced_page_room(const struct vspaced *vspaced, uint32_t count)
{
    UNIT_ASSERT(vspaced->page_places.held_count <= VSPACED_PAGE_LIMIT); /* E6 */
    return VSPACED_PAGE_LIMIT - vspaced->page_places.held_count >= count;
}

uint32_t vspaced_page_frame(const struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    vspaced_link link = page_find(vspaced, page_key(space_index, page));
    return link == 0 ? 0 : vspaced->pages[link - 1].frame_id;
}

bool vspaced_page_has_frame(const struct vspaced *vspaced, uint32_t frame_id)
{
    vspaced_link link = vspaced->page_id_buckets[vspaced_page_id_bucket(frame_id)];
    while (link != 0 && vspaced->pages[link - 1].frame_id != frame_id)
        link = vspaced->pages[link - 1].next_by_id;
    return link != 0;
}

void vspaced_page_add(struct vspaced *vspaced, uint32_t space_index, uint64_t page,
                      uint32_t frame_id)
{
    struct vspaced_places *places = &vspaced->page_places;
    UNIT_ASSERT(frame_id != 0 && vspaced_page_room(vspaced, 1)); /* E6 */
    UNIT_ASSERT(vspaced_page_frame(vspaced, space_index, page) == 0);
    vspaced_link link = places->first_free;
    if (link != 0)
        places->first_free = vspaced->pages[link - 1].next;
    else
        link = ++places->used_count;
    places->held_count++;
    UNIT_ASSERT(link <= VSPACED_PAGE_LIMIT && vspaced->pages[link - 1].frame_id == 0);
    uint64_t key = page_key(space_index, page);
    vspaced_link *by_key = &vspaced->page_buckets[vspaced_page_bucket(key)];
    vspaced_link *by_id = &vspaced->page_id_buckets[vspaced_page_id_bucket(frame_id)];
    vspaced->pages[link - 1] = (struct vspaced_page){
        .key = key, .frame_id = frame_id, .next = *by_key, .next_by_id = *by_id};
    *by_key = link;
    *by_id = link;
}

void vspaced_page_remove(struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    struct vspaced_places *places = &vspaced->page_places;
    uint64_t key = page_key(space_index, page);
    vspaced_link link = page_find(vspaced, key);
    if (link == 0)
        return;
    struct vspaced_page *removed = &vspaced->pages[link - 1];
    UNIT_ASSERT(places->held_count != 0);
    vspaced_link *at = &vspaced->page_buckets[vspaced_page_bucket(key)];
    while (*at != link)
        at = &vspaced->pages[*at - 1].next;
    *at = removed->next;
    at = &vspaced->page_id_buckets[vspaced_page_id_bucket(removed->frame_id)];
    while (*at != link)
        at = &vspaced->pages[*at - 1].next_by_id;
    *at = removed->next_by_id;
    *removed = (struct vspaced_page){.next = places->first_free};
    places->first_free = link;
    places->held_count--;
}

/* --- spaces ---------------------------------------------------------------------------------- */

vspaced_link vspaced_space_find(const struct vspaced *vspaced, uint32_t object, uint32_t generation)
{
    vspaced_link link = vspaced->space_buckets[space_bucket(object)];
    while (link != 0 && (vspaced->spaces[link - 1].object != object ||
                         vspaced->spaces[link - 1].generation != generation))
        link = vspaced->spaces[link - 1].next;
    return link;
}

bool vspaced_space_room(const struct vspaced *vspaced)
{
    return vspaced->space_places.held_count < VSPACED_VSPACE_LIMIT;
}

uint32_t vspaced_space_peek(const struct vspaced *vspaced)
{
    const struct vspaced_places *places = &vspaced->space_places;
    return places->first_free != 0 ? places->first_free - 1 : places->used_count;
}

void vspaced_space_add(struct vspaced *vspaced, uint32_t object, uint32_t generation)
{
    struct vspaced_places *places = &vspaced->space_places;
    uint32_t index = vspaced_space_peek(vspaced);
    UNIT_ASSERT(vspaced_space_room(vspaced) && !vspaced->spaces[index].is_registered); /* E6 */
    UNIT_ASSERT(vspaced_space_find(vspaced, object, generation) == 0);
    if (places->first_free != 0)
        places->first_free = vspaced->spaces[index].next;
    else
        places->used_count++;
    places->held_count++;
    vspaced_link *bucket = &vspaced->space_buckets[space_bucket(object)];
    vspaced->spaces[index] = (struct vspaced_space){
        .is_registered = 1, .object = object, .generation = generation, .next = *bucket};
    *bucket = index + 1;
}

void vspaced_space_remove(struct vspaced *vspaced, uint32_t space_index)
{
    struct vspaced_places *places = &vspaced->space_places;
    struct vspaced_space *space = &vspaced->spaces[space_index];
    UNIT_ASSERT(space->is_registered && space->first_region == 0 && places->held_count != 0);
    vspaced_link *at = &vspaced->space_buckets[space_bucket(space->object)];
    while (*at != space_index + 1)
        at = &vspaced->spaces[*at - 1].next;
    *at = space->next;
    *space = (struct vspaced_space){.next = places->first_free};
    places->first_free = space_index + 1;
    places->held_count--;
}
