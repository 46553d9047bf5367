/* SPDX-License-Identifier: ISC */
/* The kernel -> root handoff: decides whether bytes are a well-formed handoff. Never decides
 * whether the machine it describes is enough, nor which modules must be there. */
#include "abi/formats/handoff.h"

#include <stdbool.h>
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/formats/boot_name.h"
#include "abi/assert.h"
#include "abi/formats/cursor.h"
#include "abi/slots.h"

static enum status check_slot(uint32_t slot)
{
    if (slot == SLOT_NULL || slot == SLOT_LEGACY)
        return STATUS_INVALID_ARGUMENT;
    return slot < SLOT_LIMIT ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

static enum status check_header(const struct handoff *handoff)
{
    if (handoff->untyped_count > HANDOFF_UNTYPED_LIMIT || handoff->module_count > BOOT_MODULE_LIMIT)
        return STATUS_EXHAUSTED;
    enum status status = check_slot(handoff->root_endpoint_slot);
    if (status == STATUS_OK)
        status = check_slot(handoff->image_slot);
    if (status != STATUS_OK)
        return status;
    if (handoff->root_endpoint_slot == handoff->image_slot || handoff->image_bytes == 0)
        return STATUS_INVALID_ARGUMENT;
    if (handoff->image_bytes % PAGE_BYTES != 0)
        return STATUS_NOT_ALIGNED;
    return handoff->free_pages <= handoff->page_count ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

static enum status check_untyped_row(const struct handoff *handoff, uint32_t index)
{
    const struct handoff_untyped *row = &handoff->untyped[index];
    if (row->slot < SLOT_UNTYPED_BASE || row->slot >= SLOT_UNTYPED_BASE + SLOT_UNTYPED_COUNT)
        return STATUS_OUT_OF_RANGE;
    if (row->pages == 0 || row->slot == handoff->root_endpoint_slot ||
        row->slot == handoff->image_slot)
        return STATUS_INVALID_ARGUMENT;
    if (index > 0 && row->slot == row[-1].slot)
        return STATUS_DUPLICATE;
    if (index > 0 && row->slot < row[-1].slot)
        return STATUS_BAD_ORDER;
    return STATUS_OK;
}

static enum status check_untyped(const struct handoff *handoff)
{
    uint64_t left = handoff->free_pages;
    for (uint32_t i = 0; i < handoff->untyped_count; i++) {
        enum status status = check_untyped_row(handoff, i);
        if (status != STATUS_OK)
            return status;
        if (handoff->untyped[i].pages > left)
            return STATUS_INVALID_ARGUMENT;
        left -= handoff->untyped[i].pages;
    }
    return left == 0 ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

static enum status check_module_range(const struct handoff *handoff, uint32_t index)
{
    const struct handoff_module *row = &handoff->modules[index];
    if (row->size_bytes == 0 || !boot_section_kind_known(row->kind))
        return STATUS_INVALID_ARGUMENT;
    if (row->offset_bytes % PAGE_BYTES != 0)
        return STATUS_NOT_ALIGNED;
    if (!range_within(row->offset_bytes, row->size_bytes, handoff->image_bytes))
        return STATUS_OUT_OF_RANGE;
    if (index > 0 && row->offset_bytes < row[-1].offset_bytes)
        return STATUS_BAD_ORDER;
    /* Offsets are page aligned, so disjoint bytes are disjoint pages. */
    if (index > 0 && row->offset_bytes - row[-1].offset_bytes < row[-1].size_bytes)
        return STATUS_OVERLAP;
    return STATUS_OK;
}

static enum status check_module_name(const struct handoff *handoff, uint32_t index,
                                     struct boot_names_met *met)
{
    enum status status = boot_name_check(handoff->modules[index].name);
    if (status != STATUS_OK)
        return status;
    if (!boot_name_may_repeat(met, handoff->modules[index].name))
        return STATUS_OK;
    for (uint32_t i = 0; i < index; i++) {
        if (boot_name_equal(handoff->modules[i].name, handoff->modules[index].name))
            return STATUS_DUPLICATE;
    }
    return STATUS_OK;
}

enum status handoff_validate(const struct handoff *handoff)
{
    struct boot_names_met met = {{0}};
    enum status status = check_header(handoff);
    if (status == STATUS_OK)
        status = check_untyped(handoff);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < handoff->module_count; i++) {
        status = check_module_range(handoff, i);
        if (status == STATUS_OK)
            status = check_module_name(handoff, i, &met);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Of the encoded form of a handoff that validates. */
static size_t handoff_bytes(const struct handoff *handoff)
{
    return HANDOFF_HEADER_BYTES + (size_t)handoff->untyped_count * HANDOFF_UNTYPED_BYTES +
           (size_t)handoff->module_count * HANDOFF_MODULE_BYTES;
}

static enum status read_header(struct reader *reader, size_t size_bytes, struct handoff *out)
{
    uint32_t total_bytes = read_u32(reader);
    out->root_endpoint_slot = read_u32(reader);
    out->image_slot = read_u32(reader);
    out->image_bytes = read_u64(reader);
    read_bytes(reader, out->image_digest, sizeof out->image_digest);
    out->page_count = read_u64(reader);
    out->free_pages = read_u64(reader);
    out->untyped_count = read_u32(reader);
    out->module_count = read_u32(reader);
    if (out->untyped_count > HANDOFF_UNTYPED_LIMIT || out->module_count > BOOT_MODULE_LIMIT)
        return STATUS_EXHAUSTED;
    if (total_bytes != size_bytes || total_bytes != handoff_bytes(out))
        return STATUS_BAD_LENGTH;
    return STATUS_OK;
}

static enum status read_rows(struct reader *reader, struct handoff *out)
{
    bool reserved_zero = true;
    for (uint32_t i = 0; i < out->untyped_count; i++) {
        out->untyped[i].slot = read_u32(reader);
        reserved_zero = read_zero(reader, 4) && reserved_zero;
        out->untyped[i].pages = read_u64(reader);
    }
    for (uint32_t i = 0; i < out->module_count; i++) {
        struct handoff_module *row = &out->modules[i];
        read_bytes(reader, row->name, sizeof row->name);
        row->kind = read_u32(reader);
        reserved_zero = read_zero(reader, 4) && reserved_zero;
        row->offset_bytes = read_u64(reader);
        row->size_bytes = read_u64(reader);
    }
    return reserved_zero ? STATUS_OK : STATUS_RESERVED_NOT_ZERO;
}

static enum status parse(struct reader *reader, size_t size_bytes, struct handoff *out)
{
    if (size_bytes < HANDOFF_HEADER_BYTES)
        return STATUS_TRUNCATED;
    if (read_u64(reader) != HANDOFF_MAGIC)
        return STATUS_BAD_MAGIC;
    if (read_u16(reader) != HANDOFF_MAJOR || read_u16(reader) != HANDOFF_MINOR)
        return STATUS_BAD_VERSION;
    enum status status = read_header(reader, size_bytes, out);
    if (status == STATUS_OK)
        status = read_rows(reader, out);
    return status == STATUS_OK ? handoff_validate(out) : status;
}

enum status handoff_parse(const void *bytes, size_t size_bytes, struct handoff *out)
{
    struct reader reader = reader_over(bytes, size_bytes);
    memset(out, 0, sizeof *out);
    enum status status = parse(&reader, size_bytes, out);
    if (status != STATUS_OK)
        memset(out, 0, sizeof *out); /* R2: a status or a whole intake */
    return status;
}

static void write_rows(struct writer *writer, const struct handoff *handoff)
{
    for (uint32_t i = 0; i < handoff->untyped_count; i++) {
        write_u32(writer, handoff->untyped[i].slot);
        write_u32(writer, 0);
        write_u64(writer, handoff->untyped[i].pages);
    }
    for (uint32_t i = 0; i < handoff->module_count; i++) {
        const struct handoff_module *row = &handoff->modules[i];
        write_bytes(writer, row->name, sizeof row->name);
        write_u32(writer, row->kind);
        write_u32(writer, 0);
        write_u64(writer, row->offset_bytes);
        write_u64(writer, row->size_bytes);
    }
}

enum status handoff_encode(const struct handoff *handoff, void *bytes, size_t size_bytes,
                           size_t *written)
{
    *written = 0;
    enum status status = handoff_validate(handoff);
    if (status != STATUS_OK)
        return status;
    if (size_bytes < handoff_bytes(handoff))
        return STATUS_EXHAUSTED;
    struct writer writer = writer_over(bytes, size_bytes);
    write_u64(&writer, HANDOFF_MAGIC);
    write_u16(&writer, HANDOFF_MAJOR);
    write_u16(&writer, HANDOFF_MINOR);
    write_u32(&writer, (uint32_t)handoff_bytes(handoff));
    write_u32(&writer, handoff->root_endpoint_slot);
    write_u32(&writer, handoff->image_slot);
    write_u64(&writer, handoff->image_bytes);
    write_bytes(&writer, handoff->image_digest, sizeof handoff->image_digest);
    write_u64(&writer, handoff->page_count);
    write_u64(&writer, handoff->free_pages);
    write_u32(&writer, handoff->untyped_count);
    write_u32(&writer, handoff->module_count);
    write_rows(&writer, handoff);
    UNIT_ASSERT(!writer.failed && writer.offset_bytes == handoff_bytes(handoff));
    *written = writer.offset_bytes;
    return STATUS_OK;
}

int handoff_find(const struct handoff *handoff, const char *name)
{
    for (uint32_t i = 0; i < handoff->module_count && i < BOOT_MODULE_LIMIT; i++) {
        if (boot_name_is(handoff->modules[i].name, name))
            return (int)i;
    }
    return -1;
}
