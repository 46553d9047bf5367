/* SPDX-License-Identifier: ISC */
/* When who is due for another life, or for a call for READY, has its turn. Decides the order: of an
 * owner's children the one that was due first, of owners the one whose last turn is longest ago. What
 * one owner's children may cost is bounded so, however many of them there are. Makes no call. */
#include "services/procd/internal.h"

#include <stddef.h>

/* Owners have the indices of their entries, as waits have. */
static uint32_t index_of(uint32_t owner)
{
    return owner == 0 ? PROCD_WAIT_ADMINISTRATOR : owner - 1;
}

void procd_pace_add(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_family *family = procd_family(procd, process->owner);
    UNIT_ASSERT(!process->lives.is_due);
    if (family->due.first == 0)
        procd_deadline_set(&procd->paces, index_of(process->owner), family->pace_ticks);
    procd_queue_push(procd, &family->due, index);
    process->lives.is_due = true;
}

void procd_pace_forget(struct procd *procd, uint32_t index)
{
    struct procd_process *process = &procd->processes[index];
    struct procd_family *family = procd_family(procd, process->owner);
    if (!process->lives.is_due)
        return;
    procd_queue_remove(procd, &family->due, index);
    process->lives.is_due = false;
    if (family->due.first == 0)
        procd_deadline_clear(&procd->paces, index_of(process->owner));
}

bool procd_pace_due(const struct procd *procd, uint64_t now_ticks, uint32_t *index)
{
    uint32_t owner;
    if (procd->pace_ticks > now_ticks || !procd_deadline_due(&procd->paces, now_ticks, &owner))
        return false;
    const struct procd_family *family =
        owner == PROCD_WAIT_ADMINISTRATOR ? &procd->administrator : &procd->processes[owner].family;
    *index = family->due.first - 1;
    return true;
}

void procd_pace_take(struct procd *procd, uint32_t index)
{
    uint32_t owner = procd->processes[index].owner;
    struct procd_family *family = procd_family(procd, owner);
    procd_pace_forget(procd, index);
    family->pace_ticks = deadline_after(procd->now_ticks, PROCD_ASK_TICKS);
    procd->pace_ticks = deadline_after(procd->now_ticks, PROCD_PACE_TICKS);
    if (family->due.first == 0)
        return;
    procd_deadline_clear(&procd->paces, index_of(owner));
    procd_deadline_set(&procd->paces, index_of(owner), family->pace_ticks);
}

uint64_t procd_pace_next_ticks(const struct procd *procd)
{
    uint64_t next_ticks = procd_deadline_next(&procd->paces);
    return next_ticks < procd->pace_ticks ? procd->pace_ticks : next_ticks;
}

/* --- the check -------------------------------------------------------------------------------- */

static const char *check_family(const struct procd *procd, const struct procd_family *family,
                                uint32_t owner, uint32_t *count)
{
    uint32_t last = 0;
    for (uint32_t number = family->due.first; number != 0;) {
        if (number > procd->used_count || ++*count > procd->used_count)
            return "those of an owner that are due do not end";
        const struct procd_process *process = &procd->processes[number - 1];
        if (process->owner != owner || !process->lives.is_due || process->previous != last)
            return "somebody is due as another one's child";
        last = number;
        number = process->next;
    }
    bool waits = procd_deadline_has(&procd->paces, index_of(owner));
    bool agrees = last == family->due.last && waits == (last != 0) &&
                  (!waits || procd->paces.ticks[index_of(owner)] == family->pace_ticks);
    return agrees ? NULL : "an owner has no time for who is due, or one in vain";
}

const char *procd_pace_check(const struct procd *procd)
{
    uint32_t due = 0;
    uint32_t found = 0;
    const char *problem = procd_deadlines_check(&procd->paces);
    if (problem == NULL)
        problem = check_family(procd, &procd->administrator, 0, &found);
    for (uint32_t i = 0; i < procd->used_count && problem == NULL; i++) {
        due += procd->processes[i].lives.is_due;
        problem = check_family(procd, &procd->processes[i].family, i + 1, &found);
    }
    return problem == NULL && due != found ? "somebody is due in no queue" : problem;
}
