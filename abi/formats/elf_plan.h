/* SPDX-License-Identifier: ISC */
/* The static load plan of an ELF64 file: which pages go where with which rights. Reads a borrowed
 * view of the file's first bytes only; no "best effort": what is not understood is refused.
 *
 * Accepted is what the stock linkers make of a static program that is linked to fixed addresses:
 * ELFCLASS64, little-endian, x86-64, ET_EXEC, program headers right after the ELF header and inside
 * the view; PT_LOAD segments whose address and offset are equal modulo the page size, ascending in
 * memory, no two on one page of it. Where their bytes lie in the file is nobody's business: several
 * may lie on one page of it. Empty segments, PT_NULL, PT_NOTE, PT_PHDR, PT_GNU_PROPERTY,
 * PT_GNU_EH_FRAME and PT_GNU_RELRO carry nothing to load and are passed over (what is RELRO stays
 * writable: nothing says when the program is done with it).
 *
 * PT_GNU_STACK with an address names the final segment as the one that ends with the stack, as the
 * linker scripts of linker/ write it; stock linkers write none, and whoever loads such a program
 * gives it a stack of STACK_RESERVE_BYTES. */
#ifndef BASALT_ABI_FORMATS_ELF_PLAN_H
#define BASALT_ABI_FORMATS_ELF_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/status.h"

enum {
    ELF_HEADER_BYTES = 64,
    ELF_PROGRAM_HEADER_BYTES = 56,
    ELF_PROGRAM_HEADER_LIMIT = 16, /* ELF_SEGMENT_LIMIT segments, and each other kind once */
    ELF_VIEW_BYTES = ELF_HEADER_BYTES + ELF_PROGRAM_HEADER_LIMIT * ELF_PROGRAM_HEADER_BYTES
};

/* Pages [va, va + pages * PAGE_BYTES). The program's address of the segment is va + first_bytes:
 * from there on lie its file_bytes, which are the file's from file_offset on. All other bytes of
 * these pages are zero in the process, whatever the file has next to the segment (G4). */
struct elf_segment {
    uint64_t va;           /* page aligned */
    uint64_t pages;        /* never 0 */
    uint64_t file_offset;  /* equal to first_bytes modulo the page size; 0 when file_bytes is 0 */
    uint64_t file_bytes;   /* 0 to memory_bytes; memory_bytes when it is not writable */
    uint64_t memory_bytes; /* never 0 */
    uint32_t first_bytes;  /* in front of the segment on its first page: 0 to PAGE_BYTES - 1 */
    uint16_t rights;       /* RIGHT_READ, and RIGHT_WRITE or RIGHT_EXECUTE or neither (V2) */
};

struct elf_plan {
    uint64_t entry;     /* inside the bytes of an executable segment */
    uint64_t va_first;  /* of the first segment's first page */
    uint64_t va_end;    /* of the final segment's last page */
    uint64_t stack_top; /* va_end, when the final segment is the stack (published: vaddr_end); 0:
                           the loader gives one */
    uint32_t segment_count;
    struct elf_segment segments[ELF_SEGMENT_LIMIT];
};

/* What a page of a segment has of the file: `bytes` bytes from file_offset on, which lie `at` bytes
 * behind the page's first one. bytes is 0: nothing. */
struct elf_piece {
    uint64_t file_offset;
    uint32_t at;
    uint32_t bytes; /* at most PAGE_BYTES - at */
};

/* Plans the file of `file_bytes` bytes whose first `view_bytes` bytes are at `view`. On OK *out is
 * the whole plan; on any error *out is all zero.
 * TRUNCATED         the file or view is shorter than the ELF header, or the file than its headers
 * BAD_MAGIC         not an ELF file
 * BAD_VERSION       EI_VERSION or e_version is not 1
 * REQUIRE_DYNAMIC   ET_DYN, PT_INTERP, PT_DYNAMIC: it is for a dynamic linker to load
 * UNSUPPORTED       another class, byte order, ABI, machine or type; flags; a program header type
 *                   that asks for more than loading (PT_TLS, any other)
 * BAD_LENGTH        e_ehsize or e_phentsize differs; the view is longer than the file
 * RESERVED_NOT_ZERO padding of e_ident
 * OUT_OF_RANGE      program headers that do not follow the ELF header or leave the view; a segment
 *                   past the file's end, outside user addresses, or wrapping
 * INVALID_ARGUMENT  no program header or no PT_LOAD; unknown flags or no read flag; more file than
 *                   memory; read-only segment with memory beyond its file bytes; entry outside
 *                   executable bytes; PT_GNU_STACK with an address that is not the whole final
 *                   segment, or of one that is not writable
 * NOT_ALIGNED       p_align is no power of two; address and offset differ modulo it or modulo the
 *                   page size
 * WRITE_AND_EXECUTE a segment or the stack asks for both (V2)
 * OVER_LIMIT        PT_GNU_STACK asks for more than STACK_RESERVE_BYTES
 * BAD_ORDER         segments that do not ascend
 * OVERLAP           segments that share a byte or a page of memory
 * DUPLICATE         a second PT_GNU_STACK
 * EXHAUSTED         more than ELF_SEGMENT_LIMIT segments or ELF_PROGRAM_HEADER_LIMIT headers */
enum status elf_plan_parse(const void *view, size_t view_bytes, uint64_t file_bytes,
                           struct elf_plan *out);

/* How many bytes of a file a view must show, to judge by its first ones: those of the headers, and
 * no more than ELF_VIEW_BYTES. ELF_HEADER_BYTES of what is no ELF file. */
uint32_t elf_plan_view_bytes(const void *view, size_t view_bytes);

/* Pages of all segments together. */
uint64_t elf_plan_pages(const struct elf_plan *plan);

/* What page `page` of a segment, counted from 0, has of the file. */
struct elf_piece elf_segment_piece(const struct elf_segment *segment, uint64_t page);

/* Pages of a segment that are whole pages of the file, `*count` from page `*first` on: those that
 * may be mapped from it as they are when the segment is not writable. Of all others some byte is
 * not the segment's (G4). */
void elf_segment_whole(const struct elf_segment *segment, uint64_t *first, uint64_t *count);

#endif
