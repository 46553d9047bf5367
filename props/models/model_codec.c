/* SPDX-License-Identifier: ISC */
/* The model of the codec: an interpreter of descriptors, which knows field kinds and no message. */
#include "props/models/model_codec.h"

#include <stdbool.h>
#include <string.h>

#include "abi/capability.h"
#include "abi/formats/cursor.h"
#include "abi/text/generate.h"

/* A walk over a body. */
struct walk {
    struct reader reader;
    const struct message *delivered; /* its descriptors must fit; null: there are none to ask */
    struct message_cap caps[MESSAGE_CAP_LIMIT]; /* what an encoder writes for the fields met */
    uint32_t cap_fields;                        /* nonzero capability fields */
    uint64_t last; /* value of the last scalar: the count of BYTES and ROWS */
};

static bool is_scalar(const struct message_field *field)
{
    return field->kind != FIELD_END && field->kind != FIELD_BYTES && field->kind != FIELD_ROWS;
}

/* A capability field names one descriptor, and that one is what the row asks for. */
static bool descriptor_fits(const struct message_field *field, size_t offset_bytes,
                            const struct message *message)
{
    unsigned naming = 0;
    unsigned fitting = 0;
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        const struct message_cap *cap = &message->caps[i];
        if (cap->field_offset != offset_bytes)
            continue;
        naming++;
        fitting += cap->object_type < OBJECT_TYPE_LIMIT &&
                   (field->low >> cap->object_type & 1) != 0 &&
                   (field->high & ~(uint64_t)cap->rights) == 0;
    }
    return naming == 1 && fitting == 1;
}

static bool take_cap(const struct message_field *field, size_t offset_bytes, struct walk *walk)
{
    if (walk->delivered != NULL && !descriptor_fits(field, offset_bytes, walk->delivered))
        return false;
    if (walk->cap_fields == MESSAGE_CAP_LIMIT)
        return false;
    walk->caps[walk->cap_fields++] = (struct message_cap){.field_offset = (uint16_t)offset_bytes,
                                                          .rights = (uint16_t)field->high,
                                                          .mode = TRANSFER_COPY};
    return true;
}

/* An array's entries behind the first have a rule of their own. */
static bool entry_allowed(const struct message_field *field, unsigned index, uint64_t value)
{
    if (index == 0)
        return field_value_allowed(field, value);
    struct message_field entry = message_field_entry(field, index);
    return field_value_allowed(&entry, value);
}

/* The scalars of a list, up to the field that ends it: that field, or null when one is missing or
 * not allowed. */
static const struct message_field *take_scalars(const struct message_field *field,
                                                struct walk *walk)
{
    for (; is_scalar(field); field++) {
        for (unsigned i = 0; i < field->entry_count; i++) {
            size_t offset_bytes = walk->reader.offset_bytes;
            walk->last = read_width(&walk->reader, field->width_bytes);
            if (walk->reader.failed || !entry_allowed(field, i, walk->last))
                return NULL;
            if (field->kind == FIELD_CAP && walk->last != 0 && !take_cap(field, offset_bytes, walk))
                return NULL;
        }
    }
    return field;
}

/* A whole body; the reader ends behind its last byte. */
static bool take_body(const struct message_type *type, struct walk *walk)
{
    const struct message_field *end = take_scalars(message_fields(type), walk);
    if (end == NULL || end->kind == FIELD_END)
        return end != NULL;
    uint64_t count = walk->last;
    if (count > end->limit)
        return false;
    if (end->kind == FIELD_BYTES)
        return reader_take(&walk->reader, count) != NULL;
    for (uint64_t i = 0; i < count; i++) {
        if (take_scalars(end->row->fields, walk) == NULL)
            return false;
    }
    return true;
}

enum status model_codec_decode(const struct message_type *type, const struct message *message,
                               uint8_t *out)
{
    const struct message_header *header = &message->header;
    memset(out, 0, type->max_bytes);
    if (header->version != MESSAGE_VERSION)
        return STATUS_BAD_VERSION;
    if (header->body_bytes > MESSAGE_BODY_BYTES_MAX || header->cap_count > MESSAGE_CAP_LIMIT)
        return STATUS_INVALID_ARGUMENT;
    struct walk walk = {.reader = reader_over(message->body, header->body_bytes),
                        .delivered = message};
    if (!take_body(type, &walk) || reader_left(&walk.reader) != 0 ||
        walk.cap_fields != header->cap_count)
        return STATUS_INVALID_ARGUMENT;
    memcpy(out, message->body, header->body_bytes);
    return STATUS_OK;
}

enum status model_codec_encode(const struct message_type *type, const uint8_t *in,
                               struct message *message)
{
    struct walk walk = {.reader = reader_over(in, type->max_bytes)};
    if (!take_body(type, &walk))
        return STATUS_INVALID_ARGUMENT;
    message->header = (struct message_header){.version = MESSAGE_VERSION,
                                              .operation = type->operation,
                                              .body_bytes = (uint16_t)walk.reader.offset_bytes,
                                              .cap_count = (uint8_t)walk.cap_fields,
                                              .request_id = message->header.request_id};
    memcpy(message->body, in, walk.reader.offset_bytes);
    memcpy(message->caps, walk.caps, walk.cap_fields * sizeof walk.caps[0]);
    return STATUS_OK;
}
