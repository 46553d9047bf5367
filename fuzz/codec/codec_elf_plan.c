/* SPDX-License-Identifier: ISC */
/* ELF load plans: any view gives a status or a plan, and verdict and plan are those of a model that
 * reads the file's documented offsets (R2); a plan's pages are disjoint, inside user addresses, and
 * never writable and executable (V2, V5), and each has the bytes of the file that the ELF
 * specification puts there and no others (G4). */
#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "fuzz/codec/codec.h"

const char harness_name[] = "codec_elf_plan";
MARKS(12, 0);

typedef unsigned __int128 wide;

enum {
    LIMIT_BYTES = ELF_VIEW_BYTES,
    TYPE_LOAD = 1,
    TYPE_DYNAMIC = 2,
    TYPE_INTERP = 3,
    TYPE_TLS = 7,
    TYPE_STACK = 0x6474E551
};

/* --- model --- */

/* What the model learns of a file. `dynamic` and `local`: what is for a dynamic linker, or
 * thread-local, is passed over. */
struct model {
    bool accepted;
    bool dynamic;
    bool local;
    bool entry_found;
    uint64_t entry;
    uint64_t file_bytes;
    uint32_t count;
    const uint8_t *rows[ELF_SEGMENT_LIMIT]; /* program headers of the segments */
    const uint8_t *stack;                   /* that of the stack; null: none came */
};

static uint64_t row_offset(const uint8_t *row)
{
    return codec_u64(row + 8);
}

static uint64_t row_va(const uint8_t *row)
{
    return codec_u64(row + 16);
}

static uint64_t row_in_file(const uint8_t *row)
{
    return codec_u64(row + 32);
}

static uint64_t row_in_memory(const uint8_t *row)
{
    return codec_u64(row + 40);
}

static bool model_ident(const uint8_t *view, size_t view_bytes, uint64_t file_bytes)
{
    static const uint8_t ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    return view_bytes >= 64 && view_bytes <= file_bytes && memcmp(view, ident, 16) == 0 &&
           codec_u16(view + 18) == 62;
}

static bool model_header(const uint8_t *view, size_t view_bytes, uint64_t file_bytes)
{
    if (!model_ident(view, view_bytes, file_bytes))
        return false;
    uint16_t count = codec_u16(view + 56);
    return codec_u16(view + 16) == 2 && codec_u32(view + 20) == 1 && codec_u64(view + 32) == 64 &&
           codec_u32(view + 48) == 0 && codec_u32(view + 52) == 0x00380040 && count > 0 &&
           count <= 16 && 64 + 56 * (size_t)count <= view_bytes;
}

/* "p_vaddr should equal p_offset, modulo p_align"; 0 and 1 mean no alignment, a page has its own. */
static bool model_congruent(const uint8_t *row)
{
    uint64_t align = codec_u64(row + 48);
    uint64_t difference = row_va(row) - row_offset(row);
    if (__builtin_popcountll(align) > 1)
        return false;
    if (row_in_file(row) == 0)
        return true;
    return difference % 4096 == 0 && (align == 0 || difference % align == 0);
}

static bool model_segment(const struct model *model, const uint8_t *row)
{
    uint32_t flags = codec_u32(row + 4);
    uint64_t va = row_va(row);
    if (flags != 4 && flags != 5 && flags != 6)
        return false;
    if (row_in_file(row) > row_in_memory(row) ||
        (flags != 6 && row_in_file(row) != row_in_memory(row)) || !model_congruent(row))
        return false;
    if (va < 4096 || (wide)va + row_in_memory(row) > USER_VA_END)
        return false;
    return row_in_file(row) == 0 ||
           (wide)row_offset(row) + row_in_file(row) <= (wide)model->file_bytes;
}

/* Every pair of segments: the later one begins on a page behind the last one of the earlier. */
static bool model_pairs(const struct model *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const uint8_t *early = model->rows[j];
            uint64_t early_last = (row_va(early) + row_in_memory(early) - 1) / 4096;
            if (row_va(model->rows[i]) / 4096 <= early_last)
                return false;
        }
    }
    return true;
}

/* Where a stack has an address, it is that of the whole last segment. */
static bool model_stack(const struct model *model)
{
    if (model->stack == NULL || row_va(model->stack) == 0)
        return true;
    const uint8_t *last = model->rows[model->count - 1];
    return codec_u32(last + 4) == 6 && row_va(last) == row_va(model->stack) &&
           row_in_memory(last) == row_in_memory(model->stack);
}

/* One program header; false: refused. */
static bool model_row(struct model *model, const uint8_t *row)
{
    switch (codec_u32(row)) {
    case 0:
    case 4:
    case 6:
    case 0x6474E550:
    case 0x6474E552:
    case 0x6474E553:
        return true;
    case TYPE_DYNAMIC:
    case TYPE_INTERP:
        return model->dynamic;
    case TYPE_TLS:
        return model->local;
    case TYPE_STACK:
        if (model->stack != NULL || (codec_u32(row + 4) & 1) != 0)
            return false;
        model->stack = row;
        return row_va(row) != 0 || row_in_memory(row) <= 65536;
    case TYPE_LOAD:
        break;
    default:
        return false;
    }
    if (row_in_memory(row) == 0 && row_in_file(row) == 0)
        return true;
    if (model->count == 8 || !model_segment(model, row))
        return false;
    model->rows[model->count++] = row;
    if (codec_u32(row + 4) == 5 && model->entry >= row_va(row) &&
        model->entry - row_va(row) < row_in_file(row))
        model->entry_found = true;
    return true;
}

static void model_read(struct model *model, const uint8_t *view, size_t view_bytes,
                       uint64_t file_bytes)
{
    if (!model_header(view, view_bytes, file_bytes))
        return;
    model->file_bytes = file_bytes;
    model->entry = codec_u64(view + 24);
    for (uint16_t i = 0; i < codec_u16(view + 56); i++) {
        if (!model_row(model, view + 64 + 56 * i))
            return;
    }
    model->accepted =
        model->count > 0 && model_pairs(model) && model_stack(model) && model->entry_found;
}

/* The status of a file that is not accepted where this says so: all but one thing is right. */
static enum status model_refusal(const uint8_t *view, size_t view_bytes, uint64_t file_bytes)
{
    struct model dynamic = {.dynamic = true};
    struct model local = {.local = true};
    if (model_ident(view, view_bytes, file_bytes) && codec_u16(view + 16) == 3)
        return STATUS_REQUIRE_DYNAMIC;
    model_read(&dynamic, view, view_bytes, file_bytes);
    if (dynamic.accepted)
        return STATUS_REQUIRE_DYNAMIC;
    model_read(&local, view, view_bytes, file_bytes);
    return local.accepted ? STATUS_UNSUPPORTED : STATUS_OK;
}

/* --- building --- */

/* One program header. */
static void put_row(uint8_t *row, uint32_t type, uint32_t flags, uint64_t offset, uint64_t va,
                    uint64_t in_file, uint64_t in_memory, uint64_t align)
{
    codec_store(row, type, 4);
    codec_store(row + 4, flags, 4);
    codec_store(row + 8, offset, 8);
    codec_store(row + 16, va, 8);
    codec_store(row + 24, va, 8);
    codec_store(row + 32, in_file, 8);
    codec_store(row + 40, in_memory, 8);
    codec_store(row + 48, align, 8);
}

static void put_header(uint8_t *view, uint32_t rows)
{
    static const uint8_t ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    memset(view, 0, LIMIT_BYTES);
    memcpy(view, ident, 16);
    codec_store(view + 16, 0x003E0002, 4);
    codec_store(view + 20, 1, 4);
    codec_store(view + 32, 64, 8);
    codec_store(view + 52, 0x00380040, 4);
    codec_store(view + 56, rows, 2);
}

/* Where the next segment lies: behind the last one in the file, on a page of its own or not, and
 * at an address that is congruent. */
struct cursor {
    uint64_t offset;
    uint64_t va;
};

static uint64_t rounded(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static uint64_t advance(struct choices *choices, struct cursor *at)
{
    static const uint64_t aligns[] = {4096, 4096, 4096, 0, 1, 16, 0x10000, 0x200000};
    uint64_t align = aligns[choices_below(choices, 8)];
    uint64_t unit = align < 4096 ? 4096 : align;
    if (choices_flag(choices)) /* as GNU ld does with code */
        at->offset = rounded(at->offset, 4096);
    else /* as ld.lld does */
        at->offset += choices_below(choices, 40);
    at->va = rounded(at->va, unit) + at->offset % unit;
    return align;
}

/* Sound by construction: code first or second, then drawn segments, a stack or none. */
static size_t build(struct choices *choices, uint8_t *view, uint64_t *file_bytes)
{
    static const uint32_t passed_over[] = {0, 4, 6, 0x6474E550, 0x6474E552, 0x6474E553, TYPE_LOAD};
    uint32_t segments = (uint32_t)choices_between(choices, 2, ELF_SEGMENT_LIMIT);
    uint32_t extra = (uint32_t)choices_below(choices, 8);
    uint32_t code = (uint32_t)choices_below(choices, segments == 2 ? 1 : 2);
    uint32_t stack = (uint32_t)choices_below(choices, 3); /* none, any, the last segment */
    struct cursor at = {0, choices_between(choices, 1, 0x10000) * PAGE_BYTES};
    uint8_t *row = view + 64;
    put_header(view, segments + extra + (stack != 0));
    for (uint32_t i = 0; i < segments; i++, row += 56) {
        uint64_t align = advance(choices, &at);
        uint32_t drawn = 4 + (uint32_t)choices_below(choices, 3);
        uint32_t flags = i == code ? 5 : i + 1 == segments && stack == 2 ? 6 : drawn;
        uint64_t in_file = choices_between(choices, flags != 6, 3 * PAGE_BYTES);
        uint64_t in_memory = in_file + (flags == 6 ? choices_between(choices, 1, 70000) : 0);
        put_row(row, TYPE_LOAD, flags, at.offset, at.va, in_file, in_memory, align);
        if (i == code)
            codec_store(view + 24, at.va + choices_below(choices, in_file), 8);
        at.va = rounded(at.va + in_memory, 4096) + choices_below(choices, 3) * PAGE_BYTES;
        at.offset += in_file;
    }
    const uint8_t *last = row - 56;
    if (stack != 0)
        put_row(row, TYPE_STACK, 6, 0, stack == 2 ? row_va(last) : 0, 0,
                stack == 2 ? row_in_memory(last) : choices_below(choices, 65537), 16);
    row += stack != 0 ? 56 : 0;
    for (uint32_t i = 0; i < extra; i++, row += 56)
        put_row(row, passed_over[choices_below(choices, 7)], 4, choices_u8(choices), 0, 0, 0, 8);
    *file_bytes = rounded(at.offset + LIMIT_BYTES, 4096) + choices_below(choices, 2);
    return choices_flag(choices) ? LIMIT_BYTES : (size_t)(row - view);
}

/* --- what must hold --- */

/* A page, byte by byte as the specification says: byte i of the segment is byte p_offset + i of the
 * file. What is not the segment's is nobody's. */
static void check_page(const struct elf_segment *segment, const uint8_t *row, uint64_t page)
{
    struct elf_piece piece = elf_segment_piece(segment, page);
    wide page_va = (wide)segment->va + (wide)page * 4096;
    wide first = row_va(row);
    wide end = first + row_in_file(row);
    wide from = page_va > first ? page_va : first;
    wide to = page_va + 4096 < end ? page_va + 4096 : end;
    uint64_t first_whole = 0;
    uint64_t whole_count = 0;
    elf_segment_whole(segment, &first_whole, &whole_count);
    PROPERTY_EQUAL(G4, piece.bytes, from < to ? (uint64_t)(to - from) : 0);
    PROPERTY_EQUAL(G4, page >= first_whole && page - first_whole < whole_count,
                   piece.bytes == PAGE_BYTES);
    if (piece.bytes == 0)
        return;
    PROPERTY_EQUAL(G4, piece.at, (uint64_t)(from - page_va));
    PROPERTY_EQUAL(G4, piece.file_offset, row_offset(row) + (uint64_t)(from - first));
}

/* The pages at both ends of a segment, and those where its file bytes end. */
static void check_pages(const struct elf_segment *segment, const uint8_t *row)
{
    uint64_t file_last = (segment->first_bytes + segment->file_bytes) / 4096;
    for (uint64_t i = 0; i < 3; i++) {
        if (i < segment->pages)
            check_page(segment, row, i);
        if (i < segment->pages)
            check_page(segment, row, segment->pages - 1 - i);
        if (file_last + i >= 1 && file_last + i - 1 < segment->pages)
            check_page(segment, row, file_last + i - 1);
    }
}

static void check_segment(const struct elf_segment *segment, const uint8_t *row)
{
    uint32_t flags = codec_u32(row + 4);
    unsigned rights =
        RIGHT_READ | (flags == 6 ? RIGHT_WRITE : 0u) | (flags == 5 ? (unsigned)RIGHT_EXECUTE : 0u);
    uint64_t end = row_va(row) + row_in_memory(row);
    PROPERTY_EQUAL(V2, segment->rights, rights);
    PROPERTY_EQUAL(R2, segment->va, row_va(row) / 4096 * 4096);
    PROPERTY_EQUAL(R2, segment->first_bytes, row_va(row) % 4096);
    PROPERTY_EQUAL(R2, segment->file_bytes, row_in_file(row));
    PROPERTY_EQUAL(R2, segment->memory_bytes, row_in_memory(row));
    PROPERTY_EQUAL(R2, segment->file_offset, segment->file_bytes != 0 ? row_offset(row) : 0);
    PROPERTY_EQUAL(R2, segment->va + segment->pages * 4096, (end + 4095) / 4096 * 4096);
    PROPERTY(V5, segment->va >= USER_VA_FIRST &&
                     segment->va + segment->pages * PAGE_BYTES <= USER_VA_END);
    check_pages(segment, row);
    digest_u64(segment->va + segment->first_bytes);
    digest_u64(segment->pages);
}

static void check_plan(const struct elf_plan *plan, const struct model *model)
{
    uint64_t pages = 0;
    PROPERTY_EQUAL(R2, plan->segment_count, model->count);
    PROPERTY_EQUAL(R2, plan->entry, model->entry);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        check_segment(&plan->segments[i], model->rows[i]);
        pages += plan->segments[i].pages;
    }
    const struct elf_segment *last = &plan->segments[plan->segment_count - 1];
    bool has_stack = model->stack != NULL && row_va(model->stack) != 0;
    PROPERTY_EQUAL(R2, plan->va_first, plan->segments[0].va);
    PROPERTY_EQUAL(R2, plan->va_end, last->va + last->pages * PAGE_BYTES);
    PROPERTY_EQUAL(R2, plan->stack_top, has_stack ? plan->va_end : 0);
    PROPERTY_EQUAL(R2, elf_plan_pages(plan), pages);
    MARK_IF("ELF plan: a stack of its own", has_stack);
    MARK_IF("ELF plan: a stack from the loader", !has_stack);
    MARK_IF("ELF plan: eight segments", plan->segment_count == 8);
}

/* What one read of the image may show is enough to know how much more is to be read. */
static void check_view(const uint8_t *view, size_t view_bytes)
{
    uint32_t needed = elf_plan_view_bytes(view, view_bytes);
    bool is_elf = view_bytes >= 64 && memcmp(view,
                                             "\x7f"
                                             "ELF",
                                             4) == 0;
    uint64_t rows = is_elf ? codec_u16(view + 56) : 0;
    PROPERTY_EQUAL(R2, needed, 64 + 56 * (rows > 16 ? 16 : rows));
}

static void check(const uint8_t *view, size_t view_bytes, uint64_t file_bytes, enum codec_mode mode)
{
    struct elf_plan plan;
    memset(&plan, 0x5A, sizeof plan);
    enum status status = elf_plan_parse(view, view_bytes, file_bytes, &plan);
    struct model model = {.accepted = false};
    model_read(&model, view, view_bytes, file_bytes);
    codec_report("ELF plan", mode, view, view_bytes, status);
    TRACE("of a file of %llu bytes", (unsigned long long)file_bytes);
    PROPERTY_EQUAL(R2, model.accepted, status == STATUS_OK);
    PROPERTY(R2, mode != CODEC_BUILT || status == STATUS_OK);
    check_view(view, view_bytes);
    if (status == STATUS_OK) {
        check_plan(&plan, &model);
        return;
    }
    enum status refusal = model_refusal(view, view_bytes, file_bytes);
    PROPERTY(R2, refusal == STATUS_OK || refusal == status);
    PROPERTY(R2, codec_zero((const uint8_t *)&plan, sizeof plan));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    enum codec_mode mode = codec_mode(&choices);
    uint8_t built[LIMIT_BYTES];
    size_t built_bytes;
    uint64_t file_bytes;
    if (mode == CODEC_RAW) {
        file_bytes = choices_flag(&choices) ? choices_u64(&choices) : LIMIT_BYTES * 16;
        built_bytes = codec_raw(&choices, built, LIMIT_BYTES);
    } else {
        built_bytes = build(&choices, built, &file_bytes);
    }
    if (mode == CODEC_EDITED) {
        codec_edit(&choices, built, &built_bytes, LIMIT_BYTES);
        if (choices_below(&choices, 8) == 7)
            file_bytes = codec_draw_edge(&choices);
    }
    uint8_t *exact = codec_copy(built, built_bytes);
    check(exact, built_bytes, file_bytes, mode);
    free(exact);
    return 0;
}
