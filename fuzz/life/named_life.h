/* SPDX-License-Identifier: ISC */
/* What the files of named's life share: the state of the life, what is drawn and what is
 * compared. */
#ifndef BASALT_FUZZ_LIFE_NAMED_LIFE_H
#define BASALT_FUZZ_LIFE_NAMED_LIFE_H

#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_named.h"
#include "services/named/named.h"

/* In the descriptor of a REGISTER the badge says all of the capability that type and rights do not:
 * the endpoint's number, whether it is dead on arrival, and the badge that it carries. */
enum { NAMED_LIFE_NUMBER_SHIFT = 32, NAMED_LIFE_DEAD_SHIFT = 48 };

struct named_life {
    struct model_named_answer answer; /* to the message that was sent last */
};

extern struct named named;
extern struct model_named model;
extern struct named_life life;
extern const struct life_language named_life_language;

/* --- named_life_generate.c --- */

/* A request, mostly valid in the state that the model is in. */
void named_life_generate(struct choices *choices, struct message *request);

void draw_seed_entry(struct choices *choices, struct life_draft *draft);
void draw_seal(struct choices *choices, struct life_draft *draft);
void draw_register(struct choices *choices, struct life_draft *draft);
void draw_lookup(struct choices *choices, struct life_draft *draft);
void draw_mint_end(struct choices *choices, struct life_draft *draft);

/* The n-th of those SEED_ENTRYs that fill the table. */
void named_life_filler(uint32_t n, struct message *request);

/* --- named_life_check.c --- */

void compare_seal(void);
void compare_lookup(void);
void compare_mint_end(void);

/* Table = model = slots (N1, N2). */
void named_life_check(void);

/* The same entries, seeded in another order, are the same state (N3). */
void named_life_check_order(void);

/* Of table and kernel: before = after for a refusal. */
uint64_t named_life_digest(void);

/* What an operation met, for the marks: before it was sent. */
unsigned named_life_state(const struct message *request);

#endif
