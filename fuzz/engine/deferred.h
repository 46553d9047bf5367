/* SPDX-License-Identifier: ISC */
/* Whether inputs do the same whether every step is looked at or some, as engines do (oracle.h). */
#ifndef BASALT_FUZZ_ENGINE_DEFERRED_H
#define BASALT_FUZZ_ENGINE_DEFERRED_H

#include "fuzz/engine/corpus.h"

/* `run` takes one input and gives its digest. Prints each input whose results, last state or marks are
 * others; returns the exit status. */
int deferred_replay(const struct corpus *corpus, uint64_t (*run)(const struct input *input));

#endif
