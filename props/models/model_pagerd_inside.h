/* SPDX-License-Identifier: ISC */
/* What the files of the model of pagerd share. */
#ifndef BASALT_PROPS_MODELS_MODEL_PAGERD_INSIDE_H
#define BASALT_PROPS_MODELS_MODEL_PAGERD_INSIDE_H

#include "props/models/model_pagerd.h"

/* --- model_pagerd_fills.c --- */

/* The next thing done must be this one. */
struct pagerd_event model_pagerd_expect(struct model_pagerd *model, enum pagerd_act act, uint64_t a,
                                        uint64_t b, uint64_t c, uint64_t d, uint64_t e);

/* The fill of a page; null: none. */
struct model_pagerd_fill *model_pagerd_fill(struct model_pagerd *model, uint64_t token,
                                            uint64_t page);

/* Fills that wait in this way, and the one among them that was parked first; null: none. */
unsigned model_pagerd_count(const struct model_pagerd *model, enum model_pagerd_wait wait);
struct model_pagerd_fill *model_pagerd_first(struct model_pagerd *model,
                                             enum model_pagerd_wait wait);

void model_pagerd_turn_add(struct model_pagerd *model, uint64_t token);
void model_pagerd_turn_remove(struct model_pagerd *model, uint64_t token);

/* The fill is over: its faulters hear of it in order of arrival, and it is gone. */
void model_pagerd_finish(struct model_pagerd *model, uint64_t id, enum end_reason reason);

/* The slot comes again: who waited on it is gone, and so is the fill that only they waited for.
 * True: somebody was kept there. */
bool model_pagerd_slot_again(struct model_pagerd *model, uint64_t slot);

void model_pagerd_run(struct model_pagerd *model);

/* Pages of the process's own have come: they count, and no fill asks for one of them any more. */
void model_pagerd_came(struct model_pagerd *model, struct model_pagerd_process *process,
                       uint64_t page, uint64_t count);

/* --- model_pagerd_given.c --- */

/* GIVE_PAGE. `leaves`: it changed what is open about the page before, whatever its answer is. */
enum status model_pagerd_give(struct model_pagerd *model,
                              const struct pagerd_give_page_request *request, bool *leaves);

/* --- model_pagerd.c --- */

/* A release is over: done, or there was nothing. */
bool model_pagerd_is_done(enum status status);

/* Offers a frame back; false: it is still the account's. */
bool model_pagerd_give_back(struct model_pagerd *model, uint64_t account, uint64_t frame);

/* What the last page of a process left open: is one in doubt there, then a frame that goes back.
 * OK: nothing is open. EXHAUSTED: memd does not take the frame; TIMED_OUT, INTERNAL: vspaced did not
 * say. */
enum status model_pagerd_settle_page(struct model_pagerd *model,
                                     struct model_pagerd_process *process);

/* Follows what a process left open: owed, once, or not any more. */
void model_pagerd_note_open_page(struct model_pagerd *model,
                                 const struct model_pagerd_process *process);

#endif
