/* SPDX-License-Identifier: ISC */
/* The model of logd. Clear rather than quick: who has most is counted anew for each record. */
#include "props/models/model_logd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/roles.h"
#include "props/base/property.h"

void model_logd_reset(struct model_logd *model, uint32_t limit)
{
    HARNESS(limit <= MODEL_LOGD_RECORD_LIMIT);
    model->limit = limit;
    model->last_id = 0;
    model->now_ticks = 0;
    model->count = 0;
}

uint32_t model_logd_count(const struct model_logd *model, uint64_t role)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->count; i++)
        count += model->records[i].role == role;
    return count;
}

/* Records of each role while they are counted; all are zero before and after. */
static uint32_t held[ROLE_ID_MAX + 1];

static uint32_t *held_by(uint32_t role)
{
    HARNESS(role <= ROLE_ID_MAX);
    return &held[role];
}

uint32_t model_logd_roles(const struct model_logd *model)
{
    uint32_t roles = 0;
    for (uint32_t i = 0; i < model->count; i++)
        roles += (*held_by(model->records[i].role))++ == 0;
    for (uint32_t i = 0; i < model->count; i++)
        *held_by(model->records[i].role) = 0;
    return roles;
}

/* With the new record at the end of the list, which is one too long: the role with the most loses
 * its first one. Of several the sender, or the one whose first record comes first. A sender whose
 * only record is the new one loses none. */
static uint32_t loses(const struct model_logd *model, uint32_t sender)
{
    uint32_t most = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < model->count; i++)
        ++*held_by(model->records[i].role);
    for (uint32_t i = 0; i < model->count; i++) {
        uint32_t role = model->records[i].role;
        uint32_t count = *held_by(role); /* 0: it is not the first of its role */
        *held_by(role) = 0;
        if (i + 1 < model->count &&
            (count > most || (count != 0 && count == most && role == sender))) {
            most = count;
            found = i;
        }
    }
    return found;
}

static void append(struct model_logd *model, uint32_t role,
                   const struct logd_append_request *request, struct model_logd_answer *answer)
{
    for (uint32_t i = 0; i < request->count; i++)
        if (request->text[i] < ' ' || request->text[i] > '~')
            answer->status = STATUS_BAD_TEXT;
    if (answer->status != STATUS_OK)
        return;
    struct model_logd_record *record = &model->records[model->count++];
    *record = (struct model_logd_record){
        .id = ++model->last_id,
        .ticks = model->now_ticks,
        .role = role,
        .severity = request->severity,
        .count = request->count,
    };
    memcpy(record->text, request->text, request->count);
    answer->record = *record;
    answer->changed = true;
    answer->evicted = model->count > model->limit;
    if (answer->evicted) {
        uint32_t at = loses(model, role);
        model->count--;
        memmove(&model->records[at], &model->records[at + 1],
                (model->count - at) * sizeof model->records[0]);
    }
}

/* The first one from the cursor on; ids ascend. */
static void read_from(const struct model_logd *model, uint64_t cursor,
                      struct model_logd_answer *answer)
{
    uint32_t i = 0;
    for (uint32_t end = model->count; i < end;) {
        uint32_t middle = i + (end - i) / 2;
        if (model->records[middle].id < cursor)
            i = middle + 1;
        else
            end = middle;
    }
    if (i == model->count) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    answer->record = model->records[i];
    answer->missed_count = model->records[i].id - cursor;
}

/* --- one message --- */

/* OK, or why the message goes no further. */
static enum status admit(const struct message *request, const struct operation *row, void *body)
{
    uint64_t badge = request->header.badge;
    if (row == NULL)
        return STATUS_INVALID_ARGUMENT;
    enum status status = message_decode(row->request, request, body);
    if (status != STATUS_OK)
        return status;
    uint32_t from = badge <= ROLE_ID_MAX && role_find((uint32_t)badge) != NULL ? FROM_CLIENT : 0;
    if (from != 0 && role_reads_log((uint32_t)badge))
        from |= FROM_READER;
    return (row->allowed & from) != 0 ? STATUS_OK : STATUS_DENIED;
}

struct model_logd_answer model_logd_step(struct model_logd *model, const struct message *request,
                                         uint64_t now_ticks)
{
    static union {
        struct logd_append_request append;
        struct logd_read_request read;
    } body;
    struct model_logd_answer answer = {.status = STATUS_OK};
    const struct operation *row = operation_find(SERVICE_LOGD, request->header.operation);
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
    answer.status = admit(request, row, &body);
    if (answer.status != STATUS_OK)
        return answer;
    switch (row->id) {
    case OP_LOGD_APPEND:
        append(model, (uint32_t)request->header.badge, &body.append, &answer);
        return answer;
    case OP_LOGD_READ:
        read_from(model, body.read.cursor, &answer);
        return answer;
    default:
        break;
    }
    MODEL_KNOWS_NOT(operation);
}
