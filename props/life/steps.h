/* SPDX-License-Identifier: ISC */
/* Mutation of life inputs by step. An input of steps is a row of frames: tag u8, words u8, then
 * words * 4 bytes of payload (props/life/life.h gives them their meaning). */
#ifndef BASALT_PROPS_LIFE_STEPS_H
#define BASALT_PROPS_LIFE_STEPS_H

#include <stddef.h>
#include <stdint.h>

enum { STEP_HEADER_BYTES = 2, STEP_WORD_BYTES = 4 };

/* How an engine changes bytes in place: returns the new size, at most `limit`. */
typedef size_t (*byte_mutator)(uint8_t *bytes, size_t size_bytes, size_t limit_bytes,
                               void *context);

/* Changes one input in place: drops, repeats, swaps or inserts a step, or hands one step's payload,
 * or the whole input, to `mutate`. An input above the limit is cut first. Returns the new size, at
 * most `limit_bytes`. Same seed, same result. */
size_t steps_mutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, uint64_t seed,
                    byte_mutator mutate, void *context);

/* Bytes of the frame that starts at `offset`; never more than what is left. */
size_t step_bytes(const uint8_t *bytes, size_t size_bytes, size_t offset_bytes);

#endif
