/* SPDX-License-Identifier: ISC */
/* libFuzzer's side of a harness: step-aware mutation for those that have steps, and how many steps
 * were taken. Marks need nothing here: libFuzzer reads the counters' section by its name. */
#include <inttypes.h>
#include <stdio.h>

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

/* Called before the first input. */
int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count;
    (void)arguments;
    oracle_defer(ORACLE_STRIDE);
    return 0;
}

/* Of props/life/life.c, when the harness links it. */
uint64_t life_step_count(void) __attribute__((weak));

/* Next to libFuzzer's own figures, at the end of a run that no failure ended. */
__attribute__((destructor)) static void print_steps(void)
{
    if (life_step_count != NULL && life_step_count() != 0)
        fprintf(stderr, "stat::steps: %" PRIu64 "\n", life_step_count());
}
