/* SPDX-License-Identifier: ISC */
/* How a unit makes calls: one function for any operation of any peer, and one for each
 * kernel-control operation that services use. Nothing here decides anything; all state is in struct
 * caller. */
#ifndef BASALT_SERVICES_LIB_KERNEL_CALLS_H
#define BASALT_SERVICES_LIB_KERNEL_CALLS_H

#include <stdint.h>

#include "abi/codec.h"
#include "abi/messages/kernel.h"
#include "abi/system.h"

/* Part of the state of every unit that makes calls. All zero is valid. */
struct caller {
    uint64_t last_request_id; /* request ids increase monotonically (published) */
};

/* Where the capabilities of a reply shall go: `count` empty slots from `first_slot` on; {0, 0}:
 * none. */
struct window {
    uint32_t first_slot;
    uint32_t count;
};

/* Encodes `request` by the row of `operation`, CALLs `slot`, decodes the reply into `reply`
 * (operation->reply->max_bytes bytes, zeroed unless the result is OK). All capability fields of the
 * request travel as copies with the rights that the row names; use caller_call_message for others.
 * Errors: the transport's (abi/system.h), the peer's refusal, INTERNAL for a reply against the
 * contract. */
enum status caller_call(struct caller *caller, uint32_t slot, const struct operation *operation,
                        const void *request, struct window window, uint64_t deadline_ticks,
                        void *reply);

/* The same for a request that is encoded already, for transfers other than plain copies (a badge, a
 * MOVE): set those in message->caps after message_encode. The request id and the window are set
 * here. `message` holds the reply afterwards. Of both: unless the result is OK, the window is empty
 * again. window.count <= MESSAGE_CAP_LIMIT. */
enum status caller_call_message(struct caller *caller, uint32_t slot,
                                const struct operation *operation, struct message *message,
                                struct window window, uint64_t deadline_ticks, void *reply);

/* Kernel control. `slot` is the KERNEL_* capability to use. Results and errors: the operation's row
 * in abi/messages/kernel.def; nothing is changed on an error. */
enum status kernel_self_query(struct caller *caller, uint32_t queried_slot, enum query_mode mode,
                              struct kernel_query_local_cap_reply *reply);
enum status kernel_self_drop(struct caller *caller, uint32_t dropped_slot);
enum status kernel_self_move(struct caller *caller, uint32_t source_slot, uint32_t target_slot);
void kernel_self_exit(struct caller *caller,
                      uint32_t code); /* does not return when it is granted */
enum status kernel_log(struct caller *caller, uint32_t slot, const char *text, uint32_t count);
enum status kernel_clock(struct caller *caller, uint32_t slot, uint64_t *now_ticks);

enum status kernel_retype(struct caller *caller, uint32_t slot, uint32_t untyped_slot,
                          enum object_type type, uint32_t count, uint32_t target_slot);
enum status kernel_destroy(struct caller *caller, uint32_t slot, uint32_t destroyed_slot);
enum status kernel_frame_read(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                              uint64_t offset_bytes, uint32_t count, void *bytes);
enum status kernel_frame_copy(struct caller *caller, uint32_t slot, uint32_t source_slot,
                              uint64_t source_offset_bytes, uint32_t target_slot,
                              uint32_t target_offset_bytes, uint32_t count);
enum status kernel_map(struct caller *caller, uint32_t slot,
                       const struct kernel_map_frame_request *request);
enum status kernel_unmap(struct caller *caller, uint32_t slot, uint32_t vspace_slot, uint64_t va,
                         uint32_t page_count);
enum status kernel_protect(struct caller *caller, uint32_t slot, uint32_t vspace_slot, uint64_t va,
                           uint32_t page_count, uint32_t rights);
enum status kernel_process_create(struct caller *caller, uint32_t slot,
                                  const struct kernel_create_staged_process_request *request,
                                  struct window window,
                                  struct kernel_create_staged_process_reply *reply);
enum status kernel_process_pager(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                 uint32_t pager_slot, uint64_t token);
enum status kernel_process_start(struct caller *caller, uint32_t slot,
                                 const struct kernel_start_process_request *request);
enum status kernel_process_abort(struct caller *caller, uint32_t slot, uint32_t process_slot);
enum status kernel_process_kill(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                uint32_t code);
enum status kernel_process_retire(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                  struct kernel_retire_process_reply *reply);
enum status kernel_child_install(struct caller *caller, uint32_t slot,
                                 const struct kernel_cap_copy_attenuated_request *request);

#endif
