/* SPDX-License-Identifier: ISC */
/* Which of many records goes when there is no room: said once for all that share their places. */
#ifndef BASALT_PROPS_MODELS_MODEL_FAIR_H
#define BASALT_PROPS_MODELS_MODEL_FAIR_H

#include <stdint.h>

enum { MODEL_FAIR_KEPT = 256 };

/* Of records in the order in which they came, each with its owner, the place of the one that goes. */
uint32_t model_fair_goes(const uint64_t *owners, uint32_t count);

#endif
