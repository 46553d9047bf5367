/* SPDX-License-Identifier: ISC */
/* The one interpreter of message descriptors: checks, decodes and encodes every message of every
 * protocol. Any bytes give a definite status (E1); decode then encode gives the same bytes (E2). */
#ifndef BASALT_ABI_CODEC_H
#define BASALT_ABI_CODEC_H

#include <stdbool.h>

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

/* Checks one scalar field value against its descriptor; true when it is allowed. Capability fields:
 * the slot number only. Not for BYTES and ROWS. */
bool field_value_allowed(const struct message_field *field, uint64_t value);

#endif
