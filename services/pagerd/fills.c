/* SPDX-License-Identifier: ISC */
/* Fills: the split-phase life of a fault that cannot be answered at once. Decides whose turn it is
 * and what a peer's answer means for the faulters; each of them is answered exactly once, in order
 * of arrival (G1). Never forgets a reply slot and never runs more turns than its bound. */
#include "services/pagerd/internal.h"

#include <string.h>

/* --- answers --------------------------------------------------------------------------------- */

/* A faulter that is gone (NOT_FOUND) needs no answer; a bare answer has no other way to fail. */
static void answer(const struct pagerd_waiter *waiter, uint32_t reply_slot,
                   const struct event_fault_reply *reply)
{
    struct message message;
    memset(&message, 0, sizeof message);
    message.header.request_id = waiter->request_id;
    enum status status = message_encode(&event_fault_reply_type, reply, &message);
    UNIT_ASSERT(status == STATUS_OK);
    (void)sys_reply(reply_slot, &message);
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
        answer(&waiter, SLOT_REPLY_BASE + first - 1, &reply);
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

static void unset_parked(struct pagerd *pagerd, uint32_t entry, enum pagerd_fill_state state)
{
    UNIT_ASSERT(pagerd->fills[entry].state == FILL_WAITING_FRAME);
    pagerd_list_remove(pagerd, LIST_PARKED, &pagerd->parked, entry);
    pagerd->fills[entry].state = state;
}

static void park(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    uint64_t now = pagerd->now_ticks;
    UNIT_ASSERT(fill->state == FILL_MAPPING);
    if (fill->parked_before == 0)
        fill->parked_ticks = now;
    fill->parked_before = 1;
    fill->state = FILL_WAITING_FRAME;
    /* One interval for all and a clock that never goes back keep the list in order. */
    fill->retry_ticks = deadline_after(now, PAGERD_RETRY_TICKS);
    UNIT_ASSERT(pagerd->parked.last == 0 ||
                pagerd->fills[pagerd->parked.last].retry_ticks <= fill->retry_ticks);
    pagerd_list_append(pagerd, LIST_PARKED, &pagerd->parked, entry);
}

/* The end of a fill that is in no list other than its registration's. */
static void finish(struct pagerd *pagerd, uint32_t entry, enum pagerd_fill_state state,
                   enum end_reason reason)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    UNIT_ASSERT(entry != 0 && fill->state != FILL_FREE && fill->state != FILL_QUEUED);
    UNIT_ASSERT(fill->waiters.count != 0); /* G1 */
    fill->state = state;
    answer_all(pagerd, entry, reason);
    pagerd_list_remove(pagerd, LIST_FILLS, &pagerd->registrations[fill->registration].fills, entry);
    *fill = (struct pagerd_fill){.sibling = {.next = pagerd->fill_free}};
    pagerd->fill_free = entry;
}

void pagerd_requeue(struct pagerd *pagerd, uint32_t fill)
{
    unset_parked(pagerd, fill, FILL_QUEUED);
    set_queued(pagerd, fill);
}

void pagerd_cancel(struct pagerd *pagerd, uint32_t fill, enum end_reason reason)
{
    if (pagerd->fills[fill].state == FILL_QUEUED)
        unset_queued(pagerd, fill, FILL_CANCELLED);
    else
        unset_parked(pagerd, fill, FILL_CANCELLED);
    finish(pagerd, fill, FILL_CANCELLED, reason);
}

/* --- turns ----------------------------------------------------------------------------------- */

static bool waited_out(const struct pagerd *pagerd, const struct pagerd_fill *fill)
{
    return fill->parked_before != 0 && pagerd->now_ticks - fill->parked_ticks >= PAGERD_WAIT_TICKS;
}

/* What a peer's answer means for the faulters. */
static void conclude(struct pagerd *pagerd, uint32_t entry, enum pagerd_backing backing,
                     enum status status)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    UNIT_ASSERT(fill->state == FILL_MAPPING);
    if (status == STATUS_OK)
        pagerd->registrations[fill->registration].page_count += backing != BACKING_IMAGE;
    if (status == STATUS_OK || status == STATUS_BUSY) /* BUSY: it is there already (G2) */
        finish(pagerd, entry, FILL_DONE, END_NONE);
    else if (status == STATUS_EXHAUSTED && !waited_out(pagerd, fill))
        park(pagerd, entry); /* G5 */
    else
        finish(pagerd, entry, FILL_DONE, END_FAULT_BACKING);
}

static void run(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_fill *fill = &pagerd->fills[entry];
    struct pagerd_registration *registration = &pagerd->registrations[fill->registration];
    struct pagerd_supply supply = pagerd_plan_supply(&registration->areas[fill->area], fill->va);
    if (pagerd_over_limit(registration, supply.backing)) {
        finish(pagerd, entry, FILL_DONE, END_FAULT_PAGE_LIMIT);
        return;
    }
    UNIT_ASSERT(registration->state == REGISTRATION_LIVE && fill->area < registration->area_count);
    enum status status = pagerd_supply_page(pagerd, registration->vspace_cap_slot,
                                            pagerd_account_slot(fill->registration), &supply);
    conclude(pagerd, entry, supply.backing, status);
}

static uint32_t oldest_queued(const struct pagerd *pagerd, uint32_t registration)
{
    UNIT_ASSERT(pagerd->registrations[registration].queued_count != 0);
    uint32_t fill = pagerd->registrations[registration].fills.first;
    while (fill != 0 && pagerd->fills[fill].state != FILL_QUEUED)
        fill = pagerd->fills[fill].sibling.next;
    return fill;
}

void pagerd_run_queued(struct pagerd *pagerd)
{
    for (uint32_t turn = 0; turn < PAGERD_RUN_FILLS && pagerd->ready.first != 0; turn++) {
        uint32_t registration = pagerd->ready.first;
        uint32_t fill = oldest_queued(pagerd, registration);
        UNIT_ASSERT(fill != 0); /* each one in the row has a queued fill */
        unset_queued(pagerd, fill, FILL_MAPPING);
        if (pagerd->registrations[registration].queued_count != 0) { /* G5: to the end of the row */
            pagerd_list_remove(pagerd, LIST_READY, &pagerd->ready, registration);
            pagerd_list_append(pagerd, LIST_READY, &pagerd->ready, registration);
        }
        run(pagerd, fill);
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
static uint32_t open_fill(struct pagerd *pagerd, uint32_t registration, uint32_t area, uint64_t va)
{
    uint32_t entry = pagerd->fill_free;
    if (entry != 0)
        pagerd->fill_free = pagerd->fills[entry].sibling.next;
    else
        entry = ++pagerd->fill_used;
    UNIT_ASSERT(entry <= PAGERD_FILL_LIMIT && pagerd->fills[entry].state == FILL_FREE);
    pagerd->fills[entry] = (struct pagerd_fill){
        .id = ++pagerd->last_fault_id, /* G6 */
        .va = va,
        .registration = registration,
        .area = area,
    };
    pagerd_list_append(pagerd, LIST_FILLS, &pagerd->registrations[registration].fills, entry);
    set_queued(pagerd, entry);
    return entry;
}

void pagerd_take_fault(struct pagerd *pagerd, uint32_t registration, uint32_t area, uint64_t va,
                       uint32_t reply_slot, uint64_t request_id)
{
    uint32_t number = reply_slot - SLOT_REPLY_BASE + 1;
    struct pagerd_waiter *waiter = &pagerd->waiters[number];
    UNIT_ASSERT(number != 0 && number <= PAGERD_WAITER_LIMIT && waiter->fill == 0);
    UNIT_ASSERT(va % PAGE_BYTES == 0);
    uint32_t fill = pagerd_find_fill(pagerd, registration, va);
    if (fill == 0) /* G1: at most one per page */
        fill = open_fill(pagerd, registration, area, va);
    *waiter = (struct pagerd_waiter){.request_id = request_id, .fill = fill};
    pagerd_list_append(pagerd, LIST_WAITERS, &pagerd->fills[fill].waiters, number);
    if (number > pagerd->waiter_used)
        pagerd->waiter_used = number;
    pagerd->registrations[registration].last_fault_id = pagerd->fills[fill].id;
    pagerd->registrations[registration].fault_count++;
}
