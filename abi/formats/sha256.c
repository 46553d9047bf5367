/* SPDX-License-Identifier: ISC */
/* SHA-256 after FIPS 180-4. Computes digests; decides nothing and cannot fail. */
#include "abi/formats/sha256.h"

#include <stdbool.h>
#include <string.h>

#include "abi/assert.h"
#include "abi/formats/sha256_rounds.h"

#define CONSTANT(value) value,
static const uint32_t round_constants[64] = {SHA256_ROUNDS(CONSTANT)};
#undef CONSTANT

static uint32_t rotate_right(uint32_t value, unsigned bits)
{
    return value >> bits | value << (32 - bits);
}

static uint32_t load_big_endian(const uint8_t *bytes)
{
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return __builtin_bswap32(value);
}

/* The word of the schedule sixteen rounds after the one that has just used ring[i]: made of four of
 * those sixteen, of which it takes the oldest one's place. */
static inline void schedule_word(uint32_t ring[16], unsigned i)
{
    uint32_t a = ring[(i + 1) % 16];
    uint32_t b = ring[(i + 14) % 16];
    /* a turned by 7 and 18, b by 17 and 19: one turn is shared by what follows it. */
    uint32_t small_a = rotate_right(rotate_right(a, 11) ^ a, 7) ^ a >> 3;
    uint32_t small_b = rotate_right(rotate_right(b, 2) ^ b, 17) ^ b >> 10;
    ring[i] += small_a + ring[(i + 9) % 16] + small_b;
}

/* One round. Of the eight working values only d and h change; the caller names them in turn instead
 * of moving all eight by one place. `word` is the round's constant plus its word of the
 * schedule. */
static inline void mix(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                       uint32_t g, uint32_t *h, uint32_t word)
{
    /* e turned by 6, 11 and 25, a by 2, 13 and 22: each turn is shared by what follows it. The
     * last term is the majority of a, b and c. */
    uint32_t big_e = rotate_right(rotate_right(rotate_right(e, 14) ^ e, 5) ^ e, 6);
    uint32_t big_a = rotate_right(rotate_right(rotate_right(a, 9) ^ a, 11) ^ a, 2);
    uint32_t first = *h + big_e + (g ^ (e & (f ^ g))) + word;
    *d += first;
    *h = first + big_a + (b ^ ((a ^ b) & (b ^ c)));
}

/* Sixteen rounds. They are written out by the compiler, so that every index is a constant and the
 * working values stay in registers; all 64 would be four times as long and no faster. */
__attribute__((always_inline)) static inline void mix_sixteen(uint32_t value[8], uint32_t ring[16],
                                                              const uint32_t *constants, bool last)
{
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
        mix(value[(16 - i) % 8], value[(17 - i) % 8], value[(18 - i) % 8], &value[(19 - i) % 8],
            value[(20 - i) % 8], value[(21 - i) % 8], value[(22 - i) % 8], &value[(23 - i) % 8],
            constants[i] + ring[i]);
        if (!last)
            schedule_word(ring, i);
    }
}

static void compress(uint32_t words[8], const uint8_t *block)
{
    uint32_t ring[16];
    uint32_t value[8]; /* a is value[0] in round 0, and moves down by one place each round */
    for (unsigned i = 0; i < 8; i++)
        value[i] = words[i];
    for (unsigned i = 0; i < 16; i++)
        ring[i] = load_big_endian(block + 4 * i);
#pragma GCC unroll 1
    for (unsigned first = 0; first < 48; first += 16)
        mix_sixteen(value, ring, round_constants + first, false);
    mix_sixteen(value, ring, round_constants + 48, true);
    for (unsigned i = 0; i < 8; i++)
        words[i] += value[i];
}

void sha256_init(struct sha256 *state)
{
    /* The first 32 bits of the fractional parts of the square roots of the first 8 primes. */
    *state = (struct sha256){.words = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                       0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_update(struct sha256 *state, const void *bytes, size_t size_bytes)
{
    const uint8_t *next = bytes;
    while (size_bytes > 0) {
        size_t waiting = state->total_bytes % SHA256_BLOCK_BYTES;
        size_t room = SHA256_BLOCK_BYTES - waiting;
        size_t taken = size_bytes < room ? size_bytes : room;
        UNIT_ASSERT(taken != 0 && waiting + taken <= SHA256_BLOCK_BYTES);
        if (taken == SHA256_BLOCK_BYTES) {
            compress(state->words, next);
        } else {
            memcpy(state->block + waiting, next, taken);
            if (taken == room)
                compress(state->words, state->block);
        }
        state->total_bytes += taken;
        next += taken;
        size_bytes -= taken;
    }
}

void sha256_final(struct sha256 *state, uint8_t digest[SHA256_BYTES])
{
    static const uint8_t padding[SHA256_BLOCK_BYTES] = {0x80};
    uint64_t total_bits = state->total_bytes * 8;
    size_t waiting = state->total_bytes % SHA256_BLOCK_BYTES;
    sha256_update(state, padding, waiting < 56 ? 56 - waiting : 120 - waiting);
    UNIT_ASSERT(state->total_bytes % SHA256_BLOCK_BYTES == 56);
    uint8_t length[8];
    for (unsigned i = 0; i < 8; i++)
        length[i] = (uint8_t)(total_bits >> (56 - 8 * i));
    sha256_update(state, length, sizeof length);
    UNIT_ASSERT(state->total_bytes % SHA256_BLOCK_BYTES == 0);
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        digest[i] = (uint8_t)(state->words[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_of(const void *bytes, size_t size_bytes, uint8_t digest[SHA256_BYTES])
{
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, bytes, size_bytes);
    sha256_final(&state, digest);
}
