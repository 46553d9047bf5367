/* SPDX-License-Identifier: ISC */
/* procd's front door: which operation, whose, on which endpoint. Decides who may ask; what happens
 * then is the business of create.c, lifecycle.c and waiters.c. Nothing is changed before a request
 * has passed here. */
#include "services/procd/procd.h"

#include "abi/process.h"
#include "abi/roles.h"
#include "services/procd/internal.h"

/* A request that passed the door. */
struct turn {
    struct procd *state;
    struct procd_sender sender;
    const struct receive_info *info;
    struct message *message;
};

/* Any request of procd's. */
union body {
    struct procd_spawn_request spawn;
    struct procd_spawn_service_request spawn_service;
    struct procd_create_staged_process_request create_staged_process;
    struct procd_start_staged_process_request start_staged_process;
    struct procd_abort_staged_process_request abort_staged_process;
    struct procd_stop_process_request stop_process;
    struct procd_wait_process_event_request wait_process_event;
    struct procd_query_process_request query_process;
    struct procd_update_foundation_endpoints_request update_foundation_endpoints;
    struct procd_send_loader_image_chunk_request largest;
    uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
};

/* Who the badge makes the sender. */
static uint32_t sender_mask(uint64_t badge)
{
    if (badge == 0)
        return FROM_ADMIN;
    if (badge > ROLE_ID_MAX || role_find((uint32_t)badge) == NULL)
        return 0;
    return badge == ROLE_LOADERD ? FROM_CLIENT | FROM_LOADERD : FROM_CLIENT;
}

/* A row names senders and endpoints; both must fit. */
static bool is_allowed(const struct operation *row, uint64_t badge, bool is_driver_endpoint)
{
    uint32_t endpoint = is_driver_endpoint ? FROM_DRIVER : FROM_BOOTSTRAP;
    return (row->allowed & sender_mask(badge)) != 0 && (row->allowed & endpoint) != 0;
}

static enum handled answer_status(const struct turn *turn, const struct message_type *reply_type,
                                  enum status status)
{
    static const uint64_t nothing = 0;
    if (status == STATUS_OK)
        status = message_encode(reply_type, &nothing, turn->message);
    if (status != STATUS_OK)
        message_refuse(turn->message, status);
    return HANDLED_REPLY;
}

static enum process_state reported_state(const struct procd_process *process)
{
    if (process->life == PROCD_LIFE_STAGED)
        return PROCESS_STAGED;
    return process->life == PROCD_LIFE_RUNNING ? PROCESS_RUNNING : PROCESS_ENDED;
}

static enum handled handle_query(const struct turn *turn, uint64_t id)
{
    uint32_t index;
    enum status status = procd_table_find(turn->state, &turn->sender, id, &index);
    struct procd_query_process_reply reply = {0};
    if (status == STATUS_OK) {
        const struct procd_process *process = &turn->state->processes[index];
        reply.role = process->role;
        reply.state = reported_state(process);
        reply.reason = process->reason;
        reply.code = process->code;
        status = message_encode(&procd_query_process_reply_type, &reply, turn->message);
    }
    if (status != STATUS_OK)
        message_refuse(turn->message, status);
    return HANDLED_REPLY;
}

static enum handled handle_wait(const struct turn *turn,
                                const struct procd_wait_process_event_request *request)
{
    uint32_t index;
    enum status status = procd_table_find(turn->state, &turn->sender, request->process_id, &index);
    if (status == STATUS_OK && turn->state->processes[index].life == PROCD_LIFE_ENDED) {
        procd_waiters_encode(turn->state, index, turn->message);
        return HANDLED_REPLY;
    }
    if (status == STATUS_OK && request->deadline_ticks <= turn->info->now_ticks)
        status = STATUS_TIMED_OUT;
    if (status == STATUS_OK)
        status = procd_waiters_add(turn->state, &(struct procd_waiter){
                                                    .process_id = request->process_id,
                                                    .deadline_ticks = request->deadline_ticks,
                                                    .request_id = turn->message->header.request_id,
                                                    .badge = turn->sender.badge,
                                                    .reply_slot = turn->info->reply_slot,
                                                });
    if (status == STATUS_OK)
        return HANDLED_LATER;
    message_refuse(turn->message, status);
    return HANDLED_REPLY;
}

static enum handled handle_start(const struct turn *turn,
                                 const struct procd_start_staged_process_request *request)
{
    uint32_t index;
    enum status status = procd_table_find(turn->state, &turn->sender, request->process_id, &index);
    if (status == STATUS_OK)
        status = procd_start(turn->state, index, request->argument);
    return answer_status(turn, &procd_start_staged_process_reply_type, status);
}

static enum handled handle_abort(const struct turn *turn, uint64_t id)
{
    uint32_t index;
    enum status status = procd_table_find(turn->state, &turn->sender, id, &index);
    if (status == STATUS_OK)
        status = procd_abort(turn->state, index);
    return answer_status(turn, &procd_abort_staged_process_reply_type, status);
}

static enum handled handle_stop(const struct turn *turn,
                                const struct procd_stop_process_request *request)
{
    uint32_t index;
    enum status status = procd_table_find(turn->state, &turn->sender, request->process_id, &index);
    if (status == STATUS_OK)
        status = procd_stop(turn->state, index, request->code);
    return answer_status(turn, &procd_stop_process_reply_type, status);
}

static enum handled dispatch(const struct turn *turn, uint16_t operation, const union body *body)
{
    uint32_t reply_slot = turn->info->reply_slot;
    switch (operation) {
    case OP_PROCD_SPAWN:
        return procd_create_spawn(turn->state, &turn->sender, &body->spawn, turn->message,
                                  reply_slot);
    case OP_PROCD_SPAWN_SERVICE:
        return procd_create_spawn_service(turn->state, &turn->sender, &body->spawn_service,
                                          turn->message, reply_slot);
    case OP_PROCD_CREATE_STAGED_PROCESS:
        return procd_create_staged(turn->state, &turn->sender, &body->create_staged_process,
                                   turn->message, reply_slot);
    case OP_PROCD_START_STAGED_PROCESS:
        return handle_start(turn, &body->start_staged_process);
    case OP_PROCD_ABORT_STAGED_PROCESS:
        return handle_abort(turn, body->abort_staged_process.process_id);
    case OP_PROCD_STOP_PROCESS:
        return handle_stop(turn, &body->stop_process);
    case OP_PROCD_WAIT_PROCESS_EVENT:
        return handle_wait(turn, &body->wait_process_event);
    case OP_PROCD_QUERY_PROCESS:
        return handle_query(turn, body->query_process.process_id);
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
        return answer_status(
            turn, &procd_update_foundation_endpoints_reply_type,
            procd_bind_foundation(turn->state, &body->update_foundation_endpoints));
    default: /* rows that are DENIED or UNSUPPORTED never come here */
        message_refuse(turn->message, STATUS_INTERNAL);
        return HANDLED_REPLY;
    }
}

static enum handled handle_request(const struct turn *turn)
{
    struct message *message = turn->message;
    const struct operation *row = operation_find(SERVICE_PROCD, message->header.operation);
    union body body;
    enum status status = STATUS_OK;
    if (row == NULL)
        status = STATUS_INVALID_ARGUMENT;
    else if (row->state == OPERATION_DENIED)
        status = STATUS_DENIED; /* P7: before anything else is looked at */
    else
        status = message_decode(row->request, message, &body);
    if (status == STATUS_OK &&
        !is_allowed(row, turn->sender.badge, turn->sender.is_driver_endpoint))
        status = STATUS_DENIED;
    if (status == STATUS_OK && row->state == OPERATION_UNSUPPORTED)
        status = STATUS_UNSUPPORTED;
    if (status == STATUS_OK)
        return dispatch(turn, row->id, &body);
    message_refuse(message, status);
    return HANDLED_REPLY;
}

/* Events need no answer; the only one procd gets is the end of a process. */
static enum handled handle_event(struct procd *state, const struct message *message)
{
    struct event_process_terminated_request event;
    if (message->header.operation == OP_EVENT_PROCESS_TERMINATED &&
        message_decode(&event_process_terminated_request_type, message, &event) == STATUS_OK)
        procd_terminated(state, &event);
    return HANDLED_LATER;
}

enum handled procd_handle(void *opaque, struct message *message, const struct receive_info *info)
{
    struct procd *state = opaque;
    procd_due(state, info->now_ticks);
    if (info->badge == BADGE_KERNEL)
        return handle_event(state, message);
    if (info->reply_slot == SLOT_NULL)
        return HANDLED_LATER; /* no call is without one; what nobody waits for is not done */
    struct turn turn = {
        .state = state,
        .sender = {.badge = info->badge,
                   .is_driver_endpoint = info->endpoint_slot == SLOT_PROCD_DRIVER_ENDPOINT},
        .info = info,
        .message = message,
    };
    return handle_request(&turn);
}

enum status procd_turn(struct procd *state, struct message *message, uint64_t *now_ticks)
{
    struct receive_info info;
    enum status status =
        service_turn(&state->caller, SLOT_SERVICE_ENDPOINT, procd_next_ticks(state, *now_ticks),
                     procd_handle, state, message, &info);
    if (status != STATUS_OK && status != STATUS_TIMED_OUT && status != STATUS_RETRY)
        return status;
    *now_ticks = info.now_ticks;
    procd_due(state, *now_ticks);
    if (state->exiting)
        return STATUS_OK;
    /* The driver endpoint is only looked at: what is wrong with it is its senders' loss alone. */
    (void)service_turn(&state->caller, SLOT_PROCD_DRIVER_ENDPOINT, DEADLINE_POLL, procd_handle,
                       state, message, &info);
    return STATUS_OK;
}

/* What is ready says so; in an integration image it has looked at itself as well. */
static enum status procd_prepare(void *state, const struct envelope *start)
{
    const struct procd *procd = state;
    if (start->validation_profile == VALIDATION_PROFILE_NONE)
        return STATUS_OK;
    return procd_check(procd) == NULL ? STATUS_OK : STATUS_INTERNAL;
}

void procd_run(struct procd *state)
{
    struct envelope start;
    struct message message;
    uint64_t now_ticks = 0;
    enum status status = service_start(&state->caller, ROLE_PROCD, &start, procd_prepare, state);
    while (status == STATUS_OK && !state->exiting)
        status = procd_turn(state, &message, &now_ticks);
    if (!state->exiting)
        kernel_self_exit(&state->caller, PROCD_EXIT_ENDPOINT);
}
