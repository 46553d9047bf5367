/* SPDX-License-Identifier: ISC */
/* logd's operations. Decides who writes and who reads, and what a line may be; makes no call. */
#include "services/logd/logd.h"

#include <stddef.h>
#include <string.h>

#include "services/lib/discovery.h"
#include "services/logd/internal.h"

bool logd_text_valid(const void *bytes, uint32_t count)
{
    const uint8_t *text = bytes;
    for (uint32_t i = 0; i < count; i++)
        if (text[i] < 0x20 || text[i] > 0x7E)
            return false;
    return count != 0 && count <= LOG_LINE_BYTES_MAX;
}

enum status logd_append(struct logd *logd, struct logd_request *request)
{
    const struct logd_append_request *body = &request->body.append;
    if (!logd_text_valid(body->text, body->count))
        return STATUS_BAD_TEXT;
    logd->clients[request->client_index].role = (uint32_t)request->common.info->badge;
    struct logd_record *record = logd_ring_add(logd, request->client_index);
    record->ticks = logd->caller.now_ticks; /* never goes back (L1) */
    record->severity = body->severity;
    record->count = body->count;
    memcpy(record->text, body->text, body->count);
    request->reply.append = (struct logd_append_reply){
        .record_id = record->id,
        .ticks = record->ticks,
    };
    return STATUS_OK;
}

enum status logd_read(struct logd *logd, struct logd_request *request)
{
    uint64_t cursor = request->body.read.cursor;
    struct logd_read_reply *reply = &request->reply.read;
    const struct logd_record *record = logd_ring_from(logd, cursor);
    if (record == NULL)
        return STATUS_NOT_FOUND;
    UNIT_ASSERT(record->id >= cursor);
    reply->record_id = record->id;
    reply->missed_count = record->id - cursor; /* L1 */
    reply->ticks = record->ticks;
    reply->role = logd->clients[record->client].role;
    reply->severity = record->severity;
    reply->count = record->count;
    memcpy(reply->text, record->text, record->count);
    return STATUS_OK;
}

/* --- one message ----------------------------------------------------------------------------- */

#define SERVICE       logd
#define SERVICE_TABLE "abi/messages/logd.def"
#include "services/lib/unfold_rows.h"

/* A client has the place of its role in the table. */
static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    struct logd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    const struct role *role = badge <= ROLE_ID_MAX ? role_find((uint32_t)badge) : NULL;
    if (role == NULL)
        return 0;
    request->client_index = (uint32_t)(role - role_table);
    UNIT_ASSERT(request->client_index < LOGD_CLIENT_LIMIT);
    return role_reads_log(role->id) ? FROM_CLIENT | FROM_READER : FROM_CLIENT;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled logd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct logd *logd = state;
    struct logd_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &logd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, logd, &request.common);
}

/* --- start ----------------------------------------------------------------------------------- */

void logd_init(struct logd *logd, uint32_t record_limit)
{
    UNIT_ASSERT(record_limit != 0 && record_limit <= LOGD_RECORD_LIMIT);
    logd->record_limit = record_limit;
}

/* What is ready can be found. */
static enum status logd_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct logd *logd = state;
    logd_init(logd, LOGD_RECORD_LIMIT);
    return discovery_register(&logd->caller, ROLE_LOGD);
}

static const char *unsound(const void *state)
{
    return logd_check(state);
}

void logd_run(struct logd *logd)
{
    struct envelope envelope;
    enum status status =
        service_start(&logd->caller, ROLE_LOGD, &envelope, logd_prepare, unsound, logd);
    service_serve(&logd->caller, status, logd_handle, logd);
}
