/* SPDX-License-Identifier: ISC */
/* One request on its way through vspaced: what vspaced.c hands to the files that carry it out. */
#ifndef BASALT_SERVICES_VSPACED_INTERNAL_H
#define BASALT_SERVICES_VSPACED_INTERNAL_H

#include "services/vspaced/vspaced.h"

struct vspaced_step {
    uint64_t memd_deadline_ticks;
    uint32_t cap_type; /* of the first capability that arrived: MAP_FRAMES has one */
    uint32_t cap_rights;
    union {
        struct vspaced_register_vspace_request register_vspace;
        struct vspaced_unregister_vspace_request unregister_vspace;
        struct vspaced_map_anonymous_request map_anonymous;
        struct vspaced_map_frames_request map_frames;
        struct vspaced_unmap_request unmap;
        struct vspaced_protect_request protect;
        struct vspaced_guard_request guard;
        struct vspaced_query_region_request query_region;
    } request;
    union {
        struct vspaced_register_vspace_reply register_vspace;
        struct vspaced_query_region_reply query_region;
    } reply;
};

/* The part of an address space that a request names. */
struct vspaced_target {
    uint32_t space_index;
    uint32_t vspace_slot;
    uint32_t account_slot;
    uint64_t first_page;
    uint64_t page_count;
};

/* The target of a vspace_cap_slot and a range. Errors: NOT_FOUND (no space there), OUT_OF_RANGE. */
enum status vspaced_target_find(const struct vspaced *vspaced, uint32_t vspace_cap_slot,
                                uint64_t va, uint64_t page_count, struct vspaced_target *target);

/* Whether rights may be those of a mapping: INVALID_ARGUMENT, WRITE_AND_EXECUTE. */
enum status vspaced_rights_check(uint32_t rights);

/* Gives frames back to memd; INTERNAL when memd does not take all of them. */
enum status vspaced_frames_give_back(struct vspaced *vspaced, const struct vspaced_target *target,
                                     const uint32_t *frame_ids, uint32_t count,
                                     uint64_t deadline_ticks);

/* The operations that map: the contract is vspaced.h's. */
enum status vspaced_map_anonymous(struct vspaced *vspaced, const struct vspaced_step *step);
enum status vspaced_map_frames(struct vspaced *vspaced, const struct vspaced_step *step);

#endif
