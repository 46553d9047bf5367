/* SPDX-License-Identifier: ISC */
/* procd's front door: which operation, whose, on which endpoint. Decides who may ask; what happens
 * then is the business of create.c, lifecycle.c and waiters.c. Nothing is changed before a request
 * has passed here. */
#include "services/procd/procd.h"

#include <stddef.h>

#include "abi/process.h"
#include "abi/roles.h"
#include "services/procd/internal.h"

/* Who the badge makes the sender. */
static uint32_t sender_mask(uint64_t badge)
{
    if (badge == 0)
        return FROM_ADMIN;
    if (badge > ROLE_ID_MAX || role_find((uint32_t)badge) == NULL)
        return 0;
    return badge == ROLE_LOADERD ? FROM_CLIENT | FROM_LOADERD : FROM_CLIENT;
}

static enum process_state reported_state(const struct procd_process *process)
{
    if (process->life == PROCD_LIFE_STAGED)
        return PROCESS_STAGED;
    return process->life == PROCD_LIFE_RUNNING ? PROCESS_RUNNING : PROCESS_ENDED;
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
        .state = reported_state(process),
        .reason = process->reason,
        .code = process->code,
    };
    return STATUS_OK;
}

#define SERVICE       procd
#define SERVICE_TABLE "abi/messages/procd.def"
#include "services/lib/unfold_rows.h"

/* The two doors see different processes (P7); both are part of what a row allows. */
static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    struct procd_request *request = in_hand;
    const struct receive_info *info = request->common.info;
    bool is_driver_endpoint = info->endpoint_slot == SLOT_PROCD_DRIVER_ENDPOINT;
    request->sender = (struct procd_sender){info->badge, is_driver_endpoint};
    return sender_mask(info->badge) | (is_driver_endpoint ? FROM_DRIVER : FROM_BOOTSTRAP);
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

enum handled procd_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct procd *procd = state;
    procd_due(procd, info->now_ticks);
    if (info->badge == BADGE_KERNEL)
        return handle_event(procd, message);
    struct procd_request request; /* body and reply are large: the dispatch clears what is used */
    request.common = (struct service_request){
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, procd, &request.common);
}

enum status procd_turn(struct procd *procd, struct message *message, uint64_t *now_ticks)
{
    struct receive_info info;
    enum status status =
        service_turn(&procd->caller, SLOT_SERVICE_ENDPOINT, procd_next_ticks(procd, *now_ticks),
                     procd_handle, procd, message, &info);
    if (status != STATUS_OK && status != STATUS_TIMED_OUT && status != STATUS_RETRY)
        return status;
    *now_ticks = info.now_ticks;
    procd_due(procd, *now_ticks);
    if (procd->exiting)
        return STATUS_OK;
    /* The driver endpoint is only looked at: what is wrong with it is its senders' loss alone. */
    (void)service_turn(&procd->caller, SLOT_PROCD_DRIVER_ENDPOINT, DEADLINE_POLL, procd_handle,
                       procd, message, &info);
    return STATUS_OK;
}

/* What is ready says so; in an integration image it has looked at itself as well. */
static enum status procd_prepare(void *state, const struct envelope *start)
{
    struct procd *procd = state;
    procd->memory_pages = start->memory_pages;
    if (start->validation_profile == VALIDATION_PROFILE_NONE)
        return STATUS_OK;
    return procd_check(procd) == NULL ? STATUS_OK : STATUS_INTERNAL;
}

void procd_run(struct procd *procd)
{
    struct envelope start;
    struct message message;
    uint64_t now_ticks = 0;
    enum status status = service_start(&procd->caller, ROLE_PROCD, &start, procd_prepare, procd);
    while (status == STATUS_OK && !procd->exiting)
        status = procd_turn(procd, &message, &now_ticks);
    if (!procd->exiting)
        kernel_exit(&procd->caller, PROCD_EXIT_ENDPOINT);
}
