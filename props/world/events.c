/* SPDX-License-Identifier: ISC */
/* The event trace: canonical numbers into a digest, and the same as text. Changes nothing it
 * sees. */
#include "props/world/events.h"

#include <string.h>

#include "abi/formats/cursor.h"
#include "abi/message_type.h"
#include "abi/text/print.h"
#include "abi/system.h"

enum event_kind { EVENT_SYSCALL = 1, EVENT_FAULT = 2 };

static void put(struct events *events, uint64_t value)
{
    digest_add_u64(&events->digest, value);
}

void events_start(struct events *events, FILE *text)
{
    *events = (struct events){.digest = digest_start(), .text = text};
}

/* Operation ids are unique over all services: the tables keep them apart. */
static const struct operation *operation_of(const struct message *message)
{
    for (unsigned i = 0; i < operation_count; i++) {
        if (operation_table[i].id == message->header.operation)
            return &operation_table[i];
    }
    return NULL;
}

static bool field_counts(const struct message_field *field)
{
    size_t length = strlen(field->name);
    bool ticks = length > 6 && strcmp(field->name + length - 6, "_ticks") == 0;
    return !ticks && strcmp(field->name, "instruction_va") != 0 &&
           strcmp(field->name, "object") != 0;
}

/* A copy of the message in which the fields that do not count are zero. */
static void message_canonical(const struct message *message, const struct message_type *type,
                              struct message *out)
{
    *out = *message;
    out->header.request_id = 0;
    size_t offset = 0;
    for (const struct message_field *field = message_fields(type);
         field->kind != FIELD_END && field->kind != FIELD_BYTES && field->kind != FIELD_ROWS;
         field++) {
        size_t bytes = (size_t)field->width_bytes * field->entry_count;
        if (!field_counts(field) && offset + bytes <= out->header.body_bytes)
            memset(out->body + offset, 0, bytes);
        offset += bytes;
    }
}

static void put_message(struct events *events, const struct message *message)
{
    const struct message_header *header = &message->header;
    put(events, header->operation);
    put(events, header->status);
    put(events, header->badge);
    put(events, header->body_bytes);
    for (unsigned i = 0; i < header->body_bytes; i++)
        put(events, message->body[i]);
    put(events, header->cap_count);
    for (unsigned i = 0; i < header->cap_count; i++) {
        put(events, message->caps[i].field_offset);
        put(events, message->caps[i].object_type);
        put(events, message->caps[i].rights);
    }
}

static const char *syscall_name(unsigned number)
{
    return number == SYSCALL_CALL    ? "call"
           : number == SYSCALL_RECV  ? "recv"
           : number == SYSCALL_REPLY ? "reply"
                                     : "reply_recv";
}

void events_syscall(struct events *events, uint32_t process, unsigned number, uint32_t slot,
                    enum status status, const struct message *message)
{
    events->count++;
    put(events, EVENT_SYSCALL);
    put(events, process);
    put(events, number);
    put(events, slot);
    put(events, status);
    if (events->text != NULL)
        fprintf(events->text, "p%u %s %u -> %s", process, syscall_name(number), slot,
                status_name(status));
    const struct operation *operation = message == NULL ? NULL : operation_of(message);
    if (operation != NULL) {
        static struct message canonical;
        bool reply = number == SYSCALL_CALL;
        message_canonical(message, reply ? operation->reply : operation->request, &canonical);
        put_message(events, &canonical);
        if (events->text != NULL) {
            static char line[MESSAGE_TEXT_BYTES_MAX];
            message_print(operation->service, reply, &canonical, line, sizeof line);
            fprintf(events->text, " %s", line);
        }
    }
    if (events->text != NULL)
        fputc('\n', events->text);
}

void events_fault(struct events *events, uint32_t process, uint64_t va, enum fault_access access)
{
    events->count++;
    put(events, EVENT_FAULT);
    put(events, process);
    put(events, va);
    put(events, access);
    if (events->text != NULL)
        fprintf(events->text, "p%u fault va=0x%llx access=%u\n", process, (unsigned long long)va,
                (unsigned)access);
}
