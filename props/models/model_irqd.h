/* SPDX-License-Identifier: ISC */
/* What irqd must answer, written from its contract (services/irqd/irqd.h) with a plain list of the
 * seeds in the order in which they came, and with what the kernel promises of lines
 * (kernel/core/control.h). It predicts the status and the effects of every message, and who is told of
 * an interrupt. */
#ifndef BASALT_PROPS_MODELS_MODEL_IRQD_H
#define BASALT_PROPS_MODELS_MODEL_IRQD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/irqd.h"
#include "props/models/model.h"

enum { MODEL_IRQD_SEED_LIMIT = 256, MODEL_IRQD_ENDPOINTS = 64 };

/* A capability as irqd finds it. An endpoint is a number and an instance: the next one in its place
 * has the next instance. */
struct model_irqd_cap {
    uint32_t object_type;
    uint32_t rights;
    uint64_t badge;
    uint32_t number;
    uint32_t instance;
};

struct model_irqd_line {
    uint32_t role; /* that registered last; 0: nobody ever */
    uint32_t number;
    uint32_t instance;
    uint64_t token;
    bool masked;
    bool told;
};

struct model_irqd_seed {
    uint32_t line;
    uint32_t role;
};

struct model_irqd {
    bool sealed;
    uint32_t seed_count;
    struct model_irqd_seed seeds[MODEL_IRQD_SEED_LIMIT]; /* as they came */
    struct model_irqd_line lines[INTERRUPT_LINE_COUNT];
    uint32_t instances[MODEL_IRQD_ENDPOINTS]; /* of those that live */
};

struct model_irqd_answer {
    enum status status;
    bool changed;  /* the state may differ from before */
    bool replaced; /* another registration, alive or not, went */
    bool other;    /* and it was another role's */
};

void model_irqd_reset(struct model_irqd *model);

/* The answer to a delivered request (header.badge is the sender) with its capability, and its
 * effects. */
struct model_irqd_answer model_irqd_step(struct model_irqd *model, const struct message *request,
                                         const struct model_irqd_cap *cap,
                                         const struct model_failure *failure);

/* The process behind an endpoint died. */
void model_irqd_died(struct model_irqd *model, uint32_t number);

/* Somebody who lives has the line. */
bool model_irqd_lives(const struct model_irqd *model, uint32_t line);

/* The line's device interrupts: whether anybody is told. */
bool model_irqd_interrupt(struct model_irqd *model, uint32_t line);

/* Whether the role may have the line. */
bool model_irqd_seeded(const struct model_irqd *model, uint32_t line, uint64_t role);

#endif
