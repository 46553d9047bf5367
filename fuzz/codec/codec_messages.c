/* SPDX-License-Identifier: ISC */
/* Any bytes as a message of any type, generated messages, and any text as a message.
 *
 *   kind u8, operation u16 (a row's id, and the top bit for its reply), then:
 *   bytes      header numbers, descriptors and body as they come: a status, or a value that encodes
 *              to the same bytes; printed and parsed again it is the same message (E1, E2)
 *   generated  a valid message encodes, decodes to itself, survives print and parse; with one field
 *              or one descriptor broken it is refused
 *   text       a status and a column, or a message that prints and parses to itself
 *
 * Each time something is decoded or encoded, the model says the same (props/models/model_codec.h). */
#include <stdlib.h>
#include <string.h>

#include "abi/capability.h"
#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/text/generate.h"
#include "abi/text/print.h"
#include "abi/text/trace_parse.h"
#include "fuzz/harness.h"
#include "props/base/rows.h"
#include "props/models/model_codec.h"

const char harness_name[] = "codec_messages";
MARKS(14, 14);

enum { KIND_BYTES, KIND_GENERATED, KIND_TEXT, KIND_COUNT, TEXT_BYTES_MAX = 2048 };

/* Of a subject's two bytes: an operation's id, and this bit for its reply. */
enum { SUBJECT_REPLY = 0x8000 };

struct subject {
    const struct operation *operation;
    const struct message_type *type;
    bool reply;
};

static struct subject choose_subject(struct choices *choices)
{
    size_t from = choices->offset_bytes;
    uint16_t number = choices_u16(choices);
    bool reply = (number & SUBJECT_REPLY) != 0;
    const struct operation *operation = operation_near(number % SUBJECT_REPLY);
    choices_settle(choices, from, operation->id | (reply ? SUBJECT_REPLY : 0u));
    return (struct subject){operation, reply ? operation->reply : operation->request, reply};
}

static bool all_zero(const uint8_t *bytes, size_t count)
{
    /* All are as the first one: each is compared with the one before. */
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* The message with every byte that its header does not declare cleared. */
static struct message declared_part(const struct message *message)
{
    struct message part = {.header = message->header};
    memcpy(part.caps, message->caps, message->header.cap_count * sizeof part.caps[0]);
    memcpy(part.body, message->body, message->header.body_bytes);
    return part;
}

/* Whether a check that costs as much as all others is made this time: under engines in one of `of`
 * inputs, by what the input did up to here; in replays always. */
static bool message_turn(uint64_t of)
{
    uint64_t digest = digest_value();
    return !oracle_deferred() || (digest ^ digest >> 29) % of == 0;
}

/* E2: print then parse gives the same message. Costs more than all that is asked of the codec: what
 * else prints asks for some of its messages. */
static void check_text(enum service_id service, bool reply, const struct message *message)
{
    char text[MESSAGE_TEXT_BYTES_MAX];
    struct message parsed;
    struct trace_message what;
    size_t column;
    size_t length = message_print(service, reply, message, text, sizeof text);
    PROPERTY(E2, length != 0 && length < sizeof text && text[length] == '\0');
    TRACE("%s", text);
    PROPERTY_EQUAL(E2, trace_parse(text, length, &what, &parsed, &column), STATUS_OK);
    struct message expected = declared_part(message);
    PROPERTY(E2, memcmp(&parsed, &expected, sizeof parsed) == 0);
    PROPERTY(E2, what.service == service && what.reply == reply);
    PROPERTY(E2, what.operation == operation_find(service, message->header.operation));
    if (message_turn(16))
        PROPERTY(E1, message_print(service, reply, message, text, length) == 0);
    if (message_turn(17))
        PROPERTY(E1, message_print(service, reply, message, text, length + 1) == length);
}

static enum status decode(const struct message_type *type, const struct message *message, void *out)
{
    uint8_t predicted[MESSAGE_BODY_BYTES_MAX];
    enum status status = message_decode(type, message, out);
    PROPERTY_EQUAL(E1, status, model_codec_decode(type, message, predicted));
    PROPERTY(E1, memcmp(out, predicted, type->max_bytes) == 0);
    PROPERTY(E1, status == STATUS_OK || status == STATUS_INVALID_ARGUMENT ||
                     status == STATUS_BAD_VERSION);
    if (status != STATUS_OK)
        PROPERTY(E1, all_zero(out, type->max_bytes));
    return status;
}

static enum status encode(const struct message_type *type, const void *in, struct message *message)
{
    struct message predicted = *message;
    enum status status = message_encode(type, in, message);
    PROPERTY_EQUAL(E1, status, model_codec_encode(type, in, &predicted));
    PROPERTY(E1, memcmp(message, &predicted, sizeof predicted) == 0);
    return status;
}

/* E2: what was decoded encodes to the bytes it came from; the same fields carry capabilities. */
static void check_encodes(const struct message_type *type, const void *value,
                          const struct message *from)
{
    struct message again;
    memset(&again, 0xA5, sizeof again);
    PROPERTY_EQUAL(E2, encode(type, value, &again), STATUS_OK);
    PROPERTY_EQUAL(E2, again.header.body_bytes, from->header.body_bytes);
    PROPERTY_EQUAL(E2, again.header.cap_count, from->header.cap_count);
    PROPERTY(E2, memcmp(again.body, from->body, from->header.body_bytes) == 0);
    PROPERTY(E2, again.header.operation == type->operation && again.header.badge == 0 &&
                     again.header.status == 0 && again.header.window_count == 0);
    for (unsigned i = 0; i < again.header.cap_count; i++) {
        unsigned found = 0;
        for (unsigned j = 0; j < from->header.cap_count; j++)
            found += from->caps[j].field_offset == again.caps[i].field_offset;
        PROPERTY_EQUAL(E2, found, 1);
    }
}

/* The struct's bytes in a heap block of exactly its size, so that ASan sees a byte too many. */
static uint8_t *take_value(const struct message_type *type)
{
    uint8_t *value = malloc(type->max_bytes == 0 ? 1 : type->max_bytes);
    if (value == NULL)
        abort();
    memset(value, 0xA5, type->max_bytes == 0 ? 1 : type->max_bytes);
    return value;
}

static void run_bytes(struct choices *choices, const struct subject *subject)
{
    struct message message = {0};
    message.header.version = (uint16_t)(choices_below(choices, 16) == 15 ? 2 : MESSAGE_VERSION);
    message.header.operation =
        choices_flag(choices) ? choices_u16(choices) : subject->type->operation;
    message.header.status = choices_below(choices, 4) == 3 ? choices_u8(choices) : 0;
    message.header.cap_count = (uint8_t)choices_below(choices, MESSAGE_CAP_LIMIT + 2);
    unsigned caps = message.header.cap_count;
    for (unsigned i = 0; i < caps && i < MESSAGE_CAP_LIMIT; i++)
        choices_bytes(choices, &message.caps[i], sizeof message.caps[i]);
    size_t left = choices_left(choices);
    message.header.body_bytes = (uint16_t)(left > UINT16_MAX ? UINT16_MAX : left);
    choices_bytes(choices, message.body, sizeof message.body);

    uint8_t *value = take_value(subject->type);
    enum status status = decode(subject->type, &message, value);
    mark_operation(subject->reply ? "decode: reply" : "decode: request", subject->type->operation,
                   status);
    digest_u64(status);
    if (status == STATUS_OK) {
        digest_bytes(value, subject->type->max_bytes);
        check_encodes(subject->type, value, &message);
    }
    enum status replied = reply_decode(subject->type, &message, value);
    PROPERTY(E1, replied < STATUS_COUNT);
    if (replied != STATUS_OK)
        PROPERTY(E1, all_zero(value, subject->type->max_bytes));
    digest_u64(replied);
    free(value);
    if (message.header.body_bytes <= MESSAGE_BODY_BYTES_MAX &&
        message.header.cap_count <= MESSAGE_CAP_LIMIT) {
        if (message_turn(message.header.cap_count != 0 ? 2 : 16)) /* few have descriptors */
            check_text(subject->operation->service, subject->reply, &message);
    } else if (message_turn(8)) {
        char text[MESSAGE_TEXT_BYTES_MAX];
        PROPERTY(E1, message_print(subject->operation->service, subject->reply, &message, text,
                                   sizeof text) == 0);
    }
}

/* Hints of a caller that knows nothing: right or wrong, the message must come out valid. */
static bool choose_hint(void *context, const struct message_type *type,
                        const struct message_field *field, uint64_t *value)
{
    (void)type;
    *value = choices_below(context, 4) == 0 ? choices_u64(context)
                                            : choices_below(context, 16) + field->low;
    return choices_below(context, 4) != 3;
}

/* A delivered message that was right, with one descriptor broken. */
static void check_broken_caps(struct choices *choices, const struct message_type *type,
                              const struct message *right, void *value)
{
    struct message broken = *right;
    unsigned count = broken.header.cap_count;
    unsigned which = count == 0 ? 0 : (unsigned)choices_below(choices, count);
    struct message_cap *cap = &broken.caps[which];
    uint64_t change = count == 0 ? 0 : 1 + choices_below(choices, 5);
    if (change == 0 || change == 5) {
        if (count == MESSAGE_CAP_LIMIT)
            return;
        broken.caps[count] = broken.caps[count == 0 ? 0 : which]; /* one too many */
        broken.header.cap_count++;
        MARK("codec: extra descriptor");
    } else if (change == 1) {
        *cap = broken.caps[count - 1];
        broken.header.cap_count--; /* one missing */
        MARK("codec: missing descriptor");
    } else if (change == 2) {
        cap->object_type = OBJECT_NONE; /* in no row's mask of types */
        MARK("codec: wrong type");
    } else if (change == 3) {
        if (cap->rights == 0)
            return;
        cap->rights &= (uint16_t)(cap->rights - 1); /* the lowest right is missing */
        MARK("codec: missing right");
    } else {
        cap->field_offset ^= 1; /* next to the field */
        MARK("codec: stray descriptor");
    }
    PROPERTY_EQUAL(E1, decode(type, &broken, value), STATUS_INVALID_ARGUMENT);
}

static void run_generated(struct choices *choices, const struct subject *subject)
{
    const struct message_type *type = subject->type;
    struct generator generator = choices_generator(choices);
    generator.hint = choices_flag(choices) ? choose_hint : NULL;
    uint8_t *value = take_value(type);
    uint8_t *decoded = take_value(type);
    struct message message;
    struct message encoded = {0};
    generate_valid(&generator, type, value);
    PROPERTY_EQUAL(E2, encode(type, value, &encoded), STATUS_OK);
    generate_delivered(type, value, &message);
    PROPERTY(E2, message.header.body_bytes == encoded.header.body_bytes &&
                     message.header.cap_count == encoded.header.cap_count &&
                     memcmp(message.body, encoded.body, message.header.body_bytes) == 0);
    PROPERTY_EQUAL(E2, decode(type, &message, decoded), STATUS_OK);
    PROPERTY(E2, type->max_bytes == 0 || memcmp(value, decoded, type->max_bytes) == 0);
    digest_bytes(value, type->max_bytes);
    mark_operation(subject->reply ? "generate: reply" : "generate: request", type->operation,
                   STATUS_OK);
    if (message_turn(16))
        check_text(subject->operation->service, subject->reply, &message);
    check_broken_caps(choices, type, &message, decoded);

    if (generate_violation(&generator, type, value) != NULL) {
        PROPERTY_EQUAL(E1, encode(type, value, &encoded), STATUS_INVALID_ARGUMENT);
        generate_delivered(type, value, &message);
        PROPERTY_EQUAL(E1, decode(type, &message, decoded), STATUS_INVALID_ARGUMENT);
        digest_bytes(value, type->max_bytes);
        if (message_turn(17))
            check_text(subject->operation->service, subject->reply, &message);
        MARK("codec: field outside its constraint");
    }
    generate_mutation(&generator, type, value);
    generate_delivered(type, value, &message);
    (void)encode(type, value, &encoded);
    digest_u64(decode(type, &message, decoded));
    free(decoded);
    free(value);
}

static void run_text(struct choices *choices)
{
    char text[TEXT_BYTES_MAX];
    struct message message;
    struct trace_message what;
    size_t column;
    size_t length = choices_bytes(choices, text, sizeof text);
    char *copy = malloc(length == 0 ? 1 : length);
    if (copy == NULL)
        abort();
    memcpy(copy, text, length);
    enum status status = trace_parse(copy, length, &what, &message, &column);
    free(copy);
    mark_triple("parse", 0, 0, status);
    digest_u64(status);
    digest_u64(column);
    if (status == STATUS_OK) {
        check_text(what.service, what.reply, &message);
        return;
    }
    PROPERTY(E1, column <= length);
    PROPERTY(E1, all_zero((const uint8_t *)&message, sizeof message));
    TRACE("%s in column %zu", status_name(status), column);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    unsigned kind = choices_u8(&choices) % KIND_COUNT;
    if (kind == KIND_TEXT) {
        run_text(&choices);
        return 0;
    }
    struct subject subject = choose_subject(&choices);
    if (kind == KIND_BYTES)
        run_bytes(&choices, &subject);
    else
        run_generated(&choices, &subject);
    return 0;
}
