/* SPDX-License-Identifier: ISC */
/* Reads one header of a ustar archive after the other. Decides what an entry says; never whether two
 * of them contradict each other, which is for whoever makes a tree of them. */
#include "abi/formats/archive.h"

#include <stdbool.h>
#include <string.h>

#include "abi/assert.h"
#include "abi/formats/cursor.h"

/* A field of a header. */
struct field {
    size_t at;
    size_t bytes;
};

static const struct field name_field = {0, 100};
static const struct field mode_field = {100, 8};
static const struct field size_field = {124, 12};
static const struct field time_field = {136, 12};
static const struct field sum_field = {148, 8};
static const struct field link_field = {157, 100};
static const struct field magic_field = {257, 6};
static const struct field version_field = {263, 2};
static const struct field prefix_field = {345, 155};
static const struct field padding_field = {500, 12};

enum { TYPE_AT = 156, MODE_MASK = 07777 };

/* --- fields ----------------------------------------------------------------------------------- */

/* Octal digits, spaces before them, and spaces or zeros up to the field's end. */
static enum status number(const uint8_t *header, struct field field, uint64_t *value)
{
    const uint8_t *bytes = header + field.at;
    size_t at = 0;
    *value = 0;
    while (at < field.bytes && bytes[at] == ' ')
        at++;
    size_t first = at;
    for (; at < field.bytes && bytes[at] >= '0' && bytes[at] <= '7'; at++)
        *value = *value * 8 + (uint64_t)(bytes[at] - '0');
    if (at == first || at == field.bytes)
        return STATUS_INVALID_ARGUMENT;
    for (; at < field.bytes; at++) {
        if (bytes[at] != ' ' && bytes[at] != 0)
            return STATUS_INVALID_ARGUMENT;
    }
    return STATUS_OK;
}

/* How long a text is that fills its field or ends with a zero. */
static enum status text(const uint8_t *header, struct field field, size_t *count)
{
    const uint8_t *bytes = header + field.at;
    *count = 0;
    while (*count < field.bytes && bytes[*count] != 0)
        ++*count;
    return bytes_zero(bytes + *count, field.bytes - *count) ? STATUS_OK : STATUS_RESERVED_NOT_ZERO;
}

/* The sum of all bytes of a header. Every second byte of a word has a lane of sixteen bits, which
 * holds what that comes to in all words, twice. */
static uint64_t sum_of(const uint8_t *header)
{
    const uint64_t second = UINT64_C(0x00FF00FF00FF00FF);
    uint64_t lanes = 0;
    _Static_assert(ARCHIVE_BLOCK_BYTES / 8 * 2 * UINT8_MAX <= UINT16_MAX, "a lane holds its sum");
    for (size_t i = 0; i < ARCHIVE_BLOCK_BYTES; i += sizeof lanes) {
        uint64_t word = load_width(header + i, sizeof word);
        lanes += (word & second) + (word >> 8 & second);
    }
    return (lanes & UINT16_MAX) + (lanes >> 16 & UINT16_MAX) + (lanes >> 32 & UINT16_MAX) +
           (lanes >> 48);
}

/* The sum of all bytes of the header, those of the sum itself taken for spaces. */
static enum status check_sum(const uint8_t *header)
{
    uint64_t stated;
    enum status status = number(header, sum_field, &stated);
    if (status != STATUS_OK)
        return status;
    uint64_t sum = sum_of(header);
    for (size_t i = 0; i < sum_field.bytes; i++)
        sum = sum - header[sum_field.at + i] + ' ';
    return sum == stated ? STATUS_OK : STATUS_BAD_DIGEST;
}

static enum status check_format(const uint8_t *header)
{
    if (memcmp(header + magic_field.at, "ustar", magic_field.bytes) != 0)
        return STATUS_BAD_MAGIC;
    if (memcmp(header + version_field.at, "00", version_field.bytes) != 0)
        return STATUS_BAD_VERSION;
    return bytes_zero(header + padding_field.at, padding_field.bytes) ? STATUS_OK
                                                                      : STATUS_RESERVED_NOT_ZERO;
}

/* --- what an entry says ----------------------------------------------------------------------- */

static enum status read_kind(uint8_t type, struct archive_entry *entry)
{
    if (type == '0' || type == 0)
        entry->kind = ARCHIVE_FILE;
    else if (type == '2')
        entry->kind = ARCHIVE_SYMLINK;
    else if (type == '5')
        entry->kind = ARCHIVE_DIRECTORY;
    else
        return STATUS_UNSUPPORTED;
    return STATUS_OK;
}

static void append(struct archive_entry *entry, const uint8_t *bytes, size_t count)
{
    memcpy(entry->path + entry->path_count, bytes, count);
    entry->path_count += count;
}

/* The name as tar programs write it becomes a path as everybody else writes it. */
static enum status canonical(struct archive_entry *entry)
{
    uint8_t *path = entry->path; /* '/' and the name */
    size_t count = entry->path_count;
    if (entry->kind == ARCHIVE_DIRECTORY && count > 2 && path[count - 1] == '/')
        count--;
    if (count == 2 && path[1] == '.') {
        count = 1;
    } else if (count > 3 && path[1] == '.' && path[2] == '/') {
        count -= 2;
        memmove(path + 1, path + 3, count - 1);
    }
    entry->path_count = count;
    memset(path + count, 0, sizeof entry->path - count);
    if (count == 1 && entry->kind != ARCHIVE_DIRECTORY)
        return STATUS_BAD_TEXT; /* no name, or the root's */
    return path_check(path, count);
}

static enum status read_path(const uint8_t *header, struct archive_entry *entry)
{
    size_t prefix_count;
    size_t name_count;
    enum status status = text(header, prefix_field, &prefix_count);
    if (status == STATUS_OK)
        status = text(header, name_field, &name_count);
    if (status != STATUS_OK)
        return status;
    if (name_count == 0)
        return STATUS_BAD_TEXT;
    append(entry, (const uint8_t *)"/", 1);
    append(entry, header + prefix_field.at, prefix_count);
    if (prefix_count != 0)
        append(entry, (const uint8_t *)"/", 1);
    append(entry, header + name_field.at, name_count);
    return canonical(entry);
}

static enum status read_target(const uint8_t *header, struct archive_entry *entry)
{
    size_t count;
    enum status status = text(header, link_field, &count);
    if (status != STATUS_OK)
        return status;
    if (entry->kind != ARCHIVE_SYMLINK)
        return count == 0 ? STATUS_OK : STATUS_INVALID_ARGUMENT;
    memcpy(entry->target, header + link_field.at, count);
    entry->target_count = count;
    return path_check_target(entry->target, count);
}

static enum status read_numbers(const uint8_t *header, struct archive_entry *entry, uint64_t *size)
{
    uint64_t mode;
    enum status status = number(header, mode_field, &mode);
    if (status == STATUS_OK)
        status = number(header, time_field, &entry->modified_seconds);
    if (status == STATUS_OK)
        status = number(header, size_field, size);
    if (status != STATUS_OK)
        return status;
    if ((mode & ~(uint64_t)MODE_MASK) != 0 || (entry->kind != ARCHIVE_FILE && *size != 0))
        return STATUS_INVALID_ARGUMENT;
    entry->mode = (uint32_t)mode;
    return STATUS_OK;
}

/* Where its bytes are, and that they and their padding are there. */
static enum status read_data(const uint8_t *bytes, size_t size_bytes, size_t data_at,
                             uint64_t data_bytes, struct archive_entry *entry)
{
    size_t left = size_bytes - data_at;
    if (data_bytes > left)
        return STATUS_TRUNCATED;
    size_t padding =
        (ARCHIVE_BLOCK_BYTES - (size_t)data_bytes % ARCHIVE_BLOCK_BYTES) % ARCHIVE_BLOCK_BYTES;
    if (padding > left - (size_t)data_bytes)
        return STATUS_TRUNCATED;
    if (!bytes_zero(bytes + data_at + data_bytes, padding))
        return STATUS_RESERVED_NOT_ZERO;
    entry->data_at = data_at;
    entry->data_bytes = (size_t)data_bytes;
    return STATUS_OK;
}

static enum status read_entry(const uint8_t *bytes, size_t size_bytes, size_t at,
                              struct archive_entry *entry)
{
    const uint8_t *header = bytes + at;
    uint64_t data_bytes = 0;
    enum status status = check_format(header);
    if (status == STATUS_OK)
        status = check_sum(header);
    if (status == STATUS_OK)
        status = read_kind(header[TYPE_AT], entry);
    if (status == STATUS_OK)
        status = read_path(header, entry);
    if (status == STATUS_OK)
        status = read_target(header, entry);
    if (status == STATUS_OK)
        status = read_numbers(header, entry, &data_bytes);
    if (status == STATUS_OK)
        status = read_data(bytes, size_bytes, at + ARCHIVE_BLOCK_BYTES, data_bytes, entry);
    return status;
}

/* --- one after the other ---------------------------------------------------------------------- */

/* Two blocks of zeros, or more. */
static enum status read_end(const uint8_t *bytes, size_t count)
{
    if (count < 2 * (size_t)ARCHIVE_BLOCK_BYTES)
        return STATUS_TRUNCATED;
    return bytes_zero(bytes, count) ? STATUS_NOT_FOUND : STATUS_RESERVED_NOT_ZERO;
}

enum status archive_next(const uint8_t *bytes, size_t size_bytes, size_t *at,
                         struct archive_entry *entry)
{
    UNIT_ASSERT(*at <= size_bytes);
    size_t left = size_bytes - *at;
    memset(entry, 0, sizeof *entry);
    if (left < ARCHIVE_BLOCK_BYTES)
        return STATUS_TRUNCATED;
    if (bytes_zero(bytes + *at, ARCHIVE_BLOCK_BYTES))
        return read_end(bytes + *at, left);
    enum status status = read_entry(bytes, size_bytes, *at, entry);
    if (status != STATUS_OK) {
        memset(entry, 0, sizeof *entry);
        return status;
    }
    *at += ARCHIVE_BLOCK_BYTES + (entry->data_bytes + ARCHIVE_BLOCK_BYTES - 1) /
                                     ARCHIVE_BLOCK_BYTES * ARCHIVE_BLOCK_BYTES;
    return STATUS_OK;
}
