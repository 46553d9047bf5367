/* SPDX-License-Identifier: ISC */
/* What probed must list, written from its contract (services/probed/probed.h, walk.h): a set of buses,
 * and of each bus a walk over all places. It predicts every line, in order. */
#ifndef BASALT_PROPS_MODELS_MODEL_PROBED_H
#define BASALT_PROPS_MODELS_MODEL_PROBED_H

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_PROBED_LINES = 257, MODEL_PROBED_LINE_BYTES = 80 };

struct model_probed {
    uint64_t reads_left; /* so many reads the kernel grants */
    bool unreadable;
    uint32_t function_count;
    uint32_t line_count;
    char lines[MODEL_PROBED_LINES][MODEL_PROBED_LINE_BYTES]; /* the last one is the end's */
};

/* The whole walk, over what `read` says. */
void model_probed_walk(struct model_probed *model, uint64_t reads_granted,
                       uint32_t (*read)(uint32_t bus, uint32_t device, uint32_t function,
                                        uint32_t offset_bytes));

#endif
