/* SPDX-License-Identifier: ISC */
/* Boot image v1: decides whether bytes are a sound and verified image, and writes one. Never
 * decides which sections an image must hold, nor whether a section's content makes sense. */
#include "abi/formats/boot_image.h"

#include <stdbool.h>
#include <string.h>

#include "abi/formats/boot_name.h"
#include "abi/assert.h"
#include "abi/formats/cursor.h"
#include "abi/formats/sha256_lanes.h"

int boot_section_kind_known(uint32_t kind)
{
    return kind == BOOT_SECTION_EXECUTABLE || kind == BOOT_SECTION_BOOT_CONFIG ||
           kind == BOOT_SECTION_DATA;
}

static uint64_t table_end(uint64_t section_count)
{
    return BOOT_IMAGE_HEADER_BYTES + section_count * BOOT_IMAGE_SECTION_BYTES;
}

/* The first page boundary at or after `offset`; false when there is none below 2^64. */
static bool page_up(uint64_t offset_bytes, uint64_t *aligned)
{
    if (__builtin_add_overflow(offset_bytes, (uint64_t)PAGE_BYTES - 1, aligned))
        return false;
    *aligned &= ~((uint64_t)PAGE_BYTES - 1);
    return true;
}

/* The header after magic and version. */
static enum status read_header(struct reader *reader, size_t size_bytes, struct boot_image *out)
{
    uint32_t header_bytes = read_u32(reader);
    out->total_bytes = read_u64(reader);
    out->section_count = read_u32(reader);
    bool reserved_zero = read_zero(reader, 4);
    read_bytes(reader, out->table_sha256, sizeof out->table_sha256);
    if (header_bytes != BOOT_IMAGE_HEADER_BYTES)
        return STATUS_BAD_LENGTH;
    if (!reserved_zero)
        return STATUS_RESERVED_NOT_ZERO;
    if (out->section_count > BOOT_MODULE_LIMIT)
        return STATUS_EXHAUSTED;
    if (out->section_count == 0)
        return STATUS_INVALID_ARGUMENT;
    if (size_bytes < out->total_bytes || size_bytes < table_end(out->section_count))
        return STATUS_TRUNCATED;
    return size_bytes == out->total_bytes ? STATUS_OK : STATUS_BAD_LENGTH;
}

/* The table's digest is checked before its rows are believed. */
static enum status check_table_digest(const struct boot_image *image, const uint8_t *bytes)
{
    uint8_t digest[SHA256_BYTES];
    sha256_of(bytes + BOOT_IMAGE_HEADER_BYTES,
              (size_t)image->section_count * BOOT_IMAGE_SECTION_BYTES, digest);
    return memcmp(digest, image->table_sha256, SHA256_BYTES) == 0 ? STATUS_OK : STATUS_BAD_DIGEST;
}

static enum status read_section(struct reader *reader, struct boot_section *section)
{
    read_bytes(reader, section->name, sizeof section->name);
    section->kind = read_u32(reader);
    bool reserved_zero = read_zero(reader, 4);
    section->offset_bytes = read_u64(reader);
    section->size_bytes = read_u64(reader);
    read_bytes(reader, section->sha256, sizeof section->sha256);
    if (!reserved_zero)
        return STATUS_RESERVED_NOT_ZERO;
    if (!boot_section_kind_known(section->kind) || section->size_bytes == 0)
        return STATUS_INVALID_ARGUMENT;
    return boot_name_check(section->name);
}

static enum status check_unique(const struct boot_image *image, uint32_t index,
                                struct boot_names_met *met)
{
    if (!boot_name_may_repeat(met, image->sections[index].name))
        return STATUS_OK;
    for (uint32_t i = 0; i < index; i++) {
        if (boot_name_equal(image->sections[i].name, image->sections[index].name))
            return STATUS_DUPLICATE;
    }
    return STATUS_OK;
}

/* Whether section `index` lies where the layout puts it: at the first page boundary after
 * `previous_end`, where the section or table before it ends. Its own end goes to *end. */
static enum status check_range(const struct boot_image *image, uint32_t index,
                               uint64_t previous_end, uint64_t *end)
{
    const struct boot_section *section = &image->sections[index];
    uint64_t expected;
    if (section->offset_bytes % PAGE_BYTES != 0)
        return STATUS_NOT_ALIGNED;
    if (!range_within(section->offset_bytes, section->size_bytes, image->total_bytes))
        return STATUS_OUT_OF_RANGE;
    if (index > 0 && section->offset_bytes < section[-1].offset_bytes)
        return STATUS_BAD_ORDER;
    if (section->offset_bytes < previous_end)
        return STATUS_OVERLAP;
    if (!page_up(previous_end, &expected) || section->offset_bytes != expected)
        return STATUS_INVALID_ARGUMENT;
    *end = section->offset_bytes + section->size_bytes;
    UNIT_ASSERT(*end >= previous_end && *end <= image->total_bytes);
    return STATUS_OK;
}

/* Reads the rows, and checks that the padding before each section is zero. */
static enum status read_table(const uint8_t *bytes, struct boot_image *image)
{
    struct reader rows = reader_over(bytes, (size_t)image->total_bytes);
    struct reader padding = rows;
    struct boot_names_met met = {{0}};
    uint64_t end = table_end(image->section_count);
    reader_seek(&rows, BOOT_IMAGE_HEADER_BYTES);
    for (uint32_t i = 0; i < image->section_count; i++) {
        struct boot_section *section = &image->sections[i];
        enum status status = read_section(&rows, section);
        if (status == STATUS_OK)
            status = check_unique(image, i, &met);
        reader_seek(&padding, (size_t)end);
        if (status == STATUS_OK)
            status = check_range(image, i, end, &end);
        if (status != STATUS_OK)
            return status;
        UNIT_ASSERT(section->offset_bytes >= padding.offset_bytes); /* OVERLAP is refused */
        if (!read_zero(&padding, (size_t)section->offset_bytes - padding.offset_bytes))
            return STATUS_RESERVED_NOT_ZERO;
    }
    uint64_t total_bytes;
    if (!page_up(end, &total_bytes) || total_bytes != image->total_bytes)
        return STATUS_BAD_LENGTH;
    reader_seek(&padding, (size_t)end);
    return read_zero(&padding, (size_t)(total_bytes - end)) ? STATUS_OK : STATUS_RESERVED_NOT_ZERO;
}

static enum status parse(const uint8_t *bytes, size_t size_bytes, struct boot_image *out)
{
    struct reader reader = reader_over(bytes, size_bytes);
    if (size_bytes < BOOT_IMAGE_HEADER_BYTES)
        return STATUS_TRUNCATED;
    if (read_u64(&reader) != BOOT_IMAGE_MAGIC)
        return STATUS_BAD_MAGIC;
    if (read_u16(&reader) != BOOT_IMAGE_MAJOR || read_u16(&reader) != BOOT_IMAGE_MINOR)
        return STATUS_BAD_VERSION;
    enum status status = read_header(&reader, size_bytes, out);
    if (status == STATUS_OK)
        status = check_table_digest(out, bytes);
    return status == STATUS_OK ? read_table(bytes, out) : status;
}

enum status boot_image_parse(const void *bytes, size_t size_bytes, struct boot_image *out)
{
    memset(out, 0, sizeof *out);
    enum status status = parse(bytes, size_bytes, out);
    if (status != STATUS_OK)
        memset(out, 0, sizeof *out);
    return status;
}

/* The sections' indices, the largest section first: what is digested side by side is then alone for
 * the shortest time. */
static void order_by_size(const struct boot_image *image, uint32_t order[BOOT_MODULE_LIMIT])
{
    UNIT_ASSERT(image->section_count <= BOOT_MODULE_LIMIT);
    for (uint32_t i = 0; i < image->section_count; i++) {
        uint32_t at = i;
        for (; at > 0 && image->sections[order[at - 1]].size_bytes < image->sections[i].size_bytes;
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

enum status boot_image_verify(const struct boot_image *image, const void *bytes, size_t size_bytes)
{
    uint32_t order[BOOT_MODULE_LIMIT];
    struct sha256_message messages[BOOT_MODULE_LIMIT];
    uint8_t digests[BOOT_MODULE_LIMIT][SHA256_BYTES];
    if (size_bytes != image->total_bytes)
        return STATUS_BAD_LENGTH;
    order_by_size(image, order);
    for (uint32_t i = 0; i < image->section_count; i++) {
        const struct boot_section *section = &image->sections[order[i]];
        messages[i] = (struct sha256_message){(const uint8_t *)bytes + section->offset_bytes,
                                              (size_t)section->size_bytes};
    }
    sha256_of_each(messages, image->section_count, digests);
    for (uint32_t i = 0; i < image->section_count; i++) {
        if (memcmp(digests[i], image->sections[order[i]].sha256, SHA256_BYTES) != 0)
            return STATUS_BAD_DIGEST;
    }
    return STATUS_OK;
}

enum status boot_image_open(const void *bytes, size_t size_bytes, struct boot_image *out)
{
    enum status status = boot_image_parse(bytes, size_bytes, out);
    if (status == STATUS_OK)
        status = boot_image_verify(out, bytes, size_bytes);
    if (status != STATUS_OK)
        memset(out, 0, sizeof *out);
    return status;
}

int boot_image_find(const struct boot_image *image, const char *name)
{
    for (uint32_t i = 0; i < image->section_count && i < BOOT_MODULE_LIMIT; i++) {
        if (boot_name_is(image->sections[i].name, name))
            return (int)i;
    }
    return -1;
}

/* Plans the image: names, kinds, offsets and sizes, everything but the digests. */
static enum status lay_out(const struct boot_section_input *inputs, size_t count,
                           struct boot_image *image)
{
    struct boot_names_met met = {{0}};
    memset(image, 0, sizeof *image);
    if (count > BOOT_MODULE_LIMIT)
        return STATUS_EXHAUSTED;
    if (count == 0)
        return STATUS_INVALID_ARGUMENT;
    image->section_count = (uint32_t)count;
    uint64_t end = table_end(count);
    for (uint32_t i = 0; i < count; i++) {
        struct boot_section *section = &image->sections[i];
        enum status status = boot_name_set(section->name, inputs[i].name);
        if (status == STATUS_OK)
            status = check_unique(image, i, &met);
        if (status != STATUS_OK)
            return status;
        if (!boot_section_kind_known(inputs[i].kind) || inputs[i].size_bytes == 0)
            return STATUS_INVALID_ARGUMENT;
        section->kind = inputs[i].kind;
        section->size_bytes = inputs[i].size_bytes;
        if (!page_up(end, &section->offset_bytes) ||
            __builtin_add_overflow(section->offset_bytes, section->size_bytes, &end))
            return STATUS_OUT_OF_RANGE;
    }
    if (!page_up(end, &image->total_bytes) || image->total_bytes > SIZE_MAX)
        return STATUS_OUT_OF_RANGE;
    return STATUS_OK;
}

size_t boot_image_encoded_bytes(const struct boot_section_input *sections, size_t count)
{
    struct boot_image image;
    return lay_out(sections, count, &image) == STATUS_OK ? (size_t)image.total_bytes : 0;
}

static void write_header(struct writer *writer, const struct boot_image *image)
{
    write_u64(writer, BOOT_IMAGE_MAGIC);
    write_u16(writer, BOOT_IMAGE_MAJOR);
    write_u16(writer, BOOT_IMAGE_MINOR);
    write_u32(writer, BOOT_IMAGE_HEADER_BYTES);
    write_u64(writer, image->total_bytes);
    write_u32(writer, image->section_count);
    write_u32(writer, 0);
    write_bytes(writer, image->table_sha256, sizeof image->table_sha256);
}

static void write_table(struct writer *writer, const struct boot_image *image)
{
    for (uint32_t i = 0; i < image->section_count; i++) {
        const struct boot_section *section = &image->sections[i];
        write_bytes(writer, section->name, sizeof section->name);
        write_u32(writer, section->kind);
        write_u32(writer, 0);
        write_u64(writer, section->offset_bytes);
        write_u64(writer, section->size_bytes);
        write_bytes(writer, section->sha256, sizeof section->sha256);
    }
}

enum status boot_image_encode(const struct boot_section_input *sections, size_t count, void *bytes,
                              size_t size_bytes, size_t *written)
{
    struct boot_image image;
    *written = 0;
    enum status status = lay_out(sections, count, &image);
    if (status != STATUS_OK)
        return status;
    if (size_bytes < image.total_bytes)
        return STATUS_EXHAUSTED;
    for (uint32_t i = 0; i < count; i++)
        sha256_of(sections[i].bytes, sections[i].size_bytes, image.sections[i].sha256);
    struct writer writer = writer_over(bytes, (size_t)image.total_bytes);
    write_header(&writer, &image); /* its table digest is written again below */
    write_table(&writer, &image);
    sha256_of((const uint8_t *)bytes + BOOT_IMAGE_HEADER_BYTES,
              writer.offset_bytes - BOOT_IMAGE_HEADER_BYTES, image.table_sha256);
    struct writer header = writer_over(bytes, BOOT_IMAGE_HEADER_BYTES);
    write_header(&header, &image);
    for (uint32_t i = 0; i < count; i++) {
        UNIT_ASSERT(writer.offset_bytes <= image.sections[i].offset_bytes);
        write_zero(&writer, (size_t)image.sections[i].offset_bytes - writer.offset_bytes);
        write_bytes(&writer, sections[i].bytes, sections[i].size_bytes);
    }
    UNIT_ASSERT(!writer.failed && writer.offset_bytes <= image.total_bytes);
    write_zero(&writer, (size_t)image.total_bytes - writer.offset_bytes);
    *written = writer.offset_bytes;
    return STATUS_OK;
}
