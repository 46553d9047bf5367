/* SPDX-License-Identifier: ISC */
/* What the models of the services have in common. The model of a service is
 *
 *   model_<service>_reset(model, ...)                        empty again, at the cost of what was used
 *   model_<service>_step(model, request, failure) -> answer  one message
 *
 * and functions by which the harness tells what else happened (a process died, time passed). A step
 * predicts the result and changes the model; names that a service chooses are left to be learned
 * from its answers and from the books of the stand-in, never from the books of the service. An
 * operation that has a row and that a model does not know is a bug of the harness. */
#ifndef BASALT_PROPS_MODELS_MODEL_H
#define BASALT_PROPS_MODELS_MODEL_H

#include <stdint.h>

#include "abi/status.h"
#include "props/base/property.h"

/* After a switch over the operations, each of which has returned. */
#define MODEL_KNOWS_NOT(operation)                                                                 \
    harness_failed("the model knows every " #operation " that has a row", __FILE__, __LINE__)

/* What went wrong outside the service while it worked on a message. */
struct model_failure {
    uint32_t count;        /* calls that failed */
    enum status status;    /* of the first */
    uint64_t calls_before; /* calls that had worked before it, where the stand-in counts them */
    enum status reply;     /* what the kernel says to the reply; memd: to one with capabilities */
};

#endif
