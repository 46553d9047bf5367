/* SPDX-License-Identifier: ISC */
/* Dictionaries from the tables, of all or of some parts. A word is written once, whatever the number
 * of fields it bounds. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "abi/capability.h"
#include "abi/formats/boot_config.h"
#include "abi/formats/boot_image.h"
#include "abi/formats/envelope.h"
#include "abi/formats/handoff.h"
#include "abi/message_type.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "abi/text/print.h"
#include "abi/status.h"
#include "props/tools/tables.h"
#include "services/console/command.h"

enum { WORD_LIMIT = 4096, WORD_BYTES_MAX = 64 };

struct words {
    FILE *out;
    unsigned count;
    struct {
        uint8_t bytes[WORD_BYTES_MAX];
        size_t size_bytes;
    } seen[WORD_LIMIT];
};

static bool is_new(struct words *words, const void *bytes, size_t size_bytes)
{
    for (unsigned i = 0; i < words->count; i++) {
        if (words->seen[i].size_bytes == size_bytes &&
            memcmp(words->seen[i].bytes, bytes, size_bytes) == 0)
            return false;
    }
    if (words->count == WORD_LIMIT || size_bytes > WORD_BYTES_MAX) {
        fprintf(stderr, "abi_tables: more or longer words than there is room for\n");
        exit(1);
    }
    memcpy(words->seen[words->count].bytes, bytes, size_bytes);
    words->seen[words->count++].size_bytes = size_bytes;
    return true;
}

static void put_word(struct words *words, const void *bytes, size_t size_bytes)
{
    if (!is_new(words, bytes, size_bytes))
        return;
    fprintf(words->out, "w%u=\"", words->count);
    for (size_t i = 0; i < size_bytes; i++)
        fprintf(words->out, "\\x%02x", ((const uint8_t *)bytes)[i]);
    fprintf(words->out, "\"\n");
}

/* Little-endian, as everything on the wire. */
static void put_value(struct words *words, uint64_t value, size_t width_bytes)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width_bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    put_word(words, bytes, width_bytes);
}

static bool is_scalar(const struct message_field *field)
{
    return field->kind != FIELD_END && field->kind != FIELD_BYTES && field->kind != FIELD_ROWS;
}

/* Both bounds and their neighbours; of flags every single one. */
static void put_bounds(struct words *words, const struct message_field *field)
{
    switch ((enum field_kind)field->kind) {
    case FIELD_RANGE:
    case FIELD_ENUM:
    case FIELD_SLOT:
        put_value(words, field->low - 1, field->width_bytes);
        put_value(words, field->low, field->width_bytes);
        put_value(words, field->high, field->width_bytes);
        put_value(words, field->high + 1, field->width_bytes);
        break;
    case FIELD_FLAGS:
        put_value(words, field->high, field->width_bytes);
        for (unsigned bit = 0; bit < 64; bit++) {
            if ((field->high >> bit & 1) != 0)
                put_value(words, UINT64_C(1) << bit, field->width_bytes);
        }
        break;
    case FIELD_PAGE:
        put_value(words, PAGE_BYTES, field->width_bytes);
        put_value(words, 0x400000, field->width_bytes);
        break;
    case FIELD_CAP:
        put_value(words, field->high, 2);
        put_value(words, SLOT_RECEIVE_BASE, field->width_bytes);
        break;
    case FIELD_ZERO:
    case FIELD_END:
    case FIELD_BYTES:
    case FIELD_ROWS:
        break;
    }
}

static void put_type(struct words *words, const struct message_type *type)
{
    const struct message_field *field = message_fields(type);
    for (; is_scalar(field); field++)
        put_bounds(words, field);
    if (field->kind != FIELD_ROWS)
        return;
    for (field = field->row->fields; is_scalar(field); field++)
        put_bounds(words, field);
}

static void put_operations(struct words *words)
{
    for (unsigned i = 0; i < operation_count; i++)
        put_value(words, operation_table[i].id, 2);
}

/* The ids of a service's operations and what bounds their fields; false: there is no such service. */
static bool put_service(struct words *words, const char *name)
{
    bool found = false;
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *row = &operation_table[i];
        if (name != NULL && strcmp(row->service_name, name) != 0)
            continue;
        found = true;
        put_value(words, row->id, 2);
        put_type(words, row->request);
        put_type(words, row->reply);
    }
    return found;
}

static void put_intakes(struct words *words)
{
    for (unsigned i = 0; i < intake_count; i++) {
        put_value(words, intake_table[i].slot, 4);
        put_value(words, intake_table[i].rights, 2);
    }
}

static void put_roles(struct words *words)
{
    for (unsigned i = 0; i < role_count; i++) {
        put_value(words, role_table[i].id, 4);
        put_word(words, role_table[i].image, strlen(role_table[i].image));
    }
}

/* What each capability of a type may allow at most. */
static void put_rights(struct words *words)
{
    for (unsigned i = 0; i < OBJECT_TYPE_LIMIT; i++)
        put_value(words, object_type_rights(i), 2);
}

static void put_addresses(struct words *words)
{
    put_value(words, USER_VA_FIRST, 8);
    put_value(words, USER_VA_END, 8);
    put_value(words, PAGE_BYTES, 8);
}

static void put_badges(struct words *words)
{
    put_value(words, BADGE_KERNEL, 8);
}

static void put_handoff(struct words *words)
{
    put_value(words, HANDOFF_MAGIC, 8);
}

static void put_boot_config(struct words *words)
{
    put_value(words, BOOT_CONFIG_MAGIC, 8);
    put_value(words, BOOT_CONFIG_MOUNT_TAG, 4);
    put_value(words, BOOT_CONFIG_LIMIT_TAG, 4);
    put_value(words, BOOT_CONFIG_READY_TICKS_MAX, 8);
}

static void put_boot_image(struct words *words)
{
    put_value(words, BOOT_IMAGE_MAGIC, 8);
    put_word(words, BOOT_CONFIG_MODULE_NAME, strlen(BOOT_CONFIG_MODULE_NAME));
}

static void put_envelope(struct words *words)
{
    put_value(words, ENVELOPE_MAGIC, 8);
}

/* Class, byte order and version; type and machine; the types of program headers. */
static void put_elf(struct words *words)
{
    static const uint32_t headers[] = {1, 2,          3,          4,          6,
                                       7, 0x6474E550, 0x6474E551, 0x6474E552, 0x6474E553};
    put_word(words, "\177ELF", 4);
    put_word(words, "\177ELF\2\1\1", 7);
    put_word(words, "\2\0\76\0\1\0\0\0", 8);
    for (unsigned i = 0; i < sizeof headers / sizeof headers[0]; i++)
        put_value(words, headers[i], 4);
}

static void put_archive(struct words *words)
{
    put_word(words,
             "ustar\0"
             "00",
             8);
    put_word(words, "ustar  \0", 8);
    put_word(words, "0000644\0", 8);
    put_word(words, "00000000000\0", 12);
    put_word(words, "./", 2);
    put_word(words, "/../", 4);
}

static void put_commands(struct words *words)
{
#define COMMAND(NAME, name, word, number, arguments, why) put_word(words, name, strlen(name));
    CONSOLE_COMMANDS(COMMAND)
#undef COMMAND
}

static const struct {
    const char *name;
    void (*put)(struct words *words);
} parts_known[] = {
    {"operations", put_operations},
    {"intakes", put_intakes},
    {"roles", put_roles},
    {"rights", put_rights},
    {"addresses", put_addresses},
    {"badges", put_badges},
    {"handoff", put_handoff},
    {"boot_config", put_boot_config},
    {"boot_image", put_boot_image},
    {"envelope", put_envelope},
    {"elf", put_elf},
    {"archive", put_archive},
    {"commands", put_commands},
};

static bool put_part(struct words *words, const char *name)
{
    for (unsigned i = 0; i < sizeof parts_known / sizeof parts_known[0]; i++) {
        if (strcmp(parts_known[i].name, name) == 0) {
            parts_known[i].put(words);
            return true;
        }
    }
    return put_service(words, name);
}

bool tables_dictionary(FILE *out, unsigned part_count, char *const parts[])
{
    static struct words words;
    words.out = out;
    words.count = 0;
    fprintf(out, "# From the tables of abi/, by abi_tables.\n");
    for (unsigned i = 0; i < part_count; i++) {
        if (!put_part(&words, parts[i])) {
            fprintf(stderr, "abi_tables: there is no part '%s'\n", parts[i]);
            return false;
        }
    }
    if (part_count == 0) {
        put_service(&words, NULL);
        for (unsigned i = 0; i < sizeof parts_known / sizeof parts_known[0]; i++)
            parts_known[i].put(&words);
    }
    return true;
}

static void put_text(struct words *words, const char *lead, const char *text, const char *tail)
{
    char word[WORD_BYTES_MAX];
    int length = snprintf(word, sizeof word, "%s%s%s", lead, text, tail);
    if (length > 0 && (size_t)length < sizeof word && is_new(words, word, (size_t)length))
        fprintf(words->out, "w%u=\"%s\"\n", words->count, word);
}

static void put_names(struct words *words, const struct message_type *type)
{
    const struct message_field *field = message_fields(type);
    for (; is_scalar(field); field++)
        put_text(words, " ", field->name, "=");
    if (field->kind == FIELD_BYTES)
        put_text(words, " ", field->name, "=");
    if (field->kind != FIELD_ROWS)
        return;
    put_text(words, " ", field->name, "=[{");
    for (field = field->row->fields; is_scalar(field); field++)
        put_text(words, "", field->name, "=");
}

bool tables_text_dictionary(FILE *out, unsigned part_count, char *const parts[])
{
    static struct words words;
    static const char *const header[] = {" .version=", " .request_id=", " .badge=", " .status=",
                                         " .window=",  " .body=",       " .caps=[", ":reply"};
    bool fields = part_count == 0;
    if (!fields && (part_count != 1 || strcmp(parts[0], "names") != 0)) {
        fprintf(stderr, "abi_tables: of texts there is one part, 'names'\n");
        return false;
    }
    words.out = out;
    words.count = 0;
    fprintf(out, "# Text of messages, from the tables of abi/, by abi_tables.\n");
    for (unsigned i = 0; i < operation_count; i++) {
        put_text(&words, operation_table[i].service_name, ".", operation_table[i].name);
        if (fields) {
            put_names(&words, operation_table[i].request);
            put_names(&words, operation_table[i].reply);
        }
    }
    for (unsigned i = 0; i < sizeof header / sizeof header[0]; i++)
        put_text(&words, header[i], "", "");
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        put_text(&words, "", status_name(i), "");
    for (unsigned i = 0; i < OBJECT_TYPE_LIMIT; i++) {
        if (object_type_rights(i) != 0)
            put_text(&words, ":", object_type_name(i), ":0x");
    }
    return true;
}
