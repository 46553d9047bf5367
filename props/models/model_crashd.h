/* SPDX-License-Identifier: ISC */
/* What crashd must answer, written from its contract (services/crashd/crashd.h) with one list of all
 * reports that there ever were, and one of those that are kept. It predicts the status, the reply and the effects of every message. */
#ifndef BASALT_PROPS_MODELS_MODEL_CRASHD_H
#define BASALT_PROPS_MODELS_MODEL_CRASHD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/crashd.h"
#include "props/models/model.h"

enum { MODEL_CRASHD_KEPT = 256, MODEL_CRASHD_RECORDS = 2048 };

struct model_crashd_record {
    uint64_t ticks;
    struct crashd_report_request report;
};

struct model_crashd {
    uint64_t now_ticks; /* the latest that crashd was told */
    uint32_t count;
    struct model_crashd_record records[MODEL_CRASHD_RECORDS]; /* all, id 1 first */
    uint32_t kept_count;
    uint64_t kept[MODEL_CRASHD_KEPT]; /* ids of those that are still there, in their order */
    uint64_t kept_owners[MODEL_CRASHD_KEPT];
};

struct model_crashd_answer {
    enum status status;
    bool changed; /* there is one more record */
    bool again;   /* REPORT: it was there already */
    uint64_t id;  /* of the record that the answer is about */
    uint64_t missed_count;
    uint64_t lost_count;
};

void model_crashd_reset(struct model_crashd *model);

/* The answer to a delivered request (header.badge is the sender), received at `now_ticks`, and its
 * effects on the model. */
struct model_crashd_answer model_crashd_step(struct model_crashd *model,
                                             const struct message *request, uint64_t now_ticks);

/* How many reports before the id-th, and after the one before it, there never were. */
uint64_t model_crashd_lost(const struct model_crashd *model, uint64_t id);

#endif
