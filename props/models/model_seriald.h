/* SPDX-License-Identifier: ISC */
/* What seriald must answer and bring to the line, written from its contract
 * (services/seriald/seriald.h), with a driver and a logd of its own in the same state as those around
 * seriald (props/stand_ins/serial_line.h). It predicts the status of every message, and after every
 * turn each answer with its bytes, and all that went out. */
#ifndef BASALT_PROPS_MODELS_MODEL_SERIALD_H
#define BASALT_PROPS_MODELS_MODEL_SERIALD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/seriald.h"
#include "props/models/model.h"
#include "props/stand_ins/serial_line.h"

enum { MODEL_SERIALD_ANSWERS = 4 };

struct model_seriald_answer {
    uint32_t reply_slot;
    uint64_t request_id;
    bool gone;
    struct seriald_read_reply read;
};

struct model_seriald {
    struct serial_line line;
    uint64_t now_ticks;
    uint32_t driver; /* the life that is known; 0: none */
    uint32_t log;
    bool driver_held; /* something lies in the slot */
    bool log_held;
    uint64_t cursor;
    uint64_t log_ticks;
    uint64_t read_ticks;
    uint64_t lost_before;
    uint64_t lost_last;
    uint32_t owner; /* whose line is open; 0: nobody's */
    uint64_t owner_ticks;
    uint64_t owned_ticks; /* since when it is the owner */
    uint32_t kept_count;
    uint8_t kept[SERIAL_BYTES_MAX];
    uint32_t reader_slot; /* 0: nobody waits */
    uint32_t reader_role;
    uint64_t reader_request;
    uint64_t reader_deadline;
    bool reader_gone;
    uint32_t answer_count;
    struct model_seriald_answer answers[MODEL_SERIALD_ANSWERS];
    /* The turn's calls so far, and which of them fails. */
    uint64_t calls;
    const struct model_failure *failure;
};

struct model_seriald_result {
    enum status status;
    bool later;
    uint32_t taken_count; /* of a write that is OK */
};

void model_seriald_reset(struct model_seriald *model);

/* A turn's message, received at `now_ticks`, and then the rest of the turn. `failure` is of both. */
struct model_seriald_result model_seriald_step(struct model_seriald *model,
                                               const struct message *request, uint32_t reply_slot,
                                               uint64_t now_ticks,
                                               const struct model_failure *failure);
void model_seriald_tick(struct model_seriald *model, uint64_t now_ticks);

/* A turn without a message begins. */
void model_seriald_quiet(struct model_seriald *model, const struct model_failure *failure);

/* The caller behind a reply slot waits no more. */
void model_seriald_gone(struct model_seriald *model, uint32_t reply_slot);

/* When seriald has something to do by itself. */
uint64_t model_seriald_next(const struct model_seriald *model);

#endif
