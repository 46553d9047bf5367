/* SPDX-License-Identifier: ISC */
/* pagerd's front: who may ask what, which faults are answered at once, and the daemon's loop. What
 * a request then does is decided in policy.c, registrations.c and fills.c. */
#include "services/pagerd/pagerd.h"

#include <stddef.h>
#include <string.h>

#include "abi/roles.h"
#include "services/pagerd/internal.h"

/* --- operations of administrators; REGISTER and UNREGISTER are in registrations.c ------------- */

static bool resolve_allowed(const struct pagerd_resolve_fault_request *request)
{
    if (request->action == RESOLVE_RETRY)
        return request->reason == END_NONE;
    return request->reason >= END_FAULT_OUTSIDE;
}

static void resolve_one(struct pagerd *pagerd, uint32_t fill,
                        const struct pagerd_resolve_fault_request *request)
{
    if (request->action == RESOLVE_END)
        pagerd_cancel(pagerd, fill, (enum end_reason)request->reason);
    else if (pagerd->fills[fill].state == FILL_WAITING_FRAME)
        pagerd_wake_one(pagerd, fill);
}

/* The one that was parked first, woken meanwhile or not; 0: none. */
static uint32_t first_parked(const struct pagerd *pagerd)
{
    uint32_t parked = pagerd->parked.first;
    uint32_t woken = pagerd->woken.first;
    if (parked == 0 || woken == 0)
        return parked + woken;
    return pagerd->fills[parked].park_id < pagerd->fills[woken].park_id ? parked : woken;
}

static uint64_t resolve_all(struct pagerd *pagerd,
                            const struct pagerd_resolve_fault_request *request)
{
    uint64_t count = (uint64_t)pagerd->parked.count + pagerd->woken.count;
    if (request->action == RESOLVE_RETRY)
        pagerd_wake(pagerd);
    while (request->action == RESOLVE_END && first_parked(pagerd) != 0)
        pagerd_cancel(pagerd, first_parked(pagerd), (enum end_reason)request->reason);
    return count;
}

static uint32_t find_in(const struct pagerd *pagerd, const struct pagerd_list *list,
                        uint64_t fault_id)
{
    uint32_t fill = list->first;
    while (fill != 0 && pagerd->fills[fill].id != fault_id)
        fill = pagerd->fills[fill].parked.next;
    return fill;
}

static uint32_t find_parked(const struct pagerd *pagerd, uint64_t fault_id)
{
    uint32_t fill = find_in(pagerd, &pagerd->parked, fault_id);
    return fill != 0 ? fill : find_in(pagerd, &pagerd->woken, fault_id);
}

enum status pagerd_resolve_fault(struct pagerd *pagerd, struct pagerd_request *request)
{
    const struct pagerd_resolve_fault_request *body = &request->body.resolve_fault;
    if (!resolve_allowed(body))
        return STATUS_INVALID_ARGUMENT;
    uint32_t fill = find_parked(pagerd, body->fault_id);
    if (body->fault_id != 0 && fill == 0)
        return STATUS_NOT_FOUND;
    uint64_t *resumed_count = &request->reply.resolve_fault.resumed_count;
    *resumed_count = 1;
    if (fill != 0)
        resolve_one(pagerd, fill, body);
    else
        *resumed_count = resolve_all(pagerd, body);
    pagerd_run_queued(pagerd);
    return STATUS_OK;
}

enum status pagerd_query_faults(struct pagerd *pagerd, struct pagerd_request *request)
{
    uint32_t entry = pagerd_find(pagerd, request->body.query_faults.token);
    if (entry == 0)
        return STATUS_NOT_FOUND;
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    request->reply.query_faults = (struct pagerd_query_faults_reply){
        .last_fault_id = registration->last_fault_id,
        .fault_count = registration->fault_count,
        .resolved_count = registration->resolved_count,
        .parked_count = registration->fills.count - registration->queued_count,
        .page_count = registration->page_count,
    };
    return STATUS_OK;
}

/* --- faults ---------------------------------------------------------------------------------- */

static bool is_reply_slot(uint32_t slot)
{
    return slot >= SLOT_REPLY_BASE && slot - SLOT_REPLY_BASE < PAGERD_WAITER_LIMIT;
}

/* Opening a fill that the page limit forbids would only make its faulter wait for its end. */
static struct pagerd_ruling judge(const struct pagerd *pagerd, uint32_t entry,
                                  const struct event_fault_request *fault)
{
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    struct pagerd_ruling ruling = pagerd_judge_fault(registration, fault);
    if (ruling.verdict != VERDICT_FILL)
        return ruling;
    if (registration->vspace_cap_slot == 0) /* its space is lost (G2) */
        return (struct pagerd_ruling){.verdict = VERDICT_END, .reason = END_FAULT_BACKING};
    if (registration->page_count < registration->page_limit)
        return ruling;
    uint64_t page = fault->va & ~(uint64_t)(PAGE_BYTES - 1);
    struct pagerd_supply supply = pagerd_plan_supply(&registration->places[ruling.area], page);
    if (pagerd_over_limit(registration, supply.backing) &&
        pagerd_find_fill(pagerd, entry, page) == 0)
        return (struct pagerd_ruling){.verdict = VERDICT_END, .reason = END_FAULT_PAGE_LIMIT};
    return ruling;
}

static void count_ended(struct pagerd *pagerd, uint32_t entry)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    registration->last_fault_id = ++pagerd->last_fault_id; /* G6 */
    registration->fault_count++;
}

enum status pagerd_fault(struct pagerd *pagerd, struct pagerd_request *request)
{
    const struct event_fault_request *fault = &request->body.fault;
    uint32_t reply_slot = request->common.info->reply_slot;
    struct pagerd_ruling ruling = {.verdict = VERDICT_END, .reason = END_FAULT_BACKING};
    if (!is_reply_slot(reply_slot))
        return STATUS_INTERNAL; /* not what the kernel promises: nothing could be kept for it */
    uint32_t entry = pagerd_find(pagerd, fault->token);
    if (entry != 0) {
        ruling = judge(pagerd, entry, fault);
        pagerd->registrations[entry].unproved_va = 0;
        pagerd->registrations[entry].unproved_rights = 0;
    }
    if (ruling.verdict == VERDICT_FILL) {
        struct pagerd_faulter faulter = {
            .registration = entry,
            .area = ruling.area,
            .va = fault->va & ~(uint64_t)(PAGE_BYTES - 1),
            .right = pagerd_right_of((enum fault_access)fault->access),
            .reply_slot = reply_slot,
            .request_id = request->common.request_id,
        };
        pagerd_take_fault(pagerd, &faulter);
        pagerd_run_queued(pagerd);
        request->common.handled = HANDLED_LATER;
        return STATUS_OK;
    }
    if (entry != 0)
        count_ended(pagerd, entry);
    request->reply.fault =
        (struct event_fault_reply){.verdict = FAULT_END, .reason = ruling.reason};
    return STATUS_OK;
}

/* --- the front ------------------------------------------------------------------------------- */

#define SERVICE       pagerd
#define SERVICE_TABLE "services/pagerd/served.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct pagerd_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    if (badge == BADGE_KERNEL)
        return FROM_KERNEL;
    return badge == 0 ? FROM_ADMIN : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled pagerd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct pagerd *pagerd = state;
    struct pagerd_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &pagerd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    if (info->reply_slot != SLOT_NULL)
        caller_see_clock(&pagerd->caller, info->now_ticks);
    pagerd_forget_waiter(pagerd, info->reply_slot);
    return service_dispatch(&table, pagerd, &request.common);
}

void pagerd_tick(struct pagerd *pagerd, uint64_t now_ticks)
{
    caller_see_clock(&pagerd->caller, now_ticks);
    pagerd_settle_due(pagerd);
    if (pagerd->parked.count != 0 && pagerd->wake_ticks <= pagerd->caller.now_ticks) {
        pagerd_wake(pagerd);
        pagerd->wake_ticks = caller_deadline(&pagerd->caller, PAGERD_RETRY_TICKS);
    }
    pagerd_run_queued(pagerd);
}

uint64_t pagerd_next_deadline(const struct pagerd *pagerd)
{
    uint64_t deadline = DEADLINE_NEVER;
    if (pagerd->ready.count != 0 || pagerd->woken.count != 0 || pagerd->wake_pending != 0)
        return DEADLINE_POLL;
    if (pagerd->parked.count != 0)
        deadline = pagerd->wake_ticks;
    if (pagerd->owing.count != 0 && pagerd->settle_ticks < deadline)
        deadline = pagerd->settle_ticks;
    return deadline;
}

/* All reply slots are taken by faulters, which takes more processes than there can be: let each try
 * again, so that some are answered. */
static void make_room(struct pagerd *pagerd)
{
    pagerd_wake(pagerd);
    pagerd_run_queued(pagerd);
}

static const char *unsound(const void *state)
{
    return pagerd_check(state);
}

void pagerd_run(struct pagerd *pagerd)
{
    struct envelope start;
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status = service_start(&pagerd->caller, ROLE_PAGERD, &start, NULL, unsound, pagerd);
    while (status == STATUS_OK) {
        status = service_turn(&pagerd->caller, SLOT_SERVICE_ENDPOINT, pagerd_next_deadline(pagerd),
                              pagerd_handle, pagerd, &info);
        if (status == STATUS_TIMED_OUT || status == STATUS_RETRY)
            status = STATUS_OK;
        if (status == STATUS_OK)
            pagerd_tick(pagerd, info.now_ticks);
        if (status == STATUS_EXHAUSTED) {
            make_room(pagerd);
            status = STATUS_OK;
        }
    }
    kernel_exit(&pagerd->caller, (uint32_t)status);
}
