/* SPDX-License-Identifier: ISC */
/* Kernel control as units call it. Decides nothing; the core answers at once, so that no call needs
 * a deadline. A request whose reply has no fields is written where the kernel reads it, without
 * being checked before: the kernel asks the same of it. */
#include "services/lib/kernel_calls.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "abi/slots.h"
#include "services/lib/call_kernel.h"

/* --- requests whose reply has no fields ------------------------------------------------------- */

/* Begins such a request: where its body, of so many bytes, is to be written. */
static void *control_begin(struct caller *caller, uint16_t operation, uint16_t body_bytes)
{
    struct message *message = caller_message(caller);
    message->header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = operation,
        .body_bytes = body_bytes,
        .request_id = ++caller->last_request_id,
    };
    return message->body;
}

/* Sends it: the transport's error, the kernel's verdict, or INTERNAL for a reply against its
 * contract. */
static enum status control(const struct caller *caller, uint32_t slot)
{
    struct message *message = sys_message();
    const struct message_header *header = &message->header;
    uint16_t operation = header->operation;
    enum status status = sys_call(slot, message, DEADLINE_NEVER);
    if (status != STATUS_OK)
        return status;
    bool kept = header->version == MESSAGE_VERSION && header->operation == operation &&
                header->body_bytes == 0 && header->cap_count == 0 &&
                header->status < STATUS_COUNT && header->request_id == caller->last_request_id;
    return kept ? (enum status)header->status : STATUS_INTERNAL;
}

/* Begins the request of a row and writes it. */
#define CONTROL_WRITE(caller, name, NAME, ...)                                                     \
    *(struct kernel_##name##_request *)control_begin(                                              \
        caller, OP_KERNEL_##NAME, sizeof(struct kernel_##name##_request)) = __VA_ARGS__

/* --- the calls -------------------------------------------------------------------------------- */

enum status kernel_query_local_cap(struct caller *caller, uint32_t queried_slot,
                                   enum query_mode mode, struct kernel_query_local_cap_reply *reply)
{
    struct kernel_query_local_cap_request request = {.slot = queried_slot, .mode = mode};
    return kernel_call_query_local_cap(caller, SLOT_SELF, NO_WINDOW, DEADLINE_NEVER, &request,
                                       reply);
}

enum status kernel_drop_local_cap(struct caller *caller, uint32_t dropped_slot)
{
    CONTROL_WRITE(caller, drop_local_cap, DROP_LOCAL_CAP,
                  (struct kernel_drop_local_cap_request){.slot = dropped_slot});
    return control(caller, SLOT_SELF);
}

enum status kernel_move_local_cap(struct caller *caller, uint32_t source_slot, uint32_t target_slot)
{
    CONTROL_WRITE(caller, move_local_cap, MOVE_LOCAL_CAP,
                  (struct kernel_move_local_cap_request){.source_slot = source_slot,
                                                         .target_slot = target_slot});
    return control(caller, SLOT_SELF);
}

void kernel_exit(struct caller *caller, uint32_t code)
{
    struct kernel_exit_request request = {.code = code};
    (void)kernel_call_exit(caller, SLOT_SELF, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
}

enum status kernel_log_write(struct caller *caller, uint32_t slot, const char *text, uint32_t count)
{
    struct kernel_log_write_request request = {.count = count};
    if (count == 0 || count > sizeof request.bytes)
        return STATUS_INVALID_ARGUMENT;
    memcpy(request.bytes, text, count);
    return kernel_call_log_write(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
}

enum status kernel_read_monotonic_clock(struct caller *caller, uint32_t slot, uint64_t *now_ticks)
{
    struct kernel_read_monotonic_clock_request request;
    struct kernel_read_monotonic_clock_reply reply;
    enum status status =
        kernel_call_read_monotonic_clock(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, &reply);
    *now_ticks = reply.now_ticks;
    return status;
}

enum status kernel_retype(struct caller *caller, uint32_t slot, uint32_t untyped_slot,
                          enum object_type type, uint32_t count, uint32_t target_slot)
{
    CONTROL_WRITE(caller, retype, RETYPE,
                  (struct kernel_retype_request){.untyped_slot = untyped_slot,
                                                 .object_type = type,
                                                 .count = count,
                                                 .target_slot = target_slot});
    return control(caller, slot);
}

enum status kernel_destroy(struct caller *caller, uint32_t slot, uint32_t destroyed_slot)
{
    CONTROL_WRITE(caller, destroy, DESTROY,
                  (struct kernel_destroy_request){.slot = destroyed_slot});
    return control(caller, slot);
}

enum status kernel_frame_read(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                              uint64_t offset_bytes, uint32_t count, void *bytes)
{
    struct kernel_frame_read_request request = {
        .frame_slot = frame_slot, .count = count, .offset_bytes = offset_bytes};
    struct kernel_frame_read_reply reply;
    enum status status =
        kernel_call_frame_read(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, &reply);
    if (status != STATUS_OK)
        return status;
    if (reply.count != count)
        return STATUS_INTERNAL;
    memcpy(bytes, reply.bytes, count);
    return STATUS_OK;
}

/* `bytes` lie elsewhere than in the transport's buffer; 1 to FRAME_TRANSFER_BYTES_MAX of them. */
enum status kernel_frame_write(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                               uint32_t offset_bytes, uint32_t count, const void *bytes)
{
    struct kernel_frame_write_request *request =
        control_begin(caller, OP_KERNEL_FRAME_WRITE,
                      (uint16_t)(offsetof(struct kernel_frame_write_request, bytes) + count));
    request->frame_slot = frame_slot;
    request->offset_bytes = offset_bytes;
    request->count = count;
    memcpy(request->bytes, bytes, count);
    return control(caller, slot);
}

enum status kernel_frame_copy(struct caller *caller, uint32_t slot, uint32_t source_slot,
                              uint64_t source_offset_bytes, uint32_t target_slot,
                              uint32_t target_offset_bytes, uint32_t count)
{
    CONTROL_WRITE(caller, frame_copy, FRAME_COPY,
                  (struct kernel_frame_copy_request){.source_slot = source_slot,
                                                     .target_slot = target_slot,
                                                     .source_offset_bytes = source_offset_bytes,
                                                     .target_offset_bytes = target_offset_bytes,
                                                     .count = count});
    return control(caller, slot);
}

enum status kernel_map_frame(struct caller *caller, uint32_t slot,
                             const struct kernel_map_frame_request *request)
{
    CONTROL_WRITE(caller, map_frame, MAP_FRAME, *request);
    return control(caller, slot);
}

enum status kernel_give_frames(struct caller *caller, uint32_t slot,
                               const struct kernel_give_frames_request *request)
{
    CONTROL_WRITE(caller, give_frames, GIVE_FRAMES, *request);
    return control(caller, slot);
}

enum status kernel_unmap_frame(struct caller *caller, uint32_t slot, uint32_t vspace_slot,
                               uint64_t va, uint32_t page_count)
{
    CONTROL_WRITE(caller, unmap_frame, UNMAP_FRAME,
                  (struct kernel_unmap_frame_request){
                      .vspace_slot = vspace_slot, .page_count = page_count, .va = va});
    return control(caller, slot);
}

enum status kernel_protect_frame(struct caller *caller, uint32_t slot, uint32_t vspace_slot,
                                 uint64_t va, uint32_t page_count, uint32_t rights)
{
    CONTROL_WRITE(
        caller, protect_frame, PROTECT_FRAME,
        (struct kernel_protect_frame_request){
            .vspace_slot = vspace_slot, .page_count = page_count, .va = va, .rights = rights});
    return control(caller, slot);
}

enum status kernel_create_staged_process(struct caller *caller, uint32_t slot,
                                         const struct kernel_create_staged_process_request *request,
                                         struct window window,
                                         struct kernel_create_staged_process_reply *reply)
{
    return kernel_call_create_staged_process(caller, slot, window, DEADLINE_NEVER, request, reply);
}

enum status kernel_register_pager(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                  uint32_t pager_slot, uint64_t token)
{
    CONTROL_WRITE(caller, register_pager, REGISTER_PAGER,
                  (struct kernel_register_pager_request){
                      .process_slot = process_slot, .pager_slot = pager_slot, .token = token});
    return control(caller, slot);
}

enum status kernel_start_process(struct caller *caller, uint32_t slot,
                                 const struct kernel_start_process_request *request)
{
    CONTROL_WRITE(caller, start_process, START_PROCESS, *request);
    return control(caller, slot);
}

enum status kernel_abort_staged_process(struct caller *caller, uint32_t slot, uint32_t process_slot)
{
    CONTROL_WRITE(caller, abort_staged_process, ABORT_STAGED_PROCESS,
                  (struct kernel_abort_staged_process_request){.process_slot = process_slot});
    return control(caller, slot);
}

enum status kernel_kill_process(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                uint32_t code)
{
    CONTROL_WRITE(caller, kill_process, KILL_PROCESS,
                  (struct kernel_kill_process_request){.process_slot = process_slot, .code = code});
    return control(caller, slot);
}

enum status kernel_retire_process(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                  struct kernel_retire_process_reply *reply)
{
    struct kernel_retire_process_request request = {.process_slot = process_slot};
    return kernel_call_retire_process(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, reply);
}

enum status kernel_cap_copy_attenuated(struct caller *caller, uint32_t slot,
                                       const struct kernel_cap_copy_attenuated_request *request)
{
    CONTROL_WRITE(caller, cap_copy_attenuated, CAP_COPY_ATTENUATED, *request);
    return control(caller, slot);
}

enum status kernel_read_pci_config_dword(struct caller *caller, uint32_t slot, uint32_t bus,
                                         uint32_t device, uint32_t function, uint32_t offset_bytes,
                                         uint32_t *value)
{
    struct kernel_read_pci_config_dword_request request = {
        .bus = bus, .device = device, .function = function, .offset_bytes = offset_bytes};
    struct kernel_read_pci_config_dword_reply reply;
    enum status status = kernel_call_read_pci_config_dword(caller, slot, NO_WINDOW, DEADLINE_NEVER,
                                                           &request, &reply);
    *value = status == STATUS_OK ? reply.value : UINT32_MAX;
    return status;
}

enum status kernel_bind_interrupt(struct caller *caller, uint32_t slot, uint32_t line,
                                  uint32_t endpoint_slot, uint64_t token)
{
    CONTROL_WRITE(caller, bind_interrupt, BIND_INTERRUPT,
                  (struct kernel_bind_interrupt_request){
                      .line = line, .endpoint_slot = endpoint_slot, .token = token});
    return control(caller, slot);
}

enum status kernel_ack_interrupt(struct caller *caller, uint32_t slot, uint32_t line)
{
    CONTROL_WRITE(caller, ack_interrupt, ACK_INTERRUPT,
                  (struct kernel_ack_interrupt_request){.line = line});
    return control(caller, slot);
}

enum status kernel_mask_interrupt(struct caller *caller, uint32_t slot, uint32_t line,
                                  uint32_t masked)
{
    CONTROL_WRITE(caller, mask_interrupt, MASK_INTERRUPT,
                  (struct kernel_mask_interrupt_request){.line = line, .masked = masked});
    return control(caller, slot);
}

enum status kernel_copy_startup(struct caller *caller, uint32_t slot, uint32_t source_process_slot,
                                uint32_t target_process_slot)
{
    CONTROL_WRITE(caller, copy_startup, COPY_STARTUP,
                  (struct kernel_copy_startup_request){
                      .source_process_slot = source_process_slot,
                      .target_process_slot = target_process_slot,
                  });
    return control(caller, slot);
}

enum status kernel_read_process_slot(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                     uint32_t read_slot,
                                     struct kernel_read_process_slot_reply *reply)
{
    struct kernel_read_process_slot_request request = {.process_slot = process_slot,
                                                       .slot = read_slot};
    return kernel_call_read_process_slot(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, reply);
}
