/* SPDX-License-Identifier: ISC */
/* Requests for procd's life harness, drawn from choices. */
#ifndef BASALT_FUZZ_LIFE_PROCD_LIFE_GENERATE_H
#define BASALT_FUZZ_LIFE_PROCD_LIFE_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages.h"
#include "props/base/choices.h"
#include "props/models/model_procd.h"

struct generated {
    const struct operation *row;
    uint64_t badge;
    bool on_driver;
    uint64_t body[MESSAGE_BODY_BYTES_MAX / 8]; /* the request's struct */
};

/* One request; false when the choices name an operation that has no row. */
bool procd_generate(struct choices *choices, const struct model_procd *model,
                    struct generated *out);

#endif
