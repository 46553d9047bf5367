/* SPDX-License-Identifier: ISC */
/* The call: finds what it goes to, transfers what it carries, fails it when that is planned, has it
 * answered by kernel control or by a peer, and delivers what comes back. */
#include "props/stand_ins/stand_in_kernel.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/messages/memd.h"
#include "abi/messages/pagerd.h"
#include "abi/messages/vspaced.h"
#include "abi/roles.h"
#include "props/base/property.h"
#include "props/base/rates.h"
#include "props/stand_ins/stand_in_books.h"

enum { FAILURE_LIMIT = 2 };

static const struct stand_in_peers *peers;
static struct {
    struct stand_in_failure failures[FAILURE_LIMIT];
    uint32_t count;
    bool paused;
} plan;
static struct {
    uint64_t call_count;
    uint64_t write_and_execute;
    struct stand_in_failures failures;
} since_message;

static uint64_t called_total; /* since the program began */

void stand_in_begin(const struct stand_in_peers *new_peers)
{
    peers = new_peers;
    memset(&plan, 0, sizeof plan);
    memset(&since_message, 0, sizeof since_message);
    stand_in_slots_begin();
    stand_in_objects_begin();
    stand_in_mappings_begin();
    stand_in_processes_begin();
    stand_in_lines_begin();
    stand_in_control_begin(peers);
    stand_in_replies_begin(peers);
}

/* --- failures --------------------------------------------------------------------------------- */

void stand_in_fail(struct stand_in_failure failure)
{
    if (plan.count < FAILURE_LIMIT)
        plan.failures[plan.count++] = failure;
}

void stand_in_fail_never(void)
{
    plan.count = 0;
}

void stand_in_fail_pause(bool paused)
{
    plan.paused = paused;
}

void stand_in_failures_begin(void)
{
    memset(&since_message, 0, sizeof since_message);
}

void stand_in_message_answered(void)
{
    for (uint32_t i = plan.count; i-- > 0;)
        if (plan.failures[i].until_reply)
            plan.failures[i] = plan.failures[--plan.count];
}

struct stand_in_failures stand_in_failures(void)
{
    return since_message.failures;
}

/* Of messages delivered the book of replies keeps count. */
struct rates_counts rates_counts(void)
{
    return (struct rates_counts){.given = stand_in_delivered_total(), .called = called_total};
}

uint64_t stand_in_call_count(void)
{
    return since_message.call_count;
}

uint64_t stand_in_write_and_execute_count(void)
{
    return since_message.write_and_execute;
}

/* The failure that this call meets; null: none. Each of the plan counts it. */
static const struct stand_in_failure *failure_due(const struct stand_in_call *call)
{
    const struct stand_in_failure *due = NULL;
    if (plan.count == 0 || plan.paused || (peers->may_fail != NULL && !peers->may_fail(call)))
        return NULL;
    for (uint32_t i = 0; i < plan.count; i++) {
        struct stand_in_failure *failure = &plan.failures[i];
        if (failure->after_calls != 0) {
            failure->after_calls--;
        } else if (failure->times != 0) {
            failure->times--;
            due = due == NULL ? failure : due;
        }
    }
    return due;
}

static void failure_record(const struct stand_in_call *call, enum status status)
{
    struct stand_in_failures *failures = &since_message.failures;
    if (failures->count++ == 0) {
        failures->status = status;
        failures->calls_before = since_message.call_count - 1;
    }
    if (call->operation != NULL && call->operation->id == OP_KERNEL_DESTROY)
        failures->kept_slot = ((const struct kernel_destroy_request *)call->request)->slot;
}

/* --- one call --------------------------------------------------------------------------------- */

/* The protocol behind an endpoint, by its object. */
static const struct operation *peer_row(const struct stand_in_cap *endpoint, uint16_t id)
{
    switch (endpoint->object) {
    case ROLE_MEMD:
        return operation_find(SERVICE_MEMD, id);
    case ROLE_VSPACED:
        return operation_find(SERVICE_VSPACED, id);
    case ROLE_PAGERD:
        return operation_find(SERVICE_PAGERD, id);
    case ROLE_LOGD:
        return operation_find(SERVICE_LOGD, id);
    case ROLE_CRASHD:
        return operation_find(SERVICE_CRASHD, id);
    default:
        return NULL;
    }
}

/* Whether the capability takes the operation; finds its row. */
static enum status route(struct stand_in_call *call)
{
    const struct stand_in_cap *through = &call->through;
    uint16_t id = call->message->header.operation;
    if (through->object_type == OBJECT_ENDPOINT) {
        call->operation = peer_row(through, id);
        return (through->rights & RIGHT_SEND) != 0 ? STATUS_OK : STATUS_DENIED;
    }
    call->operation = operation_find(SERVICE_KERNEL, id);
    bool allowed = call->operation != NULL && (through->rights & RIGHT_CONTROL) != 0 &&
                   (call->operation->allowed & (1u << through->object_type)) != 0;
    return allowed ? STATUS_OK : STATUS_DENIED;
}

/* What the receiver sees of the capabilities: types and rights of what the service really holds,
 * never more (K1). */
static enum status transfer(struct stand_in_call *call)
{
    struct message *message = call->message;
    if (message->header.cap_count > MESSAGE_CAP_LIMIT)
        return STATUS_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        struct message_cap *descriptor = &message->caps[i];
        enum status status = stand_in_give(message, descriptor, &call->sent[i]);
        PROPERTY(K1, "transfer",
                 !peers->strict || (descriptor->mode == TRANSFER_COPY && descriptor->flags == 0));
        if (status != STATUS_OK)
            return status;
        descriptor->object_type = (uint8_t)call->sent[i].object_type;
        descriptor->rights = (uint16_t)call->sent[i].rights;
    }
    message->header.badge = call->through.badge;
    return STATUS_OK;
}

static enum status perform(struct stand_in_call *call)
{
    bool control = call->through.object_type != OBJECT_ENDPOINT;
    if (!stand_in_slots_empty(call->window_slot, call->window_count))
        return STATUS_BUSY;
    PROPERTY(E5, "rank", control || peers->answer != NULL);
    enum status status = control ? stand_in_control(call) : peers->answer(call);
    PROPERTY(E10, "kernel-control",
             !peers->strict || !control ||
                 (status != STATUS_DENIED && status != STATUS_INVALID_ARGUMENT &&
                  status != STATUS_UNSUPPORTED));
    since_message.write_and_execute += status == STATUS_WRITE_AND_EXECUTE;
    return status;
}

/* Gives something back, or asks whether something is there: NOT_FOUND of these is believed. */
static bool believes_not_found(const struct operation *row)
{
    if (row == NULL)
        return false;
    if (row->service == SERVICE_KERNEL)
        return row->id == OP_KERNEL_DROP_LOCAL_CAP || row->id == OP_KERNEL_KILL_PROCESS ||
               row->id == OP_KERNEL_RETIRE_PROCESS || row->id == OP_KERNEL_ABORT_STAGED_PROCESS;
    return (row->service == SERVICE_MEMD && row->id == OP_MEMD_CLOSE_ACCOUNT) ||
           (row->service == SERVICE_VSPACED && row->id == OP_VSPACED_QUERY_REGION) ||
           (row->service == SERVICE_PAGERD && row->id == OP_PAGERD_UNREGISTER_PROCESS);
}

/* Time passes while a peer works: `ticks`, or until the caller's deadline. False: that came first.
 * Who waits for ever is not kept waiting. */
static bool pass_time(const struct stand_in_call *call, uint64_t ticks)
{
    uint64_t now = stand_in_now();
    if (!peers->timed || call->deadline_ticks == DEADLINE_NEVER)
        return true;
    bool in_time = ticks < call->deadline_ticks - now;
    stand_in_clock_set(in_time ? now + ticks : call->deadline_ticks);
    return in_time;
}

/* Fails the call. One that fails never says what would be believed, that nothing is there; a
 * TIMED_OUT that the peer did not say itself has taken all the time that there was. */
static enum status fail(struct stand_in_call *call, const struct stand_in_failure *failure)
{
    bool control = call->through.object_type != OBJECT_ENDPOINT;
    enum status status = failure->status;
    call->failed = true;
    call->said = failure->said && !control;
    call->unheard = failure->unheard && !control;
    if (!control && !call->said && status == STATUS_TIMED_OUT)
        (void)pass_time(call, DEADLINE_NEVER);
    if (believes_not_found(call->operation) && status == STATUS_NOT_FOUND)
        status = STATUS_INTERNAL;
    return status;
}

/* A peer does what was asked; its answer comes late, or too late. */
static enum status perform_slowly(struct stand_in_call *call,
                                  const struct stand_in_failure *failure)
{
    enum status status = perform(call);
    bool in_time = pass_time(call, failure->late ? DEADLINE_NEVER : failure->ticks);
    call->lost = status == STATUS_OK && (failure->late || !in_time);
    call->failed = status != STATUS_OK && !in_time;
    return call->lost || call->failed ? STATUS_TIMED_OUT : status;
}

/* Performs the call, as planned or as it comes. The kernel does not send one whose deadline has
 * passed. */
static enum status carry_out(struct stand_in_call *call)
{
    const struct stand_in_failure *failure = failure_due(call);
    bool control = call->through.object_type != OBJECT_ENDPOINT;
    enum status status = STATUS_OK;
    if (!control && peers->timed && call->deadline_ticks <= stand_in_now()) {
        status = call->deadline_ticks == DEADLINE_POLL ? STATUS_RETRY : STATUS_TIMED_OUT;
        call->failed = true;
    } else if (failure == NULL || (control && failure->ticks != 0)) {
        return perform(call);
    } else if (!control && (failure->late || failure->ticks != 0)) {
        status = perform_slowly(call, failure);
    } else {
        status = fail(call, failure);
    }
    if (call->failed || call->lost || (failure != NULL && failure->late))
        failure_record(call, status);
    return status;
}

/* The reply with its capabilities, or the refusal. What was lost is gone. */
static enum status deliver_back(struct stand_in_call *call, enum status status)
{
    struct message *message = call->message;
    bool silent = !call->said && (status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED);
    if (call->unheard || silent)
        return status;
    if (status == STATUS_OK && call->operation != NULL)
        HARNESS(message_encode(call->operation->reply, call->reply, message) == STATUS_OK);
    if (status != STATUS_OK)
        message_refuse(message, status);
    PROPERTY(E10, "window", message->header.cap_count <= call->window_count);
    stand_in_window_fill(message, call->caps, call->window_slot);
    return STATUS_OK;
}

enum status stand_in_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    static union {
        uint64_t alignment;
        uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
    } request, reply;
    static struct stand_in_call call; /* capabilities that a call does not have are not looked at */
    call.through = stand_in_at(slot);
    call.operation = NULL;
    call.message = message;
    call.request = request.bytes;
    call.reply = reply.bytes;
    call.window_slot = message->header.window_slot;
    call.window_count = message->header.window_count;
    call.deadline_ticks = deadline_ticks;
    call.failed = call.lost = call.unheard = call.said = false;
    since_message.call_count++;
    called_total++;
    PROPERTY(E10, "version", message->header.version == MESSAGE_VERSION);
    PROPERTY(E5, "exit", !peers->strict || !stand_in_exited(NULL));
    if (!stand_in_cap_live(&call.through))
        return STATUS_NOT_FOUND;
    enum status status = route(&call);
    if (status == STATUS_OK)
        status = transfer(&call);
    if (status == STATUS_OK && call.operation != NULL) {
        status = message_decode(call.operation->request, message, request.bytes);
        memset(reply.bytes, 0, call.operation->reply->max_bytes);
    }
    PROPERTY(E10, "request", !peers->strict || status == STATUS_OK);
    if (status == STATUS_OK) {
        if (peers->asked != NULL)
            peers->asked(&call);
        status = carry_out(&call);
        if (peers->answered != NULL)
            peers->answered(&call, status);
    }
    return deliver_back(&call, status);
}
