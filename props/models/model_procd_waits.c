/* SPDX-License-Identifier: ISC */
/* The part of procd's model that is about waits: a list, searched from front to back. */
#include "props/models/model_procd_internal.h"

#include "abi/messages/procd.h"
#include "abi/process.h"
#include "abi/system.h"

enum { POLL_TICKS = 10, PLACE_MASK = 0xFFFF };

struct model_procd_reply *model_procd_answer_add(struct model_procd *model, uint64_t request_id,
                                                 uint16_t operation, enum status status)
{
    struct model_procd_reply *out = &model->replies[model->reply_count++];
    *out = (struct model_procd_reply){
        .request_id = request_id, .operation = operation, .status = status};
    return out;
}

void model_procd_answer_record(struct model_procd_reply *out,
                               const struct model_procd_process *process)
{
    if (out == NULL)
        return;
    out->id = process->id;
    out->reason = process->reason;
    out->code = process->code;
    out->fault_va = process->fault_va;
    out->state = process->parked ? PROCESS_PARKED : PROCESS_ENDED;
    out->lives = process->lives;
}

static struct model_procd_wait take(struct model_procd *model, uint32_t place)
{
    struct model_procd_wait wait = model->waits[place];
    for (uint32_t i = place + 1; i < model->wait_count; i++)
        model->waits[i - 1] = model->waits[i];
    model->wait_count--;
    return wait;
}

static void refuse(struct model_procd *model, uint32_t place, enum status status)
{
    struct model_procd_wait wait = take(model, place);
    if (!wait.gone)
        model_procd_answer_add(model, wait.request_id, OP_PROCD_WAIT_PROCESS_EVENT, status);
}

/* The wait of a client or of the administrator; wait_count: it has none. */
static uint32_t wait_of(const struct model_procd *model, uint64_t who)
{
    uint32_t place = 0;
    while (place < model->wait_count && model->waits[place].who != who)
        place++;
    return place;
}

void model_procd_wait(struct model_procd *model, const struct model_procd_wait *wait)
{
    uint32_t earlier = wait_of(model, wait->who);
    if (earlier != model->wait_count)
        refuse(model, earlier, STATUS_OVER_LIMIT);
    model->waits[model->wait_count++] = *wait;
}

uint64_t model_procd_give_up(struct model_procd *model, uint64_t place)
{
    if (model->wait_count == 0)
        return 0;
    struct model_procd_wait *wait = &model->waits[place % model->wait_count];
    if (wait->gone)
        return 0;
    wait->gone = true;
    return wait->request_id;
}

void model_procd_waits_noticed(struct model_procd *model, uint32_t reply_slot)
{
    for (uint32_t place = 0; place < model->wait_count; place++) {
        if (model->waits[place].gone && model->waits[place].reply_slot == reply_slot) {
            (void)take(model, place);
            return;
        }
    }
}

/* Of two that are due at once that of the lower place in the table goes first, the administrator's
 * last. */
static uint64_t rank_of(const struct model_procd_wait *wait)
{
    return wait->who == 0 ? MODEL_PROCD_PROCESSES + 1 : wait->who & PLACE_MASK;
}

static bool goes_before(const struct model_procd_wait *wait, const struct model_procd_wait *other)
{
    if (wait->deadline_ticks != other->deadline_ticks)
        return wait->deadline_ticks < other->deadline_ticks;
    return rank_of(wait) < rank_of(other);
}

static uint32_t next_wait(const struct model_procd *model)
{
    uint32_t next = 0;
    for (uint32_t place = 1; place < model->wait_count; place++) {
        if (goes_before(&model->waits[place], &model->waits[next]))
            next = place;
    }
    return next;
}

void model_procd_waits_due(struct model_procd *model, uint64_t now_ticks)
{
    while (model->wait_count != 0) {
        uint32_t next = next_wait(model);
        if (model->waits[next].deadline_ticks > now_ticks)
            return;
        refuse(model, next, STATUS_TIMED_OUT);
    }
}

static bool wake(struct model_procd *model, uint64_t who, const struct model_procd_process *process)
{
    uint32_t place = wait_of(model, who);
    if (place == model->wait_count || model->waits[place].id != process->id)
        return false;
    struct model_procd_wait wait = take(model, place);
    if (!wait.gone)
        model_procd_answer_record(
            model_procd_answer_add(model, wait.request_id, OP_PROCD_WAIT_PROCESS_EVENT, STATUS_OK),
            process);
    return true;
}

/* The owner first, then the administrator. */
bool model_procd_waits_wake(struct model_procd *model, const struct model_procd_process *process)
{
    bool told = process->owner != 0 && wake(model, process->owner, process);
    (void)wake(model, 0, process);
    return told;
}

void model_procd_waits_forget(struct model_procd *model, uint64_t who)
{
    uint32_t place = wait_of(model, who);
    if (place != model->wait_count)
        refuse(model, place, STATUS_PEER_DIED);
}

uint64_t model_procd_next_ticks(const struct model_procd *model, uint64_t now_ticks)
{
    uint64_t next = model->bound ? now_ticks + POLL_TICKS : DEADLINE_NEVER;
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        const struct model_procd_process *process = model_procd_stirring(model, i);
        if (process->life == MODEL_PROCD_ENDING)
            return DEADLINE_POLL;
        if (process->owes && process->retry_ticks < next)
            next = process->retry_ticks;
        if (process->timed && process->next_ticks < next)
            next = process->next_ticks;
    }
    if (model_procd_turn_ticks(model) < next)
        next = model_procd_turn_ticks(model);
    if (model_procd_word_ticks(model) < next)
        next = model_procd_word_ticks(model);
    if (model_procd_notice_ticks(model) < next)
        next = model_procd_notice_ticks(model);
    if (model->transfer.id != 0 && model->transfer.until_ticks < next)
        next = model->transfer.until_ticks;
    for (uint32_t i = 0; i < model->wait_count; i++) {
        if (model->waits[i].deadline_ticks < next)
            next = model->waits[i].deadline_ticks;
    }
    return next;
}
