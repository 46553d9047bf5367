/* SPDX-License-Identifier: ISC */
/* The kernel -> root handoff: what memory there is, and which modules the boot image holds.
 * rootd's entry code copies it into rootd's state before the unit runs.
 *
 *   0  magic u64 "BASALTHO"        24 image_bytes u64          80 untyped_count u32
 *   8  major u16 = 1, minor u16=0  32 image_digest 32 bytes    84 module_count u32
 *   12 total_bytes u32             64 page_count u64           88 untyped rows, 16 bytes each:
 *   16 root_endpoint_slot u32      72 free_pages u64              slot u32, reserved u32, pages u64
 *   20 image_slot u32                                          then module rows, 48 bytes each:
 *      name[24], kind u32, reserved u32, offset u64, size_bytes u64
 *
 * All numbers little-endian; there is no other version and no negotiation. */
#ifndef BASALT_ABI_FORMATS_HANDOFF_H
#define BASALT_ABI_FORMATS_HANDOFF_H

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/formats/sha256.h"
#include "abi/status.h"

/* Where the kernel maps it, read-only, in rootd's address space: one page. */
#define HANDOFF_VA UINT64_C(0x00007FFFFFFE0000)

#define HANDOFF_MAGIC UINT64_C(0x4F48544C41534142) /* "BASALTHO" */

enum {
    HANDOFF_MAJOR = 1,
    HANDOFF_MINOR = 0,
    HANDOFF_HEADER_BYTES = 88,
    HANDOFF_UNTYPED_BYTES = 16,
    HANDOFF_MODULE_BYTES = 48,
    HANDOFF_BYTES_MAX = HANDOFF_HEADER_BYTES + HANDOFF_UNTYPED_LIMIT * HANDOFF_UNTYPED_BYTES +
                        BOOT_MODULE_LIMIT * HANDOFF_MODULE_BYTES
};

_Static_assert((int)HANDOFF_BYTES_MAX <= (int)PAGE_BYTES, "one page at HANDOFF_VA");

struct handoff_untyped {
    uint32_t slot;  /* in [SLOT_UNTYPED_BASE, SLOT_UNTYPED_BASE + SLOT_UNTYPED_COUNT) */
    uint64_t pages; /* free pages of the object, never 0 */
};

struct handoff_module {
    char name[BOOT_MODULE_NAME_BYTES]; /* abi/formats/boot_name.h */
    uint32_t kind;                     /* enum boot_section_kind */
    uint64_t offset_bytes;             /* in the image; page aligned */
    uint64_t size_bytes;               /* never 0 */
};

struct handoff {
    uint32_t root_endpoint_slot;
    uint32_t image_slot;
    uint64_t image_bytes;               /* whole pages, never 0 */
    uint8_t image_digest[SHA256_BYTES]; /* the boot image's table digest, which covers it all */
    uint64_t page_count;                /* pages of memory the machine has */
    uint64_t free_pages;                /* of them, in the untyped objects and nowhere else */
    uint32_t untyped_count;
    uint32_t module_count;
    struct handoff_untyped untyped[HANDOFF_UNTYPED_LIMIT]; /* ascending slots */
    struct handoff_module modules[BOOT_MODULE_LIMIT];      /* ascending offsets */
};

/* Whether the struct keeps every rule of the format:
 * EXHAUSTED         more rows than the limits
 * INVALID_ARGUMENT  a slot that is 0, SLOT_LEGACY or used twice; no image; an untyped row without
 *                   pages; a module without bytes or of an unknown kind; free_pages is not the sum
 *                   of the untyped rows
 * OUT_OF_RANGE      a slot at or past SLOT_LIMIT or, for untyped, outside its window; more free
 *                   pages than pages; a module that leaves the image
 * NOT_ALIGNED       image_bytes or a module's offset is not a multiple of PAGE_BYTES
 * DUPLICATE, BAD_ORDER  untyped slots, module offsets or module names
 * OVERLAP           two modules share a page
 * BAD_TEXT, RESERVED_NOT_ZERO  a module name (abi/formats/boot_name.h) */
enum status handoff_validate(const struct handoff *handoff);

/* Reads exactly `size` bytes. On OK *out is the whole handoff; on any error *out is all zero.
 * TRUNCATED, BAD_MAGIC, BAD_VERSION, BAD_LENGTH, RESERVED_NOT_ZERO and handoff_validate's. */
enum status handoff_parse(const void *bytes, size_t size_bytes, struct handoff *out);

/* Writes the encoded form; *written says how many bytes. Errors: handoff_validate's; EXHAUSTED
 * (buffer too small). On an error nothing is written and *written is 0. */
enum status handoff_encode(const struct handoff *handoff, void *bytes, size_t size_bytes,
                           size_t *written);

/* Index of the module of that name (zero-terminated text), or -1. */
int handoff_find(const struct handoff *handoff, const char *name);

#endif
