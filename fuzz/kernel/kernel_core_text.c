/* SPDX-License-Identifier: ISC */
/* Entries as frames and as text. Decides nothing about what an entry means.
 *
 *   payload: kind u8, slot u32, number u64, reply slot u32 (of REPLY_RECV alone), version u16, operation u16, body_bytes u16, cap_count u8,
 *            window_count u8, window_slot u32, status u32, badge u64, descriptors u8 (how many
 *            follow), their 16 bytes each, then the body without the zeros at its end */
#include "fuzz/kernel/kernel_core_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/formats/cursor.h"
#include "abi/system.h"
#include "abi/text/print.h"
#include "abi/text/trace_parse.h"
#include "props/base/trace.h"

enum { LINE_BYTES_MAX = 8192, FRAME_HEADER_BYTES = 2 };

static const char *const kind_names[ENTRY_COUNT] = {"call", "recv", "reply", "clock", "reply_recv"};

/* --- frames --------------------------------------------------------------------------------- */

void core_entry_read(struct choices *payload, struct core_entry *entry)
{
    struct message_header *header = &entry->message.header;
    memset(entry, 0, sizeof *entry);
    entry->kind = (enum core_entry_kind)(choices_u8(payload) % ENTRY_COUNT);
    entry->slot = choices_u32(payload);
    entry->number = choices_u64(payload);
    if (entry->kind == ENTRY_REPLY_RECV)
        entry->reply_slot = choices_u32(payload);
    header->version = choices_u16(payload);
    header->operation = choices_u16(payload);
    header->body_bytes = choices_u16(payload);
    header->cap_count = choices_u8(payload);
    header->window_count = choices_u8(payload);
    header->window_slot = choices_u32(payload);
    header->status = choices_u32(payload);
    header->badge = choices_u64(payload);
    unsigned caps = choices_u8(payload) % (MESSAGE_CAP_LIMIT + 1);
    choices_bytes(payload, entry->message.caps, caps * sizeof entry->message.caps[0]);
    choices_bytes(payload, entry->message.body, sizeof entry->message.body);
}

/* How many of the bytes there are when the zeros at their end are left out. */
static size_t length_of(const void *bytes, size_t size_bytes)
{
    const uint8_t *at = bytes;
    while (size_bytes != 0 && at[size_bytes - 1] == 0)
        size_bytes--;
    return size_bytes;
}

/* Writes the frame; false when it does not fit. */
static bool entry_write(struct writer *writer, const struct core_entry *entry)
{
    uint8_t bytes[LIFE_PAYLOAD_BYTES_MAX];
    struct writer payload = writer_over(bytes, sizeof bytes);
    const struct message *message = &entry->message;
    size_t caps = (length_of(message->caps, sizeof message->caps) + sizeof message->caps[0] - 1) /
                  sizeof message->caps[0];
    write_u8(&payload, (uint8_t)entry->kind);
    write_u32(&payload, entry->slot);
    write_u64(&payload, entry->number);
    if (entry->kind == ENTRY_REPLY_RECV)
        write_u32(&payload, entry->reply_slot);
    write_u16(&payload, message->header.version);
    write_u16(&payload, message->header.operation);
    write_u16(&payload, message->header.body_bytes);
    write_u8(&payload, message->header.cap_count);
    write_u8(&payload, message->header.window_count);
    write_u32(&payload, message->header.window_slot);
    write_u32(&payload, message->header.status);
    write_u64(&payload, message->header.badge);
    write_u8(&payload, (uint8_t)caps);
    write_bytes(&payload, message->caps, caps * sizeof message->caps[0]);
    write_bytes(&payload, message->body, length_of(message->body, sizeof message->body));
    size_t words = (payload.offset_bytes + 3) / 4;
    write_u8(writer, CORE_TAG_ENTRY);
    write_u8(writer, (uint8_t)words);
    write_bytes(writer, payload.bytes, payload.offset_bytes);
    write_zero(writer, words * 4 - payload.offset_bytes);
    return !payload.failed && !writer->failed;
}

/* --- printing ------------------------------------------------------------------------------- */

/* Whether the text says the whole message. */
static bool is_said_by(const char *text, const struct message *message)
{
    struct trace_message what;
    struct message parsed;
    size_t column;
    return trace_parse(text, strlen(text), &what, &parsed, &column) == STATUS_OK &&
           memcmp(&parsed, message, sizeof parsed) == 0;
}

static void print_page(char *text, const struct message *message)
{
    const uint8_t *bytes = (const uint8_t *)message;
    size_t length = length_of(message, sizeof *message);
    text += sprintf(text, ".page=");
    for (size_t i = 0; i < length; i++)
        text += sprintf(text, "%02x", bytes[i]);
}

void core_entry_print(const struct core_entry *entry)
{
    static char text[MESSAGE_TEXT_BYTES_MAX];
    char deadline[32];
    char reply[32] = "";
    if (!trace_enabled())
        return;
    if (entry->kind == ENTRY_CLOCK) {
        trace_line("clock %" PRIu64, entry->number);
        return;
    }
    if (message_print(SERVICE_KERNEL, false, &entry->message, text, sizeof text) == 0 ||
        !is_said_by(text, &entry->message))
        print_page(text, &entry->message);
    snprintf(deadline, sizeof deadline, "%" PRIu64, entry->number);
    if (entry->kind == ENTRY_REPLY_RECV)
        snprintf(reply, sizeof reply, "reply=%" PRIu32 " ", entry->reply_slot);
    trace_line("%s %sslot=%" PRIu32 " deadline=%s %s", kind_names[entry->kind], reply, entry->slot,
               entry->number == DEADLINE_POLL    ? "poll"
               : entry->number == DEADLINE_NEVER ? "never"
                                                 : deadline,
               text);
}

/* --- assembling ----------------------------------------------------------------------------- */

/* Where assembling stands. */
struct assembler {
    const struct life_language *language;
    struct writer writer;
    unsigned line_number;
    char *problem;
    size_t problem_bytes;
};

static bool complain(struct assembler *assembler, const char *why, const char *what)
{
    snprintf(assembler->problem, assembler->problem_bytes, "line %u: %s%s", assembler->line_number,
             why, what);
    return false;
}

/* Steps over "name=number "; deadlines have two names. False: that is not what stands there. */
static bool take_number(char **text, const char *name, uint64_t *number)
{
    size_t length = strlen(name);
    if (strncmp(*text, name, length) != 0)
        return false;
    char *from = *text + length;
    char *end = from;
    *number = strtoull(from, &end, 0);
    if (end == from && strncmp(from, "poll", 4) == 0) {
        *number = DEADLINE_POLL;
        end = from + 4;
    } else if (end == from && strncmp(from, "never", 5) == 0) {
        *number = DEADLINE_NEVER;
        end = from + 5;
    }
    if (end == from || (*end != ' ' && *end != '\0'))
        return false;
    *text = *end == ' ' ? end + 1 : end;
    return true;
}

static bool take_page(const char *text, struct message *message)
{
    uint8_t *bytes = (uint8_t *)message;
    size_t length = strlen(text);
    if (length % 2 != 0 || length / 2 > sizeof *message)
        return false;
    memset(message, 0, sizeof *message);
    for (size_t i = 0; i < length; i += 2) {
        const char pair[] = {text[i], text[i + 1], '\0'};
        if (strspn(pair, "0123456789abcdef") != 2)
            return false;
        bytes[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

static bool assemble_message(struct assembler *assembler, const char *text, struct message *message)
{
    struct trace_message what;
    size_t column;
    if (strncmp(text, ".page=", 6) == 0)
        return take_page(text + 6, message) || complain(assembler, "not bytes in hex: ", text);
    enum status status = trace_parse(text, strlen(text), &what, message, &column);
    return status == STATUS_OK || complain(assembler, "not a message: ", text + column);
}

static bool assemble_entry(struct assembler *assembler, char *line, enum core_entry_kind kind)
{
    struct core_entry entry = {.kind = kind};
    char *text = line + strlen(kind_names[kind]) + 1;
    uint64_t slot = 0;
    uint64_t reply_slot = 0;
    if (kind == ENTRY_CLOCK) {
        if (!take_number(&text, "", &entry.number) || *text != '\0')
            return complain(assembler, "clock wants a number: ", line);
    } else if (kind == ENTRY_REPLY_RECV &&
               (!take_number(&text, "reply=", &reply_slot) || reply_slot > UINT32_MAX)) {
        return complain(assembler, "reply= must stand here: ", line);
    } else if (!take_number(&text, "slot=", &slot) || slot > UINT32_MAX ||
               !take_number(&text, "deadline=", &entry.number)) {
        return complain(assembler, "slot=, deadline= and a message must stand here: ", line);
    } else if (!assemble_message(assembler, text, &entry.message)) {
        return false;
    }
    entry.slot = (uint32_t)slot;
    entry.reply_slot = (uint32_t)reply_slot;
    return entry_write(&assembler->writer, &entry) ||
           complain(assembler, "the entry does not fit", "");
}

/* The kind of entry that a line states; ENTRY_COUNT: it is none. */
static enum core_entry_kind kind_of(const char *line)
{
    for (unsigned kind = 0; kind < ENTRY_COUNT; kind++) {
        size_t length = strlen(kind_names[kind]);
        if (strncmp(line, kind_names[kind], length) == 0 && line[length] == ' ')
            return (enum core_entry_kind)kind;
    }
    return ENTRY_COUNT;
}

/* Lines without entries, [from, to): life_assemble() gets them behind as many empty ones as come
 * before them, so that it counts lines as they are. */
static bool assemble_others(struct assembler *assembler, const char *from, const char *to,
                            unsigned lines_before)
{
    size_t length = (size_t)(to - from);
    char *text = malloc(lines_before + length + 1);
    if (text == NULL)
        abort();
    memset(text, '\n', lines_before);
    memcpy(text + lines_before, from, length);
    struct writer *writer = &assembler->writer;
    char before = assembler->problem[0];
    assembler->problem[0] = '\0';
    writer->offset_bytes += life_assemble(
        assembler->language, text, lines_before + length, writer->bytes + writer->offset_bytes,
        writer->size_bytes - writer->offset_bytes, assembler->problem, assembler->problem_bytes);
    free(text);
    if (assembler->problem[0] != '\0')
        return false;
    assembler->problem[0] = before;
    return true;
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline == NULL ? end : newline + 1;
}

/* One line of an entry at `at`. */
static bool assemble_line(struct assembler *assembler, const char *at, const char *next)
{
    static char line[LINE_BYTES_MAX];
    size_t length = (size_t)(next - at);
    if (length >= sizeof line)
        return complain(assembler, "the line is too long", "");
    memcpy(line, at, length);
    while (length != 0 && strchr(" \r\n", line[length - 1]) != NULL)
        length--;
    line[length] = '\0';
    return assemble_entry(assembler, line, kind_of(line));
}

size_t core_assemble(const struct life_language *language, const char *text, size_t text_bytes,
                     uint8_t *bytes, size_t limit_bytes, char *problem, size_t problem_bytes)
{
    struct assembler assembler = {language, writer_over(bytes, limit_bytes), 0, problem,
                                  problem_bytes};
    const char *end = text + text_bytes;
    while (text != end) {
        const char *from = text;
        unsigned lines_before = assembler.line_number;
        for (; text != end && kind_of(text) == ENTRY_COUNT; assembler.line_number++)
            text = line_end(text, end);
        if (text != from && !assemble_others(&assembler, from, text, lines_before))
            return 0;
        if (text == end)
            break;
        assembler.line_number++;
        if (!assemble_line(&assembler, text, line_end(text, end)))
            return 0;
        text = line_end(text, end);
    }
    return assembler.writer.offset_bytes;
}
