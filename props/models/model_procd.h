/* SPDX-License-Identifier: ISC */
/* What procd must do, said a second time and simply: who may ask for what, what each operation
 * answers in each state, what it costs, whom a death concerns. Predicts the exact status and
 * content of every reply, in order, and the ledger behind it. Shares nothing with services/procd
 * but the contracts in abi/. */
#ifndef BASALT_PROPS_MODELS_MODEL_PROCD_H
#define BASALT_PROPS_MODELS_MODEL_PROCD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/formats/elf_plan.h"
#include "abi/message.h"
#include "abi/messages/pagerd.h"
#include "abi/messages/procd.h"
#include "abi/status.h"
#include "props/models/model.h"

enum model_procd_life { MODEL_PROCD_STAGED = 1, MODEL_PROCD_RUNNING, MODEL_PROCD_ENDED };

struct model_procd_process {
    uint64_t id;
    uint64_t owner;
    uint32_t role;
    enum model_procd_life life;
    bool died;       /* RUNNING, but the kernel has ended it and procd was not told yet */
    uint32_t reason; /* also of a death that procd was not told of */
    uint32_t code;
    uint64_t fault_va;
    uint64_t ended_turn; /* when it became a record: the oldest goes first */
    uint64_t image_offset;
    uint64_t image_bytes;
    uint64_t argument;
    uint32_t private_pages; /* mapped from the bootstrap untyped */
};

struct model_procd_wait {
    uint64_t id;
    uint64_t deadline_ticks;
    uint64_t request_id;
    uint64_t badge;
    bool gone; /* its caller gave up: it needs no answer */
};

/* A reply that must be sent. Values that the operation's reply does not have are zero. */
struct model_procd_reply {
    uint64_t request_id;
    uint16_t operation;
    enum status status;
    uint64_t id; /* CREATE, SPAWN, WAIT */
    uint32_t role, state, reason, code;
    uint64_t fault_va;
};

/* Written a second time, so that a limit of procd that changes is seen. */
enum {
    MODEL_PROCD_PROCESSES = 1024,
    MODEL_PROCD_WAITERS = 256,
    MODEL_PROCD_MEMORY_PAGES =
        250, /* that the envelope tells procd: memd's tables have two pages */
    MODEL_PROCD_REPLIES = MODEL_PROCD_WAITERS + 4
};

struct model_procd {
    bool bound;
    bool exited;
    uint32_t count; /* processes and records known so far */
    uint32_t live;  /* of those, the processes */
    uint64_t turn;
    uint64_t bootstrap_free_pages;
    uint64_t memory_free_pages;
    enum status (*image_read)(uint64_t offset_bytes, uint32_t count, void *bytes);
    uint32_t waiter_count;
    struct model_procd_wait waiters[MODEL_PROCD_WAITERS];
    uint32_t reply_count;
    struct model_procd_reply
        replies[MODEL_PROCD_REPLIES]; /* of the last step, in the order of sending */
    struct model_procd_process processes[MODEL_PROCD_PROCESSES];
};

/* A request as it was delivered, on which endpoint and when. */
struct model_procd_request {
    const struct message *message;
    bool on_driver;
    uint64_t now_ticks;
};

/* What became of the request itself; the replies that go out with it are in `replies`. */
struct model_procd_answer {
    bool later; /* it waits */
    bool lost;  /* its reply was lost, and nothing of it is left */
    enum status status;
    uint64_t made_id; /* of a process that was made; 0: none */
};

/* Pages of kernel memory of a process of the role, on a machine of MODEL_PROCD_MEMORY_PAGES. */
uint64_t model_procd_budget(uint32_t role);

/* Nothing created yet; both pools full. `image_read` gives bytes of the boot image. */
void model_procd_reset(struct model_procd *model, uint64_t bootstrap_pages, uint64_t memory_pages,
                       enum status (*image_read)(uint64_t offset_bytes, uint32_t count,
                                                 void *bytes));

struct model_procd_answer model_procd_step(struct model_procd *model,
                                           const struct model_procd_request *request,
                                           const struct model_failure *failure);

/* Time alone passed. */
void model_procd_tick(struct model_procd *model, uint64_t now_ticks);

/* The caller of a wait gives up. Returns the wait's request id; 0: there is no such wait. */
uint64_t model_procd_give_up(struct model_procd *model, uint64_t place);

/* The kernel ended a running process; procd does not know yet. */
void model_procd_died(struct model_procd *model, uint64_t id, uint32_t reason, uint32_t code,
                      uint64_t fault_va);

/* procd is told so, at `now_ticks`. */
void model_procd_event(struct model_procd *model, uint64_t id, uint64_t now_ticks);

/* A process or record; null when the id names none (any more). */
const struct model_procd_process *model_procd_find(const struct model_procd *model, uint64_t id);

/* When procd must look up next, seen from `now_ticks`. */
uint64_t model_procd_next_ticks(const struct model_procd *model, uint64_t now_ticks);

/* What procd must do with a module for a role, and its plan. */
enum status model_procd_plan(const struct model_procd *model, uint32_t role, uint64_t offset_bytes,
                             uint64_t size_bytes, struct elf_plan *plan);

/* What pagerd must be told of a process (token, slots and areas included; slots are zero). */
void model_procd_backing(const struct model_procd_process *process, const struct elf_plan *plan,
                         struct pagerd_register_process_request *out);

#endif
