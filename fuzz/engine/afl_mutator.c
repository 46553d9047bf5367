/* SPDX-License-Identifier: ISC */
/* The step mutator as an AFL++ custom mutator library (AFL_CUSTOM_MUTATOR_LIBRARY): one more change
 * among those that AFL++ stacks in its havoc stage. As a stage of its own (afl_custom_fuzz) it made
 * one change an execution, took the time from the stacked ones and reached less than none did. */
#include <stdlib.h>
#include <string.h>

#include "props/base/input_limits.h"
#include "props/life/steps.h"

enum { PERCENT_OF_CHANGES = 30, BYTE_CHANGES_MAX = 4, SMALL_VALUES = 8 };

struct mutator {
    uint64_t random;
    uint8_t bytes[INPUT_BYTES_MAX];
};

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_havoc_mutation(void *data, uint8_t *bytes, size_t size_bytes, uint8_t **result,
                                 size_t limit_bytes);
uint8_t afl_custom_havoc_mutation_probability(void *data);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned seed)
{
    (void)afl;
    struct mutator *mutator = calloc(1, sizeof *mutator);
    if (mutator != NULL)
        mutator->random = seed;
    return mutator;
}

static uint64_t next_random(struct mutator *mutator)
{
    mutator->random = mutator->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return mutator->random >> 24;
}

static void change_byte(struct mutator *mutator, uint8_t *byte)
{
    uint64_t random = next_random(mutator);
    switch (random >> 8 & 3) {
    case 0:
        *byte = (uint8_t)random;
        return;
    case 1:
        *byte = (uint8_t)(random % SMALL_VALUES);
        return;
    case 2:
        *byte = (uint8_t)(*byte ^ 1u << random % 8);
        return;
    default:
        *byte = (uint8_t)(*byte + random % SMALL_VALUES - SMALL_VALUES / 2);
        return;
    }
}

/* There is no engine to ask from here: a few bytes take new values. */
static size_t change_bytes(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, void *context)
{
    struct mutator *mutator = context;
    (void)limit_bytes;
    uint64_t changes = size_bytes == 0 ? 0 : 1 + next_random(mutator) % BYTE_CHANGES_MAX;
    for (uint64_t i = 0; i < changes; i++)
        change_byte(mutator, &bytes[next_random(mutator) % size_bytes]);
    return size_bytes;
}

size_t afl_custom_havoc_mutation(void *data, uint8_t *bytes, size_t size_bytes, uint8_t **result,
                                 size_t limit_bytes)
{
    struct mutator *mutator = data;
    size_t limit = limit_bytes < INPUT_BYTES_MAX ? limit_bytes : INPUT_BYTES_MAX;
    size_t size = size_bytes < limit ? size_bytes : limit;
    memcpy(mutator->bytes, bytes, size);
    *result = mutator->bytes;
    return steps_mutate(mutator->bytes, size, limit, next_random(mutator), change_bytes, mutator);
}

uint8_t afl_custom_havoc_mutation_probability(void *data)
{
    (void)data;
    return PERCENT_OF_CHANGES;
}

void afl_custom_deinit(void *data)
{
    free(data);
}
