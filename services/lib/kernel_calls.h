/* SPDX-License-Identifier: ISC */
/* Kernel control as units call it: one function for each operation that services use, named
 * kernel_<operation>. Nothing here decides anything. */
#ifndef BASALT_SERVICES_LIB_KERNEL_CALLS_H
#define BASALT_SERVICES_LIB_KERNEL_CALLS_H

#include <stdint.h>

#include "abi/messages/kernel.h"
#include "services/lib/caller.h"

/* Kernel control. `slot` is the KERNEL_* capability to use. Results and errors: the operation's row
 * in abi/messages/kernel.def; nothing is changed on an error. */
enum status kernel_query_local_cap(struct caller *caller, uint32_t queried_slot,
                                   enum query_mode mode,
                                   struct kernel_query_local_cap_reply *reply);
enum status kernel_drop_local_cap(struct caller *caller, uint32_t dropped_slot);
enum status kernel_move_local_cap(struct caller *caller, uint32_t source_slot,
                                  uint32_t target_slot);
/* Does not return when it is granted. An answer that waits goes out before (E5). */
void kernel_exit(struct caller *caller, uint32_t code);
enum status kernel_log_write(struct caller *caller, uint32_t slot, const char *text,
                             uint32_t count);
enum status kernel_read_monotonic_clock(struct caller *caller, uint32_t slot, uint64_t *now_ticks);

enum status kernel_retype(struct caller *caller, uint32_t slot, uint32_t untyped_slot,
                          enum object_type type, uint32_t count, uint32_t target_slot);
enum status kernel_destroy(struct caller *caller, uint32_t slot, uint32_t destroyed_slot);
enum status kernel_frame_read(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                              uint64_t offset_bytes, uint32_t count, void *bytes);
enum status kernel_frame_write(struct caller *caller, uint32_t slot, uint32_t frame_slot,
                               uint32_t offset_bytes, uint32_t count, const void *bytes);
enum status kernel_frame_copy(struct caller *caller, uint32_t slot, uint32_t source_slot,
                              uint64_t source_offset_bytes, uint32_t target_slot,
                              uint32_t target_offset_bytes, uint32_t count);
enum status kernel_map_frame(struct caller *caller, uint32_t slot,
                             const struct kernel_map_frame_request *request);
enum status kernel_give_frames(struct caller *caller, uint32_t slot,
                               const struct kernel_give_frames_request *request);
enum status kernel_unmap_frame(struct caller *caller, uint32_t slot, uint32_t vspace_slot,
                               uint64_t va, uint32_t page_count);
enum status kernel_protect_frame(struct caller *caller, uint32_t slot, uint32_t vspace_slot,
                                 uint64_t va, uint32_t page_count, uint32_t rights);
enum status kernel_create_staged_process(struct caller *caller, uint32_t slot,
                                         const struct kernel_create_staged_process_request *request,
                                         struct window window,
                                         struct kernel_create_staged_process_reply *reply);
enum status kernel_register_pager(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                  uint32_t pager_slot, uint64_t token);
enum status kernel_start_process(struct caller *caller, uint32_t slot,
                                 const struct kernel_start_process_request *request);
enum status kernel_abort_staged_process(struct caller *caller, uint32_t slot,
                                        uint32_t process_slot);
enum status kernel_kill_process(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                uint32_t code);
enum status kernel_retire_process(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                  struct kernel_retire_process_reply *reply);
enum status kernel_cap_copy_attenuated(struct caller *caller, uint32_t slot,
                                       const struct kernel_cap_copy_attenuated_request *request);
enum status kernel_read_pci_config_dword(struct caller *caller, uint32_t slot, uint32_t bus,
                                         uint32_t device, uint32_t function, uint32_t offset_bytes,
                                         uint32_t *value);
enum status kernel_bind_interrupt(struct caller *caller, uint32_t slot, uint32_t line,
                                  uint32_t endpoint_slot, uint64_t token);
enum status kernel_ack_interrupt(struct caller *caller, uint32_t slot, uint32_t line);
enum status kernel_mask_interrupt(struct caller *caller, uint32_t slot, uint32_t line,
                                  uint32_t masked);
enum status kernel_copy_startup(struct caller *caller, uint32_t slot, uint32_t source_process_slot,
                                uint32_t target_process_slot);
enum status kernel_read_process_slot(struct caller *caller, uint32_t slot, uint32_t process_slot,
                                     uint32_t read_slot,
                                     struct kernel_read_process_slot_reply *reply);

#endif
