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

/* The next 1, 2, 4 or 8 bytes as a little-endian number; 0 once the reader failed. */
uint8_t read_u8(struct reader *reader);
uint16_t read_u16(struct reader *reader);
uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);

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

/* The next `width` bytes (1, 2, 4 or 8) as a number; 0 once the reader failed. */
static inline uint64_t read_width(struct reader *reader, unsigned width_bytes)
{
    const uint8_t *taken = reader_take(reader, width_bytes);
    return taken != NULL ? load_width(taken, width_bytes) : 0;
}

/* Copies `count` bytes out, or fills the target with zero when the reader fails. */
void read_bytes(struct reader *reader, void *target, size_t count_bytes);

/* Steps over `count` bytes; true when all of them were zero and within the bounds. */
bool read_zero(struct reader *reader, size_t count_bytes);

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
struct writer writer_over(void *bytes, size_t size_bytes);

void write_u8(struct writer *writer, uint8_t value);
void write_u16(struct writer *writer, uint16_t value);
void write_u32(struct writer *writer, uint32_t value);
void write_u64(struct writer *writer, uint64_t value);
void write_width(struct writer *writer, uint64_t value, unsigned width_bytes);
void write_bytes(struct writer *writer, const void *source, size_t count_bytes);
void write_zero(struct writer *writer, size_t count_bytes);

/* Range arithmetic for untrusted numbers: true when first + count does not wrap and does not pass
 * `limit`. All three are in one unit of the caller's choice. */
static inline bool range_within(uint64_t first, uint64_t count, uint64_t limit)
{
    return first <= limit && count <= limit - first;
}

/* True when [a, a + a_count) and [b, b + b_count) share an element. Neither may wrap. */
bool range_overlaps(uint64_t a, uint64_t a_count, uint64_t b, uint64_t b_count);

#endif
