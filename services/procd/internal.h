/* SPDX-License-Identifier: ISC */
/* What procd's files share. Each operation is check, decide, perform, commit: what returns a status
 * other than OK has changed nothing. */
#ifndef BASALT_SERVICES_PROCD_INTERNAL_H
#define BASALT_SERVICES_PROCD_INTERNAL_H

#include "abi/assert.h"
#include "services/procd/procd.h"

/* Who sends a request. */
struct procd_sender {
    uint64_t badge;
    bool is_driver_endpoint;
};

/* --- process_table.c ---------------------------------------------------------------------- */

/* The id of the process in an entry. */
uint64_t procd_table_id(const struct procd *state, uint32_t index);

/* The entry of a process that the sender may see, also an ended one; NOT_FOUND. */
enum status procd_table_find(const struct procd *state, const struct procd_sender *sender,
                             uint64_t id, uint32_t *index);

/* The live entry behind a token of ours; NOT_FOUND. */
enum status procd_table_find_live(const struct procd *state, uint64_t id, uint32_t *index);

/* Where the next process would go, and its id; EXHAUSTED when all entries live. */
enum status procd_table_peek(const struct procd *state, uint32_t *index, uint64_t *id);

/* Puts a process into the entry that procd_table_peek named. */
void procd_table_commit(struct procd *state, uint32_t index, const struct procd_process *process);

/* Makes a live entry a terminal record. */
void procd_table_end(struct procd *state, uint32_t index, uint32_t reason, uint32_t code,
                     uint64_t fault_va);

/* memd, vspaced and pagerd are all running. */
bool procd_table_foundation_runs(const struct procd *state);

/* Whether a role is memd's, vspaced's or pagerd's, and which of the three. */
bool procd_is_foundation(uint32_t role, uint32_t *which);

/* --- create.c ------------------------------------------------------------------------------- */

/* These answer by themselves: the reply moves capabilities, and one that cannot be delivered undoes
 * the operation. */
enum handled procd_create_staged(struct procd *state, const struct procd_sender *sender,
                                 const struct procd_create_staged_process_request *request,
                                 struct message *message, uint32_t reply_slot);
enum handled procd_create_spawn(struct procd *state, const struct procd_sender *sender,
                                const struct procd_spawn_request *request, struct message *message,
                                uint32_t reply_slot);
enum handled procd_create_spawn_service(struct procd *state, const struct procd_sender *sender,
                                        const struct procd_spawn_service_request *request,
                                        struct message *message, uint32_t reply_slot);

/* --- lifecycle.c ---------------------------------------------------------------------------- */

enum status procd_start(struct procd *state, uint32_t index, uint64_t argument);
enum status procd_abort(struct procd *state, uint32_t index);
enum status procd_stop(struct procd *state, uint32_t index, uint32_t code);

/* A terminal event of the kernel. */
void procd_terminated(struct procd *state, const struct event_process_terminated_request *event);

/* Gives back what procd owes pagerd and memd for a process whose kernel side is gone. */
void procd_settle(struct procd *state, uint64_t id, struct procd_process *process);

/* Takes the two capabilities and drops the bootstrap untyped. */
enum status procd_bind_foundation(struct procd *state,
                                  const struct procd_update_foundation_endpoints_request *request);

/* --- waiters.c -------------------------------------------------------------------------------- */

/* Keeps the call behind `reply_slot` until the process ends. EXHAUSTED. */
enum status procd_waiters_add(struct procd *state, const struct procd_waiter *waiter);

/* Tells every waiter of an ended process; none is left. */
void procd_waiters_wake(struct procd *state, uint32_t index);

/* Gives up the waits of a client that is gone. */
void procd_waiters_forget(struct procd *state, uint64_t badge);

/* Turns a message into the answer to WAIT for an ended process. */
void procd_waiters_encode(const struct procd *state, uint32_t index, struct message *message);

#endif
