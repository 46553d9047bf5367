/* SPDX-License-Identifier: ISC */
/* sys_call, sys_recv and sys_reply of procd's life harness: transfers by the rules, the message
 * that the step delivers, the failures that it asked for. */
#include "props/stand_ins/peers_of_procd_accounts.h"

#include <string.h>

#include "abi/codec.h"
#include "props/base/property.h"

/* --- the three functions -----------------------------------------------------------------------
 */

union any_request {
    struct kernel_create_staged_process_request create;
    struct kernel_start_process_request start;
    struct kernel_abort_staged_process_request abort;
    struct kernel_kill_process_request kill;
    struct kernel_retire_process_request retire;
    struct kernel_register_pager_request pager;
    struct kernel_map_frame_request map;
    struct kernel_retype_request retype;
    struct kernel_frame_read_request read;
    struct kernel_frame_copy_request copy;
    struct kernel_drop_local_cap_request drop;
    struct kernel_query_local_cap_request query;
    struct kernel_move_local_cap_request move;
    struct kernel_exit_request exit;
    struct memd_open_account_request open;
    struct memd_close_account_request close;
    struct memd_alloc_untyped_request alloc;
    struct pagerd_register_process_request enter;
    struct pagerd_unregister_process_request leave;
    uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
};

union any_reply {
    struct kernel_create_staged_process_reply create;
    struct kernel_query_local_cap_reply query;
    struct kernel_retire_process_reply retire;
    struct kernel_frame_read_reply read;
    struct memd_open_account_reply open;
    struct memd_close_account_reply close;
    struct memd_alloc_untyped_reply alloc;
    uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
};

static enum status kernel_move(const struct kernel_move_local_cap_request *request)
{
    if (standin_cap_empty(request->source_slot))
        return STATUS_NOT_FOUND;
    if (!standin_cap_empty(request->target_slot))
        return STATUS_BUSY;
    standin_cap_put(request->target_slot, standin_cap_take(request->source_slot));
    return STATUS_OK;
}

/* procd looks at reply capabilities only. */
static enum status kernel_query(uint32_t slot, struct kernel_query_local_cap_reply *reply)
{
    uint32_t place = slot - SLOT_REPLY_BASE;
    PROPERTY(E10, "query", place < SLOT_REPLY_COUNT && standin.reply_open[place]);
    *reply = (struct kernel_query_local_cap_reply){
        .slot = slot,
        .object_type = OBJECT_REPLY,
        .rights = standin.reply_dead[place] ? 0 : RIGHT_SEND,
    };
    return STATUS_OK;
}

static enum status kernel_self(uint16_t operation, const union any_request *request,
                               union any_reply *reply)
{
    switch (operation) {
    case OP_KERNEL_DROP_LOCAL_CAP:
        return standin_cap_drop(request->drop.slot);
    case OP_KERNEL_QUERY_LOCAL_CAP:
        return kernel_query(request->query.slot, &reply->query);
    case OP_KERNEL_MOVE_LOCAL_CAP:
        return kernel_move(&request->move);
    case OP_KERNEL_EXIT:
        standin.exited = true;
        standin.exit_code = request->exit.code;
        return STATUS_OK;
    default:
        PROPERTY(E10, "self", false);
        return STATUS_DENIED;
    }
}

static enum status kernel_process(const struct message_header *header,
                                  const union any_request *request, union any_reply *reply)
{
    switch (header->operation) {
    case OP_KERNEL_CREATE_STAGED_PROCESS:
        return books_create(&request->create, header, &reply->create);
    case OP_KERNEL_START_PROCESS:
        return books_start(&request->start);
    case OP_KERNEL_ABORT_STAGED_PROCESS:
        return books_abort(request->abort.process_slot);
    case OP_KERNEL_KILL_PROCESS:
        return books_kill(&request->kill);
    case OP_KERNEL_RETIRE_PROCESS:
        return books_retire(request->retire.process_slot, &reply->retire);
    case OP_KERNEL_REGISTER_PAGER:
        return books_pager(&request->pager);
    case OP_KERNEL_MAP_FRAME:
        return books_map_pages(&request->map);
    case OP_KERNEL_RETYPE:
        return books_make_frame(&request->retype);
    case OP_KERNEL_FRAME_COPY:
        return books_copy(&request->copy);
    case OP_KERNEL_FRAME_READ:
        PROPERTY(E10, "read", standin_cap_find(request->read.frame_slot, OBJECT_IMAGE, RIGHT_READ));
        reply->read.count = request->read.count;
        return standin_image_read(request->read.offset_bytes, request->read.count,
                                  reply->read.bytes);
    default:
        PROPERTY(E10, "process", false);
        return STATUS_DENIED;
    }
}

static enum status peer(const struct standin_cap *cap, const struct message_header *header,
                        const union any_request *request, union any_reply *reply)
{
    bool memd = cap->object == PEER_MEMD;
    if (memd && cap->badge == 0 && header->operation == OP_MEMD_OPEN_ACCOUNT)
        return books_open(&request->open, header, &reply->open);
    if (memd && cap->badge == 0 && header->operation == OP_MEMD_CLOSE_ACCOUNT)
        return books_close(&request->close, &reply->close);
    if (memd && cap->badge != 0 && header->operation == OP_MEMD_ALLOC_UNTYPED)
        return books_alloc(cap->badge, &request->alloc, header, &reply->alloc);
    if (cap->object == PEER_PAGERD && header->operation == OP_PAGERD_REGISTER_PROCESS)
        return books_take(&request->enter);
    if (cap->object == PEER_PAGERD && header->operation == OP_PAGERD_UNREGISTER_PROCESS)
        return books_leave(request->leave.token);
    PROPERTY(E5, "rank", false);
    return STATUS_DENIED;
}

/* Fills in what delivery does to descriptors; the sender must hold what it names. */
static void deliver_caps(struct message *message)
{
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        struct message_cap *cap = &message->caps[i];
        uint32_t slot;
        memcpy(&slot, message->body + cap->field_offset, sizeof slot);
        PROPERTY(K1, "transfer", slot < STANDIN_SLOTS);
        const struct standin_cap *held = &standin.caps[slot];
        PROPERTY(K1, "transfer", (held->rights & RIGHT_TRANSFER) != 0);
        PROPERTY(K1, "transfer", cap->mode == TRANSFER_COPY && cap->flags == 0);
        cap->rights &= held->rights;
        cap->object_type = held->type;
    }
}

/* What cannot fail by its contract: releases, and looking. */
static bool is_release(uint16_t operation)
{
    return operation == OP_KERNEL_DROP_LOCAL_CAP || operation == OP_KERNEL_QUERY_LOCAL_CAP ||
           operation == OP_KERNEL_RETIRE_PROCESS || operation == OP_KERNEL_EXIT ||
           operation == OP_MEMD_CLOSE_ACCOUNT || operation == OP_PAGERD_UNREGISTER_PROCESS ||
           (operation == OP_KERNEL_ABORT_STAGED_PROCESS && !standin.abort_can_fail);
}

static bool fails_now(uint16_t operation)
{
    if (standin.fail_countdown == 0 || is_release(operation) || --standin.fail_countdown != 0)
        return false;
    standin.failed = true;
    return true;
}

static enum status carry_out(const struct standin_cap *cap, const struct message *message,
                             union any_reply *reply, const struct message_type **reply_type)
{
    static const enum service_id services[] = {SERVICE_KERNEL, SERVICE_MEMD, SERVICE_PAGERD};
    const struct message_header *header = &message->header;
    const struct operation *row = NULL;
    for (unsigned i = 0; i < 3 && row == NULL; i++)
        row = operation_find(services[i], header->operation);
    PROPERTY(E10, "operation", row != NULL);
    union any_request request;
    PROPERTY(E10, "decodes", message_decode(row->request, message, &request) == STATUS_OK);
    *reply_type = row->reply;
    if (cap->type == OBJECT_KERNEL_SELF)
        return kernel_self(header->operation, &request, reply);
    if (cap->type == OBJECT_KERNEL_PROCESS)
        return kernel_process(header, &request, reply);
    PROPERTY(E5, "rank", cap->type == OBJECT_ENDPOINT && (cap->rights & RIGHT_SEND) != 0);
    return peer(cap, header, &request, reply);
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    PROPERTY(E5, "deadline", deadline_ticks == DEADLINE_NEVER);
    PROPERTY(E10, "version", message->header.version == MESSAGE_VERSION);
    if (slot >= STANDIN_SLOTS || standin_cap_empty(slot))
        return STATUS_NOT_FOUND;
    PROPERTY(E5, "exit", !standin.exited);
    if (fails_now(message->header.operation)) {
        if (standin.fail_status == STATUS_PEER_DIED || standin.fail_status == STATUS_NOT_FOUND)
            return standin.fail_status;
        message_refuse(message, standin.fail_status);
        return STATUS_OK;
    }
    deliver_caps(message);
    union any_reply reply;
    memset(&reply, 0, sizeof reply);
    const struct message_type *type = NULL;
    enum status status = carry_out(&standin.caps[slot], message, &reply, &type);
    if (status == STATUS_OK) {
        HARNESS(message_encode(type, &reply, message) == STATUS_OK);
        for (unsigned i = 0; i < message->header.cap_count; i++) {
            uint32_t given;
            memcpy(&given, message->body + message->caps[i].field_offset, sizeof given);
            message->caps[i].object_type = standin.caps[given].type;
            message->caps[i].rights = standin.caps[given].rights;
        }
    } else {
        message_refuse(message, status);
    }
    return STATUS_OK;
}

/* --- receive and reply --------------------------------------------------------------------------
 */

void standin_send(const struct message *message, uint32_t endpoint_slot)
{
    standin.inbox = *message;
    standin.inbox_slot = endpoint_slot;
    standin.has_inbox = true;
}

void standin_send_event(uint64_t token)
{
    struct standin_process *process = (struct standin_process *)(uintptr_t)standin_find(token);
    HARNESS(process != NULL && process->event_pending);
    struct event_process_terminated_request event = {
        .token = token,
        .reason = process->reason,
        .code = process->code,
        .fault_va = process->fault_va,
    };
    struct message message;
    memset(&message, 0, sizeof message);
    HARNESS(message_encode(&event_process_terminated_request_type, &event, &message) == STATUS_OK);
    message.header.badge = BADGE_KERNEL;
    process->event_pending = false;
    standin_send(&message, SLOT_SERVICE_ENDPOINT);
}

static uint32_t reply_slot_new(void)
{
    uint32_t i = 0;
    while (standin.reply_open[i])
        HARNESS(++i < SLOT_REPLY_COUNT);
    standin.reply_open[i] = true;
    standin.reply_open_count++;
    return SLOT_REPLY_BASE + i;
}

/* Puts what the descriptors say into the window and writes the slots into the body. */
static void fill_window(struct message *message, uint32_t window_slot)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        struct message_cap *cap = &message->caps[i];
        uint32_t slot = window_slot + i;
        if (cap->object_type == OBJECT_NONE)
            cap->object_type = OBJECT_ENDPOINT;
        static const uint32_t peers[] = {PEER_MEMD, PEER_VSPACED, PEER_PAGERD};
        bool endpoint = cap->object_type == OBJECT_ENDPOINT;
        uint32_t field = cap->field_offset / 4u;
        standin_cap_put(slot, (struct standin_cap){
                                  .type = cap->object_type,
                                  .rights = cap->rights,
                                  .object = endpoint && field < 3 ? peers[field] : 0,
                              });
        memcpy(message->body + cap->field_offset, &slot, sizeof slot);
    }
}

static void deliver(uint32_t slot, struct message *message, struct receive_info *info)
{
    uint32_t window_slot = message->header.window_slot;
    PROPERTY(E10, "window", message->header.window_count >= standin.inbox.header.cap_count);
    *message = standin.inbox;
    standin.has_inbox = false;
    bool event = message->header.badge == BADGE_KERNEL;
    standin.current_reply_slot = event ? 0 : reply_slot_new();
    standin.current_request_id = message->header.request_id;
    if (!event)
        standin.reply_request[standin.current_reply_slot - SLOT_REPLY_BASE] =
            message->header.request_id;
    fill_window(message, window_slot);
    standin.delivered = *message;
    *info = (struct receive_info){
        .badge = message->header.badge,
        .now_ticks = standin.now_ticks,
        .endpoint_slot = slot,
        .reply_slot = standin.current_reply_slot,
        .cap_count = message->header.cap_count,
        .window_slot = window_slot,
    };
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    PROPERTY(E10, "recv", standin_cap_find(slot, OBJECT_ENDPOINT, RIGHT_RECEIVE) != NULL);
    if (slot == SLOT_SERVICE_ENDPOINT)
        standin.recv_deadline = deadline_ticks;
    else
        PROPERTY(P7, "poll", slot == SLOT_PROCD_DRIVER_ENDPOINT && deadline_ticks == DEADLINE_POLL);
    if (standin.has_inbox && standin.inbox_slot == slot) {
        deliver(slot, message, info);
        return STATUS_OK;
    }
    if (slot == SLOT_SERVICE_ENDPOINT && deadline_ticks != DEADLINE_NEVER &&
        deadline_ticks > standin.now_ticks)
        standin.now_ticks = deadline_ticks;
    *info = (struct receive_info){.now_ticks = standin.now_ticks, .endpoint_slot = slot};
    return deadline_ticks == DEADLINE_POLL ? STATUS_RETRY : STATUS_TIMED_OUT;
}

void standin_give_up(uint64_t request_id)
{
    for (uint32_t i = 0; i < SLOT_REPLY_COUNT; i++) {
        if (standin.reply_open[i] && standin.reply_request[i] == request_id)
            standin.reply_dead[i] = true;
    }
}

static void close_reply(uint32_t place)
{
    standin.reply_open[place] = false;
    standin.reply_dead[place] = false;
    standin.reply_open_count--;
}

/* The kernel refuses for room only what carries something. */
static bool reply_fails_now(uint32_t slot, const struct message *message)
{
    if (!standin.reply_fails || slot != standin.current_reply_slot)
        return false;
    if (standin.reply_fail_status != STATUS_NOT_FOUND && message->header.cap_count == 0)
        return false;
    standin.reply_fails = false;
    standin.reply_failed = true;
    return true;
}

static void record_cap(const struct message *message, unsigned i, struct standin_reply *reply)
{
    const struct message_cap *cap = &message->caps[i];
    uint32_t slot;
    memcpy(&slot, message->body + cap->field_offset, sizeof slot);
    PROPERTY(K1, "transfer", slot < STANDIN_SLOTS && !standin_cap_empty(slot));
    struct standin_cap held = standin.caps[slot];
    PROPERTY(K1, "transfer", (held.rights & RIGHT_TRANSFER) != 0 && cap->flags == 0);
    reply->types[i] = held.type;
    reply->rights[i] = held.rights & cap->rights;
    if (cap->mode == TRANSFER_MOVE)
        (void)standin_cap_take(slot);
    else
        PROPERTY(K1, "grant", held.type != OBJECT_GRANT);
    /* the slot's number is procd's own affair */
    memset(reply->body + cap->field_offset, 0, sizeof slot);
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    uint32_t place = reply_slot - SLOT_REPLY_BASE;
    PROPERTY(E5, "once", place < SLOT_REPLY_COUNT && standin.reply_open[place]);
    if (reply_fails_now(reply_slot, message)) {
        if (standin.reply_fail_status == STATUS_NOT_FOUND)
            close_reply(place);
        return standin.reply_fail_status;
    }
    if (standin.reply_dead[place]) {
        close_reply(place);
        return STATUS_NOT_FOUND;
    }
    HARNESS(standin.reply_count < STANDIN_REPLIES);
    struct standin_reply *reply = &standin.replies[standin.reply_count++];
    memset(reply, 0, sizeof *reply);
    reply->slot = reply_slot;
    reply->request_id = message->header.request_id;
    reply->operation = message->header.operation;
    reply->status = message->header.status;
    reply->cap_count = message->header.cap_count;
    reply->body_bytes = message->header.body_bytes;
    PROPERTY(E10, "reply-body", reply->body_bytes <= sizeof reply->body);
    memcpy(reply->body, message->body, reply->body_bytes);
    for (unsigned i = 0; i < message->header.cap_count; i++)
        record_cap(message, i, reply);
    close_reply(place);
    return STATUS_OK;
}
