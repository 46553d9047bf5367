/* SPDX-License-Identifier: ISC */
/* SHA-256 after FIPS 180-4. Computes digests; decides nothing and cannot fail. */
#include "abi/formats/sha256.h"

#include <string.h>

#include "abi/assert.h"

typedef uint32_t word;
#define WORD(constant) constant,
#include "abi/formats/sha256_rounds.h"

static uint32_t load_big_endian(const uint8_t *bytes)
{
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return __builtin_bswap32(value);
}

static void compress(uint32_t words[8], const uint8_t *block)
{
    uint32_t schedule[64];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++)
        schedule[i] = load_big_endian(block + 4 * i);
    schedule_extend(schedule);
    rounds(words, schedule);
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
