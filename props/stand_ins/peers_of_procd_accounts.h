/* SPDX-License-Identifier: ISC */
/* What the two halves of procd's stand-in share: capabilities of procd's cspace, and one function
 * for each operation that procd may ask for. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_ACCOUNTS_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_ACCOUNTS_H

#include "props/stand_ins/peers_of_procd.h"

bool standin_cap_empty(uint32_t slot);
void standin_cap_put(uint32_t slot, struct standin_cap cap);
struct standin_cap standin_cap_take(uint32_t slot);
const struct standin_cap *standin_cap_find(uint32_t slot, uint32_t type, uint16_t rights);
enum status standin_cap_drop(uint32_t slot);
enum status books_create(const struct kernel_create_staged_process_request *request,
                         const struct message_header *header,
                         struct kernel_create_staged_process_reply *reply);
enum status books_start(const struct kernel_start_process_request *request);
enum status books_abort(uint32_t slot);
enum status books_kill(const struct kernel_kill_process_request *request);
enum status books_retire(uint32_t slot, struct kernel_retire_process_reply *reply);
enum status books_pager(const struct kernel_register_pager_request *request);
enum status books_make_frame(const struct kernel_retype_request *request);
enum status books_copy(const struct kernel_frame_copy_request *request);
enum status books_map_pages(const struct kernel_map_frame_request *request);
enum status books_open(const struct memd_open_account_request *request,
                       const struct message_header *header, struct memd_open_account_reply *reply);
enum status books_close(const struct memd_close_account_request *request,
                        struct memd_close_account_reply *reply);
enum status books_alloc(uint64_t badge, const struct memd_alloc_untyped_request *request,
                        const struct message_header *header,
                        struct memd_alloc_untyped_reply *reply);
enum status books_take(const struct pagerd_register_process_request *request);
enum status books_leave(uint64_t token);

#endif
