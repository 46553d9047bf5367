/* SPDX-License-Identifier: ISC */
/* vspaced's tables: page -> frame id, frame id in use, vspace -> space. Holds what was decided;
 * decides nothing and makes no call. */
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
    vspaced_link link = vspaced->pages_by_frame[frame_id % VSPACED_PAGE_LIMIT];
    while (link != 0 && vspaced->pages[link - 1].frame_id != frame_id)
        link = vspaced->pages[link - 1].next;
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
    vspaced_link *same = &vspaced->pages_by_frame[frame_id % VSPACED_PAGE_LIMIT];
    vspaced->pages[link - 1] = (struct vspaced_page){.frame_id = frame_id, .next = *same};
    *same = link;
    index_add(&vspaced->pages_root, vspaced->page_nodes, link, page_key(space_index, page));
}

void vspaced_page_remove(struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    struct vspaced_places *places = &vspaced->page_places;
    vspaced_link link = page_find(vspaced, page_key(space_index, page));
    if (link == 0)
        return;
    struct vspaced_page *removed = &vspaced->pages[link - 1];
    UNIT_ASSERT(places->held_count != 0 && removed->frame_id != 0);
    index_remove(&vspaced->pages_root, vspaced->page_nodes, link);
    vspaced_link *at = &vspaced->pages_by_frame[removed->frame_id % VSPACED_PAGE_LIMIT];
    while (*at != link) {
        UNIT_ASSERT(*at != 0);
        at = &vspaced->pages[*at - 1].next;
    }
    *at = removed->next;
    *removed = (struct vspaced_page){.next = places->first_free};
    places->first_free = link;
    places->held_count--;
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
        places->first_free = vspaced->spaces[index].next_free;
    else
        places->used_count++;
    places->held_count++;
    vspaced->spaces[index] =
        (struct vspaced_space){.is_registered = 1, .object = object, .generation = generation};
    index_add(&vspaced->spaces_root, vspaced->space_nodes, index + 1,
              space_key(object, generation));
}

void vspaced_space_remove(struct vspaced *vspaced, uint32_t space_index)
{
    struct vspaced_places *places = &vspaced->space_places;
    struct vspaced_space *space = &vspaced->spaces[space_index];
    UNIT_ASSERT(space->is_registered && space->first_region == 0 && places->held_count != 0);
    index_remove(&vspaced->spaces_root, vspaced->space_nodes, space_index + 1);
    *space = (struct vspaced_space){.next_free = places->first_free};
    places->first_free = space_index + 1;
    places->held_count--;
}
