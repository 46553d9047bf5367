/* SPDX-License-Identifier: ISC */
/* FNV-1a over numbers and byte strings. Decides nothing. */
#include "props/base/digest.h"

#include <string.h>

#define FNV_OFFSET UINT64_C(0xCBF29CE484222325)
#define FNV_PRIME  UINT64_C(0x100000001B3)

static struct digest running = {FNV_OFFSET};

UNWATCHED static uint64_t fold(uint64_t value, uint8_t byte)
{
    return (value ^ byte) * FNV_PRIME;
}

/* Eight bytes, the lowest first. Zeros are most of what is digested, and a run of them is one
 * multiplication. */
UNWATCHED static uint64_t fold_word(uint64_t value, uint64_t word)
{
    static const uint64_t powers[] = {
        1,
        FNV_PRIME,
        FNV_PRIME * FNV_PRIME,
        FNV_PRIME * FNV_PRIME * FNV_PRIME,
        FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME,
        FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME,
        FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME,
        FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME,
        FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME * FNV_PRIME *
            FNV_PRIME,
    };
    unsigned zeros = 8;
    for (; word != 0; word >>= 8, zeros--)
        value = fold(value, (uint8_t)word);
    return value * powers[zeros];
}

struct digest digest_start(void)
{
    return (struct digest){FNV_OFFSET};
}

UNWATCHED void digest_add_u64(struct digest *digest, uint64_t value)
{
    digest->value = fold_word(digest->value, value);
}

UNWATCHED void digest_add_bytes(struct digest *digest, const void *bytes, size_t count_bytes)
{
    const uint8_t *at = bytes;
    digest_add_u64(digest, count_bytes);
    for (; count_bytes >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        digest->value = fold_word(digest->value, word);
        count_bytes -= sizeof word;
    }
    for (size_t i = 0; i < count_bytes; i++)
        digest->value = fold(digest->value, at[i]);
}

void digest_fold(void *context, uint64_t value)
{
    uint64_t *sum = context;
    uint64_t mixed = (*sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    *sum = mixed ^ mixed >> 29;
}

void digest_reset(void)
{
    running = digest_start();
}

void digest_u64(uint64_t value)
{
    digest_add_u64(&running, value);
}

void digest_bytes(const void *bytes, size_t count_bytes)
{
    digest_add_bytes(&running, bytes, count_bytes);
}

uint64_t digest_value(void)
{
    return running.value;
}
