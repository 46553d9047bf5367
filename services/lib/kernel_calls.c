/* SPDX-License-Identifier: ISC */
/* How a unit makes calls: encodes by the operation's row, calls, decodes by the same row. Decides
 * nothing and knows no policy; a reply against its contract is INTERNAL and leaves nothing
 * behind. */
#include "services/lib/kernel_calls.h"

#include <stddef.h>
#include <string.h>

#include "abi/slots.h"

/* Sends an encoded request and decodes its reply. What the reply delivered stays where it is. */
static enum status exchange(struct caller *caller, uint32_t slot, const struct operation *operation,
                            struct message *message, struct window window, uint64_t deadline_ticks,
                            void *reply)
{
    uint64_t request_id = ++caller->last_request_id;
    message->header.request_id = request_id;
    message->header.window_slot = window.first_slot;
    message->header.window_count = (uint8_t)window.count;
    enum status status = sys_call(slot, message, deadline_ticks);
    if (status != STATUS_OK) {
        message->header.cap_count = 0; /* nothing was delivered */
        return status;
    }
    if (message->header.request_id != request_id)
        return STATUS_INTERNAL;
    return reply_decode(operation->reply, message, reply);
}

/* Empties what a reply delivered that the caller will never hear of. */
static void window_drop(struct caller *caller, struct window window, uint32_t cap_count)
{
    const struct operation *drop = operation_find(SERVICE_KERNEL, OP_KERNEL_DROP_LOCAL_CAP);
    for (uint32_t i = 0; i < cap_count && i < window.count && drop != NULL; i++) {
        struct kernel_drop_local_cap_request request = {.slot = window.first_slot + i};
        struct message message;
        uint64_t nothing = 0;
        message.header = (struct message_header){0}; /* the rest is encoded, or not declared */
        if (message_encode(drop->request, &request, &message) == STATUS_OK)
            (void)exchange(caller, SLOT_SELF, drop, &message, (struct window){0, 0}, DEADLINE_NEVER,
                           &nothing);
    }
}

enum status caller_call_message(struct caller *caller, uint32_t slot,
                                const struct operation *operation, struct message *message,
                                struct window window, uint64_t deadline_ticks, void *reply)
{
    memset(reply, 0, operation->reply->max_bytes);
    if (window.count > MESSAGE_CAP_LIMIT)
        return STATUS_INVALID_ARGUMENT;
    enum status status = exchange(caller, slot, operation, message, window, deadline_ticks, reply);
    if (status == STATUS_OK)
        return STATUS_OK;
    memset(reply, 0, operation->reply->max_bytes);
    window_drop(caller, window, message->header.cap_count);
    return status;
}

enum status caller_call(struct caller *caller, uint32_t slot, const struct operation *operation,
                        const void *request, struct window window, uint64_t deadline_ticks,
                        void *reply)
{
    struct message message;
    message.header = (struct message_header){0}; /* the rest is encoded, or not declared */
    enum status status = message_encode(operation->request, request, &message);
    if (status != STATUS_OK) {
        memset(reply, 0, operation->reply->max_bytes);
        return status;
    }
    return caller_call_message(caller, slot, operation, &message, window, deadline_ticks, reply);
}

/* A kernel-control CALL: the core answers at once, so no deadline is needed. */
static enum status control(struct caller *caller, uint32_t slot, uint16_t id, const void *request,
                           struct window window, void *reply)
{
    const struct operation *operation = operation_find(SERVICE_KERNEL, id);
    if (operation == NULL)
        return STATUS_UNSUPPORTED;
    return caller_call(caller, slot, operation, request, window, DEADLINE_NEVER, reply);
}

/* The same for operations whose reply is empty. */
static enum status control_plain(struct caller *caller, uint32_t slot, uint16_t id,
                                 const void *request)
{
    uint64_t nothing = 0;
    return control(caller, slot, id, request, (struct window){0, 0}, &nothing);
}

enum status kernel_self_query(struct caller *caller, uint32_t queried_slot, enum query_mode mode,
                              struct kernel_query_local_cap_reply *reply)
{
    struct kernel_query_local_cap_request request = {.slot = queried_slot, .mode = mode};
    return control(caller, SLOT_SELF, OP_KERNEL_QUERY_LOCAL_CAP, &request, (struct window){0, 0},
                   reply);
}

enum status kernel_self_drop(struct caller *caller, uint32_t dropped_slot)
{
    struct kernel_drop_local_cap_request request = {.slot = dropped_slot};
    return control_plain(caller, SLOT_SELF, OP_KERNEL_DROP_LOCAL_CAP, &request);
}

enum status kernel_self_move(struct caller *caller, uint32_t source_slot, uint32_t target_slot)
{
    struct kernel_move_local_cap_request request = {.source_slot = source_slot,
                                                    .target_slot = target_slot};
    return control_plain(caller, SLOT_SELF, OP_KERNEL_MOVE_LOCAL_CAP, &request);
}

void kernel_self_exit(struct caller *caller, uint32_t code)
{
    struct kernel_exit_request request = {.code = code};
    (void)control_plain(caller, SLOT_SELF, OP_KERNEL_EXIT, &request);
}

enum status kernel_log(struct caller *caller, uint32_t slot, const char *text, uint32_t count)
{
    struct kernel_log_write_request request = {.count = count};
    if (count == 0 || count > sizeof request.bytes)
        return STATUS_INVALID_ARGUMENT;
    memcpy(request.bytes, text, count);
    return control_plain(caller, slot, OP_KERNEL_LOG_WRITE, &request);
}

enum status kernel_clock(struct caller *caller, uint32_t slot, uint64_t *now_ticks)
{
    uint64_t request = 0;
    struct kernel_read_monotonic_clock_reply reply;
    enum status status = control(caller, slot, OP_KERNEL_READ_MONOTONIC_CLOCK, &request,
                                 (struct window){0, 0}, &reply);
    *now_ticks = reply.now_ticks;
    return status;
}

enum status kernel_retype(struct caller *caller, uint32_t slot, uint32_t untyped_slot,
                          enum object_type type, uint32_t count, uint32_t target_slot)
{
    struct kernel_retype_request request = {.untyped_slot = untyped_slot,
                                            .object_type = type,
                                            .count = count,
                                            .target_slot = target_slot};
    return control_plain(caller, slot, OP_KERNEL_RETYPE, &request);
}

enum status kernel_destroy(struct caller *caller, uint32_t slot, uint32_t destroyed_slot)
{
    struct kernel_destroy_request request = {.slot = destroyed_slot};
    return control_plain(caller, slot, OP_KERNEL_DESTROY, &request);
}

enum status kernel_frame_read(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                              uint64_t offset_bytes, uint32_t count, void *bytes)
{
    struct kernel_frame_read_request request = {
        .frame_slot = frame_slot, .count = count, .offset_bytes = offset_bytes};
    struct kernel_frame_read_reply reply;
    enum status status =
        control(caller, slot, OP_KERNEL_FRAME_READ, &request, (struct window){0, 0}, &reply);
    if (status != STATUS_OK)
        return status;
    if (reply.count != count)
        return STATUS_INTERNAL;
    memcpy(bytes, reply.bytes, count);
    return STATUS_OK;
}

enum status kernel_frame_copy(struct caller *caller, uint32_t slot, uint32_t source_slot,
                              uint64_t source_offset_bytes, uint32_t target_slot,
                              uint32_t target_offset_bytes, uint32_t count)
{
    struct kernel_frame_copy_request request = {.source_slot = source_slot,
                                                .target_slot = target_slot,
                                                .source_offset_bytes = source_offset_bytes,
                                                .target_offset_bytes = target_offset_bytes,
                                                .count = count};
    return control_plain(caller, slot, OP_KERNEL_FRAME_COPY, &request);
}

enum status kernel_map(struct caller *caller, uint32_t slot,
                       const struct kernel_map_frame_request *request)
{
    return control_plain(caller, slot, OP_KERNEL_MAP_FRAME, request);
}

enum status kernel_unmap(struct caller *caller, uint32_t slot, uint32_t vspace_slot, uint64_t va,
                         uint32_t page_count)
{
    struct kernel_unmap_frame_request request = {
        .vspace_slot = vspace_slot, .page_count = page_count, .va = va};
    return control_plain(caller, slot, OP_KERNEL_UNMAP_FRAME, &request);
}

enum status kernel_protect(struct caller *caller, uint32_t slot, uint32_t vspace_slot, uint64_t va,
                           uint32_t page_count, uint32_t rights)
{
    struct kernel_protect_frame_request request = {
        .vspace_slot = vspace_slot, .page_count = page_count, .va = va, .rights = rights};
    return control_plain(caller, slot, OP_KERNEL_PROTECT_FRAME, &request);
}

enum status kernel_process_create(struct caller *caller, uint32_t slot,
                                  const struct kernel_create_staged_process_request *request,
                                  struct window window,
                                  struct kernel_create_staged_process_reply *reply)
{
    return control(caller, slot, OP_KERNEL_CREATE_STAGED_PROCESS, request, window, reply);
}

enum status kernel_process_pager(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                 uint32_t pager_slot, uint64_t token)
{
    struct kernel_register_pager_request request = {
        .process_slot = process_slot, .pager_slot = pager_slot, .token = token};
    return control_plain(caller, slot, OP_KERNEL_REGISTER_PAGER, &request);
}

enum status kernel_process_start(struct caller *caller, uint32_t slot,
                                 const struct kernel_start_process_request *request)
{
    return control_plain(caller, slot, OP_KERNEL_START_PROCESS, request);
}

enum status kernel_process_abort(struct caller *caller, uint32_t slot, uint32_t process_slot)
{
    struct kernel_abort_staged_process_request request = {.process_slot = process_slot};
    return control_plain(caller, slot, OP_KERNEL_ABORT_STAGED_PROCESS, &request);
}

enum status kernel_process_kill(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                uint32_t code)
{
    struct kernel_kill_process_request request = {.process_slot = process_slot, .code = code};
    return control_plain(caller, slot, OP_KERNEL_KILL_PROCESS, &request);
}

enum status kernel_process_retire(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                  struct kernel_retire_process_reply *reply)
{
    struct kernel_retire_process_request request = {.process_slot = process_slot};
    return control(caller, slot, OP_KERNEL_RETIRE_PROCESS, &request, (struct window){0, 0}, reply);
}

enum status kernel_child_install(struct caller *caller, uint32_t slot,
                                 const struct kernel_cap_copy_attenuated_request *request)
{
    return control_plain(caller, slot, OP_KERNEL_CAP_COPY_ATTENUATED, request);
}
