/* SPDX-License-Identifier: ISC */
/* Life steps as text: assembles .trace files to frames and prints steps. Decides nothing about what
 * a message means; the message grammar is abi/text/print.h's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/formats/cursor.h"
#include "abi/text/print.h"
#include "abi/text/trace_parse.h"
#include "props/life/life.h"
#include "props/life/life_bytes.h"
#include "props/base/property.h"
#include "props/base/trace.h"

enum { LINE_BYTES_MAX = 8192 };

/* The protocol in which an operation is printed. */
static enum service_id service_of(const struct life_language *language, uint16_t operation)
{
    const struct operation *row = life_row_of(language, operation);
    return row == NULL ? language->service : row->service;
}

/* The step that is being taken, for the report of a property that fails in it. */
static struct {
    const struct life_language *language;
    const char *action; /* null: a message */
    uint16_t operation;
    bool predicted;
    unsigned wanted;
    unsigned got;
} current;
static bool as_comments;

static const char *result_name(unsigned result)
{
    if (result < STATUS_COUNT)
        return status_name(result);
    return result == LIFE_LATER ? "LATER" : "LOST";
}

static void report_step(void)
{
    if (current.language == NULL)
        return;
    if (current.action != NULL) {
        fprintf(stderr, "step: @%s\n", current.action);
        return;
    }
    const struct operation *row = life_row_of(current.language, current.operation);
    if (row != NULL)
        fprintf(stderr, "step: %s.%s", service_name(row->service), row->name);
    else
        fprintf(stderr, "step: %s.#0x%x", service_name(current.language->service),
                current.operation);
    if (current.predicted)
        fprintf(stderr, " predicted %s, got %s", result_name(current.wanted),
                result_name(current.got));
    fputc('\n', stderr);
}

static void step_begins(const struct life_language *language, uint16_t operation,
                        const char *action)
{
    current.language = language;
    current.operation = operation;
    current.action = action;
    current.predicted = false;
    property_context(report_step, &current.operation);
}

void life_predicted(unsigned predicted, unsigned got)
{
    current.predicted = true;
    current.wanted = predicted;
    current.got = got;
}

void life_print_as_comments(bool on)
{
    as_comments = on;
}

static void print_message(const struct life_language *language, const struct message *request,
                          uint32_t on)
{
    static char text[MESSAGE_TEXT_BYTES_MAX];
    const char *comment = as_comments ? "# " : "";
    struct message shown = *request;
    shown.header.request_id = 0;
    if (message_print(service_of(language, shown.header.operation), false, &shown, text,
                      sizeof text) == 0)
        snprintf(text, sizeof text, "# a message without text, operation 0x%x",
                 shown.header.operation);
    if (on != 0)
        trace_line("%son=%" PRIu32 " %s", comment, on, text);
    else
        trace_line("%s%s", comment, text);
}

void life_print_request(const struct life_language *language, const struct message *request,
                        uint32_t on)
{
    step_begins(language, request->header.operation, NULL);
    if (trace_enabled())
        print_message(language, request, on);
}

void life_print_result(enum status result)
{
    TRACE("%s  -> %s", as_comments ? "# " : "", status_name(result));
}

void life_print(const struct life_language *language, const struct message *request, uint32_t on,
                enum status result)
{
    life_print_request(language, request, on);
    life_print_result(result);
}

void life_print_action(const struct life_language *language, const struct life_step *step)
{
    const struct life_action *action = &language->actions[step->action];
    step_begins(language, 0, action->name);
    if (!trace_enabled())
        return;
    char line[256];
    size_t used = (size_t)snprintf(line, sizeof line, "@%s", action->name);
    for (unsigned i = 0; i < action->argument_count && used < sizeof line; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, " %" PRIu64, step->arguments[i]);
    trace_line("%s", line);
}

/* Where assembling stands. */
struct assembler {
    const struct life_language *language;
    struct writer writer;
    size_t expected_at; /* where the last message's expected status lies; 0: there is none yet */
    unsigned line_number;
    char *problem;
    size_t problem_bytes;
};

static bool complain(struct assembler *assembler, size_t column, const char *why, const char *what)
{
    snprintf(assembler->problem, assembler->problem_bytes, "line %u, column %zu: %s%s",
             assembler->line_number, column + 1, why, what);
    return false;
}

/* Writes a frame: tag, words, payload filled up to whole words. */
static bool put_frame(struct assembler *assembler, unsigned tag, const struct writer *payload)
{
    if (payload->failed)
        return complain(assembler, 0, "the step does not fit into a frame", "");
    size_t words = (payload->offset_bytes + 3) / 4;
    write_u8(&assembler->writer, (uint8_t)tag);
    write_u8(&assembler->writer, (uint8_t)words);
    write_bytes(&assembler->writer, payload->bytes, payload->offset_bytes);
    write_zero(&assembler->writer, words * 4 - payload->offset_bytes);
    return !assembler->writer.failed || complain(assembler, 0, "the life is too long", "");
}

static bool put_literal(struct assembler *assembler, const struct message *message, unsigned on,
                        unsigned expected)
{
    uint8_t bytes[LIFE_PAYLOAD_BYTES_MAX];
    struct writer payload = writer_over(bytes, sizeof bytes);
    uint16_t version = message->header.version;
    if (version == 0 || version > UINT8_MAX)
        return complain(assembler, 0, "a life has versions 1 to 255", "");
    assembler->expected_at = assembler->writer.offset_bytes + LIFE_FRAME_HEADER_BYTES;
    write_u8(&payload, (uint8_t)expected);
    write_u8(&payload, (uint8_t)on);
    write_u16(&payload, message->header.operation);
    write_u64(&payload, message->header.badge);
    write_u16(&payload, message->header.body_bytes);
    write_u8(&payload, message->header.cap_count);
    write_u8(&payload, version == MESSAGE_VERSION ? 0 : (uint8_t)version);
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        write_u16(&payload, message->caps[i].field_offset);
        write_u16(&payload, message->caps[i].rights);
        write_u8(&payload, message->caps[i].object_type);
        write_u8(&payload, 0);
        write_u64(&payload, message->caps[i].badge);
    }
    write_bytes(&payload, message->body, message->header.body_bytes);
    return put_frame(assembler, LIFE_TAG_LITERAL, &payload);
}

size_t life_fail_step(uint32_t action, uint64_t call, enum status status, uint64_t times, bool late,
                      uint8_t *bytes)
{
    uint64_t arguments[LIFE_ARGUMENT_LIMIT] = {call, status, times, late};
    struct writer writer = writer_over(bytes, LIFE_PAYLOAD_BYTES_MAX);
    write_u8(&writer, LIFE_TAG_ACTION);
    write_u8(&writer, (1 + sizeof arguments + 3) / 4);
    write_u8(&writer, (uint8_t)action);
    for (unsigned i = 0; i < LIFE_ARGUMENT_LIMIT; i++)
        write_u64(&writer, arguments[i]);
    write_zero(&writer, 3);
    return writer.offset_bytes;
}

static bool status_of(const char *name, unsigned *status)
{
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        if (strcmp(status_name(i), name) == 0) {
            *status = i;
            return true;
        }
    }
    return false;
}

/* "-> STATUS": of the message above. */
static bool assemble_result(struct assembler *assembler, const char *line)
{
    unsigned expected;
    if (assembler->expected_at == 0)
        return complain(assembler, 0, "a status without a message above it", "");
    if (!status_of(line + 3, &expected))
        return complain(assembler, 3, "no such status: ", line + 3);
    assembler->writer.bytes[assembler->expected_at] = (uint8_t)expected;
    return true;
}

/* "[on=N] message [-> STATUS]" */
static bool assemble_message(struct assembler *assembler, char *line)
{
    char *text = line;
    unsigned long on = 0;
    unsigned expected = LIFE_NO_STATUS;
    if (strncmp(text, "on=", 3) == 0) {
        on = strtoul(text + 3, &text, 0);
        if (on > UINT8_MAX || *text++ != ' ')
            return complain(assembler, 0, "on= wants a small number and a message behind it", "");
    }
    char *arrow = strstr(text, " -> ");
    if (arrow != NULL) {
        *arrow = 0;
        if (!status_of(arrow + 4, &expected))
            return complain(assembler, (size_t)(arrow + 4 - line), "no such status: ", arrow + 4);
    }
    struct trace_message what;
    struct message message;
    size_t column;
    enum status status = trace_parse(text, strlen(text), &what, &message, &column);
    if (status == STATUS_NOT_FOUND)
        return complain(assembler, (size_t)(text - line) + column,
                        "no service, operation, field or value has this name: ", text + column);
    if (status != STATUS_OK)
        return complain(assembler, (size_t)(text - line) + column,
                        "not a message: ", status_meaning(status));
    if (what.reply)
        return complain(assembler, 0, "a life is made of requests", "");
    return put_literal(assembler, &message, (unsigned)on, expected);
}

/* "@name argument ..." */
static bool assemble_action(struct assembler *assembler, char *line)
{
    uint8_t bytes[LIFE_PAYLOAD_BYTES_MAX];
    struct writer payload = writer_over(bytes, sizeof bytes);
    size_t name_bytes = strcspn(line + 1, " ");
    char *text = line + 1 + name_bytes;
    const struct life_action *actions = assembler->language->actions;
    unsigned index = 0;
    while (actions != NULL && actions[index].name != NULL &&
           (strlen(actions[index].name) != name_bytes ||
            strncmp(actions[index].name, line + 1, name_bytes) != 0))
        index++;
    if (actions == NULL || actions[index].name == NULL)
        return complain(assembler, 0, "no such action: ", line);
    write_u8(&payload, (uint8_t)index);
    for (unsigned i = 0; i < actions[index].argument_count; i++) {
        char *end = text;
        uint64_t argument = strtoull(text, &end, 0);
        if (end == text)
            return complain(assembler, (size_t)(text - line), "an argument is missing", "");
        write_u64(&payload, argument);
        text = end;
    }
    if (*text != 0)
        return complain(assembler, (size_t)(text - line), "more arguments than the action has", "");
    return put_frame(assembler, LIFE_TAG_ACTION, &payload);
}

static bool assemble_line(struct assembler *assembler, char *line)
{
    size_t length = strlen(line);
    while (length != 0 && (line[length - 1] == ' ' || line[length - 1] == '\r'))
        line[--length] = 0;
    const char *text = line + strspn(line, " ");
    if (length == 0 || line[0] == '#')
        return true;
    if (strncmp(text, "-> ", 3) == 0)
        return assemble_result(assembler, text);
    assembler->expected_at = 0;
    return line[0] == '@' ? assemble_action(assembler, line) : assemble_message(assembler, line);
}

size_t life_assemble(const struct life_language *language, const char *text, size_t text_bytes,
                     uint8_t *bytes, size_t limit_bytes, char *problem, size_t problem_bytes)
{
    static char line[LINE_BYTES_MAX];
    struct assembler assembler = {.language = language,
                                  .writer = writer_over(bytes, limit_bytes),
                                  .problem = problem,
                                  .problem_bytes = problem_bytes};
    for (size_t at = 0; at < text_bytes;) {
        const char *end = memchr(text + at, '\n', text_bytes - at);
        size_t length = end == NULL ? text_bytes - at : (size_t)(end - (text + at));
        assembler.line_number++;
        if (length >= sizeof line) {
            complain(&assembler, 0, "the line is too long", "");
            return 0;
        }
        memcpy(line, text + at, length);
        line[length] = 0;
        if (!assemble_line(&assembler, line))
            return 0;
        at += length + 1;
    }
    return assembler.writer.offset_bytes;
}
