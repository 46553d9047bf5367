/* SPDX-License-Identifier: ISC */
/* What the files of logd's life share: the state of the life, what is drawn and what is compared. */
#ifndef BASALT_FUZZ_LIFE_LOGD_LIFE_H
#define BASALT_FUZZ_LIFE_LOGD_LIFE_H

#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_logd.h"
#include "services/logd/logd.h"

struct logd_life {
    uint64_t appended;               /* by answers of logd: the last id that it gave */
    uint64_t ticks;                  /* and its time */
    struct model_logd_answer answer; /* to the message that was sent last */
};

extern struct logd logd;
extern struct model_logd model;
extern struct logd_life life;
extern const struct life_language logd_life_language;

/* --- logd_life.c --- */

/* Delivers a request as the loop would: the status of its answer, or LIFE_LOST. */
unsigned logd_life_deliver(struct message *request);

/* --- logd_life_generate.c --- */

/* A request, mostly valid in the state that the model is in. */
void logd_life_generate(struct choices *choices, struct message *request);

void draw_append(struct choices *choices, struct life_draft *draft);
void draw_read(struct choices *choices, struct life_draft *draft);

/* A line of a client. */
void logd_life_line(uint64_t role, uint32_t n, struct message *request);

/* --- logd_life_check.c --- */

void compare_append(void);
void compare_read(void);

/* Who has how many records, by the ring itself. */
struct logd_life_shares {
    uint32_t count;
    uint64_t ids[LOGD_RECORD_LIMIT];
    uint32_t roles[LOGD_RECORD_LIMIT];
};
void logd_life_shares(struct logd_life_shares *shares);

/* What went away when `sender` appended went away rightly (L2). */
void logd_life_check_shares(const struct logd_life_shares *before, uint64_t sender);

/* Ring = model. */
void logd_life_check(void);

/* A reader that begins at the first record learns of every one that there ever was (L1). */
void logd_life_read_all(void);

uint64_t logd_life_digest(void);

/* What an operation met, for the marks: before it was sent. */
unsigned logd_life_state(const struct message *request);

#endif
