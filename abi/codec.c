/* SPDX-License-Identifier: ISC */
/* The codec: headers, lengths and descriptors. What is asked of a body's fields is code that the
 * message's row becomes (abi/messages/check.h). Knows no operation and no policy. */
#include "abi/codec.h"

#include <string.h>

#include "abi/assert.h"

const struct message_cap *message_cap_find(const struct message *message, size_t offset_bytes)
{
    for (unsigned i = 0; i < message->header.cap_count && i < MESSAGE_CAP_LIMIT; i++) {
        if (message->caps[i].field_offset == offset_bytes)
            return &message->caps[i];
    }
    return NULL;
}

/* Apart, so that what is accepted goes a straight way. */
__attribute__((noinline, cold)) static enum status refused(const struct message_type *type,
                                                           void *out, enum status status)
{
    memset(out, 0, type->max_bytes);
    return status;
}

/* That there are as many descriptors as capability fields, each of which has found one that names
 * it, means that each has exactly one and that there is no other. */
enum status message_decode(const struct message_type *type, const struct message *message,
                           void *out)
{
    const struct message_header *header = &message->header;
    if (header->version != MESSAGE_VERSION)
        return refused(type, out, STATUS_BAD_VERSION);
    struct message_extent found = type->take(message->body, out, message, NULL);
    if (found.body_bytes != header->body_bytes || found.cap_count != header->cap_count)
        return refused(type, out, STATUS_INVALID_ARGUMENT);
    UNIT_ASSERT(found.body_bytes <= type->max_bytes); /* the struct is the longest body */
    if (found.body_bytes != type->max_bytes)
        memset((uint8_t *)out + found.body_bytes, 0, (size_t)type->max_bytes - found.body_bytes);
    return STATUS_OK;
}

enum status reply_decode(const struct message_type *type, const struct message *message, void *out)
{
    const struct message_header *header = &message->header;
    if (header->version != MESSAGE_VERSION || header->operation != type->operation ||
        header->status >= STATUS_COUNT)
        return refused(type, out, STATUS_INTERNAL);
    if (header->status != STATUS_OK) {
        bool bare = header->body_bytes == 0 && header->cap_count == 0;
        return refused(type, out, bare ? (enum status)header->status : STATUS_INTERNAL);
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
