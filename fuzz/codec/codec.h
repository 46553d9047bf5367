/* SPDX-License-Identifier: ISC */
/* What the codec harnesses share: exact-size copies (so that a read past the end is seen), edits
 * drawn from choices, and plain little-endian loads for the models, which read the documented
 * offsets themselves and share nothing with the units' cursors. */
#ifndef BASALT_FUZZ_CODEC_CODEC_H
#define BASALT_FUZZ_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "abi/profile.h"
#include "abi/status.h"
#include "fuzz/harness.h"
#include "props/tools/show_formats.h"

/* How an input is read, by its first byte. */
enum codec_mode {
    CODEC_RAW,    /* the rest of the input is the bytes */
    CODEC_BUILT,  /* a sound structure built from choices: must be accepted */
    CODEC_EDITED, /* a built one with one to four edits */
    CODEC_MODE_COUNT
};

static inline enum codec_mode codec_mode(struct choices *choices)
{
    return (enum codec_mode)choices_below(choices, CODEC_MODE_COUNT);
}

/* A copy in its own allocation of exactly this size. Never null; the caller frees it. */
static inline uint8_t *codec_copy(const void *bytes, size_t size_bytes)
{
    uint8_t *copy = malloc(size_bytes != 0 ? size_bytes : 1);
    if (copy == NULL)
        abort();
    if (size_bytes != 0)
        memcpy(copy, bytes, size_bytes);
    return copy;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "formats are little-endian, and so is the host");

static inline uint64_t codec_load(const uint8_t *bytes, unsigned width_bytes)
{
    uint64_t value = 0;
    memcpy(&value, bytes, width_bytes); /* the host's order is that of the formats */
    return value;
}

static inline uint16_t codec_u16(const uint8_t *bytes)
{
    return (uint16_t)codec_load(bytes, 2);
}

static inline uint32_t codec_u32(const uint8_t *bytes)
{
    return (uint32_t)codec_load(bytes, 4);
}

static inline uint64_t codec_u64(const uint8_t *bytes)
{
    return codec_load(bytes, 8);
}

static inline void codec_store(uint8_t *bytes, uint64_t value, unsigned width_bytes)
{
    memcpy(bytes, &value, width_bytes);
}

static inline bool codec_zero(const uint8_t *bytes, size_t size_bytes)
{
    /* All are as the first one: each is compared with the one before. */
    return size_bytes == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size_bytes - 1) == 0);
}

/* Whether a check that costs as much as all others is made this time: under engines in one of `of`
 * inputs, by what the input did up to here; in replays always. */
static inline bool codec_turn(uint64_t of)
{
    uint64_t digest = digest_value();
    return !oracle_deferred() || (digest ^ digest >> 29) % of == 0;
}

/* The models' rule for names: letters, digits and dashes, then at least one zero, then zeros. */
static inline bool codec_name_ok(const uint8_t *name, size_t size_bytes)
{
    static const bool allowed[256] = {
        ['-'] = true,
        ['0' ... '9'] = true, /* ranges: a GNU extension, host code only */
        ['a' ... 'z'] = true,
    };
    size_t letters = 0;
    while (letters < size_bytes && allowed[name[letters]])
        letters++;
    return letters > 0 && letters < size_bytes && codec_zero(name + letters, size_bytes - letters);
}

/* Whether two of at most 64 keys are the same, which begin `stride` bytes apart, `width` bytes each, a
 * multiple of four. A sum of each tells most of them apart, so that all pairs can be asked for. */
static inline bool codec_repeats(const uint8_t *keys, uint32_t count, size_t stride_bytes,
                                 size_t width_bytes)
{
    uint32_t sums[64];
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *key = keys + stride_bytes * i;
        bool same_sum = false;
        sums[i] = 0;
        for (size_t at = 0; at < width_bytes; at += 4)
            sums[i] = sums[i] * 31 + codec_u32(key + at);
        for (uint32_t j = 0; j < i; j++)
            same_sum |= sums[j] == sums[i];
        for (uint32_t j = 0; j < i && same_sum; j++) {
            if (memcmp(keys + stride_bytes * j, key, width_bytes) == 0)
                return true;
        }
    }
    return false;
}

/* A valid name: a letter, up to five drawn ones, and the index in two letters, so that names of
 * different indices differ. */
static inline void codec_draw_name(struct choices *choices, char *name, size_t size_bytes,
                                   unsigned index)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    memset(name, 0, size_bytes);
    size_t length = (size_t)choices_below(choices, 6);
    uint8_t letters[6];
    choices_bytes(choices, letters, length); /* as many draws of one byte */
    for (size_t i = 0; i < length; i++)
        name[i] = alphabet[letters[i] % (sizeof alphabet - 1)];
    name[length] = (char)('a' + index / 26);
    name[length + 1] = (char)('a' + index % 26);
}

/* A count in [first, last]: mostly a small one, sometimes the last, sometimes any. */
static inline uint32_t codec_draw_count(struct choices *choices, uint32_t first, uint32_t last)
{
    uint8_t how = choices_u8(choices);
    if (how >= 248)
        return last;
    uint32_t small = last < first + 6 ? last : first + 6;
    return (uint32_t)choices_between(choices, first, how >= 240 ? last : small);
}

/* A validation profile that is none of the table's; or 0, mostly, and past the end of an input. */
static inline uint32_t codec_draw_wrong_profile(struct choices *choices)
{
    enum { FIRST = 0xF0 };
    uint32_t how = choices_u8(choices);
    if (how < FIRST)
        return 0;
    return how == UINT8_MAX ? UINT32_MAX : VALIDATION_PROFILE_LAST + 1u + (how - FIRST);
}

/* What became of a structure that was built with the profile. */
static inline void codec_mark_profile(const char *format, uint32_t profile, enum status status)
{
    bool is_near = profile <= VALIDATION_PROFILE_LAST + 1u;
    mark_triple(format, is_near ? profile : UINT8_MAX, 0, (unsigned)status);
}

/* Values that lie at the edges of fields. */
static inline uint64_t codec_draw_edge(struct choices *choices)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     3,
                                     4,
                                     5,
                                     16,
                                     17,
                                     31,
                                     48,
                                     49,
                                     64,
                                     65,
                                     0xFFF,
                                     0x1000,
                                     0x1001,
                                     0x2000,
                                     0x3FFFFF,
                                     0x400000,
                                     0x927C0,
                                     0x927C1,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFF,
                                     UINT64_MAX,
                                     UINT64_MAX - 4095,
                                     UINT64_C(1) << 63,
                                     USER_VA_END,
                                     USER_VA_END - PAGE_BYTES};
    return edges[choices_below(choices, sizeof edges / sizeof edges[0])];
}

/* One edit of [bytes, bytes + *size); it never grows past `limit`. */
static inline void codec_edit_once(struct choices *choices, uint8_t *bytes, size_t *size_bytes,
                                   size_t limit_bytes)
{
    size_t size = *size_bytes;
    uint64_t kind = choices_below(choices, 8);
    size_t at = (size_t)choices_below(choices, size != 0 ? size : 1);
    size_t field = at & ~(size_t)3;
    switch (kind) {
    case 0: /* one byte */
        if (size != 0)
            bytes[at] = choices_u8(choices);
        return;
    case 1: /* one bit */
        if (size != 0)
            bytes[at] ^= (uint8_t)(1u << choices_below(choices, 8));
        return;
    case 2: /* a 32-bit field to an edge */
        if (field + 4 <= size)
            codec_store(bytes + field, codec_draw_edge(choices), 4);
        return;
    case 3: /* a 64-bit field to an edge */
        if (field + 8 <= size)
            codec_store(bytes + field, codec_draw_edge(choices), 8);
        return;
    case 4: /* a 32-bit field one up or down */
        if (field + 4 <= size)
            codec_store(bytes + field,
                        codec_u32(bytes + field) + (choices_flag(choices) ? 1u : UINT32_MAX), 4);
        return;
    case 5: /* sixteen bytes over sixteen others */
        if (size >= 16 && at + 16 <= size) {
            size_t from = (size_t)choices_below(choices, size - 15);
            memmove(bytes + at, bytes + from, 16);
        }
        return;
    case 6: /* cut */
        *size_bytes = at;
        return;
    default: /* longer by a few bytes */
        for (uint64_t more = choices_between(choices, 1, 80); more > 0 && size < limit_bytes;
             more--)
            bytes[size++] = 0;
        *size_bytes = size;
    }
}

static inline void codec_edit(struct choices *choices, uint8_t *bytes, size_t *size_bytes,
                              size_t limit_bytes)
{
    for (uint64_t left = choices_between(choices, 1, 4); left > 0; left--)
        codec_edit_once(choices, bytes, size_bytes, limit_bytes);
}

/* What every codec harness reports of one input. */
static inline void codec_report(const char *format, enum codec_mode mode, const uint8_t *bytes,
                                size_t size_bytes, enum status status)
{
    mark_triple(format, (unsigned)mode, 0, (unsigned)status);
    digest_u64((uint64_t)status);
    digest_u64(size_bytes);
    TRACE("%s: %zu bytes: %s", format, size_bytes, status_name(status));
    if (trace_enabled())
        show_format(stdout, bytes, size_bytes);
}

/* The rest of an input as the bytes themselves. How many there are. */
static inline size_t codec_raw(struct choices *choices, uint8_t *bytes, size_t limit_bytes)
{
    size_t size_bytes = choices_left(choices) < limit_bytes ? choices_left(choices) : limit_bytes;
    choices_bytes(choices, bytes, size_bytes);
    return size_bytes;
}

#endif
