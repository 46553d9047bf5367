/* SPDX-License-Identifier: ISC */
/* Whether inputs survive as text: the trace of each binary input of a corpus, assembled again, must
 * do what the input did. */
#ifndef BASALT_FUZZ_ENGINE_TEXTS_H
#define BASALT_FUZZ_ENGINE_TEXTS_H

#include "fuzz/engine/corpus.h"

/* `run` takes one input and gives its digest. Prints each text that does something else; returns
 * the exit status. */
int texts_replay(const struct corpus *corpus, uint64_t (*run)(const struct input *input));

#endif
