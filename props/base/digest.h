/* SPDX-License-Identifier: ISC */
/* Digest of what an input did: replies and final state, in order. Two runs of one input must agree
 * whatever the build, the order of inputs and the process's history (E3). FNV-1a, 64 bits: a
 * difference detector, not a signature. Digest fields, never structs with padding, never
 * pointers. */
#ifndef BASALT_PROPS_BASE_DIGEST_H
#define BASALT_PROPS_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Engines do not watch such a function: how often a loop over digested bytes turns, or who comes first
 * in a process, is no news for which an input should be kept. */
#define UNWATCHED __attribute__((no_sanitize("coverage")))

struct digest {
    uint64_t value;
};

/* A digest of nothing yet. */
struct digest digest_start(void);
void digest_add_u64(struct digest *digest, uint64_t value);
/* The length goes in too, so that neighbouring byte strings cannot run together. */
void digest_add_bytes(struct digest *digest, const void *bytes, size_t count_bytes);

/* A state's fields, one after the other: cheaper than a digest. `context` is the sum, a uint64_t,
 * so that it can be the visitor of a <service>_visit_fields. */
void digest_fold(void *context, uint64_t value);

/* The digest of the input that is running; harness_begin() starts it. */
void digest_reset(void);
void digest_u64(uint64_t value);
void digest_bytes(const void *bytes, size_t count_bytes);
uint64_t digest_value(void);

#endif
