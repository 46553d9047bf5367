/* SPDX-License-Identifier: ISC */
/* Every call that a life makes fails once: before each step of each .trace of a corpus an action is
 * put that makes the step's first call fail, then its second, ... until it has no such call any
 * more. The harness judges, as it does when fuzzing plans the failure: reported if and only if
 * injected, and nothing changed except what the contract says. */
#ifndef BASALT_FUZZ_ENGINE_FAIL_EACH_H
#define BASALT_FUZZ_ENGINE_FAIL_EACH_H

#include "fuzz/engine/corpus.h"

/* Of the traces those whose number, divided by `parts`, leaves `part`: 0 and 1 for all. `run` takes
 * one input; those that are made here have no path. Prints how many failures there were; returns
 * the exit status, which is 1 when there were none. */
int fail_each(const struct corpus *corpus, uint64_t part, uint64_t parts,
              uint64_t (*run)(const struct input *input));

#endif
