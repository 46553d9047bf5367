/* SPDX-License-Identifier: ISC */
/* Which mapped page has which frame of an account's books, and which vspaces are registered. Pages
 * and vspaces are found by an index (services/lib/index.h), which nobody can make slow by choosing
 * addresses. Changes cannot fail: the caller has asked the questions first, which the assertions
 * keep. */
#ifndef BASALT_SERVICES_VSPACED_PAGES_H
#define BASALT_SERVICES_VSPACED_PAGES_H

#include "abi/assert.h"
#include "services/vspaced/vspaced.h"

bool vspaced_page_room(const struct vspaced *vspaced, uint32_t count);

/* The frame id recorded for a page; 0: none. */
uint32_t vspaced_page_frame(const struct vspaced *vspaced, uint32_t space_index, uint64_t page);

/* Whether a frame id is recorded for some page. */
bool vspaced_page_has_frame(const struct vspaced *vspaced, uint32_t frame_id);

void vspaced_page_add(struct vspaced *vspaced, uint32_t space_index, uint64_t page,
                      uint32_t frame_id);
/* Forgets what is recorded for a page, if anything is. */
void vspaced_page_remove(struct vspaced *vspaced, uint32_t space_index, uint64_t page);

/* A frame alone, whose account is that of a space, as the last of what is owed; room as for a page.
 */
void vspaced_owed_add(struct vspaced *vspaced, uint32_t space_index, uint32_t frame_id);
/* Forgets the first; with `again` it becomes the last. */
void vspaced_owed_next(struct vspaced *vspaced, bool again);
/* Forgets all of a space. */
void vspaced_owed_clear(struct vspaced *vspaced, uint32_t space_index);

/* The space of a vspace; 0: not registered. */
vspaced_link vspaced_space_find(const struct vspaced *vspaced, uint32_t object,
                                uint32_t generation);
bool vspaced_space_room(const struct vspaced *vspaced, uint32_t region_limit);
/* The index that vspaced_space_add() will take. */
uint32_t vspaced_space_peek(const struct vspaced *vspaced);
void vspaced_space_add(struct vspaced *vspaced, uint32_t object, uint32_t generation,
                       uint32_t region_limit);
void vspaced_space_remove(struct vspaced *vspaced, uint32_t space_index);

#endif
