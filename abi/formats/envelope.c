/* SPDX-License-Identifier: ISC */
/* RootServiceStartEnvelopeV1: decides whether bytes are a well-formed start envelope. Never decides
 * whether a role may hold what the envelope names: that is the intake check against the role
 * row. */
#include "abi/formats/envelope.h"

#include <stdbool.h>
#include <string.h>

#include "abi/capability.h"
#include "abi/assert.h"
#include "abi/formats/cursor.h"
#include "abi/slots.h"

const struct envelope_entry *envelope_find(const struct envelope *envelope, uint32_t slot)
{
    for (uint32_t i = 0; i < envelope->entry_count && i < ENVELOPE_ENTRY_LIMIT; i++) {
        if (envelope->entries[i].slot == slot)
            return &envelope->entries[i];
    }
    return NULL;
}

static enum status check_window(const struct envelope *envelope)
{
    if (envelope->slot_window_first == SLOT_NULL ||
        envelope->slot_window_first > envelope->slot_window_last)
        return STATUS_INVALID_ARGUMENT;
    return envelope->slot_window_last < SLOT_LIMIT ? STATUS_OK : STATUS_OUT_OF_RANGE;
}

static enum status check_entry(const struct envelope *envelope, const struct envelope_entry *entry)
{
    if (entry->slot < envelope->slot_window_first || entry->slot > envelope->slot_window_last)
        return STATUS_OUT_OF_RANGE;
    /* The legacy slot is never populated (published), whatever the window covers (R6). */
    if (entry->slot == SLOT_LEGACY)
        return STATUS_INVALID_ARGUMENT;
    /* A reply capability is never a start-up capability; NONE and unknown types have no rights. */
    if (entry->object_type == OBJECT_REPLY || entry->rights == 0 ||
        (entry->rights & ~object_type_rights(entry->object_type)) != 0)
        return STATUS_INVALID_ARGUMENT;
    return STATUS_OK;
}

static enum status check_entries(const struct envelope *envelope)
{
    for (uint32_t i = 0; i < envelope->entry_count; i++) {
        enum status status = check_entry(envelope, &envelope->entries[i]);
        if (status != STATUS_OK)
            return status;
        if (i == 0)
            continue;
        if (envelope->entries[i].slot == envelope->entries[i - 1].slot)
            return STATUS_DUPLICATE;
        if (envelope->entries[i].slot < envelope->entries[i - 1].slot)
            return STATUS_BAD_ORDER;
    }
    return STATUS_OK;
}

/* The two slots that the header names must be among the entries, each of its kind. */
static enum status check_named_slots(const struct envelope *envelope)
{
    const struct envelope_entry *service = envelope_find(envelope, envelope->service_endpoint_slot);
    if (service == NULL || service->object_type != OBJECT_ENDPOINT ||
        (service->rights & RIGHT_RECEIVE) == 0)
        return STATUS_INVALID_ARGUMENT;
    if (envelope->primary_control_slot == SLOT_NULL)
        return STATUS_OK;
    const struct envelope_entry *primary = envelope_find(envelope, envelope->primary_control_slot);
    if (primary == NULL || primary->object_type < OBJECT_KERNEL_SELF)
        return STATUS_INVALID_ARGUMENT;
    return STATUS_OK;
}

enum status envelope_validate(const struct envelope *envelope)
{
    if (envelope->entry_count > ENVELOPE_ENTRY_LIMIT)
        return STATUS_EXHAUSTED;
    if (envelope->role == 0 || !validation_profile_known(envelope->validation_profile))
        return STATUS_INVALID_ARGUMENT;
    if (envelope->memory_pages > MEMORY_PAGES_LIMIT)
        return STATUS_OUT_OF_RANGE;
    enum status status = check_window(envelope);
    if (status == STATUS_OK)
        status = check_entries(envelope);
    if (status == STATUS_OK)
        status = check_named_slots(envelope);
    return status;
}

/* Of the encoded form of an envelope that validates. */
static size_t envelope_bytes(const struct envelope *envelope)
{
    return ENVELOPE_HEADER_BYTES + (size_t)envelope->entry_count * ENVELOPE_ENTRY_BYTES;
}

/* The header after magic and version, all its fields. */
static enum status read_header(struct reader *reader, size_t size_bytes, struct envelope *out)
{
    uint32_t total_bytes = read_u32(reader);
    out->role = read_u32(reader);
    out->entry_count = read_u32(reader);
    out->service_endpoint_slot = read_u32(reader);
    out->primary_control_slot = read_u32(reader);
    out->slot_window_first = read_u32(reader);
    out->slot_window_last = read_u32(reader);
    out->validation_profile = read_u32(reader);
    out->memory_pages = read_u32(reader);
    out->ready_ticks = read_u64(reader);
    if (out->entry_count > ENVELOPE_ENTRY_LIMIT)
        return STATUS_EXHAUSTED;
    if (total_bytes != size_bytes || total_bytes != envelope_bytes(out))
        return STATUS_BAD_LENGTH;
    return STATUS_OK;
}

static enum status read_entries(struct reader *reader, struct envelope *out)
{
    for (uint32_t i = 0; i < out->entry_count; i++) {
        struct envelope_entry *entry = &out->entries[i];
        entry->slot = read_u32(reader);
        entry->object_type = read_u16(reader);
        entry->rights = read_u16(reader);
        entry->peer_role = read_u32(reader);
        if (!read_zero(reader, 4))
            return STATUS_RESERVED_NOT_ZERO;
    }
    return STATUS_OK;
}

static enum status parse(struct reader *reader, size_t size_bytes, struct envelope *out)
{
    if (size_bytes < ENVELOPE_HEADER_BYTES)
        return STATUS_TRUNCATED;
    if (read_u64(reader) != ENVELOPE_MAGIC)
        return STATUS_BAD_MAGIC;
    if (read_u16(reader) != ENVELOPE_MAJOR || read_u16(reader) != ENVELOPE_MINOR)
        return STATUS_BAD_VERSION;
    enum status status = read_header(reader, size_bytes, out);
    if (status == STATUS_OK)
        status = read_entries(reader, out);
    return status == STATUS_OK ? envelope_validate(out) : status;
}

enum status envelope_parse(const void *bytes, size_t size_bytes, struct envelope *out)
{
    struct reader reader = reader_over(bytes, size_bytes);
    memset(out, 0, sizeof *out);
    enum status status = parse(&reader, size_bytes, out);
    if (status != STATUS_OK)
        memset(out, 0, sizeof *out); /* R2: a status or a whole intake */
    return status;
}

static void write_envelope(struct writer *writer, const struct envelope *envelope)
{
    write_u64(writer, ENVELOPE_MAGIC);
    write_u16(writer, ENVELOPE_MAJOR);
    write_u16(writer, ENVELOPE_MINOR);
    write_u32(writer, (uint32_t)envelope_bytes(envelope));
    write_u32(writer, envelope->role);
    write_u32(writer, envelope->entry_count);
    write_u32(writer, envelope->service_endpoint_slot);
    write_u32(writer, envelope->primary_control_slot);
    write_u32(writer, envelope->slot_window_first);
    write_u32(writer, envelope->slot_window_last);
    write_u32(writer, envelope->validation_profile);
    write_u32(writer, envelope->memory_pages);
    write_u64(writer, envelope->ready_ticks);
    for (uint32_t i = 0; i < envelope->entry_count; i++) {
        write_u32(writer, envelope->entries[i].slot);
        write_u16(writer, envelope->entries[i].object_type);
        write_u16(writer, envelope->entries[i].rights);
        write_u32(writer, envelope->entries[i].peer_role);
        write_u32(writer, 0);
    }
}

enum status envelope_encode(const struct envelope *envelope, void *bytes, size_t size_bytes,
                            size_t *written)
{
    *written = 0;
    enum status status = envelope_validate(envelope);
    if (status != STATUS_OK)
        return status;
    if (size_bytes < envelope_bytes(envelope))
        return STATUS_EXHAUSTED;
    struct writer writer = writer_over(bytes, size_bytes);
    write_envelope(&writer, envelope);
    UNIT_ASSERT(!writer.failed && writer.offset_bytes == envelope_bytes(envelope));
    *written = writer.offset_bytes;
    return STATUS_OK;
}
