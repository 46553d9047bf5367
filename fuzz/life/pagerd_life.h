/* SPDX-License-Identifier: ISC */
/* What the files of pagerd's life share: the state of the life, what is drawn and what is
 * compared. */
#ifndef BASALT_FUZZ_LIFE_PAGERD_LIFE_H
#define BASALT_FUZZ_LIFE_PAGERD_LIFE_H

#include "fuzz/harness.h"
#include "props/life/life.h"
#include "props/models/model_pagerd.h"
#include "props/stand_ins/peers_of_pagerd.h"
#include "services/pagerd/pagerd.h"

struct pagerd_life {
    uint64_t skew; /* of the clock in messages: what pagerd is told may go back */
    uint64_t request_id;
    bool digest_known; /* `digest` is that of now: nothing has happened since it was taken */
    uint64_t digest;
    bool crowded;
    bool breached;
    uint32_t breach_slot;
    struct model_pagerd_answer answer; /* to the message that was sent last */
    uint32_t asked_used;               /* places that ever had something */
    struct {
        uint64_t token;
        uint64_t page;
        uint32_t right;
    } asked[SLOT_REPLY_COUNT]; /* by those who wait on each reply slot */
};

extern struct pagerd pagerd;
extern struct model_pagerd model;
extern struct pagerd_life life;
extern const struct life_language pagerd_life_language;

/* --- pagerd_life_generate.c --- */

/* A message, mostly right in the state that the model is in. `message` is all zero before; its
 * capability fields name objects, header.badge is the sender. */
void pagerd_life_generate(struct choices *choices, struct message *message);

void draw_fault(struct choices *choices, struct life_draft *draft);
void draw_register(struct choices *choices, struct life_draft *draft);
void draw_unregister(struct choices *choices, struct life_draft *draft);
void draw_resolve(struct choices *choices, struct life_draft *draft);
void draw_give(struct choices *choices, struct life_draft *draft);
void draw_query(struct choices *choices, struct life_draft *draft);

/* A message of any operation, by its row alone, with one field outside its constraint; the same
 * from one who may not, or asks what nobody answers. */
void draw_violation(struct choices *choices, struct life_draft *draft);
void draw_stranger(struct choices *choices, struct life_draft *draft);

/* --- pagerd_life_check.c --- */

/* What must hold after every step. */
void pagerd_life_check(void);

/* Who was told RESOLVED in this step has the page, in the page tables, with the right asked for
 * (G7), and with the bytes that its registration says (G4). */
void pagerd_life_check_resolved(void);

/* After pagerd has tried all that it could: nobody waits while what it waits for is free (G5). */
void pagerd_life_check_waiting(void);

/* The reply is the model's, byte by byte. Returns its result. */
enum status pagerd_life_check_reply(const struct message *reply);

/* How a fault went: the answer that its slot got by itself. */
enum status pagerd_life_fault_result(uint32_t reply_slot);

/* Of the books: before = after for a refusal. */
uint64_t pagerd_life_digest(void);

/* What an operation meets, for the marks; and the ends that pagerd told. */
unsigned pagerd_life_state(void);
void pagerd_life_mark_answers(void);

#endif
