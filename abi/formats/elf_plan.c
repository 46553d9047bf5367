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
    ELF_TYPE_DYN = 3,
    ELF_MACHINE_X86_64 = 62,
    ELF_SEGMENT_NULL = 0,
    ELF_SEGMENT_LOAD = 1,
    ELF_SEGMENT_DYNAMIC = 2,
    ELF_SEGMENT_INTERP = 3,
    ELF_SEGMENT_NOTE = 4,
    ELF_SEGMENT_PHDR = 6,
    ELF_SEGMENT_GNU_EH_FRAME = 0x6474E550,
    ELF_SEGMENT_GNU_STACK = 0x6474E551,
    ELF_SEGMENT_GNU_RELRO = 0x6474E552,
    ELF_SEGMENT_GNU_PROPERTY = 0x6474E553,
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

/* What the program headers read so far have said. */
struct planning {
    uint64_t file_bytes;
    bool has_stack;              /* a PT_GNU_STACK came */
    struct program_header stack; /* it */
    struct elf_plan *plan;
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
    uint16_t type = read_u16(reader);
    if (read_u16(reader) != ELF_MACHINE_X86_64 || (type != ELF_TYPE_EXEC && type != ELF_TYPE_DYN))
        return STATUS_UNSUPPORTED;
    if (type == ELF_TYPE_DYN)
        return STATUS_REQUIRE_DYNAMIC;
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

/* Both are equal modulo the page size, or no page of the file is one of memory. What a segment
 * without file bytes has for an offset means nothing. */
static enum status check_alignment(const struct program_header *header)
{
    uint64_t align = header->align < PAGE_BYTES ? PAGE_BYTES : header->align;
    if ((header->align & (header->align - 1)) != 0 && header->align != 0)
        return STATUS_NOT_ALIGNED;
    if (header->file_bytes != 0 && ((header->va ^ header->offset) & (align - 1)) != 0)
        return STATUS_NOT_ALIGNED;
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
    if (header->file_bytes > header->memory_bytes ||
        (!writable && header->file_bytes != header->memory_bytes))
        return STATUS_INVALID_ARGUMENT;
    status = check_alignment(header);
    if (status != STATUS_OK)
        return status;
    if (header->va < USER_VA_FIRST ||
        !range_within(header->va, header->memory_bytes, USER_VA_END)) /* V5 */
        return STATUS_OUT_OF_RANGE;
    if (header->file_bytes != 0 && !range_within(header->offset, header->file_bytes, file_bytes))
        return STATUS_OUT_OF_RANGE;
    segment->first_bytes = header->va % PAGE_BYTES;
    segment->va = header->va - segment->first_bytes;
    segment->pages = (segment->first_bytes + header->memory_bytes - 1) / PAGE_BYTES + 1;
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

/* A new last segment against the one before it: ascending, and on pages of its own, since a page
 * has one set of rights. */
static enum status check_order(const struct elf_plan *plan, const struct elf_segment *segment)
{
    if (plan->segment_count == 0)
        return STATUS_OK;
    const struct elf_segment *earlier = &plan->segments[plan->segment_count - 1];
    if (segment->va + segment->first_bytes < earlier->va + earlier->first_bytes)
        return STATUS_BAD_ORDER;
    return segment->va < segment_end(earlier) ? STATUS_OVERLAP : STATUS_OK;
}

static enum status add_segment(const struct program_header *header, struct planning *planning)
{
    struct elf_plan *plan = planning->plan;
    struct elf_segment segment = {0};
    enum status status = plan_segment(header, planning->file_bytes, &segment);
    if (status == STATUS_OK)
        status = check_order(plan, &segment);
    if (status != STATUS_OK)
        return status;
    if (plan->segment_count == ELF_SEGMENT_LIMIT)
        return STATUS_EXHAUSTED;
    plan->segments[plan->segment_count++] = segment;
    return STATUS_OK;
}

/* Which segment it is can be asked when all are known. */
static enum status add_stack(const struct program_header *header, struct planning *planning)
{
    if ((header->flags & ELF_FLAG_EXECUTE) != 0)
        return STATUS_WRITE_AND_EXECUTE;
    if (planning->has_stack)
        return STATUS_DUPLICATE;
    if (header->va == 0 && header->memory_bytes > STACK_RESERVE_BYTES)
        return STATUS_OVER_LIMIT;
    planning->has_stack = true;
    planning->stack = *header;
    return STATUS_OK;
}

static enum status add_program_header(const struct program_header *header,
                                      struct planning *planning)
{
    switch (header->type) {
    case ELF_SEGMENT_LOAD: /* linkers leave empty ones behind */
        return header->memory_bytes == 0 && header->file_bytes == 0 ? STATUS_OK
                                                                    : add_segment(header, planning);
    case ELF_SEGMENT_GNU_STACK:
        return add_stack(header, planning);
    case ELF_SEGMENT_NULL:
    case ELF_SEGMENT_NOTE:
    case ELF_SEGMENT_PHDR:
    case ELF_SEGMENT_GNU_EH_FRAME:
    case ELF_SEGMENT_GNU_RELRO:
    case ELF_SEGMENT_GNU_PROPERTY:
        return STATUS_OK;
    case ELF_SEGMENT_DYNAMIC:
    case ELF_SEGMENT_INTERP:
        return STATUS_REQUIRE_DYNAMIC;
    }
    return STATUS_UNSUPPORTED;
}

/* The final segment, when PT_GNU_STACK names it. */
static enum status find_stack(const struct planning *planning)
{
    struct elf_plan *plan = planning->plan;
    const struct elf_segment *last = &plan->segments[plan->segment_count - 1];
    const struct program_header *stack = &planning->stack;
    if (!planning->has_stack || stack->va == 0)
        return STATUS_OK;
    if (stack->va != last->va + last->first_bytes || stack->memory_bytes != last->memory_bytes ||
        (last->rights & RIGHT_WRITE) == 0)
        return STATUS_INVALID_ARGUMENT;
    plan->stack_top = plan->va_end;
    return STATUS_OK;
}

static bool entry_is_code(const struct elf_plan *plan)
{
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        uint64_t first = segment->va + segment->first_bytes;
        if ((segment->rights & RIGHT_EXECUTE) != 0 && plan->entry >= first &&
            plan->entry - first < segment->file_bytes)
            return true;
    }
    return false;
}

/* What can only be asked of the whole. */
static enum status finish(const struct planning *planning)
{
    struct elf_plan *plan = planning->plan;
    if (plan->segment_count == 0)
        return STATUS_INVALID_ARGUMENT;
    plan->va_first = plan->segments[0].va;
    plan->va_end = segment_end(&plan->segments[plan->segment_count - 1]);
    enum status status = find_stack(planning);
    if (status != STATUS_OK)
        return status;
    return entry_is_code(plan) ? STATUS_OK : STATUS_INVALID_ARGUMENT;
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
    struct planning planning = {.file_bytes = file_bytes, .plan = plan};
    for (uint16_t i = 0; i < header.program_count; i++) {
        struct program_header program = read_program_header(&reader);
        status = add_program_header(&program, &planning);
        if (status != STATUS_OK)
            return status;
    }
    return finish(&planning);
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

uint32_t elf_plan_view_bytes(const void *view, size_t view_bytes)
{
    enum { HEADER_PROGRAM_COUNT = 56 };
    struct reader reader = reader_over(view, view_bytes);
    if (view_bytes < ELF_HEADER_BYTES || read_u32(&reader) != ELF_MAGIC)
        return ELF_HEADER_BYTES;
    reader_seek(&reader, HEADER_PROGRAM_COUNT);
    uint32_t count = read_u16(&reader);
    if (count > ELF_PROGRAM_HEADER_LIMIT)
        count = ELF_PROGRAM_HEADER_LIMIT;
    return ELF_HEADER_BYTES + count * ELF_PROGRAM_HEADER_BYTES;
}

uint64_t elf_plan_pages(const struct elf_plan *plan)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < plan->segment_count; i++)
        pages += plan->segments[i].pages;
    return pages;
}

struct elf_piece elf_segment_piece(const struct elf_segment *segment, uint64_t page)
{
    uint64_t file_end = segment->first_bytes + segment->file_bytes; /* from the first page on */
    uint64_t start = page * PAGE_BYTES;
    uint64_t end = start + PAGE_BYTES < file_end ? start + PAGE_BYTES : file_end;
    UNIT_ASSERT(page < segment->pages);
    if (start < segment->first_bytes)
        start = segment->first_bytes;
    if (start >= end)
        return (struct elf_piece){0};
    return (struct elf_piece){
        .file_offset = segment->file_offset + (start - segment->first_bytes),
        .at = (uint32_t)(start % PAGE_BYTES),
        .bytes = (uint32_t)(end - start),
    };
}

void elf_segment_whole(const struct elf_segment *segment, uint64_t *first, uint64_t *count)
{
    uint64_t end = (segment->first_bytes + segment->file_bytes) / PAGE_BYTES;
    *first = segment->first_bytes != 0;
    *count = end > *first ? end - *first : 0;
}
