/* SPDX-License-Identifier: ISC */
/* libFuzzer's side of a harness: step-aware mutation for those that have steps, and how many steps
 * were taken. Marks need nothing here: libFuzzer reads the counters' section by its name. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props/life/steps.h"
#include "fuzz/harness.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size_bytes, size_t limit_bytes,
                               unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_bytes, const uint8_t *second,
                                 size_t second_bytes, uint8_t *target, size_t limit_bytes,
                                 unsigned seed);

static size_t mutate_bytes(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, void *context)
{
    (void)context;
    return LLVMFuzzerMutate(bytes, size_bytes, limit_bytes);
}

enum { SWARM_CHANGES = 4096, CROSSED_PARTS = 8 };

/* What is done besides, as BASALT_MUTATOR says: for measurements. "none": nothing by step. */
static struct {
    bool known;
    bool by_step;
    unsigned count; /* of changes since the swarm began */
    struct steps_plan plan;
} mutator;

static bool by_step(unsigned seed)
{
    if (!mutator.known) {
        const char *asked = getenv("BASALT_MUTATOR");
        mutator.by_step =
            &harness_has_steps != NULL && (asked == NULL || strcmp(asked, "none") != 0);
        mutator.plan.features = steps_features(asked);
        mutator.known = true;
    }
    if (mutator.count++ % SWARM_CHANGES == 0)
        mutator.plan.swarm = seed % 2 == 0 ? 0 : seed; /* half of the time anything goes */
    return mutator.by_step;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, unsigned seed)
{
    if (!by_step(seed))
        return LLVMFuzzerMutate(bytes, size_bytes, limit_bytes);
    return steps_mutate(bytes, size_bytes, limit_bytes, mutator.plan, seed, mutate_bytes, NULL);
}

/* libFuzzer asks for this as often as for the other one, which is too often. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_bytes, const uint8_t *second,
                                 size_t second_bytes, uint8_t *target, size_t limit_bytes,
                                 unsigned seed)
{
    if (by_step(seed) && (mutator.plan.features & STEPS_CROSS) != 0 && seed % CROSSED_PARTS == 0)
        return steps_cross(first, first_bytes, second, second_bytes, target, limit_bytes, seed);
    size_t size = first_bytes < limit_bytes ? first_bytes : limit_bytes;
    memcpy(target, first, size);
    return LLVMFuzzerCustomMutator(target, size, limit_bytes, seed);
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
