/* SPDX-License-Identifier: ISC */
/* What the files of procd's model share. */
#ifndef BASALT_PROPS_MODELS_MODEL_PROCD_INTERNAL_H
#define BASALT_PROPS_MODELS_MODEL_PROCD_INTERNAL_H

#include "abi/roles.h"
#include "props/models/model_procd.h"

/* --- model_procd_making.c --- */

/* One request on its way through the model. */
struct ask {
    struct model_procd *model;
    const struct model_procd_turn *turn;
    const struct message *message;
    uint64_t who; /* id of the client; 0: the administrator */
    uint64_t now_ticks;
    bool on_driver;
};

struct model_procd_order {
    uint32_t role;
    uint64_t offset, bytes, argument;
    bool starts;
    struct process_limits limits;
    uint64_t data_offset, data_bytes;
    const struct procd_begin_loader_image_transfer_request *loaded; /* null: a module */
};

/* Whether a process of the role may have these limits. */
enum status model_procd_limits(const struct role *role, const struct process_limits *limits);

/* The reply to the request itself; null when it is lost on its way. */
struct model_procd_reply *model_procd_reply(const struct ask *ask, enum status status);

/* Answers as well. The id of the process that is there; 0: none is. */
uint64_t model_procd_make(const struct ask *ask, const struct model_procd_order *order);

/* --- model_procd_transfer.c --- */

void model_procd_transfer(const struct ask *ask, const void *body);
/* One that ends may be what is sent. */
void model_procd_transfer_over(struct model_procd *model,
                               const struct model_procd_process *process);
/* Whether the open one has timed out, and whether memd or pagerd were called for its end. */
bool model_procd_transfer_step(struct model_procd *model, bool *called);

/* --- model_procd_tree.c: who lives, who owns whom, what an end takes with it --- */

struct model_procd_process *model_procd_entry(struct model_procd *model, uint64_t id);
bool model_procd_is_foundation(uint32_t role);

/* Something is going on with a process from now on; who is not concerned any more is dropped when a
 * turn begins. */
void model_procd_stirs(struct model_procd *model, const struct model_procd_process *process);
void model_procd_settle(struct model_procd *model);

bool model_procd_role_lives(const struct model_procd *model, uint64_t role, bool running);
bool model_procd_foundation_runs(const struct model_procd *model);

/* Whether anything but the foundation lives or is still to be given back. */
bool model_procd_others_are_left(const struct model_procd *model);

/* Where an owner's next process goes and which id it gets; null: nowhere, for `status`. */
struct model_procd_process *model_procd_next(struct model_procd *model, uint64_t owner,
                                             const struct role *role, uint64_t *id,
                                             enum status *status);
/* The owner's oldest records go until there is room. */
void model_procd_make_room(struct model_procd *model, uint64_t owner, const struct role *role);

/* What memd says to an account for a process of the role. */
enum status model_procd_account(const struct model_procd *model, uint64_t owner,
                                const struct role *role);

enum status model_procd_mould_account(const struct model_procd *model, uint64_t owner);

/* A process ends; without children it is given back at once. Whether memd or pagerd were called. */
bool model_procd_end(struct model_procd *model, struct model_procd_process *process,
                     uint32_t reason, uint32_t code, uint64_t fault_va);

/* Nobody ordered an end: another life follows, or none, or the system ends. `not_ready`: it was ended
 * because it was not. */
void model_procd_life_over(struct model_procd *model, struct model_procd_process *process,
                           bool not_ready, uint32_t reason, uint32_t code, uint64_t fault_va);

/* --- model_procd_lives.c --- */

bool model_procd_follows(struct model_procd *model, struct model_procd_process *process,
                         bool not_ready, uint32_t reason);
/* It rests from now on, or goes on resting. */
void model_procd_rests(struct model_procd *model, struct model_procd_process *process);
/* Whether memd or pagerd were called; a life that begins, or somebody who becomes due. False in *due:
 * none is. */
bool model_procd_lives_step(struct model_procd *model, bool *due);
/* The call for READY, when one is due at a clock that nothing came after. */
void model_procd_ask(struct model_procd *model, uint64_t now_ticks);
/* When somebody who is due has its turn; UINT64_MAX: nobody is. */
uint64_t model_procd_turn_ticks(const struct model_procd *model);
/* Something of it is refused, and is offered again in time. */
void model_procd_owes(struct model_procd *model, struct model_procd_process *process);

/* --- model_procd_tree.c again --- */

/* What was undone and refused to go. */
void model_procd_owe(struct model_procd *model, struct model_procd_process *place, uint64_t id,
                     uint32_t role, uint64_t owner);

void model_procd_sweep(struct model_procd *model);

/* --- model_procd_evidence.c --- */

/* One that ran has ended, and not by its own EXIT. */
void model_procd_killed(struct model_procd *model, const struct model_procd_process *process);

/* --- model_procd_waits.c --- */

struct model_procd_reply *model_procd_answer_add(struct model_procd *model, uint64_t request_id,
                                                 uint16_t operation, enum status status);
void model_procd_answer_record(struct model_procd_reply *out,
                               const struct model_procd_process *process);
void model_procd_wait(struct model_procd *model, const struct model_procd_wait *wait);
void model_procd_waits_due(struct model_procd *model, uint64_t now_ticks);
/* Whether its owner waited. */
bool model_procd_waits_wake(struct model_procd *model, const struct model_procd_process *process);
void model_procd_waits_forget(struct model_procd *model, uint64_t who);
void model_procd_waits_noticed(struct model_procd *model, uint32_t reply_slot);

/* --- model_procd_notices.c --- */

/* A record is there that its owner was not told of; the client `who` is told by something else. */
void model_procd_notices_add(struct model_procd *model, const struct model_procd_process *record);
void model_procd_notices_told(struct model_procd *model, uint64_t who, uint64_t id);

/* --- model_procd_inspect.c --- */

/* State and record, as QUERY and LIST tell them. */
void model_procd_tell(struct model_procd_reply *out, const struct model_procd_process *process);
enum status model_procd_inspect(const struct model_procd *model, uint16_t operation,
                                const void *body, struct model_procd_inspected *told);

/* --- model_procd_plan.c --- */

/* The row of a role; the table is searched once for each. */
const struct role *model_procd_row(uint32_t role);

/* Whether what is fixed in the address space is free. */
enum status model_procd_space(const struct role *role, const struct elf_plan *plan);

/* Pages of the bootstrap untyped that a foundation process takes besides its kernel memory. */
uint32_t model_procd_private_pages(const struct role *role, const struct elf_plan *plan);

#endif
