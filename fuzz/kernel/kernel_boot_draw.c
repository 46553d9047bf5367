/* SPDX-License-Identifier: ISC */
/* Boot images and machines for kernel_boot. A program is built from tables of addresses and sizes at
 * the edges, packed with other sections, and then edited as bytes: in the header and the rows, in the
 * program's headers, or anywhere. Digests are made to fit again when the input asks for it, so that
 * an edit goes as deep as what reads it. All choices 0 are a program that boots. */
#include <string.h>

#include "abi/formats/handoff.h"
#include "abi/roles.h"
#include "fuzz/codec/codec.h"
#include "fuzz/kernel/kernel_boot.h"

enum {
    FILE_LIMIT = 8 * PAGE_BYTES,
    SEGMENTS_DRAWN = 4,
    LITERAL_BYTES = ELF_HEADER_BYTES + SEGMENTS_DRAWN * ELF_PROGRAM_HEADER_BYTES,
    ELF_STACK = 0x6474E551,
    FLAG_EXECUTE = 1,
    FLAG_WRITE = 2,
    FLAG_READ = 4
};

/* --- a program -------------------------------------------------------------------------------- */

struct program {
    uint8_t bytes[FILE_LIMIT];
    size_t size_bytes;
    uint32_t header_count;
    uint64_t va;     /* where the next segment may begin */
    uint64_t offset; /* and its bytes in the file */
    uint64_t last_va, last_memory;
    uint64_t code_va, code_bytes;
};

static void header_write(struct program *program, uint32_t type, uint32_t flags, uint64_t offset,
                         uint64_t va, uint64_t file, uint64_t memory)
{
    uint8_t *at = program->bytes + ELF_HEADER_BYTES +
                  (size_t)ELF_PROGRAM_HEADER_BYTES * program->header_count++;
    codec_store(at, type, 4);
    codec_store(at + 4, flags, 4);
    codec_store(at + 8, offset, 8);
    codec_store(at + 16, va, 8);
    codec_store(at + 24, va, 8);
    codec_store(at + 32, file, 8);
    codec_store(at + 40, memory, 8);
    codec_store(at + 48, PAGE_BYTES, 8);
}

/* Where a table of each level ends, and around what is mapped anyway. */
static uint64_t draw_base(struct choices *choices)
{
    static const uint64_t bases[] = {0x400000,
                                     USER_VA_FIRST,
                                     0x1FF000,
                                     0x3FFFF000,
                                     0x7FFFFFF000,
                                     HANDOFF_VA - 2 * PAGE_BYTES,
                                     HANDOFF_VA,
                                     HANDOFF_VA + PAGE_BYTES,
                                     USER_VA_END - 4 * PAGE_BYTES};
    return bases[choices_below(choices, sizeof bases / sizeof bases[0])];
}

static uint64_t draw_file_bytes(struct choices *choices)
{
    static const uint64_t sizes[] = {PAGE_BYTES + 50, 100, PAGE_BYTES, PAGE_BYTES - 1, 1,
                                     2 * PAGE_BYTES,  0};
    return sizes[choices_below(choices, sizeof sizes / sizeof sizes[0])];
}

static uint64_t draw_more_bytes(struct choices *choices)
{
    static const uint64_t sizes[] = {
        2 * PAGE_BYTES,   0, 10, PAGE_BYTES, PAGE_BYTES - 100, 40 * PAGE_BYTES, 600 * PAGE_BYTES,
        UINT64_C(1) << 40};
    return sizes[choices_below(choices, sizeof sizes / sizeof sizes[0])];
}

static uint32_t draw_flags(struct choices *choices, bool first, bool last)
{
    static const uint32_t flags[] = {FLAG_READ, FLAG_READ | FLAG_EXECUTE, FLAG_READ | FLAG_WRITE,
                                     FLAG_READ | FLAG_WRITE | FLAG_EXECUTE};
    uint64_t drawn = choices_below(choices, 16);
    if (drawn < 10)
        return FLAG_READ | (first ? FLAG_EXECUTE : last ? FLAG_WRITE : 0u);
    return flags[drawn % 4];
}

/* One segment behind the last one, on pages of the file of its own, or on those of the last one. */
static void segment_draw(struct choices *choices, struct program *program, bool first, bool last)
{
    uint32_t flags = draw_flags(choices, first, last);
    uint64_t inside = choices_below(choices, 16) == 15 ? choices_below(choices, PAGE_BYTES) : 0;
    uint64_t file = draw_file_bytes(choices);
    uint64_t more = (flags & FLAG_WRITE) != 0 ? draw_more_bytes(choices) : 0;
    uint64_t how = choices_below(choices, 8);
    if (first || how == 7)
        program->va = draw_base(choices);
    else
        program->va += how % 4 * PAGE_BYTES;
    if (program->offset + inside + file > FILE_LIMIT)
        program->offset = PAGE_BYTES;
    header_write(program, 1, flags, program->offset + inside, program->va + inside, file,
                 file + more);
    program->last_va = program->va + inside;
    program->last_memory = file + more;
    if ((flags & FLAG_EXECUTE) != 0 && program->code_bytes == 0) {
        program->code_va = program->va + inside;
        program->code_bytes = file;
    }
    uint64_t file_end = program->offset + inside + file;
    if (file_end > program->size_bytes)
        program->size_bytes = (size_t)file_end;
    program->va += (inside + file + more + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    if (how != 6)
        program->offset = (file_end + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* Each page of the file has bytes of its own, none of them 0. */
static const uint8_t *pattern(void)
{
    static uint8_t bytes[FILE_LIMIT];
    if (bytes[PAGE_BYTES] == 0) {
        for (size_t i = PAGE_BYTES; i < FILE_LIMIT; i++)
            bytes[i] = (uint8_t)((i / PAGE_BYTES * 37 + i % 251) % 255 + 1);
    }
    return bytes;
}

static void program_draw(struct choices *choices, struct program *program)
{
    *program = (struct program){.offset = PAGE_BYTES, .size_bytes = LITERAL_BYTES};
    memcpy(program->bytes, pattern(), FILE_LIMIT);
    memcpy(program->bytes,
           "\x7f"
           "ELF\2\1\1",
           7);
    uint64_t count = 2 + choices_below(choices, SEGMENTS_DRAWN - 1);
    for (uint64_t i = 0; i < count; i++)
        segment_draw(choices, program, i == 0, i + 1 == count);
    if (choices_below(choices, 16) != 15)
        header_write(program, ELF_STACK, FLAG_READ | FLAG_WRITE, 0, program->last_va, 0,
                     program->last_memory);
    uint64_t entry = choices_below(choices, 8) == 7 ? program->code_bytes : 0;
    codec_store(program->bytes + 16, 2, 2);
    codec_store(program->bytes + 18, 62, 2);
    codec_store(program->bytes + 20, 1, 4);
    codec_store(program->bytes + 24, program->code_va + entry, 8);
    codec_store(program->bytes + 32, ELF_HEADER_BYTES, 8);
    codec_store(program->bytes + 52, ELF_HEADER_BYTES, 2);
    codec_store(program->bytes + 54, ELF_PROGRAM_HEADER_BYTES, 2);
    codec_store(program->bytes + 56, program->header_count, 2);
    if (choices_below(choices, 8) == 7) /* headers as the input has them */
        choices_bytes(choices, program->bytes, LITERAL_BYTES);
}

/* --- an image of it --------------------------------------------------------------------------- */

/* The header of a config: the profile, which the kernel reads, and what it must not mind. */
static size_t config_draw(struct choices *choices, uint8_t config[33])
{
    static const uint8_t lengths[] = {32, 33, 31, 28};
    memcpy(config, "ERIXBCFG\1\0\0\0", 12);
    memset(config + 12, 0xAB, 21);
    uint64_t drawn = choices_below(choices, 2 * (VALIDATION_PROFILE_LAST + 3));
    bool any = drawn < VALIDATION_PROFILE_LAST + 3;
    codec_store(config + 24, any ? drawn : (uint64_t)VALIDATION_PROFILE_PHASE0, 4);
    if (choices_below(choices, 8) == 7)
        config[choices_below(choices, 33)] ^= (uint8_t)(1u << choices_below(choices, 8));
    return lengths[choices_below(choices, 16) % 7 % sizeof lengths];
}

static struct boot_section_input module_draw(struct choices *choices, const struct program *program)
{
    static const char *const names[] = {"rootd", "rooted", "root", "rootd-2"};
    uint64_t how = choices_below(choices, 32);
    return (struct boot_section_input){
        .name = how >= 29 ? names[how - 28] : names[0],
        .kind = how == 28 ? BOOT_SECTION_DATA : BOOT_SECTION_EXECUTABLE,
        .bytes = program->bytes,
        .size_bytes = program->size_bytes,
    };
}

/* Where rootd's section begins in the image. */
static size_t image_build(struct choices *choices, const struct program *program,
                          struct boot_bytes *image)
{
    static uint8_t config[33];
    struct boot_section_input sections[4];
    struct boot_image parsed;
    uint64_t before = choices_below(choices, 3), count = 0;
    static const char *const names[] = {"note", "rootd2"};
    for (; count < before; count++)
        sections[count] = (struct boot_section_input){
            names[count], BOOT_SECTION_DATA + 0u, program->bytes + PAGE_BYTES,
            (size_t)choices_between(choices, 1, PAGE_BYTES + 1)};
    uint64_t module = count;
    sections[count++] = module_draw(choices, program);
    uint64_t how = choices_below(choices, 8);
    if (how != 0) {
        size_t size_bytes = config_draw(choices, config);
        sections[count++] = (struct boot_section_input){
            how == 1 ? "boot-confit" : "boot-config",
            how == 2 ? BOOT_SECTION_DATA : BOOT_SECTION_BOOT_CONFIG, config, size_bytes};
    }
    HARNESS(boot_image_encode(sections, count, image->bytes, sizeof image->bytes,
                              &image->size_bytes) == STATUS_OK);
    HARNESS(boot_image_parse(image->bytes, image->size_bytes, &parsed) == STATUS_OK);
    return (size_t)parsed.sections[module].offset_bytes;
}

/* What the rows say of sections that lie inside; then of the rows. */
static void digests_fit(struct boot_bytes *image)
{
    enum { ROW_OFFSET = 32, ROW_BYTES = 40, ROW_DIGEST = 48 };
    uint8_t *table = image->bytes + BOOT_IMAGE_HEADER_BYTES;
    uint64_t count = image->size_bytes < BOOT_IMAGE_HEADER_BYTES ? 0 : codec_u32(image->bytes + 24);
    size_t table_bytes = (size_t)count * BOOT_IMAGE_SECTION_BYTES;
    if (count > BOOT_MODULE_LIMIT || BOOT_IMAGE_HEADER_BYTES + table_bytes > image->size_bytes)
        return;
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *row = table + i * BOOT_IMAGE_SECTION_BYTES;
        uint64_t first = codec_u64(row + ROW_OFFSET), bytes = codec_u64(row + ROW_BYTES);
        if (first <= image->size_bytes && bytes <= image->size_bytes - first)
            sha256_of(image->bytes + first, (size_t)bytes, row + ROW_DIGEST);
    }
    sha256_of(table, table_bytes, image->bytes + 32);
    image->digests_fit = true;
}

static void image_edit(struct choices *choices, struct boot_bytes *image, size_t module)
{
    size_t head = BOOT_IMAGE_HEADER_BYTES + 4 * BOOT_IMAGE_SECTION_BYTES, same = head;
    size_t headers = LITERAL_BYTES;
    switch (choices_below(choices, 8)) {
    case 1:
        codec_edit(choices, image->bytes, &head, same);
        break;
    case 2:
    case 3:
        codec_edit(choices, image->bytes + module, &headers, LITERAL_BYTES);
        break;
    case 4:
        codec_edit(choices, image->bytes, &image->size_bytes, sizeof image->bytes);
        break;
    default:
        return;
    }
    image->digests_fit = false;
    if (choices_below(choices, 8) != 7)
        digests_fit(image);
}

void boot_draw_image(struct choices *choices, struct boot_bytes *image)
{
    static struct program program;
    memset(image->bytes, 0, sizeof image->bytes);
    image->digests_fit = false;
    if (choices_below(choices, 16) == 15) {
        image->size_bytes = codec_raw(choices, image->bytes, sizeof image->bytes);
        return;
    }
    program_draw(choices, &program);
    size_t module = image_build(choices, &program, image);
    image->digests_fit = true;
    image_edit(choices, image, module);
}

/* --- a machine -------------------------------------------------------------------------------- */

/* Pages in some ranges, with pages between them that nobody has; or from the last one to the first. */
static void ranges_draw(struct choices *choices, uint32_t pages, struct kernel_boot_info *info)
{
    uint32_t count = (uint32_t)choices_between(choices, 1, BOOT_RANGE_LIMIT);
    uint32_t page = 1;
    bool downwards = choices_flag(choices);
    if (count > pages)
        count = pages;
    info->range_count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = pages - (count - 1 - i);
        uint32_t here = left;
        if (i + 1 < count)
            here = (uint32_t)choices_between(choices, 1, left < 200 ? left : 200);
        page += (uint32_t)choices_below(choices, BOOT_GAP_PAGES + 1);
        info->ranges[downwards ? count - 1 - i : i] = (struct page_range){page, here};
        page += here;
        pages -= here;
    }
}

/* As much as the program takes of both, give or take a page. */
static void machine_fit(struct choices *choices, const struct boot_bytes *image, uint32_t *pages,
                        uint32_t *budget)
{
    static struct boot_expected expected;
    struct kernel_boot_info roomy = {.range_count = 1, .ranges = {{1, 8000}}};
    roomy.root_budget_pages = 1000;
    boot_predict(image, &roomy, &expected);
    if (expected.status != STATUS_OK)
        return;
    *budget = expected.drawn_pages + (uint32_t)choices_below(choices, 4) - 1;
    uint32_t launch = *budget + expected.private_pages + (uint32_t)choices_below(choices, 4);
    *pages = 2 * launch + (uint32_t)choices_below(choices, 2) - 1;
}

struct kernel_boot_info boot_draw_machine(struct choices *choices, const struct boot_bytes *image)
{
    static const uint32_t budgets[] = {0, 0, 16, 15, 20, 24, 40, 100, 300, 0, 1, UINT32_MAX};
    static const uint32_t counts[] = {400, 1000, 138, 100, 40, 20, 300, 2, 1, 9300, 11060, 12000};
    struct kernel_boot_info info = host_boot_info();
    uint32_t budget = budgets[choices_below(choices, sizeof budgets / sizeof budgets[0])];
    uint32_t pages = counts[choices_below(choices, sizeof counts / sizeof counts[0])];
    pages += (uint32_t)choices_below(choices, 16);
    if (choices_below(choices, 4) == 3)
        machine_fit(choices, image, &pages, &budget);
    info.root_budget_pages = budget;
    info.work_max =
        choices_flag(choices) ? (uint32_t)choices_between(choices, KERNEL_WORK_MIN, 40) : 0;
    ranges_draw(choices, pages, &info);
    return info;
}
