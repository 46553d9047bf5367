/* SPDX-License-Identifier: ISC */
/* procd's look at itself: every list, count and promise of the table, and every field of it.
 * Changes nothing. */
#include "services/procd/internal.h"

#include <stddef.h>
#include <string.h>

#include "abi/process.h"

static bool is_live(const struct procd_process *process)
{
    return process->life == PROCD_LIFE_STAGED || process->life == PROCD_LIFE_RUNNING;
}

static bool has_owner(const struct procd_process *process)
{
    return is_live(process) || process->life == PROCD_LIFE_ENDING ||
           process->life == PROCD_LIFE_RESTING || process->life == PROCD_LIFE_ENDED;
}

static bool is_busy(const struct procd_process *process)
{
    return is_live(process) || process->life == PROCD_LIFE_ENDING ||
           process->life == PROCD_LIFE_RESTING || process->life == PROCD_LIFE_OWING ||
           process->in_debt;
}

/* --- one entry -------------------------------------------------------------------------------- */

/* The mould of one that may have another life, and no other. What is left of one that could not be
 * made is owed while its process is staged. */
static bool has_right_mould(const struct procd_process *process)
{
    uint32_t mould = process->owes & PROCD_OWES_MOULD;
    uint32_t whole = 1u << PROCD_SLOT_MOULD | PROCD_OWES_MOULD_ABORT | PROCD_OWES_MOULD_ACCOUNT;
    if (process->policy.policy == RESTART_NEVER)
        return mould == 0 || process->life == PROCD_LIFE_STAGED;
    return process->life == PROCD_LIFE_STAGED || mould == whole;
}

/* Who has to say READY is asked by its endpoint; that of one who has may be owed. */
static bool has_right_slots(const struct procd_process *process)
{
    uint32_t slots =
        process->owes & PROCD_OWES_LIFE & PROCD_OWES_SLOTS & ~(uint32_t)PROCD_OWES_NOTICE;
    uint32_t own = 1u << PROCD_SLOT_PROCESS;
    uint32_t frame = 1u << PROCD_SLOT_FRAME;
    if (process->lives.is_transfer)
        return (slots & ~frame) == (own | 1u << PROCD_SLOT_ACCOUNT);
    uint32_t asked = own | 1u << PROCD_SLOT_ENDPOINT;
    if (process->lives.is_asked)
        return slots == asked;
    return slots == own || (slots == asked && process->lives.life_count > 1);
}

static const char *check_live(const struct procd_process *process)
{
    uint32_t which;
    uint32_t peers = process->owes & (PROCD_OWES_PAGER | PROCD_OWES_ACCOUNT);
    uint32_t kernel = process->owes & (PROCD_OWES_ABORT | PROCD_OWES_RETIRE);
    if (process->reason != END_NONE)
        return "a live process has an end reason";
    if (!has_right_slots(process))
        return "a live process fills another slot than that of PROCESS";
    if (!has_right_mould(process))
        return "a live process has no mould, or one that it does not need";
    if (kernel != (process->life == PROCD_LIFE_STAGED ? PROCD_OWES_ABORT : PROCD_OWES_RETIRE))
        return "what ends a live process is not what its state says";
    if (procd_is_foundation(process->role, &which))
        return peers == 0 ? NULL : "the foundation owes memd or pagerd something";
    return peers == (PROCD_OWES_PAGER | PROCD_OWES_ACCOUNT) ? NULL
                                                            : "a live process owes too little";
}

static const char *check_resting(const struct procd_process *process)
{
    if (process->reason == END_NONE || process->lives.restarts || process->lives.is_parked)
        return "what rests has not ended, or for good";
    if (!has_right_mould(process) || process->policy.policy == RESTART_NEVER)
        return "what rests has no mould";
    return process->in_debt || (process->owes & PROCD_OWES_LIFE) == 0
               ? NULL
               : "what rests owes something of its last life";
}

static bool may_be_in_debt(const struct procd_process *process)
{
    return process->life == PROCD_LIFE_ENDED || process->life == PROCD_LIFE_OWING ||
           process->life == PROCD_LIFE_RESTING || process->life == PROCD_LIFE_ENDING;
}

static const char *check_process(const struct procd_process *process)
{
    bool over = process->life == PROCD_LIFE_ENDED || process->life == PROCD_LIFE_OWING;
    if ((process->in_debt && !may_be_in_debt(process)) ||
        (over && process->owes != 0 && !process->in_debt))
        return "what ended and owes something is not queued for it";
    switch ((enum procd_life)process->life) {
    case PROCD_LIFE_STAGED:
    case PROCD_LIFE_RUNNING:
        return check_live(process);
    case PROCD_LIFE_RESTING:
        return check_resting(process);
    case PROCD_LIFE_ENDING:
    case PROCD_LIFE_ENDED:
        return process->reason == END_NONE ? "an ended process has no reason" : NULL;
    case PROCD_LIFE_OWING:
        return process->owner == 0 ? NULL : "what is only owed has an owner";
    case PROCD_LIFE_UNUSED:
        break;
    }
    return process->owes == 0 ? NULL : "a free entry owes something";
}

/* Who rests and owes nothing has a time for its next life; who is asked for READY, for the next call. */
static const char *check_timers(const struct procd *procd)
{
    for (uint32_t i = 0; i < procd->used_count; i++) {
        const struct procd_process *process = &procd->processes[i];
        bool rests = process->life == PROCD_LIFE_RESTING && !process->in_debt;
        bool asked = process->life == PROCD_LIFE_RUNNING && process->lives.is_asked;
        bool timed = procd_deadline_has(&procd->timers, i);
        if ((rests || asked) != (timed != process->lives.is_due) ||
            (timed && process->lives.is_due))
            return "a process waits for its next life without a time, or has one in vain";
    }
    return procd_deadlines_check(&procd->timers);
}

/* --- families --------------------------------------------------------------------------------- */

/* An owner's children are linked both ways and are its own; counts them and their places. */
static const char *check_children(const struct procd *procd, const struct procd_family *family,
                                  uint32_t owner, uint32_t *count, uint32_t *places)
{
    uint32_t younger = 0;
    for (uint32_t number = family->youngest_child; number != 0;) {
        if (number > procd->used_count || ++*count > procd->used_count)
            return "the children of an owner do not end";
        const struct procd_process *child = &procd->processes[number - 1];
        if (child->owner != owner || child->younger != younger || !has_owner(child) ||
            child->life == PROCD_LIFE_ENDED)
            return "a child of an owner is something else";
        *places += procd_places_of(child);
        younger = number;
        number = child->older;
    }
    return NULL;
}

static const char *check_records(const struct procd *procd, const struct procd_family *family,
                                 uint32_t owner)
{
    uint32_t count = 0;
    uint32_t last = 0;
    for (uint32_t number = family->oldest_record; number != 0;) {
        if (number > procd->used_count || ++count > family->record_count)
            return "the records of an owner do not end";
        const struct procd_process *record = &procd->processes[number - 1];
        if (record->life != PROCD_LIFE_ENDED || record->owner != owner)
            return "a record of an owner is something else";
        last = number;
        number = record->next;
    }
    return count == family->record_count && last == family->youngest_record
               ? NULL
               : "the records of an owner are miscounted";
}

static const char *check_family(const struct procd *procd, const struct procd_family *family,
                                uint32_t owner, uint32_t *count)
{
    uint32_t places = family->record_count;
    const char *problem = check_children(procd, family, owner, count, &places);
    if (problem == NULL)
        problem = check_records(procd, family, owner);
    if (problem != NULL)
        return problem;
    *count += family->record_count;
    if (places != family->used_places)
        return "the places of an owner are miscounted";
    return places <= procd_place_limit(procd, owner) ? NULL : "an owner has more than its places";
}

/* Every entry that has an owner is in exactly one family. */
static const char *check_families(const struct procd *procd)
{
    uint32_t owned = 0;
    uint32_t found = 0;
    const char *problem = check_family(procd, &procd->administrator, 0, &found);
    for (uint32_t i = 0; i < procd->used_count && problem == NULL; i++) {
        const struct procd_process *process = &procd->processes[i];
        owned += has_owner(process);
        if (has_owner(process) && process->life != PROCD_LIFE_ENDED)
            problem = check_family(procd, &process->family, i + 1, &found);
        else if (process->family.used_places != 0)
            problem = "what has ended has a family";
    }
    if (problem == NULL && owned != found)
        problem = "a process belongs to nobody, or to two";
    return problem;
}

/* --- queues ----------------------------------------------------------------------------------- */

enum link { LINK_NEXT, LINK_DEBT };

/* Whether an entry may be in the queue. */
typedef bool queued(const struct procd_process *process);

static bool is_free(const struct procd_process *process)
{
    return process->life == PROCD_LIFE_UNUSED && process->generation < PROCD_GENERATION_LAST;
}

static bool is_ending(const struct procd_process *process)
{
    return process->life == PROCD_LIFE_ENDING;
}

static bool is_in_debt(const struct procd_process *process)
{
    return process->in_debt;
}

/* All that may be in the queue are in it, once. */
static const char *check_queue(const struct procd *procd, const struct procd_queue *queue,
                               enum link link, queued *may_be)
{
    uint32_t expected = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < procd->used_count; i++)
        expected += may_be(&procd->processes[i]);
    for (uint32_t number = queue->first; number != 0;) {
        if (number > procd->used_count || expected == 0 || !may_be(&procd->processes[number - 1]))
            return "a queue holds something else, or too much";
        expected--;
        last = number;
        const struct procd_process *process = &procd->processes[number - 1];
        number = link == LINK_NEXT ? process->next : process->next_debt;
    }
    return expected == 0 && last == queue->last ? NULL : "a queue ends too early";
}

static const char *check_queues(const struct procd *procd)
{
    const char *problem = check_queue(procd, &procd->free, LINK_NEXT, is_free);
    if (problem == NULL)
        problem = check_queue(procd, &procd->ending, LINK_NEXT, is_ending);
    return problem != NULL ? problem : check_queue(procd, &procd->debts, LINK_DEBT, is_in_debt);
}

/* --- all -------------------------------------------------------------------------------------- */

static const char *check_foundation(const struct procd *procd)
{
    uint32_t which;
    uint32_t live_count = 0;
    for (uint32_t i = 0; i < procd->used_count; i++)
        live_count +=
            is_live(&procd->processes[i]) && procd_is_foundation(procd->processes[i].role, &which);
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++) {
        uint32_t entry = procd->foundation_entries[i];
        if (entry == 0)
            continue;
        live_count--;
        if (entry > procd->used_count || !is_live(&procd->processes[entry - 1]) ||
            procd->processes[entry - 1].role != ROLE_MEMD + i)
            return "a foundation entry names something else";
    }
    return live_count == 0 ? NULL : "a foundation role lives twice";
}

const char *procd_check(const struct procd *procd)
{
    uint32_t busy_count = 0;
    if (procd->used_count > PROCD_PROCESS_LIMIT)
        return "more entries than the limit";
    for (uint32_t i = 0; i < procd->used_count; i++) {
        const struct procd_process *process = &procd->processes[i];
        const char *problem = check_process(process);
        if (problem != NULL)
            return problem;
        if (process->life != PROCD_LIFE_UNUSED && role_find(process->role) == NULL)
            return "a process has no role";
        busy_count += is_busy(process);
    }
    if (busy_count != procd->busy_count)
        return "busy entries are miscounted";
    const char *problem = check_families(procd);
    if (problem == NULL)
        problem = check_queues(procd);
    if (problem == NULL)
        problem = check_timers(procd);
    if (problem == NULL)
        problem = procd_pace_check(procd);
    if (problem == NULL)
        problem = check_foundation(procd);
    if (problem == NULL)
        problem = procd_evidence_check(procd);
    if (problem == NULL)
        problem = procd_notice_check(procd);
    if (problem == NULL)
        problem = procd_transfer_check(procd);
    return problem != NULL ? problem : procd_waiters_check(procd);
}

/* --- fields ----------------------------------------------------------------------------------- */

typedef void visitor(void *context, uint64_t value);

static uint64_t pair(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

static void visit_family(const struct procd_family *family, visitor *visit, void *context)
{
    visit(context, pair(family->used_places, family->youngest_child));
    visit(context, pair(family->oldest_record, family->youngest_record));
    visit(context, pair(family->due.first, family->due.last));
    visit(context, family->pace_ticks);
    visit(context, family->record_count);
}

static void visit_lives(const struct procd_process *process, visitor *visit, void *context)
{
    const struct procd_policy *policy = &process->policy;
    const struct procd_lives *lives = &process->lives;
    visit(context, process->image_offset);
    visit(context, process->image_bytes);
    if (process->data_bytes != 0) {
        visit(context, process->data_offset);
        visit(context, process->data_bytes);
    }
    visit(context, process->argument);
    visit(context, pair(process->limits.page_limit, process->limits.budget_pages));
    visit(context, pair(process->limits.child_limit, process->limits.child_pages));
    visit(context, policy->base_delay_ticks);
    visit(context, policy->delay_cap_ticks);
    visit(context, policy->stable_after_ticks);
    visit(context, policy->window_ticks);
    visit(context, policy->ready_ticks);
    visit(context, pair(policy->policy << 1 | policy->critical, policy->budget_count));
    visit(context, lives->window_began_ticks);
    visit(context, lives->ready_at_ticks);
    visit(context, lives->until_ticks);
    visit(context, lives->delay_ticks);
    visit(context, pair(lives->used_count, lives->unstable_count));
    visit(context,
          pair(lives->life_count, (uint32_t)lives->is_due << 3 | (uint32_t)lives->restarts << 2 |
                                      (uint32_t)lives->is_asked << 1 | lives->is_parked));
}

static void visit_notice(const struct procd_notice *notice, visitor *visit, void *context)
{
    if (notice->which == 0)
        return;
    visit(context, notice->ended_id);
    visit(context, pair(notice->which, notice->tries));
}

static void visit_process(const struct procd_process *process, visitor *visit, void *context)
{
    visit(context, process->generation);
    visit(context, process->entry_va);
    visit(context, process->stack_top_va);
    visit(context, process->fault_va);
    visit(context, process->retry_ticks);
    visit_lives(process, visit, context);
    visit_family(&process->family, visit, context);
    visit_notice(&process->notice, visit, context);
    visit(context, pair(process->role, process->owner));
    visit(context, pair(process->reason, process->code));
    visit(context, pair(process->older, process->younger));
    visit(context, pair(process->next, process->previous));
    visit(context, pair(process->next_debt, process->owes));
    visit(context, (uint64_t)process->lives.is_transfer << 8 | (uint64_t)process->life << 3 |
                       (uint64_t)process->wakes_pager << 2 | (uint64_t)process->is_secret << 1 |
                       process->in_debt);
}

static void visit_queue(const struct procd_queue *queue, visitor *visit, void *context)
{
    visit(context, pair(queue->first, queue->last));
}

static void visit_deadlines(const struct procd_deadlines *deadlines, visitor *visit, void *context)
{
    visit(context, deadlines->count);
    for (uint32_t place = 0; place < deadlines->count; place++) {
        uint32_t index = deadlines->heap[place];
        visit(context, pair(index, deadlines->places[index]));
        visit(context, deadlines->ticks[index]);
    }
}

static void visit_waits(const struct procd *state, visitor *visit, void *context)
{
    for (uint32_t place = 0; place < state->wait_deadlines.count; place++) {
        const struct procd_wait *wait = &state->waits[state->wait_deadlines.heap[place]];
        visit(context, pair(wait->target, wait->reply_slot));
        visit(context, wait->request_id);
    }
}

void procd_visit_entry(const struct procd *state, uint32_t index, visitor *visit, void *context)
{
    UNIT_ASSERT(index < state->used_count);
    visit_process(&state->processes[index], visit, context);
}

void procd_visit_fields(const struct procd *state, visitor *visit, void *context)
{
    visit(context, (uint64_t)state->foundation_bound << 2 | (uint64_t)state->peer_lost << 1 |
                       state->exiting);
    visit(context, pair(state->used_count, state->busy_count));
    for (uint32_t i = 0; i < PROCD_FOUNDATION_COUNT; i++)
        visit(context, state->foundation_entries[i]);
    visit_queue(&state->free, visit, context);
    visit_queue(&state->ending, visit, context);
    visit_queue(&state->debts, visit, context);
    visit_family(&state->administrator, visit, context);
    visit_deadlines(&state->timers, visit, context);
    visit_deadlines(&state->paces, visit, context);
    visit(context, state->pace_ticks);
    visit_deadlines(&state->wait_deadlines, visit, context);
    visit_waits(state, visit, context);
    if (state->notice_ticks != 0) {
        visit_deadlines(&state->notices, visit, context);
        visit(context, state->notice_ticks);
    }
    procd_evidence_visit_fields(state, visit, context);
    procd_transfer_visit_fields(state, visit, context);
    for (uint32_t i = 0; i < state->used_count; i++)
        visit_process(&state->processes[i], visit, context);
}

/* --- reset ------------------------------------------------------------------------------------ */

static void deadlines_reset(struct procd_deadlines *deadlines)
{
    for (uint32_t place = 0; place < deadlines->count; place++) {
        uint32_t index = deadlines->heap[place];
        deadlines->places[index] = 0;
        deadlines->ticks[index] = 0;
        deadlines->heap[place] = 0;
    }
    deadlines->count = 0;
}

/* Each has a deadline. */
static void waits_reset(struct procd *procd)
{
    for (uint32_t place = 0; place < procd->wait_deadlines.count; place++) {
        struct procd_wait *wait = &procd->waits[procd->wait_deadlines.heap[place]];
        procd->wait_of_reply[wait->reply_slot - SLOT_REPLY_BASE] = 0;
        memset(wait, 0, sizeof *wait);
    }
    deadlines_reset(&procd->wait_deadlines);
}

void procd_reset(struct procd *procd)
{
    struct procd_evidence *evidence = &procd->evidence;
    waits_reset(procd);
    deadlines_reset(&procd->timers);
    deadlines_reset(&procd->paces);
    deadlines_reset(&procd->notices);
    procd->pace_ticks = procd->notice_ticks = 0;
    memset(procd->processes, 0, procd->used_count * sizeof procd->processes[0]);
    memset(evidence->killed, 0, evidence->ring.used_count * sizeof evidence->killed[0]);
    memset(&procd->transfer, 0, sizeof procd->transfer);
    memset(procd, 0, offsetof(struct procd, evidence.killed));
}
