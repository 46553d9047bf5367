/* SPDX-License-Identifier: ISC */
/* Walks vspaced's whole state: do tables, trees, lists and rules agree, and what is in them.
 * Decides nothing and changes nothing. */
#include <stddef.h>

#include "services/vspaced/pages.h"
#include "services/vspaced/regions.h"

/* --- one region ------------------------------------------------------------------------------ */

static const char *piece_check(const struct vspaced_piece *piece)
{
    uint64_t end_page = piece->first_page + piece->page_count;
    if (piece->page_count == 0 || piece->first_page < USER_VA_FIRST >> PAGE_SHIFT ||
        end_page > USER_VA_END >> PAGE_SHIFT || end_page < piece->first_page)
        return "V5";
    if (piece->kind == REGION_GUARD)
        return piece->rights == 0 && piece->rights_mapped == 0 ? NULL : "V5";
    uint16_t both = RIGHT_WRITE | RIGHT_EXECUTE;
    if ((piece->rights_mapped & both) == both || (piece->rights & ~piece->rights_mapped) != 0 ||
        (piece->rights & RIGHT_READ) == 0)
        return "V2";
    if (piece->kind > REGION_KIND_LAST || (piece->kind != REGION_IMAGE && piece->image_page != 0))
        return "V1";
    return NULL;
}

/* Every anonymous page has its frame on record. */
static bool frames_recorded(const struct vspaced *vspaced, uint32_t space_index,
                            const struct vspaced_piece *piece)
{
    for (uint64_t i = 0; piece->kind == REGION_ANONYMOUS && i < piece->page_count; i++)
        if (vspaced_page_frame(vspaced, space_index, piece->first_page + i) == 0)
            return false;
    return true;
}

/* The index of a space finds the regions of its list and nothing else. */
static bool regions_indexed(const struct vspaced *vspaced, const struct vspaced_space *space,
                            uint32_t count)
{
    if (!index_check(space->regions_root, vspaced->region_nodes, count,
                     vspaced->region_places.used_count))
        return false;
    for (vspaced_link link = space->first_region; link != 0; link = vspaced->regions[link - 1].next)
        if (index_find(space->regions_root, vspaced->region_nodes,
                       vspaced->regions[link - 1].piece.first_page) != link)
            return false;
    return true;
}

/* --- one space ------------------------------------------------------------------------------- */

static const char *space_check(const struct vspaced *vspaced, uint32_t index,
                               uint32_t *region_count)
{
    const struct vspaced_space *space = &vspaced->spaces[index];
    vspaced_link previous = 0;
    uint32_t count = 0;
    if (vspaced_space_find(vspaced, space->object, space->generation) != index + 1)
        return "V6";
    for (vspaced_link link = space->first_region; link != 0;) {
        const struct vspaced_region *region = &vspaced->regions[link - 1];
        if (link > vspaced->region_places.used_count || ++count > vspaced->region_limit ||
            region->previous != previous)
            return "V1";
        const char *broken = piece_check(&region->piece);
        if (broken != NULL)
            return broken;
        if (previous != 0) {
            const struct vspaced_piece *before = &vspaced->regions[previous - 1].piece;
            if (before->first_page + before->page_count > region->piece.first_page)
                return "V3";
            if (vspaced_piece_continues(before, &region->piece))
                return "V4";
        }
        if (!frames_recorded(vspaced, index, &region->piece))
            return "V1";
        previous = link;
        link = region->next;
    }
    *region_count += count;
    if (count != space->region_count || count > space->region_limit)
        return "E6";
    return regions_indexed(vspaced, space, count) ? NULL : "V1";
}

/* --- tables ---------------------------------------------------------------------------------- */

/* A page on record is a page of a registered space that can have a frame. */
static bool page_belongs(const struct vspaced *vspaced, vspaced_link link_of_page)
{
    const struct vspaced_page *page = &vspaced->pages[link_of_page - 1];
    uint64_t key = vspaced->page_nodes[link_of_page].key;
    uint32_t space_index = (uint32_t)(key >> 48);
    uint64_t number = key & ((UINT64_C(1) << 48) - 1);
    if (space_index >= VSPACED_VSPACE_LIMIT || !vspaced->spaces[space_index].is_registered)
        return false;
    vspaced_link link = vspaced_region_at(vspaced, space_index, number);
    if (link == 0)
        return false;
    uint32_t kind = vspaced->regions[link - 1].piece.kind;
    return (kind == REGION_ANONYMOUS || kind == REGION_FRAME) &&
           vspaced_page_frame(vspaced, space_index, number) == page->frame_id &&
           vspaced_page_has_frame(vspaced, page->frame_id);
}

/* The list of what is owed: frames of accounts that are held; how many, or UINT32_MAX. */
static uint32_t owed_count(const struct vspaced *vspaced)
{
    uint32_t count = 0;
    vspaced_link last = 0;
    for (vspaced_link link = vspaced->owed_first; link != 0;
         link = vspaced->pages[link - 1].owed_next) {
        uint32_t space = vspaced->pages[link - 1].owed_space;
        if (link > vspaced->page_places.used_count || space == 0 || space > VSPACED_VSPACE_LIMIT ||
            !vspaced->spaces[space - 1].is_registered || count++ > vspaced->page_limit)
            return UINT32_MAX;
        last = link;
    }
    return last == vspaced->owed_last ? count : UINT32_MAX;
}

static const char *pages_check(const struct vspaced *vspaced)
{
    const struct vspaced_places *places = &vspaced->page_places;
    uint32_t held = 0;
    uint32_t owed = 0;
    uint32_t free_count = 0;
    for (uint32_t i = 0; i < places->used_count; i++) {
        if (vspaced->pages[i].frame_id == 0)
            continue;
        held++;
        owed += vspaced->pages[i].owed_space != 0;
        if (vspaced->pages[i].owed_space == 0 && !page_belongs(vspaced, i + 1))
            return "V1";
    }
    if (owed != owed_count(vspaced) ||
        !index_check(vspaced->pages_root, vspaced->page_nodes, held - owed, places->used_count))
        return "V1";
    for (vspaced_link link = places->first_free; link != 0; link = vspaced->pages[link - 1].next)
        if (link > places->used_count || ++free_count > places->used_count)
            return "E6";
    return held == places->held_count && held + free_count == places->used_count ? NULL : "E6";
}

static bool spaces_agree(const struct vspaced *vspaced)
{
    const struct vspaced_places *places = &vspaced->space_places;
    uint32_t held = 0;
    uint32_t free_count = 0;
    uint64_t reserved = 0;
    if (places->used_count > VSPACED_VSPACE_LIMIT || vspaced->sweep_next > places->used_count)
        return false;
    for (uint32_t i = 0; i < places->used_count; i++) {
        held += vspaced->spaces[i].is_registered;
        reserved += vspaced->spaces[i].region_limit; /* 0 of one that is not */
    }
    if (reserved != vspaced->regions_reserved || reserved > vspaced->region_limit)
        return false;
    for (vspaced_link link = places->first_free; link != 0;
         link = vspaced->spaces[link - 1].next_free)
        if (link > places->used_count || vspaced->spaces[link - 1].is_registered ||
            ++free_count > places->used_count)
            return false;
    return held == places->held_count && held + free_count == places->used_count &&
           index_check(vspaced->spaces_root, vspaced->space_nodes, held, places->used_count);
}

static bool region_places_agree(const struct vspaced *vspaced, uint32_t region_count)
{
    const struct vspaced_places *places = &vspaced->region_places;
    uint32_t free_count = 0;
    for (vspaced_link link = places->first_free; link != 0; link = vspaced->regions[link - 1].next)
        if (link > places->used_count || ++free_count > places->used_count)
            return false;
    return places->held_count == region_count && region_count <= vspaced->region_limit &&
           region_count + free_count == places->used_count;
}

const char *vspaced_check(const struct vspaced *vspaced)
{
    uint32_t region_count = 0;
    const struct vspaced_places *pages = &vspaced->page_places;
    if (!spaces_agree(vspaced) || pages->used_count > vspaced->page_limit)
        return "E6";
    for (uint32_t i = 0; i < vspaced->space_places.used_count; i++) {
        const char *broken = NULL;
        if (vspaced->spaces[i].is_registered)
            broken = space_check(vspaced, i, &region_count);
        if (broken != NULL)
            return broken;
    }
    if (!region_places_agree(vspaced, region_count))
        return "E6";
    return pages_check(vspaced);
}

/* --- fields ---------------------------------------------------------------------------------- */

static void visit_region(const struct vspaced_region *region,
                         void (*visit)(void *context, uint64_t value), void *context)
{
    const struct vspaced_piece *piece = &region->piece;
    visit(context, piece->first_page);
    visit(context, piece->page_count);
    visit(context, piece->image_page);
    visit(context,
          (uint64_t)piece->kind << 32 | (uint64_t)piece->rights << 16 | piece->rights_mapped);
    visit(context, (uint64_t)region->previous << 32 | region->next);
}

static void visit_places(const struct vspaced_places *places,
                         void (*visit)(void *context, uint64_t value), void *context)
{
    visit(context, places->first_free);
    visit(context, places->used_count);
    visit(context, places->held_count);
}

void vspaced_visit_fields(const struct vspaced *vspaced,
                          void (*visit)(void *context, uint64_t value), void *context)
{
    visit_places(&vspaced->space_places, visit, context);
    visit_places(&vspaced->region_places, visit, context);
    visit_places(&vspaced->page_places, visit, context);
    visit(context, (uint64_t)vspaced->owed_first << 32 | vspaced->owed_last);
    visit(context, (uint64_t)(vspaced->sweep_next << 8 | vspaced->window_filled) << 32 |
                       vspaced->regions_reserved);
    for (uint32_t i = 0; i < vspaced->space_places.used_count; i++) {
        const struct vspaced_space *space = &vspaced->spaces[i];
        visit(context, (uint64_t)space->object << 32 | space->generation);
        visit(context, (uint64_t)space->region_limit << 32 | space->first_region);
        visit(context, space->is_registered ? 1 : (uint64_t)space->next_free << 32);
    }
    for (uint32_t i = 0; i < vspaced->region_places.used_count; i++)
        visit_region(&vspaced->regions[i], visit, context);
    for (uint32_t i = 0; i < vspaced->page_places.used_count; i++) {
        visit(context, vspaced->page_nodes[i + 1].key);
        visit(context, vspaced->pages[i].frame_id);
        visit(context, (uint64_t)vspaced->pages[i].owed_next << 32 | vspaced->pages[i].owed_space);
        visit(context, vspaced->pages[i].frame_id != 0 ? 0 : vspaced->pages[i].next);
    }
}
