/* SPDX-License-Identifier: ISC */
/* What timed must answer, written from its contract (services/timed/timed.h) with a plain list of
 * those who wait, in the order in which they came, which is searched from its beginning for the
 * earliest when that one goes. It predicts the status of every message, and who is answered when, in order. */
#ifndef BASALT_PROPS_MODELS_MODEL_TIMED_H
#define BASALT_PROPS_MODELS_MODEL_TIMED_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/timed.h"
#include "props/models/model.h"

enum { MODEL_TIMED_WAIT_LIMIT = 1024, MODEL_TIMED_ANSWERS = 32 };

struct model_timed_wait {
    uint32_t reply_slot;
    uint64_t deadline_ticks;
    uint64_t request_id;
    bool gone; /* its caller waits no more, which timed does not know */
};

struct model_timed {
    uint64_t now_ticks; /* the latest that timed was told */
    uint32_t wait_count;
    uint32_t first; /* the earliest of them, when that is known */
    bool first_known;
    struct model_timed_wait waits[MODEL_TIMED_WAIT_LIMIT]; /* as they came */
};

struct model_timed_answer {
    enum status status;
    bool later;         /* OK, and not answered yet */
    uint64_t now_ticks; /* what a reply tells */
};

void model_timed_reset(struct model_timed *model);

/* The answer to a delivered request (header.badge is the sender) that waits behind `reply_slot`,
 * received at `now_ticks`, which the kernel's clock says too, and its effects on the model. */
struct model_timed_answer model_timed_step(struct model_timed *model, const struct message *request,
                                           uint32_t reply_slot, uint64_t now_ticks,
                                           const struct model_failure *failure);

/* After a turn: who is answered at `now_ticks`, in order, those who are gone included: how many. */
uint32_t model_timed_tick(struct model_timed *model, uint64_t now_ticks,
                          struct model_timed_wait answered[MODEL_TIMED_ANSWERS]);

/* The caller behind a reply slot waits no more. */
void model_timed_gone(struct model_timed *model, uint32_t reply_slot);

/* The earliest deadline; UINT64_MAX: nobody waits. */
uint64_t model_timed_next(struct model_timed *model);

#endif
