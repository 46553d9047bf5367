/* SPDX-License-Identifier: ISC */
/* SHA-256 of several messages at a time, in the vector registers that every x86-64 processor has:
 * four blocks of four messages take less time than two, one after the other. Whoever calls this
 * must be allowed to use those registers, which the kernel is only while it boots. The digests are
 * those of abi/formats/sha256.h. */
#ifndef BASALT_ABI_FORMATS_SHA256_LANES_H
#define BASALT_ABI_FORMATS_SHA256_LANES_H

#include "abi/formats/sha256.h"

struct sha256_message {
    const void *bytes; /* borrowed */
    size_t size_bytes;
};

/* Writes the digest of each of `count` messages. Cannot fail. */
void sha256_of_each(const struct sha256_message *messages, size_t count,
                    uint8_t (*digests)[SHA256_BYTES]);

#endif
