/* SPDX-License-Identifier: ISC */
/* centipede's side of a harness: what libFuzzer has, whose mutators it calls, and marks as features. It
 * reads a section of features after each input, clears it, and passes over zeros; of a feature the
 * upper half is the domain, the lower the number in it. */
#include "fuzz/engine/libfuzzer_glue.c"

__attribute__((section("__centipede_extra_features"), used)) static uint64_t features[MARK_LIMIT];

void mark_engine(unsigned index)
{
    features[index] = index + 1;
}
