/* SPDX-License-Identifier: ISC */
/* The part of procd's model that is about the tree: an array of processes that name their owners.
 * Every question is a walk over it, or a recursion. */
#include "props/models/model_procd_internal.h"

#include <string.h>

#include "abi/process.h"

enum { PLACE_MASK = 0xFFFF, RETRY_TICKS = 100, MOULD_PAGES = 16 };

/* --- questions -------------------------------------------------------------------------------- */

/* The low part of an id is the place in the table, from 1 on. */
const struct model_procd_process *model_procd_find(const struct model_procd *model, uint64_t id)
{
    uint64_t place = id & PLACE_MASK;
    if (place == 0 || place > model->count || model->processes[place - 1].id != id)
        return NULL;
    const struct model_procd_process *process = &model->processes[place - 1];
    bool known = process->life != MODEL_PROCD_FREE && process->life != MODEL_PROCD_OWED;
    return known ? process : NULL;
}

struct model_procd_process *model_procd_entry(struct model_procd *model, uint64_t id)
{
    const struct model_procd_process *found = model_procd_find(model, id);
    return found == NULL ? NULL : &model->processes[found - model->processes];
}

bool model_procd_lives(const struct model_procd_process *process)
{
    return process->life == MODEL_PROCD_STAGED || process->life == MODEL_PROCD_RUNNING;
}

bool model_procd_is_left(const struct model_procd_process *process)
{
    return process->life == MODEL_PROCD_ENDING || process->owes ||
           process->life == MODEL_PROCD_RESTING;
}

/* What is not among them lives undisturbed, rests in peace, or is free. */
static bool stirs(const struct model_procd_process *process)
{
    return process->life == MODEL_PROCD_ENDING || process->owes || process->timed || process->due ||
           process->notice_of != 0 || process->mould_dirty;
}

void model_procd_stirs(struct model_procd *model, const struct model_procd_process *process)
{
    uint16_t place = (uint16_t)(process - model->processes);
    if (!model->stirs[place])
        model->stirring[model->stirring_count++] = place;
    model->stirs[place] = true;
}

void model_procd_settle(struct model_procd *model)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        uint16_t place = model->stirring[i];
        model->stirs[place] = stirs(&model->processes[place]);
        model->stirring[kept] = place;
        kept += model->stirs[place];
    }
    model->stirring_count = kept;
}

bool model_procd_stirring_is_whole(const struct model_procd *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        if (stirs(&model->processes[i]) && !model->stirs[i])
            return false;
    }
    return true;
}

bool model_procd_works(const struct model_procd *model)
{
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        const struct model_procd_process *process = model_procd_stirring(model, i);
        if (process->life == MODEL_PROCD_ENDING || process->owes)
            return true;
    }
    return false;
}

bool model_procd_ends(const struct model_procd *model)
{
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        if (model_procd_stirring(model, i)->life == MODEL_PROCD_ENDING)
            return true;
    }
    return false;
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

bool model_procd_others_are_left(const struct model_procd *model)
{
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_procd_process *process = &model->processes[i];
        if (model_procd_is_left(process) ||
            (model_procd_lives(process) && !model_procd_is_foundation(process->role)))
            return true;
    }
    return false;
}

/* --- places ----------------------------------------------------------------------------------- */

static bool owned_by(const struct model_procd_process *process, uint64_t owner)
{
    return process->life != MODEL_PROCD_FREE && process->life != MODEL_PROCD_OWED &&
           process->owner == owner;
}

/* What an owner has used of its places, and how much of that are records. */
static uint32_t places_used(const struct model_procd *model, uint64_t owner, uint32_t *records)
{
    uint32_t used = 0;
    *records = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_procd_process *process = &model->processes[i];
        if (!owned_by(process, owner))
            continue;
        bool record = process->life == MODEL_PROCD_ENDED;
        *records += record;
        used += record ? 1 : 1 + process->child_limit;
    }
    return used;
}

/* The records that must go so that an owner has room; more than there are: nothing helps. */
static uint32_t records_to_go(const struct model_procd *model, uint64_t owner,
                              const struct role *role, uint32_t *records)
{
    const struct model_procd_process *process = model_procd_find(model, owner);
    uint32_t limit = owner == 0 ? MODEL_PROCD_PROCESSES : process->child_limit;
    uint32_t wanted = places_used(model, owner, records) + 1 + role->child_limit;
    return wanted > limit ? wanted - limit : 0;
}

/* Nothing can lie below it. */
static bool is_childless(const struct model_procd *model, uint64_t id)
{
    return id != 0 && model->processes[(id & PLACE_MASK) - 1].child_limit == 0;
}

/* The one of a life that has been there longest; of an owner's, unless that is anybody. */
enum { ANYBODY = 0xFFFFFFFF };

static struct model_procd_process *oldest(struct model_procd *model, enum model_procd_life life,
                                          uint64_t owner)
{
    struct model_procd_process *found = NULL;
    if (owner != ANYBODY && is_childless(model, owner))
        return NULL;
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_procd_process *process = &model->processes[i];
        if (process->life == life && (owner == ANYBODY || process->owner == owner) &&
            (found == NULL || process->since < found->since))
            found = process;
    }
    return found;
}

struct model_procd_process *model_procd_next(struct model_procd *model, uint64_t owner,
                                             const struct role *role, uint64_t *id,
                                             enum status *status)
{
    uint32_t records;
    uint32_t go = records_to_go(model, owner, role, &records);
    *status = owner == 0 ? STATUS_EXHAUSTED : STATUS_OVER_LIMIT;
    if (go > records)
        return NULL;
    *status = STATUS_OK;
    if (model->count < MODEL_PROCD_PROCESSES) {
        *id = model->count + 1;
        return &model->processes[model->count];
    }
    struct model_procd_process *place = oldest(model, MODEL_PROCD_FREE, ANYBODY);
    if (place == NULL && go != 0)
        place = oldest(model, MODEL_PROCD_ENDED, owner);
    if (place == NULL || place->owes) {
        *status = STATUS_EXHAUSTED; /* E6 */
        return NULL;
    }
    *id = place->id + (UINT64_C(1) << 16);
    return place;
}

/* Nothing knows it any more; what it owes is still owed. */
static void forget(struct model_procd *model, struct model_procd_process *process)
{
    process->life = process->owes ? MODEL_PROCD_OWED : MODEL_PROCD_FREE;
    process->since = ++model->happened;
}

void model_procd_make_room(struct model_procd *model, uint64_t owner, const struct role *role)
{
    uint32_t records;
    for (uint32_t i = records_to_go(model, owner, role, &records); i > 0; i--)
        forget(model, oldest(model, MODEL_PROCD_ENDED, owner));
}

/* --- memory ----------------------------------------------------------------------------------- */

static bool has_account(const struct model_procd *model, const struct model_procd_process *process)
{
    if (model_procd_is_foundation(process->role) || process->life == MODEL_PROCD_FREE)
        return false;
    return model_procd_lives(process) || process->life == MODEL_PROCD_ENDING ||
           (process->owes && model->books(process->id).closes != 0);
}

/* A mould is paid for next to its process; nobody's leftovers are. */
static uint64_t mould_pages(const struct model_procd *model,
                            const struct model_procd_process *process)
{
    bool lives = model_procd_lives(process) || process->life == MODEL_PROCD_ENDING ||
                 process->life == MODEL_PROCD_RESTING;
    bool there = lives ? process->mould_closes != 0
                       : process->owes && model->books(process->id).mould.closes != 0;
    return there ? MOULD_PAGES : 0;
}

/* What is set aside for an account and everything below it. */
static uint64_t claim(const struct model_procd *model, uint64_t id)
{
    if (is_childless(model, id))
        return model->processes[(id & PLACE_MASK) - 1].set_aside_pages;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_procd_process *process = &model->processes[i];
        if (process->owner == id)
            sum += mould_pages(model, process);
        if (!has_account(model, process))
            continue;
        if (process->id == id)
            sum += process->set_aside_pages;
        else if (process->owner == id)
            sum += claim(model, process->id);
    }
    return sum;
}

static enum status may_claim(const struct model_procd *model, uint64_t owner, uint64_t wanted)
{
    for (uint64_t id = owner; id != 0;) {
        const struct model_procd_process *process = model_procd_find(model, id);
        struct role role = model_procd_role(process->role, &process->limits);
        if (claim(model, id) + wanted > role_account_limit(&role))
            return STATUS_OVER_LIMIT;
        id = process->owner;
    }
    return claim(model, 0) + wanted > model->memory_pages ? STATUS_EXHAUSTED : STATUS_OK;
}

enum status model_procd_account(const struct model_procd *model, uint64_t owner,
                                const struct role *role)
{
    return may_claim(model, owner, role_account_guarantee(role));
}

enum status model_procd_mould_account(const struct model_procd *model, uint64_t owner)
{
    return may_claim(model, owner, MOULD_PAGES);
}

/* --- ends ------------------------------------------------------------------------------------- */

void model_procd_owes(struct model_procd *model, struct model_procd_process *process)
{
    struct model_procd_left left = model->books(process->id);
    process->owes = true;
    model_procd_stirs(model, process);
    process->owes_peer = left.with_peer;
    process->owes_mould_peer = left.mould.with_peer;
    process->retry_since = ++model->happened;
    process->retry_ticks = model->now_ticks + RETRY_TICKS;
}

/* Its end took some of it; the rest is offered when it was to be. */
static void owes_still(struct model_procd_process *process, const struct model_procd_left *left)
{
    process->owes_peer = left->with_peer;
    process->owes_mould_peer = left->mould.with_peer;
}

bool model_procd_life_is_left(const struct model_procd_left *left)
{
    return left->other || left->closes != 0;
}

bool model_procd_mould_is_left(const struct model_procd_left *left)
{
    return left->mould.in_slots || left->mould.with_peer;
}

static bool owner_lives(const struct model_procd *model, const struct model_procd_process *process)
{
    const struct model_procd_process *owner = model_procd_find(model, process->owner);
    return process->owner == 0 || (owner != NULL && model_procd_lives(owner));
}

static void forget_records(struct model_procd *model, const struct model_procd_process *process)
{
    struct model_procd_process *record;
    while ((record = oldest(model, MODEL_PROCD_ENDED, process->id)) != NULL)
        forget(model, record);
}

/* It leaves a record to an owner that lives; its own records go. */
static void close(struct model_procd *model, struct model_procd_process *process)
{
    forget_records(model, process);
    if (!owner_lives(model, process) || process->secret) {
        forget(model, process);
        return;
    }
    process->life = MODEL_PROCD_ENDED;
    process->since = ++model->happened;
}

/* One message to memd: whether it says that something is left. */
static bool closes_one(uint32_t *closes, uint32_t left)
{
    bool closing = *closes > left;
    *closes -= closing;
    return closing && *closes != 0;
}

/* A process without children is offered everything that it had; when it has another life, all but its
 * mould. memd takes so much at a time, of a mould first; what was refused can be seen when the turn is
 * over. Whether memd and pagerd were called: not for what the kernel still has. */
static bool give_back(struct model_procd *model, struct model_procd_process *process)
{
    struct model_procd_left left = model->books(process->id);
    bool again = process->follows && owner_lives(model, process);
    bool mould = !again && process->mould_closes != 0;
    bool called = mould && !left.mould.in_kernel;
    bool mould_left = mould && closes_one(&process->mould_closes, left.mould.closes);
    bool life_left = false;
    if (!mould_left) {
        called = called || (process->closes != 0 && !left.in_kernel);
        life_left = closes_one(&process->closes, left.closes);
    }
    bool refused = mould_left ? left.in_slots : left.other;
    refused = refused || (!again && left.mould.in_slots);
    if ((mould_left || life_left) && !refused)
        return called;
    if (left.in_kernel && process->reason != END_KILLED && process->died) {
        process->reason = END_KILLED; /* the kernel's record could not be read */
        process->code = 0;
        process->fault_va = 0;
    }
    process->died = false;
    if (again) {
        forget_records(model, process);
        model_procd_rests(model, process);
        return called;
    }
    if (process->owes)
        owes_still(process, &left);
    else if (model_procd_life_is_left(&left) || model_procd_mould_is_left(&left))
        model_procd_owes(model, process);
    bool told = model_procd_waits_wake(model, process);
    close(model, process);
    if (!told && process->life == MODEL_PROCD_ENDED)
        model_procd_notices_add(model, process);
    return called;
}

/* The child that was made last. */
static struct model_procd_process *youngest(struct model_procd *model, uint64_t owner)
{
    struct model_procd_process *found = NULL;
    if (is_childless(model, owner))
        return NULL;
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_procd_process *process = &model->processes[i];
        if (owned_by(process, owner) && process->life != MODEL_PROCD_ENDED &&
            (found == NULL || process->made > found->made))
            found = process;
    }
    return found;
}

static void ends(struct model_procd *model, struct model_procd_process *process, uint32_t reason,
                 uint32_t code, uint64_t fault_va)
{
    bool ran = process->life == MODEL_PROCD_RUNNING;
    model_procd_transfer_over(model, process);
    model_procd_waits_forget(model, process->id);
    process->life = MODEL_PROCD_ENDING;
    process->since = ++model->happened;
    model_procd_stirs(model, process);
    process->timed = process->asked = process->due = false;
    process->notice = 0;
    process->notice_of = 0;
    process->reason = reason;
    process->code = code;
    process->fault_va = fault_va;
    if (!ran || reason == END_EXITED)
        return;
    model_procd_killed(model, process);
    process->killed_as = model->evidence.count;
}

bool model_procd_end(struct model_procd *model, struct model_procd_process *process,
                     uint32_t reason, uint32_t code, uint64_t fault_va)
{
    process->died = false;
    ends(model, process, reason, code, fault_va);
    return youngest(model, process->id) == NULL && give_back(model, process);
}

void model_procd_life_over(struct model_procd *model, struct model_procd_process *process,
                           bool not_ready, uint32_t reason, uint32_t code, uint64_t fault_va)
{
    process->follows = model_procd_follows(model, process, not_ready, reason);
    if (!process->follows && process->policy.critical)
        model->exited = model->exits_alone = true; /* P8 */
    else
        (void)model_procd_end(model, process, reason, code, fault_va);
}

void model_procd_owe(struct model_procd *model, struct model_procd_process *place, uint64_t id,
                     uint32_t role, uint64_t owner)
{
    if (place == &model->processes[model->count])
        model->count++;
    else if (place->life == MODEL_PROCD_ENDED)
        forget(model, place);
    *place = (struct model_procd_process){
        .id = id,
        .owner = owner,
        .role = role,
        .child_limit = model_procd_row(role)->child_limit,
        .set_aside_pages = role_account_guarantee(model_procd_row(role)),
        .life = MODEL_PROCD_OWED,
    };
    place->since = ++model->happened;
    model_procd_owes(model, place);
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

/* --- the sweep -------------------------------------------------------------------------------- */

/* Who has been ending longest. */
static struct model_procd_process *oldest_end(struct model_procd *model)
{
    struct model_procd_process *found = NULL;
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        struct model_procd_process *process = &model->processes[model->stirring[i]];
        if (process->life == MODEL_PROCD_ENDING && (found == NULL || process->since < found->since))
            found = process;
    }
    return found;
}

/* Down to one that still lives, or to one without children. */
static struct model_procd_process *next_below(struct model_procd *model,
                                              struct model_procd_process *process)
{
    struct model_procd_process *child = youngest(model, process->id);
    if (child == NULL)
        return process;
    return child->life == MODEL_PROCD_ENDING ? next_below(model, child) : child;
}

static struct model_procd_process *debt_due(struct model_procd *model)
{
    struct model_procd_process *due = NULL;
    for (uint32_t i = 0; i < model->stirring_count; i++) {
        struct model_procd_process *process = &model->processes[model->stirring[i]];
        if (process->owes && (due == NULL || process->retry_since < due->retry_since))
            due = process;
    }
    return due != NULL && due->retry_ticks <= model->now_ticks ? due : NULL;
}

/* Whether memd or pagerd were called. Of what rests its last life alone is owed. */
static bool offer(struct model_procd *model, struct model_procd_process *process)
{
    struct model_procd_left left = model->books(process->id);
    bool rests = process->life == MODEL_PROCD_RESTING;
    bool called = (process->owes_peer && !left.in_kernel) ||
                  (!rests && process->owes_mould_peer && !left.mould.in_kernel);
    if (model_procd_life_is_left(&left) || (!rests && model_procd_mould_is_left(&left))) {
        model_procd_owes(model, process);
        process->closes = left.closes;
        return called;
    }
    process->owes = process->owes_peer = process->owes_mould_peer = false;
    process->closes = 0;
    if (!rests)
        process->mould_closes = 0;
    if (process->life == MODEL_PROCD_OWED)
        forget(model, process);
    if (rests)
        model_procd_rests(model, process);
    return called;
}

/* Whether another step may follow in this turn: none after one that called memd or pagerd (P12). */
static bool sweep_step(struct model_procd *model)
{
    struct model_procd_process *due = debt_due(model);
    struct model_procd_process *root = oldest_end(model);
    if (due != NULL)
        return !offer(model, due);
    if (root == NULL) {
        bool called;
        bool lives_due;
        if (model_procd_transfer_step(model, &called))
            return !called;
        called = model_procd_lives_step(model, &lives_due);
        return lives_due && !called;
    }
    struct model_procd_process *next = next_below(model, root);
    if (next->life == MODEL_PROCD_ENDING)
        return !give_back(model, next);
    if (next->died)
        ends(model, next, next->reason, next->code, next->fault_va);
    else
        ends(model, next, END_KILLED, 0, 0);
    return true;
}

void model_procd_sweep(struct model_procd *model)
{
    for (unsigned step = 0; step < MODEL_PROCD_STEPS && !model->exited; step++) {
        if (!sweep_step(model))
            return;
    }
}
