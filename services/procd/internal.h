/* SPDX-License-Identifier: ISC */
/* What procd's files share. Each operation is check, decide, perform, commit: what returns a status
 * other than OK has changed nothing. */
#ifndef BASALT_SERVICES_PROCD_INTERNAL_H
#define BASALT_SERVICES_PROCD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/procd/procd.h"

/* Who asks, and through which door. */
struct procd_sender {
    uint64_t badge;
    bool is_driver_endpoint;
};

/* --- one function for each LIVE row of the table: create.c (SPAWN, SPAWN_SERVICE,
 * CREATE_STAGED_PROCESS), lifecycle.c (START, ABORT, STOP, UPDATE_FOUNDATION_ENDPOINTS), waiters.c
 * (WAIT_PROCESS_EVENT), procd.c (QUERY_PROCESS) */
#define SERVICE       procd
#define SERVICE_TABLE "abi/messages/procd.def"
#include "services/lib/unfold.h"

struct procd_request {
    struct service_request common;
    struct procd_sender sender;
    union procd_body body;
    union procd_reply reply;
};

/* --- process_table.c ---------------------------------------------------------------------- */

/* The id of the process in an entry. */
uint64_t procd_table_id(const struct procd *procd, uint32_t index);

/* The entry of a process that the sender may see, also an ended one; NOT_FOUND. */
enum status procd_table_find(const struct procd *procd, const struct procd_sender *sender,
                             uint64_t id, uint32_t *index);

/* The live entry behind a token of ours; NOT_FOUND. */
enum status procd_table_find_live(const struct procd *procd, uint64_t id, uint32_t *index);

/* Where the next process would go, and its id; EXHAUSTED when all entries live. */
enum status procd_table_peek(const struct procd *procd, uint32_t *index, uint64_t *id);

/* Puts a process into the entry that procd_table_peek named. */
void procd_table_commit(struct procd *procd, uint32_t index, const struct procd_process *process);

/* Makes a live entry a terminal record. */
void procd_table_end(struct procd *procd, uint32_t index, uint32_t reason, uint32_t code,
                     uint64_t fault_va);

/* memd, vspaced and pagerd are all running. */
bool procd_table_foundation_runs(const struct procd *procd);

/* Whether a role is memd's, vspaced's or pagerd's, and which of the three. */
bool procd_is_foundation(uint32_t role, uint32_t *which);

/* --- lifecycle.c ---------------------------------------------------------------------------- */

/* A terminal event of the kernel. */
void procd_terminated(struct procd *procd, const struct event_process_terminated_request *event);

/* Gives back what procd owes pagerd and memd for a process whose kernel side is gone. */
void procd_settle(struct procd *procd, uint64_t id, struct procd_process *process);

/* --- waiters.c -------------------------------------------------------------------------------- */

/* Tells every waiter of an ended process; none is left. */
void procd_waiters_wake(struct procd *procd, uint32_t index);

/* Gives up the waits of a client that is gone. */
void procd_waiters_forget(struct procd *procd, uint64_t badge);

#endif
