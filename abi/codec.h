/* SPDX-License-Identifier: ISC */
/* Checks, decodes and encodes every message of every protocol, by what its row says. Any bytes give
 * a definite status (E1); decode then encode gives the same bytes (E2). */
#ifndef BASALT_ABI_CODEC_H
#define BASALT_ABI_CODEC_H

#include <stdbool.h>

#include "abi/capability.h"
#include "abi/message.h"
#include "abi/message_type.h"
#include "abi/status.h"

/* Decodes the body of a delivered message as `type` into the struct `out` (type->max_bytes bytes).
 * Body length exact, every field within its constraint, and for every capability field exactly one
 * descriptor of an allowed type with at least the rights needed, and no others. Trailing
 * array entries beyond the count are zero. Errors, `out` all zero: BAD_VERSION (header.version),
 * INVALID_ARGUMENT (everything else). */
enum status message_decode(const struct message_type *type, const struct message *message,
                           void *out);

/* Whether message_decode would return OK, for a message whose version is known to be good: the body
 * is then read where it lies. What follows a body that is shorter than the struct is anything. */
static inline bool message_allowed(const struct message_type *type, const struct message *message)
{
    struct message_extent found = type->take(message->body, NULL, message, NULL);
    return found.body_bytes == message->header.body_bytes &&
           found.cap_count == message->header.cap_count;
}

/* Decodes the reply to a request: a refusal's own status when header.status is not OK, INTERNAL
 * when the reply breaks the contract (an unknown status, a refusal with a body, a body that does
 * not decode). `out` is all zero unless the result is OK. */
enum status reply_decode(const struct message_type *type, const struct message *message, void *out);

/* Encodes the struct `in` as the body of `message`, and one COPY descriptor with the rights that
 * the row needs for each nonzero capability field, in field order. Sets version, operation,
 * body_bytes and cap_count, clears window, status and badge; request_id stays. The caller may then
 * change mode or badge of a descriptor. Unused bytes of the message are left as they are: only the
 * declared ones travel. Errors, `message` unchanged: INVALID_ARGUMENT (a field outside its
 * constraint). */
enum status message_encode(const struct message_type *type, const void *in,
                           struct message *message);

/* Makes `message` a refusal of the request it holds: status, no body, no capabilities; operation
 * and request_id stay. `status` is not OK. */
void message_refuse(struct message *message, enum status status);

/* For the checks of messages (abi/messages/check.h): the first descriptor that names this offset of
 * the body; null when none does. */
const struct message_cap *message_cap_find(const struct message *message, size_t offset_bytes);

/* Whether a descriptor names this offset of the body, is of one of the types, a mask, and has at
 * least these rights. Senders write descriptors in field order, so that `index`, how many capability
 * fields came before, tells which one it is nearly always. */
static inline bool message_cap_fits(const struct message *message, unsigned index,
                                    size_t offset_bytes, uint32_t types, uint32_t rights)
{
    const struct message_cap *cap = &message->caps[index];
    if (cap->field_offset != offset_bytes)
        cap = message_cap_find(message, offset_bytes);
    return cap != NULL && cap->object_type < OBJECT_TYPE_LIMIT &&
           (types >> cap->object_type & 1) != 0 && (cap->rights & rights) == rights;
}

#endif
