/* SPDX-License-Identifier: ISC */
/* vspaced's tables: page -> frame id, frame id in use, frames owed to memd, vspace -> space. Holds
 * what was decided; decides nothing and makes no call. */
#include "services/vspaced/pages.h"

/* --- pages ----------------------------------------------------------------------------------- */

static uint64_t page_key(uint32_t space_index, uint64_t page)
{
    UNIT_ASSERT(space_index < VSPACED_VSPACE_LIMIT && page >> 48 == 0);
    return (uint64_t)space_index << 48 | page;
}

static vspaced_link page_find(const struct vspaced *vspaced, uint64_t key)
{
    return index_find(vspaced->pages_root, vspaced->page_nodes, key);
}

bool vspaced_page_room(const struct vspaced *vspaced, uint32_t count)
{
    UNIT_ASSERT(vspaced->page_places.held_count <= vspaced->page_limit); /* E6 */
    return vspaced->page_limit - vspaced->page_places.held_count >= count;
}

uint32_t vspaced_page_frame(const struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    vspaced_link link = page_find(vspaced, page_key(space_index, page));
    return link == 0 ? 0 : vspaced->pages[link - 1].frame_id;
}

bool vspaced_page_has_frame(const struct vspaced *vspaced, uint32_t frame_id)
{
    vspaced_link link = vspaced->pages_by_frame[frame_id % vspaced->page_limit];
    while (link != 0 && vspaced->pages[link - 1].frame_id != frame_id)
        link = vspaced->pages[link - 1].next;
    return link != 0;
}

/* A place for a frame, found by its id from now on. */
static vspaced_link page_take(struct vspaced *vspaced, uint32_t frame_id, uint32_t owed_space)
{
    struct vspaced_places *places = &vspaced->page_places;
    UNIT_ASSERT(frame_id != 0 && vspaced_page_room(vspaced, 1)); /* E6 */
    vspaced_link link = places->first_free;
    if (link != 0)
        places->first_free = vspaced->pages[link - 1].next;
    else
        link = ++places->used_count;
    places->held_count++;
    UNIT_ASSERT(link <= vspaced->page_limit && vspaced->pages[link - 1].frame_id == 0);
    vspaced_link *same = &vspaced->pages_by_frame[frame_id % vspaced->page_limit];
    vspaced->pages[link - 1] =
        (struct vspaced_page){.frame_id = frame_id, .next = *same, .owed_space = owed_space};
    *same = link;
    return link;
}

static void page_give(struct vspaced *vspaced, vspaced_link link)
{
    struct vspaced_places *places = &vspaced->page_places;
    struct vspaced_page *removed = &vspaced->pages[link - 1];
    UNIT_ASSERT(places->held_count != 0 && removed->frame_id != 0);
    vspaced_link *at = &vspaced->pages_by_frame[removed->frame_id % vspaced->page_limit];
    while (*at != link) {
        UNIT_ASSERT(*at != 0);
        at = &vspaced->pages[*at - 1].next;
    }
    *at = removed->next;
    *removed = (struct vspaced_page){.next = places->first_free};
    places->first_free = link;
    places->held_count--;
}

void vspaced_page_add(struct vspaced *vspaced, uint32_t space_index, uint64_t page,
                      uint32_t frame_id)
{
    UNIT_ASSERT(vspaced_page_frame(vspaced, space_index, page) == 0);
    vspaced_link link = page_take(vspaced, frame_id, 0);
    index_add(&vspaced->pages_root, vspaced->page_nodes, link, page_key(space_index, page));
}

void vspaced_page_remove(struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    vspaced_link link = page_find(vspaced, page_key(space_index, page));
    if (link == 0)
        return;
    index_remove(&vspaced->pages_root, vspaced->page_nodes, link);
    page_give(vspaced, link);
}

/* --- owed frames ----------------------------------------------------------------------------- */

static void owed_append(struct vspaced *vspaced, vspaced_link link)
{
    vspaced->pages[link - 1].owed_next = 0;
    if (vspaced->owed_last != 0)
        vspaced->pages[vspaced->owed_last - 1].owed_next = link;
    else
        vspaced->owed_first = link;
    vspaced->owed_last = link;
}

void vspaced_owed_add(struct vspaced *vspaced, uint32_t space_index, uint32_t frame_id)
{
    owed_append(vspaced, page_take(vspaced, frame_id, space_index + 1));
}

void vspaced_owed_next(struct vspaced *vspaced, bool again)
{
    vspaced_link link = vspaced->owed_first;
    UNIT_ASSERT(link != 0 && vspaced->pages[link - 1].owed_space != 0);
    vspaced->owed_first = vspaced->pages[link - 1].owed_next;
    if (vspaced->owed_first == 0)
        vspaced->owed_last = 0;
    if (again)
        owed_append(vspaced, link);
    else
        page_give(vspaced, link);
}

void vspaced_owed_clear(struct vspaced *vspaced, uint32_t space_index)
{
    vspaced_link last = vspaced->owed_last;
    for (vspaced_link link = vspaced->owed_first; link != 0; link = vspaced->owed_first) {
        vspaced_owed_next(vspaced, vspaced->pages[link - 1].owed_space != space_index + 1);
        if (link == last)
            return;
    }
}

/* --- spaces ---------------------------------------------------------------------------------- */

static uint64_t space_key(uint32_t object, uint32_t generation)
{
    return (uint64_t)object << 32 | generation;
}

vspaced_link vspaced_space_find(const struct vspaced *vspaced, uint32_t object, uint32_t generation)
{
    return index_find(vspaced->spaces_root, vspaced->space_nodes, space_key(object, generation));
}

bool vspaced_space_room(const struct vspaced *vspaced, uint32_t region_limit)
{
    UNIT_ASSERT(vspaced->regions_reserved <= vspaced->region_limit); /* E6 */
    return vspaced->space_places.held_count < VSPACED_VSPACE_LIMIT &&
           region_limit <= vspaced->region_limit - vspaced->regions_reserved;
}

uint32_t vspaced_space_peek(const struct vspaced *vspaced)
{
    const struct vspaced_places *places = &vspaced->space_places;
    return places->first_free != 0 ? places->first_free - 1 : places->used_count;
}

void vspaced_space_add(struct vspaced *vspaced, uint32_t object, uint32_t generation,
                       uint32_t region_limit)
{
    struct vspaced_places *places = &vspaced->space_places;
    uint32_t index = vspaced_space_peek(vspaced);
    UNIT_ASSERT(vspaced_space_room(vspaced, region_limit) &&
                !vspaced->spaces[index].is_registered); /* E6 */
    UNIT_ASSERT(vspaced_space_find(vspaced, object, generation) == 0);
    if (places->first_free != 0)
        places->first_free = vspaced->spaces[index].next_free;
    else
        places->used_count++;
    places->held_count++;
    vspaced->regions_reserved += region_limit;
    vspaced->spaces[index] = (struct vspaced_space){
        .is_registered = 1,
        .object = object,
        .generation = generation,
        .region_limit = region_limit,
    };
    index_add(&vspaced->spaces_root, vspaced->space_nodes, index + 1,
              space_key(object, generation));
}

void vspaced_space_remove(struct vspaced *vspaced, uint32_t space_index)
{
    struct vspaced_places *places = &vspaced->space_places;
    struct vspaced_space *space = &vspaced->spaces[space_index];
    UNIT_ASSERT(space->is_registered && space->first_region == 0 && places->held_count != 0);
    index_remove(&vspaced->spaces_root, vspaced->space_nodes, space_index + 1);
    UNIT_ASSERT(vspaced->regions_reserved >= space->region_limit);
    vspaced->regions_reserved -= space->region_limit;
    *space = (struct vspaced_space){.next_free = places->first_free};
    places->first_free = space_index + 1;
    places->held_count--;
}
