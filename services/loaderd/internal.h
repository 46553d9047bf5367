/* SPDX-License-Identifier: ISC */
/* What loaderd's files share: the request in hand, the table of clients and their programs
 * (programs.c), what is asked of procd about those and who waits for it (waits.c), the launch in hand
 * (launch.c) and its file (file.c). */
#ifndef BASALT_SERVICES_LOADERD_INTERNAL_H
#define BASALT_SERVICES_LOADERD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/loaderd/loaderd.h"

/* --- one function for each LIVE row: launch_path in loaderd.c, the rest in waits.c --- */
#define SERVICE       loaderd
#define SERVICE_TABLE "abi/messages/loaderd.def"
#include "services/lib/unfold.h"

struct loaderd_request {
    struct service_request common;
    union loaderd_body body;
    union loaderd_reply reply;
};

/* --- programs.c: makes no call, and cannot fail but where it says so --- */

/* Null: nobody with that role has anything here. */
struct loaderd_client *loaderd_client_find(struct loaderd *loaderd, uint32_t role);
/* How many pages of its own a program with such segments may touch, and what its account then has at
 * most. */
struct loaderd_size {
    uint32_t page_limit;
    uint32_t pages;
};
struct loaderd_size loaderd_program_size(uint64_t segment_pages);
/* Whether the client's share has room for so many pages of one more (X5). */
bool loaderd_client_has_room(const struct loaderd_client *client, uint32_t pages);
/* Whether a client may launch one more: OK, OVER_LIMIT, EXHAUSTED. Changes nothing. */
enum status loaderd_client_judge(const struct loaderd *loaderd, uint32_t role);
/* Whether somebody may not for want of room: a client's share has none for some program, or there is
 * no entry for one client more. */
bool loaderd_is_full(const struct loaderd *loaderd);
/* The entry of a client that may; another one's may make room for it. */
struct loaderd_client *loaderd_client_take(struct loaderd *loaderd, uint32_t role);
/* One that has nothing here any more leaves its entry. */
void loaderd_client_leave(struct loaderd_client *client);

/* Null: it is none of this client's. */
struct loaderd_program *loaderd_program_find(struct loaderd_client *client, uint64_t process_id);
/* Whether anybody's has that number. */
bool loaderd_program_is_known(const struct loaderd *loaderd, uint64_t process_id);
/* One that runs; the oldest of those that have ended may make room for it. */
void loaderd_program_add(struct loaderd *loaderd, struct loaderd_client *client,
                         uint64_t process_id, uint32_t pages);

/* --- waits.c --- */

/* Answers a kept call: with `reply` when the status is OK. OK when its caller has taken it. */
enum status loaderd_answer(struct loaderd *loaderd, uint32_t reply_slot, uint64_t request_id,
                           uint16_t operation, enum status status, const void *reply);
/* procd told that something ended: each that runs is asked of. */
void loaderd_ask_all(struct loaderd *loaderd);
/* Waits whose time is over are; then asks of one program, if one is to be asked of. */
void loaderd_waits_tick(struct loaderd *loaderd);
/* When that has something to do. */
uint64_t loaderd_waits_next_ticks(const struct loaderd *loaderd);

/* --- launch.c --- */

/* One step of the launch in hand, or of the next one; or what is owed is offered again. */
void loaderd_launch_tick(struct loaderd *loaderd);
/* When that has something to do. */
uint64_t loaderd_launch_next_ticks(const struct loaderd *loaderd);
/* What came of the last call, for a client: of a peer that is not there any more PEER_DIED. */
enum status loaderd_peer_status(const struct loaderd *loaderd, enum status status);

/* --- file.c: the calls to vfsd, for the launch in hand --- */

/* Opens the launch's path and judges what is there. With an error a handle may be owed. */
enum status loaderd_file_open(struct loaderd *loaderd, const struct loaderd_launch *launch);
/* Reads what shows the headers, and makes the plan. */
enum status loaderd_file_plan(struct loaderd *loaderd);
/* CHANGED: it is not what it was when it was opened. */
enum status loaderd_file_same(struct loaderd *loaderd);
/* The next piece of the pass, which then is behind it; count 0: there is none. */
enum status loaderd_file_piece(struct loaderd *loaderd, struct vfsd_read_reply *piece);
/* CLOSE, or ATTACH. */
enum status loaderd_file_close(struct loaderd *loaderd);
enum status loaderd_file_attach(struct loaderd *loaderd);

#endif
