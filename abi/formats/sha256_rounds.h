/* SPDX-License-Identifier: ISC */
/* SHA-256's block function, for the unit that computes one digest and the one that computes several at a
 * time, a lane of a vector each. Both include this once, after they have said what a word is:
 *
 *   typedef ... word;             32 bits, or so many of them side by side
 *   #define WORD(constant) ...    a constant, in each, and a comma
 */
#ifndef BASALT_ABI_FORMATS_SHA256_ROUNDS_H
#define BASALT_ABI_FORMATS_SHA256_ROUNDS_H

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
/* clang-format off */
#define SHA256_ROUNDS(X) \
    X(0x428a2f98) X(0x71374491) X(0xb5c0fbcf) X(0xe9b5dba5) X(0x3956c25b) \
    X(0x59f111f1) X(0x923f82a4) X(0xab1c5ed5) X(0xd807aa98) X(0x12835b01) \
    X(0x243185be) X(0x550c7dc3) X(0x72be5d74) X(0x80deb1fe) X(0x9bdc06a7) \
    X(0xc19bf174) X(0xe49b69c1) X(0xefbe4786) X(0x0fc19dc6) X(0x240ca1cc) \
    X(0x2de92c6f) X(0x4a7484aa) X(0x5cb0a9dc) X(0x76f988da) X(0x983e5152) \
    X(0xa831c66d) X(0xb00327c8) X(0xbf597fc7) X(0xc6e00bf3) X(0xd5a79147) \
    X(0x06ca6351) X(0x14292967) X(0x27b70a85) X(0x2e1b2138) X(0x4d2c6dfc) \
    X(0x53380d13) X(0x650a7354) X(0x766a0abb) X(0x81c2c92e) X(0x92722c85) \
    X(0xa2bfe8a1) X(0xa81a664b) X(0xc24b8b70) X(0xc76c51a3) X(0xd192e819) \
    X(0xd6990624) X(0xf40e3585) X(0x106aa070) X(0x19a4c116) X(0x1e376c08) \
    X(0x2748774c) X(0x34b0bcb5) X(0x391c0cb3) X(0x4ed8aa4a) X(0x5b9cca4f) \
    X(0x682e6ff3) X(0x748f82ee) X(0x78a5636f) X(0x84c87814) X(0x8cc70208) \
    X(0x90befffa) X(0xa4506ceb) X(0xbef9a3f7) X(0xc67178f2)
/* clang-format on */

static const word round_constants[64] = {SHA256_ROUNDS(WORD)};

static inline word turned(word value, unsigned bits)
{
    return value >> bits | value << (32 - bits);
}

/* The schedule from its first sixteen words, which are the block, and to each word its round's constant.
 * That is added when no later word needs this one any more, so that a round takes one number from memory.
 * Not a part of the rounds: their working values and these numbers would not all stay in registers. The
 * compiler would join them. */
__attribute__((noinline)) static void schedule_extend(word schedule[64])
{
#pragma GCC unroll 8
    for (unsigned i = 0; i < 48; i++) {
        word a = schedule[i + 1];
        word b = schedule[i + 14];
        /* a turned by 7 and 18, b by 17 and 19: one turn is shared by what follows it. */
        word small_a = turned(turned(a, 11) ^ a, 7) ^ a >> 3;
        word small_b = turned(turned(b, 2) ^ b, 17) ^ b >> 10;
        schedule[i + 16] = schedule[i] + small_a + schedule[i + 9] + small_b;
        schedule[i] += round_constants[i];
    }
#pragma GCC unroll 16
    for (unsigned i = 48; i < 64; i++)
        schedule[i] += round_constants[i];
}

/* One round. Of the eight working values only d and h change; the caller names them in turn instead
 * of moving all eight by one place. */
static inline void mix(word a, word b, word c, word *d, word e, word f, word g, word *h,
                       word scheduled)
{
    /* e turned by 6, 11 and 25, a by 2, 13 and 22: each turn is shared by what follows it. The
     * last term is the majority of a, b and c. */
    word big_e = turned(turned(turned(e, 14) ^ e, 5) ^ e, 6);
    word big_a = turned(turned(turned(a, 9) ^ a, 11) ^ a, 2);
    word first = *h + big_e + (g ^ (e & (f ^ g))) + scheduled;
    *d += first;
    *h = first + big_a + (b ^ ((a ^ b) & (b ^ c)));
}

/* All rounds on the eight words of a state. They are written out eight at a time, after which each working
 * value has its first place again: every index is a constant, and they stay in registers. All 64 would be
 * six times as long. */
static inline void rounds(word words[8], const word schedule[64])
{
    word value[8]; /* a is value[0] in round 0, and moves down by one place each round */
    for (unsigned i = 0; i < 8; i++)
        value[i] = words[i];
#pragma GCC unroll 1
    for (unsigned first = 0; first < 64; first += 8) {
#pragma GCC unroll 8
        for (unsigned i = 0; i < 8; i++)
            mix(value[(8 - i) % 8], value[(9 - i) % 8], value[(10 - i) % 8], &value[(11 - i) % 8],
                value[(12 - i) % 8], value[(13 - i) % 8], value[(14 - i) % 8], &value[(15 - i) % 8],
                schedule[first + i]);
    }
    for (unsigned i = 0; i < 8; i++)
        words[i] += value[i];
}

#endif
