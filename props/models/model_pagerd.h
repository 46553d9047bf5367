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
    MODEL_PAGERD_RETRY = 100,
    MODEL_PAGERD_WAIT = 60000
};

/* Something pagerd did. Objects are named by what they are, never by a slot of pagerd's. */
enum pagerd_act {
    ACT_REGISTER_VSPACE,   /* vspace, account; out: vspaced's slot */
    ACT_UNREGISTER_VSPACE, /* vspaced's slot */
    ACT_GUARD,             /* vspaced's slot, va, pages */
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
    uint64_t space; /* vspaced's slot */
    uint64_t account;
    uint64_t pages; /* private and demand-zero ones */
    uint64_t last_fault_id;
    uint64_t faults;
    uint64_t resolved;
    uint32_t page_limit;
    uint32_t area_count;
    struct pagerd_area areas[PAGERD_AREA_LIMIT];
};

struct model_pagerd_fill {
    uint64_t id;
    uint64_t token;
    uint64_t page; /* address */
    bool parked;   /* else it waits for its turn */
    bool parked_before;
    uint64_t parked_first;
    uint64_t retry;
    uint64_t park_order;
};

struct model_pagerd_faulter {
    uint64_t fill_id;
    uint64_t slot;
    uint64_t request_id;
};

struct model_pagerd {
    uint64_t now;
    uint64_t last_id;
    uint64_t park_orders;
    uint64_t stuck_frame; /* its capability could not be dropped */
    unsigned lost;        /* places whose account capability could not be dropped */
    unsigned process_count;
    unsigned fill_count;
    unsigned faulter_count;
    unsigned turn_count;
    uint64_t tokens[MODEL_PAGERD_PROCESSES]; /* of the processes, row by row: quick to walk */
    struct model_pagerd_process processes[MODEL_PAGERD_PROCESSES];
    struct model_pagerd_fill fills[MODEL_PAGERD_FILLS];          /* in order of their ids */
    struct model_pagerd_faulter faulters[MODEL_PAGERD_FAULTERS]; /* in order of arrival */
    uint64_t turns[MODEL_PAGERD_FILLS];                          /* tokens whose turn comes */
};

/* What pagerd had to send back for the message itself. */
struct model_pagerd_answer {
    bool later; /* nothing, or not in this way */
    enum status status;
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

/* When a tick has something to do. */
uint64_t model_pagerd_deadline(const struct model_pagerd *model);

#endif
