/* SPDX-License-Identifier: ISC */
/* The codec against literal bytes: every constraint kind below, at and above each bound, the rules
 * of capability descriptors, the header layout, and at least one accepted and one refused message
 * of every request and reply of every table. */
#include "props/base/testing.h"
#include "props/tests/codec/codec_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/memd.h"

enum { ROW_LIMIT = 1024 };

/* What was seen of each request and reply: accepted and refused. */
static unsigned accepted[2][ROW_LIMIT];
static unsigned refused[2][ROW_LIMIT];

/* Which capability fields an accepted fixture filled, by their offset in words. */
static bool filled[2][ROW_LIMIT][MESSAGE_BODY_BYTES_MAX / 4];

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    if (found == NULL) {
        printf("not a hex digit in a fixture: '%c'\n", c);
        exit(1);
    }
    return (unsigned)(found - digits);
}

/* Hex up to a '@' or the end, blanks passed over; how many bytes. `*text` moves on. */
static size_t take_hex(const char **text, uint8_t *bytes, size_t limit)
{
    size_t count = 0;
    while (**text != '\0' && **text != '@') {
        if (**text == ' ') {
            (*text)++;
            continue;
        }
        if (count == limit) {
            printf("a fixture is too long\n");
            exit(1);
        }
        bytes[count] = (uint8_t)(digit((*text)[0]) * 16);
        bytes[count++] |= (uint8_t)digit((*text)[1]);
        *text += 2;
    }
    return count;
}

static void set_caps(struct message *message, const char *hex)
{
    memset(message->caps, 0, sizeof message->caps);
    size_t bytes = take_hex(&hex, (uint8_t *)message->caps, sizeof message->caps);
    message->header.cap_count = (uint8_t)(bytes / sizeof message->caps[0]);
}

static struct message base_message(const struct codec_fixture *base)
{
    struct message message = {0};
    const char *body = base->body;
    message.header.version = 1;
    message.header.operation = base->operation;
    set_caps(&message, base->caps);
    message.header.body_bytes = (uint16_t)take_hex(&body, message.body, sizeof message.body);
    return message;
}

static void edit(struct message *message, const char *edits)
{
    if (*edits == '=') {
        edits++;
        memset(message->body, 0, sizeof message->body);
        message->header.body_bytes =
            (uint16_t)take_hex(&edits, message->body, sizeof message->body);
        return;
    }
    while (*edits == '@') {
        char *end;
        size_t offset = strtoul(edits + 1, &end, 10);
        edits = end;
        size_t bytes = take_hex(&edits, message->body + offset, sizeof message->body - offset);
        if (offset + bytes > message->header.body_bytes) {
            printf("an edit lies outside its fixture\n");
            exit(1);
        }
    }
}

struct subject {
    const struct message_type *type;
    unsigned index; /* of the operation */
    bool reply;
    char name[80];
};

static void try_message(const struct subject *subject, const char *what,
                        const struct message *message, enum status expected)
{
    uint8_t value[MESSAGE_BODY_BYTES_MAX + 1];
    memset(value, 0xA5, sizeof value);
    enum status status = message_decode(subject->type, message, value);
    bool right = status == expected && value[subject->type->max_bytes] == 0xA5;
    for (unsigned i = 0; i < subject->type->max_bytes && right; i++) {
        bool inside = status == STATUS_OK && i < message->header.body_bytes;
        right = value[i] == (inside ? message->body[i] : 0);
    }
    (expected == STATUS_OK ? accepted : refused)[subject->reply][subject->index]++;
    expect_of(subject->name, what, right);
}

/* What must hold of every accepted base: its length is exact, its descriptors are, its version is
 * the one there is. */
static void expect_exact(const struct subject *subject, const struct message *base)
{
    struct message message = *base;
    if (base->header.body_bytes != 0) {
        message.header.body_bytes--;
        try_message(subject, "one byte shorter", &message, STATUS_INVALID_ARGUMENT);
    }
    message = *base;
    message.header.body_bytes++;
    try_message(subject, "one byte longer", &message, STATUS_INVALID_ARGUMENT);
    message = *base;
    if (base->header.cap_count < MESSAGE_CAP_LIMIT) {
        message.caps[message.header.cap_count++] =
            (struct message_cap){.field_offset = 0, .rights = 0xFF, .object_type = 2};
        try_message(subject, "one descriptor more", &message, STATUS_INVALID_ARGUMENT);
    }
    message = *base;
    message.header.cap_count = 5;
    try_message(subject, "more descriptors than a message has", &message, STATUS_INVALID_ARGUMENT);
    message = *base;
    message.header.body_bytes = 929;
    try_message(subject, "more body than a message has", &message, STATUS_INVALID_ARGUMENT);
    message = *base;
    message.header.version = 2;
    try_message(subject, "version 2", &message, STATUS_BAD_VERSION);
    message.header.version = 0;
    try_message(subject, "version 0", &message, STATUS_BAD_VERSION);
}

static struct subject subject_of(const struct codec_fixture *base)
{
    struct subject subject = {.reply = base->reply};
    const struct operation *operation = operation_find(base->service, base->operation);
    if (operation == NULL) {
        printf("no operation 0x%x in service %u\n", base->operation, (unsigned)base->service);
        exit(1);
    }
    subject.index = (unsigned)(operation - operation_table);
    subject.type = base->reply ? operation->reply : operation->request;
    snprintf(subject.name, sizeof subject.name, "%s.%s%s", operation->service_name, operation->name,
             base->reply ? ":reply" : "");
    return subject;
}

/* Whether a variation of the base says that the field at the offset may have the type. */
static bool type_is_stated(const struct codec_fixture *base, const struct codec_fixture *end,
                           uint16_t field_offset, unsigned type)
{
    for (const struct codec_fixture *at = base + 1; at < end && at->kind != FIXTURE_BASE; at++) {
        struct message stated = {0};
        if (at->kind == FIXTURE_CAPS_YES)
            set_caps(&stated, at->caps);
        for (unsigned i = 0; i < stated.header.cap_count; i++)
            if (stated.caps[i].field_offset == field_offset && stated.caps[i].object_type == type)
                return true;
    }
    return false;
}

/* Each capability of the base in each other type: refused, unless a fixture states that type. All
 * rights are there, so that it is the type that is refused. */
static void expect_types(const struct subject *subject, const struct codec_fixture *base,
                         const struct codec_fixture *end)
{
    const struct message message = base_message(base);
    for (unsigned cap = 0; cap < message.header.cap_count; cap++) {
        filled[subject->reply][subject->index][message.caps[cap].field_offset / 4] = true;
        for (unsigned type = 0; type <= OBJECT_TYPE_LIMIT; type++) {
            struct message other = message;
            char what[48];
            snprintf(what, sizeof what, "capability %u of type %u", cap, type);
            bool right = type == message.caps[cap].object_type ||
                         type_is_stated(base, end, message.caps[cap].field_offset, type);
            other.caps[cap].object_type = (uint8_t)type;
            other.caps[cap].rights = 0xFF;
            try_message(subject, what, &other, right ? STATUS_OK : STATUS_INVALID_ARGUMENT);
        }
    }
}

static void run(const struct codec_fixture *fixtures, unsigned count)
{
    struct subject subject = {0};
    struct message base = {0};
    for (unsigned i = 0; i < count; i++) {
        const struct codec_fixture *fixture = &fixtures[i];
        struct message message = base;
        switch (fixture->kind) {
        case FIXTURE_BASE:
            subject = subject_of(fixture);
            base = base_message(fixture);
            try_message(&subject, "base", &base, STATUS_OK);
            expect_exact(&subject, &base);
            expect_types(&subject, fixture, fixtures + count);
            break;
        case FIXTURE_YES:
        case FIXTURE_NO:
            edit(&message, fixture->body);
            try_message(&subject, fixture->what, &message,
                        fixture->kind == FIXTURE_YES ? STATUS_OK : STATUS_INVALID_ARGUMENT);
            break;
        case FIXTURE_CAPS_YES:
        case FIXTURE_CAPS_NO:
            set_caps(&message, fixture->caps);
            try_message(&subject, fixture->what, &message,
                        fixture->kind == FIXTURE_CAPS_YES ? STATUS_OK : STATUS_INVALID_ARGUMENT);
            break;
        }
    }
}

/* Every capability field, those that may be empty included, is filled by an accepted fixture. */
static void expect_filled(const char *name, const struct message_type *type, const bool *words)
{
    uint32_t offset = 0;
    for (const struct message_field *field = message_fields(type); field->kind != FIELD_END;
         field++) {
        for (unsigned i = 0; i < field->entry_count; i++) {
            if (field->kind == FIELD_CAP)
                expect_of(name, field->name, words[offset / 4]);
            offset += field->width_bytes; /* BYTES and ROWS come last */
        }
    }
}

/* Every request and reply of every table has an accepted and a refused fixture. */
static void test_completeness(void)
{
    char name[96];
    for (unsigned i = 0; i < operation_count && i < ROW_LIMIT; i++) {
        for (unsigned reply = 0; reply < 2; reply++) {
            const struct operation *operation = &operation_table[i];
            snprintf(name, sizeof name, "%s.%s%s", operation->service_name, operation->name,
                     reply ? ":reply" : "");
            expect_of(name, "has an accepted fixture", accepted[reply][i] != 0);
            expect_of(name, "has a refused fixture", refused[reply][i] != 0);
            expect_filled(name, reply ? operation->reply : operation->request, filled[reply][i]);
        }
    }
}

/* The bytes of a whole message, by their documented offsets. */
static void test_wire_layout(void)
{
    static const char hex[] = "0100 0302 0800 02 04 40000000 08000000 0700000000000000"
                              "8877665544332211 "
                              "0400 8500 01 01 05 00 0a0b0c0d0e0f1011"
                              "0000 7800 00 00 02 00 0000000000000000"
                              "0000000000000000 0000000000000000 0000000000000000 0000000000000000"
                              "03000000 00000000";
    struct message message = {0};
    const char *text = hex;
    take_hex(&text, (uint8_t *)&message, sizeof message);
    const struct message_header *header = &message.header;
    expect_of("header", "version, operation, body_bytes",
              header->version == 1 && header->operation == 0x203 && header->body_bytes == 8);
    expect_of("header", "cap_count, window",
              header->cap_count == 2 && header->window_count == 4 && header->window_slot == 64);
    expect_of("header", "status, request_id, badge",
              header->status == 8 && header->request_id == 7 &&
                  header->badge == UINT64_C(0x1122334455667788));
    const struct message_cap *cap = &message.caps[0];
    expect_of("descriptor", "all fields",
              cap->field_offset == 4 && cap->rights == 0x85 && cap->mode == 1 && cap->flags == 1 &&
                  cap->object_type == 5 && cap->reserved == 0 &&
                  cap->badge == UINT64_C(0x11100f0e0d0c0b0a));
    expect_of("descriptor", "the second", message.caps[1].object_type == 2);
    expect_of("body", "offset 96", message.body[0] == 3 && message.body[4] == 0);
}

/* reply_decode: refusals, and replies against the contract. */
static void test_replies(void)
{
    struct memd_query_account_reply reply;
    const struct message_type *type = &memd_query_account_reply_type;
    struct message message = {.header = {.version = 1, .operation = 0x207, .status = 8}};
    expect_of("reply", "a refusal's own status",
              reply_decode(type, &message, &reply) == STATUS_EXHAUSTED);
    message.header.status = STATUS_COUNT;
    expect_of("reply", "unknown status", reply_decode(type, &message, &reply) == STATUS_INTERNAL);
    message.header.status = 1;
    message.header.body_bytes = 48;
    expect_of("reply", "refusal with a body",
              reply_decode(type, &message, &reply) == STATUS_INTERNAL);
    message.header.status = 0;
    message.body[0] = 9;
    expect_of("reply", "accepted",
              reply_decode(type, &message, &reply) == STATUS_OK && reply.guarantee_pages == 9);
    message.header.operation = 0x208;
    expect_of("reply", "of another operation",
              reply_decode(type, &message, &reply) == STATUS_INTERNAL &&
                  reply.guarantee_pages == 0);
    message.header.operation = 0x207;
    message.header.version = 2;
    expect_of("reply", "version 2", reply_decode(type, &message, &reply) == STATUS_INTERNAL);
    message.header.version = 1;
    message.header.body_bytes = 47;
    expect_of("reply", "too short", reply_decode(type, &message, &reply) == STATUS_INTERNAL);
    message.header =
        (struct message_header){.version = 1, .operation = 0x207, .status = 1, .cap_count = 1};
    expect_of("reply", "refusal with a capability",
              reply_decode(type, &message, &reply) == STATUS_INTERNAL);
}

/* message_encode and message_refuse, against literal bytes. */
static void test_encode(void)
{
    struct memd_alloc_frames_request request = {.count = 3};
    struct message message;
    static const uint8_t header[MESSAGE_HEADER_BYTES] = {1, 0, 3, 2, 8, 0, [16] = 7};
    static const uint8_t body[] = {3, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t refusal[MESSAGE_HEADER_BYTES] = {1, 0, 3, 2, [12] = 8, [16] = 7};
    memset(&message, 0xEE, sizeof message);
    message.header.request_id = 7;
    expect_of("encode", "accepted",
              message_encode(&memd_alloc_frames_request_type, &request, &message) == STATUS_OK);
    expect_of("encode", "header bytes", memcmp(&message.header, header, sizeof header) == 0);
    expect_of("encode", "body bytes", memcmp(message.body, body, sizeof body) == 0);
    struct message before = message;
    request.count = 5;
    expect_of("encode", "above the range, message unchanged",
              message_encode(&memd_alloc_frames_request_type, &request, &message) ==
                      STATUS_INVALID_ARGUMENT &&
                  memcmp(&before, &message, sizeof before) == 0);
    message_refuse(&message, STATUS_EXHAUSTED);
    expect_of("refuse", "header bytes", memcmp(&message.header, refusal, sizeof refusal) == 0);

    static const uint8_t cap[16] = {0, 0, 5, 0};
    struct memd_open_account_reply reply = {.account_slot = 4096};
    expect_of("encode", "a capability's descriptor",
              message_encode(&memd_open_account_reply_type, &reply, &message) == STATUS_OK &&
                  message.header.cap_count == 1 && memcmp(&message.caps[0], cap, 16) == 0);
}

int main(int count, char **arguments)
{
    (void)count;
    test_wire_layout();
    test_encode();
    test_replies();
    run(codec_kernel_fixtures, codec_kernel_count);
    run(codec_service_fixtures, codec_service_count);
    run(codec_graph_fixtures, codec_graph_count);
    run(codec_files_fixtures, codec_files_count);
    run(codec_loader_fixtures, codec_loader_count);
    test_completeness();
    codec_text_tests();
    codec_agree_tests();
    return tests_end(arguments[0]);
}
