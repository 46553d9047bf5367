/* SPDX-License-Identifier: ISC */
/* What loaderd must answer and do, written from its contract (services/loaderd/loaderd.h). The calls
 * that it makes are replayed: the model says which one comes next and with which fields, and what its
 * outcome, which is the environment's, means for the launch or the program that it was made for. */
#ifndef BASALT_PROPS_MODELS_MODEL_LOADERD_H
#define BASALT_PROPS_MODELS_MODEL_LOADERD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/formats/elf_plan.h"
#include "abi/formats/sha256.h"
#include "abi/message.h"
#include "abi/messages/loaderd.h"
#include "abi/messages/procd.h"
#include "abi/messages/vfsd.h"
#include "props/models/model.h"

enum {
    MODEL_LOADERD_SEATS = 8,
    MODEL_LOADERD_EACH = 32,    /* programs of a client */
    MODEL_LOADERD_SHARE = 2048, /* pages that those of a client may have */
    MODEL_LOADERD_PROGRAMS = MODEL_LOADERD_SEATS * MODEL_LOADERD_EACH,
    MODEL_LOADERD_ANSWERS = 32
};

/* A call that loaderd made. */
struct model_loaderd_call {
    uint16_t operation;
    bool answered; /* by the peer; false: the status is the kernel's */
    enum status status;
    uint64_t deadline_ticks;
    union {
        struct vfsd_open_request open;
        struct vfsd_read_request read;
        struct vfsd_close_request close;
        struct vfsd_stat_handle_request stat;
        struct procd_begin_loader_image_transfer_request begin;
        struct procd_send_loader_image_chunk_request chunk;
        struct procd_commit_loader_image_transfer_request commit;
        struct procd_abort_loader_image_transfer_request abort;
        struct procd_stop_process_request stop;
        struct procd_wait_process_event_request wait;
    } asked;
    union {
        struct vfsd_open_reply open;
        struct vfsd_read_reply read;
        struct vfsd_stat_handle_reply stat;
        struct procd_begin_loader_image_transfer_reply begin;
        struct procd_send_loader_image_chunk_reply chunk;
        struct procd_commit_loader_image_transfer_reply commit;
        struct procd_wait_process_event_reply wait;
    } told;
};

struct model_loaderd_calls {
    const struct model_loaderd_call *calls;
    uint32_t count;
};

struct model_loaderd_program {
    uint32_t role; /* 0: none */
    uint64_t id;
    uint64_t number; /* in the order of the launches */
    uint64_t pages;  /* that it may have, with its kernel memory */
    bool ended;
    bool wondered;           /* procd is to be asked of it */
    bool silent;             /* it was, in a turn, and did not answer */
    uint64_t wondered_since; /* in turns' questions */
    uint64_t picked;         /* the last one that was of it */
    uint32_t reason;
    uint32_t code;
    uint64_t fault_va;
};

/* A client with a place at the table. */
struct model_loaderd_seat {
    uint32_t role; /* 0: nobody */
    bool launches;
    bool launch_gone;    /* loaderd knows that nobody waits for it */
    bool launch_unheard; /* nobody does, and loaderd cannot know */
    uint32_t launch_slot;
    uint64_t launch_request;
    uint32_t path_count;
    uint8_t path[FILE_PATH_BYTES_MAX];
    bool waits;
    bool wait_gone;
    uint32_t wait_slot;
    uint64_t wait_request;
    uint64_t wait_id;
    uint64_t wait_until;
};

/* What a launch is about to do. */
enum model_loaderd_step {
    STEP_NONE,
    STEP_OPEN,
    STEP_LOOK,
    STEP_SUM,
    STEP_BEGIN,
    STEP_SEND,
    STEP_COMMIT
};

/* An answer to a call that was kept. */
struct model_loaderd_told {
    uint32_t slot;
    uint64_t request_id;
    uint16_t operation;
    enum status status;
    bool gone; /* nobody is there to take it */
    struct loaderd_wait_program_reply wait;
    uint64_t process_id;
};

struct model_loaderd {
    uint64_t now_ticks;
    uint64_t look_ticks;
    uint64_t launch_count;
    uint64_t question_count; /* that turns asked */
    uint32_t turn;           /* the seat whose launch is next */
    struct model_loaderd_seat seats[MODEL_LOADERD_SEATS];
    uint32_t programs_used; /* places that ever had a program */
    struct model_loaderd_program programs[MODEL_LOADERD_PROGRAMS];

    /* What is to be given back. */
    bool owes_transfer;
    bool owes_process;
    bool owes_handle;
    bool owes_attach;
    uint64_t not_before_ticks;

    /* The launch in hand. */
    enum model_loaderd_step step;
    uint32_t seat;
    uint64_t handle;
    uint64_t transfer_id;
    uint64_t process_id;
    struct vfsd_open_reply file;
    struct elf_plan plan;
    uint32_t segment; /* of the pass, and how much of it is done, and of all */
    uint64_t done;
    uint64_t all;
    uint64_t image_bytes;
    uint64_t pages;
    struct sha256 sum;
    uint8_t digest[SHA256_BYTES];

    struct model_loaderd_told told[MODEL_LOADERD_ANSWERS]; /* since it was emptied */
    uint32_t told_count;
};

struct model_loaderd_answer {
    enum status status;
    bool later;
    bool changed;
    struct loaderd_wait_program_reply wait;
    struct loaderd_query_program_reply query;
};

void model_loaderd_reset(struct model_loaderd *model);

/* One message, received at `now_ticks` with that reply slot, in which loaderd made the calls. Empties
 * the list of answers first. */
struct model_loaderd_answer model_loaderd_step(struct model_loaderd *model,
                                               const struct message *request, uint32_t reply_slot,
                                               uint64_t now_ticks,
                                               struct model_loaderd_calls calls);

/* One loaderd_tick at `now_ticks`, whose answers come behind those of the message before. */
void model_loaderd_tick(struct model_loaderd *model, uint64_t now_ticks,
                        struct model_loaderd_calls calls);

/* Whoever waited behind that slot waits no more, and loaderd cannot know. */
void model_loaderd_left(struct model_loaderd *model, uint32_t reply_slot);

/* When a tick has something to do: DEADLINE_POLL, at once; DEADLINE_NEVER, when something comes. */
uint64_t model_loaderd_next(const struct model_loaderd *model);

/* Whether a program of anybody's has that number, and has not ended as far as loaderd knows. */
bool model_loaderd_runs(const struct model_loaderd *model, uint64_t process_id);

#endif
