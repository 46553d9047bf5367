/* SPDX-License-Identifier: ISC */
/* procd's table of processes: ids, entries, the tree of owners, the places that each has. Decides
 * who may see an entry, who has room for one more, and which entry is used next; makes no call. */
#include "services/procd/internal.h"

#include <stddef.h>
#include <string.h>

#include "abi/process.h"

enum { ID_INDEX_BITS = 16, ID_INDEX_MASK = 0xFFFF, BADGE_ROLE_BITS = 16, BADGE_ROLE_MASK = 0xFFFF };

_Static_assert((int)PROCD_PROCESS_LIMIT < (int)ID_INDEX_MASK, "index + 1 fits its part of an id");
_Static_assert((int)ROLE_ID_MAX == (int)BADGE_ROLE_MASK, "a role fits its part of a badge");

/* --- ids -------------------------------------------------------------------------------------- */

/* generation << 16 | index + 1. No id comes back: an entry is given up after its last one (K3). */
static uint64_t id_make(uint64_t generation, uint32_t index)
{
    UNIT_ASSERT(index < PROCD_PROCESS_LIMIT && generation <= PROCD_GENERATION_LAST);
    return generation << ID_INDEX_BITS | (index + 1);
}

uint64_t procd_table_id(const struct procd *procd, uint32_t index)
{
    return id_make(procd->processes[index].generation, index);
}

uint64_t procd_owner_id(const struct procd *procd, uint32_t owner)
{
    return owner == 0 ? 0 : procd_table_id(procd, owner - 1);
}

static bool is_live(const struct procd_process *process)
{
    return process->life == PROCD_LIFE_STAGED || process->life == PROCD_LIFE_RUNNING;
}

/* The entry that an id names, for any sender. */
static enum status find_any(const struct procd *procd, uint64_t id, uint32_t *index)
{
    uint64_t place = id & ID_INDEX_MASK;
    if (place == 0 || place > procd->used_count)
        return STATUS_NOT_FOUND;
    *index = (uint32_t)(place - 1);
    const struct procd_process *process = &procd->processes[*index];
    bool known = process->life != PROCD_LIFE_UNUSED && process->life != PROCD_LIFE_OWING &&
                 !process->lives.is_transfer;
    return known && procd_table_id(procd, *index) == id ? STATUS_OK : STATUS_NOT_FOUND;
}

bool procd_table_find_client(const struct procd *procd, uint64_t badge, uint32_t *owner)
{
    uint32_t index;
    if (find_any(procd, badge >> BADGE_ROLE_BITS, &index) != STATUS_OK)
        return false;
    const struct procd_process *process = &procd->processes[index];
    *owner = index + 1;
    return is_live(process) && process->role == (badge & BADGE_ROLE_MASK);
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
    if (sender->owner != 0 && sender->owner != process->owner) /* P10 */
        return STATUS_NOT_FOUND;
    return STATUS_OK;
}

enum status procd_table_find_live(const struct procd *procd, uint64_t id, uint32_t *index)
{
    enum status status = find_any(procd, id, index);
    if (status == STATUS_OK && !is_live(&procd->processes[*index]))
        status = STATUS_NOT_FOUND;
    return status;
}

/* --- queues ----------------------------------------------------------------------------------- */

/* The two queues that an entry can be in are linked by different fields. */
static void enqueue(struct procd_queue *queue, uint32_t *next_of_last, uint32_t index)
{
    if (queue->last == 0)
        queue->first = index + 1;
    else
        *next_of_last = index + 1;
    queue->last = index + 1;
}

static struct procd_process *entry_at(struct procd *procd, uint32_t number)
{
    UNIT_ASSERT(number <= procd->used_count);
    return number == 0 ? NULL : &procd->processes[number - 1];
}

static void free_push(struct procd *procd, uint32_t index)
{
    struct procd_process *last = entry_at(procd, procd->free.last);
    enqueue(&procd->free, last == NULL ? NULL : &last->next, index);
}

void procd_queue_push(struct procd *procd, struct procd_queue *queue, uint32_t index)
{
    struct procd_process *last = entry_at(procd, queue->last);
    procd->processes[index].previous = queue->last;
    procd->processes[index].next = 0;
    enqueue(queue, last == NULL ? NULL : &last->next, index);
}

void procd_queue_remove(struct procd *procd, struct procd_queue *queue, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_process *next = entry_at(procd, process->next);
    struct procd_process *previous = entry_at(procd, process->previous);
    if (previous == NULL)
        queue->first = process->next;
    else
        previous->next = process->next;
    if (next == NULL)
        queue->last = process->previous;
    else
        next->previous = process->previous;
    process->next = process->previous = 0;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Nothing of the process is left: the entry can have the next one, unless its ids are used up. */
static void entry_free(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    uint64_t generation = process->generation;
    UNIT_ASSERT(process->owes == 0 && !process->in_debt);
    memset(process, 0, sizeof *process);
    process->generation = generation;
    if (generation < PROCD_GENERATION_LAST)
        free_push(procd, index);
}

static void debt_push(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_process *last = entry_at(procd, procd->debts.last);
    UNIT_ASSERT(process->owes != 0 && !process->in_debt);
    process->in_debt = true;
    process->next_debt = 0;
    process->retry_ticks = deadline_after(procd->now_ticks, PROCD_RETRY_TICKS);
    enqueue(&procd->debts, last == NULL ? NULL : &last->next_debt, index);
}

bool procd_debt_take(struct procd *procd, uint32_t *index)
{
    struct procd_process *process = entry_at(procd, procd->debts.first);
    if (process == NULL || process->retry_ticks > procd->now_ticks)
        return false;
    *index = procd->debts.first - 1;
    procd->debts.first = process->next_debt;
    if (procd->debts.first == 0)
        procd->debts.last = 0;
    process->next_debt = 0;
    process->in_debt = false;
    return true;
}

void procd_debt_keep(struct procd *procd, uint32_t index)
{
    debt_push(procd, index);
}

/* What still ends, or rests, is busy with that. */
void procd_debt_paid(struct procd *procd, uint32_t index)
{
    uint8_t life = procd->processes[index].life;
    if (life == PROCD_LIFE_ENDING)
        return;
    if (life == PROCD_LIFE_RESTING) {
        procd_table_rest_on(procd, index);
        return;
    }
    UNIT_ASSERT(procd->busy_count != 0);
    procd->busy_count--;
    if (life == PROCD_LIFE_OWING)
        entry_free(procd, index);
}

/* --- families --------------------------------------------------------------------------------- */

struct procd_family *procd_family(struct procd *procd, uint32_t owner)
{
    UNIT_ASSERT(owner <= procd->used_count);
    return owner == 0 ? &procd->administrator : &procd->processes[owner - 1].family;
}

static uint32_t child_limit_of(const struct procd_process *process)
{
    const struct role *row = role_find(process->role);
    UNIT_ASSERT(row != NULL && row->child_limit < PROCD_PROCESS_LIMIT);
    return role_lowered(row, &process->limits).child_limit;
}

uint32_t procd_places_of(const struct procd_process *process)
{
    return 1 + child_limit_of(process);
}

uint32_t procd_place_limit(const struct procd *procd, uint32_t owner)
{
    return owner == 0 ? PROCD_PROCESS_LIMIT : child_limit_of(&procd->processes[owner - 1]);
}

/* How many of an owner's records must go so that it has `needed` places. */
static uint32_t records_too_many(const struct procd *procd, uint32_t owner, uint32_t needed)
{
    const struct procd_family *family =
        owner == 0 ? &procd->administrator : &procd->processes[owner - 1].family;
    uint32_t limit = procd_place_limit(procd, owner);
    UNIT_ASSERT(family->used_places <= limit);
    uint32_t left = limit - family->used_places;
    return needed > left ? needed - left : 0;
}

/* An owner's oldest record goes. */
static void record_drop(struct procd *procd, uint32_t owner)
{
    struct procd_family *family = procd_family(procd, owner);
    UNIT_ASSERT(family->record_count != 0 && family->used_places != 0);
    uint32_t index = family->oldest_record - 1;
    struct procd_process *process = &procd->processes[index];
    UNIT_ASSERT(process->life == PROCD_LIFE_ENDED && process->owner == owner);
    family->oldest_record = process->next;
    if (family->oldest_record == 0)
        family->youngest_record = 0;
    family->record_count--;
    family->used_places--;
    process->next = 0;
    process->owner = 0;
    if (process->in_debt)
        process->life = PROCD_LIFE_OWING;
    else
        entry_free(procd, index);
}

static void record_add(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_family *family = procd_family(procd, process->owner);
    struct procd_process *youngest = entry_at(procd, family->youngest_record);
    process->life = PROCD_LIFE_ENDED;
    process->next = 0;
    if (youngest == NULL)
        family->oldest_record = index + 1;
    else
        youngest->next = index + 1;
    family->youngest_record = index + 1;
    family->record_count++;
    family->used_places++;
}

static void child_add(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_family *family = procd_family(procd, process->owner);
    struct procd_process *older = entry_at(procd, family->youngest_child);
    process->older = family->youngest_child;
    process->younger = 0;
    if (older != NULL)
        older->younger = index + 1;
    family->youngest_child = index + 1;
    family->used_places += procd_places_of(process);
    UNIT_ASSERT(family->used_places <= procd_place_limit(procd, process->owner)); /* P11 */
}

static void child_remove(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_family *family = procd_family(procd, process->owner);
    struct procd_process *older = entry_at(procd, process->older);
    struct procd_process *younger = entry_at(procd, process->younger);
    if (older != NULL)
        older->younger = process->younger;
    if (younger != NULL)
        younger->older = process->older;
    else
        family->youngest_child = process->older;
    process->older = process->younger = 0;
    UNIT_ASSERT(family->used_places >= procd_places_of(process));
    family->used_places -= procd_places_of(process);
}

/* --- a new process ---------------------------------------------------------------------------- */

bool procd_is_foundation(uint32_t role, uint32_t *which)
{
    *which = role - ROLE_MEMD;
    return role >= ROLE_MEMD && *which < PROCD_FOUNDATION_COUNT;
}

_Static_assert(ROLE_VSPACED == ROLE_MEMD + 1 && ROLE_PAGERD == ROLE_MEMD + 2,
               "the staged foundation is three roles in a row");

/* A fresh entry, the one that has been free longest, or that of the record which makes room. */
enum status procd_table_peek(const struct procd *procd, uint32_t owner, const struct role *row,
                             uint32_t *index, uint64_t *id)
{
    const struct procd_family *family =
        owner == 0 ? &procd->administrator : &procd->processes[owner - 1].family;
    uint32_t dropped = records_too_many(procd, owner, 1 + row->child_limit);
    if (dropped > family->record_count) /* P11 */
        return owner == 0 ? STATUS_EXHAUSTED : STATUS_OVER_LIMIT;
    if (procd->used_count < PROCD_PROCESS_LIMIT) {
        *index = procd->used_count;
        *id = id_make(0, *index);
        return STATUS_OK;
    }
    uint32_t number = procd->free.first;
    if (number == 0 && dropped != 0)
        number = family->oldest_record;
    if (number == 0)
        return STATUS_EXHAUSTED; /* E6 */
    const struct procd_process *entry = &procd->processes[number - 1];
    if (entry->in_debt || entry->generation == PROCD_GENERATION_LAST)
        return STATUS_EXHAUSTED;
    *index = number - 1;
    *id = id_make(entry->generation + 1, *index);
    return STATUS_OK;
}

/* Takes the entry out of those that are free, or the first one that was never used. */
static void entry_take(struct procd *procd, uint32_t index, const struct procd_process *process)
{
    uint64_t generation = 0;
    if (index == procd->used_count) {
        UNIT_ASSERT(index < PROCD_PROCESS_LIMIT);
        procd->used_count++;
    } else {
        UNIT_ASSERT(index + 1 == procd->free.first);
        generation = procd->processes[index].generation + 1;
        procd->free.first = procd->processes[index].next;
        if (procd->free.first == 0)
            procd->free.last = 0;
    }
    procd->processes[index] = *process;
    procd->processes[index].generation = generation;
    procd->busy_count++;
}

void procd_table_commit(struct procd *procd, uint32_t index, const struct procd_process *process)
{
    UNIT_ASSERT(is_live(process));
    for (uint32_t i = records_too_many(procd, process->owner, procd_places_of(process)); i > 0; i--)
        record_drop(procd, process->owner);
    entry_take(procd, index, process);
    child_add(procd, index);
    uint32_t which;
    if (procd_is_foundation(process->role, &which)) {
        UNIT_ASSERT(procd->foundation_entries[which] == 0);
        procd->foundation_entries[which] = index + 1;
    }
}

void procd_table_commit_owing(struct procd *procd, uint32_t index,
                              const struct procd_process *process)
{
    struct procd_process *entry = &procd->processes[index];
    if (index < procd->used_count && entry->life == PROCD_LIFE_ENDED)
        record_drop(procd, entry->owner); /* there is no other entry for it */
    entry_take(procd, index, process);
    entry->owner = 0;
    entry->life = PROCD_LIFE_OWING;
    debt_push(procd, index);
}

/* --- an end ----------------------------------------------------------------------------------- */

void procd_table_end(struct procd *procd, uint32_t index, uint32_t reason, uint32_t code,
                     uint64_t fault_va)
{
    struct procd_process *process = &procd->processes[index];
    UNIT_ASSERT((is_live(process) || process->life == PROCD_LIFE_RESTING) && reason != END_NONE);
    if (procd_deadline_has(&procd->timers, index))
        procd_deadline_clear(&procd->timers, index);
    procd_pace_forget(procd, index);
    if (process->life == PROCD_LIFE_RUNNING && reason != END_EXITED)
        process->lives.killed_number =
            procd_evidence_add(procd, &(struct procd_killed){
                                          .process_id = procd_table_id(procd, index),
                                          .owner_id = procd_owner_id(procd, process->owner),
                                          .fault_va = fault_va,
                                          .ended_ticks = procd->now_ticks,
                                          .role = process->role,
                                          .reason = reason,
                                          .code = code,
                                      });
    process->lives.is_asked = false;
    process->life = PROCD_LIFE_ENDING;
    process->reason = reason;
    process->code = code;
    process->fault_va = fault_va;
    procd_queue_push(procd, &procd->ending, index);
    procd_transfer_forget(procd, index);
    uint32_t which;
    if (procd_is_foundation(process->role, &which)) {
        UNIT_ASSERT(procd->foundation_entries[which] == index + 1);
        procd->foundation_entries[which] = 0;
    }
}

/* An owner that still lives keeps a record, unless nobody is to know of the process. */
static bool leaves_record(const struct procd *procd, const struct procd_process *process)
{
    bool owner_lives = process->owner == 0 || is_live(&procd->processes[process->owner - 1]);
    return owner_lives && !process->is_secret && !process->lives.is_transfer;
}

/* It has no children, and its records go with it. */
static void end_is_over(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    UNIT_ASSERT(process->life == PROCD_LIFE_ENDING && process->family.youngest_child == 0);
    while (process->family.record_count != 0)
        record_drop(procd, index + 1);
    UNIT_ASSERT(process->family.used_places == 0);
    procd_queue_remove(procd, &procd->ending, index);
}

void procd_table_rest(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    end_is_over(procd, index);
    process->life = PROCD_LIFE_RESTING;
    process->lives.restarts = false;
    procd_table_rest_on(procd, index);
}

void procd_table_rest_on(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    UNIT_ASSERT(process->life == PROCD_LIFE_RESTING && !process->in_debt);
    if ((process->owes & PROCD_OWES_LIFE) != 0)
        debt_push(procd, index);
    else
        procd_deadline_set(&procd->timers, index,
                           deadline_after(procd->now_ticks, process->lives.delay_ticks));
}

void procd_table_close(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    end_is_over(procd, index);
    child_remove(procd, index);
    bool owes = process->owes != 0 || process->in_debt;
    if (leaves_record(procd, process)) {
        record_add(procd, index);
    } else {
        process->owner = 0;
        process->life = PROCD_LIFE_OWING;
    }
    if (owes && !process->in_debt)
        debt_push(procd, index);
    if (owes)
        return;
    procd->busy_count--;
    if (process->life == PROCD_LIFE_OWING)
        entry_free(procd, index);
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
