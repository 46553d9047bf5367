/* SPDX-License-Identifier: ISC */
/* The regions of all spaces: an index per space (services/lib/index.h) that finds them, and a list
 * that goes through them. Decides nothing about what may be mapped. */
#include "services/vspaced/regions.h"

static struct vspaced_region *region_of(struct vspaced *vspaced, vspaced_link link)
{
    UNIT_ASSERT(link != 0 && link <= vspaced->region_places.used_count);
    return &vspaced->regions[link - 1];
}

static const struct vspaced_piece *piece_of(const struct vspaced *vspaced, vspaced_link link)
{
    UNIT_ASSERT(link != 0 && link <= vspaced->region_places.used_count);
    return &vspaced->regions[link - 1].piece;
}

static uint64_t piece_end(const struct vspaced_piece *piece)
{
    return piece->first_page + piece->page_count;
}

/* --- questions ------------------------------------------------------------------------------- */

/* The last region that begins at or before the page; 0: none. */
static vspaced_link region_floor(const struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    return index_floor(vspaced->spaces[space_index].regions_root, vspaced->region_nodes, page);
}

/* The region after a link of region_floor(): the first of all after "none". */
static vspaced_link region_after(const struct vspaced *vspaced, uint32_t space_index,
                                 vspaced_link link)
{
    return link == 0 ? vspaced->spaces[space_index].first_region : vspaced->regions[link - 1].next;
}

vspaced_link vspaced_region_at(const struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    vspaced_link link = region_floor(vspaced, space_index, page);
    return link != 0 && piece_end(piece_of(vspaced, link)) > page ? link : 0;
}

bool vspaced_region_overlap(const struct vspaced *vspaced, uint32_t space_index,
                            uint64_t first_page, uint64_t page_count, vspaced_link *before)
{
    *before = region_floor(vspaced, space_index, first_page);
    vspaced_link after = region_after(vspaced, space_index, *before);
    return (*before != 0 && piece_end(piece_of(vspaced, *before)) > first_page) ||
           (after != 0 && piece_of(vspaced, after)->first_page < first_page + page_count);
}

bool vspaced_piece_continues(const struct vspaced_piece *left, const struct vspaced_piece *right)
{
    bool alike = piece_end(left) == right->first_page && left->kind == right->kind &&
                 left->rights == right->rights && left->rights_mapped == right->rights_mapped;
    return alike &&
           (left->kind != REGION_IMAGE || left->image_page + left->page_count == right->image_page);
}

/* The part of a piece inside a range. */
static struct vspaced_piece piece_clip(const struct vspaced_piece *piece, uint64_t first_page,
                                       uint64_t end_page)
{
    struct vspaced_piece part = *piece;
    if (part.first_page < first_page) {
        uint64_t skipped = first_page - part.first_page;
        part.first_page = first_page;
        part.page_count -= skipped;
        part.image_page += part.kind == REGION_IMAGE ? skipped : 0;
    }
    UNIT_ASSERT(part.image_page >= piece->image_page);
    if (piece_end(&part) > end_page)
        part.page_count = end_page - part.first_page;
    return part;
}

bool vspaced_region_room(const struct vspaced *vspaced, uint32_t space_index, int32_t cost)
{
    const struct vspaced_space *space = &vspaced->spaces[space_index];
    UNIT_ASSERT(space->region_count <= space->region_limit); /* E6 */
    return cost <= 0 || (uint32_t)cost <= space->region_limit - space->region_count;
}

int32_t vspaced_region_add_cost(const struct vspaced *vspaced, uint32_t space_index,
                                const struct vspaced_piece *piece, vspaced_link before)
{
    vspaced_link after = region_after(vspaced, space_index, before);
    int32_t cost = 1;
    if (before != 0 && vspaced_piece_continues(piece_of(vspaced, before), piece))
        cost--;
    if (after != 0 && vspaced_piece_continues(piece, piece_of(vspaced, after)))
        cost--;
    return cost;
}

int32_t vspaced_region_cut_cost(const struct vspaced *vspaced, uint32_t space_index,
                                uint64_t first_page, uint64_t page_count)
{
    const struct vspaced_piece *piece =
        piece_of(vspaced, vspaced_region_at(vspaced, space_index, first_page));
    bool inside = piece->first_page < first_page && piece_end(piece) > first_page + page_count;
    return inside ? 1 : 0; /* fewer is as good as none here: it always fits */
}

/* Walks the pieces as they would be after the change, and counts those that begin a region. */
int32_t vspaced_region_protect_cost(const struct vspaced *vspaced, uint32_t space_index,
                                    uint64_t first_page, uint64_t page_count, uint16_t rights)
{
    uint64_t end_page = first_page + page_count;
    vspaced_link at = vspaced_region_at(vspaced, space_index, first_page);
    vspaced_link before = vspaced->regions[at - 1].previous;
    struct vspaced_piece last = {0}; /* what the next piece may continue */
    int32_t cost = 0;
    if (before != 0)
        last = *piece_of(vspaced, before);
    for (; at != 0 && piece_of(vspaced, at)->first_page <= end_page;
         at = vspaced->regions[at - 1].next) {
        const struct vspaced_piece *old = piece_of(vspaced, at);
        struct vspaced_piece parts[3] = {piece_clip(old, 0, first_page),
                                         piece_clip(old, first_page, end_page),
                                         piece_clip(old, end_page, UINT64_MAX)};
        bool real[3] = {first_page > old->first_page,
                        end_page > old->first_page && piece_end(old) > first_page,
                        piece_end(old) > end_page};
        parts[1].rights = rights;
        cost -= 1; /* one region less, and one more for each part that does not continue the last */
        for (unsigned i = 0; i < 3; i++) {
            if (!real[i])
                continue;
            cost += vspaced_piece_continues(&last, &parts[i]) ? 0 : 1;
            last = parts[i];
        }
    }
    return cost;
}

/* --- places, index and list ------------------------------------------------------------------ */

static vspaced_link place_take(struct vspaced *vspaced)
{
    struct vspaced_places *places = &vspaced->region_places;
    vspaced_link link = places->first_free;
    if (link != 0)
        places->first_free = region_of(vspaced, link)->next;
    else
        link = ++places->used_count;
    places->held_count++;
    UNIT_ASSERT(link <= vspaced->region_limit + VSPACED_REGION_SPARE);
    UNIT_ASSERT(vspaced->regions[link - 1].piece.page_count == 0);
    return link;
}

static void place_give(struct vspaced *vspaced, vspaced_link link)
{
    struct vspaced_places *places = &vspaced->region_places;
    UNIT_ASSERT(places->held_count != 0 && piece_of(vspaced, link)->page_count != 0);
    *region_of(vspaced, link) = (struct vspaced_region){.next = places->first_free};
    places->first_free = link;
    places->held_count--;
}

/* V3: a piece lies between two regions and overlaps none. */
static void gap_holds(const struct vspaced *vspaced, vspaced_link before,
                      const struct vspaced_piece *piece, vspaced_link after)
{
    UNIT_ASSERT(piece->page_count != 0);
    UNIT_ASSERT(before == 0 || piece_end(piece_of(vspaced, before)) <= piece->first_page);
    UNIT_ASSERT(after == 0 || piece_end(piece) <= piece_of(vspaced, after)->first_page);
}

/* Adds a piece as a region of its own behind `before`, without merging. Returns its link. */
static vspaced_link region_insert(struct vspaced *vspaced, uint32_t space_index,
                                  const struct vspaced_piece *piece, vspaced_link before)
{
    struct vspaced_space *space = &vspaced->spaces[space_index];
    vspaced_link after = region_after(vspaced, space_index, before);
    gap_holds(vspaced, before, piece, after);
    vspaced_link link = place_take(vspaced);
    space->region_count++;
    *region_of(vspaced, link) =
        (struct vspaced_region){.piece = *piece, .previous = before, .next = after};
    if (before != 0)
        region_of(vspaced, before)->next = link;
    else
        space->first_region = link;
    if (after != 0)
        region_of(vspaced, after)->previous = link;
    index_add(&space->regions_root, vspaced->region_nodes, link, piece->first_page);
    return link;
}

static void region_remove(struct vspaced *vspaced, uint32_t space_index, vspaced_link link)
{
    struct vspaced_space *space = &vspaced->spaces[space_index];
    vspaced_link before = region_of(vspaced, link)->previous;
    vspaced_link after = region_of(vspaced, link)->next;
    index_remove(&space->regions_root, vspaced->region_nodes, link);
    if (before != 0)
        region_of(vspaced, before)->next = after;
    else
        space->first_region = after;
    if (after != 0)
        region_of(vspaced, after)->previous = before;
    space->region_count--;
    place_give(vspaced, link);
}

/* E6: after a change, splits merged again. */
static void space_fits(const struct vspaced_space *space)
{
    UNIT_ASSERT(space->region_count <= space->region_limit);
}

/* --- changes --------------------------------------------------------------------------------- */

/* Makes one region of a region and the one after it, when they can be. */
static void merge_next(struct vspaced *vspaced, uint32_t space_index, vspaced_link link)
{
    vspaced_link after = link == 0 ? 0 : region_of(vspaced, link)->next;
    if (after == 0 || !vspaced_piece_continues(piece_of(vspaced, link), piece_of(vspaced, after)))
        return;
    region_of(vspaced, link)->piece.page_count += piece_of(vspaced, after)->page_count;
    region_remove(vspaced, space_index, after);
}

/* Lets a region begin at the page, when the page is inside one. */
static void split_at(struct vspaced *vspaced, uint32_t space_index, uint64_t page)
{
    vspaced_link link = vspaced_region_at(vspaced, space_index, page);
    if (link == 0 || piece_of(vspaced, link)->first_page == page)
        return;
    UNIT_ASSERT(page < piece_end(piece_of(vspaced, link)));
    struct vspaced_piece right = piece_clip(piece_of(vspaced, link), page, UINT64_MAX);
    region_of(vspaced, link)->piece.page_count -= right.page_count;
    region_insert(vspaced, space_index, &right, link);
}

void vspaced_region_add(struct vspaced *vspaced, uint32_t space_index,
                        const struct vspaced_piece *piece, vspaced_link before)
{
    UNIT_ASSERT(vspaced->spaces[space_index].is_registered);
    if (before != 0 && vspaced_piece_continues(piece_of(vspaced, before), piece)) {
        gap_holds(vspaced, before, piece, region_of(vspaced, before)->next);
        region_of(vspaced, before)->piece.page_count += piece->page_count;
    } else {
        before = region_insert(vspaced, space_index, piece, before);
    }
    merge_next(vspaced, space_index, before);
    space_fits(&vspaced->spaces[space_index]);
}

void vspaced_region_cut(struct vspaced *vspaced, uint32_t space_index, uint64_t first_page,
                        uint64_t page_count)
{
    split_at(vspaced, space_index, first_page);
    split_at(vspaced, space_index, first_page + page_count);
    vspaced_link link = vspaced_region_at(vspaced, space_index, first_page);
    while (link != 0 && piece_of(vspaced, link)->first_page < first_page + page_count) {
        vspaced_link after = region_of(vspaced, link)->next;
        region_remove(vspaced, space_index, link);
        link = after;
    }
    space_fits(&vspaced->spaces[space_index]);
}

void vspaced_region_protect(struct vspaced *vspaced, uint32_t space_index, uint64_t first_page,
                            uint64_t page_count, uint16_t rights)
{
    uint64_t end_page = first_page + page_count;
    split_at(vspaced, space_index, first_page);
    split_at(vspaced, space_index, end_page);
    vspaced_link link = vspaced_region_at(vspaced, space_index, first_page);
    vspaced_link before = region_of(vspaced, link)->previous;
    for (; link != 0 && piece_of(vspaced, link)->first_page < end_page;
         link = region_of(vspaced, link)->next)
        region_of(vspaced, link)->piece.rights = rights;
    /* Every border inside the range and at its two ends may have gone. */
    vspaced_link at = before != 0 ? before : vspaced->spaces[space_index].first_region;
    while (at != 0 && piece_of(vspaced, at)->first_page < end_page) {
        vspaced_link after = region_of(vspaced, at)->next;
        merge_next(vspaced, space_index, at);
        at = region_of(vspaced, at)->next == after ? after : at;
    }
    space_fits(&vspaced->spaces[space_index]);
}

void vspaced_region_clear(struct vspaced *vspaced, uint32_t space_index)
{
    struct vspaced_space *space = &vspaced->spaces[space_index];
    vspaced_link link = space->first_region;
    space->first_region = 0;
    while (link != 0) {
        vspaced_link after = region_of(vspaced, link)->next;
        index_remove(&space->regions_root, vspaced->region_nodes, link);
        place_give(vspaced, link);
        link = after;
    }
    space->region_count = 0;
}
