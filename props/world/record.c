/* SPDX-License-Identifier: ISC */
/* Reads records of the metal. Trusts nothing in them: a record may be cut short. */
#include "props/world/record.h"

#include <stdlib.h>
#include <string.h>

#include "abi/formats/cursor.h"
#include "abi/system.h"

static void inputs_add(struct inputs *inputs, struct machine_record row)
{
    enum { ROOM_STEP = 1024 };
    if (inputs->count % ROOM_STEP == 0) {
        inputs->rows = realloc(inputs->rows, (inputs->count + ROOM_STEP) * sizeof inputs->rows[0]);
        if (inputs->rows == NULL)
            abort();
    }
    inputs->rows[inputs->count++] = row;
}

void inputs_release(struct inputs *inputs)
{
    free(inputs->rows);
    *inputs = (struct inputs){0};
}

static void message_read(struct reader *reader, struct message *message)
{
    memset(message, 0, sizeof *message);
    read_bytes(reader, &message->header, sizeof message->header);
    if (message->header.cap_count > MESSAGE_CAP_LIMIT ||
        message->header.body_bytes > MESSAGE_BODY_BYTES_MAX) {
        reader->failed = true;
        return;
    }
    read_bytes(reader, message->caps, message->header.cap_count * sizeof message->caps[0]);
    read_bytes(reader, message->body, message->header.body_bytes);
}

static void syscall_read(struct reader *reader, const struct machine_record *row,
                         struct events *events)
{
    static struct message message;
    bool delivered = row->value == STATUS_OK && row->number != SYSCALL_REPLY;
    if (delivered)
        message_read(reader, &message);
    if (!reader->failed)
        events_syscall(events, row->process, row->number, row->slot, (enum status)row->value,
                       delivered ? &message : NULL);
}

static void row_read(struct reader *reader, struct events *events, struct inputs *inputs)
{
    struct machine_record row = {
        .kind = read_u8(reader),
        .number = read_u8(reader),
        .process = read_u16(reader),
        .slot = read_u32(reader),
        .entry = read_u64(reader),
        .value = read_u64(reader),
    };
    if (row.kind == RECORD_TIMER || row.kind == RECORD_PREEMPT || row.kind == RECORD_INTERRUPT ||
        row.kind == RECORD_READ)
        inputs_add(inputs, row);
    else if (row.kind == RECORD_SYSCALL && row.value < STATUS_COUNT)
        syscall_read(reader, &row, events);
    else if (row.kind == RECORD_MEMORY)
        inputs->memory_pages = row.value;
    else if (row.kind == RECORD_FAULT)
        events_fault(events, row.process, row.value, (enum fault_access)row.slot);
    else
        reader->failed = true;
}

bool record_read(const uint8_t *bytes, size_t size_bytes, struct events *events,
                 struct inputs *inputs)
{
    struct reader reader = reader_over(bytes, size_bytes);
    *inputs = (struct inputs){0};
    while (!reader.failed && reader_left(&reader) != 0)
        row_read(&reader, events, inputs);
    if (reader.failed)
        fprintf(stderr, "world: the record is damaged at byte %zu of %zu\n", reader.offset_bytes,
                size_bytes);
    return !reader.failed;
}

static const char *const read_names[] = {
    [READ_PORT] = "port", [READ_PCI] = "pci", [READ_TAKEN] = "taken"};

static const char *read_name(uint32_t number)
{
    return number >= READ_PORT && number <= READ_TAKEN ? read_names[number] : "nothing";
}

void inputs_write(const struct inputs *inputs, FILE *file)
{
    fprintf(file, "memory %llu\n", (unsigned long long)inputs->memory_pages);
    for (size_t i = 0; i < inputs->count; i++) {
        const struct machine_record *row = &inputs->rows[i];
        if (row->process == RECORD_NOBODY)
            fprintf(file, "idle");
        else
            fprintf(file, "p%u %llu", row->process, (unsigned long long)row->entry);
        if (row->kind == RECORD_PREEMPT)
            fprintf(file, " preempt\n");
        else if (row->kind == RECORD_READ)
            fprintf(file, " %s %u %llu\n", read_name(row->number), row->slot,
                    (unsigned long long)row->value);
        else
            fprintf(file, " %s %llu\n", row->kind == RECORD_TIMER ? "timer" : "line",
                    (unsigned long long)row->value);
    }
}

/* What happened, behind who ran: "timer 42", "line 4", "preempt", "port 1013 96", "pci 2048 1", "taken
 * 1016 1". */
static bool happening_read(const char *text, struct machine_record *row)
{
    unsigned long long value = 0;
    int end = 0;
    row->kind = RECORD_PREEMPT;
    if (strcmp(text, "preempt\n") == 0)
        return true;
    row->kind = RECORD_TIMER;
    if (sscanf(text, "timer %llu\n%n", &value, &end) == 1 && text[end] == '\0') {
        row->value = value;
        return true;
    }
    row->kind = RECORD_INTERRUPT;
    if (sscanf(text, "line %llu\n%n", &value, &end) == 1 && text[end] == '\0') {
        row->value = value;
        return true;
    }
    row->kind = RECORD_READ;
    for (row->number = READ_PORT; row->number <= READ_TAKEN; row->number++) {
        size_t length = strlen(read_names[row->number]);
        if (strncmp(text, read_names[row->number], length) != 0)
            continue;
        bool read = sscanf(text + length, " %u %llu\n%n", &row->slot, &value, &end) == 2 &&
                    text[length + (size_t)end] == '\0';
        row->value = value;
        return read;
    }
    return false;
}

/* One line of the text form. While nobody runs, time passes and lines interrupt. */
static bool line_read(const char *line, struct machine_record *row)
{
    unsigned process;
    unsigned long long entry = 0;
    int start = 0;
    *row = (struct machine_record){.process = RECORD_NOBODY};
    if (strncmp(line, "idle ", 5) == 0)
        return happening_read(line + 5, row) &&
               (row->kind == RECORD_TIMER || row->kind == RECORD_INTERRUPT);
    if (sscanf(line, "p%u %llu %n", &process, &entry, &start) != 2 || start == 0)
        return false;
    row->process = (uint16_t)process;
    row->entry = entry;
    return process < RECORD_NOBODY && happening_read(line + start, row);
}

bool inputs_read(FILE *file, struct inputs *inputs)
{
    char line[128];
    *inputs = (struct inputs){0};
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        struct machine_record row;
        unsigned long long pages;
        if (number == 1 && sscanf(line, "memory %llu", &pages) == 1) {
            inputs->memory_pages = pages;
            continue;
        }
        if (!line_read(line, &row)) {
            fprintf(stderr, "world: input line %u is none of the forms: %s", number, line);
            inputs_release(inputs);
            return false;
        }
        inputs_add(inputs, row);
    }
    return true;
}
