/* SPDX-License-Identifier: ISC */
/* Parses the text of abi/text/print.h. Decides whether a text is a message, never whether the
 * message is right; the first wrong byte ends it, and nothing of a wrong text comes out. */
#include "abi/text/trace_parse.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/capability.h"
#include "abi/formats/cursor.h"

struct parser {
    const char *text;
    size_t size_bytes;
    size_t at;
    enum status status; /* the first error */
    size_t column;      /* where it lies */
};

static void refuse(struct parser *parser, enum status status, size_t column)
{
    if (parser->status != STATUS_OK)
        return;
    parser->status = status;
    parser->column = column;
}

/* The next byte; 0 at the end or after an error. */
static char peek(const struct parser *parser)
{
    UNIT_ASSERT(parser->at <= parser->size_bytes);
    if (parser->status != STATUS_OK || parser->at == parser->size_bytes)
        return '\0';
    return parser->text[parser->at];
}

static bool at_end(const struct parser *parser)
{
    return parser->at == parser->size_bytes;
}

/* Steps over `word` when it comes next. */
static bool accept(struct parser *parser, const char *word)
{
    size_t at = parser->at;
    for (; *word != '\0'; word++, at++) {
        if (at == parser->size_bytes || parser->text[at] != *word)
            return false;
    }
    if (parser->status != STATUS_OK)
        return false;
    parser->at = at;
    return true;
}

static void refuse_here(struct parser *parser, enum status status)
{
    refuse(parser, at_end(parser) ? STATUS_TRUNCATED : status, parser->at);
}

static void expect(struct parser *parser, const char *word, enum status otherwise)
{
    if (!accept(parser, word))
        refuse_here(parser, otherwise);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The next name and its length, which may be 0. */
static const char *take_name(struct parser *parser, size_t *length)
{
    size_t first = parser->at;
    size_t at = first;
    while (at < parser->size_bytes && is_name_char(parser->text[at]))
        at++;
    if (parser->status == STATUS_OK)
        parser->at = at;
    *length = parser->at - first;
    return parser->text + first;
}

static bool same_name(const char *name, size_t length, const char *other)
{
    for (size_t i = 0; i < length; i++) {
        if (other[i] == '\0' || name[i] != other[i])
            return false;
    }
    return other[length] == '\0';
}

/* The value of a digit, or `base` when the byte is none. */
static unsigned digit_value(char c, unsigned base)
{
    unsigned value = base;
    if (c >= '0' && c <= '9')
        value = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
        value = (unsigned)(c - 'a') + 10;
    return value < base ? value : base;
}

/* A number of at most `high`. */
static uint64_t take_number(struct parser *parser, uint64_t high)
{
    size_t first = parser->at;
    unsigned base = accept(parser, "0x") ? 16 : 10;
    size_t digits_first = parser->at;
    bool wraps = false;
    uint64_t value = 0;
    for (unsigned digit; (digit = digit_value(peek(parser), base)) < base; parser->at++)
        wraps |= __builtin_mul_overflow(value, base, &value) ||
                 __builtin_add_overflow(value, (uint64_t)digit, &value);
    size_t digits = parser->at - digits_first;
    if (digits == 0)
        refuse_here(parser, STATUS_BAD_TEXT);
    else if (digits > 1 && parser->text[digits_first] == '0')
        refuse(parser, STATUS_BAD_TEXT, first);
    else if (wraps || value > high)
        refuse(parser, STATUS_OUT_OF_RANGE, first);
    return parser->status == STATUS_OK ? value : 0;
}

static uint64_t width_max(unsigned width_bytes)
{
    return width_bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * width_bytes)) - 1;
}

/* Hex bytes until something else comes; how many. Never more than the writer has room for. */
static size_t take_bytes(struct parser *parser, struct writer *writer)
{
    size_t count = 0;
    while (digit_value(peek(parser), 16) < 16) {
        size_t first = parser->at;
        unsigned high = digit_value(peek(parser), 16);
        parser->at++;
        unsigned low = digit_value(peek(parser), 16);
        if (low == 16) {
            refuse_here(parser, STATUS_BAD_TEXT);
            break;
        }
        parser->at++;
        write_u8(writer, (uint8_t)(high * 16 + low));
        if (writer->failed) {
            refuse(parser, STATUS_EXHAUSTED, first);
            break;
        }
        count++;
    }
    return count;
}

static uint8_t take_object_type(struct parser *parser)
{
    size_t first = parser->at;
    if (accept(parser, "#"))
        return (uint8_t)take_number(parser, UINT8_MAX);
    size_t length;
    const char *name = take_name(parser, &length);
    for (unsigned type = 0; type < OBJECT_TYPE_LIMIT && length != 0; type++) {
        bool known = type == OBJECT_NONE || object_type_rights(type) != 0;
        if (known && same_name(name, length, object_type_name(type)))
            return (uint8_t)type;
    }
    refuse(parser, at_end(parser) && length == 0 ? STATUS_TRUNCATED : STATUS_NOT_FOUND, first);
    return 0;
}

/* What stands behind the ':' after a slot or offset. */
static void take_cap(struct parser *parser, struct message *message, size_t offset_bytes)
{
    struct message_cap cap = {.field_offset = (uint16_t)offset_bytes};
    if (message->header.cap_count == MESSAGE_CAP_LIMIT) {
        refuse(parser, STATUS_EXHAUSTED, parser->at);
        return;
    }
    cap.object_type = take_object_type(parser);
    expect(parser, ":", STATUS_BAD_TEXT);
    cap.rights = (uint16_t)take_number(parser, UINT16_MAX);
    if (accept(parser, ":")) {
        cap.mode = (uint8_t)take_number(parser, UINT8_MAX);
        expect(parser, ":", STATUS_BAD_TEXT);
        cap.flags = (uint8_t)take_number(parser, UINT8_MAX);
        expect(parser, ":", STATUS_BAD_TEXT);
        cap.badge = take_number(parser, UINT64_MAX);
        expect(parser, ":", STATUS_BAD_TEXT);
        cap.reserved = (uint8_t)take_number(parser, UINT8_MAX);
    }
    if (parser->status == STATUS_OK)
        message->caps[message->header.cap_count++] = cap;
}

static bool is_scalar(const struct message_field *field)
{
    return field->kind != FIELD_END && field->kind != FIELD_BYTES && field->kind != FIELD_ROWS;
}

/* Steps over `lead name=`; false when another word stands there, which stays. */
static bool accept_field(struct parser *parser, const char *lead, const char *name)
{
    size_t first = parser->at;
    if (accept(parser, lead) && accept(parser, name) && accept(parser, "="))
        return true;
    parser->at = first;
    return false;
}

/* The error of a field that is not there: past the lead, where its name should stand. */
static void refuse_field(struct parser *parser, const char *lead)
{
    if (at_end(parser) || accept(parser, lead))
        refuse_here(parser, STATUS_NOT_FOUND);
    else
        refuse(parser, STATUS_BAD_TEXT, parser->at);
}

/* The values of one field, with their descriptors; an array's in brackets, all of them. The
 * last. */
static uint64_t take_values(struct parser *parser, const struct message_field *field,
                            struct writer *writer, struct message *caps_to)
{
    uint64_t value = 0;
    for (unsigned entry = 0; entry < field->entry_count; entry++) {
        size_t offset = writer->offset_bytes;
        if (field->entry_count > 1)
            expect(parser, entry == 0 ? "[" : ",", STATUS_BAD_TEXT);
        value = take_number(parser, width_max(field->width_bytes));
        if (field->kind == FIELD_CAP && caps_to != NULL && accept(parser, ":"))
            take_cap(parser, caps_to, offset);
        write_width(writer, value, field->width_bytes);
    }
    if (field->entry_count > 1)
        expect(parser, "]", STATUS_BAD_TEXT);
    return value;
}

/* The scalars of a row, written one behind the other; the value of the last. `caps_to` is null in
 * repeated rows, which carry no capabilities. */
static uint64_t take_scalars(struct parser *parser, const struct message_field *field,
                             struct writer *writer, struct message *caps_to)
{
    uint64_t value = 0;
    const char *lead = caps_to != NULL ? " " : "";
    for (; is_scalar(field) && parser->status == STATUS_OK; field++) {
        if (accept_field(parser, lead, field->name)) {
            value = take_values(parser, field, writer, caps_to);
            lead = caps_to != NULL ? " " : ",";
        } else if (field->kind == FIELD_ZERO) {
            value = 0;
            write_width(writer, value, field->width_bytes);
        } else {
            refuse_field(parser, lead);
        }
    }
    return value;
}

/* Rows in braces between brackets; how many. */
static uint64_t take_rows(struct parser *parser, const struct message_field *array,
                          struct writer *writer)
{
    uint64_t count = 0;
    expect(parser, "[", STATUS_BAD_TEXT);
    if (accept(parser, "]"))
        return 0;
    do {
        if (count == array->limit)
            refuse(parser, STATUS_EXHAUSTED, parser->at);
        expect(parser, "{", STATUS_BAD_TEXT);
        take_scalars(parser, array->row->fields, writer, NULL);
        expect(parser, "}", STATUS_BAD_TEXT);
        count++;
    } while (accept(parser, ","));
    expect(parser, "]", STATUS_BAD_TEXT);
    return count;
}

static void take_fields(struct parser *parser, const struct message_type *type,
                        struct message *message)
{
    struct writer writer = writer_over(message->body, sizeof message->body);
    const struct message_field *array = message_fields(type);
    uint64_t stated = take_scalars(parser, array, &writer, message);
    while (is_scalar(array))
        array++;
    if (array->kind != FIELD_END && parser->status == STATUS_OK) {
        if (!accept_field(parser, " ", array->name))
            refuse_field(parser, " ");
        size_t first = parser->at;
        uint64_t count = array->kind == FIELD_BYTES ? take_bytes(parser, &writer)
                                                    : take_rows(parser, array, &writer);
        if (count > array->limit)
            refuse(parser, STATUS_EXHAUSTED, first);
        if (count != stated)
            refuse(parser, STATUS_BAD_LENGTH, first);
    }
    message->header.body_bytes = (uint16_t)writer.offset_bytes;
}

static void take_raw(struct parser *parser, struct message *message)
{
    struct writer writer = writer_over(message->body, sizeof message->body);
    take_bytes(parser, &writer);
    message->header.body_bytes = (uint16_t)writer.offset_bytes;
    if (!accept(parser, " .caps=["))
        return;
    do {
        size_t offset = (size_t)take_number(parser, UINT16_MAX);
        expect(parser, ":", STATUS_BAD_TEXT);
        take_cap(parser, message, offset);
    } while (accept(parser, ","));
    expect(parser, "]", STATUS_BAD_TEXT);
}

static uint32_t take_status(struct parser *parser)
{
    if (digit_value(peek(parser), 10) < 10)
        return (uint32_t)take_number(parser, UINT32_MAX);
    size_t first = parser->at;
    size_t length;
    const char *name = take_name(parser, &length);
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        if (same_name(name, length, status_name(status)))
            return status;
    }
    refuse(parser, at_end(parser) && length == 0 ? STATUS_TRUNCATED : STATUS_NOT_FOUND, first);
    return 0;
}

static void take_header(struct parser *parser, struct message_header *header)
{
    header->version = MESSAGE_VERSION;
    if (accept(parser, " .version="))
        header->version = (uint16_t)take_number(parser, UINT16_MAX);
    if (accept(parser, " .request_id="))
        header->request_id = take_number(parser, UINT64_MAX);
    if (accept(parser, " .badge="))
        header->badge = take_number(parser, UINT64_MAX);
    if (accept(parser, " .status="))
        header->status = take_status(parser);
    if (accept(parser, " .window=")) {
        header->window_slot = (uint32_t)take_number(parser, UINT32_MAX);
        expect(parser, ":", STATUS_BAD_TEXT);
        header->window_count = (uint8_t)take_number(parser, UINT8_MAX);
    }
}

/* The operation of that name, in the rows of a service, which begin at `row` and stand together; null
 * after an error. */
static const struct operation *find_operation(struct parser *parser, const struct operation *row)
{
    size_t first = parser->at;
    size_t length;
    const char *name = take_name(parser, &length);
    const struct operation *end = operation_table + operation_count;
    for (enum service_id service = parser->status == STATUS_OK ? row->service : SERVICE_COUNT;
         row != end && row->service == service; row++) {
        if (same_name(name, length, row->name))
            return row;
    }
    refuse(parser, at_end(parser) && length == 0 ? STATUS_TRUNCATED : STATUS_NOT_FOUND, first);
    return NULL;
}

/* The first row of the service of that name; null: there is none. */
static const struct operation *take_service(struct parser *parser)
{
    size_t length;
    const char *name = take_name(parser, &length);
    const struct operation *end = operation_table + operation_count;
    for (const struct operation *row = operation_table; row != end; row++) {
        bool is_first = row == operation_table || row->service != row[-1].service;
        if (is_first && same_name(name, length, row->service_name))
            return row;
    }
    refuse(parser, parser->size_bytes == 0 ? STATUS_TRUNCATED : STATUS_NOT_FOUND, 0);
    return NULL;
}

/* service.operation, or service.#number. */
static void take_operation(struct parser *parser, struct trace_message *what,
                           struct message_header *header)
{
    const struct operation *rows = take_service(parser);
    if (rows == NULL)
        return;
    what->service = rows->service;
    expect(parser, ".", STATUS_BAD_TEXT);
    if (accept(parser, "#")) {
        header->operation = (uint16_t)take_number(parser, UINT16_MAX);
        what->operation = operation_find(what->service, header->operation);
    } else {
        what->operation = find_operation(parser, rows);
        header->operation = what->operation != NULL ? what->operation->id : 0;
    }
    what->reply = accept(parser, ":reply");
}

static void take_message(struct parser *parser, struct trace_message *what, struct message *message)
{
    take_operation(parser, what, &message->header);
    take_header(parser, &message->header);
    if (parser->status != STATUS_OK)
        return;
    bool bare = message->header.status != 0 && at_end(parser);
    if (accept(parser, " .body="))
        take_raw(parser, message);
    else if (what->operation != NULL && !bare)
        take_fields(parser, what->reply ? what->operation->reply : what->operation->request,
                    message);
    else if (!bare)
        refuse_here(parser, STATUS_BAD_TEXT);
    if (!at_end(parser))
        refuse(parser, STATUS_BAD_TEXT, parser->at);
}

enum status trace_parse(const char *text, size_t text_bytes, struct trace_message *what,
                        struct message *message, size_t *column)
{
    struct parser parser = {.text = text, .size_bytes = text_bytes, .status = STATUS_OK};
    memset(message, 0, sizeof *message);
    take_message(&parser, what, message);
    if (parser.status != STATUS_OK) {
        memset(what, 0, sizeof *what);
        memset(message, 0, sizeof *message);
    }
    *column = parser.column;
    return parser.status;
}
