/* SPDX-License-Identifier: ISC */
/* The static load plan of an ELF64 file. Decides which pages a program needs with which rights;
 * never reads past the borrowed view and never loads anything. */
#include "abi/formats/elf_plan.h"

#include <stdbool.h>
#include <string.h>

#include "abi/capability.h"
#include "abi/assert.h"
#include "abi/formats/cursor.h"

enum {
    ELF_MAGIC = 0x464C457F, /* 7F 'E' 'L' 'F' */
    ELF_CLASS_64 = 2,
    ELF_DATA_LSB = 1,
    ELF_ABI_SYSV = 0,
    ELF_VERSION = 1,
    ELF_TYPE_EXEC = 2,
    ELF_MACHINE_X86_64 = 62,
    ELF_SEGMENT_NULL = 0,
    ELF_SEGMENT_LOAD = 1,
    ELF_SEGMENT_NOTE = 4,
    ELF_SEGMENT_PHDR = 6,
    ELF_SEGMENT_GNU_STACK = 0x6474E551,
    ELF_FLAG_EXECUTE = 1,
    ELF_FLAG_WRITE = 2,
    ELF_FLAG_READ = 4
};

struct elf_header {
    uint64_t program_offset;
    uint16_t program_count;
};

struct program_header {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t va;
    uint64_t file_bytes;
    uint64_t memory_bytes;
    uint64_t align;
};

static enum status read_ident(struct reader *reader)
{
    if (read_u32(reader) != ELF_MAGIC)
        return STATUS_BAD_MAGIC;
    if (read_u8(reader) != ELF_CLASS_64 || read_u8(reader) != ELF_DATA_LSB)
        return STATUS_UNSUPPORTED;
    if (read_u8(reader) != ELF_VERSION)
        return STATUS_BAD_VERSION;
    if (read_u8(reader) != ELF_ABI_SYSV || read_u8(reader) != 0)
        return STATUS_UNSUPPORTED;
    return read_zero(reader, 7) ? STATUS_OK : STATUS_RESERVED_NOT_ZERO;
}

/* Section headers are of no interest to a loader: their fields are read and ignored. */
static enum status read_header(struct reader *reader, struct elf_header *header, uint64_t *entry)
{
    if (read_u16(reader) != ELF_TYPE_EXEC || read_u16(reader) != ELF_MACHINE_X86_64)
        return STATUS_UNSUPPORTED;
    if (read_u32(reader) != ELF_VERSION)
        return STATUS_BAD_VERSION;
    *entry = read_u64(reader);
    header->program_offset = read_u64(reader);
    (void)read_u64(reader); /* e_shoff */
    if (read_u32(reader) != 0)
        return STATUS_UNSUPPORTED;
    if (read_u16(reader) != ELF_HEADER_BYTES || read_u16(reader) != ELF_PROGRAM_HEADER_BYTES)
        return STATUS_BAD_LENGTH;
    header->program_count = read_u16(reader);
    if (header->program_count == 0)
        return STATUS_INVALID_ARGUMENT;
    return header->program_count <= ELF_PROGRAM_HEADER_LIMIT ? STATUS_OK : STATUS_EXHAUSTED;
}

static struct program_header read_program_header(struct reader *reader)
{
    struct program_header header;
    header.type = read_u32(reader);
    header.flags = read_u32(reader);
    header.offset = read_u64(reader);
    header.va = read_u64(reader);
    (void)read_u64(reader); /* p_paddr has no meaning here */
    header.file_bytes = read_u64(reader);
    header.memory_bytes = read_u64(reader);
    header.align = read_u64(reader);
    return header;
}

static enum status segment_rights(uint32_t flags, uint16_t *rights)
{
    if ((flags & ~(uint32_t)(ELF_FLAG_READ | ELF_FLAG_WRITE | ELF_FLAG_EXECUTE)) != 0 ||
        (flags & ELF_FLAG_READ) == 0)
        return STATUS_INVALID_ARGUMENT;
    if ((flags & ELF_FLAG_WRITE) != 0 && (flags & ELF_FLAG_EXECUTE) != 0)
        return STATUS_WRITE_AND_EXECUTE; /* V2 */
    *rights = RIGHT_READ;
    if ((flags & ELF_FLAG_WRITE) != 0)
        *rights |= RIGHT_WRITE;
    if ((flags & ELF_FLAG_EXECUTE) != 0)
        *rights |= RIGHT_EXECUTE;
    return STATUS_OK;
}

/* One PT_LOAD alone: sizes, alignment, and where it lies. */
static enum status plan_segment(const struct program_header *header, uint64_t file_bytes,
                                struct elf_segment *segment)
{
    enum status status = segment_rights(header->flags, &segment->rights);
    if (status != STATUS_OK)
        return status;
    bool writable = (segment->rights & RIGHT_WRITE) != 0;
    if (header->memory_bytes == 0 || header->file_bytes > header->memory_bytes ||
        (!writable && header->file_bytes != header->memory_bytes))
        return STATUS_INVALID_ARGUMENT;
    if (header->align != PAGE_BYTES || header->va % PAGE_BYTES != 0 ||
        header->offset % PAGE_BYTES != 0)
        return STATUS_NOT_ALIGNED;
    if (header->va < USER_VA_FIRST ||
        !range_within(header->va, header->memory_bytes, USER_VA_END)) /* V5 */
        return STATUS_OUT_OF_RANGE;
    if (header->file_bytes != 0 && !range_within(header->offset, header->file_bytes, file_bytes))
        return STATUS_OUT_OF_RANGE;
    segment->va = header->va;
    segment->pages = (header->memory_bytes - 1) / PAGE_BYTES + 1;
    segment->file_offset = header->file_bytes != 0 ? header->offset : 0;
    segment->file_bytes = header->file_bytes;
    segment->memory_bytes = header->memory_bytes;
    return STATUS_OK;
}

static uint64_t segment_end(const struct elf_segment *segment)
{
    UNIT_ASSERT(segment->pages != 0 && segment->pages <= (USER_VA_END - segment->va) / PAGE_BYTES);
    return segment->va + segment->pages * PAGE_BYTES;
}

/* A new last segment against those before it: ascending and disjoint by pages, in memory and in the
 * file, so that no page of the file has two uses. */
static enum status check_order(const struct elf_plan *plan, const struct elf_segment *segment)
{
    uint64_t file_end = 0;
    uint64_t file_first = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *earlier = &plan->segments[i];
        if (segment->va < earlier->va)
            return STATUS_BAD_ORDER;
        if (segment->va < segment_end(earlier))
            return STATUS_OVERLAP;
        if (earlier->file_bytes != 0) {
            file_first = earlier->file_offset;
            file_end = earlier->file_offset + earlier->file_bytes;
        }
    }
    if (segment->file_bytes == 0 || file_end == 0)
        return STATUS_OK;
    if (segment->file_offset < file_first)
        return STATUS_BAD_ORDER;
    return segment->file_offset < file_end ? STATUS_OVERLAP : STATUS_OK;
}

static enum status add_segment(const struct program_header *header, uint64_t file_bytes,
                               struct elf_plan *plan)
{
    struct elf_segment segment = {0};
    enum status status = plan_segment(header, file_bytes, &segment);
    if (status == STATUS_OK)
        status = check_order(plan, &segment);
    if (status != STATUS_OK)
        return status;
    if (plan->segment_count == ELF_SEGMENT_LIMIT)
        return STATUS_EXHAUSTED;
    UNIT_ASSERT(plan->segment_count == 0 ||
                segment.va >= segment_end(&plan->segments[plan->segment_count - 1]));
    plan->segments[plan->segment_count++] = segment;
    return STATUS_OK;
}

static enum status add_program_header(const struct program_header *header, uint64_t file_bytes,
                                      struct elf_plan *plan)
{
    switch (header->type) {
    case ELF_SEGMENT_LOAD:
        return add_segment(header, file_bytes, plan);
    case ELF_SEGMENT_GNU_STACK:
        return (header->flags & ELF_FLAG_EXECUTE) != 0 ? STATUS_WRITE_AND_EXECUTE : STATUS_OK;
    case ELF_SEGMENT_NULL:
    case ELF_SEGMENT_NOTE:
    case ELF_SEGMENT_PHDR:
        return STATUS_OK;
    }
    return STATUS_UNSUPPORTED;
}

/* What can only be asked of the whole: there is an entry in code, and a stack at the end. */
static enum status finish(struct elf_plan *plan)
{
    if (plan->segment_count == 0)
        return STATUS_INVALID_ARGUMENT;
    const struct elf_segment *last = &plan->segments[plan->segment_count - 1];
    if ((last->rights & RIGHT_WRITE) == 0)
        return STATUS_INVALID_ARGUMENT;
    plan->va_first = plan->segments[0].va;
    plan->stack_top = segment_end(last);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        if ((segment->rights & RIGHT_EXECUTE) != 0 && plan->entry >= segment->va &&
            plan->entry - segment->va < segment->file_bytes)
            return STATUS_OK;
    }
    return STATUS_INVALID_ARGUMENT;
}

static enum status parse(const void *view, size_t view_bytes, uint64_t file_bytes,
                         struct elf_plan *plan)
{
    struct reader reader = reader_over(view, view_bytes);
    struct elf_header header = {0};
    if (view_bytes > file_bytes)
        return STATUS_BAD_LENGTH;
    if (view_bytes < ELF_HEADER_BYTES)
        return STATUS_TRUNCATED;
    enum status status = read_ident(&reader);
    if (status == STATUS_OK)
        status = read_header(&reader, &header, &plan->entry);
    if (status != STATUS_OK)
        return status;
    uint64_t headers_end =
        ELF_HEADER_BYTES + (uint64_t)header.program_count * ELF_PROGRAM_HEADER_BYTES;
    if (header.program_offset != ELF_HEADER_BYTES)
        return STATUS_OUT_OF_RANGE;
    if (headers_end > view_bytes)
        return headers_end > file_bytes ? STATUS_TRUNCATED : STATUS_OUT_OF_RANGE;
    reader_seek(&reader, ELF_HEADER_BYTES);
    for (uint16_t i = 0; i < header.program_count; i++) {
        struct program_header program = read_program_header(&reader);
        status = add_program_header(&program, file_bytes, plan);
        if (status != STATUS_OK)
            return status;
    }
    return finish(plan);
}

enum status elf_plan_parse(const void *view, size_t view_bytes, uint64_t file_bytes,
                           struct elf_plan *out)
{
    memset(out, 0, sizeof *out);
    enum status status = parse(view, view_bytes, file_bytes, out);
    if (status != STATUS_OK)
        memset(out, 0, sizeof *out);
    return status;
}

uint64_t elf_plan_pages(const struct elf_plan *plan)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++)
        pages += plan->segments[i].pages;
    return pages;
}
