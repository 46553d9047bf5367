/* SPDX-License-Identifier: ISC */
/* What the files of the model of vspaced share. */
#ifndef BASALT_PROPS_MODELS_MODEL_VSPACED_INSIDE_H
#define BASALT_PROPS_MODELS_MODEL_VSPACED_INSIDE_H

#include "props/models/model_vspaced.h"

/* --- model_vspaced_pages.c: pages, and the regions that they make --- */

/* What a request makes of a range. */
struct model_vspaced_change {
    uint64_t first_page;
    uint64_t page_count;
    struct model_vspaced_page to; /* image_page: of the first */
    bool only_rights;
};

struct model_vspaced_page *model_vspaced_page_make(struct model_vspaced *model, uint32_t vspace,
                                                   uint64_t page);

bool model_vspaced_in_books(struct model_vspaced *model, uint32_t vspace, uint64_t page);

bool model_vspaced_in_kernel(struct model_vspaced *model, uint32_t vspace, uint64_t page);

bool model_vspaced_begins_region(struct model_vspaced *model, uint32_t vspace, uint64_t number,
                                 const struct model_vspaced_change *change);

/* Whether a vspace may have the regions that it has after the change. */
bool model_vspaced_regions_fit(struct model_vspaced *model,
                               const struct model_vspaced_answer *answer,
                               struct model_vspaced_change change);

struct model_vspaced_change model_vspaced_change_to(uint32_t kind, uint32_t rights,
                                                    uint64_t image_page);

/* --- model_vspaced_calls.c: what is asked of memd and the kernel --- */

/* Calls in the order of the contract, one of which may fail by plan. */
struct model_vspaced_walk {
    const struct model_failure *failure;
    bool late;
    uint64_t calls;
};

enum status model_vspaced_call(struct model_vspaced_walk *walk, enum status natural);

bool model_vspaced_is_done(enum status status);

/* memd takes ids back, all or none. */
enum status model_vspaced_free_call(struct model_vspaced *model, struct model_vspaced_walk *walk,
                                    uint32_t vspace_index, const uint32_t *ids, uint32_t count);

void model_vspaced_owe(struct model_vspaced *model, uint32_t vspace, uint32_t frame_id);

void model_vspaced_owed_remove(struct model_vspaced *model, uint32_t at);

/* What was not taken back is offered again, four at most, until one is not taken again. */
void model_vspaced_offer(struct model_vspaced *model, struct model_vspaced_walk *walk);

void model_vspaced_map_anonymous(struct model_vspaced *model,
                                 const struct vspaced_map_anonymous_request *body,
                                 const struct model_vspaced_request *request,
                                 struct model_vspaced_walk *walk,
                                 struct model_vspaced_answer *answer);

/* --- model_vspaced.c --- */

/* Names the target; the status of the first two rules. */
enum status model_vspaced_target(const struct model_vspaced *model, uint32_t slot, uint64_t va,
                                 uint64_t page_count, struct model_vspaced_answer *answer);

enum status model_vspaced_rights_status(uint32_t rights);

bool model_vspaced_any_in_books(struct model_vspaced *model,
                                const struct model_vspaced_answer *answer);

struct model_vspaced_page *model_vspaced_put(struct model_vspaced *model,
                                             const struct model_vspaced_answer *answer,
                                             uint64_t index, uint32_t kind, uint32_t rights);

#endif
