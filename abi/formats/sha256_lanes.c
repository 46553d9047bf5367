/* SPDX-License-Identifier: ISC */
/* Whole blocks of four messages side by side, one in each lane of a vector; the last bytes of each,
 * and the rest of a message that is alone, go through the plain functions. Decides which messages
 * run together, never what a digest is. */
#include "abi/formats/sha256_lanes.h"

#include <stdbool.h>
#include <string.h>

#include "abi/assert.h"
#include "abi/formats/sha256_rounds.h"

enum { LANES = 4 };

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

/* A message on its way. */
struct lane {
    bool used;
    size_t message; /* index of its digest */
    const uint8_t *next;
    size_t left_bytes;
    struct sha256 state; /* whole blocks only */
};

/* --- blocks ----------------------------------------------------------------------------------- */

/* In each lane, so that a round need not spread them. */
#define CONSTANT(value) {value, value, value, value},
static const lanes round_constants[64] = {SHA256_ROUNDS(CONSTANT)};
#undef CONSTANT

static inline lanes turn_right(lanes value, unsigned bits)
{
    return value >> bits | value << (32 - bits);
}

/* Four words of a block, which lie there with their first byte first. */
static inline lanes words_at(const uint8_t *bytes)
{
    typedef uint16_t halves __attribute__((vector_size(sizeof(lanes))));
    halves words;
    __builtin_memcpy(&words, bytes, sizeof words);
    words = __builtin_shufflevector(words, words, 1, 0, 3, 2, 5, 4, 7, 6);
    return (lanes)(words >> 8 | words << 8);
}

/* The first sixteen words of the schedule: blocks[i] is where lane i's block lies. Four words of
 * each block are a square, of which the ring wants the columns. */
static inline void schedule_begin(lanes ring[16], const uint8_t *const *blocks)
{
#pragma GCC unroll 1
    for (unsigned round = 0; round < 16; round += 4) {
        lanes rows[LANES];
        for (unsigned i = 0; i < LANES; i++)
            rows[i] = words_at(blocks[i] + sizeof(uint32_t) * round);
        lanes left_a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
        lanes left_b = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
        lanes right_a = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
        lanes right_b = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
        ring[round] = __builtin_shufflevector(left_a, left_b, 0, 1, 4, 5);
        ring[round + 1] = __builtin_shufflevector(left_a, left_b, 2, 3, 6, 7);
        ring[round + 2] = __builtin_shufflevector(right_a, right_b, 0, 1, 4, 5);
        ring[round + 3] = __builtin_shufflevector(right_a, right_b, 2, 3, 6, 7);
    }
}

/* This and all below it as in sha256.c. */
static inline void schedule_word(lanes ring[16], unsigned i)
{
    lanes a = ring[(i + 1) % 16];
    lanes b = ring[(i + 14) % 16];
    lanes small_a = turn_right(turn_right(a, 11) ^ a, 7) ^ a >> 3;
    lanes small_b = turn_right(turn_right(b, 2) ^ b, 17) ^ b >> 10;
    ring[i] += small_a + ring[(i + 9) % 16] + small_b;
}

static inline void mix(lanes a, lanes b, lanes c, lanes *d, lanes e, lanes f, lanes g, lanes *h,
                       lanes word)
{
    lanes big_e = turn_right(turn_right(turn_right(e, 14) ^ e, 5) ^ e, 6);
    lanes big_a = turn_right(turn_right(turn_right(a, 9) ^ a, 11) ^ a, 2);
    lanes first = *h + big_e + (g ^ (e & (f ^ g))) + word;
    *d += first;
    *h = first + big_a + (b ^ ((a ^ b) & (b ^ c)));
}

__attribute__((always_inline)) static inline void mix_sixteen(lanes value[8], lanes ring[16],
                                                              const lanes *constants, bool last)
{
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
        mix(value[(16 - i) % 8], value[(17 - i) % 8], value[(18 - i) % 8], &value[(19 - i) % 8],
            value[(20 - i) % 8], value[(21 - i) % 8], value[(22 - i) % 8], &value[(23 - i) % 8],
            ring[i] + constants[i]);
        if (!last)
            schedule_word(ring, i);
    }
}

static void compress_each(lanes words[8], const uint8_t *const *blocks)
{
    lanes ring[16];
    lanes value[8]; /* a is value[0] in round 0, and moves down by one place each round */
    for (unsigned i = 0; i < 8; i++)
        value[i] = words[i];
    schedule_begin(ring, blocks);
#pragma GCC unroll 1
    for (unsigned first = 0; first < 48; first += 16)
        mix_sixteen(value, ring, round_constants + first, false);
    mix_sixteen(value, ring, round_constants + 48, true);
    for (unsigned i = 0; i < 8; i++)
        words[i] += value[i];
}

/* --- lanes ------------------------------------------------------------------------------------ */

/* So many blocks of each message. A lane without one computes what another does, for nothing. */
static void run(struct lane pool[LANES], size_t blocks)
{
    lanes words[8];
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
