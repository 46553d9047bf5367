/* SPDX-License-Identifier: ISC */
/* Bounded little-endian cursors. Never reads or writes outside the bounds it was given. */
#include "abi/formats/cursor.h"

#include <string.h>

uint8_t read_u8(struct reader *reader)
{
    return (uint8_t)read_width(reader, 1);
}

uint16_t read_u16(struct reader *reader)
{
    return (uint16_t)read_width(reader, 2);
}

uint32_t read_u32(struct reader *reader)
{
    return (uint32_t)read_width(reader, 4);
}

uint64_t read_u64(struct reader *reader)
{
    return read_width(reader, 8);
}

void read_bytes(struct reader *reader, void *target, size_t count_bytes)
{
    if (count_bytes == 0)
        return;
    const uint8_t *taken = reader_take(reader, count_bytes);
    if (taken == NULL)
        memset(target, 0, count_bytes);
    else
        memcpy(target, taken, count_bytes);
}

bool read_zero(struct reader *reader, size_t count_bytes)
{
    const uint8_t *taken = reader_take(reader, count_bytes);
    if (taken == NULL)
        return false;
    uint8_t seen = 0;
    for (size_t i = 0; i < count_bytes; i++)
        seen |= taken[i];
    return seen == 0;
}

struct writer writer_over(void *bytes, size_t size_bytes)
{
    return (struct writer){.bytes = bytes, .size_bytes = size_bytes};
}

static uint8_t *writer_take(struct writer *writer, size_t count_bytes)
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

void write_width(struct writer *writer, uint64_t value, unsigned width_bytes)
{
    uint8_t *taken = writer_take(writer, width_bytes);
    if (taken == NULL)
        return;
    for (unsigned i = 0; i < width_bytes; i++)
        taken[i] = (uint8_t)(value >> (8 * i));
}

void write_u8(struct writer *writer, uint8_t value)
{
    write_width(writer, value, 1);
}

void write_u16(struct writer *writer, uint16_t value)
{
    write_width(writer, value, 2);
}

void write_u32(struct writer *writer, uint32_t value)
{
    write_width(writer, value, 4);
}

void write_u64(struct writer *writer, uint64_t value)
{
    write_width(writer, value, 8);
}

void write_bytes(struct writer *writer, const void *source, size_t count_bytes)
{
    if (count_bytes == 0)
        return;
    uint8_t *taken = writer_take(writer, count_bytes);
    if (taken != NULL)
        memcpy(taken, source, count_bytes);
}

void write_zero(struct writer *writer, size_t count_bytes)
{
    uint8_t *taken = writer_take(writer, count_bytes);
    if (taken != NULL)
        memset(taken, 0, count_bytes);
}

bool range_overlaps(uint64_t a, uint64_t a_count, uint64_t b, uint64_t b_count)
{
    UNIT_ASSERT(a + a_count >= a && b + b_count >= b);
    return a_count != 0 && b_count != 0 && a < b + b_count && b < a + a_count;
}
