/* SPDX-License-Identifier: ISC */
/* Kernel control as units call it. Decides nothing; the core answers at once, so that no call needs
 * a deadline. */
#include "services/lib/kernel_calls.h"

#include <stddef.h>
#include <string.h>

#include "abi/slots.h"
#include "services/lib/call_kernel.h"

enum status kernel_query_local_cap(struct caller *caller, uint32_t queried_slot,
                                   enum query_mode mode, struct kernel_query_local_cap_reply *reply)
{
    struct kernel_query_local_cap_request request = {.slot = queried_slot, .mode = mode};
    return kernel_call_query_local_cap(caller, SLOT_SELF, NO_WINDOW, DEADLINE_NEVER, &request,
                                       reply);
}

enum status kernel_drop_local_cap(struct caller *caller, uint32_t dropped_slot)
{
    struct kernel_drop_local_cap_request request = {.slot = dropped_slot};
    return kernel_call_drop_local_cap(caller, SLOT_SELF, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
}

enum status kernel_move_local_cap(struct caller *caller, uint32_t source_slot, uint32_t target_slot)
{
    struct kernel_move_local_cap_request request = {.source_slot = source_slot,
                                                    .target_slot = target_slot};
    return kernel_call_move_local_cap(caller, SLOT_SELF, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
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
    struct kernel_retype_request request = {.untyped_slot = untyped_slot,
                                            .object_type = type,
                                            .count = count,
                                            .target_slot = target_slot};
    return kernel_call_retype(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
}

enum status kernel_destroy(struct caller *caller, uint32_t slot, uint32_t destroyed_slot)
{
    struct kernel_destroy_request request = {.slot = destroyed_slot};
    return kernel_call_destroy(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
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

enum status kernel_frame_copy(struct caller *caller, uint32_t slot, uint32_t source_slot,
                              uint64_t source_offset_bytes, uint32_t target_slot,
                              uint32_t target_offset_bytes, uint32_t count)
{
    struct kernel_frame_copy_request request = {.source_slot = source_slot,
                                                .target_slot = target_slot,
                                                .source_offset_bytes = source_offset_bytes,
                                                .target_offset_bytes = target_offset_bytes,
                                                .count = count};
    return kernel_call_frame_copy(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
}

enum status kernel_map_frame(struct caller *caller, uint32_t slot,
                             const struct kernel_map_frame_request *request)
{
    return kernel_call_map_frame(caller, slot, NO_WINDOW, DEADLINE_NEVER, request, NULL);
}

enum status kernel_unmap_frame(struct caller *caller, uint32_t slot, uint32_t vspace_slot,
                               uint64_t va, uint32_t page_count)
{
    struct kernel_unmap_frame_request request = {
        .vspace_slot = vspace_slot, .page_count = page_count, .va = va};
    return kernel_call_unmap_frame(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
}

enum status kernel_protect_frame(struct caller *caller, uint32_t slot, uint32_t vspace_slot,
                                 uint64_t va, uint32_t page_count, uint32_t rights)
{
    struct kernel_protect_frame_request request = {
        .vspace_slot = vspace_slot, .page_count = page_count, .va = va, .rights = rights};
    return kernel_call_protect_frame(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
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
    struct kernel_register_pager_request request = {
        .process_slot = process_slot, .pager_slot = pager_slot, .token = token};
    return kernel_call_register_pager(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
}

enum status kernel_start_process(struct caller *caller, uint32_t slot,
                                 const struct kernel_start_process_request *request)
{
    return kernel_call_start_process(caller, slot, NO_WINDOW, DEADLINE_NEVER, request, NULL);
}

enum status kernel_abort_staged_process(struct caller *caller, uint32_t slot, uint32_t process_slot)
{
    struct kernel_abort_staged_process_request request = {.process_slot = process_slot};
    return kernel_call_abort_staged_process(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request,
                                            NULL);
}

enum status kernel_kill_process(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                uint32_t code)
{
    struct kernel_kill_process_request request = {.process_slot = process_slot, .code = code};
    return kernel_call_kill_process(caller, slot, NO_WINDOW, DEADLINE_NEVER, &request, NULL);
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
    return kernel_call_cap_copy_attenuated(caller, slot, NO_WINDOW, DEADLINE_NEVER, request, NULL);
}
