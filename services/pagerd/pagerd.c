/* SPDX-License-Identifier: ISC */
/* pagerd's front: who may ask what, and the daemon's loop. Every operation is decoded and its
 * sender checked here, before anything else looks at it; what it then does is decided in policy.c,
 * registrations.c and fills.c. */
#include "services/pagerd/pagerd.h"

#include <string.h>

#include "abi/roles.h"
#include "services/pagerd/internal.h"

/* The clock never goes back, whatever it is told, so that the parked stay in order. */
static void see_clock(struct pagerd *pagerd, uint64_t now_ticks)
{
    if (now_ticks > pagerd->now_ticks)
        pagerd->now_ticks = now_ticks;
}

/* --- operations of administrators: each decodes, does, and encodes its reply ----------------- */

static enum status handle_register(struct pagerd *pagerd, struct message *message)
{
    struct pagerd_register_process_request request;
    uint64_t nothing = 0;
    enum status status = message_decode(&pagerd_register_process_request_type, message, &request);
    if (status == STATUS_OK)
        status = pagerd_register(pagerd, &request);
    return status == STATUS_OK
               ? message_encode(&pagerd_register_process_reply_type, &nothing, message)
               : status;
}

static enum status handle_unregister(struct pagerd *pagerd, struct message *message)
{
    struct pagerd_unregister_process_request request;
    struct pagerd_unregister_process_reply reply;
    enum status status = message_decode(&pagerd_unregister_process_request_type, message, &request);
    if (status == STATUS_OK)
        status = pagerd_unregister(pagerd, request.token, &reply.cancelled_count);
    return status == STATUS_OK
               ? message_encode(&pagerd_unregister_process_reply_type, &reply, message)
               : status;
}

static bool resolve_allowed(const struct pagerd_resolve_fault_request *request)
{
    if (request->action == RESOLVE_RETRY)
        return request->reason == END_NONE;
    return request->reason >= END_FAULT_OUTSIDE;
}

static void resolve_one(struct pagerd *pagerd, uint32_t fill,
                        const struct pagerd_resolve_fault_request *request)
{
    if (request->action == RESOLVE_RETRY)
        pagerd_requeue(pagerd, fill);
    else
        pagerd_cancel(pagerd, fill, (enum end_reason)request->reason);
}

/* Both actions take a fill off the parked list, so that the walk always starts anew. */
static uint64_t resolve_all(struct pagerd *pagerd,
                            const struct pagerd_resolve_fault_request *request)
{
    uint64_t count = 0;
    for (; pagerd->parked.first != 0; count++)
        resolve_one(pagerd, pagerd->parked.first, request);
    return count;
}

static uint32_t find_parked(const struct pagerd *pagerd, uint64_t fault_id)
{
    uint32_t fill = pagerd->parked.first;
    while (fill != 0 && pagerd->fills[fill].id != fault_id)
        fill = pagerd->fills[fill].parked.next;
    return fill;
}

static enum status handle_resolve(struct pagerd *pagerd, struct message *message)
{
    struct pagerd_resolve_fault_request request;
    struct pagerd_resolve_fault_reply reply = {.resumed_count = 1};
    enum status status = message_decode(&pagerd_resolve_fault_request_type, message, &request);
    if (status != STATUS_OK)
        return status;
    if (!resolve_allowed(&request))
        return STATUS_INVALID_ARGUMENT;
    uint32_t fill = find_parked(pagerd, request.fault_id);
    if (request.fault_id != 0 && fill == 0)
        return STATUS_NOT_FOUND;
    if (fill != 0)
        resolve_one(pagerd, fill, &request);
    else
        reply.resumed_count = resolve_all(pagerd, &request);
    pagerd_run_turns(pagerd);
    return message_encode(&pagerd_resolve_fault_reply_type, &reply, message);
}

static enum status handle_query(struct pagerd *pagerd, struct message *message)
{
    struct pagerd_query_faults_request request;
    enum status status = message_decode(&pagerd_query_faults_request_type, message, &request);
    if (status != STATUS_OK)
        return status;
    uint32_t entry = pagerd_find(pagerd, request.token);
    if (entry == 0)
        return STATUS_NOT_FOUND;
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    struct pagerd_query_faults_reply reply = {
        .last_fault_id = registration->last_fault_id,
        .fault_count = registration->fault_count,
        .resolved_count = registration->resolved_count,
        .parked_count = registration->fills.count - registration->queued_count,
        .page_count = registration->page_count,
    };
    return message_encode(&pagerd_query_faults_reply_type, &reply, message);
}

/* --- faults ---------------------------------------------------------------------------------- */

static bool slot_is_free(const struct pagerd *pagerd, uint32_t reply_slot)
{
    return reply_slot >= SLOT_REPLY_BASE && reply_slot - SLOT_REPLY_BASE < PAGERD_WAITER_LIMIT &&
           pagerd->waiters[reply_slot - SLOT_REPLY_BASE + 1].fill == 0;
}

/* Opening a fill that the page limit forbids would only make its faulter wait for its end. */
static struct pagerd_ruling judge(const struct pagerd *pagerd, uint32_t entry,
                                  const struct event_fault_request *fault)
{
    const struct pagerd_registration *registration = &pagerd->registrations[entry];
    struct pagerd_ruling ruling = pagerd_judge_fault(registration, fault);
    if (ruling.verdict != VERDICT_FILL)
        return ruling;
    uint64_t page = fault->va & ~(uint64_t)(PAGE_BYTES - 1);
    struct pagerd_supply supply = pagerd_plan_supply(&registration->areas[ruling.area], page);
    if (pagerd_over_limit(registration, supply.backing) &&
        pagerd_find_fill(pagerd, entry, page) == 0)
        return (struct pagerd_ruling){.verdict = VERDICT_END, .reason = END_FAULT_PAGE_LIMIT};
    return ruling;
}

static void count_answer(struct pagerd *pagerd, uint32_t entry, enum pagerd_verdict verdict)
{
    struct pagerd_registration *registration = &pagerd->registrations[entry];
    registration->last_fault_id = ++pagerd->last_fault_id; /* G6 */
    registration->fault_count++;
    registration->resolved_count += verdict == VERDICT_RESOLVED;
}

static enum status handle_fault(struct pagerd *pagerd, struct message *message, uint32_t reply_slot,
                                enum handled *handled)
{
    struct event_fault_request fault;
    struct pagerd_ruling ruling = {.verdict = VERDICT_END, .reason = END_FAULT_BACKING};
    enum status status = message_decode(&event_fault_request_type, message, &fault);
    if (status != STATUS_OK)
        return status;
    if (!slot_is_free(pagerd, reply_slot))
        return STATUS_INTERNAL; /* not what the kernel promises: keep who waits there */
    uint32_t entry = pagerd_find(pagerd, fault.token);
    if (entry != 0)
        ruling = judge(pagerd, entry, &fault);
    if (ruling.verdict == VERDICT_FILL) {
        pagerd_take_fault(pagerd, entry, ruling.area, fault.va & ~(uint64_t)(PAGE_BYTES - 1),
                          reply_slot, message->header.request_id);
        pagerd_run_turns(pagerd);
        *handled = HANDLED_LATER;
        return STATUS_OK;
    }
    if (entry != 0)
        count_answer(pagerd, entry, ruling.verdict);
    struct event_fault_reply reply = {
        .verdict = ruling.verdict == VERDICT_RESOLVED ? FAULT_RESOLVED : FAULT_END,
        .reason = ruling.reason,
    };
    return message_encode(&event_fault_reply_type, &reply, message);
}

/* --- the front ------------------------------------------------------------------------------- */

static enum status authorise(uint16_t id, uint64_t badge)
{
    const struct operation *operation = operation_find(SERVICE_PAGERD, id);
    if (operation == NULL && id == OP_EVENT_FAULT)
        operation = operation_find(SERVICE_EVENT, id);
    if (operation == NULL)
        return STATUS_INVALID_ARGUMENT;
    bool admin = (operation->allowed & FROM_ADMIN) != 0 && badge == 0;
    bool kernel = (operation->allowed & FROM_KERNEL) != 0 && badge == BADGE_KERNEL;
    return admin || kernel ? STATUS_OK : STATUS_DENIED;
}

static enum status dispatch(struct pagerd *pagerd, struct message *message,
                            const struct receive_info *info, enum handled *handled)
{
    enum status status = authorise(message->header.operation, info->badge);
    if (status != STATUS_OK)
        return status;
    switch (message->header.operation) {
    case OP_PAGERD_REGISTER_PROCESS:
        return handle_register(pagerd, message);
    case OP_PAGERD_UNREGISTER_PROCESS:
        return handle_unregister(pagerd, message);
    case OP_PAGERD_RESOLVE_FAULT:
        return handle_resolve(pagerd, message);
    case OP_PAGERD_QUERY_FAULTS:
        return handle_query(pagerd, message);
    case OP_EVENT_FAULT:
        return handle_fault(pagerd, message, info->reply_slot, handled);
    default:
        return STATUS_UNSUPPORTED;
    }
}

enum handled pagerd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct pagerd *pagerd = state;
    enum handled handled = HANDLED_REPLY;
    if (info->reply_slot == SLOT_NULL)
        return HANDLED_LATER; /* nothing that pagerd takes comes without a caller: ignored */
    see_clock(pagerd, info->now_ticks);
    enum status status = dispatch(pagerd, message, info, &handled);
    if (status != STATUS_OK)
        message_refuse(message, status);
    return handled;
}

void pagerd_tick(struct pagerd *pagerd, uint64_t now_ticks)
{
    see_clock(pagerd, now_ticks);
    while (pagerd->parked.first != 0 &&
           pagerd->fills[pagerd->parked.first].retry_ticks <= pagerd->now_ticks)
        pagerd_requeue(pagerd, pagerd->parked.first);
    pagerd_run_turns(pagerd);
}

uint64_t pagerd_next_deadline(const struct pagerd *pagerd)
{
    if (pagerd->ready.first != 0)
        return DEADLINE_POLL;
    if (pagerd->parked.first != 0)
        return pagerd->fills[pagerd->parked.first].retry_ticks;
    return DEADLINE_NEVER;
}

/* All reply slots are taken by faulters, which takes more processes than there can be: let each try
 * again, so that some are answered. */
static void make_room(struct pagerd *pagerd)
{
    while (pagerd->parked.first != 0)
        pagerd_requeue(pagerd, pagerd->parked.first);
    pagerd_run_turns(pagerd);
}

/* What is ready says so; in an integration image it has looked at itself as well. */
static enum status pagerd_prepare(void *state, const struct envelope *start)
{
    const struct pagerd *pagerd = state;
    if (start->validation_profile == VALIDATION_PROFILE_NONE)
        return STATUS_OK;
    return pagerd_check(pagerd) == NULL ? STATUS_OK : STATUS_INTERNAL;
}

void pagerd_run(struct pagerd *pagerd)
{
    struct envelope start;
    struct message message;
    struct receive_info info;
    memset(&message, 0, sizeof message);
    memset(&info, 0, sizeof info);
    enum status status =
        service_start(&pagerd->caller, ROLE_PAGERD, &start, pagerd_prepare, pagerd);
    while (status == STATUS_OK) {
        status = service_turn(&pagerd->caller, SLOT_SERVICE_ENDPOINT, pagerd_next_deadline(pagerd),
                              pagerd_handle, pagerd, &message, &info);
        if (status == STATUS_TIMED_OUT || status == STATUS_RETRY)
            status = STATUS_OK;
        if (status == STATUS_OK)
            pagerd_tick(pagerd, info.now_ticks);
        if (status == STATUS_EXHAUSTED) {
            make_room(pagerd);
            status = STATUS_OK;
        }
    }
    kernel_self_exit(&pagerd->caller, (uint32_t)status);
}
