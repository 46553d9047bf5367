/* SPDX-License-Identifier: ISC */
/* What pagerd must do, said plainly: flat rows in order of arrival, no lists, no indices. The model
 * walks along with what pagerd really did (a log of its calls and answers) and states, call by call
 * and answer by answer, what had to come next; what a peer answered decides how it goes on. */
#ifndef BASALT_PROPS_MODELS_MODEL_PAGERD_H
#define BASALT_PROPS_MODELS_MODEL_PAGERD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/event.h"
#include "abi/messages/pagerd.h"
#include "abi/status.h"
#include "props/models/model.h"

enum {
    MODEL_PAGERD_PROCESSES = 1024,
    MODEL_PAGERD_FILLS = 128,
    MODEL_PAGERD_FAULTERS = 256,
    MODEL_PAGERD_TURNS = 8,
    MODEL_PAGERD_BLOCK = 16,
    MODEL_PAGERD_WALK = 4,
    MODEL_PAGERD_TABLE = 0x200000,
    MODEL_PAGERD_RETRY = 100,
    MODEL_PAGERD_WAIT = 60000,
    MODEL_PAGERD_PEER = 20000
};

/* Something pagerd did. Objects are named by what they are, never by a slot of pagerd's. */
enum pagerd_act {
    ACT_REGISTER_VSPACE,   /* vspace, account, regions; out: vspaced's slot */
    ACT_UNREGISTER_VSPACE, /* vspaced's slot */
    ACT_GUARD,             /* vspaced's slot, va, pages */
    ACT_QUERY_REGION,      /* vspaced's slot, va; out: rights */
    ACT_MAP_ANONYMOUS,     /* vspaced's slot, va, rights, pages */
    ACT_MAP_IMAGE,         /* vspaced's slot, va, rights, pages, page of the image */
    ACT_MAP_FRAME,         /* vspaced's slot, va, rights, pages, frame id */
    ACT_ALLOC_FRAMES,      /* account, count; out: frame id */
    ACT_FREE_FRAMES,       /* account, count, frame id */
    ACT_FRAME_COPY,        /* offset in the image, frame id, offset in the frame, bytes */
    ACT_KEEP_ACCOUNT,      /* account */
    ACT_DROP_ACCOUNT,      /* account */
    ACT_DROP_FRAME,        /* frame id; 0: the slot was empty */
    ACT_ANSWER             /* reply slot, request id, verdict, reason */
};

struct pagerd_event {
    enum pagerd_act act;
    uint64_t what[5]; /* as the act says; the rest zero */
    uint64_t out;
    enum status result;
};

struct pagerd_log {
    const struct pagerd_event *events;
    unsigned count;
    unsigned used; /* how many the model has walked over */
};

struct model_pagerd_process {
    uint64_t token;
    uint64_t space; /* vspaced's slot; 0: a later process has it */
    uint64_t account;
    uint64_t pages; /* private and demand-zero ones */
    uint64_t last_fault_id;
    uint64_t faults;
    uint64_t resolved;
    uint64_t doubt_page;  /* vspaced has not said whether it is there; 0: none */
    uint64_t doubt_pages; /* that were asked for with it, itself included */
    uint64_t got_last;    /* the page of its own that came last, the highest of those that came */
    uint64_t owed_frame; /* memd has not taken it back; the one for doubt_page, when there is one */
    uint64_t vain_page;  /* told to be there with vain_rights, without a mapping; 0: none */
    uint32_t vain_rights;
    uint32_t page_limit;
    uint32_t flags;
    uint32_t area_count;
    struct pagerd_area areas[PAGERD_AREA_LIMIT];
};

enum model_pagerd_wait { MODEL_QUEUED, MODEL_PARKED, MODEL_WOKEN };

struct model_pagerd_fill {
    uint64_t id;
    uint64_t token;
    uint64_t page; /* address */
    enum model_pagerd_wait wait;
    bool timed_out;  /* once */
    bool books_late; /* so was the question whether the page is there */
    bool there;      /* vspaced said so: nothing else is asked for any more */
    bool runs;       /* its turn is now */
    uint32_t asked;  /* rights */
    uint64_t parked_first;
    uint64_t park_order; /* 0: never parked */
};

struct model_pagerd_faulter {
    uint64_t fill_id;
    uint64_t slot;
    uint64_t request_id;
};

/* What was refused and is repeated: of a process that is left, or the page of one that is there. */
struct model_pagerd_owed {
    bool is_left; /* else the process with the token has a page in doubt, or owes a frame */
    uint64_t token;
    uint64_t space; /* 0: left */
    bool has_account;
    uint64_t account;
};

struct model_pagerd {
    struct pagerd_log *log; /* of the step in hand */
    uint64_t now;
    uint64_t last_id;
    uint64_t park_orders;
    uint64_t wake_at;     /* the parked, by the clock */
    uint64_t settle_at;   /* what is owed */
    bool wakes;           /* all the parked are to be woken */
    unsigned new_turns;   /* first */
    uint64_t stuck_frame; /* its capability could not be dropped */
    unsigned process_count;
    unsigned fill_count;
    unsigned faulter_count;
    unsigned turn_count;
    unsigned owed_count;
    unsigned orphan_count;
    uint64_t tokens[MODEL_PAGERD_PROCESSES]; /* of the processes, row by row: quick to walk */
    struct model_pagerd_process processes[MODEL_PAGERD_PROCESSES];
    struct model_pagerd_fill fills[MODEL_PAGERD_FILLS];          /* in order of their ids */
    struct model_pagerd_faulter faulters[MODEL_PAGERD_FAULTERS]; /* in order of arrival */
    uint64_t turns[MODEL_PAGERD_FILLS];                          /* tokens whose turn comes */
    struct model_pagerd_owed owed[MODEL_PAGERD_PROCESSES];       /* in order of the next attempt */
    uint64_t orphans[MODEL_PAGERD_PROCESSES]; /* frames that were owed for who is left */
};

/* What pagerd had to send back for the message itself. */
struct model_pagerd_answer {
    bool later; /* nothing, or not in this way */
    enum status status;
    bool leaves; /* a refused request that could not be undone: something is owed now, or no more */
    bool forgot; /* whatever came of the message, it ended what was kept for its slot */
    union {
        struct pagerd_unregister_process_reply unregister;
        struct pagerd_resolve_fault_reply resolve;
        struct pagerd_query_faults_reply query;
        struct event_fault_reply fault;
    } body; /* of an accepted message */
};

/* A message as it was delivered (header.badge is the sender), and what the kernel said with it. */
struct model_pagerd_request {
    const struct message *message;
    uint64_t now;
    uint64_t slot;   /* for the reply */
    uint64_t vspace; /* REGISTER_PROCESS: what its capabilities name */
    uint64_t account;
};

/* Empty again; the cost is that of what was used. */
void model_pagerd_reset(struct model_pagerd *model);

/* The request was handled, doing what the log says, failures and all. States that each thing done
 * is the one that had to be done; returns the reply that had to be. */
struct model_pagerd_answer model_pagerd_step(struct model_pagerd *model,
                                             const struct model_pagerd_request *request,
                                             struct pagerd_log *log);

/* The same for a tick. */
void model_pagerd_tick(struct model_pagerd *model, uint64_t now, struct pagerd_log *log);

/* The process with a token; null: none. */
struct model_pagerd_process *model_pagerd_process(struct model_pagerd *model, uint64_t token);

/* Processes that are left and not yet forgotten, and the account capabilities held for them. */
unsigned model_pagerd_left(const struct model_pagerd *model, unsigned *account_count);

/* Whether memd is still to be asked to take the frame back, or its process is gone. */
bool model_pagerd_owes_frame(const struct model_pagerd *model, uint64_t frame_id);

/* When a tick has something to do. */
uint64_t model_pagerd_deadline(const struct model_pagerd *model);

#endif
