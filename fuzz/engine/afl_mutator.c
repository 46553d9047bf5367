/* SPDX-License-Identifier: ISC */
/* The step mutator as an AFL++ custom mutator library (AFL_CUSTOM_MUTATOR_LIBRARY): one more change
 * among those that AFL++ stacks in its havoc stage. As a stage of its own (afl_custom_fuzz) it made
 * one change an execution, took the time from the stacked ones and reached less than none did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props/base/input_limits.h"
#include "props/life/steps.h"

enum { PERCENT_OF_CHANGES = 30, BYTE_CHANGES_MAX = 4, SMALL_VALUES = 8 };
enum { PARTNERS = 64, SWARM_CHANGES = 4096, CROSSED_PARTS = 16 };

struct mutator {
    uint64_t random;
    struct steps_plan plan;
    uint64_t count; /* of changes */
    uint8_t bytes[INPUT_BYTES_MAX];
    uint64_t partners_seen;
    struct {
        size_t size_bytes;
        uint8_t bytes[INPUT_BYTES_MAX];
    } partners[PARTNERS]; /* the inputs that joined the queue last */
};

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_havoc_mutation(void *data, uint8_t *bytes, size_t size_bytes, uint8_t **result,
                                 size_t limit_bytes);
uint8_t afl_custom_havoc_mutation_probability(void *data);
uint8_t afl_custom_queue_new_entry(void *data, const uint8_t *path, const uint8_t *parent);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned seed)
{
    (void)afl;
    struct mutator *mutator = calloc(1, sizeof *mutator);
    if (mutator != NULL)
        *mutator = (struct mutator){.random = seed,
                                    .plan.features = steps_features(getenv("BASALT_MUTATOR"))};
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

/* With one of the newest inputs: the hook is given no partner. */
static size_t cross(struct mutator *mutator, const uint8_t *bytes, size_t size_bytes,
                    size_t limit_bytes)
{
    uint64_t known = mutator->partners_seen < PARTNERS ? mutator->partners_seen : PARTNERS;
    uint64_t which = next_random(mutator) % known;
    return steps_cross(bytes, size_bytes, mutator->partners[which].bytes,
                       mutator->partners[which].size_bytes, mutator->bytes, limit_bytes,
                       next_random(mutator));
}

/* An input that joins the queue. One that cannot be read is not kept. Returns 0: the file is as it
 * was. */
uint8_t afl_custom_queue_new_entry(void *data, const uint8_t *path, const uint8_t *parent)
{
    struct mutator *mutator = data;
    (void)parent;
    FILE *file = fopen((const char *)path, "rb");
    if (file == NULL)
        return 0;
    uint64_t which = mutator->partners_seen % PARTNERS;
    mutator->partners[which].size_bytes =
        fread(mutator->partners[which].bytes, 1, INPUT_BYTES_MAX, file);
    mutator->partners_seen += mutator->partners[which].size_bytes != 0;
    fclose(file);
    return 0;
}

size_t afl_custom_havoc_mutation(void *data, uint8_t *bytes, size_t size_bytes, uint8_t **result,
                                 size_t limit_bytes)
{
    struct mutator *mutator = data;
    uint64_t seed = next_random(mutator);
    size_t limit = limit_bytes < INPUT_BYTES_MAX ? limit_bytes : INPUT_BYTES_MAX;
    size_t size = size_bytes < limit ? size_bytes : limit;
    *result = mutator->bytes;
    if (mutator->count++ % SWARM_CHANGES == 0)
        mutator->plan.swarm = seed % 2 == 0 ? 0 : seed; /* half of the time anything goes */
    if (mutator->partners_seen != 0 && (mutator->plan.features & STEPS_CROSS) != 0 &&
        seed % CROSSED_PARTS == 0)
        return cross(mutator, bytes, size, limit);
    memcpy(mutator->bytes, bytes, size);
    return steps_mutate(mutator->bytes, size, limit, mutator->plan, seed, change_bytes, mutator);
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
