/* SPDX-License-Identifier: ISC */
/* centipede's side of a harness: what libFuzzer has, whose mutators it calls, and marks as features. It
 * reads a section of features after each input, clears it, and passes over zeros; of a feature the
 * upper half is the domain, the lower the number in it. */
#include "fuzz/engine/libfuzzer_glue.c"

void mark_engine(unsigned index)
{
    mark_features[index] = index + 1;
}
