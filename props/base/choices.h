/* SPDX-License-Identifier: ISC */
/* Input bytes as choices: the program that runs a property (a fuzzer, the random runner, a replay,
 * a minimiser) gives bytes, and the property draws its decisions from them. Past the end every
 * choice is 0, so that any prefix of an input is an input. Nothing here fails. */
#ifndef BASALT_PROPS_BASE_CHOICES_H
#define BASALT_PROPS_BASE_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choices {
    const uint8_t *bytes;
    size_t size_bytes;
    size_t offset_bytes; /* never above size_bytes */
};

/* Choices over [bytes, bytes + size). bytes may be null when size is 0. */
struct choices choices_over(const void *bytes, size_t size_bytes);

/* The next `count` bytes of `from` as choices of their own (fewer at the end); `from` steps over
 * them. Confining a step's choices this way keeps a mutation of one step out of the next. */
struct choices choices_slice(struct choices *from, size_t count_bytes);

size_t choices_left(const struct choices *choices);
bool choices_empty(const struct choices *choices);

/* Little-endian numbers. */
uint8_t choices_u8(struct choices *choices);
uint16_t choices_u16(struct choices *choices);
uint32_t choices_u32(struct choices *choices);
uint64_t choices_u64(struct choices *choices);

/* A number in [0, limit); 0 when limit is 0 or 1. Draws no byte for limit 0 or 1, otherwise the
 * fewest bytes (1, 2, 4, 8) that can name every result. */
uint64_t choices_below(struct choices *choices, uint64_t limit);

/* A number in [first, last]; first <= last. */
uint64_t choices_between(struct choices *choices, uint64_t first, uint64_t last);

/* True in one of two first bytes; false past the end. */
bool choices_flag(struct choices *choices);

/* Says that the bytes drawn since `from_bytes` (an earlier offset_bytes) came to mean `exact`, and
 * that they should be it: told to the listener of choices_listen(), which may rewrite the input.
 * Bytes past the end are not the input's and are not told. */
void choices_settle(const struct choices *choices, size_t from_bytes, uint64_t exact);
void choices_listen(void (*listener)(const uint8_t *at, size_t width_bytes, uint64_t exact));

/* Fills the target with the next bytes, zeros past the end; how many were real. */
size_t choices_bytes(struct choices *choices, void *target, size_t count_bytes);

#endif
