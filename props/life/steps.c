/* SPDX-License-Identifier: ISC */
/* Mutation of life inputs by step: whole messages are dropped, repeated, swapped and inserted, so
 * that a change of one leaves the others as they were. */
#include "props/life/steps.h"

#include <stdbool.h>
#include <string.h>

enum { STEP_LIMIT = 512, INSERTED_WORDS_MAX = 12 };

struct steps {
    uint8_t *bytes;
    size_t size_bytes;
    size_t limit_bytes;
    size_t offsets[STEP_LIMIT + 1]; /* where each step starts, and the end of the last */
    size_t count;
    uint64_t random;
};

/* splitmix64 */
static uint64_t next_random(struct steps *steps)
{
    steps->random += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = steps->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t below(struct steps *steps, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_random(steps) % limit);
}

size_t step_bytes(const uint8_t *bytes, size_t size_bytes, size_t offset_bytes)
{
    size_t left = size_bytes - offset_bytes;
    if (left < STEP_HEADER_BYTES)
        return left;
    size_t wanted = STEP_HEADER_BYTES + (size_t)bytes[offset_bytes + 1] * STEP_WORD_BYTES;
    return wanted < left ? wanted : left;
}

static void find_steps(struct steps *steps)
{
    size_t at = 0;
    steps->count = 0;
    while (at < steps->size_bytes && steps->count < STEP_LIMIT) {
        steps->offsets[steps->count++] = at;
        at += step_bytes(steps->bytes, steps->size_bytes, at);
    }
    steps->offsets[steps->count] = at;
}

static size_t size_of(const struct steps *steps, size_t step)
{
    return steps->offsets[step + 1] - steps->offsets[step];
}

/* Makes room for `count` bytes at `offset`; false when the limit forbids it. */
static bool open_gap(struct steps *steps, size_t offset, size_t count)
{
    if (count > steps->limit_bytes - steps->size_bytes)
        return false;
    memmove(steps->bytes + offset + count, steps->bytes + offset, steps->size_bytes - offset);
    steps->size_bytes += count;
    return true;
}

static void close_gap(struct steps *steps, size_t offset, size_t count)
{
    memmove(steps->bytes + offset, steps->bytes + offset + count,
            steps->size_bytes - offset - count);
    steps->size_bytes -= count;
}

static void drop_steps(struct steps *steps)
{
    size_t first = below(steps, steps->count);
    size_t most = steps->count - first;
    size_t count = 1 + below(steps, most < 4 ? most : 4);
    close_gap(steps, steps->offsets[first], steps->offsets[first + count] - steps->offsets[first]);
}

static void repeat_step(struct steps *steps)
{
    size_t from = below(steps, steps->count);
    size_t to = below(steps, steps->count + 1);
    uint8_t copy[STEP_HEADER_BYTES + UINT8_MAX * STEP_WORD_BYTES];
    size_t count = size_of(steps, from);
    memcpy(copy, steps->bytes + steps->offsets[from], count);
    if (open_gap(steps, steps->offsets[to], count))
        memcpy(steps->bytes + steps->offsets[to], copy, count);
}

/* Swaps two neighbours: rotates the bytes of both by the size of the first. */
static void swap_steps(struct steps *steps)
{
    if (steps->count < 2)
        return;
    size_t first = below(steps, steps->count - 1);
    uint8_t copy[STEP_HEADER_BYTES + UINT8_MAX * STEP_WORD_BYTES];
    size_t first_bytes = size_of(steps, first);
    size_t second_bytes = size_of(steps, first + 1);
    uint8_t *at = steps->bytes + steps->offsets[first];
    memcpy(copy, at, first_bytes);
    memmove(at, at + first_bytes, second_bytes);
    memcpy(at + second_bytes, copy, first_bytes);
}

static void insert_step(struct steps *steps)
{
    size_t words = 1 + below(steps, INSERTED_WORDS_MAX);
    size_t count = STEP_HEADER_BYTES + words * STEP_WORD_BYTES;
    size_t at = steps->offsets[below(steps, steps->count + 1)];
    if (!open_gap(steps, at, count))
        return;
    uint8_t *step = steps->bytes + at;
    for (size_t i = 0; i < count; i++)
        step[i] = (uint8_t)(below(steps, 3) == 0 ? next_random(steps) : below(steps, 8));
    step[0] = (uint8_t)next_random(steps);
    step[1] = (uint8_t)words;
}

/* Lets the engine change a step's payload, then brings it back to the size the frame states. */
static void mutate_payload(struct steps *steps, byte_mutator mutate, void *context)
{
    size_t step = below(steps, steps->count);
    size_t size = size_of(steps, step);
    if (size <= STEP_HEADER_BYTES)
        return;
    size_t payload = size - STEP_HEADER_BYTES;
    uint8_t changed[UINT8_MAX * STEP_WORD_BYTES] = {0};
    memcpy(changed, steps->bytes + steps->offsets[step] + STEP_HEADER_BYTES, payload);
    mutate(changed, payload, payload, context);
    memcpy(steps->bytes + steps->offsets[step] + STEP_HEADER_BYTES, changed, payload);
}

size_t steps_mutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, uint64_t seed,
                    byte_mutator mutate, void *context)
{
    /* An engine that makes an input smaller gives less room than the input fills: cut it first. */
    struct steps steps = {.bytes = bytes,
                          .size_bytes = size_bytes < limit_bytes ? size_bytes : limit_bytes,
                          .limit_bytes = limit_bytes,
                          .random = seed};
    find_steps(&steps);
    if (steps.count == 0) {
        insert_step(&steps);
        return steps.size_bytes;
    }
    size_t choice = below(&steps, 16);
    if (choice < 2)
        drop_steps(&steps);
    else if (choice < 4)
        repeat_step(&steps);
    else if (choice < 6)
        swap_steps(&steps);
    else if (choice < 9)
        insert_step(&steps);
    else if (choice < 14)
        mutate_payload(&steps, mutate, context);
    else
        return mutate(bytes, steps.size_bytes, limit_bytes, context);
    return steps.size_bytes;
}
