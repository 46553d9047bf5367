/* SPDX-License-Identifier: ISC */
/* The model of timed. The earliest is searched for when the last one has gone. */
#include "props/models/model_timed.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/roles.h"

void model_timed_reset(struct model_timed *model)
{
    model->now_ticks = 0;
    model->wait_count = 0;
    model->first_known = false;
}

static void see(struct model_timed *model, uint64_t now_ticks)
{
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
}

static void wait_remove(struct model_timed *model, uint32_t index)
{
    model->first_known = model->first_known && index != model->first;
    model->first -= index < model->first;
    model->wait_count--;
    memmove(&model->waits[index], &model->waits[index + 1],
            (model->wait_count - index) * sizeof model->waits[0]);
}

/* Those who came first come first. */
static uint32_t earliest(struct model_timed *model)
{
    if (model->first_known)
        return model->first;
    model->first = 0;
    for (uint32_t i = 1; i < model->wait_count; i++)
        if (model->waits[i].deadline_ticks < model->waits[model->first].deadline_ticks)
            model->first = i;
    model->first_known = true;
    return model->first;
}

uint64_t model_timed_next(struct model_timed *model)
{
    return model->wait_count == 0 ? UINT64_MAX : model->waits[earliest(model)].deadline_ticks;
}

void model_timed_gone(struct model_timed *model, uint32_t reply_slot)
{
    for (uint32_t i = 0; i < model->wait_count; i++)
        if (model->waits[i].reply_slot == reply_slot)
            model->waits[i].gone = true;
}

uint32_t model_timed_tick(struct model_timed *model, uint64_t now_ticks,
                          struct model_timed_wait answered[MODEL_TIMED_ANSWERS])
{
    uint32_t count = 0;
    see(model, now_ticks);
    while (count < MODEL_TIMED_ANSWERS && model->wait_count != 0 &&
           model_timed_next(model) <= model->now_ticks) {
        uint32_t index = earliest(model);
        answered[count++] = model->waits[index];
        wait_remove(model, index);
    }
    return count;
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
    bool allowed = badge != 0 && badge <= ROLE_ID_MAX && (row->allowed & FROM_CLIENT) != 0;
    return allowed ? STATUS_OK : STATUS_DENIED;
}

static void wait_until(struct model_timed *model, const struct message *request,
                       uint64_t deadline_ticks, uint32_t reply_slot,
                       struct model_timed_answer *answer)
{
    answer->later = deadline_ticks > model->now_ticks;
    if (!answer->later)
        return;
    HARNESS(model->wait_count < MODEL_TIMED_WAIT_LIMIT);
    if (model->wait_count != 0 && deadline_ticks < model->waits[earliest(model)].deadline_ticks)
        model->first = model->wait_count;
    model->first_known = model->first_known && model->wait_count != 0;
    model->waits[model->wait_count++] = (struct model_timed_wait){
        .reply_slot = reply_slot,
        .deadline_ticks = deadline_ticks,
        .request_id = request->header.request_id,
    };
}

struct model_timed_answer model_timed_step(struct model_timed *model, const struct message *request,
                                           uint32_t reply_slot, uint64_t now_ticks,
                                           const struct model_failure *failure)
{
    static union {
        struct timed_now_monotonic_request monotonic;
        struct timed_now_wall_request wall;
        struct timed_wait_until_request wait;
    } body;
    struct model_timed_answer answer = {.status = STATUS_OK};
    const struct operation *row = operation_find(SERVICE_TIMED, request->header.operation);
    see(model, now_ticks);
    for (uint32_t i = 0; i < model->wait_count; i++) /* whoever had the slot waits no more */
        if (model->waits[i].reply_slot == reply_slot)
            wait_remove(model, i--);
    answer.now_ticks = model->now_ticks;
    answer.status = admit(request, row, &body);
    if (answer.status != STATUS_OK)
        return answer;
    switch (row->id) {
    case OP_TIMED_NOW_MONOTONIC:
    case OP_TIMED_NOW_WALL:
        if (failure->count != 0)
            answer.status = failure->status;
        return answer;
    case OP_TIMED_WAIT_UNTIL:
        wait_until(model, request, body.wait.deadline_ticks, reply_slot, &answer);
        return answer;
    default:
        break;
    }
    MODEL_KNOWS_NOT(operation);
}
