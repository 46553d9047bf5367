/* SPDX-License-Identifier: ISC */
/* What logd must answer, written from its contract (services/logd/logd.h) with one list of all
 * records that are kept, oldest first, which is counted and searched from its beginning. It predicts
 * the status, the reply and the effects of every message. */
#ifndef BASALT_PROPS_MODELS_MODEL_LOGD_H
#define BASALT_PROPS_MODELS_MODEL_LOGD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/logd.h"
#include "props/models/model.h"

enum { MODEL_LOGD_RECORD_LIMIT = 1024 };

struct model_logd_record {
    uint64_t id;
    uint64_t ticks;
    uint32_t role;
    uint32_t severity;
    uint32_t count;
    uint8_t text[LOG_LINE_BYTES_MAX];
};

struct model_logd {
    uint32_t limit;
    uint64_t last_id;
    uint64_t now_ticks; /* the latest that logd was told */
    uint32_t count;
    struct model_logd_record records[MODEL_LOGD_RECORD_LIMIT + 1]; /* oldest first */
};

struct model_logd_answer {
    enum status status;
    bool changed;                    /* the log may differ from before */
    bool evicted;                    /* a record made room */
    struct model_logd_record record; /* APPEND: the new one; READ: the one that is given */
    uint64_t missed_count;           /* READ */
};

/* An empty log for so many records. */
void model_logd_reset(struct model_logd *model, uint32_t limit);

/* The answer to a delivered request (header.badge is the sender), received at `now_ticks`, and its
 * effects on the model. */
struct model_logd_answer model_logd_step(struct model_logd *model, const struct message *request,
                                         uint64_t now_ticks);

/* How many records of a role are kept; of how many roles there are any. */
uint32_t model_logd_count(const struct model_logd *model, uint64_t role);
uint32_t model_logd_roles(const struct model_logd *model);

#endif
