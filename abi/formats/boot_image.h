/* SPDX-License-Identifier: ISC */
/* Boot image v1: header, section table, sections with SHA-256 digests. "Parse ok" means
 * structurally sound and verified; which sections must be there is the caller's policy.
 *
 *   header, 64 bytes                   section row, 80 bytes (at header_bytes + 80 * i)
 *   0  magic u64 "BASALTBI"            0  name[24]
 *   8  major u16 = 1, minor u16 = 0    24 kind u32
 *   12 header_bytes u32 = 64           28 reserved u32 = 0
 *   16 total_bytes u64                 32 offset u64
 *   24 section_count u32               40 size_bytes u64
 *   28 reserved u32 = 0                48 sha256[32], of the section's bytes
 *   32 table digest: SHA-256 of all section rows
 *
 * There is one layout for one list of sections: each section starts at the first page boundary
 * after what precedes it, the file ends at the first one after the last section, and everything
 * between is zero. So an IMAGE page never shows bytes of two sections, and what follows a
 * section's end on its last page reads as zero (G4). All numbers little-endian. */
#ifndef BASALT_ABI_FORMATS_BOOT_IMAGE_H
#define BASALT_ABI_FORMATS_BOOT_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/formats/sha256.h"
#include "abi/status.h"

#define BOOT_IMAGE_MAGIC UINT64_C(0x4942544C41534142) /* "BASALTBI" */

enum {
    BOOT_IMAGE_MAJOR = 1,
    BOOT_IMAGE_MINOR = 0,
    BOOT_IMAGE_HEADER_BYTES = 64,
    BOOT_IMAGE_SECTION_BYTES = 80,
    BOOT_IMAGE_TABLE_BYTES_MAX = BOOT_MODULE_LIMIT * BOOT_IMAGE_SECTION_BYTES
};

enum boot_section_kind {
    BOOT_SECTION_EXECUTABLE = 1,  /* an ELF file that abi/formats/elf_plan.h accepts */
    BOOT_SECTION_BOOT_CONFIG = 2, /* abi/formats/boot_config.h */
    BOOT_SECTION_DATA = 3         /* any bytes: archives, test data */
};

struct boot_section {
    char name[BOOT_MODULE_NAME_BYTES]; /* abi/formats/boot_name.h */
    uint32_t kind;                     /* enum boot_section_kind */
    uint64_t offset_bytes;             /* page aligned */
    uint64_t size_bytes;               /* never 0 */
    uint8_t sha256[SHA256_BYTES];
};

struct boot_image {
    uint64_t total_bytes; /* whole pages */
    uint32_t section_count;
    uint8_t table_sha256[SHA256_BYTES];
    struct boot_section sections[BOOT_MODULE_LIMIT];
};

/* One section to be written: `bytes` are borrowed. */
struct boot_section_input {
    const char *name; /* zero-terminated */
    uint32_t kind;
    const void *bytes;
    size_t size_bytes;
};

/* True for a number of enum boot_section_kind. */
int boot_section_kind_known(uint32_t kind);

/* Reads header and table and checks the structure; computes the table's digest, not the sections'.
 * On OK *out is the whole table; on any error *out is all zero.
 * TRUNCATED         shorter than the header, its table, or total_bytes
 * BAD_MAGIC, BAD_VERSION
 * BAD_LENGTH        header_bytes is not 64; total_bytes is not the size or not the layout's end
 * EXHAUSTED         more than BOOT_MODULE_LIMIT sections
 * INVALID_ARGUMENT  no sections; an empty section; unknown kind; a hole of a page or more
 * BAD_DIGEST        of the table
 * RESERVED_NOT_ZERO reserved fields, padding, or bytes after a name's end
 * BAD_TEXT, DUPLICATE  names
 * NOT_ALIGNED, BAD_ORDER, OVERLAP, OUT_OF_RANGE  section ranges */
enum status boot_image_parse(const void *bytes, size_t size_bytes, struct boot_image *out);

/* Computes every section's digest over the same bytes: OK or BAD_DIGEST. `size` must be the one
 * that boot_image_parse accepted (BAD_LENGTH otherwise). Uses vector registers, which the caller
 * must be allowed to: abi/formats/sha256_lanes.h. */
enum status boot_image_verify(const struct boot_image *image, const void *bytes, size_t size_bytes);

/* Both; on any error *out is all zero. */
enum status boot_image_open(const void *bytes, size_t size_bytes, struct boot_image *out);

/* Index of the section of that name (zero-terminated text), or -1. */
int boot_image_find(const struct boot_image *image, const char *name);

/* Size of the image that boot_image_encode would write, whole pages; 0: it would refuse, or the
 * size does not fit. */
size_t boot_image_encoded_bytes(const struct boot_section_input *sections, size_t count);

/* Writes the image of `count` sections in their order; *written says how many bytes.
 * INVALID_ARGUMENT (no sections, empty section, unknown kind), EXHAUSTED (more than
 * BOOT_MODULE_LIMIT, or the buffer is too small), BAD_TEXT, DUPLICATE (names), OUT_OF_RANGE (sizes
 * wrap). On an error nothing is written and *written is 0. */
enum status boot_image_encode(const struct boot_section_input *sections, size_t count, void *bytes,
                              size_t size_bytes, size_t *written);

#endif
