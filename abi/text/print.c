/* SPDX-License-Identifier: ISC */
/* Prints messages by their rows. Knows field kinds, no operation; judges no value, so that what a
 * service must refuse can be shown as well as what it accepts. */
#include "abi/text/print.h"

#include <stddef.h>
#include <string.h>

#include "abi/assert.h"
#include "abi/capability.h"
#include "abi/formats/cursor.h"
#include "abi/status.h"

enum { DECIMAL_LIMIT = 1000000 };

struct printer {
    char *text;
    size_t limit_bytes;
    size_t used_bytes;
    bool failed;
};

static void put_char(struct printer *printer, char c)
{
    if (printer->failed || printer->used_bytes + 1 >= printer->limit_bytes) {
        printer->failed = true;
        return;
    }
    UNIT_ASSERT(printer->used_bytes < printer->limit_bytes);
    printer->text[printer->used_bytes++] = c;
}

static void put_text(struct printer *printer, const char *text)
{
    size_t count = 0;
    while (text[count] != '\0')
        count++;
    UNIT_ASSERT(printer->used_bytes < printer->limit_bytes);
    if (printer->failed || count >= printer->limit_bytes - printer->used_bytes) {
        printer->failed = true;
        return;
    }
    memcpy(printer->text + printer->used_bytes, text, count);
    printer->used_bytes += count;
}

/* Fewer than DECIMAL_LIMIT. */
static void put_decimal(struct printer *printer, uint32_t value)
{
    char digits[6 + 1]; /* the last one written first, and a zero behind them */
    _Static_assert(DECIMAL_LIMIT == 1000000, "there is room for all digits");
    unsigned first = sizeof digits - 1;
    digits[first] = '\0';
    do {
        UNIT_ASSERT(first > 0);
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put_text(printer, digits + first);
}

static void put_hex(struct printer *printer, uint64_t value)
{
    char digits[2 + 16 + 1];
    unsigned first = sizeof digits - 1;
    digits[first] = '\0';
    do {
        UNIT_ASSERT(first > 2);
        digits[--first] = "0123456789abcdef"[value % 16];
        value /= 16;
    } while (value != 0);
    digits[--first] = 'x';
    digits[--first] = '0';
    put_text(printer, digits + first);
}

static void put_number(struct printer *printer, uint64_t value)
{
    if (value < DECIMAL_LIMIT)
        put_decimal(printer, (uint32_t)value);
    else
        put_hex(printer, value);
}

static void put_bytes(struct printer *printer, const uint8_t *bytes, size_t count_bytes)
{
    for (size_t i = 0; i < count_bytes; i++) {
        put_char(printer, "0123456789abcdef"[bytes[i] / 16]);
        put_char(printer, "0123456789abcdef"[bytes[i] % 16]);
    }
}

const char *service_name(enum service_id service)
{
    for (unsigned i = 0; i < operation_count; i++) {
        if (operation_table[i].service == service)
            return operation_table[i].service_name;
    }
    return "unknown";
}

static bool is_scalar(const struct message_field *field)
{
    return field->kind != FIELD_END && field->kind != FIELD_BYTES && field->kind != FIELD_ROWS;
}

/* Whether the descriptors from *next on that name `offset` are at most one, and steps over it. */
static bool takes_cap(const struct message *message, size_t offset_bytes, unsigned *next)
{
    if (*next < message->header.cap_count && message->caps[*next].field_offset == offset_bytes)
        (*next)++;
    return *next == message->header.cap_count || message->caps[*next].field_offset > offset_bytes;
}

/* Whether body and descriptors are laid out as the row says, whatever the values. */
static bool fits_row(const struct message_type *type, const struct message *message)
{
    struct reader reader = reader_over(message->body, message->header.body_bytes);
    const struct message_field *field = message_fields(type);
    uint64_t last = 0;
    unsigned caps = 0;
    for (; is_scalar(field); field++) {
        for (unsigned entry = 0; entry < field->entry_count; entry++) {
            size_t offset = reader.offset_bytes;
            last = read_width(&reader, field->width_bytes);
            if (field->kind == FIELD_CAP && !takes_cap(message, offset, &caps))
                return false;
        }
    }
    if (reader.failed || caps != message->header.cap_count)
        return false;
    if (field->kind == FIELD_END)
        return reader_left(&reader) == 0;
    uint64_t entry_bytes = field->kind == FIELD_BYTES ? 1 : field->row->max_bytes;
    return last <= field->limit && reader_left(&reader) == last * entry_bytes;
}

/* What of a descriptor stands behind the slot. */
static void put_cap(struct printer *printer, const struct message_cap *cap)
{
    unsigned type = cap->object_type;
    put_char(printer, ':');
    if (type == OBJECT_NONE || object_type_rights(type) != 0) {
        put_text(printer, object_type_name(type));
    } else {
        put_char(printer, '#');
        put_decimal(printer, type);
    }
    put_char(printer, ':');
    put_hex(printer, cap->rights);
    if (cap->mode == 0 && cap->flags == 0 && cap->badge == 0 && cap->reserved == 0)
        return;
    put_char(printer, ':');
    put_number(printer, cap->mode);
    put_char(printer, ':');
    put_number(printer, cap->flags);
    put_char(printer, ':');
    put_number(printer, cap->badge);
    put_char(printer, ':');
    put_number(printer, cap->reserved);
}

/* The scalars of one list as they are printed, one after the other. */
struct scalars {
    struct reader *reader;
    const struct message *caps_of; /* null in repeated rows, which carry no capabilities */
    unsigned caps;                 /* descriptors that were printed */
};

/* One value, and the descriptor that names its place. Returns the value. */
static uint64_t put_value(struct printer *printer, const struct message_field *field,
                          struct scalars *scalars)
{
    const struct message *caps_of = scalars->caps_of;
    size_t offset = scalars->reader->offset_bytes;
    uint64_t value = read_width(scalars->reader, field->width_bytes);
    if (field->kind == FIELD_FLAGS || field->kind == FIELD_PAGE)
        put_hex(printer, value);
    else
        put_number(printer, value);
    if (caps_of != NULL && scalars->caps < caps_of->header.cap_count &&
        caps_of->caps[scalars->caps].field_offset == offset)
        put_cap(printer, &caps_of->caps[scalars->caps++]);
    return value;
}

/* Scalars of a row: " name=value" each, or "name=value,..." inside braces; an array's values in
 * brackets. Returns the last value. */
static uint64_t put_scalars(struct printer *printer, const struct message_field *field,
                            struct reader *reader, const struct message *caps_of)
{
    struct scalars scalars = {.reader = reader, .caps_of = caps_of};
    uint64_t value = 0;
    for (bool first = true; is_scalar(field); field++, first = false) {
        if (caps_of != NULL)
            put_char(printer, ' ');
        else if (!first)
            put_char(printer, ',');
        put_text(printer, field->name);
        put_char(printer, '=');
        for (unsigned entry = 0; entry < field->entry_count; entry++) {
            if (field->entry_count > 1)
                put_char(printer, entry == 0 ? '[' : ',');
            value = put_value(printer, field, &scalars);
        }
        if (field->entry_count > 1)
            put_char(printer, ']');
    }
    return value;
}

static void put_fields(struct printer *printer, const struct message_type *type,
                       const struct message *message)
{
    struct reader reader = reader_over(message->body, message->header.body_bytes);
    const struct message_field *array = message_fields(type);
    uint64_t count = put_scalars(printer, array, &reader, message);
    while (is_scalar(array))
        array++;
    if (array->kind == FIELD_END)
        return;
    put_char(printer, ' ');
    put_text(printer, array->name);
    put_char(printer, '=');
    if (array->kind == FIELD_BYTES) {
        put_bytes(printer, message->body + reader.offset_bytes, count);
        return;
    }
    put_char(printer, '[');
    for (uint64_t i = 0; i < count; i++) {
        put_text(printer, i == 0 ? "{" : ",{");
        put_scalars(printer, array->row->fields, &reader, NULL);
        put_char(printer, '}');
    }
    put_char(printer, ']');
}

static void put_raw(struct printer *printer, const struct message *message)
{
    put_text(printer, " .body=");
    put_bytes(printer, message->body, message->header.body_bytes);
    if (message->header.cap_count == 0)
        return;
    put_text(printer, " .caps=[");
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        if (i != 0)
            put_char(printer, ',');
        put_number(printer, message->caps[i].field_offset);
        put_cap(printer, &message->caps[i]);
    }
    put_char(printer, ']');
}

static void put_header_number(struct printer *printer, const char *name, uint64_t value)
{
    put_text(printer, name);
    put_number(printer, value);
}

/* What of the header is not as in a plain request. */
static void put_header(struct printer *printer, const struct message_header *header)
{
    if (header->version != MESSAGE_VERSION)
        put_header_number(printer, " .version=", header->version);
    if (header->request_id != 0)
        put_header_number(printer, " .request_id=", header->request_id);
    if (header->badge != 0)
        put_header_number(printer, " .badge=", header->badge);
    if (header->status != 0) {
        put_text(printer, " .status=");
        if (header->status < STATUS_COUNT)
            put_text(printer, status_name(header->status));
        else
            put_number(printer, header->status);
    }
    if (header->window_slot != 0 || header->window_count != 0) {
        put_header_number(printer, " .window=", header->window_slot);
        put_char(printer, ':');
        put_number(printer, header->window_count);
    }
}

size_t message_print(enum service_id service, bool reply, const struct message *message, char *text,
                     size_t limit_bytes)
{
    const struct message_header *header = &message->header;
    struct printer printer = {.text = text, .limit_bytes = limit_bytes};
    const struct operation *operation = operation_find(service, header->operation);
    const struct message_type *type =
        operation == NULL ? NULL : (reply ? operation->reply : operation->request);
    text[0] = '\0';
    if (header->body_bytes > MESSAGE_BODY_BYTES_MAX || header->cap_count > MESSAGE_CAP_LIMIT)
        return 0;
    put_text(&printer, service_name(service));
    put_char(&printer, '.');
    if (operation != NULL) {
        put_text(&printer, operation->name);
    } else {
        put_char(&printer, '#');
        put_hex(&printer, header->operation);
    }
    if (reply)
        put_text(&printer, ":reply");
    put_header(&printer, header);
    bool bare = header->status != 0 && header->body_bytes == 0 && header->cap_count == 0;
    if (type != NULL && !bare && fits_row(type, message))
        put_fields(&printer, type, message);
    else if (!bare)
        put_raw(&printer, message);
    if (printer.failed) {
        text[0] = '\0';
        return 0;
    }
    text[printer.used_bytes] = '\0';
    return printer.used_bytes;
}
