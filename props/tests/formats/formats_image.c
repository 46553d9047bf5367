/* SPDX-License-Identifier: ISC */
/* Fixtures of the boot image and of the ELF load plan. */
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/capability.h"
#include "abi/formats/elf_plan.h"
#include "props/tests/formats/formats_test.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Two sections: boot-config "hello" at 0x1000, data "abc" at 0x2000; three pages. The digests are
 * sha256sum's. Offsets: header 18 section_count, 20 digest; rows at 40 and 90: +18 kind, +1c
 * reserved, +20 offset, +28 size, +30 digest. */
static const char image_hex[] =
    "42415341 4c544249 0100 0000 40000000 0030000000000000 02000000 00000000"
    "eefe0546b6791d3f1d5c8116b085bad96436ef543aeb8d93a467e79e9ae1e637"
    "626f6f742d636f6e666967 00000000000000000000000000 02000000 00000000"
    "0010000000000000 0500000000000000"
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    "64617461 0000000000000000000000000000000000000000 03000000 00000000"
    "0020000000000000 0300000000000000"
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char image_content[] = "@1000 68656c6c6f @2000 616263 @2fff 00";

/* What the header says, with the table digest as it stands. */
static const struct variation image_variations[] = {
    {"no bytes", "", 0, STATUS_TRUNCATED},
    {"one byte short of a header", "", 63, STATUS_TRUNCATED},
    {"cut inside the table", "", 223, STATUS_TRUNCATED},
    {"cut inside a section", "", 0x2001, STATUS_TRUNCATED},
    {"one byte missing", "", 0x2FFF, STATUS_TRUNCATED},
    {"one byte too many", "", 0x3001, STATUS_BAD_LENGTH},
    {"another magic", "@0 62", WHOLE, STATUS_BAD_MAGIC},
    {"major 2", "@8 0200", WHOLE, STATUS_BAD_VERSION},
    {"minor 1", "@a 0100", WHOLE, STATUS_BAD_VERSION},
    {"header_bytes 80", "@c 50", WHOLE, STATUS_BAD_LENGTH},
    {"reserved of the header", "@1c 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"no sections", "@18 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"65 sections", "@18 41000000", WHOLE, STATUS_EXHAUSTED},
    {"2^32-1 sections", "@18 ffffffff", WHOLE, STATUS_EXHAUSTED},
    {"total of 2^64-1 bytes", "@10 ffffffffffffffff", WHOLE, STATUS_TRUNCATED},
    {"a flipped bit of the table's digest", "@20 ef", WHOLE, STATUS_BAD_DIGEST},
    {"a flipped bit of the table", "@40 63", WHOLE, STATUS_BAD_DIGEST},
    {"a row less than the digest covers", "@18 01000000", WHOLE, STATUS_BAD_DIGEST},
    {"a flipped bit of the first section", "@1000 69", WHOLE, STATUS_BAD_DIGEST},
    {"a flipped bit of the last section", "@2002 62", WHOLE, STATUS_BAD_DIGEST},
    {"padding after the table", "@e0 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"last byte of the padding after the table", "@fff 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"padding between sections", "@1005 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"padding before the second section", "@1fff 80", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"padding after the last section", "@2fff 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
};

/* What the rows say, under a table digest that fits. */
static const struct variation table_variations[] = {
    {"an executable", "@58 01000000", WHOLE, STATUS_OK},
    {"kind 0", "@58 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"kind 4", "@58 04000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"reserved of a row", "@ac 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"an empty section", "@68 0000000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a name outside the alphabet", "@90 44", WHOLE, STATUS_BAD_TEXT},
    {"an empty name", "@90 00000000", WHOLE, STATUS_BAD_TEXT},
    {"a letter after a name's end", "@a7 61", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"a name twice", "@90 626f6f742d636f6e666967", WHOLE, STATUS_DUPLICATE},
    {"an offset inside a page", "@b0 0120000000000000", WHOLE, STATUS_NOT_ALIGNED},
    {"a section past the end", "@b0 0030000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"a section that leaves the image", "@b8 0110000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"a section that wraps", "@b0 00f0ffffffffffff @b8 0010000000000000", WHOLE,
     STATUS_OUT_OF_RANGE},
    {"sections descend", "@60 0020000000000000 @68 0300000000000000 @b0 0010000000000000", WHOLE,
     STATUS_INVALID_ARGUMENT},
    {"a section on the table", "@60 0000000000000000", WHOLE, STATUS_OVERLAP},
    {"the second section before the first", "@b0 0000000000000000", WHOLE, STATUS_BAD_ORDER},
    {"sections at one offset", "@b0 0010000000000000", WHOLE, STATUS_OVERLAP},
    {"sections share a page", "@68 0110000000000000", WHOLE, STATUS_OVERLAP},
    {"a hole of a page", "@60 0020000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a page too much at the end", "@10 0040000000000000", 0x4000, STATUS_BAD_LENGTH},
    {"a section's digest is another one's", "@70 2d", WHOLE, STATUS_BAD_DIGEST},
};

static void fix_table_digest(struct fixture *fixture)
{
    sha256_of(fixture->bytes + BOOT_IMAGE_HEADER_BYTES, 2 * BOOT_IMAGE_SECTION_BYTES,
              fixture->bytes + 0x20);
}

static void try_image(const struct fixture *fixture, const char *what, enum status expected)
{
    static struct boot_image image;
    memset(&image, 0xA5, sizeof image);
    enum status status = boot_image_open(fixture->bytes, fixture->size_bytes, &image);
    test_status("boot image", what, expected, status);
    if (status != STATUS_OK)
        expect_of("boot image", "  leaves zeros", all_zero(&image, sizeof image));
}

/* The encoder, against the literal image. */
static void test_image_encode(const struct fixture *base)
{
    static uint8_t bytes[FIXTURE_BYTES_MAX];
    size_t written = 1;
    struct boot_section_input inputs[] = {
        {"boot-config", BOOT_SECTION_BOOT_CONFIG, "hello", 5},
        {"data", BOOT_SECTION_DATA, "abc", 3},
    };
    memset(bytes, 0xA5, sizeof bytes);
    test_status("boot image", "encode into too few bytes", STATUS_EXHAUSTED,
                boot_image_encode(inputs, 2, bytes, 0x2FFF, &written));
    expect_of("boot image", "  writes nothing", written == 0 && bytes[0] == 0xA5);
    test_status("boot image", "encode", STATUS_OK,
                boot_image_encode(inputs, 2, bytes, sizeof bytes, &written));
    expect_of("boot image", "  gives the literal image",
              written == base->size_bytes && memcmp(bytes, base->bytes, written) == 0 &&
                  bytes[written] == 0xA5);
    expect_of("boot image", "  of the size foretold",
              boot_image_encoded_bytes(inputs, 2) == written);
    test_status("boot image", "encode into exactly enough bytes", STATUS_OK,
                boot_image_encode(inputs, 2, bytes, base->size_bytes, &written));
    test_status("boot image", "encode nothing", STATUS_INVALID_ARGUMENT,
                boot_image_encode(inputs, 0, bytes, sizeof bytes, &written));
    test_status("boot image", "encode 65 sections", STATUS_EXHAUSTED,
                boot_image_encode(inputs, BOOT_MODULE_LIMIT + 1, bytes, sizeof bytes, &written));
    inputs[1].name = "boot-config";
    test_status("boot image", "encode a name twice", STATUS_DUPLICATE,
                boot_image_encode(inputs, 2, bytes, sizeof bytes, &written));
    inputs[1] = (struct boot_section_input){"data", 9, "abc", 3};
    test_status("boot image", "encode an unknown kind", STATUS_INVALID_ARGUMENT,
                boot_image_encode(inputs, 2, bytes, sizeof bytes, &written));
    inputs[1] = (struct boot_section_input){"data", BOOT_SECTION_DATA, "abc", SIZE_MAX - 4096};
    test_status("boot image", "encode sizes that wrap", STATUS_OUT_OF_RANGE,
                boot_image_encode(inputs, 2, bytes, sizeof bytes, &written));
    expect_of("boot image", "  have no size", boot_image_encoded_bytes(inputs, 2) == 0);
}

/* As many sections as there can be, each of a whole page: no padding between them. */
static void test_full_image(void)
{
    enum { FULL_BYTES = (2 + BOOT_MODULE_LIMIT) * PAGE_BYTES };
    static uint8_t bytes[FULL_BYTES];
    static const uint8_t page[PAGE_BYTES] = {1};
    static char names[BOOT_MODULE_LIMIT][3];
    static struct boot_image image;
    struct boot_section_input inputs[BOOT_MODULE_LIMIT];
    size_t written;
    for (unsigned i = 0; i < BOOT_MODULE_LIMIT; i++) {
        names[i][0] = (char)('a' + i / 26);
        names[i][1] = (char)('a' + i % 26);
        inputs[i] = (struct boot_section_input){names[i], BOOT_SECTION_DATA, page, sizeof page};
    }
    test_status("boot image", "encode 64 sections of a page", STATUS_OK,
                boot_image_encode(inputs, BOOT_MODULE_LIMIT, bytes, sizeof bytes, &written));
    expect_of("boot image", "  fill their pages", written == FULL_BYTES);
    test_status("boot image", "  and are accepted", STATUS_OK,
                boot_image_open(bytes, written, &image));
    expect_of("boot image", "  all of them", boot_image_find(&image, "cl") == 63);
    inputs[1].size_bytes = SIZE_MAX - 3 * PAGE_BYTES + 2;
    test_status("boot image", "encode a size whose last page wraps", STATUS_OUT_OF_RANGE,
                boot_image_encode(inputs, 2, bytes, sizeof bytes, &written));
}

void test_boot_image(void)
{
    static struct boot_image image;
    struct fixture header = fixture_of(image_hex);
    const struct variation content = {"", image_content, WHOLE, STATUS_OK};
    struct fixture base = fixture_vary(&header, &content);
    try_image(&base, "accepted", STATUS_OK);
    boot_image_parse(base.bytes, base.size_bytes, &image);
    expect_of("boot image", "fields",
              image.total_bytes == 0x3000 && image.section_count == 2 &&
                  image.table_sha256[0] == 0xEE && image.sections[1].offset_bytes == 0x2000 &&
                  image.sections[1].size_bytes == 3 && image.sections[1].kind == 3 &&
                  image.sections[1].sha256[31] == 0xAD);
    struct fixture longer = base;
    longer.bytes[longer.size_bytes++] = 0;
    test_status("boot image", "parse alone, a byte after its end", STATUS_BAD_LENGTH,
                boot_image_parse(longer.bytes, longer.size_bytes, &image));
    expect_of("boot image", "  leaves zeros", all_zero(&image, sizeof image));
    boot_image_parse(base.bytes, base.size_bytes, &image);
    expect_of("boot image", "find",
              boot_image_find(&image, "data") == 1 && boot_image_find(&image, "datas") == -1 &&
                  boot_image_find(&image, "") == -1);
    test_status("boot image", "verify another size", STATUS_BAD_LENGTH,
                boot_image_verify(&image, base.bytes, base.size_bytes - 1));
    for (size_t i = 0; i < COUNT(image_variations); i++) {
        struct fixture varied = fixture_vary(&base, &image_variations[i]);
        try_image(&varied, image_variations[i].what, image_variations[i].status);
    }
    for (size_t i = 0; i < COUNT(table_variations); i++) {
        struct fixture varied = fixture_vary(&base, &table_variations[i]);
        fix_table_digest(&varied);
        try_image(&varied, table_variations[i].what, table_variations[i].status);
    }
    test_image_encode(&base);
    test_full_image();
}

/* Code at 0x400000, constants at 0x401000, data and stack at 0x402000; a stack note. Program
 * headers at 40, 78, b0 and e8: +4 flags, +8 offset, +10 va, +20 filesz, +28 memsz, +30 align. */
static const char elf_hex[] =
    "7f454c46 02 01 01 00 00 00000000000000 0200 3e00 01000000 1000400000000000 4000000000000000"
    "0000000000000000 00000000 4000 3800 0400 4000 0000 0000"
    "01000000 05000000 0010000000000000 0000400000000000 0000400000000000 3300000000000000"
    "3300000000000000 0010000000000000"
    "01000000 04000000 0020000000000000 0010400000000000 0010400000000000 0010000000000000"
    "0010000000000000 0010000000000000"
    "01000000 06000000 0030000000000000 0020400000000000 0020400000000000 0800000000000000"
    "0110010000000000 0010000000000000"
    "51e57464 06000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000"
    "0000000000000000 0000000000000000";
enum { ELF_FILE_BYTES = 0x3008, ELF_BASE_BYTES = 0x120 };

/* size_bytes: of the view; the file keeps its size. */
static const struct variation elf_variations[] = {
    {"a note besides", "@e8 04000000", WHOLE, STATUS_OK},
    {"a header of no type besides", "@e8 00000000", WHOLE, STATUS_OK},
    {"the program headers' own header besides", "@e8 06000000", WHOLE, STATUS_OK},
    {"section headers said to lie anywhere", "@28 ffffffffffffffff @3c ffffffff", WHOLE, STATUS_OK},
    {"physical addresses said to be anything", "@58 ffffffffffffffff", WHOLE, STATUS_OK},
    {"the last segment without file bytes", "@b8 0070000000000000 @d0 0000000000000000", WHOLE,
     STATUS_OK},
    {"entry on the first byte of code", "@18 00", WHOLE, STATUS_OK},
    {"entry on the last byte of code", "@18 32", WHOLE, STATUS_OK},
    {"first segment on the first page there is", "@50 0010000000000000 @18 0010000000000000", WHOLE,
     STATUS_OK},
    {"the last segment at the end of user addresses", "@c0 00d0feffff7f0000", WHOLE, STATUS_OK},
    {"the unwinder's table besides", "@e8 50e57464", WHOLE, STATUS_OK},
    {"what is read-only later besides", "@e8 52e57464", WHOLE, STATUS_OK},
    {"properties besides", "@e8 53e57464", WHOLE, STATUS_OK},
    {"an empty segment besides", "@e8 01000000", WHOLE, STATUS_OK},
    {"an empty segment in the middle", "@98 0000000000000000 @a0 0000000000000000", WHOLE,
     STATUS_OK},
    {"address and offset inside a page, congruent", "@48 0810000000000000 @50 0800400000000000",
     WHOLE, STATUS_OK},
    {"alignment 0", "@70 0000000000000000", WHOLE, STATUS_OK},
    {"alignment 1", "@70 0100000000000000", WHOLE, STATUS_OK},
    {"a larger alignment, congruent",
     "@80 0010000000000000 @88 0010600000000000 @a8 0000200000000000 "
     "@c0 0020600000000000",
     WHOLE, STATUS_OK},
    {"an offset anywhere, no file bytes", "@b8 0170000000000000 @d0 0000000000000000", WHOLE,
     STATUS_OK},
    {"file offsets descend", "@48 0020000000000000 @80 0010000000000000", WHOLE, STATUS_OK},
    {"segments on one page of the file", "@80 0010000000000000", WHOLE, STATUS_OK},
    {"no writable segment at the end", "@b0 00000000", WHOLE, STATUS_OK},
    {"a stack of the size that there is", "@110 0000010000000000", WHOLE, STATUS_OK},
    {"a stack that is the last segment", "@f8 0020400000000000 @110 0110010000000000", WHOLE,
     STATUS_OK},
    {"no bytes", "", 0, STATUS_TRUNCATED},
    {"one byte short of a header", "", 63, STATUS_TRUNCATED},
    {"a view of the ELF header alone", "", 64, STATUS_OUT_OF_RANGE},
    {"a view that ends before the headers", "", 0x11F, STATUS_OUT_OF_RANGE},
    {"another magic", "@0 7e", WHOLE, STATUS_BAD_MAGIC},
    {"32 bits", "@4 01", WHOLE, STATUS_UNSUPPORTED},
    {"big-endian", "@5 02", WHOLE, STATUS_UNSUPPORTED},
    {"ident version 0", "@6 00", WHOLE, STATUS_BAD_VERSION},
    {"another ABI", "@7 03", WHOLE, STATUS_UNSUPPORTED},
    {"an ABI version", "@8 01", WHOLE, STATUS_UNSUPPORTED},
    {"padding of the ident", "@f 01", WHOLE, STATUS_RESERVED_NOT_ZERO},
    {"a relocatable file", "@10 0100", WHOLE, STATUS_UNSUPPORTED},
    {"a position-independent file", "@10 0300", WHOLE, STATUS_REQUIRE_DYNAMIC},
    {"another machine", "@12 b700", WHOLE, STATUS_UNSUPPORTED},
    {"version 2", "@14 02000000", WHOLE, STATUS_BAD_VERSION},
    {"processor flags", "@30 01000000", WHOLE, STATUS_UNSUPPORTED},
    {"e_ehsize 65", "@34 4100", WHOLE, STATUS_BAD_LENGTH},
    {"e_phentsize 32", "@36 2000", WHOLE, STATUS_BAD_LENGTH},
    {"no program headers", "@38 0000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"17 program headers", "@38 1100", WHOLE, STATUS_EXHAUSTED},
    {"65535 program headers", "@38 ffff", WHOLE, STATUS_EXHAUSTED},
    {"program headers elsewhere", "@20 4800000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"program headers inside the ELF header", "@20 0000000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"an interpreter", "@e8 03000000", WHOLE, STATUS_REQUIRE_DYNAMIC},
    {"a dynamic section", "@e8 02000000", WHOLE, STATUS_REQUIRE_DYNAMIC},
    {"thread-local storage", "@e8 07000000", WHOLE, STATUS_UNSUPPORTED},
    {"an unknown header type", "@e8 ffffff6f", WHOLE, STATUS_UNSUPPORTED},
    {"an executable stack", "@ec 07000000", WHOLE, STATUS_WRITE_AND_EXECUTE},
    {"a stack of more than there is", "@110 0100010000000000", WHOLE, STATUS_OVER_LIMIT},
    {"a stack that is less than the last segment", "@f8 0020400000000000 @110 0010010000000000",
     WHOLE, STATUS_INVALID_ARGUMENT},
    {"a stack that is another segment", "@f8 0010400000000000 @110 0010000000000000", WHOLE,
     STATUS_INVALID_ARGUMENT},
    {"a stack that is not writable",
     "@b4 04000000 @d8 0800000000000000 @f8 0020400000000000 "
     "@110 0800000000000000",
     WHOLE, STATUS_INVALID_ARGUMENT},
    {"two stacks", "@78 51e57464 06000000 @88 0000000000000000 @a0 0000000000000000", WHOLE,
     STATUS_DUPLICATE},
    {"no segment", "@40 00000000 @78 00000000 @b0 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"writable code", "@44 07000000", WHOLE, STATUS_WRITE_AND_EXECUTE},
    {"code that cannot be read", "@44 01000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"a segment without rights", "@7c 00000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"an unknown flag", "@7c 0c000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"file bytes without memory", "@68 0000000000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"more file than memory", "@d0 0210010000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"read-only memory past the file's", "@a0 0108000000000000 @98 0008000000000000", WHOLE,
     STATUS_INVALID_ARGUMENT},
    {"a larger alignment, not congruent", "@70 0020000000000000", WHOLE, STATUS_NOT_ALIGNED},
    {"an alignment that is no power of two", "@70 0030000000000000", WHOLE, STATUS_NOT_ALIGNED},
    {"an address inside a page", "@50 0800400000000000", WHOLE, STATUS_NOT_ALIGNED},
    {"an offset inside a page", "@48 0810000000000000", WHOLE, STATUS_NOT_ALIGNED},
    {"page 0", "@50 0000000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"one page past the end of user addresses", "@c0 00e0feffff7f0000", WHOLE, STATUS_OUT_OF_RANGE},
    {"past the last user address", "@c0 00f0feffff7f0000", WHOLE, STATUS_OUT_OF_RANGE},
    {"the kernel half", "@c0 0000000000800000", WHOLE, STATUS_OUT_OF_RANGE},
    {"memory that wraps", "@d8 ffffffffffffffff", WHOLE, STATUS_OUT_OF_RANGE},
    {"file bytes past the file", "@d0 0900000000000000", WHOLE, STATUS_OUT_OF_RANGE},
    {"file bytes that wrap", "@b8 00f0ffffffffffff @d0 0010000000000000", WHOLE,
     STATUS_OUT_OF_RANGE},
    {"addresses descend", "@50 0010500000000000", WHOLE, STATUS_BAD_ORDER},
    {"segments on one page", "@88 0000400000000000", WHOLE, STATUS_OVERLAP},
    {"segments next to each other on one page", "@80 3310000000000000 @88 3300400000000000", WHOLE,
     STATUS_OVERLAP},
    {"a segment that reaches into the next", "@98 0110000000000000 @a0 0110000000000000", WHOLE,
     STATUS_OVERLAP},
    {"entry one byte past the code", "@18 33", WHOLE, STATUS_INVALID_ARGUMENT},
    {"entry before the code", "@18 ff0f3f", WHOLE, STATUS_INVALID_ARGUMENT},
    {"entry in constants", "@18 0010400000000000", WHOLE, STATUS_INVALID_ARGUMENT},
    {"no code", "@44 04000000", WHOLE, STATUS_INVALID_ARGUMENT},
};

static void try_elf(const struct fixture *view, const char *what, enum status expected)
{
    struct elf_plan plan;
    memset(&plan, 0xA5, sizeof plan);
    enum status status = elf_plan_parse(view->bytes, view->size_bytes, ELF_FILE_BYTES, &plan);
    test_status("ELF plan", what, expected, status);
    if (status != STATUS_OK)
        expect_of("ELF plan", "  leaves zeros", all_zero(&plan, sizeof plan));
}

/* Nine segments in a row: the ninth is one too many. */
static void test_segment_limit(const struct fixture *base, unsigned count, enum status expected)
{
    struct fixture many = *base;
    struct elf_plan plan;
    many.bytes[0x38] = (uint8_t)(count + 1);
    many.size_bytes = ELF_HEADER_BYTES + (count + 1) * ELF_PROGRAM_HEADER_BYTES;
    for (unsigned i = 1; i <= count; i++) {
        uint8_t *row = many.bytes + ELF_HEADER_BYTES + i * ELF_PROGRAM_HEADER_BYTES;
        memcpy(row, base->bytes + 0xB0, ELF_PROGRAM_HEADER_BYTES);
        row[0x12] = (uint8_t)(0x40 + i * 2); /* 128 KiB further on each */
        row[0x20] = 0;
    }
    test_status("ELF plan", expected == STATUS_OK ? "eight segments" : "nine segments", expected,
                elf_plan_parse(many.bytes, many.size_bytes, 1 << 20, &plan));
}

static bool piece_is(const struct elf_segment *segment, uint64_t page, uint64_t file_offset,
                     uint32_t at, uint32_t bytes)
{
    struct elf_piece piece = elf_segment_piece(segment, page);
    return piece.file_offset == file_offset && piece.at == at && piece.bytes == bytes;
}

/* Constants that begin and end inside pages: zeros around them, and a whole page between (G4). */
static void test_elf_pages(const struct fixture *base)
{
    static const struct variation inside = {
        .edits =
            "@80 f00f000000000000 @88 f01f400000000000 @98 2010000000000000 @a0 2010000000000000"
            "@c0 0060400000000000",
        .size_bytes = WHOLE};
    struct fixture view = fixture_vary(base, &inside);
    struct elf_plan plan;
    uint64_t first = 0;
    uint64_t count = 0;
    elf_plan_parse(view.bytes, view.size_bytes, ELF_FILE_BYTES, &plan);
    const struct elf_segment *segment = &plan.segments[1];
    expect_of("ELF plan", "constants inside pages",
              plan.segment_count == 3 && segment->va == 0x401000 && segment->first_bytes == 0xFF0 &&
                  segment->pages == 3 && segment->memory_bytes == 0x1020);
    expect_of("ELF plan", "  the end of the first", piece_is(segment, 0, 0xFF0, 0xFF0, 0x10));
    expect_of("ELF plan", "  all of the second", piece_is(segment, 1, 0x1000, 0, PAGE_BYTES));
    expect_of("ELF plan", "  the beginning of the third", piece_is(segment, 2, 0x2000, 0, 0x10));
    elf_segment_whole(segment, &first, &count);
    expect_of("ELF plan", "  the second alone is the file's", first == 1 && count == 1);
}

void test_elf_plan(void)
{
    struct fixture base = fixture_of(elf_hex);
    struct elf_plan plan;
    try_elf(&base, "accepted", STATUS_OK);
    elf_plan_parse(base.bytes, base.size_bytes, ELF_FILE_BYTES, &plan);
    expect_of("ELF plan", "whole",
              plan.entry == 0x400010 && plan.va_first == 0x400000 && plan.va_end == 0x414000 &&
                  plan.stack_top == 0 && plan.segment_count == 3 && elf_plan_pages(&plan) == 20);
    expect_of("ELF plan", "code",
              plan.segments[0].va == 0x400000 && plan.segments[0].pages == 1 &&
                  plan.segments[0].file_offset == 0x1000 && plan.segments[0].file_bytes == 0x33 &&
                  plan.segments[0].rights == (RIGHT_READ | RIGHT_EXECUTE));
    expect_of("ELF plan", "constants", plan.segments[1].rights == RIGHT_READ);
    expect_of("ELF plan", "data and stack",
              plan.segments[2].pages == 18 && plan.segments[2].file_bytes == 8 &&
                  plan.segments[2].memory_bytes == 0x11001 &&
                  plan.segments[2].rights == (RIGHT_READ | RIGHT_WRITE));
    test_status("ELF plan", "view longer than the file", STATUS_BAD_LENGTH,
                elf_plan_parse(base.bytes, base.size_bytes, ELF_BASE_BYTES - 1, &plan));
    test_status("ELF plan", "file that ends inside its headers", STATUS_TRUNCATED,
                elf_plan_parse(base.bytes, ELF_BASE_BYTES - 1, ELF_BASE_BYTES - 1, &plan));
    test_elf_pages(&base);
    for (size_t i = 0; i < COUNT(elf_variations); i++) {
        struct fixture varied = fixture_vary(&base, &elf_variations[i]);
        try_elf(&varied, elf_variations[i].what, elf_variations[i].status);
    }
    struct fixture headers = base; /* sixteen program headers, twelve of no type */
    headers.bytes[0x38] = ELF_PROGRAM_HEADER_LIMIT;
    headers.size_bytes = ELF_HEADER_BYTES + ELF_PROGRAM_HEADER_LIMIT * ELF_PROGRAM_HEADER_BYTES;
    try_elf(&headers, "sixteen program headers", STATUS_OK);
    test_status("ELF plan", "file whose headers end with it, in a shorter view",
                STATUS_OUT_OF_RANGE,
                elf_plan_parse(base.bytes, ELF_BASE_BYTES - 1, ELF_BASE_BYTES, &plan));
    test_segment_limit(&base, 7, STATUS_OK);
    test_segment_limit(&base, 8, STATUS_EXHAUSTED);
}
