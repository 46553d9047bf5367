/* SPDX-License-Identifier: ISC */
/* Where things lie in a helper's image, and what is there. linker/helper.ld places them, the image
 * holds them (services/runtime/probe_sections.c), the helpers test them by these addresses alone:
 * in the host world a helper's own variables lie elsewhere.
 *
 *   HELPER_TEXT_VA     code; the entry point is its first byte
 *   HELPER_RODATA_VA   read-only words, then the helper's constants
 *   HELPER_DATA_VA     the helper's variables
 *     + 0x1000         PROBE_DATA_WORDS words; the file ends with them, in the middle of a page
 *     + 0x2800         PROBE_BSS_BYTES zero bytes: the rest of that page and a whole one
 *     + 0x4000         the helper's zero variables
 *   HELPER_STACK_VA    the stack reserve
 *   HELPER_STACK_TOP   end of the last segment */
#ifndef BASALT_SERVICES_PROBES_LAYOUT_H
#define BASALT_SERVICES_PROBES_LAYOUT_H

#include <stdint.h>

#include "abi/limits.h"

#define HELPER_TEXT_VA   UINT64_C(0x400000)
#define HELPER_RODATA_VA UINT64_C(0x500000)
#define HELPER_DATA_VA   UINT64_C(0x600000)
#define HELPER_STACK_VA  UINT64_C(0x610000)
#define HELPER_STACK_TOP (HELPER_STACK_VA + STACK_RESERVE_BYTES)

#define PROBE_DATA_VA   (HELPER_DATA_VA + 0x1000)
#define PROBE_BSS_VA    (HELPER_DATA_VA + 0x2800)
#define PROBE_BSS_BYTES UINT64_C(0x1800)

enum {
    PROBE_DATA_WORDS = 768,  /* a page and a half */
    PROBE_RODATA_WORDS = 640 /* a page and a quarter */
};

/* Word i of each; other modules of the image hold nothing like it. */
#define PROBE_DATA_WORD(i)   (UINT64_C(0xDA7A000000000000) + (uint64_t)(i))
#define PROBE_RODATA_WORD(i) (UINT64_C(0x20DA7A0000000000) + (uint64_t)(i))

/* phase0-stock is linked without a script: where ld.lld puts a program by itself, its headers
 * first, and somewhere in its data these words. */
#define STOCK_IMAGE_VA UINT64_C(0x200000)
#define STOCK_MAGIC    UINT32_C(0x464C457F) /* 7F 'E' 'L' 'F' */

enum { STOCK_WORDS = 700 };

#define STOCK_WORD(i) (UINT64_C(0x570C000000000000) + (uint64_t)(i))

_Static_assert(PROBE_DATA_VA + PROBE_DATA_WORDS * 8 == PROBE_BSS_VA, "bss follows data");

#endif
