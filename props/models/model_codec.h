/* SPDX-License-Identifier: ISC */
/* What the codec must say of a body, by the descriptors of its row, one field after the other.
 * Written from the guide on top of abi/messages.h: the shipped check is code that the same row
 * becomes, and must agree on every byte string. */
#ifndef BASALT_PROPS_MODELS_MODEL_CODEC_H
#define BASALT_PROPS_MODELS_MODEL_CODEC_H

#include <stdint.h>

#include "abi/message.h"
#include "abi/message_type.h"
#include "abi/status.h"

/* What message_decode answers and leaves in `out` (type->max_bytes bytes). */
enum status model_codec_decode(const struct message_type *type, const struct message *message,
                               uint8_t *out);

/* What message_encode answers, and makes of `message`. */
enum status model_codec_encode(const struct message_type *type, const uint8_t *in,
                               struct message *message);

#endif
