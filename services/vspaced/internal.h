/* SPDX-License-Identifier: ISC */
/* What the files of vspaced share: the request in hand, and what it names. */
#ifndef BASALT_SERVICES_VSPACED_INTERNAL_H
#define BASALT_SERVICES_VSPACED_INTERNAL_H

#include "services/lib/dispatch.h"
#include "services/vspaced/vspaced.h"

/* vspaced.c and map.c: one function for each LIVE row of the table. */
#define SERVICE       vspaced
#define SERVICE_TABLE "abi/messages/vspaced.def"
#include "services/lib/unfold.h"

struct vspaced_request {
    struct service_request common;
    union vspaced_body body;
    union vspaced_reply reply;
};

/* The part of an address space that a request names. */
struct vspaced_target {
    uint32_t space_index;
    uint32_t vspace_slot;
    uint32_t account_slot;
    uint64_t first_page;
    uint64_t page_count;
    vspaced_link before; /* when nothing of the range is mapped: the region in front of it, or 0 */
};

/* The target of a vspace_cap_slot and a range. Errors: NOT_FOUND (no space there), OUT_OF_RANGE. */
enum status vspaced_target_find(const struct vspaced *vspaced, uint32_t vspace_cap_slot,
                                uint64_t va, uint64_t page_count, struct vspaced_target *target);

/* Whether rights may be those of a mapping: INVALID_ARGUMENT, WRITE_AND_EXECUTE. */
enum status vspaced_rights_check(uint32_t rights);

/* Gives frames back to memd, and keeps those that it does not take: INTERNAL then. */
enum status vspaced_frames_give_back(struct vspaced *vspaced, const struct vspaced_target *target,
                                     const uint32_t *frame_ids, uint32_t count);

/* Offers memd again what it did not take back: VSPACED_OWED_TURNS frames at most. */
void vspaced_owed_offer(struct vspaced *vspaced);

#endif
