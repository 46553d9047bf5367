/* SPDX-License-Identifier: ISC */
/* The part of procd's model that is about processes and waits: who lives, what an end does, who
 * hears of it. */
#include "props/models/model_procd_internal.h"

#include <string.h>

#include "abi/messages/procd.h"
#include "abi/roles.h"
#include "abi/system.h"

enum { POLL_TICKS = 10 };

void model_procd_reset(struct model_procd *model, uint64_t bootstrap_pages, uint64_t memory_pages,
                       enum status (*image_read)(uint64_t offset_bytes, uint32_t count,
                                                 void *bytes))
{
    memset(model->processes, 0, model->count * sizeof model->processes[0]);
    model->bound = model->exited = false;
    model->count = model->live = model->waiter_count = model->reply_count = 0;
    model->turn = 0;
    model->bootstrap_free_pages = bootstrap_pages;
    model->memory_free_pages = memory_pages;
    model->image_read = image_read;
}

/* --- questions --- */

/* The low part of an id is the place in the table, from 1 on. */
const struct model_procd_process *model_procd_find(const struct model_procd *model, uint64_t id)
{
    uint64_t place = id & UINT16_MAX;
    if (place == 0 || place > model->count || model->processes[place - 1].id != id)
        return NULL;
    return &model->processes[place - 1];
}

struct model_procd_process *model_procd_entry(struct model_procd *model, uint64_t id)
{
    const struct model_procd_process *found = model_procd_find(model, id);
    return found == NULL ? NULL : &model->processes[found - model->processes];
}

bool model_procd_lives(const struct model_procd_process *process)
{
    return process->life != MODEL_PROCD_ENDED;
}

bool model_procd_is_foundation(uint32_t role)
{
    return role == ROLE_MEMD || role == ROLE_VSPACED || role == ROLE_PAGERD;
}

/* A live process of the role; with `running`, one that runs. */
bool model_procd_role_lives(const struct model_procd *model, uint64_t role, bool running)
{
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_procd_process *process = &model->processes[i];
        if (process->role == role && model_procd_lives(process) &&
            (!running || process->life == MODEL_PROCD_RUNNING))
            return true;
    }
    return false;
}

bool model_procd_foundation_runs(const struct model_procd *model)
{
    return model_procd_role_lives(model, ROLE_MEMD, true) &&
           model_procd_role_lives(model, ROLE_VSPACED, true) &&
           model_procd_role_lives(model, ROLE_PAGERD, true);
}

bool model_procd_others_live(const struct model_procd *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        if (model_procd_lives(&model->processes[i]) &&
            !model_procd_is_foundation(model->processes[i].role))
            return true;
    }
    return false;
}

/* --- answers --- */

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
}

static struct model_procd_wait take_wait(struct model_procd *model, uint32_t place)
{
    struct model_procd_wait wait = model->waiters[place];
    for (uint32_t i = place + 1; i < model->waiter_count; i++)
        model->waiters[i - 1] = model->waiters[i];
    model->waiter_count--;
    return wait;
}

static void refuse_wait(struct model_procd *model, uint32_t place, enum status status)
{
    struct model_procd_wait wait = take_wait(model, place);
    if (!wait.gone)
        model_procd_answer_add(model, wait.request_id, OP_PROCD_WAIT_PROCESS_EVENT, status);
}

uint64_t model_procd_give_up(struct model_procd *model, uint64_t place)
{
    if (model->waiter_count == 0)
        return 0;
    struct model_procd_wait *wait = &model->waiters[place % model->waiter_count];
    wait->gone = true;
    return wait->request_id;
}

/* Waits that are due; or, when a full table would refuse, those whose callers gave up. */
void model_procd_drop_waits(struct model_procd *model, bool gone, uint64_t now_ticks)
{
    uint32_t place = 0;
    while (place < model->waiter_count) {
        const struct model_procd_wait *wait = &model->waiters[place];
        if (gone ? wait->gone : wait->deadline_ticks <= now_ticks)
            refuse_wait(model, place, STATUS_TIMED_OUT);
        else
            place++;
    }
}

void model_procd_tick(struct model_procd *model, uint64_t now_ticks)
{
    model->reply_count = 0;
    model_procd_drop_waits(model, false, now_ticks);
}

uint64_t model_procd_next_ticks(const struct model_procd *model, uint64_t now_ticks)
{
    uint64_t next = model->bound ? now_ticks + POLL_TICKS : DEADLINE_NEVER;
    for (uint32_t i = 0; i < model->waiter_count; i++) {
        if (model->waiters[i].deadline_ticks < next)
            next = model->waiters[i].deadline_ticks;
    }
    return next;
}

/* --- ends --- */

uint64_t model_procd_budget(uint32_t role)
{
    return role_find(role)->budget_pages + role_table_budget_pages(role, MODEL_PROCD_MEMORY_PAGES);
}

/* A process becomes a record: what it was made of is free again, and its waiters hear of it. */
void model_procd_end(struct model_procd *model, struct model_procd_process *process,
                     uint32_t reason, uint32_t code, uint64_t fault_va)
{
    uint64_t budget = model_procd_budget(process->role);
    if (model_procd_is_foundation(process->role))
        model->bootstrap_free_pages += budget + process->private_pages;
    else
        model->memory_free_pages += budget;
    process->life = MODEL_PROCD_ENDED;
    model->live--;
    process->died = false;
    process->reason = reason;
    process->code = code;
    process->fault_va = fault_va;
    process->ended_turn = ++model->turn;
    uint32_t place = 0;
    while (place < model->waiter_count) {
        if (model->waiters[place].id != process->id) {
            place++;
            continue;
        }
        struct model_procd_wait wait = take_wait(model, place);
        if (!wait.gone)
            model_procd_answer_record(model_procd_answer_add(model, wait.request_id,
                                                             OP_PROCD_WAIT_PROCESS_EVENT,
                                                             STATUS_OK),
                                      process);
    }
}

/* Nobody of the role runs any more: its waits and what it staged are given up. */
void model_procd_bury(struct model_procd *model, uint32_t role)
{
    if (model_procd_role_lives(model, role, true))
        return;
    uint32_t place = 0;
    while (place < model->waiter_count) {
        if (model->waiters[place].badge == role)
            refuse_wait(model, place, STATUS_PEER_DIED);
        else
            place++;
    }
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_procd_process *process = &model->processes[i];
        if (process->life == MODEL_PROCD_STAGED && process->owner == role)
            model_procd_end(model, process, END_KILLED, 0, 0);
    }
}

void model_procd_died(struct model_procd *model, uint64_t id, uint32_t reason, uint32_t code,
                      uint64_t fault_va)
{
    struct model_procd_process *process = model_procd_entry(model, id);
    process->died = true;
    process->reason = reason;
    process->code = code;
    process->fault_va = fault_va;
}

void model_procd_event(struct model_procd *model, uint64_t id, uint64_t now_ticks)
{
    model->reply_count = 0;
    model_procd_drop_waits(model, false, now_ticks);
    struct model_procd_process *process = model_procd_entry(model, id);
    model_procd_end(model, process, process->reason, process->code, process->fault_va);
    if (model_procd_is_foundation(process->role))
        model->exited = true; /* P8 */
    else
        model_procd_bury(model, process->role);
}
