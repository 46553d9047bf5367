/* SPDX-License-Identifier: ISC */
/* The interpreter of message descriptors. Knows field kinds, no operation and no policy. */
#include "abi/codec.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/capability.h"
#include "abi/formats/cursor.h"
#include "abi/limits.h"
#include "abi/slots.h"

/* What a walk over a body found, besides the status. */
struct walk {
    uint32_t cap_fields;  /* nonzero capability fields */
    uint64_t last_scalar; /* value of the last scalar field: the count of BYTES or ROWS */
};

static inline bool value_allowed(const struct message_field *field, uint64_t value)
{
    switch ((enum field_kind)field->kind) {
    case FIELD_RANGE:
    case FIELD_ENUM:
    case FIELD_SLOT:
        return value >= field->low && value <= field->high;
    case FIELD_FLAGS:
        return (value & ~field->high) == 0;
    case FIELD_PAGE:
        return value % PAGE_BYTES == 0;
    case FIELD_CAP:
        return value < SLOT_LIMIT && (value != 0 || field->limit == 1);
    case FIELD_ZERO:
        return value == 0;
    case FIELD_END:
    case FIELD_BYTES:
    case FIELD_ROWS:
        return false;
    }
    return false;
}

bool field_value_allowed(const struct message_field *field, uint64_t value)
{
    return value_allowed(field, value);
}

/* The descriptor that names a body offset; null when there is none or more than one. */
static const struct message_cap *cap_find(const struct message *message, size_t offset_bytes)
{
    const struct message_cap *found = NULL;
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        if (message->caps[i].field_offset != offset_bytes)
            continue;
        if (found != NULL)
            return NULL;
        found = &message->caps[i];
    }
    return found;
}

static bool cap_allowed(const struct message_field *field, const struct message_cap *cap)
{
    return cap != NULL && cap->object_type < OBJECT_TYPE_LIMIT &&
           (field->low & (UINT64_C(1) << cap->object_type)) != 0 &&
           (cap->rights & field->high) == field->high;
}

/* The list of scalar fields goes on with this one. */
static inline bool is_scalar(const struct message_field *field)
{
    return field->kind >= FIELD_RANGE && field->kind <= FIELD_ZERO;
}

/* The entries of an array. `offset_bytes` is that of the first; its bytes are there. */
static bool array_walk(const struct message_field *field, const uint8_t *bytes, size_t offset_bytes,
                       const struct message *delivered, struct walk *walk)
{
    for (unsigned entry = 0; entry < field->entry_count; entry++) {
        uint64_t value = load_width(bytes + offset_bytes, field->width_bytes);
        if (!value_allowed(field, value) && (entry == 0 || value != 0))
            return false;
        if (field->kind == FIELD_CAP && value != 0) {
            walk->cap_fields++;
            if (delivered != NULL && !cap_allowed(field, cap_find(delivered, offset_bytes)))
                return false;
        }
        offset_bytes += field->width_bytes;
    }
    return true;
}

/* Walks one flat list of scalar fields (a row has no arrays of rows): the field that ends it, or
 * null when a value is missing or not allowed. Counts capability fields; when `delivered` is given,
 * checks their descriptors too. Arrays are few, so that single scalars have a loop of their own. */
static const struct message_field *scalars_walk(const struct message_field *field,
                                                struct reader *reader,
                                                const struct message *delivered, struct walk *walk)
{
    const uint8_t *bytes = reader->bytes;
    size_t offset = reader->offset_bytes;
    size_t left = reader->size_bytes - offset;
    uint64_t value = walk->last_scalar;
    for (; is_scalar(field); field++) {
        for (; field->entry_count == 1; field++) {
            size_t width = field->width_bytes;
            if (width > left)
                return NULL;
            value = load_width(bytes + offset, width);
            if (!value_allowed(field, value))
                return NULL;
            if (field->kind == FIELD_CAP && value != 0) {
                walk->cap_fields++;
                if (delivered != NULL && !cap_allowed(field, cap_find(delivered, offset)))
                    return NULL;
            }
            offset += width;
            left -= width;
        }
        if (field->entry_count == 0)
            break;
        size_t width = (size_t)field->width_bytes * field->entry_count;
        if (width > left || !array_walk(field, bytes, offset, delivered, walk))
            return NULL;
        offset += width;
        left -= width;
    }
    walk->last_scalar = value;
    reader->offset_bytes = offset;
    return field;
}

/* Checks a whole body; the reader ends behind its last byte. */
static bool body_walk(const struct message_type *type, struct reader *reader,
                      const struct message *delivered, struct walk *walk)
{
    const struct message_field *array = scalars_walk(type->fields, reader, delivered, walk);
    if (array == NULL)
        return false;
    if (array->kind == FIELD_END)
        return true;
    uint64_t count = walk->last_scalar;
    if (count > array->limit)
        return false;
    if (array->kind == FIELD_BYTES) {
        reader_seek(reader, reader->offset_bytes + count);
        return !reader->failed;
    }
    for (uint64_t i = 0; i < count; i++) {
        struct walk row = {0};
        if (scalars_walk(array->row->fields, reader, NULL, &row) == NULL)
            return false;
    }
    return true;
}

static enum status body_check(const struct message_type *type, const struct message *message)
{
    const struct message_header *header = &message->header;
    if (header->version != MESSAGE_VERSION)
        return STATUS_BAD_VERSION;
    if (header->body_bytes > MESSAGE_BODY_BYTES_MAX || header->cap_count > MESSAGE_CAP_LIMIT)
        return STATUS_INVALID_ARGUMENT;
    struct reader reader = reader_over(message->body, header->body_bytes);
    struct walk walk = {0};
    if (!body_walk(type, &reader, message, &walk))
        return STATUS_INVALID_ARGUMENT;
    if (reader_left(&reader) != 0 || walk.cap_fields != header->cap_count)
        return STATUS_INVALID_ARGUMENT;
    return STATUS_OK;
}

/* Bytes of `out` beyond the body are zero; on an error all of them are. */
enum status message_decode(const struct message_type *type, const struct message *message,
                           void *out)
{
    enum status status = body_check(type, message);
    size_t copied = status == STATUS_OK ? message->header.body_bytes : 0;
    UNIT_ASSERT(copied <= type->max_bytes); /* the struct is the longest body */
    memcpy(out, message->body, copied);
    memset((uint8_t *)out + copied, 0, type->max_bytes - copied);
    return status;
}

enum status reply_decode(const struct message_type *type, const struct message *message, void *out)
{
    const struct message_header *header = &message->header;
    if (header->version != MESSAGE_VERSION || header->operation != type->operation ||
        header->status >= STATUS_COUNT) {
        memset(out, 0, type->max_bytes);
        return STATUS_INTERNAL;
    }
    if (header->status != STATUS_OK) {
        memset(out, 0, type->max_bytes);
        bool bare = header->body_bytes == 0 && header->cap_count == 0;
        return bare ? (enum status)header->status : STATUS_INTERNAL;
    }
    return message_decode(type, message, out) == STATUS_OK ? STATUS_OK : STATUS_INTERNAL;
}

/* One descriptor for each nonzero capability field, in field order; there are any. */
static void caps_encode(const struct message_type *type, struct message *message)
{
    struct reader reader = reader_over(message->body, message->header.body_bytes);
    unsigned count = 0;
    for (const struct message_field *field = type->fields; is_scalar(field); field++) {
        for (unsigned entry = 0; entry < field->entry_count; entry++) {
            size_t offset = reader.offset_bytes;
            uint64_t value = read_width(&reader, field->width_bytes);
            if (field->kind != FIELD_CAP || value == 0)
                continue;
            UNIT_ASSERT(count < MESSAGE_CAP_LIMIT); /* message_encode counted them */
            message->caps[count++] = (struct message_cap){
                .field_offset = (uint16_t)offset,
                .rights = (uint16_t)field->high,
                .mode = TRANSFER_COPY,
            };
        }
    }
    message->header.cap_count = (uint8_t)count;
}

enum status message_encode(const struct message_type *type, const void *in, struct message *message)
{
    struct reader reader = reader_over(in, type->max_bytes);
    struct walk walk = {0};
    if (!body_walk(type, &reader, NULL, &walk) || walk.cap_fields > MESSAGE_CAP_LIMIT)
        return STATUS_INVALID_ARGUMENT;
    struct message_header *header = &message->header;
    *header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = type->operation,
        .body_bytes = (uint16_t)reader.offset_bytes,
        .request_id = header->request_id,
    };
    UNIT_ASSERT(reader.offset_bytes <= MESSAGE_BODY_BYTES_MAX);
    memcpy(message->body, in, reader.offset_bytes);
    if (walk.cap_fields != 0)
        caps_encode(type, message);
    return STATUS_OK;
}

void message_refuse(struct message *message, enum status status)
{
    struct message_header *header = &message->header;
    *header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = header->operation,
        .status = status,
        .request_id = header->request_id,
    };
}
