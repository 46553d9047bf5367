/* SPDX-License-Identifier: ISC */
/* The codec: headers, lengths and descriptors. What is asked of a body's fields is code that the
 * message's row becomes (abi/messages/check.h). Knows no operation and no policy. */
#include "abi/codec.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/capability.h"

/* The descriptor that names a body offset; null when there is none or more than one. */
static const struct message_cap *cap_find(const struct message *message, size_t offset_bytes)
{
    const struct message_cap *found = NULL;
    for (unsigned i = 0; i < message->header.cap_count && i < MESSAGE_CAP_LIMIT; i++) {
        if (message->caps[i].field_offset != offset_bytes)
            continue;
        if (found != NULL)
            return NULL;
        found = &message->caps[i];
    }
    return found;
}

bool message_cap_fits(const struct message *message, size_t offset_bytes, uint32_t types,
                      uint32_t rights)
{
    const struct message_cap *cap = cap_find(message, offset_bytes);
    return cap != NULL && cap->object_type < OBJECT_TYPE_LIMIT &&
           (types & (1u << cap->object_type)) != 0 && (cap->rights & rights) == rights;
}

/* Bytes of `out` beyond the body are zero; on an error all of them are. */
enum status message_decode(const struct message_type *type, const struct message *message,
                           void *out)
{
    const struct message_header *header = &message->header;
    enum status status = STATUS_BAD_VERSION;
    size_t kept = 0;
    if (header->version == MESSAGE_VERSION) {
        struct message_extent found = type->take(message->body, out, message, NULL);
        bool exact = found.body_bytes == header->body_bytes && found.cap_count == header->cap_count;
        status = exact ? STATUS_OK : STATUS_INVALID_ARGUMENT;
        kept = exact ? found.body_bytes : 0;
    }
    UNIT_ASSERT(kept <= type->max_bytes); /* the struct is the longest body */
    if (kept != type->max_bytes)
        memset((uint8_t *)out + kept, 0, type->max_bytes - kept);
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

enum status message_encode(const struct message_type *type, const void *in, struct message *message)
{
    struct message_extent found = type->take(in, message->body, NULL, message);
    if (found.body_bytes == MESSAGE_WRONG)
        return STATUS_INVALID_ARGUMENT;
    struct message_header *header = &message->header;
    *header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = type->operation,
        .body_bytes = found.body_bytes,
        .cap_count = (uint8_t)found.cap_count,
        .request_id = header->request_id,
    };
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
