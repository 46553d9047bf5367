/* SPDX-License-Identifier: ISC */
/* Clients that want to be called when a process of theirs has ended. Decides who is called when,
 * and how often; never waits for a client for longer than a tick. What ended is told by WAIT and
 * QUERY: a notice that is lost loses nothing else. */
#include "services/procd/internal.h"

#include <stddef.h>

#include "services/lib/call_event.h"

static bool is_told(const struct procd_notice *notice)
{
    return notice->tries == 0;
}

/* Empties one of a client's two slots. */
static enum status clear(struct procd *procd, uint32_t index, uint32_t which)
{
    enum status status = kernel_drop_local_cap(&procd->caller, procd_slot(index, which));
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What is refused stays owed: it goes with the client's end, if no other endpoint takes its slot
 * before. */
static void drop(struct procd *procd, uint32_t index, uint32_t which)
{
    if (clear(procd, index, which) == STATUS_OK)
        procd_paid(&procd->processes[index], 1u << which);
}

enum status procd_set_notice(struct procd *procd, struct procd_request *request)
{
    uint32_t index = request->sender.owner - 1;
    struct procd_process *process = &procd->processes[index];
    uint32_t old = process->notice.which;
    uint32_t which = old == PROCD_SLOT_NOTICE ? PROCD_SLOT_NOTICE_OTHER : PROCD_SLOT_NOTICE;
    enum status status = STATUS_OK;
    if ((process->owes & 1u << which) != 0)
        status = clear(procd, index, which); /* it counts as full until the end is sure (E4) */
    if (status == STATUS_OK)
        status = kernel_move_local_cap(&procd->caller, request->body.set_notice.endpoint_slot,
                                       procd_slot(index, which));
    if (status != STATUS_OK)
        return status;
    process->owes |= 1u << which;
    process->notice.which = (uint8_t)which;
    if (old != 0)
        drop(procd, index, old);
    return STATUS_OK;
}

/* --- who is to be told ------------------------------------------------------------------------ */

static void settle(struct procd *procd, uint32_t index)
{
    struct procd_notice *notice = &procd->processes[index].notice;
    if (procd_deadline_has(&procd->notices, index))
        procd_deadline_clear(&procd->notices, index);
    notice->ended_id = 0;
    notice->tries = 0;
}

void procd_notice_add(struct procd *procd, uint32_t index)
{
    uint32_t owner = procd->processes[index].owner;
    if (owner == 0 || procd->processes[owner - 1].notice.which == 0)
        return;
    struct procd_notice *notice = &procd->processes[owner - 1].notice;
    if (is_told(notice))
        procd_deadline_set(&procd->notices, owner - 1, procd->now_ticks);
    notice->ended_id = procd_table_id(procd, index);
    notice->tries = PROCD_NOTICE_TRIES;
}

void procd_notice_asked(struct procd *procd, uint32_t owner, uint32_t index)
{
    if (owner != 0 && procd->processes[owner - 1].notice.ended_id == procd_table_id(procd, index))
        settle(procd, owner - 1);
}

void procd_notice_forget(struct procd *procd, uint32_t index)
{
    settle(procd, index);
    procd->processes[index].notice.which = 0;
}

/* --- calls ------------------------------------------------------------------------------------ */

uint64_t procd_notice_next_ticks(const struct procd *procd)
{
    uint64_t next_ticks = procd_deadline_next(&procd->notices);
    return next_ticks < procd->notice_ticks ? procd->notice_ticks : next_ticks;
}

/* One that timed out may be busy, with a call of procd for one; anything else is no answer to
 * this. */
static void heard(struct procd *procd, uint32_t index, enum status status, uint64_t now_ticks)
{
    struct procd_notice *notice = &procd->processes[index].notice;
    procd_deadline_clear(&procd->notices, index);
    if (status == STATUS_TIMED_OUT && --notice->tries != 0) {
        procd_deadline_set(&procd->notices, index, deadline_after(now_ticks, PROCD_RETRY_TICKS));
        return;
    }
    settle(procd, index);
    if (status == STATUS_OK || status == STATUS_TIMED_OUT)
        return;
    drop(procd, index, notice->which);
    notice->which = 0;
}

bool procd_notice_step(struct procd *procd, uint64_t now_ticks)
{
    uint32_t index;
    if (procd->notice_ticks > now_ticks || !procd_deadline_due(&procd->notices, now_ticks, &index))
        return false;
    const struct procd_notice *notice = &procd->processes[index].notice;
    struct event_process_ended_request request = {.process_id = notice->ended_id};
    enum status status =
        event_call_process_ended(&procd->caller, procd_slot(index, notice->which), NO_WINDOW,
                                 deadline_after(now_ticks, PROCD_NOTICE_TICKS), &request, NULL);
    procd->notice_ticks = deadline_after(now_ticks, PROCD_ASK_TICKS);
    heard(procd, index, status, now_ticks);
    return true;
}

/* --- the check -------------------------------------------------------------------------------- */

static const char *check_client(const struct procd *procd, uint32_t index)
{
    const struct procd_process *process = &procd->processes[index];
    const struct procd_notice *notice = &process->notice;
    bool lives = process->life == PROCD_LIFE_STAGED || process->life == PROCD_LIFE_RUNNING;
    if (notice->which != 0 && (!lives || (process->owes & 1u << notice->which) == 0))
        return "a notice endpoint is nobody's, or is not there";
    if (notice->tries != 0 && notice->which == 0)
        return "somebody is to be told at no endpoint";
    bool waits = procd_deadline_has(&procd->notices, index);
    return waits == (notice->tries != 0) && waits == (notice->ended_id != 0)
               ? NULL
               : "a client is to be told of nothing, or at no time";
}

const char *procd_notice_check(const struct procd *procd)
{
    const char *problem = procd_deadlines_check(&procd->notices);
    for (uint32_t i = 0; i < procd->used_count && problem == NULL; i++)
        problem = check_client(procd, i);
    return problem;
}
