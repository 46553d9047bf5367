/* SPDX-License-Identifier: ISC */
/* What named must answer, written from its contract (services/named/named.h) with a plain list in
 * the order of the seeding, which is searched from its beginning. It predicts the status and the
 * effects of every message, and the capability that a LOOKUP gives; it chooses no name. */
#ifndef BASALT_PROPS_MODELS_MODEL_NAMED_H
#define BASALT_PROPS_MODELS_MODEL_NAMED_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/named.h"
#include "props/models/model.h"

enum { MODEL_NAMED_ENTRY_LIMIT = 512, MODEL_NAMED_ENDPOINTS = 64 };

/* A capability as its receiver finds it. An endpoint is a number and an instance: the next one in its
 * place has the next instance. */
struct model_named_cap {
    uint32_t object_type;
    uint32_t rights;
    uint64_t badge;
    uint32_t number;
    uint32_t instance;
};

struct model_named_entry {
    uint32_t client_role;
    uint32_t service_role;
    uint32_t rights;
    char name[NAMED_NAME_BYTES];
    uint32_t name_count;
    bool registered; /* also when it died since */
    uint32_t number;
    uint32_t instance;
};

struct model_named {
    bool sealed;
    uint32_t entry_count;
    struct model_named_entry entries[MODEL_NAMED_ENTRY_LIMIT]; /* as they were seeded */
    uint32_t instances[MODEL_NAMED_ENDPOINTS];                 /* of those that live */
};

struct model_named_answer {
    enum status status;
    bool changed;                          /* the state may differ from before */
    uint32_t entry_count;                  /* SEAL */
    struct model_named_cap cap;            /* LOOKUP; MINT_END, of named's own endpoint */
    const struct model_named_entry *entry; /* that the message names, whatever became of it */
};

void model_named_reset(struct model_named *model);

/* The answer to a delivered request (header.badge is the sender) with its capability, and its
 * effects on the model. failure->reply: what the kernel says to a reply with a capability. */
struct model_named_answer model_named_step(struct model_named *model, const struct message *request,
                                           const struct model_named_cap *cap,
                                           const struct model_failure *failure);

/* The process behind an endpoint died. */
void model_named_died(struct model_named *model, uint32_t number);

bool model_named_lives(const struct model_named *model, const struct model_named_entry *entry);

/* How many entries lie before this one when they are ordered by (client, name). */
uint32_t model_named_place(const struct model_named *model, const struct model_named_entry *entry);

#endif
