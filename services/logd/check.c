/* SPDX-License-Identifier: ISC */
/* Walks logd's whole ring: do lists, index and records agree, and what is in them. Decides nothing
 * and changes nothing. */
#include "services/logd/internal.h"

#include <stddef.h>
#include <string.h>

/* A record that is in use says what it may, and its id finds it. */
static bool record_agrees(const struct logd *logd, uint32_t index)
{
    const struct logd_record *record = &logd->records[index];
    return record->id != 0 && record->id <= logd->last_id &&
           record->ticks <= logd->caller.now_ticks && record->client < LOGD_CLIENT_LIMIT &&
           record->severity <= LOG_SEVERITY_LAST && logd_text_valid(record->text, record->count) &&
           logd_ring_from(logd, record->id) == record;
}

/* The list of a client: all its own, ids and ticks ascending, as many as it says. */
static bool list_agrees(const struct logd *logd, uint32_t client_index)
{
    const struct logd_client *client = &logd->clients[client_index];
    const struct logd_record *before = NULL;
    uint32_t count = 0;
    logd_link last = 0;
    for (logd_link link = client->first; link != 0; link = logd->records[link - 1].next) {
        if (link > logd->record_count || count++ > logd->record_count)
            return false;
        const struct logd_record *record = &logd->records[link - 1];
        if (record->client != client_index ||
            (before != NULL && (record->id <= before->id || record->ticks < before->ticks)))
            return false;
        before = record;
        last = link;
    }
    return count == client->count && last == client->last && (count == 0 || client->role != 0);
}

const char *logd_check(const struct logd *logd)
{
    uint32_t count = 0;
    if (logd->record_limit > LOGD_RECORD_LIMIT || logd->record_count > logd->record_limit ||
        !index_check(logd->id_root, logd->id_nodes, logd->record_count, logd->record_count))
        return "E6";
    for (uint32_t i = 0; i < logd->record_count; i++)
        if (!record_agrees(logd, i))
            return "L1";
    for (uint32_t i = 0; i < LOGD_CLIENT_LIMIT; i++) {
        if (!list_agrees(logd, i))
            return "L1";
        count += logd->clients[i].count;
    }
    return count == logd->record_count ? NULL : "L2";
}

static void visit_record(const struct logd *logd, const struct logd_record *record,
                         void (*visit)(void *context, uint64_t value), void *context)
{
    uint64_t words[LOG_LINE_BYTES_MAX / sizeof(uint64_t)];
    memcpy(words, record->text, sizeof words);
    visit(context, record->id);
    visit(context, record->ticks);
    visit(context, (uint64_t)logd->clients[record->client].role << 32 | record->severity);
    visit(context, record->count);
    for (uint32_t i = 0; i * sizeof words[0] < record->count; i++)
        visit(context, words[i]); /* zeros behind the text */
}

/* In the order of the ids: where records lie and what links them follows from it. */
void logd_visit_fields(const struct logd *logd, void (*visit)(void *context, uint64_t value),
                       void *context)
{
    uint64_t id = 0;
    visit(context, logd->last_id);
    visit(context, (uint64_t)logd->record_limit << 32 | logd->record_count);
    visit(context, logd->caller.now_ticks);
    for (uint32_t i = 0; i < logd->record_count; i++) {
        const struct logd_record *record = logd_ring_from(logd, id + 1);
        if (record == NULL)
            return; /* logd_check says so */
        id = record->id;
        visit_record(logd, record, visit, context);
    }
}
