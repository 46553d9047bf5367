/* SPDX-License-Identifier: ISC */
/* Names of boot modules (sections of the boot image): 1 to 23 bytes of [a-z0-9-], then zeros up to
 * BOOT_MODULE_NAME_BYTES. Boot image, handoff and boot config share this one rule. */
#ifndef BASALT_ABI_FORMATS_BOOT_NAME_H
#define BASALT_ABI_FORMATS_BOOT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/status.h"

/* OK; BAD_TEXT: empty, no zero at the end, or a byte outside the alphabet; RESERVED_NOT_ZERO:
 * bytes after the first zero. */
enum status boot_name_check(const char name[BOOT_MODULE_NAME_BYTES]);

/* The same rule for a field of `size` bytes. */
enum status boot_text_check(const char *text, size_t size_bytes);

_Static_assert(BOOT_MODULE_NAME_BYTES % sizeof(uint64_t) == 0, "names are compared by word");

/* True when the two names are the same bytes; both must have passed boot_name_check. */
static inline bool boot_name_equal(const char a[BOOT_MODULE_NAME_BYTES],
                                   const char b[BOOT_MODULE_NAME_BYTES])
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < BOOT_MODULE_NAME_BYTES; i += sizeof(uint64_t)) {
        uint64_t left;
        uint64_t right;
        __builtin_memcpy(&left, a + i, sizeof left);
        __builtin_memcpy(&right, b + i, sizeof right);
        seen |= left ^ right;
    }
    return seen == 0;
}

/* The names of a table that were met so far, by a number of 0 to 255 that is made of each. */
struct boot_names_met {
    uint64_t numbers[4];
};

/* Meets a name that passed boot_name_check. False: it is none of those that were met before, and
 * need not be compared with each of them. */
static inline bool boot_name_may_repeat(struct boot_names_met *met,
                                        const char name[BOOT_MODULE_NAME_BYTES])
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < BOOT_MODULE_NAME_BYTES; i += sizeof(uint64_t)) {
        uint64_t word;
        __builtin_memcpy(&word, name + i, sizeof word);
        sum = sum * 5 + word;
    }
    uint64_t mixed = sum * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t bit = UINT64_C(1) << (mixed >> 58);
    uint64_t *numbers = &met->numbers[mixed >> 56 & 3];
    bool may_repeat = (*numbers & bit) != 0;
    *numbers |= bit;
    return may_repeat;
}

/* Writes a zero-padded name from a zero-terminated text. BAD_TEXT: it is no valid name; `name` is
 * then all zero. */
enum status boot_name_set(char name[BOOT_MODULE_NAME_BYTES], const char *text);

/* Compares a zero-padded name with a zero-terminated text of any length. */
bool boot_name_is(const char name[BOOT_MODULE_NAME_BYTES], const char *text);

#endif
