/* SPDX-License-Identifier: ISC */
/* Boot images: any bytes give a status or a verified table; the verdict is the one of a model that
 * packs the sections again and compares; digests of edited images are made to fit when the input
 * asks, so that the rules behind them are reached (R2, E2). */
#include "abi/formats/boot_image.h"
#include "fuzz/codec/codec.h"

const char harness_name[] = "codec_boot_image";
MARKS(12, 0);

enum { SECTION_MAX = 3, LIMIT_BYTES = (2 * SECTION_MAX + 3) * PAGE_BYTES };

static size_t model_page_up(size_t bytes)
{
    return (bytes + 4095) & ~(size_t)4095;
}

/* What was digested last: most digests of an input are of bytes that it asked of before. */
enum { KNOWN_LIMIT = 8, KNOWN_BYTES = 2 * PAGE_BYTES };
static struct {
    struct {
        size_t size_bytes;
        uint8_t bytes[KNOWN_BYTES];
        uint8_t digest[SHA256_BYTES];
    } rows[KNOWN_LIMIT];
    unsigned next;
} known;

static void remember(const uint8_t *bytes, size_t size_bytes, const uint8_t *digest)
{
    if (size_bytes > KNOWN_BYTES)
        return;
    unsigned at = known.next++ % KNOWN_LIMIT;
    known.rows[at].size_bytes = size_bytes;
    memcpy(known.rows[at].bytes, bytes, size_bytes);
    memcpy(known.rows[at].digest, digest, SHA256_BYTES);
}

/* SHA-256, of bytes that it was asked of shortly before without computing it. */
static void digest_of(const uint8_t *bytes, size_t size_bytes, uint8_t *digest)
{
    for (unsigned i = 0; i < KNOWN_LIMIT && size_bytes != 0; i++) {
        if (known.rows[i].size_bytes != size_bytes ||
            memcmp(known.rows[i].bytes, bytes, size_bytes) != 0)
            continue;
        memcpy(digest, known.rows[i].digest, SHA256_BYTES);
        return;
    }
    sha256_of(bytes, size_bytes, digest);
    remember(bytes, size_bytes, digest);
}

static bool model_digest(const uint8_t *bytes, size_t size_bytes, const uint8_t *expected)
{
    uint8_t digest[SHA256_BYTES];
    digest_of(bytes, size_bytes, digest);
    return memcmp(digest, expected, sizeof digest) == 0;
}

/* One row whose section must start at the page after `end`; where it ends, or 0. */
static size_t model_row(const uint8_t *bytes, size_t size_bytes, const uint8_t *row, size_t end)
{
    uint64_t offset = codec_u64(row + 32);
    uint64_t count = codec_u64(row + 40);
    uint32_t kind = codec_u32(row + 24);
    if (!codec_name_ok(row, 24) || kind < 1 || kind > 3 || !codec_zero(row + 28, 4))
        return 0;
    if (offset != model_page_up(end) || offset > size_bytes || count == 0 ||
        count > size_bytes - offset)
        return 0;
    if (!codec_zero(bytes + end, (size_t)offset - end) ||
        !model_digest(bytes + offset, (size_t)count, row + 48))
        return 0;
    return (size_t)(offset + count);
}

static bool model_accepts(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes < 64 || memcmp(bytes, "BASALTBI\1\0\0\0\100\0\0\0", 16) != 0 ||
        codec_u64(bytes + 16) != size_bytes || !codec_zero(bytes + 28, 4))
        return false;
    uint32_t count = codec_u32(bytes + 24);
    if (count == 0 || count > 64 || size_bytes < 64 + 80 * count ||
        !model_digest(bytes + 64, 80 * count, bytes + 32))
        return false;
    size_t end = 64 + 80 * count;
    for (uint32_t i = 0; i < count; i++) {
        end = model_row(bytes, size_bytes, bytes + 64 + 80 * i, end);
        if (end == 0)
            return false;
    }
    return !codec_repeats(bytes + 64, count, 80, 24) && size_bytes == model_page_up(end) &&
           codec_zero(bytes + end, size_bytes - end);
}

/* The digests of an image that was just encoded: by sha256_of(), as digest_of() would. That they are
 * those of the bytes is asked by who opens the image, which computes them again in another way. */
static void remember_image(const uint8_t *bytes)
{
    uint32_t count = codec_u32(bytes + 24);
    remember(bytes + 64, 80 * (size_t)count, bytes + 32);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *row = bytes + 64 + 80 * (size_t)i;
        remember(bytes + codec_u64(row + 32), (size_t)codec_u64(row + 40), row + 48);
    }
}

/* Sections that reuse one content at drawn sizes, so that a page costs no input bytes. */
static size_t build(struct choices *choices, uint8_t *bytes)
{
    static uint8_t content[2 * PAGE_BYTES];
    static char names[SECTION_MAX][BOOT_MODULE_NAME_BYTES];
    struct boot_section_input inputs[SECTION_MAX];
    size_t written;
    size_t count = (size_t)choices_between(choices, 1, SECTION_MAX);
    bool filled = content[sizeof content - 1] != 0;
    for (size_t i = 0; !filled && i < sizeof content; i++)
        content[i] = (uint8_t)(i * 7 + 1);
    choices_bytes(choices, content, 8);
    for (size_t i = 0; i < count; i++) {
        codec_draw_name(choices, names[i], sizeof names[i], (unsigned)i);
        inputs[i].name = names[i];
        inputs[i].kind = (uint32_t)choices_between(choices, 1, 3);
        inputs[i].bytes = content;
        inputs[i].size_bytes = (size_t)choices_between(choices, 1, 64);
        if (choices_u8(choices) % 64 ==
            63) /* at the edge of a page; seldom: its digest costs most */
            inputs[i].size_bytes += PAGE_BYTES - 32;
    }
    PROPERTY_EQUAL(E2, boot_image_encode(inputs, count, bytes, LIMIT_BYTES, &written), STATUS_OK);
    PROPERTY_EQUAL(E2, boot_image_encoded_bytes(inputs, count), written);
    remember_image(bytes);
    return written;
}

/* Rows taken from the input as they are, over pages of zeros. */
static size_t build_raw(struct choices *choices, uint8_t *bytes)
{
    uint32_t count = (uint32_t)choices_below(choices, SECTION_MAX + 1);
    size_t size_bytes = (size_t)choices_between(choices, 0, 4) * PAGE_BYTES;
    memset(bytes, 0, size_bytes);
    if (size_bytes == 0) { /* all of it from the input */
        size_t left = choices_left(choices);
        size_bytes = left < LIMIT_BYTES ? left : LIMIT_BYTES;
        choices_bytes(choices, bytes, size_bytes);
        return size_bytes;
    }
    memcpy(bytes, "BASALTBI\1\0\0\0\100\0\0\0", 16);
    codec_store(bytes + 16, size_bytes, 8);
    codec_store(bytes + 24, count, 4);
    choices_bytes(choices, bytes + 64, (size_t)count * 80);
    return size_bytes;
}

/* Makes the digests of edited bytes fit: the sections' own first, then the table's. */
static void fix_digests(uint8_t *bytes, size_t size_bytes, bool sections)
{
    uint32_t count = size_bytes >= 64 ? codec_u32(bytes + 24) : 0;
    if (count == 0 || count > 64 || size_bytes < 64 + 80 * (size_t)count)
        return;
    for (uint32_t i = 0; i < count && sections; i++) {
        uint8_t *row = bytes + 64 + 80 * i;
        uint64_t offset = codec_u64(row + 32);
        uint64_t length = codec_u64(row + 40);
        if (offset <= size_bytes && length <= size_bytes - offset)
            digest_of(bytes + offset, (size_t)length, row + 48);
    }
    digest_of(bytes + 64, 80 * (size_t)count, bytes + 32);
}

/* A section is what its row says. */
static void check_section(const struct boot_section *section, const uint8_t *row)
{
    PROPERTY(R2, "name", memcmp(section->name, row, sizeof section->name) == 0);
    PROPERTY_EQUAL(R2, "kind", section->kind, codec_u32(row + 24));
    PROPERTY_EQUAL(R2, "offset", section->offset_bytes, codec_u64(row + 32));
    PROPERTY_EQUAL(R2, "size", section->size_bytes, codec_u64(row + 40));
    PROPERTY(R2, "digest", memcmp(section->sha256, row + 48, SHA256_BYTES) == 0);
}

static void check(const uint8_t *bytes, size_t size_bytes, enum codec_mode mode)
{
    static struct boot_image image;
    static uint8_t again[LIMIT_BYTES];
    struct boot_section_input inputs[BOOT_MODULE_LIMIT];
    size_t written;
    memset(&image, 0x5A, sizeof image);
    enum status status = boot_image_open(bytes, size_bytes, &image);
    codec_report("boot image", mode, bytes, size_bytes, status);
    PROPERTY_EQUAL(R2, model_accepts(bytes, size_bytes), status == STATUS_OK);
    PROPERTY(R2, mode != CODEC_BUILT || status == STATUS_OK);
    if (status != STATUS_OK) {
        PROPERTY(R2, codec_zero((const uint8_t *)&image, sizeof image));
        return;
    }
    for (uint32_t i = 0; i < image.section_count; i++) {
        const struct boot_section *section = &image.sections[i];
        inputs[i] =
            (struct boot_section_input){section->name, section->kind, bytes + section->offset_bytes,
                                        (size_t)section->size_bytes};
        check_section(section, bytes + 64 + 80 * (size_t)i);
        PROPERTY_EQUAL(R2, boot_image_find(&image, section->name), i);
    }
    PROPERTY(R2, memcmp(image.table_sha256, bytes + 32, SHA256_BYTES) == 0);
    if (codec_turn(4)) { /* as many digests as all others together */
        PROPERTY_EQUAL(
            E2, boot_image_encode(inputs, image.section_count, again, sizeof again, &written),
            STATUS_OK);
        PROPERTY(E2, written == size_bytes && memcmp(again, bytes, written) == 0);
    }
    digest_bytes(image.table_sha256, sizeof image.table_sha256);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    enum codec_mode mode = codec_mode(&choices);
    static uint8_t built[LIMIT_BYTES];
    uint64_t fix = choices_below(&choices, 3);
    size_t built_bytes = mode == CODEC_RAW ? build_raw(&choices, built) : build(&choices, built);
    if (mode == CODEC_EDITED) {
        /* Most edits fall on the header and the rows, where the rules are. */
        size_t head = choices_flag(&choices) ? built_bytes : 64 + 80 * SECTION_MAX;
        size_t rest = built_bytes - head;
        codec_edit(&choices, built, &head, head);
        built_bytes = rest == 0 || head != 64 + 80 * SECTION_MAX ? head : built_bytes;
    }
    if (mode != CODEC_BUILT && fix != 0)
        fix_digests(built, built_bytes, fix == 2);
    uint8_t *exact = codec_copy(built, built_bytes);
    check(exact, built_bytes, mode);
    free(exact);
    return 0;
}
