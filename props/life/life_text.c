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
#include "props/base/trace.h"

enum { LINE_BYTES_MAX = 8192 };

/* The protocol whose row an operation is: the harness's own, or one that every service receives. */
static enum service_id service_of(const struct life_language *language, uint16_t operation)
{
    static const enum service_id shared[] = {SERVICE_EVENT, SERVICE_STARTUP, SERVICE_PAGERD};
    if (operation_find(language->service, operation) != NULL)
        return language->service;
    for (unsigned i = 0; i < sizeof shared / sizeof shared[0]; i++)
        if (operation_find(shared[i], operation) != NULL)
            return shared[i];
    return language->service;
}

void life_print(const struct life_language *language, const struct message *request, uint32_t on,
                enum status result)
{
    if (!trace_enabled())
        return;
    static char text[MESSAGE_TEXT_BYTES_MAX];
    struct message shown = *request;
    shown.header.request_id = 0;
    if (message_print(service_of(language, shown.header.operation), false, &shown, text,
                      sizeof text) == 0)
        snprintf(text, sizeof text, "# a message without text, operation 0x%x",
                 shown.header.operation);
    if (on != 0)
        trace_line("on=%" PRIu32 " %s -> %s", on, text, status_name(result));
    else
        trace_line("%s -> %s", text, status_name(result));
}

void life_print_action(const struct life_language *language, const struct life_step *step)
{
    if (!trace_enabled())
        return;
    const struct life_action *action = &language->actions[step->action];
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
    write_u8(&payload, (uint8_t)expected);
    write_u8(&payload, (uint8_t)on);
    write_u16(&payload, message->header.operation);
    write_u64(&payload, message->header.badge);
    write_u16(&payload, message->header.body_bytes);
    write_u8(&payload, message->header.cap_count);
    write_u8(&payload, 0);
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
    if (length == 0 || line[0] == '#')
        return true;
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
