/* SPDX-License-Identifier: ISC */
/* SHA-256 (FIPS 180-4), streaming. The digest of the boot image's sections and of the event trace.
 * Carries no policy; cannot fail. The length of a message is bounded by 2^61 - 1 bytes. */
#ifndef BASALT_ABI_FORMATS_SHA256_H
#define BASALT_ABI_FORMATS_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64 };

/* The caller owns it; sha256_init makes it valid (all zero is not a valid state). */
struct sha256 {
    uint32_t words[8];
    uint64_t total_bytes;
    uint8_t block[SHA256_BLOCK_BYTES]; /* total_bytes % 64 of them are waiting */
};

void sha256_init(struct sha256 *state);

/* Takes the next `size` bytes; `bytes` may be null only when size is 0. */
void sha256_update(struct sha256 *state, const void *bytes, size_t size_bytes);

/* Writes the digest. The state is used up: only sha256_init makes it valid again. */
void sha256_final(struct sha256 *state, uint8_t digest[SHA256_BYTES]);

/* The three above in one. */
void sha256_of(const void *bytes, size_t size_bytes, uint8_t digest[SHA256_BYTES]);

#endif
