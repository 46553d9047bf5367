/* SPDX-License-Identifier: ISC */
/* Counts by operation and status. Judges nothing: what a count has to be, says who reads it. */
#include "props/world/operations.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/messages.h"
#include "abi/status.h"

/* By operation id: accepted is the count of STATUS_OK. */
enum { ID_LIMIT = UINT16_MAX + 1 };
static uint32_t counts[ID_LIMIT][STATUS_COUNT];

void operations_start(void)
{
    memset(counts, 0, sizeof counts);
}

/* Operation ids are unique over all services: the tables keep them apart. */
static const struct operation *find(uint16_t id)
{
    for (unsigned i = 0; i < operation_count; i++) {
        if (operation_table[i].id == id)
            return &operation_table[i];
    }
    return NULL;
}

/* A program's name has a hyphen where that of its service in the tables has an underscore. */
static bool is_named(const char *program, const char *service)
{
    for (; *program != '\0' && (*program == *service || (*program == '-' && *service == '_'));
         program++)
        service++;
    return *program == *service;
}

static bool serves(const char *service, const struct operation *operation)
{
    return operation->service == SERVICE_STARTUP || operation->service == SERVICE_EVENT ||
           is_named(service, operation->service_name);
}

void operations_answered(const char *service, const struct message *answer)
{
    const struct operation *operation = find(answer->header.operation);
    if (operation != NULL && answer->header.status < STATUS_COUNT && serves(service, operation))
        counts[operation->id][answer->header.status]++;
}

void operations_received(const struct message *message)
{
    if (message->header.badge != BADGE_KERNEL)
        return;
    struct event_process_terminated_request ended;
    const struct operation *operation = find(message->header.operation);
    if (operation == NULL)
        return;
    counts[operation->id][STATUS_OK]++;
    if (operation->id == OP_EVENT_PROCESS_TERMINATED &&
        message_decode(&event_process_terminated_request_type, message, &ended) == STATUS_OK &&
        ended.reason == END_EXITED)
        counts[OP_KERNEL_EXIT][STATUS_OK]++;
}

void operations_print(FILE *file)
{
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *operation = &operation_table[i];
        const uint32_t *by_status = counts[operation->id];
        uint32_t refused = 0;
        if (operation->state != OPERATION_LIVE)
            continue;
        for (unsigned status = STATUS_OK + 1; status < STATUS_COUNT; status++)
            refused += by_status[status];
        fprintf(file, "%s.%s %u %u", operation->service_name, operation->name, by_status[STATUS_OK],
                refused);
        for (unsigned status = STATUS_OK + 1; status < STATUS_COUNT; status++) {
            if (by_status[status] != 0)
                fprintf(file, " %s", status_name((enum status)status));
        }
        fputc('\n', file);
    }
}
