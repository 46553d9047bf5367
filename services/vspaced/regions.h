/* SPDX-License-Identifier: ISC */
/* The regions of all spaces: an ordered index per space. Finding takes logarithmic time in the
 * regions of the space, whoever chose their addresses (services/lib/index.h); changes cannot fail:
 * the caller has asked the questions first, which the assertions keep. Every change leaves
 * neighbours that could be one region as one. */
#ifndef BASALT_SERVICES_VSPACED_REGIONS_H
#define BASALT_SERVICES_VSPACED_REGIONS_H

#include "abi/assert.h"
#include "services/vspaced/vspaced.h"

/* The region that holds a page; 0: none. */
vspaced_link vspaced_region_at(const struct vspaced *vspaced, uint32_t space_index, uint64_t page);

/* Whether a page of the range is in a region. When none is, `before` becomes the last region in front
 * of the range; 0: none is there. */
bool vspaced_region_overlap(const struct vspaced *vspaced, uint32_t space_index,
                            uint64_t first_page, uint64_t page_count, vspaced_link *before);

/* Regions more (or fewer, below 0) that there are after each change. A piece that is added lies
 * behind `before`, as vspaced_region_overlap() said; the range of `cut` and `protect` is covered by
 * regions. */
int32_t vspaced_region_add_cost(const struct vspaced *vspaced, uint32_t space_index,
                                const struct vspaced_piece *piece, vspaced_link before);
int32_t vspaced_region_cut_cost(const struct vspaced *vspaced, uint32_t space_index,
                                uint64_t first_page, uint64_t page_count);
int32_t vspaced_region_protect_cost(const struct vspaced *vspaced, uint32_t space_index,
                                    uint64_t first_page, uint64_t page_count, uint16_t rights);

/* Whether a space may have that many more. */
bool vspaced_region_room(const struct vspaced *vspaced, uint32_t space_index, int32_t cost);

void vspaced_region_add(struct vspaced *vspaced, uint32_t space_index,
                        const struct vspaced_piece *piece, vspaced_link before);
void vspaced_region_cut(struct vspaced *vspaced, uint32_t space_index, uint64_t first_page,
                        uint64_t page_count);
void vspaced_region_protect(struct vspaced *vspaced, uint32_t space_index, uint64_t first_page,
                            uint64_t page_count, uint16_t rights);
void vspaced_region_clear(struct vspaced *vspaced, uint32_t space_index);

/* Whether `right`, which begins where `left` ends, continues it: for the check. */
bool vspaced_piece_continues(const struct vspaced_piece *left, const struct vspaced_piece *right);

#endif
