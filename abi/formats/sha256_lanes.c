/* SPDX-License-Identifier: ISC */
/* Whole blocks of four messages side by side, one in each lane of a vector; the last bytes of each,
 * and the rest of a message that is alone, go through the plain functions. Decides which messages
 * run together, never what a digest is. */
#include "abi/formats/sha256_lanes.h"

#include <stdbool.h>
#include <string.h>

#include "abi/assert.h"

enum { LANES = 4 };

typedef uint32_t word __attribute__((vector_size(4 * LANES)));
#define WORD(constant) {constant, constant, constant, constant},
#include "abi/formats/sha256_rounds.h"

/* A message on its way. */
struct lane {
    bool used;
    size_t message; /* index of its digest */
    const uint8_t *next;
    size_t left_bytes;
    struct sha256 state; /* whole blocks only */
};

/* --- blocks ----------------------------------------------------------------------------------- */

/* Four words of a block, which lie there with their first byte first. */
static inline word words_at(const uint8_t *bytes)
{
    typedef uint16_t halves __attribute__((vector_size(sizeof(word))));
    halves words;
    __builtin_memcpy(&words, bytes, sizeof words);
    words = __builtin_shufflevector(words, words, 1, 0, 3, 2, 5, 4, 7, 6);
    return (word)(words >> 8 | words << 8);
}

/* The first sixteen words of the schedule: blocks[i] is where lane i's block lies. Four words of
 * each block are a square, of which the ring wants the columns. */
static inline void schedule_begin(word schedule[16], const uint8_t *const *blocks)
{
#pragma GCC unroll 1
    for (unsigned round = 0; round < 16; round += 4) {
        word rows[LANES];
        for (unsigned i = 0; i < LANES; i++)
            rows[i] = words_at(blocks[i] + sizeof(uint32_t) * round);
        word left_a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
        word left_b = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
        word right_a = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
        word right_b = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
        schedule[round] = __builtin_shufflevector(left_a, left_b, 0, 1, 4, 5);
        schedule[round + 1] = __builtin_shufflevector(left_a, left_b, 2, 3, 6, 7);
        schedule[round + 2] = __builtin_shufflevector(right_a, right_b, 0, 1, 4, 5);
        schedule[round + 3] = __builtin_shufflevector(right_a, right_b, 2, 3, 6, 7);
    }
}

static void compress_each(word words[8], const uint8_t *const *blocks)
{
    word schedule[64];
    schedule_begin(schedule, blocks);
    schedule_extend(schedule);
    rounds(words, schedule);
}

/* --- lanes ------------------------------------------------------------------------------------ */

/* So many blocks of each message. A lane without one computes what another does, for nothing. */
static void run(struct lane pool[LANES], size_t blocks)
{
    word words[8];
    const uint8_t *next[LANES];
    unsigned some = 0;
    while (!pool[some].used)
        some++;
    for (unsigned i = 0; i < LANES; i++) {
        const struct lane *lane = &pool[pool[i].used ? i : some];
        next[i] = lane->next;
        for (unsigned k = 0; k < 8; k++)
            words[k][i] = lane->state.words[k];
    }
    for (size_t block = 0; block < blocks; block++) {
        compress_each(words, next);
        for (unsigned i = 0; i < LANES; i++)
            next[i] += SHA256_BLOCK_BYTES;
    }
    for (unsigned i = 0; i < LANES; i++) {
        size_t taken = blocks * SHA256_BLOCK_BYTES;
        if (!pool[i].used)
            continue;
        for (unsigned k = 0; k < 8; k++)
            pool[i].state.words[k] = words[k][i];
        pool[i].state.total_bytes += taken;
        pool[i].next = next[i];
        pool[i].left_bytes -= taken;
    }
}

/* The rest of a message by itself. */
static void finish(struct lane *lane, uint8_t (*digests)[SHA256_BYTES])
{
    sha256_update(&lane->state, lane->next, lane->left_bytes);
    sha256_final(&lane->state, digests[lane->message]);
    lane->used = false;
}

/* Gives each free lane the next message, and counts those that are used then. */
static unsigned fill(struct lane pool[LANES], const struct sha256_message *messages, size_t count,
                     size_t *taken)
{
    unsigned used = 0;
    for (unsigned i = 0; i < LANES; i++) {
        if (!pool[i].used && *taken < count) {
            pool[i].used = true;
            pool[i].message = *taken;
            pool[i].next = messages[*taken].bytes;
            pool[i].left_bytes = messages[*taken].size_bytes;
            sha256_init(&pool[i].state);
            ++*taken;
        }
        used += pool[i].used;
    }
    return used;
}

/* How many blocks all of them have. */
static size_t common_blocks(const struct lane pool[LANES])
{
    size_t least = SIZE_MAX;
    for (unsigned i = 0; i < LANES; i++) {
        if (pool[i].used && pool[i].left_bytes < least)
            least = pool[i].left_bytes;
    }
    return least / SHA256_BLOCK_BYTES;
}

void sha256_of_each(const struct sha256_message *messages, size_t count,
                    uint8_t (*digests)[SHA256_BYTES])
{
    struct lane pool[LANES];
    size_t taken = 0;
    for (unsigned i = 0; i < LANES; i++)
        pool[i].used = false;
    for (unsigned used = fill(pool, messages, count, &taken); used != 0;
         used = fill(pool, messages, count, &taken)) {
        if (used > 1)
            run(pool, common_blocks(pool));
        for (unsigned i = 0; i < LANES; i++) {
            if (pool[i].used && (used == 1 || pool[i].left_bytes < SHA256_BLOCK_BYTES))
                finish(&pool[i], digests);
        }
    }
    UNIT_ASSERT(taken == count);
}
