/* SPDX-License-Identifier: ISC */
/* The step mutator as an AFL++ custom mutator library (AFL_CUSTOM_MUTATOR_LIBRARY). AFL++'s own
 * mutations run beside it. */
#include <stdlib.h>
#include <string.h>

#include "props/life/steps.h"

enum { INPUT_BYTES_MAX = 65536 };

struct mutator {
    uint64_t seed;
    uint8_t bytes[INPUT_BYTES_MAX];
};

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size_bytes, uint8_t **result,
                       uint8_t *other, size_t other_bytes, size_t limit_bytes);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned seed)
{
    (void)afl;
    struct mutator *mutator = calloc(1, sizeof *mutator);
    if (mutator != NULL)
        mutator->seed = seed;
    return mutator;
}

/* Without an engine to ask: one byte takes a new value. */
static size_t change_byte(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, void *context)
{
    struct mutator *mutator = context;
    (void)limit_bytes;
    uint64_t random = mutator->seed * UINT64_C(6364136223846793005) + 1;
    if (size_bytes != 0)
        bytes[(random >> 16) % size_bytes] = (uint8_t)(random >> 40);
    return size_bytes;
}

size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size_bytes, uint8_t **result,
                       uint8_t *other, size_t other_bytes, size_t limit_bytes)
{
    struct mutator *mutator = data;
    (void)other;
    (void)other_bytes;
    size_t limit = limit_bytes < INPUT_BYTES_MAX ? limit_bytes : INPUT_BYTES_MAX;
    size_t size = size_bytes < limit ? size_bytes : limit;
    memcpy(mutator->bytes, bytes, size);
    mutator->seed++;
    *result = mutator->bytes;
    return steps_mutate(mutator->bytes, size, limit, mutator->seed, change_byte, mutator);
}

void afl_custom_deinit(void *data)
{
    free(data);
}
