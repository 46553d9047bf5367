/* SPDX-License-Identifier: ISC */
/* What procd must do, said a second time and simply: who may ask for what, what each operation
 * answers in each state, what it costs, what an end takes with it and when. Predicts the exact
 * status and content of every reply, in order, and the ledger behind it. Shares nothing with
 * services/procd but the contracts in abi/: here the tree is an array whose members name their
 * owners, and every question walks it. */
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

enum model_procd_life {
    MODEL_PROCD_FREE = 0,
    MODEL_PROCD_STAGED,
    MODEL_PROCD_RUNNING,
    MODEL_PROCD_ENDED,  /* a record */
    MODEL_PROCD_ENDING, /* it, or something below it, is still to be given back */
    MODEL_PROCD_OWED,   /* nobody's, but something of it was refused */
    MODEL_PROCD_RESTING /* between two lives */
};

struct model_procd_process {
    uint64_t id;
    uint64_t owner; /* id; 0: the administrator */
    uint32_t role;
    struct process_limits limits; /* asked for when it was made */
    uint32_t child_limit;         /* what follows from them */
    uint64_t set_aside_pages;
    enum model_procd_life life;
    bool died;       /* RUNNING, but the kernel has ended it and procd was not told yet */
    bool secret;     /* leaves no record */
    bool loaded;     /* its program was sent, or is */
    bool transfer;   /* it is: nobody is told of the process to be */
    bool in_hand;    /* ... and procd has a frame of it */
    bool owes;       /* a release of it was refused */
    bool owes_peer;  /* ... and pagerd or memd have something of it */
    uint32_t reason; /* also of a death that procd was not told of */
    uint32_t code;
    uint64_t fault_va;
    uint64_t made;        /* a count of what happened: when it was made */
    uint64_t since;       /* the same: when it got where it is (its life) */
    uint64_t retry_since; /* the same: when it was queued to be offered again */
    uint64_t retry_ticks;
    uint32_t closes;      /* messages that memd needs to take its account back */
    bool owes_mould_peer; /* memd has something of its mould that it refused to take back */
    uint64_t image_offset;
    uint64_t image_bytes;
    uint64_t data_offset;
    uint64_t data_bytes;
    uint64_t argument;
    struct procd_set_restart_policy_request policy;
    uint32_t lives;
    uint32_t used;         /* restarts in the window */
    uint32_t doublings;    /* of the next delay */
    uint64_t window_since; /* ticks */
    uint64_t ready_since;  /* ticks; of a life that is not asked for READY, its start */
    uint64_t ready_until;  /* ticks */
    uint64_t delay;        /* before the next life */
    uint64_t next_ticks;   /* when its next life or call for READY is due */
    bool timed;            /* it will be */
    bool due;              /* it is, and waits for its owner's turn */
    uint64_t due_since;    /* a count of what happened */
    uint64_t pace_ticks;   /* when its own children have their next turn */
    uint64_t killed_as;    /* the number of its last end that is evidence */
    bool follows;          /* it is ending, and has another life */
    bool asked;            /* it has not said READY */
    bool parked;
    uint32_t mould_closes;  /* messages that memd needs for the account of its mould; 0: no mould */
    bool mould_dirty;       /* of one that could not be made something was refused */
    uint32_t holds;         /* capabilities that were installed in it */
    uint32_t notice;        /* object of its notice endpoint; 0: it has none */
    uint64_t notice_of;     /* the youngest end that it does not know of; 0: it knows */
    uint32_t notice_count;  /* calls that were in vain since */
    uint64_t notice_ticks;  /* of the next one */
    uint32_t private_pages; /* mapped from the bootstrap untyped */
    uint32_t frames;        /* that hold its bytes, of one that is loaded */
};

/* What was sent. Of one that is over, the bytes of its program are what it is compared with. */
enum { MODEL_PROCD_SENT_BYTES = 1 << 19 }; /* more than a life has messages for */
struct model_procd_transfer {
    uint64_t id; /* of the open one; 0: there is none */
    uint64_t last_id;
    uint64_t image_bytes;
    uint64_t received;
    uint64_t until_ticks;
    struct procd_begin_loader_image_transfer_request request;
    uint32_t segment_count;
    struct procd_loader_segment segments[ELF_SEGMENT_LIMIT];
    uint8_t bytes[MODEL_PROCD_SENT_BYTES];
};

struct model_procd_wait {
    uint64_t who; /* id of the client; 0: the administrator */
    uint64_t id;
    uint64_t deadline_ticks;
    uint64_t request_id;
    uint32_t reply_slot;
    bool gone; /* its caller gave up: it needs no answer */
};

/* What an inspector is told, by operation. */
struct model_procd_inspected {
    struct procd_list_processes_reply process;
    struct procd_read_slot_reply slot;
};

/* A reply that must be sent. Values that the operation's reply does not have are zero. */
struct model_procd_reply {
    uint64_t request_id;
    uint16_t operation;
    enum status status;
    uint64_t id;       /* CREATE, SPAWN, BEGIN, COMMIT, WAIT; of SET_NOTICE the caller's own */
    uint64_t received; /* bytes of a transfer */
    uint32_t role, state, reason, code, lives;
    uint64_t fault_va;
    struct procd_get_restart_policy_reply policy;
    struct model_procd_inspected inspected;
};

/* What the kernel, pagerd and memd still have of a process when a turn is over, and of its mould. */
struct model_procd_left {
    bool in_kernel;  /* the process, staged, running or ended */
    bool with_peer;  /* its registration, its account, or a release of these that was refused */
    bool in_slots;   /* the process, a capability of it, or a drop of one that was refused */
    bool other;      /* the same, its registration, or a refused release */
    uint32_t closes; /* messages that its account still needs; 0: it has none */
    struct {
        bool in_kernel;
        bool with_peer;
        bool in_slots;
        uint32_t closes;
    } mould;
};

/* Who knows: the books of the stand-ins. */
typedef struct model_procd_left model_procd_books(uint64_t id);

/* Written a second time, so that a limit of procd that changes is seen. */
enum {
    MODEL_PROCD_PROCESSES = 1022,
    MODEL_PROCD_WAITS = MODEL_PROCD_PROCESSES + 1,
    MODEL_PROCD_REPLIES = MODEL_PROCD_WAITS + 16,
    MODEL_PROCD_KILLED = 4096,
    MODEL_PROCD_KEPT = 256,        /* of them, by procd */
    MODEL_PROCD_STEPS = 4,         /* of the sweep in one turn */
    MODEL_PROCD_MEMORY_PAGES = 250 /* that the envelope tells procd: memd's tables have two pages */
};

/* Killed processes, in order, of which crashd (0) and logd (1) are to be told. */
struct model_procd_killed {
    uint64_t id, owner, fault_va, ticks;
    uint32_t role, reason, code;
};
struct model_procd_told {
    uint64_t tried; /* there were so many when it could not be told last */
    uint64_t count; /* of those that there were, so many are done with */
    uint64_t retry_ticks;
    uint64_t news_ticks; /* the same when there were more since */
    bool found;
};
struct model_procd_evidence {
    bool named; /* procd has an end of it, and has not found out that it is dead */
    uint64_t count;
    struct model_procd_killed killed[MODEL_PROCD_KILLED];
    struct model_procd_told told[2];
    uint32_t kept_count;
    uint64_t
        kept[MODEL_PROCD_KEPT]; /* numbers of those that one of the two is still to be told of */
    uint64_t kept_owners[MODEL_PROCD_KEPT];
};

/* What procd says in a turn, and to whom: a role; 0: to nobody. */
struct model_procd_word {
    uint32_t role;
    uint32_t looked_up; /* of named */
    uint64_t number;    /* of crashd and logd: which one they are told of */
    const struct model_procd_killed *killed;
};

/* The call of a client, whose process has ended. */
struct model_procd_notice {
    uint64_t client; /* 0: nobody is called */
    uint32_t object;
    uint64_t ended;
};

/* What became of restarts and of the call for READY, as far as that is not procd's doing. */
struct model_procd_again {
    uint32_t unread_count; /* restarts that could not read the module, before any other */
    bool unmade;           /* the one after them met a failure */
    bool answered;         /* somebody was asked */
    enum status answer;    /* what that came to */
};

struct model_procd {
    bool bound;
    bool exited;
    bool exits_alone; /* it has ended the system because of a policy */
    bool starved;     /* a client had places and found no entry */
    uint32_t count;   /* places used so far */
    uint64_t happened;
    uint64_t bootstrap_pages; /* all of the bootstrap untyped */
    uint64_t memory_pages;    /* all that memd has for accounts */
    uint32_t closes;          /* messages that memd needs for an account that is opened now */
    uint64_t now_ticks;       /* of the turn */
    struct model_procd_again again;
    uint64_t pace_ticks;      /* when anybody's children have their next turn */
    uint64_t top_pace_ticks;  /* and when those of the administrator have */
    uint32_t restarted;       /* lives that began or failed to, in the turn */
    uint64_t asked_id;        /* who was asked for READY in it; 0: nobody */
    model_procd_books *books; /* as they are when the turn is over */
    enum status (*image_read)(uint64_t offset_bytes, uint32_t count, void *bytes);
    /* What the kernel tells of the end that was installed in a slot: its token, and the object. */
    uint64_t (*behind)(uint32_t slot, uint32_t *object, uint32_t *object_type);
    struct model_procd_evidence evidence;
    struct model_procd_transfer transfer;
    uint64_t notice_pause_ticks; /* no client is called before */
    uint32_t wait_count;
    struct model_procd_wait waits[MODEL_PROCD_WAITS];
    uint32_t reply_count;
    struct model_procd_reply
        replies[MODEL_PROCD_REPLIES]; /* of the last turn, in the order of sending */
    struct model_procd_process processes[MODEL_PROCD_PROCESSES];
    /* Places where something is going on, in any order, and perhaps some where nothing does any more:
     * what concerns only these is asked of them. */
    uint32_t stirring_count;
    uint16_t stirring[MODEL_PROCD_PROCESSES];
    bool stirs[MODEL_PROCD_PROCESSES]; /* whether a place is among them */
};

/* What failed of a request's own doing, as opposed to a release, which only stays owed. */
struct model_procd_failure {
    uint32_t count;
    enum status status;
    uint16_t operation; /* of the call that failed */
    enum status reply;  /* what the kernel says to the reply; OK: it is sent */
};

/* One turn: a request or the end of a process as it was delivered, or neither. */
struct model_procd_turn {
    const struct message *message; /* null: no request */
    uint64_t ended_id;             /* of a terminal event; 0: none */
    bool on_driver;
    uint32_t reply_slot;
    uint32_t object;       /* what SET_NOTICE brings */
    uint64_t now_ticks;    /* what the RECV on the bootstrap endpoint said */
    uint64_t driver_ticks; /* what that on the driver endpoint said */
    struct model_procd_failure failure;
    struct model_procd_again again;
};

/* What procd has to say in a turn when nothing comes at the driver endpoint, and what it makes of the
 * answer. */
bool model_procd_word_stands(const struct model_procd *model, uint64_t number);
uint64_t model_procd_word_ticks(const struct model_procd *model); /* when; UINT64_MAX: nothing */
struct model_procd_word model_procd_word(const struct model_procd *model, uint64_t now_ticks);
void model_procd_heard(struct model_procd *model, const struct model_procd_word *word,
                       enum status status, bool answered, uint64_t now_ticks);

/* The same of clients that are called, which comes first. */
uint64_t model_procd_notice_ticks(const struct model_procd *model);
struct model_procd_notice model_procd_notice(const struct model_procd *model, uint64_t now_ticks);
void model_procd_notice_heard(struct model_procd *model, const struct model_procd_notice *notice,
                              enum status status, uint64_t now_ticks);

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
                       model_procd_books *books,
                       enum status (*image_read)(uint64_t offset_bytes, uint32_t count,
                                                 void *bytes));

struct model_procd_answer model_procd_turn(struct model_procd *model,
                                           const struct model_procd_turn *turn);

/* The caller of a wait gives up. Returns the wait's request id; 0: there is no such wait. */
uint64_t model_procd_give_up(struct model_procd *model, uint64_t place);

/* The kernel ended a running process; procd does not know yet. */
void model_procd_died(struct model_procd *model, uint64_t id, uint32_t reason, uint32_t code,
                      uint64_t fault_va);

/* A process or record; null when the id names none (any more). */
const struct model_procd_process *model_procd_find(const struct model_procd *model, uint64_t id);

/* A process that is staged or runs; one of which something is still to be given back. */
bool model_procd_lives(const struct model_procd_process *process);
bool model_procd_is_left(const struct model_procd_process *process);

/* The i-th of those that may be ending, owe something, or wait for a time, a turn or a call. */
static inline const struct model_procd_process *
model_procd_stirring(const struct model_procd *model, uint32_t i)
{
    return &model->processes[model->stirring[i]];
}

/* For the harness: none of these is forgotten. */
bool model_procd_stirring_is_whole(const struct model_procd *model);

/* Whether a part of a process is elsewhere still. */
bool model_procd_life_is_left(const struct model_procd_left *left);
bool model_procd_mould_is_left(const struct model_procd_left *left);

/* Somebody puts a capability into a staged process. */
void model_procd_installed(struct model_procd *model, uint64_t id);

/* Whether anything is ending or owed: procd has work left. */
bool model_procd_works(const struct model_procd *model);
bool model_procd_ends(const struct model_procd *model); /* the former */

/* What is free of the bootstrap untyped, unless something of the foundation is owed. */
uint64_t model_procd_bootstrap_free(const struct model_procd *model);

/* When procd must look up next, seen from `now_ticks`. */
uint64_t model_procd_next_ticks(const struct model_procd *model, uint64_t now_ticks);

/* What a process may have: its role, with fewer pages of its own when its maker asked for fewer, and
 * never more set aside than it may have. */
struct role model_procd_role(uint32_t role, const struct process_limits *limits);

/* Where a process's program lies in the image, and data that it is given. */
struct model_procd_files {
    uint64_t offset, bytes, data_offset, data_bytes;
};

/* What procd must do with a module for a role, and its plan. */
enum status model_procd_plan(const struct model_procd *model, const struct role *role,
                             const struct model_procd_files *files, struct elf_plan *plan);

/* The same of a program that is sent. */
enum status model_procd_loaded(const struct procd_begin_loader_image_transfer_request *request,
                               struct elf_plan *plan);

/* Whether a page of a segment, counted from 0, is the image's own. */
bool model_procd_shares(const struct elf_segment *segment, uint64_t page);

/* What pagerd must be told of a process (token, slots and areas included; slots are zero). */
void model_procd_backing(const struct model_procd_process *process, const struct elf_plan *plan,
                         struct pagerd_register_process_request *out);

#endif
