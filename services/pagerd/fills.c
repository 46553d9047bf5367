/* SPDX-License-Identifier: ISC */
/* Fills: the split-phase life of a fault that cannot be answered at once. Decides whose turn it is
 * and what a peer's answer means for the faulters; each of them is answered exactly once, in order
 * of arrival (G1). Never forgets a reply slot and never runs more turns than its bound. */
#include "services/pagerd/internal.h"

#include <string.h>

/* --- answers --------------------------------------------------------------------------------- */

/* A faulter that is gone (NOT_FOUND) needs no answer; a bare answer has no other way to fail. */
static void answer(struct pagerd *pagerd, const struct pagerd_waiter *waiter, uint32_t reply_slot,
                   const struct event_fault_reply *reply)
{
    struct message *message = caller_message(&pagerd->caller);
    message->header.request_id = waiter->request_id;
    enum status status = message_encode(&event_fault_reply_type, reply, message);
    UNIT_ASSERT(status == STATUS_OK);
    caller_answer(&pagerd->caller, reply_slot);
}

static void answer_all(struct pagerd *pagerd, uint32_t entry, enum end_reason reason)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    struct pagerd_registration *registration = &pagerd->registrations[fill->registration];
    struct event_fault_reply reply = {
        .verdict = reason == END_NONE ? FAULT_RESOLVED : FAULT_END,
        .reason = reason,
    };
    while (fill->waiters.first != 0) {
        uint32_t first = fill->waiters.first;
        struct pagerd_waiter waiter = pagerd->waiters[first];
        UNIT_ASSERT(waiter.fill == entry);
        pagerd_list_remove(pagerd, LIST_WAITERS, &fill->waiters, first);
        pagerd->waiters[first] = (struct pagerd_waiter){0};
        registration->resolved_count += reason == END_NONE;
        UNIT_ASSERT(registration->resolved_count <= registration->fault_count);
        answer(pagerd, &waiter, SLOT_REPLY_BASE + first - 1, &reply);
    }
}

/* --- states ---------------------------------------------------------------------------------- */

static void set_queued(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    struct pagerd_registration *registration = &pagerd->registrations[fill->registration];
    UNIT_ASSERT(registration->state == REGISTRATION_LIVE);
    fill->state = FILL_QUEUED;
    if (registration->queued_count++ == 0)
        pagerd_list_append(pagerd, LIST_READY, &pagerd->ready, fill->registration);
}

/* Leaves QUEUED for `state`. */
static void unset_queued(struct pagerd *pagerd, uint32_t entry, enum pagerd_fill_state state)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    struct pagerd_registration *registration = &pagerd->registrations[fill->registration];
    UNIT_ASSERT(fill->state == FILL_QUEUED && registration->queued_count != 0);
    fill->state = state;
    if (--registration->queued_count == 0)
        pagerd_list_remove(pagerd, LIST_READY, &pagerd->ready, fill->registration);
}

/* Leaves WAITING_FRAME or WOKEN for `state`. */
static void unset_parked(struct pagerd *pagerd, uint32_t entry, enum pagerd_fill_state state)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    bool woken = fill->state == FILL_WOKEN;
    UNIT_ASSERT(woken || fill->state == FILL_WAITING_FRAME);
    pagerd_list_remove(pagerd, LIST_PARKED, woken ? &pagerd->woken : &pagerd->parked, entry);
    fill->state = state;
}

static void park(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    UNIT_ASSERT(fill->state == FILL_MAPPING);
    if (fill->park_id == 0) {
        fill->park_id = ++pagerd->last_park_id;
        fill->parked_ticks = pagerd->caller.now_ticks;
    }
    fill->state = FILL_WAITING_FRAME;
    if (pagerd->parked.count == 0)
        pagerd->wake_ticks = caller_deadline(&pagerd->caller, PAGERD_RETRY_TICKS);
    pagerd_list_insert_parked(pagerd, &pagerd->parked, entry);
}

/* The end of a fill that is in no list other than its registration's. */
static void finish(struct pagerd *pagerd, uint32_t entry, enum pagerd_fill_state state,
                   enum end_reason reason)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    UNIT_ASSERT(entry != 0 && fill->state != FILL_FREE && fill->state != FILL_QUEUED);
    UNIT_ASSERT(fill->waiters.count != 0 || state == FILL_CANCELLED); /* G1 */
    fill->state = state;
    answer_all(pagerd, entry, reason);
    pagerd_list_remove(pagerd, LIST_FILLS, &pagerd->registrations[fill->registration].fills, entry);
    *fill = (struct pagerd_fill){.sibling = {.next = pagerd->fill_free}};
    pagerd->fill_free = entry;
}

void pagerd_wake_one(struct pagerd *pagerd, uint32_t fill)
{
    unset_parked(pagerd, fill, FILL_WOKEN);
    pagerd_list_insert_parked(pagerd, &pagerd->woken, fill);
}

void pagerd_wake(struct pagerd *pagerd)
{
    pagerd->wake_pending |= pagerd->parked.count != 0 || pagerd->woken.count != 0;
}

void pagerd_cancel(struct pagerd *pagerd, uint32_t fill, enum end_reason reason)
{
    if (pagerd->fills[fill].state == FILL_QUEUED)
        unset_queued(pagerd, fill, FILL_CANCELLED);
    else
        unset_parked(pagerd, fill, FILL_CANCELLED);
    finish(pagerd, fill, FILL_CANCELLED, reason);
}

/* Nobody is there to be told, and a page of a process that is gone is nobody's either. */
void pagerd_forget_waiter(struct pagerd *pagerd, uint32_t reply_slot)
{
    uint32_t number = reply_slot - SLOT_REPLY_BASE + 1;
    if (reply_slot < SLOT_REPLY_BASE || number > PAGERD_WAITER_LIMIT)
        return;
    uint32_t fill = pagerd->waiters[number].fill;
    if (fill == 0)
        return;
    pagerd_list_remove(pagerd, LIST_WAITERS, &pagerd->fills[fill].waiters, number);
    pagerd->waiters[number] = (struct pagerd_waiter){0};
    if (pagerd->fills[fill].waiters.count == 0)
        pagerd_cancel(pagerd, fill, END_NONE);
}

/* --- turns ----------------------------------------------------------------------------------- */

static bool waited_out(const struct pagerd *pagerd, const struct pagerd_fill *fill)
{
    return fill->park_id != 0 && pagerd->caller.now_ticks - fill->parked_ticks >= PAGERD_WAIT_TICKS;
}

/* One call that came too late may be another's fault: the clock that its deadline was from does not
 * know how long the calls before it took. `late` counts those of its kind. */
static void conclude_late(struct pagerd *pagerd, uint32_t entry, uint32_t *late)
{
    if ((*late)++ != 0)
        finish(pagerd, entry, FILL_DONE, END_FAULT_BACKING);
    else
        park(pagerd, entry);
}

/* vspaced says that a page is there. Who is told so next must really have it (G7). When its books do
 * not answer in time, they are all that the next try asks. */
static void conclude_present(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    struct pagerd_registration *registration = &pagerd->registrations[fill->registration];
    uint32_t rights;
    enum status status = pagerd_ask_page(pagerd, registration->vspace_cap_slot, fill->va, &rights);
    bool there = status == STATUS_OK && (fill->rights_asked & ~rights) == 0;
    if (there) {
        registration->unproved_va = fill->va;
        registration->unproved_rights = fill->rights_asked;
    }
    fill->is_there = 1;
    if (status == STATUS_TIMED_OUT)
        conclude_late(pagerd, entry, &fill->books_late);
    else
        finish(pagerd, entry, FILL_DONE, there ? END_NONE : END_FAULT_BACKING);
}

void pagerd_count_pages(struct pagerd *pagerd, uint32_t owner, uint64_t va, uint32_t pages)
{
    struct pagerd_registration *registration = &pagerd->registrations[owner];
    uint64_t bytes = (uint64_t)pages << PAGE_SHIFT;
    UNIT_ASSERT(pages != 0 && pages <= registration->page_limit - registration->page_count);
    registration->page_count += pages;
    registration->walk_va = va + bytes;
    for (uint32_t i = registration->fills.first; i != 0; i = pagerd->fills[i].sibling.next)
        if (pagerd->fills[i].va - va < bytes)
            pagerd->fills[i].is_there = 1;
}

/* What a peer's answer means for the faulters. */
static void conclude(struct pagerd *pagerd, uint32_t entry, enum status status)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    UNIT_ASSERT(fill->state == FILL_MAPPING);
    if (status == STATUS_OK)
        finish(pagerd, entry, FILL_DONE, END_NONE);
    else if (status == STATUS_BUSY)
        conclude_present(pagerd, entry); /* G2 */
    else if (status == STATUS_TIMED_OUT)
        conclude_late(pagerd, entry, &fill->timed_out);
    else if (status == STATUS_EXHAUSTED && !waited_out(pagerd, fill))
        park(pagerd, entry); /* G5 */
    else if (status == STATUS_EXHAUSTED)
        finish(pagerd, entry, FILL_DONE, END_FAULT_MEMORY);
    else if (status == STATUS_OVER_LIMIT)
        finish(pagerd, entry, FILL_DONE, END_FAULT_PAGE_LIMIT);
    else if (status == STATUS_OVER_BUDGET)
        finish(pagerd, entry, FILL_DONE, END_FAULT_BUDGET);
    else
        finish(pagerd, entry, FILL_DONE, END_FAULT_BACKING);
}

/* Has peers make a page of the process's own, and keeps what they leave open. */
static enum status ask_own(struct pagerd *pagerd, uint32_t owner, struct pagerd_supply *supply)
{
    struct pagerd_registration *registration = &pagerd->registrations[owner];
    uint32_t frame_id = 0;
    enum status status = pagerd_supply_page(pagerd, registration->vspace_cap_slot,
                                            pagerd_account_slot(owner), supply, &frame_id);
    bool sent = supply->backing == BACKING_ANONYMOUS || frame_id != 0; /* vspaced was asked */
    bool doubt = sent && status == STATUS_TIMED_OUT;
    registration->owed_frame = frame_id;
    registration->doubt_va = doubt ? supply->va : 0;
    registration->doubt_pages = doubt ? supply->block_pages : 0;
    if (status == STATUS_OK)
        pagerd_count_pages(pagerd, owner, supply->va, supply->block_pages);
    return status;
}

/* Asks for the page of a fill: for one of the process's own not before it is known what became of
 * the last, so that one request at most is in doubt. Who has waited takes its page alone: others
 * wait for the same, and the last try has no time for a refusal of the neighbours. */
static enum status ask(struct pagerd *pagerd, const struct pagerd_fill *fill,
                       struct pagerd_supply *supply)
{
    uint32_t owner = fill->registration;
    struct pagerd_registration *registration = &pagerd->registrations[owner];
    bool own = supply->backing != BACKING_IMAGE;
    enum status status = own ? pagerd_settle_page(pagerd, owner) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (fill->is_there != 0)
        return STATUS_BUSY;
    if (pagerd_over_limit(registration, supply->backing))
        return STATUS_OVER_LIMIT;
    if (fill->park_id != 0)
        pagerd_leave_neighbours(supply);
    else
        pagerd_plan_walk(registration, fill->area, supply);
    if (own)
        return ask_own(pagerd, owner, supply);
    return pagerd_supply_page(pagerd, registration->vspace_cap_slot, SLOT_NULL, supply, NULL);
}

/* Asks for the page of a fill. True when its faulters wait no more. */
static bool run(struct pagerd *pagerd, uint32_t entry)
{
    const struct pagerd_fill *fill = &pagerd->fills[entry];
    const struct pagerd_registration *registration = &pagerd->registrations[fill->registration];
    UNIT_ASSERT(registration->state == REGISTRATION_LIVE && fill->area < registration->area_count);
    struct pagerd_supply supply = pagerd_plan_supply(&registration->places[fill->area], fill->va);
    enum status status = ask(pagerd, fill, &supply);
    pagerd_note_open_page(pagerd, fill->registration);
    conclude(pagerd, entry, status);
    return fill->state != FILL_WAITING_FRAME;
}

static uint32_t oldest_queued(const struct pagerd *pagerd, uint32_t registration)
{
    UNIT_ASSERT(pagerd->registrations[registration].queued_count != 0);
    uint32_t fill = pagerd->registrations[registration].fills.first;
    while (fill != 0 && pagerd->fills[fill].state != FILL_QUEUED)
        fill = pagerd->fills[fill].sibling.next;
    return fill;
}

/* The turn of the process in front. */
static void run_new(struct pagerd *pagerd)
{
    uint32_t registration = pagerd->ready.first;
    uint32_t fill = oldest_queued(pagerd, registration);
    UNIT_ASSERT(fill != 0); /* each one in the row has a queued fill */
    unset_queued(pagerd, fill, FILL_MAPPING);
    if (pagerd->registrations[registration].queued_count != 0) { /* G5: to the end of the row */
        pagerd_list_remove(pagerd, LIST_READY, &pagerd->ready, registration);
        pagerd_list_append(pagerd, LIST_READY, &pagerd->ready, registration);
    }
    pagerd->new_turns -= pagerd->new_turns != 0;
    (void)run(pagerd, fill);
}

/* The turn of the first woken fill. When it got what it waited for, there may be more: the first of
 * the parked is next. The last of them leaves turns to new fills, should all be woken again. */
static void run_woken(struct pagerd *pagerd)
{
    uint32_t fill = pagerd->woken.first;
    unset_parked(pagerd, fill, FILL_MAPPING);
    bool over = run(pagerd, fill);
    if (pagerd->woken.count != 0)
        return;
    if (pagerd->wake_pending != 0)
        pagerd->new_turns = PAGERD_RUN_FILLS;
    else if (over && pagerd->parked.first != 0)
        pagerd_wake_one(pagerd, pagerd->parked.first);
}

/* Wakes all the parked when that is due and new fills have had their turns. */
static void wake_pending(struct pagerd *pagerd)
{
    bool wait = pagerd->woken.count != 0 || (pagerd->new_turns != 0 && pagerd->ready.count != 0);
    if (pagerd->wake_pending == 0 || wait)
        return;
    while (pagerd->parked.first != 0)
        pagerd_wake_one(pagerd, pagerd->parked.first);
    pagerd->wake_pending = 0;
    pagerd->new_turns = 0;
}

/* G5: what came back unnoticed goes to the parked first. */
void pagerd_run_queued(struct pagerd *pagerd)
{
    bool looked = false;
    for (uint32_t turn = 0; turn < PAGERD_RUN_FILLS; turn++) {
        wake_pending(pagerd);
        bool look = !looked && pagerd->wake_pending == 0 && pagerd->woken.count == 0;
        if (look && pagerd->ready.count != 0 && pagerd->parked.count != 0)
            pagerd_wake_one(pagerd, pagerd->parked.first);
        looked = true;
        if (pagerd->woken.count != 0)
            run_woken(pagerd);
        else if (pagerd->ready.count != 0)
            run_new(pagerd);
        else
            return;
    }
}

/* --- faults ---------------------------------------------------------------------------------- */

uint32_t pagerd_find_fill(const struct pagerd *pagerd, uint32_t registration, uint64_t va)
{
    uint32_t fill = pagerd->registrations[registration].fills.first;
    while (fill != 0 && pagerd->fills[fill].va != va)
        fill = pagerd->fills[fill].sibling.next;
    return fill;
}

/* Cannot fail: every open fill has a faulter of its own on one of as many reply slots. */
static uint32_t open_fill(struct pagerd *pagerd, const struct pagerd_faulter *faulter)
{
    uint32_t entry = pagerd->fill_free;
    if (entry != 0)
        pagerd->fill_free = pagerd->fills[entry].sibling.next;
    else
        entry = ++pagerd->fill_used;
    UNIT_ASSERT(entry <= PAGERD_FILL_LIMIT && pagerd->fills[entry].state == FILL_FREE);
    pagerd->fills[entry] = (struct pagerd_fill){
        .id = ++pagerd->last_fault_id, /* G6 */
        .va = faulter->va,
        .registration = faulter->registration,
        .area = faulter->area,
    };
    pagerd_list_append(pagerd, LIST_FILLS, &pagerd->registrations[faulter->registration].fills,
                       entry);
    set_queued(pagerd, entry);
    return entry;
}

void pagerd_take_fault(struct pagerd *pagerd, const struct pagerd_faulter *faulter)
{
    uint32_t number = faulter->reply_slot - SLOT_REPLY_BASE + 1;
    struct pagerd_waiter *waiter = &pagerd->waiters[number];
    struct pagerd_registration *registration = &pagerd->registrations[faulter->registration];
    UNIT_ASSERT(number != 0 && number <= PAGERD_WAITER_LIMIT && waiter->fill == 0);
    UNIT_ASSERT(faulter->va % PAGE_BYTES == 0);
    uint32_t fill = pagerd_find_fill(pagerd, faulter->registration, faulter->va);
    if (fill == 0) /* G1: at most one per page */
        fill = open_fill(pagerd, faulter);
    *waiter = (struct pagerd_waiter){.request_id = faulter->request_id, .fill = fill};
    pagerd_list_append(pagerd, LIST_WAITERS, &pagerd->fills[fill].waiters, number);
    if (number > pagerd->waiter_used)
        pagerd->waiter_used = number;
    pagerd->fills[fill].rights_asked |= faulter->right;
    registration->last_fault_id = pagerd->fills[fill].id;
    registration->fault_count++;
}
