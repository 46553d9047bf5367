/* SPDX-License-Identifier: ISC */
/* Which marks each input of a corpus reaches by itself: for the report, which shows for every
 * state, operation and verdict an input that reaches them. */
#ifndef BASALT_FUZZ_ENGINE_MARKS_EACH_H
#define BASALT_FUZZ_ENGINE_MARKS_EACH_H

#include "fuzz/engine/corpus.h"

/* `run` takes one input. Prints `input NAME` and below it a line `mark MARK` for each mark, and
 * hands on what is printed before the next input runs: one that kills the program costs nobody
 * else's. Returns the exit status. */
int marks_each(const struct corpus *corpus, uint64_t (*run)(const struct input *input));

#endif
