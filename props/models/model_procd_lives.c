/* SPDX-License-Identifier: ISC */
/* The part of procd's model that is about lives: who has another one, after how long, and what becomes
 * of it. Of a restart that meets a failure, and of what a child says, it is told. */
#include "props/models/model_procd_internal.h"

#include "abi/process.h"

enum { ASK_TICKS = 10, PACE_TICKS = 5, NOT_READY_CODE = 0x70726302 };

static bool covers(const struct model_procd_process *process, bool not_ready, uint32_t reason)
{
    switch (process->policy.policy) {
    case RESTART_ALWAYS:
        return not_ready || reason != END_KILLED;
    case RESTART_ON_FAULT:
        return not_ready || reason >= END_FAULT_NO_PAGER;
    default:
        return false;
    }
}

/* The base as often doubled as there were restarts without a stable life between, in wide numbers. */
static uint64_t delay_of(const struct model_procd_process *process)
{
    unsigned __int128 delay = process->policy.base_delay_ticks;
    for (uint32_t i = 0; i < process->doublings && delay <= UINT64_MAX; i++)
        delay *= 2;
    if (delay > process->policy.delay_cap_ticks)
        delay = process->policy.delay_cap_ticks;
    return delay == 0 ? 1 : (uint64_t)delay;
}

bool model_procd_follows(struct model_procd *model, struct model_procd_process *process,
                         bool not_ready, uint32_t reason)
{
    const struct procd_set_restart_policy_request *policy = &process->policy;
    uint64_t now = model->now_ticks;
    if (!covers(process, not_ready, reason))
        return false;
    if (process->used == 0 || now - process->window_since >= policy->window_ticks) {
        process->window_since = now;
        process->used = 0;
    }
    if (process->life == MODEL_PROCD_RUNNING && !process->asked &&
        now - process->ready_since >= policy->stable_after_ticks)
        process->doublings = 0;
    process->parked = process->used >= policy->budget_count;
    if (process->parked)
        return false;
    process->used++;
    process->delay = delay_of(process);
    process->doublings++;
    return true;
}

static uint64_t after(uint64_t now_ticks, uint64_t ticks)
{
    return ticks > UINT64_MAX - now_ticks ? UINT64_MAX : now_ticks + ticks;
}

void model_procd_rests(struct model_procd *model, struct model_procd_process *process)
{
    struct model_procd_left left = model->books(process->id);
    process->life = MODEL_PROCD_RESTING;
    process->follows = false;
    process->timed = !model_procd_life_is_left(&left);
    process->next_ticks = after(model->now_ticks, process->delay);
    process->closes = left.closes;
    model_procd_stirs(model, process);
    if (!process->timed)
        model_procd_owes(model, process);
}

/* --- another life ----------------------------------------------------------------------------- */

static void begins(struct model_procd *model, struct model_procd_process *process)
{
    process->life = MODEL_PROCD_RUNNING;
    process->closes = model->closes;
    process->reason = END_NONE;
    process->code = 0;
    process->fault_va = 0;
    process->lives++;
    process->ready_since = model->now_ticks;
    process->asked = process->timed = process->policy.ready_ticks != 0;
    process->ready_until = after(model->now_ticks, process->policy.ready_ticks);
    process->next_ticks = after(model->now_ticks, ASK_TICKS);
    model_procd_stirs(model, process);
}

/* As good as an end; why the last life ended is still what is known. */
static void fails(struct model_procd *model, struct model_procd_process *process)
{
    struct model_procd_left left = model->books(process->id);
    if (model_procd_follows(model, process, true, process->reason)) {
        model_procd_rests(model, process);
        return;
    }
    if (process->policy.critical) {
        model->exited = model->exits_alone = true;
        return;
    }
    process->closes = left.closes + 1; /* of what was undone; no more than that is offered again */
    (void)model_procd_end(model, process, process->reason, process->code, process->fault_va);
}

/* Whether memd or pagerd were called. */
static bool restart(struct model_procd *model, struct model_procd_process *process)
{
    bool unread = model->again.unread_count != 0;
    model->again.unread_count -= unread;
    model->restarted++;
    if (unread) {
        fails(model, process);
        return process->life != MODEL_PROCD_RESTING; /* its mould goes */
    }
    struct role role = model_procd_role(process->role, &process->limits);
    if (model->again.unmade || model_procd_account(model, process->owner, &role) != STATUS_OK)
        fails(model, process);
    else
        begins(model, process);
    return true;
}

static void ask(struct model_procd *model, struct model_procd_process *process)
{
    model->asked_id = process->id;
    if (model->again.answered && model->again.answer == STATUS_OK) {
        process->asked = false;
        process->ready_since = model->now_ticks;
        return;
    }
    bool silent =
        model->again.answer == STATUS_TIMED_OUT && model->now_ticks < process->ready_until;
    bool unread = process->died && model->books(process->id).in_kernel; /* its record */
    if (silent || unread) {
        process->timed = true;
        process->next_ticks = after(model->now_ticks, ASK_TICKS);
        model_procd_stirs(model, process);
        return;
    }
    model->restarted++;
    uint32_t reason = process->died ? process->reason : END_KILLED;
    uint32_t code = process->died ? process->code : NOT_READY_CODE;
    uint64_t fault_va = process->died ? process->fault_va : 0;
    model_procd_life_over(model, process, !process->died, reason, code, fault_va);
}

static uint64_t place_of(const struct model_procd_process *process)
{
    return process->id & 0xFFFF;
}

/* --- turns ------------------------------------------------------------------------------------ */

static uint64_t *pace_of(struct model_procd *model, uint64_t owner)
{
    return owner == 0 ? &model->top_pace_ticks : &model_procd_entry(model, owner)->pace_ticks;
}

static uint64_t paced(const struct model_procd *model, uint64_t owner)
{
    return owner == 0 ? model->top_pace_ticks : model_procd_find(model, owner)->pace_ticks;
}

/* The administrator comes last of those that have waited as long. */
static uint64_t rank_of_owner(uint64_t owner)
{
    return owner == 0 ? UINT64_MAX : owner & 0xFFFF;
}

/* Whose owner had its last turn longest ago, and who of that owner's was due first. */
static bool goes_first(const struct model_procd *model, const struct model_procd_process *process,
                       const struct model_procd_process *other)
{
    if (process->owner == other->owner)
        return process->due_since < other->due_since;
    uint64_t pace = paced(model, process->owner);
    uint64_t other_pace = paced(model, other->owner);
    return pace < other_pace ||
           (pace == other_pace && rank_of_owner(process->owner) < rank_of_owner(other->owner));
}

static const struct model_procd_process *next_due(const struct model_procd *model)
{
    const struct model_procd_process *next = NULL;
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        const struct model_procd_process *process = model_procd_stirring(model, i);
        if (process->due && (next == NULL || goes_first(model, process, next)))
            next = process;
    }
    return next;
}

uint64_t model_procd_turn_ticks(const struct model_procd *model)
{
    const struct model_procd_process *next = next_due(model);
    if (next == NULL)
        return UINT64_MAX;
    uint64_t ticks = paced(model, next->owner);
    return ticks < model->pace_ticks ? model->pace_ticks : ticks;
}

/* It has its turn, when it is in that state; null: nobody does. */
static struct model_procd_process *take_turn(struct model_procd *model, enum model_procd_life life)
{
    const struct model_procd_process *next = next_due(model);
    if (next == NULL || next->life != life || model_procd_turn_ticks(model) > model->now_ticks)
        return NULL;
    struct model_procd_process *process = model_procd_entry(model, next->id);
    process->due = false;
    *pace_of(model, process->owner) = after(model->now_ticks, ASK_TICKS);
    model->pace_ticks = after(model->now_ticks, PACE_TICKS);
    return process;
}

static struct model_procd_process *next_timed(struct model_procd *model)
{
    struct model_procd_process *next = NULL;
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        struct model_procd_process *process = &model->processes[model->stirring[i]];
        if (process->timed && process->next_ticks <= model->now_ticks &&
            (next == NULL || process->next_ticks < next->next_ticks ||
             (process->next_ticks == next->next_ticks && place_of(process) < place_of(next))))
            next = process;
    }
    return next;
}

bool model_procd_lives_step(struct model_procd *model, bool *due)
{
    struct model_procd_process *next = take_turn(model, MODEL_PROCD_RESTING);
    *due = true;
    if (next != NULL)
        return restart(model, next);
    next = next_timed(model);
    *due = next != NULL;
    if (next == NULL)
        return false;
    if (next->life == MODEL_PROCD_RESTING && !model_procd_word_stands(model, next->killed_as)) {
        next->next_ticks = after(model->now_ticks, ASK_TICKS);
        return false;
    }
    next->timed = false;
    next->due = true;
    next->due_since = ++model->happened;
    return false;
}

void model_procd_ask(struct model_procd *model, uint64_t now_ticks)
{
    uint64_t turn_ticks = model->now_ticks;
    model->now_ticks = now_ticks;
    struct model_procd_process *next = take_turn(model, MODEL_PROCD_RUNNING);
    if (next != NULL)
        ask(model, next);
    else
        model->now_ticks = turn_ticks;
}

void model_procd_installed(struct model_procd *model, uint64_t id)
{
    struct model_procd_process *process = model_procd_entry(model, id);
    process->holds++;
}
