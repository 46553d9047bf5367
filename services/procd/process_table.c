/* SPDX-License-Identifier: ISC */
/* procd's table of processes: ids, places, the queue of terminal records. Decides who may see an
 * entry and which entry is used next; makes no call. */
#include "services/procd/internal.h"

#include <stddef.h>

#include "abi/process.h"
#include "abi/roles.h"

#define ID_INDEX_BITS 16
#define ID_INDEX_MASK 0xFFFF

_Static_assert(PROCESS_LIMIT < ID_INDEX_MASK, "index + 1 fits its part of an id");

/* generation << 16 | index + 1: no id comes back before 2^48 processes of one entry (K3). */
static uint64_t id_make(uint64_t generation, uint32_t index)
{
    UNIT_ASSERT(index < PROCESS_LIMIT && generation >> (64 - ID_INDEX_BITS) == 0);
    return generation << ID_INDEX_BITS | (index + 1);
}

uint64_t procd_table_id(const struct procd *procd, uint32_t index)
{
    return id_make(procd->processes[index].generation, index);
}

/* The entry that an id names, for any sender. */
static enum status find_any(const struct procd *procd, uint64_t id, uint32_t *index)
{
    uint64_t place = id & ID_INDEX_MASK;
    if (place == 0 || place > procd->used_count)
        return STATUS_NOT_FOUND;
    *index = (uint32_t)(place - 1);
    return procd_table_id(procd, *index) == id ? STATUS_OK : STATUS_NOT_FOUND;
}

static bool is_driver_role(uint32_t role)
{
    const struct role *row = role_find(role);
    return row != NULL && row->kind == ROLE_KIND_DRIVER;
}

enum status procd_table_find(const struct procd *procd, const struct procd_sender *sender,
                             uint64_t id, uint32_t *index)
{
    enum status status = find_any(procd, id, index);
    if (status != STATUS_OK)
        return status;
    const struct procd_process *process = &procd->processes[*index];
    if (is_driver_role(process->role) != sender->is_driver_endpoint) /* P7 */
        return STATUS_NOT_FOUND;
    if (sender->badge != 0 && sender->badge != process->owner)
        return STATUS_NOT_FOUND;
    return STATUS_OK;
}

static bool is_live(const struct procd_process *process)
{
    return process->life == PROCD_LIFE_STAGED || process->life == PROCD_LIFE_RUNNING;
}

enum status procd_table_find_live(const struct procd *procd, uint64_t id, uint32_t *index)
{
    enum status status = find_any(procd, id, index);
    if (status == STATUS_OK && !is_live(&procd->processes[*index]))
        status = STATUS_NOT_FOUND;
    return status;
}

enum status procd_table_peek(const struct procd *procd, uint32_t *index, uint64_t *id)
{
    if (procd->used_count < PROCESS_LIMIT) {
        *index = procd->used_count;
        *id = id_make(0, *index);
        return STATUS_OK;
    }
    if (procd->ended_first == 0)
        return STATUS_EXHAUSTED; /* E6 */
    *index = procd->ended_first - 1;
    *id = id_make(procd->processes[*index].generation + 1, *index);
    return STATUS_OK;
}

bool procd_is_foundation(uint32_t role, uint32_t *which)
{
    *which = role - ROLE_MEMD;
    return role >= ROLE_MEMD && *which < PROCD_FOUNDATION_COUNT;
}

_Static_assert(ROLE_VSPACED == ROLE_MEMD + 1 && ROLE_PAGERD == ROLE_MEMD + 2,
               "the staged foundation is three roles in a row");

/* Takes the oldest record out of the queue. */
static void forget_oldest(struct procd *procd)
{
    UNIT_ASSERT(procd->ended_first != 0);
    struct procd_process *oldest = &procd->processes[procd->ended_first - 1];
    UNIT_ASSERT(oldest->life == PROCD_LIFE_ENDED);
    procd->ended_first = oldest->next_ended;
    if (procd->ended_first == 0)
        procd->ended_last = 0;
}

void procd_table_commit(struct procd *procd, uint32_t index, const struct procd_process *process)
{
    uint64_t generation = 0;
    UNIT_ASSERT(is_live(process) && procd->live_count < PROCESS_LIMIT);
    if (index == procd->used_count) {
        UNIT_ASSERT(index < PROCESS_LIMIT);
        procd->used_count++;
    } else {
        UNIT_ASSERT(index + 1 == procd->ended_first);
        generation = procd->processes[index].generation + 1;
        forget_oldest(procd);
    }
    procd->processes[index] = *process;
    procd->processes[index].generation = generation;
    procd->live_count++;
    uint32_t which;
    if (procd_is_foundation(process->role, &which)) {
        UNIT_ASSERT(procd->foundation_entries[which] == 0);
        procd->foundation_entries[which] = index + 1;
    }
}

void procd_table_end(struct procd *procd, uint32_t index, uint32_t reason, uint32_t code,
                     uint64_t fault_va)
{
    struct procd_process *process = &procd->processes[index];
    UNIT_ASSERT(is_live(process) && procd->live_count != 0);
    UNIT_ASSERT(reason != END_NONE && process->owes == 0);
    process->life = PROCD_LIFE_ENDED;
    process->reason = reason;
    process->code = code;
    process->fault_va = fault_va;
    process->next_ended = 0;
    procd->live_count--;
    if (procd->ended_last == 0)
        procd->ended_first = index + 1;
    else
        procd->processes[procd->ended_last - 1].next_ended = index + 1;
    procd->ended_last = index + 1;
    uint32_t which;
    if (procd_is_foundation(process->role, &which)) {
        UNIT_ASSERT(procd->foundation_entries[which] == index + 1);
        procd->foundation_entries[which] = 0;
    }
}

bool procd_table_foundation_runs(const struct procd *procd)
{
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++) {
        uint32_t entry = procd->foundation_entries[i];
        if (entry == 0 || procd->processes[entry - 1].life != PROCD_LIFE_RUNNING)
            return false;
    }
    return true;
}

/* --- the check ------------------------------------------------------------------------------ */

static const char *check_live(const struct procd_process *process)
{
    uint32_t which;
    bool is_foundation = procd_is_foundation(process->role, &which);
    if (process->reason != END_NONE)
        return "a live process has an end reason";
    if (process->owes != (is_foundation ? 0 : PROCD_OWES_ACCOUNT | PROCD_OWES_PAGER))
        return "a live process owes too much or too little";
    return NULL;
}

static const char *check_process(const struct procd_process *process)
{
    if (role_find(process->role) == NULL)
        return "a process has no role";
    switch ((enum procd_life)process->life) {
    case PROCD_LIFE_STAGED:
    case PROCD_LIFE_RUNNING:
        return check_live(process);
    case PROCD_LIFE_ENDED:
        if (process->owes != 0)
            return "an ended process owes something";
        return process->reason == END_NONE ? "an ended process has no reason" : NULL;
    case PROCD_LIFE_UNUSED:
        break;
    }
    return "a used entry is unused";
}

/* Every record is in the queue, once. */
static const char *check_queue(const struct procd *procd, uint32_t ended_count)
{
    uint32_t entry = procd->ended_first;
    uint32_t last = 0;
    for (uint32_t i = 0; i < ended_count; i++) {
        if (entry == 0 || entry > procd->used_count ||
            procd->processes[entry - 1].life != PROCD_LIFE_ENDED)
            return "the queue of records holds something else";
        last = entry;
        entry = procd->processes[entry - 1].next_ended;
    }
    return entry == 0 && last == procd->ended_last ? NULL : "the queue of records has a wrong end";
}

static const char *check_foundation(const struct procd *procd)
{
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++) {
        uint32_t entry = procd->foundation_entries[i];
        if (entry == 0)
            continue;
        if (entry > procd->used_count || !is_live(&procd->processes[entry - 1]) ||
            procd->processes[entry - 1].role != ROLE_MEMD + i)
            return "a foundation entry names something else";
    }
    return NULL;
}

static const char *check_waiters(const struct procd *procd)
{
    bool seen[SLOT_REPLY_COUNT] = {false};
    if (procd->waiter_count > PROCD_WAITER_LIMIT)
        return "more waiters than the limit";
    for (uint32_t i = 0; i < procd->waiter_count; i++) {
        const struct procd_waiter *waiter = &procd->waiters[i];
        uint32_t index;
        if (procd_table_find_live(procd, waiter->process_id, &index) != STATUS_OK)
            return "a waiter waits for nothing that lives"; /* P3 */
        uint32_t place = waiter->reply_slot - SLOT_REPLY_BASE;
        if (place >= SLOT_REPLY_COUNT || seen[place])
            return "two waiters share a reply slot, or one has none";
        seen[place] = true;
    }
    return NULL;
}

const char *procd_check(const struct procd *procd)
{
    uint32_t live_count = 0;
    uint32_t foundation_count = 0;
    if (procd->used_count > PROCESS_LIMIT)
        return "more entries than the limit";
    for (uint32_t i = 0; i < procd->used_count; i++) {
        const struct procd_process *process = &procd->processes[i];
        const char *problem = check_process(process);
        if (problem != NULL)
            return problem;
        uint32_t which;
        bool live = is_live(process);
        live_count += live;
        foundation_count += live && procd_is_foundation(process->role, &which);
    }
    if (live_count != procd->live_count)
        return "live processes are miscounted";
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++)
        foundation_count -= procd->foundation_entries[i] != 0;
    if (foundation_count != 0)
        return "a foundation role lives twice";
    const char *problem = check_queue(procd, procd->used_count - live_count);
    if (problem == NULL)
        problem = check_foundation(procd);
    return problem != NULL ? problem : check_waiters(procd);
}

/* --- fields --- */

static void visit_process(const struct procd_process *process,
                          void (*visit)(void *context, uint64_t value), void *context)
{
    visit(context, process->generation);
    visit(context, process->owner);
    visit(context, process->entry_va);
    visit(context, process->stack_top_va);
    visit(context, process->fault_va);
    visit(context, process->role);
    visit(context, (uint64_t)process->reason << 32 | process->code);
    visit(context,
          (uint64_t)process->next_ended << 32 | (uint32_t)process->life << 8 | process->owes);
}

void procd_visit_fields(const struct procd *state, void (*visit)(void *context, uint64_t value),
                        void *context)
{
    visit(context, (uint64_t)state->foundation_bound << 1 | state->exiting);
    visit(context, (uint64_t)state->used_count << 32 | state->live_count);
    visit(context, (uint64_t)state->ended_first << 32 | state->ended_last);
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++)
        visit(context, state->foundation_entries[i]);
    for (uint32_t i = 0; i < state->waiter_count; i++) {
        const struct procd_waiter *waiter = &state->waiters[i];
        visit(context, waiter->process_id);
        visit(context, waiter->deadline_ticks);
        visit(context, waiter->request_id);
        visit(context, waiter->badge);
        visit(context, waiter->reply_slot);
    }
    for (uint32_t i = 0; i < state->used_count; i++)
        visit_process(&state->processes[i], visit, context);
}
