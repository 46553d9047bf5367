/* SPDX-License-Identifier: ISC */
/* What procd's files share. Each operation is check, decide, perform, commit: what returns a status
 * other than OK has changed nothing. */
#ifndef BASALT_SERVICES_PROCD_INTERNAL_H
#define BASALT_SERVICES_PROCD_INTERNAL_H

#include "abi/assert.h"
#include "abi/roles.h"
#include "abi/formats/elf_plan.h"
#include "abi/messages/pagerd.h"
#include "services/lib/dispatch.h"
#include "services/lib/image_loader.h"
#include "services/procd/procd.h"

/* Who asks, and through which door. */
struct procd_sender {
    uint32_t owner; /* index + 1 of the client; 0: the administrator */
    bool is_driver_endpoint;
};

/* --- one function for each LIVE row of the table: create.c (SPAWN, SPAWN_SERVICE,
 * CREATE_STAGED_PROCESS), lifecycle.c (START, ABORT, STOP, UPDATE_FOUNDATION_ENDPOINTS), waiters.c
 * (WAIT_PROCESS_EVENT), restart.c (SET_RESTART_POLICY, GET_RESTART_POLICY), evidence.c
 * (BIND_NAMED), notice.c (SET_NOTICE), transfer.c (those of a LOADER_IMAGE_TRANSFER), procd.c
 * (QUERY_PROCESS), inspect.c (LIST_PROCESSES, READ_SLOT) */
#define SERVICE       procd
#define SERVICE_TABLE "abi/messages/procd.def"
#include "services/lib/unfold.h"

struct procd_request {
    struct service_request common;
    struct procd_sender sender;
    union procd_body body;
    union procd_reply reply;
};

/* --- process_table.c: entries, places, families; makes no call ------------------------------- */

/* The id of the process in an entry; of an owner, 0 for the administrator. */
uint64_t procd_table_id(const struct procd *procd, uint32_t index);
uint64_t procd_owner_id(const struct procd *procd, uint32_t owner);

/* What an owner has made. */
struct procd_family *procd_family(struct procd *procd, uint32_t owner);

/* The client that a badge names; false: it names none that lives. */
bool procd_table_find_client(const struct procd *procd, uint64_t badge, uint32_t *owner);

/* The entry of a process that the sender may see, also an ended one; NOT_FOUND. */
enum status procd_table_find(const struct procd *procd, const struct procd_sender *sender,
                             uint64_t id, uint32_t *index);

/* The staged or running entry behind a token of ours; NOT_FOUND. */
enum status procd_table_find_live(const struct procd *procd, uint64_t id, uint32_t *index);

/* Where an owner's next process would go, and its id. OVER_LIMIT: the owner has no place for it and
 * no record that could make room. EXHAUSTED: the administrator has none, or there is no entry
 * because of what is owed. */
enum status procd_table_peek(const struct procd *procd, uint32_t owner, const struct role *row,
                             uint32_t *index, uint64_t *id);

/* Puts a process into the entry that procd_table_peek named; its owner's oldest records make room.
 */
void procd_table_commit(struct procd *procd, uint32_t index, const struct procd_process *process);

/* Puts what is owed for a process that was never one into that entry. */
void procd_table_commit_owing(struct procd *procd, uint32_t index,
                              const struct procd_process *process);

/* Makes a staged, running or resting entry one that is ending. */
void procd_table_end(struct procd *procd, uint32_t index, uint32_t reason, uint32_t code,
                     uint64_t fault_va);

/* Makes an entry that is ending, without children, what is left of it: a record, something owed, or
 * a free entry. */
void procd_table_close(struct procd *procd, uint32_t index);

/* Makes an entry that is ending, without children, one between two lives: it rests for its delay, or
 * until what it owes of its last life is paid. */
void procd_table_rest(struct procd *procd, uint32_t index);

/* It goes on resting, after a restart that failed, or when it has paid. */
void procd_table_rest_on(struct procd *procd, uint32_t index);

/* The next one of those that owe something, taken out of their queue; false: none is due. */
bool procd_debt_take(struct procd *procd, uint32_t *index);
/* It owes something still, or nothing any more. */
void procd_debt_keep(struct procd *procd, uint32_t index);
void procd_debt_paid(struct procd *procd, uint32_t index);

/* The back of a queue that is linked both ways, and out of it. */
void procd_queue_push(struct procd *procd, struct procd_queue *queue, uint32_t index);
void procd_queue_remove(struct procd *procd, struct procd_queue *queue, uint32_t index);

/* memd, vspaced and pagerd are all running. */
bool procd_table_foundation_runs(const struct procd *procd);

/* Whether a role is memd's, vspaced's or pagerd's, and which of the three. */
bool procd_is_foundation(uint32_t role, uint32_t *which);

/* Most processes and records that an owner may have below itself. */
uint32_t procd_place_limit(const struct procd *procd, uint32_t owner);
/* Places that a process takes: one, and those for what it may have below it. */
uint32_t procd_places_of(const struct procd_process *process);

static inline uint32_t procd_slot(uint32_t index, uint32_t which)
{
    UNIT_ASSERT(index < PROCD_PROCESS_LIMIT && which < PROCD_SLOT_COUNT);
    return PROCD_SLOT_PROCESS_BASE + PROCD_SLOTS_OF_PROCESS * index + which;
}

/* Something of what was owed for a process is given back. */
static inline void procd_paid(struct procd_process *process, uint32_t owes)
{
    process->owes &= ~owes;
}

/* --- create_plan.c --------------------------------------------------------------------------- */

/* What the three ways of making a process ask for. */
struct procd_wish {
    uint32_t role;
    uint64_t image_offset;
    uint64_t image_bytes;
    uint64_t data_offset; /* CREATE_STAGED_PROCESS alone */
    uint64_t data_bytes;  /* 0: none */
    uint64_t argument;
    struct process_limits limits;
    bool starts;                   /* SPAWN and SPAWN_SERVICE: start at once, nothing to install */
    const struct elf_plan *loaded; /* a program whose bytes are to come; null: the module */
};

/* A process in the making. */
struct procd_making {
    struct role row; /* with the limit that was asked for */
    uint64_t id;
    uint32_t index;
    struct image_module module;
    struct elf_plan plan;
    struct pagerd_register_process_request backing;
    struct procd_process process;
    bool delivered; /* its creator was told: it is in the table */
};

/* Whether the sender may have it made, where, and of what. No effect except reading the image. */
enum status procd_create_plan(struct procd *procd, const struct procd_sender *sender,
                              const struct procd_wish *wish, struct procd_making *making);

/* The same of another life of what rests in an entry. */
enum status procd_create_plan_again(struct procd *procd, uint32_t index,
                                    struct procd_making *making);

/* --- create.c --------------------------------------------------------------------------------- */

/* Makes the process; on an error nothing of it is left. `kept`: bits of the slots that stay filled,
 * those that its creator gets, for one. */
enum status procd_make(struct procd *procd, const struct procd_sender *sender,
                       const struct procd_wish *wish, uint32_t kept, struct procd_making *making);

/* Sends the reply, which is filled in, and puts the process into the table; one that cannot be
 * delivered is undone. */
enum status procd_deliver(struct procd *procd, struct procd_making *making,
                          struct procd_request *request);

/* The mould of a staged process, filled with what the process holds. On an error nothing of it is
 * left, but for what was refused to be taken back; BUSY: that still is. */
enum status procd_mould_make(struct procd *procd, uint32_t index);

/* A successor for what rests in an entry, from its mould, and running. On an error nothing of it is
 * left, but for what was refused. */
enum status procd_create_again(struct procd *procd, uint32_t index);

/* --- ending.c --------------------------------------------------------------------------------- */

/* A deadline for calls to memd and pagerd (P12). */
uint64_t procd_peer_deadline(const struct procd *procd);

/* Notes when memd or pagerd is as good as dead; returns the status. */
enum status procd_peer_heard(struct procd *procd, enum status status);

enum procd_release { PROCD_RELEASED, PROCD_RELEASE_LEFT, PROCD_RELEASE_REFUSED };

/* Offers what is owed for a process once, of the parts named (PROCD_OWES_LIFE, PROCD_OWES_MOULD). LEFT:
 * memd has more to take back. */
enum procd_release procd_release(struct procd *procd, uint32_t index, uint64_t id,
                                 struct procd_process *process, uint32_t parts);

/* A process has ended, by order or for good: gives up its wait; gives it back at once when it has no children. */
void procd_end(struct procd *procd, uint32_t index, uint32_t reason, uint32_t code,
               uint64_t fault_va);

/* A life has ended and nobody ordered it: another one follows, or none; that of a critical process is
 * the end of the system (P8). `not_ready`: procd ended it. */
void procd_end_of_life(struct procd *procd, uint32_t index, bool not_ready,
                       const struct kernel_retire_process_reply *record);

/* Reads the kernel's record of a process that ran and gives it back to the kernel; what is refused
 * stays owed. Reason and code are the record's, or as they were. */
enum status procd_retire(struct procd *procd, uint32_t index,
                         struct kernel_retire_process_reply *record);

/* A few steps of what is left to do. */
void procd_sweep(struct procd *procd);

/* P8: nothing can go on without a foundation process. */
void procd_end_critical(struct procd *procd);

/* --- evidence.c ------------------------------------------------------------------------------- */

/* Writes down that a process was killed: its number. */
uint64_t procd_evidence_add(struct procd *procd, const struct procd_killed *killed);

/* Whether crashd has that number or a later one, or could not be told of it when it was tried: what
 * waits for the evidence goes on then (P9). */
bool procd_evidence_stands(const struct procd *procd, uint64_t number);

/* When there is something to tell; DEADLINE_NEVER: nothing. */
uint64_t procd_evidence_next_ticks(const struct procd *procd);

/* One call, if it is time for one. `now_ticks` is a clock that no call came after. */
void procd_evidence_step(struct procd *procd, uint64_t now_ticks);

const char *procd_evidence_check(const struct procd *procd);
void procd_evidence_visit_fields(const struct procd *procd,
                                 void (*visit)(void *context, uint64_t value), void *context);

/* --- notice.c --------------------------------------------------------------------------------- */

/* An entry has become a record: its owner is told, when it has a notice endpoint. */
void procd_notice_add(struct procd *procd, uint32_t index);

/* A client was told of the end of an entry otherwise. */
void procd_notice_asked(struct procd *procd, uint32_t owner, uint32_t index);

/* A client's life is over: it is told nothing more. Its endpoint goes with what its end gives
 * back. */
void procd_notice_forget(struct procd *procd, uint32_t index);

/* When the next call is made; DEADLINE_NEVER: nobody is to be told. */
uint64_t procd_notice_next_ticks(const struct procd *procd);

/* One call, if it is time for one; false: it is not. `now_ticks` is a clock that no call came
 * after. */
bool procd_notice_step(struct procd *procd, uint64_t now_ticks);

const char *procd_notice_check(const struct procd *procd);

/* --- transfer.c ------------------------------------------------------------------------------- */

/* The process to be in an entry is one no more: its transfer, if it is open, is over. */
void procd_transfer_forget(struct procd *procd, uint32_t index);

/* The open transfer, when its time is over; false: it is not. */
bool procd_transfer_step(struct procd *procd);

/* When that is; DEADLINE_NEVER: none is open. */
uint64_t procd_transfer_next_ticks(const struct procd *procd);

const char *procd_transfer_check(const struct procd *procd);
void procd_transfer_visit_fields(const struct procd *procd,
                                 void (*visit)(void *context, uint64_t value), void *context);

/* --- restart.c -------------------------------------------------------------------------------- */

/* Decides whether another life follows an end of this one that nobody ordered, and when. */
bool procd_restart_decide(struct procd *procd, uint32_t index, bool not_ready, uint32_t reason);

/* One restart that is due, or one process that becomes due; false: none is. */
bool procd_restart_step(struct procd *procd);

/* The call for READY that is due; false: none is. `now_ticks` is a clock that no call came after. */
bool procd_restart_ask(struct procd *procd, uint64_t now_ticks);

/* --- pace.c ----------------------------------------------------------------------------------- */

/* A child's time has come: it waits for its owner's turn. */
void procd_pace_add(struct procd *procd, uint32_t index);
/* It waits no longer, if it did. */
void procd_pace_forget(struct procd *procd, uint32_t index);

/* Whose turn it is; false: nobody's. */
bool procd_pace_due(const struct procd *procd, uint64_t now_ticks, uint32_t *index);
/* It has its turn now: its owner's next one, and anybody's, is later. */
void procd_pace_take(struct procd *procd, uint32_t index);

/* When the next turn is; DEADLINE_NEVER: nobody is due. */
uint64_t procd_pace_next_ticks(const struct procd *procd);

const char *procd_pace_check(const struct procd *procd);

/* --- deadlines.c ------------------------------------------------------------------------------ */

/* Its deadline, which it had none of; it has none any more. */
void procd_deadline_set(struct procd_deadlines *deadlines, uint32_t index, uint64_t ticks);
void procd_deadline_clear(struct procd_deadlines *deadlines, uint32_t index);
bool procd_deadline_has(const struct procd_deadlines *deadlines, uint32_t index);

/* Whose deadline is next, and not after `now_ticks`; false: nobody's. */
bool procd_deadline_due(const struct procd_deadlines *deadlines, uint64_t now_ticks,
                        uint32_t *index);

/* The next one; DEADLINE_NEVER: there is none. */
uint64_t procd_deadline_next(const struct procd_deadlines *deadlines);

/* Null when the heap is one. */
const char *procd_deadlines_check(const struct procd_deadlines *deadlines);

/* --- procd.c ---------------------------------------------------------------------------------- */

/* The state that whoever asks is told. */
enum process_state procd_reported_state(const struct procd_process *process);

/* --- lifecycle.c ---------------------------------------------------------------------------- */

/* A terminal event of the kernel. */
void procd_terminated(struct procd *procd, const struct event_process_terminated_request *event);

/* --- waiters.c -------------------------------------------------------------------------------- */

/* Tells who waits for an entry of its end; whether its owner did. */
bool procd_waiters_wake(struct procd *procd, uint32_t index);

/* Gives up the wait of a client that is gone. */
void procd_waiters_forget(struct procd *procd, uint32_t index);

/* A call came with this reply slot: whoever waited on it has given up. */
void procd_waiters_gone(struct procd *procd, uint32_t reply_slot);

/* Null when the waits are consistent. */
const char *procd_waiters_check(const struct procd *procd);

#endif
