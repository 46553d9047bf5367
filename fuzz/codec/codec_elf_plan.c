/* SPDX-License-Identifier: ISC */
/* ELF load plans: any view gives a status or a plan, and verdict and plan are those of a model that
 * reads the file's documented offsets (R2); a plan's pages are disjoint, inside user addresses, and
 * never writable and executable (V2, V5). */
#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "fuzz/codec/codec.h"

const char harness_name[] = "codec_elf_plan";

enum { LIMIT_BYTES = FRAME_TRANSFER_BYTES_MAX };

/* What the model learns of a file. */
struct model {
    bool accepted;
    uint32_t count;
    const uint8_t *rows[ELF_SEGMENT_LIMIT]; /* program headers of the segments */
};

static bool model_header(const uint8_t *view, size_t view_bytes, uint64_t file_bytes)
{
    static const uint8_t ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    if (view_bytes < 64 || view_bytes > file_bytes || memcmp(view, ident, 16) != 0)
        return false;
    uint16_t count = codec_u16(view + 56);
    return codec_u32(view + 16) == 0x003E0002 && codec_u32(view + 20) == 1 &&
           codec_u64(view + 32) == 64 && codec_u32(view + 48) == 0 &&
           codec_u32(view + 52) == 0x00380040 && count > 0 && count <= 13 &&
           64 + 56 * (size_t)count <= view_bytes;
}

static bool model_segment(const uint8_t *row, uint64_t file_bytes)
{
    uint32_t flags = codec_u32(row + 4);
    uint64_t offset = codec_u64(row + 8);
    uint64_t va = codec_u64(row + 16);
    uint64_t in_file = codec_u64(row + 32);
    uint64_t in_memory = codec_u64(row + 40);
    bool writable = flags == 6;
    if ((flags != 4 && flags != 5 && flags != 6) || codec_u64(row + 48) != 4096)
        return false;
    if ((va | offset) % 4096 != 0 || in_memory == 0 || in_file > in_memory)
        return false;
    if (!writable && in_file != in_memory)
        return false;
    if (va < 4096 || va >= USER_VA_END || in_memory > USER_VA_END - va)
        return false;
    return in_file == 0 || (offset <= file_bytes && in_file <= file_bytes - offset);
}

/* Every pair of segments: the later one lies after the earlier one, in memory and in the file. */
static bool model_pairs(const struct model *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const uint8_t *late = model->rows[i];
            const uint8_t *early = model->rows[j];
            uint64_t early_pages = (codec_u64(early + 40) + 4095) / 4096;
            if (codec_u64(late + 16) / 4096 < codec_u64(early + 16) / 4096 + early_pages)
                return false;
            if (codec_u64(late + 32) != 0 && codec_u64(early + 32) != 0 &&
                codec_u64(late + 8) < codec_u64(early + 8) + codec_u64(early + 32))
                return false;
        }
    }
    return true;
}

static struct model model_of(const uint8_t *view, size_t view_bytes, uint64_t file_bytes)
{
    struct model model = {.accepted = false};
    bool entry_found = false;
    if (!model_header(view, view_bytes, file_bytes))
        return model;
    uint64_t entry = codec_u64(view + 24);
    for (uint16_t i = 0; i < codec_u16(view + 56); i++) {
        const uint8_t *row = view + 64 + 56 * i;
        uint32_t type = codec_u32(row);
        if (type == 0x6474E551 && (codec_u32(row + 4) & 1) == 0)
            continue;
        if (type == 0 || type == 4 || type == 6)
            continue;
        if (type != 1 || model.count == 8 || !model_segment(row, file_bytes))
            return model;
        model.rows[model.count++] = row;
        if (codec_u32(row + 4) == 5 && entry >= codec_u64(row + 16) &&
            entry - codec_u64(row + 16) < codec_u64(row + 32))
            entry_found = true;
    }
    model.accepted = model.count > 0 && codec_u32(model.rows[model.count - 1] + 4) == 6 &&
                     model_pairs(&model) && entry_found;
    return model;
}

/* One program header. */
static void put_row(uint8_t *row, uint32_t type, uint32_t flags, uint64_t offset, uint64_t va,
                    uint64_t in_file, uint64_t in_memory)
{
    codec_store(row, type, 4);
    codec_store(row + 4, flags, 4);
    codec_store(row + 8, offset, 8);
    codec_store(row + 16, va, 8);
    codec_store(row + 24, va, 8);
    codec_store(row + 32, in_file, 8);
    codec_store(row + 40, in_memory, 8);
    codec_store(row + 48, type == 1 ? PAGE_BYTES : 8, 8);
}

/* Sound by construction: code, then drawn segments, a writable one at the end. */
static size_t build(struct choices *choices, uint8_t *view, uint64_t *file_bytes)
{
    static const uint8_t ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    static const uint32_t passed_over[] = {0, 4, 6, 0x6474E551};
    uint32_t segments = (uint32_t)choices_between(choices, 2, ELF_SEGMENT_LIMIT);
    uint32_t extra = (uint32_t)choices_below(choices, 6);
    uint64_t va = choices_between(choices, 1, 0x10000) * PAGE_BYTES;
    uint64_t offset = PAGE_BYTES;
    uint8_t *row = view + 64;
    memset(view, 0, LIMIT_BYTES);
    memcpy(view, ident, 16);
    codec_store(view + 16, 0x003E0002, 4);
    codec_store(view + 20, 1, 4);
    codec_store(view + 32, 64, 8);
    codec_store(view + 52, 0x00380040, 4);
    codec_store(view + 56, segments + extra, 2);
    for (uint32_t i = 0; i < segments; i++, row += 56) {
        uint32_t flags = i + 1 == segments ? 6
                         : i == 0          ? 5
                                           : 4 + (uint32_t)choices_below(choices, 3);
        uint64_t in_file = choices_between(choices,
                                           i == 0       ? 1
                                           : flags == 6 ? 0
                                                        : 1,
                                           3 * PAGE_BYTES);
        uint64_t in_memory = in_file + (flags == 6 ? choices_between(choices, 1, 70000) : 0);
        put_row(row, 1, flags, offset, va, in_file, in_memory);
        if (i == 0)
            codec_store(view + 24, va + choices_below(choices, in_file), 8);
        va += (in_memory + 4095) / PAGE_BYTES * PAGE_BYTES + choices_below(choices, 3) * PAGE_BYTES;
        offset += (in_file + 4095) / PAGE_BYTES * PAGE_BYTES;
    }
    for (uint32_t i = 0; i < extra; i++, row += 56)
        put_row(row, passed_over[choices_below(choices, 4)], 4, choices_u8(choices), 0, 0, 0);
    *file_bytes = offset + choices_below(choices, 2);
    return choices_flag(choices) ? LIMIT_BYTES : (size_t)(row - view);
}

static void check_plan(const struct elf_plan *plan, const struct model *model, uint64_t entry)
{
    uint64_t pages = 0;
    PROPERTY_EQUAL(R2, plan->segment_count, model->count);
    PROPERTY_EQUAL(R2, plan->entry, entry);
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];
        const uint8_t *row = model->rows[i];
        uint32_t flags = codec_u32(row + 4);
        unsigned rights = RIGHT_READ | (flags == 6 ? RIGHT_WRITE : 0u) |
                          (flags == 5 ? (unsigned)RIGHT_EXECUTE : 0u);
        PROPERTY_EQUAL(V2, segment->rights, rights);
        PROPERTY_EQUAL(R2, segment->va, codec_u64(row + 16));
        PROPERTY_EQUAL(R2, segment->file_bytes, codec_u64(row + 32));
        PROPERTY_EQUAL(R2, segment->memory_bytes, codec_u64(row + 40));
        PROPERTY_EQUAL(R2, segment->file_offset, segment->file_bytes != 0 ? codec_u64(row + 8) : 0);
        PROPERTY(G4, segment->pages * PAGE_BYTES >= segment->memory_bytes &&
                         segment->pages * PAGE_BYTES - segment->memory_bytes < PAGE_BYTES);
        PROPERTY(V5, segment->va >= USER_VA_FIRST &&
                         segment->va + segment->pages * PAGE_BYTES <= USER_VA_END);
        pages += segment->pages;
        digest_u64(segment->va);
        digest_u64(segment->pages);
    }
    const struct elf_segment *last = &plan->segments[plan->segment_count - 1];
    PROPERTY_EQUAL(R2, plan->va_first, plan->segments[0].va);
    PROPERTY_EQUAL(R2, plan->stack_top, last->va + last->pages * PAGE_BYTES);
    PROPERTY_EQUAL(R2, elf_plan_pages(plan), pages);
}

static void check(const uint8_t *view, size_t view_bytes, uint64_t file_bytes, enum codec_mode mode)
{
    struct elf_plan plan;
    memset(&plan, 0x5A, sizeof plan);
    enum status status = elf_plan_parse(view, view_bytes, file_bytes, &plan);
    struct model model = model_of(view, view_bytes, file_bytes);
    codec_report("ELF plan", mode, view, view_bytes, status);
    TRACE("of a file of %llu bytes", (unsigned long long)file_bytes);
    PROPERTY_EQUAL(R2, model.accepted, status == STATUS_OK);
    PROPERTY(R2, mode != CODEC_BUILT || status == STATUS_OK);
    if (status == STATUS_OK)
        check_plan(&plan, &model, codec_u64(view + 24));
    else
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
