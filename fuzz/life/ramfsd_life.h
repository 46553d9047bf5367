/* SPDX-License-Identifier: ISC */
/* What the files of ramfsd's life share: its state, what is drawn and what is compared. */
#ifndef BASALT_FUZZ_LIFE_RAMFSD_LIFE_H
#define BASALT_FUZZ_LIFE_RAMFSD_LIFE_H

#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_ramfsd.h"
#include "services/ramfsd/ramfsd.h"

/* Somebody who lists a directory while others change it. */
struct ramfsd_life_reader {
    uint64_t directory; /* 0: nobody does */
    uint64_t cursor;
    uint64_t stays[MODEL_RAMFSD_LIMIT + 1]; /* by place: entries that were there all the while */
    uint64_t given[MODEL_RAMFSD_LIMIT + 1]; /* by place: what it got */
};

struct ramfsd_life {
    uint16_t operation;                /* of the message that was sent last */
    struct model_ramfsd_answer answer; /* to it */
    struct ramfsd_life_reader reader;
    /* Before it: the nodes that are IMMUTABLE, with what may change of them left out. */
    uint32_t immutable_count;
    uint32_t immutable_places[MODEL_RAMFSD_LIMIT];
    struct ramfsd_node immutable[MODEL_RAMFSD_LIMIT];
};

extern struct ramfsd ramfsd;
extern struct model_ramfsd model;
extern struct ramfsd_life life;
extern const struct life_language ramfsd_life_language;

/* --- ramfsd_life.c --- */

/* Delivers a request and compares its answer with the model's: its status, or LIFE_LOST. */
unsigned ramfsd_life_exchange(struct message *request);

/* --- ramfsd_life_generate.c --- */

/* A request, mostly valid in the state that the model is in. */
void ramfsd_life_generate(struct choices *choices, struct message *request);

void draw_attach(struct choices *choices, struct life_draft *draft);
void draw_name(struct choices *choices, struct life_draft *draft);
void draw_node(struct choices *choices, struct life_draft *draft);
void draw_open(struct choices *choices, struct life_draft *draft);
void draw_read(struct choices *choices, struct life_draft *draft);
void draw_write(struct choices *choices, struct life_draft *draft);
void draw_create(struct choices *choices, struct life_draft *draft);
void draw_symlink(struct choices *choices, struct life_draft *draft);
void draw_rename(struct choices *choices, struct life_draft *draft);
void draw_truncate(struct choices *choices, struct life_draft *draft);
void draw_readdir(struct choices *choices, struct life_draft *draft);
void draw_set_metadata(struct choices *choices, struct life_draft *draft);

/* --- ramfsd_life_archive.c --- */

/* Begins with an archive, after those that are refused. */
void ramfsd_life_boot_archive(void *memory, uint64_t memory_bytes, uint32_t limit,
                              uint32_t open_limit);

/* --- ramfsd_life_check.c --- */

/* A reply is the model's, byte by byte. */
void compare_reply(void);

/* Notes what is IMMUTABLE; then whether it still is as it was (F6). */
void ramfsd_life_note_immutable(void);
void ramfsd_life_check_immutable(void);

/* The reader takes a step, or begins at the directory that is the n-th of all nodes. */
void ramfsd_life_reader_step(uint64_t n);

/* After a message: what went is not awaited any more (F5). */
void ramfsd_life_reader_sees(void);

/* Counts, and the unit's own check. */
void ramfsd_life_check(void);

/* Every node is asked for what it is, and every page for its bytes (F2, F3). */
void ramfsd_life_ask_all(void);

uint64_t ramfsd_life_digest(void);

/* What an operation met, for the marks: before it was sent. */
unsigned ramfsd_life_state(const struct message *request);

#endif
