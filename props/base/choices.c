/* SPDX-License-Identifier: ISC */
/* Draws numbers from input bytes. Decides nothing; reads only the bytes it was given. */
#include "props/base/choices.h"

#include <string.h>

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

static uint64_t choices_width(struct choices *choices, unsigned width_bytes)
{
    size_t left = choices->size_bytes - choices->offset_bytes;
    size_t real = width_bytes < left ? width_bytes : left;
    uint64_t value = 0;
    for (size_t i = 0; i < real; i++) /* no bytes may be null */
        value |= (uint64_t)choices->bytes[choices->offset_bytes + i] << (8 * i);
    choices->offset_bytes += real;
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
    unsigned width_bytes = 1;
    while (width_bytes < 8 && (limit - 1) >> (8 * width_bytes) != 0)
        width_bytes *= 2;
    return choices_width(choices, width_bytes) % limit;
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
