/* SPDX-License-Identifier: ISC */
/* The codec and its model on messages of every request and reply of every table: drawn by their
 * rows, and then with every length, every byte and every descriptor changed, one at a time. */
#include <stdio.h>
#include <string.h>

#include "abi/capability.h"
#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/text/generate.h"
#include "props/base/rows.h"
#include "props/base/testing.h"
#include "props/models/model_codec.h"
#include "props/tests/codec/codec_test.h"

enum {
    ROUNDS = 6,
    CHOICE_BYTES = 4096,
    LENGTH_PAST = 9,  /* bytes past the right length that are tried */
    PLAIN_BYTES = 96, /* bytes at the start that are all changed; of the others, one in STRIDE */
    STRIDE = 29,
};

/* Bytes that nothing is special about. */
static void draw_bytes(uint64_t *state, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(*state >> 56);
    }
}

static bool decodes_alike(const struct message_type *type, const struct message *message)
{
    uint8_t found[MESSAGE_BODY_BYTES_MAX];
    uint8_t predicted[MESSAGE_BODY_BYTES_MAX];
    memset(found, 0xA5, sizeof found);
    memset(predicted, 0xA5, sizeof predicted);
    return message_decode(type, message, found) == model_codec_decode(type, message, predicted) &&
           memcmp(found, predicted, sizeof found) == 0;
}

static bool encodes_alike(const struct message_type *type, const uint8_t *in)
{
    struct message found;
    struct message predicted;
    memset(&found, 0xA5, sizeof found);
    memset(&predicted, 0xA5, sizeof predicted);
    return message_encode(type, in, &found) == model_codec_encode(type, in, &predicted) &&
           memcmp(&found, &predicted, sizeof found) == 0;
}

static bool alike(const struct message_type *type, const struct message *message)
{
    return decodes_alike(type, message) && encodes_alike(type, message->body);
}

/* Every length, the bytes staying what they are; and every number of descriptors. */
static bool lengths_alike(const struct message_type *type, const struct message *base)
{
    struct message message = *base;
    bool good = true;
    for (unsigned length = 0; length <= base->header.body_bytes + LENGTH_PAST; length++) {
        message.header.body_bytes = (uint16_t)length;
        good = good && decodes_alike(type, &message);
    }
    message.header.body_bytes = UINT16_MAX;
    good = good && decodes_alike(type, &message);
    message.header.body_bytes = base->header.body_bytes;
    for (unsigned count = 0; count <= UINT8_MAX; count++) {
        message.header.cap_count = (uint8_t)count;
        good = good && decodes_alike(type, &message);
    }
    return good;
}

/* Every byte as its neighbours, and as what lies at the ends of ranges. */
static bool bytes_alike(const struct message_type *type, const struct message *base)
{
    static const uint8_t ends[] = {0, 1, 0x0F, 0x10, 0x7F, 0x80, 0xFF};
    bool good = true;
    for (size_t at = 0; at < type->max_bytes; at += at < PLAIN_BYTES ? 1 : STRIDE) {
        struct message message = *base;
        for (unsigned i = 0; i < sizeof ends; i++) {
            message.body[at] = ends[i];
            good = good && alike(type, &message);
        }
        message.body[at] = (uint8_t)(base->body[at] + 1);
        good = good && alike(type, &message);
        message.body[at] = (uint8_t)(base->body[at] - 1);
        good = good && alike(type, &message);
    }
    return good;
}

/* Every descriptor with each type, each right missing, another field, and twice. */
static bool caps_alike(const struct message_type *type, const struct message *base)
{
    bool good = true;
    for (unsigned cap = 0; cap < base->header.cap_count; cap++) {
        struct message message = *base;
        for (unsigned kind = 0; kind <= UINT8_MAX; kind++) {
            message.caps[cap].object_type = (uint8_t)kind;
            good = good && decodes_alike(type, &message);
        }
        message = *base;
        for (unsigned right = 0; right < 16; right++) {
            message.caps[cap].rights = (uint16_t)(base->caps[cap].rights & ~(1u << right));
            good = good && decodes_alike(type, &message);
        }
        message = *base;
        for (uint16_t offset = 0; offset < type->max_bytes; offset++) {
            message.caps[cap].field_offset = offset;
            good = good && decodes_alike(type, &message);
        }
        message = *base;
        message.caps[cap] = base->caps[(cap + 1) % base->header.cap_count];
        good = good && decodes_alike(type, &message);
        message.caps[(cap + 1) % base->header.cap_count] = base->caps[cap];
        good = good && decodes_alike(type, &message);
    }
    return good;
}

/* One message of the type, and what can be made of it. */
static void round_of(const char *name, const struct message_type *type, uint64_t *state)
{
    uint8_t bytes[CHOICE_BYTES];
    uint8_t value[MESSAGE_BODY_BYTES_MAX];
    struct message message;
    draw_bytes(state, bytes, sizeof bytes);
    struct choices choices = choices_over(bytes, sizeof bytes);
    struct generator generator = choices_generator(&choices);
    generate_valid(&generator, type, value);
    generate_delivered(type, value, &message);
    expect_of(name, "is accepted by the codec and its model",
              message_decode(type, &message, value) == STATUS_OK && alike(type, &message));
    expect_of(name, "has its verdicts with every length", lengths_alike(type, &message));
    expect_of(name, "has its verdicts with every byte changed", bytes_alike(type, &message));
    expect_of(name, "has its verdicts with every descriptor changed", caps_alike(type, &message));
    /* Bytes of no row at all, past the end of what is declared as well. */
    draw_bytes(state, message.body, sizeof message.body);
    expect_of(name, "has its verdicts on random bytes",
              alike(type, &message) && lengths_alike(type, &message));
}

void codec_agree_tests(void)
{
    uint64_t state = 1;
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *operation = &operation_table[i];
        char name[96];
        snprintf(name, sizeof name, "%s.%s", operation->service_name, operation->name);
        for (unsigned round = 0; round < ROUNDS; round++)
            round_of(name, operation->request, &state);
        snprintf(name, sizeof name, "%s.%s:reply", operation->service_name, operation->name);
        for (unsigned round = 0; round < ROUNDS; round++)
            round_of(name, operation->reply, &state);
    }
}
