/* SPDX-License-Identifier: ISC */
/* Draws numbers from input bytes. Decides nothing; reads only the bytes it was given. */
#include "props/base/choices.h"

#include <string.h>

#include "abi/formats/cursor.h"

static void (*settled)(const uint8_t *at, size_t width_bytes, uint64_t exact);

struct choices choices_over(const void *bytes, size_t size_bytes)
{
    return (struct choices){.bytes = bytes, .size_bytes = size_bytes};
}

struct choices choices_slice(struct choices *from, size_t count_bytes)
{
    size_t left = choices_left(from);
    size_t taken = count_bytes < left ? count_bytes : left;
    struct choices slice = choices_over(from->bytes + from->offset_bytes, taken);
    from->offset_bytes += taken;
    return slice;
}

size_t choices_left(const struct choices *choices)
{
    return choices->size_bytes - choices->offset_bytes;
}

bool choices_empty(const struct choices *choices)
{
    return choices_left(choices) == 0;
}

size_t choices_bytes(struct choices *choices, void *target, size_t count_bytes)
{
    size_t left = choices_left(choices);
    size_t real = count_bytes < left ? count_bytes : left;
    if (real != 0)
        memcpy(target, choices->bytes + choices->offset_bytes, real);
    if (count_bytes != real)
        memset((uint8_t *)target + real, 0, count_bytes - real);
    choices->offset_bytes += real;
    return real;
}

static inline uint64_t choices_width(struct choices *choices, unsigned width_bytes)
{
    size_t left = choices->size_bytes - choices->offset_bytes;
    uint64_t value = 0;
    if (width_bytes <= left) {
        value = load_width(choices->bytes + choices->offset_bytes, width_bytes);
        choices->offset_bytes += width_bytes;
        return value;
    }
    for (size_t i = 0; i < left; i++) /* no bytes may be null */
        value |= (uint64_t)choices->bytes[choices->offset_bytes + i] << (8 * i);
    choices->offset_bytes += left;
    return value;
}

uint8_t choices_u8(struct choices *choices)
{
    return (uint8_t)choices_width(choices, 1);
}

uint16_t choices_u16(struct choices *choices)
{
    return (uint16_t)choices_width(choices, 2);
}

uint32_t choices_u32(struct choices *choices)
{
    return (uint32_t)choices_width(choices, 4);
}

uint64_t choices_u64(struct choices *choices)
{
    return choices_width(choices, 8);
}

uint64_t choices_below(struct choices *choices, uint64_t limit)
{
    if (limit <= 1)
        return 0;
    if (limit <= 1u + UINT8_MAX)
        return choices_u8(choices) % (uint32_t)limit;
    if (limit <= 1u + UINT16_MAX)
        return choices_u16(choices) % (uint32_t)limit;
    if (limit <= UINT64_C(1) + UINT32_MAX)
        return choices_u32(choices) % limit;
    return choices_u64(choices) % limit;
}

uint64_t choices_between(struct choices *choices, uint64_t first, uint64_t last)
{
    if (first == 0 && last == UINT64_MAX)
        return choices_u64(choices);
    return first + choices_below(choices, last - first + 1);
}

bool choices_flag(struct choices *choices)
{
    return (choices_u8(choices) & 1) != 0;
}

void choices_listen(void (*listener)(const uint8_t *at, size_t width_bytes, uint64_t exact))
{
    settled = listener;
}

void choices_settle(const struct choices *choices, size_t from_bytes, uint64_t exact)
{
    if (settled != NULL && from_bytes != choices->offset_bytes)
        settled(choices->bytes + from_bytes, choices->offset_bytes - from_bytes, exact);
}
