/* SPDX-License-Identifier: ISC */
/* The static load plan of an ELF64 file: which pages go where with which rights. Reads a borrowed
 * view of the file's first bytes only; no "best effort": what is not understood is refused.
 *
 * Accepted: ELFCLASS64, little-endian, x86-64, ET_EXEC, program headers right after the ELF
 * header and inside the view; PT_LOAD segments with page-aligned addresses and offsets, ascending
 * in memory and in the file, no two on one page of either. PT_NULL, PT_NOTE, PT_PHDR and a
 * non-executable PT_GNU_STACK carry nothing to load and are passed over. The final segment is
 * writable and ends with the stack. */
#ifndef BASALT_ABI_FORMATS_ELF_PLAN_H
#define BASALT_ABI_FORMATS_ELF_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/status.h"

enum {
    ELF_HEADER_BYTES = 64,
    ELF_PROGRAM_HEADER_BYTES = 56,
    ELF_PROGRAM_HEADER_LIMIT = 13 /* as many as a FRAME_READ shows after the ELF header */
};

_Static_assert(ELF_HEADER_BYTES + ELF_PROGRAM_HEADER_LIMIT * ELF_PROGRAM_HEADER_BYTES <=
                   FRAME_TRANSFER_BYTES_MAX,
               "one FRAME_READ shows every header");

/* Pages [va, va + pages * PAGE_BYTES). The first file_bytes of them are the file's bytes from
 * file_offset (page aligned) on, the rest is zero. file_bytes == memory_bytes when the segment is
 * not writable, so that its pages can be the file's own: then what follows the segment on its last
 * page must be zero in the file as well, which the boot image builder guarantees (it packs ELF
 * files with every byte outside headers and segments cleared, and a section's padding is zero). */
struct elf_segment {
    uint64_t va;
    uint64_t pages;        /* never 0 */
    uint64_t file_offset;  /* 0 when file_bytes is 0 */
    uint64_t file_bytes;   /* 0 to memory_bytes */
    uint64_t memory_bytes; /* never 0 */
    uint16_t rights;       /* RIGHT_READ, and RIGHT_WRITE or RIGHT_EXECUTE or neither (V2) */
};

struct elf_plan {
    uint64_t entry;     /* inside the bytes of an executable segment */
    uint64_t va_first;  /* of the first segment */
    uint64_t stack_top; /* end of the final segment's last page (published: vaddr_end) */
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENT_LIMIT];
};

/* Plans the file of `file_bytes` bytes whose first `view_bytes` bytes are at `view`. On OK *out is
 * the whole plan; on any error *out is all zero.
 * TRUNCATED         the file or view is shorter than the ELF header, or the file than its headers
 * BAD_MAGIC         not an ELF file
 * BAD_VERSION       EI_VERSION or e_version is not 1
 * UNSUPPORTED       another class, byte order, ABI, machine or type; flags; a program header type
 *                   that asks for more than loading (PT_INTERP, PT_DYNAMIC, PT_TLS, any other)
 * BAD_LENGTH        e_ehsize or e_phentsize differs; the view is longer than the file
 * RESERVED_NOT_ZERO padding of e_ident
 * OUT_OF_RANGE      program headers that do not follow the ELF header or leave the view; a segment
 *                   past the file's end, outside user addresses, or wrapping
 * INVALID_ARGUMENT  no program header or no PT_LOAD; unknown flags or no read flag; empty segment;
 *                   more file than memory; read-only segment with memory beyond its file bytes;
 *                   entry outside executable bytes; final segment not writable
 * NOT_ALIGNED       p_align is not PAGE_BYTES; address or offset not page aligned
 * WRITE_AND_EXECUTE a segment or the stack asks for both (V2)
 * BAD_ORDER, OVERLAP  segments
 * EXHAUSTED         more than ELF_SEGMENT_LIMIT segments or ELF_PROGRAM_HEADER_LIMIT headers */
enum status elf_plan_parse(const void *view, size_t view_bytes, uint64_t file_bytes,
                           struct elf_plan *out);

/* Pages of all segments together. */
uint64_t elf_plan_pages(const struct elf_plan *plan);

#endif
