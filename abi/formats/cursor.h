/* SPDX-License-Identifier: ISC */
/* Bounded little-endian cursors: the only code of the project that touches raw bytes of a wire
 * format. A cursor that ran over its end stays failed; every later read gives zero and every later
 * write does nothing, so a parser may read a whole structure and ask once. */
#ifndef BASALT_ABI_FORMATS_CURSOR_H
#define BASALT_ABI_FORMATS_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/assert.h"

struct reader {
    const uint8_t *bytes;
    size_t size_bytes;
    size_t offset_bytes;
    bool failed;
};

struct writer {
    uint8_t *bytes;
    size_t size_bytes;
    size_t offset_bytes;
    bool failed;
};

/* A reader over [bytes, bytes + size). bytes may be null only when size is 0. */
static inline struct reader reader_over(const void *bytes, size_t size_bytes)
{
    return (struct reader){.bytes = bytes, .size_bytes = size_bytes};
}

/* Takes `count` bytes: their address, or null and a failed reader. */
static inline const uint8_t *reader_take(struct reader *reader, size_t count_bytes)
{
    UNIT_ASSERT(reader->offset_bytes <= reader->size_bytes);
    if (reader->failed || count_bytes > reader->size_bytes - reader->offset_bytes) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *taken = reader->bytes + reader->offset_bytes;
    reader->offset_bytes += count_bytes;
    return taken;
}

/* `width` bytes (1, 2, 4 or 8) as a number: one load, because the wire and the processor are both
 * little-endian (abi/message.h). Inline, as all that a walk over a message does for each field. */
static inline uint64_t load_width(const uint8_t *bytes, size_t width_bytes)
{
    uint64_t value = 0;
    if (width_bytes == sizeof(uint32_t))
        __builtin_memcpy(&value, bytes, sizeof(uint32_t));
    else if (width_bytes == sizeof(uint64_t))
        __builtin_memcpy(&value, bytes, sizeof(uint64_t));
    else if (width_bytes == sizeof(uint16_t))
        __builtin_memcpy(&value, bytes, sizeof(uint16_t));
    else
        value = bytes[0];
    return value;
}

/* The other way round: the low `width` bytes (1, 2, 4 or 8) of a number. */
static inline void store_width(uint8_t *bytes, uint64_t value, size_t width_bytes)
{
    if (width_bytes == sizeof(uint32_t))
        __builtin_memcpy(bytes, &value, sizeof(uint32_t));
    else if (width_bytes == sizeof(uint64_t))
        __builtin_memcpy(bytes, &value, sizeof(uint64_t));
    else if (width_bytes == sizeof(uint16_t))
        __builtin_memcpy(bytes, &value, sizeof(uint16_t));
    else
        bytes[0] = (uint8_t)value;
}

/* The next `width` bytes (1, 2, 4 or 8) as a number; 0 once the reader failed. */
static inline uint64_t read_width(struct reader *reader, unsigned width_bytes)
{
    const uint8_t *taken = reader_take(reader, width_bytes);
    return taken != NULL ? load_width(taken, width_bytes) : 0;
}

/* The same of a width that is known: little-endian. */
static inline uint8_t read_u8(struct reader *reader)
{
    return (uint8_t)read_width(reader, sizeof(uint8_t));
}

static inline uint16_t read_u16(struct reader *reader)
{
    return (uint16_t)read_width(reader, sizeof(uint16_t));
}

static inline uint32_t read_u32(struct reader *reader)
{
    return (uint32_t)read_width(reader, sizeof(uint32_t));
}

static inline uint64_t read_u64(struct reader *reader)
{
    return read_width(reader, sizeof(uint64_t));
}

/* Copies `count` bytes out, or fills the target with zero when the reader fails. */
static inline void read_bytes(struct reader *reader, void *target, size_t count_bytes)
{
    if (count_bytes == 0)
        return;
    const uint8_t *taken = reader_take(reader, count_bytes);
    if (taken == NULL)
        __builtin_memset(target, 0, count_bytes);
    else
        __builtin_memcpy(target, taken, count_bytes);
}

/* Whether `count` bytes are all zero, asked of eight at a time. */
static inline bool bytes_zero(const uint8_t *bytes, size_t count_bytes)
{
    uint64_t seen = count_bytes != 0 ? bytes[0] : 0;
    if (seen != 0) /* most of what is not zero says so at once */
        return false;
    for (; count_bytes >= sizeof seen; bytes += sizeof seen, count_bytes -= sizeof seen)
        seen |= load_width(bytes, sizeof seen);
    for (; count_bytes != 0; bytes++, count_bytes--)
        seen |= bytes[0];
    return seen == 0;
}

/* Steps over `count` bytes; true when all of them were zero and within the bounds. */
static inline bool read_zero(struct reader *reader, size_t count_bytes)
{
    const uint8_t *taken = reader_take(reader, count_bytes);
    return taken != NULL && bytes_zero(taken, count_bytes);
}

/* Moves to an absolute offset; an offset past the end fails the reader. */
static inline void reader_seek(struct reader *reader, size_t offset_bytes)
{
    if (offset_bytes > reader->size_bytes)
        reader->failed = true;
    else
        reader->offset_bytes = offset_bytes;
}

/* Bytes left before the end; 0 once failed. */
static inline size_t reader_left(const struct reader *reader)
{
    return reader->failed ? 0 : reader->size_bytes - reader->offset_bytes;
}

/* A writer over [bytes, bytes + size). */
static inline struct writer writer_over(void *bytes, size_t size_bytes)
{
    return (struct writer){.bytes = bytes, .size_bytes = size_bytes};
}

/* Room for `count` bytes: its address, or null and a failed writer. */
static inline uint8_t *writer_take(struct writer *writer, size_t count_bytes)
{
    UNIT_ASSERT(writer->offset_bytes <= writer->size_bytes);
    if (writer->failed || count_bytes > writer->size_bytes - writer->offset_bytes) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *taken = writer->bytes + writer->offset_bytes;
    writer->offset_bytes += count_bytes;
    return taken;
}

static inline void write_width(struct writer *writer, uint64_t value, unsigned width_bytes)
{
    uint8_t *taken = writer_take(writer, width_bytes);
    if (taken != NULL)
        store_width(taken, value, width_bytes);
}

static inline void write_u8(struct writer *writer, uint8_t value)
{
    write_width(writer, value, sizeof value);
}

static inline void write_u16(struct writer *writer, uint16_t value)
{
    write_width(writer, value, sizeof value);
}

static inline void write_u32(struct writer *writer, uint32_t value)
{
    write_width(writer, value, sizeof value);
}

static inline void write_u64(struct writer *writer, uint64_t value)
{
    write_width(writer, value, sizeof value);
}

static inline void write_bytes(struct writer *writer, const void *source, size_t count_bytes)
{
    if (count_bytes == 0)
        return;
    uint8_t *taken = writer_take(writer, count_bytes);
    if (taken != NULL)
        __builtin_memcpy(taken, source, count_bytes);
}

static inline void write_zero(struct writer *writer, size_t count_bytes)
{
    uint8_t *taken = writer_take(writer, count_bytes);
    if (taken != NULL)
        __builtin_memset(taken, 0, count_bytes);
}

/* Range arithmetic for untrusted numbers: true when first + count does not wrap and does not pass
 * `limit`. All three are in one unit of the caller's choice. */
static inline bool range_within(uint64_t first, uint64_t count, uint64_t limit)
{
    return first <= limit && count <= limit - first;
}

/* True when [a, a + a_count) and [b, b + b_count) share an element. Neither may wrap. */
bool range_overlaps(uint64_t a, uint64_t a_count, uint64_t b, uint64_t b_count);

#endif
