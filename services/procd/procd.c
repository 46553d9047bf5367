/* SPDX-License-Identifier: ISC */
/* procd's front door: which operation, whose, on which endpoint. Decides who may ask; what happens
 * then is the business of create.c, lifecycle.c, restart.c and waiters.c. Nothing is changed before a request
 * has passed here. */
#include "services/procd/procd.h"

#include <stddef.h>

#include "abi/process.h"
#include "abi/roles.h"
#include "services/procd/internal.h"

/* Who the badge makes the sender. */
static uint32_t sender_mask(const struct procd *procd, uint64_t badge, uint32_t *owner)
{
    *owner = 0;
    if (badge == 0)
        return FROM_ADMIN;
    if (!procd_table_find_client(procd, badge, owner))
        return 0;
    uint32_t role = procd->processes[*owner - 1].role;
    if (role_inspects(role))
        return FROM_CLIENT | FROM_INSPECTOR;
    return role == ROLE_LOADERD ? FROM_CLIENT | FROM_LOADERD : FROM_CLIENT;
}

enum process_state procd_reported_state(const struct procd_process *process)
{
    if (process->life == PROCD_LIFE_STAGED)
        return PROCESS_STAGED;
    const struct procd_lives *lives = &process->lives;
    if (process->life == PROCD_LIFE_RESTING || lives->restarts || lives->is_asked)
        return PROCESS_RESTARTING;
    if (process->life == PROCD_LIFE_RUNNING)
        return PROCESS_RUNNING;
    return lives->is_parked ? PROCESS_PARKED : PROCESS_ENDED;
}

enum status procd_query_process(struct procd *procd, struct procd_request *request)
{
    uint32_t index;
    enum status status =
        procd_table_find(procd, &request->sender, request->body.query_process.process_id, &index);
    if (status != STATUS_OK)
        return status;
    const struct procd_process *process = &procd->processes[index];
    request->reply.query_process = (struct procd_query_process_reply){
        .role = process->role,
        .state = procd_reported_state(process),
        .reason = process->reason,
        .code = process->code,
        .life_count = process->lives.life_count,
    };
    procd_notice_asked(procd, request->sender.owner, index);
    return STATUS_OK;
}

#define SERVICE       procd
#define SERVICE_TABLE "abi/messages/procd.def"
#include "services/lib/unfold_rows.h"

/* The two doors see different processes (P7); both are part of what a row allows. */
static uint32_t sender(const void *service, void *in_hand)
{
    struct procd_request *request = in_hand;
    const struct receive_info *info = request->common.info;
    bool is_driver_endpoint = info->endpoint_slot == SLOT_PROCD_DRIVER_ENDPOINT;
    request->sender.is_driver_endpoint = is_driver_endpoint;
    uint32_t mask = sender_mask(service, info->badge, &request->sender.owner);
    return mask | (is_driver_endpoint ? FROM_DRIVER : FROM_BOOTSTRAP);
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

/* Events need no answer; the only one procd gets is the end of a process. */
static enum handled handle_event(struct procd *procd, const struct message *message)
{
    struct event_process_terminated_request event;
    if (message->header.operation == OP_EVENT_PROCESS_TERMINATED &&
        message_decode(&event_process_terminated_request_type, message, &event) == STATUS_OK)
        procd_terminated(procd, &event);
    return HANDLED_LATER;
}

static enum handled handle(struct procd *procd, struct message *message,
                           const struct receive_info *info)
{
    if (info->badge == BADGE_KERNEL)
        return handle_event(procd, message);
    struct procd_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &procd->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, procd, &request.common);
}

/* Whether procd has ended because one of the foundation is dead, or as good as dead (P8). */
static bool ended_critically(struct procd *procd)
{
    if (procd->peer_lost && !procd->exiting)
        procd_end_critical(procd);
    return procd->exiting;
}

/* Waits that are over are answered before the message is looked at, which their answers overwrite. */
static void due_first(struct procd *procd, struct message *message, uint64_t now_ticks)
{
    if (!procd_is_due(procd, now_ticks))
        return;
    struct message kept = *message;
    procd_due(procd, now_ticks);
    caller_flush(&procd->caller);
    *message = kept;
}

enum handled procd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct procd *procd = state;
    procd->now_ticks = procd->peer_ticks = info->now_ticks;
    procd_waiters_gone(procd, info->reply_slot);
    due_first(procd, message, info->now_ticks);
    enum handled handled = handle(procd, message, info);
    return ended_critically(procd) ? HANDLED_LATER : handled;
}

/* One call in a turn. Those for READY and notices are rare enough to go first. */
static void say_something(struct procd *procd, uint64_t now_ticks)
{
    if (!procd_restart_ask(procd, now_ticks) && !procd_notice_step(procd, now_ticks))
        procd_evidence_step(procd, now_ticks);
    (void)ended_critically(procd); /* who is not READY may be critical */
}

enum status procd_turn(struct procd *procd, uint64_t *now_ticks)
{
    struct receive_info info;
    procd->peer_called = false;
    enum status status =
        service_turn(&procd->caller, SLOT_SERVICE_ENDPOINT, procd_next_ticks(procd, *now_ticks),
                     procd_handle, procd, &info);
    if (status != STATUS_OK && status != STATUS_TIMED_OUT && status != STATUS_RETRY)
        return status;
    *now_ticks = procd->now_ticks = info.now_ticks;
    if (procd->exiting)
        return STATUS_OK;
    procd_due(procd, *now_ticks);
    procd_sweep(procd);
    if (ended_critically(procd))
        return STATUS_OK;
    /* The driver endpoint is only looked at: what is wrong with it is its senders' loss alone. */
    status = service_turn(&procd->caller, SLOT_PROCD_DRIVER_ENDPOINT, DEADLINE_POLL, procd_handle,
                          procd, &info);
    if (status == STATUS_RETRY && !procd->exiting) /* the clock that it told is that of now */
        say_something(procd, info.now_ticks);
    return STATUS_OK;
}

static enum status procd_prepare(void *state, const struct envelope *start)
{
    struct procd *procd = state;
    procd->memory_pages = start->memory_pages;
    procd->validation_profile = start->validation_profile;
    return STATUS_OK;
}

static const char *unsound(const void *state)
{
    return procd_check(state);
}

void procd_run(struct procd *procd)
{
    struct envelope start;
    uint64_t now_ticks = 0;
    enum status status =
        service_start(&procd->caller, ROLE_PROCD, &start, procd_prepare, unsound, procd);
    while (status == STATUS_OK && !procd->exiting)
        status = procd_turn(procd, &now_ticks);
    if (!procd->exiting)
        kernel_exit(&procd->caller, PROCD_EXIT_ENDPOINT);
}
