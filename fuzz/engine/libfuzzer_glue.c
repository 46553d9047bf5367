/* SPDX-License-Identifier: ISC */
/* libFuzzer's side of a harness: step-aware mutation for those that have steps. Marks need nothing
 * here: libFuzzer reads the counters' section by its name. */
#include "props/life/steps.h"
#include "fuzz/harness.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size_bytes, size_t limit_bytes,
                               unsigned seed);

static size_t mutate_bytes(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, void *context)
{
    (void)context;
    return LLVMFuzzerMutate(bytes, size_bytes, limit_bytes);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, unsigned seed)
{
    if (&harness_has_steps == NULL)
        return LLVMFuzzerMutate(bytes, size_bytes, limit_bytes);
    return steps_mutate(bytes, size_bytes, limit_bytes, seed, mutate_bytes, NULL);
}
