/* SPDX-License-Identifier: ISC */
/* The model of crashd: a list that only grows, and a list of what of it is still there. */
#include "props/models/model_crashd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "props/models/model_fair.h"

void model_crashd_reset(struct model_crashd *model)
{
    model->now_ticks = 0;
    model->count = model->kept_count = 0;
}

static uint64_t number_of(const struct model_crashd *model, uint64_t id)
{
    return id == 0 ? 0 : model->records[id - 1].report.number;
}

uint64_t model_crashd_lost(const struct model_crashd *model, uint64_t id)
{
    return number_of(model, id) - number_of(model, id - 1) - 1;
}

static void make_room(struct model_crashd *model)
{
    uint32_t goes = model_fair_goes(model->kept_owners, model->kept_count);
    uint32_t behind = --model->kept_count - goes;
    memmove(&model->kept[goes], &model->kept[goes + 1], behind * sizeof model->kept[0]);
    memmove(&model->kept_owners[goes], &model->kept_owners[goes + 1],
            behind * sizeof model->kept_owners[0]);
}

static void report(struct model_crashd *model, const struct crashd_report_request *request,
                   struct model_crashd_answer *answer)
{
    uint64_t last = number_of(model, model->count);
    if (request->number < last) {
        answer->status = STATUS_BAD_ORDER;
        return;
    }
    answer->again = request->number == last;
    answer->changed = !answer->again;
    if (answer->changed) {
        HARNESS(model->count < MODEL_CRASHD_RECORDS);
        if (model->kept_count == MODEL_CRASHD_KEPT)
            make_room(model);
        model->records[model->count++] =
            (struct model_crashd_record){.ticks = model->now_ticks, .report = *request};
        model->kept_owners[model->kept_count] = request->owner_id;
        model->kept[model->kept_count++] = model->count;
    }
    answer->id = model->count;
}

static void read_from(const struct model_crashd *model, uint64_t cursor,
                      struct model_crashd_answer *answer)
{
    uint32_t place = 0;
    while (place < model->kept_count && model->kept[place] < cursor)
        place++;
    if (place == model->kept_count) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    answer->id = model->kept[place];
    answer->missed_count = answer->id - cursor;
    answer->lost_count = model_crashd_lost(model, answer->id);
}

/* OK, or why the message goes no further. */
static enum status admit(const struct message *request, const struct operation *row, void *body)
{
    uint64_t badge = request->header.badge;
    if (row == NULL)
        return STATUS_INVALID_ARGUMENT;
    enum status status = message_decode(row->request, request, body);
    if (status != STATUS_OK)
        return status;
    if (row->id == OP_CRASHD_REPORT)
        return badge == ROLE_PROCD ? STATUS_OK : STATUS_DENIED;
    bool reads = badge <= ROLE_ID_MAX && role_reads_crashes((uint32_t)badge);
    return reads ? STATUS_OK : STATUS_DENIED;
}

struct model_crashd_answer model_crashd_step(struct model_crashd *model,
                                             const struct message *request, uint64_t now_ticks)
{
    union {
        struct crashd_report_request report;
        struct crashd_read_request read;
    } body;
    struct model_crashd_answer answer = {.status = STATUS_OK};
    const struct operation *row = operation_find(SERVICE_CRASHD, request->header.operation);
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
    answer.status = admit(request, row, &body);
    if (answer.status != STATUS_OK)
        return answer;
    switch (row->id) {
    case OP_CRASHD_REPORT:
        report(model, &body.report, &answer);
        return answer;
    case OP_CRASHD_READ:
        read_from(model, body.read.cursor, &answer);
        return answer;
    default:
        break;
    }
    MODEL_KNOWS_NOT(operation);
}
