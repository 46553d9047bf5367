/* SPDX-License-Identifier: ISC */
/* What the files of procd's life share: the state of the life, what is drawn and what is
 * compared. */
#ifndef BASALT_FUZZ_LIFE_PROCD_LIFE_H
#define BASALT_FUZZ_LIFE_PROCD_LIFE_H

#include "fuzz/harness.h"
#include "props/life/life.h"
#include "props/models/model_procd.h"
#include "props/stand_ins/peers_of_procd.h"
#include "services/procd/procd.h"

struct procd_life_harness { /* procd_life: a word of procd itself */
    uint64_t request_id;
    enum status losing;               /* how the next reply is lost; OK: it is not */
    uint64_t turn_ticks;              /* the clock as procd_run knows it */
    bool lost;                        /* a peer counts as dead: procd has ended everything */
    bool books_wait;                  /* in a crowd the books are compared at its end */
    bool looks;                       /* at books and state, in the turn that is going on */
    struct model_procd_answer answer; /* to the request that was sent last */

    /* The reply that is being compared, its body with zeros for slots, and what was predicted. */
    const struct stand_in_reply *reply;
    const struct model_procd_reply *predicted;
    uint8_t body[MESSAGE_BODY_BYTES_MAX];
};

extern struct procd procd;
extern struct model_procd model;
extern struct procd_life_harness life;
extern const struct life_language procd_life_language;

/* --- procd_life_turn.c --- */

const struct operation *procd_life_row(uint16_t id);

/* A request is delivered, procd takes its turn, the model follows. Returns its result. */
unsigned procd_life_send(struct message *message, bool on_driver);
/* The same with a well-formed request of the administrator or a client. */
unsigned procd_life_ask(const struct operation *row, const void *body, uint64_t badge,
                        bool on_driver);

/* A turn in which nothing comes but time, or the end of a process (0: none), which was put there
 * before. */
void procd_life_turn(uint64_t ended_id);
void procd_life_idle(void);

/* Turns until nothing is left to do. */
void procd_life_drain(void);

/* No effect fails any more, and no reply is lost. */
void procd_life_calm(void);

void procd_life_mark_paths(unsigned result, uint32_t answers);

/* What is worth reaching in the books, whether they are compared or not. */
void procd_life_mark_books(void);

/* --- procd_life_generate.c --- */

/* A request: most name what exists, some what does not, a few are broken. */
void procd_life_generate(struct choices *choices, struct life_draft *draft);

void draw_making(struct choices *choices, struct life_draft *draft);
void draw_spawn(struct choices *choices, struct life_draft *draft);
void draw_named(struct choices *choices, struct life_draft *draft);
void draw_wait(struct choices *choices, struct life_draft *draft);
void draw_policy(struct choices *choices, struct life_draft *draft);
void draw_list(struct choices *choices, struct life_draft *draft);
void draw_slot(struct choices *choices, struct life_draft *draft);
void draw_notice(struct choices *choices, struct life_draft *draft);

/* --- procd_life_transfer.c --- */

void draw_begin(struct choices *choices, struct life_draft *draft);
void draw_chunk(struct choices *choices, struct life_draft *draft);
void draw_transferred(struct choices *choices, struct life_draft *draft);
void compare_transfer(void);
void compare_chunk(void);

/* What it is made of. */
void procd_life_plan(const struct model_procd_process *process, const struct role *role,
                     struct elf_plan *plan);

/* The pages that a process which pagerd backs must have: of one that was sent, which is the last one,
 * those of the bytes that came; of any other none. */
uint64_t procd_life_loaded_sum(const struct model_procd_process *process);

/* --- procd_life_check.c --- */

/* The replies that were sent are the predicted ones, in order (E5, P3). */
void procd_life_check_replies(void);
void compare_create(void);
void compare_spawn(void);
void compare_spawn_service(void);
void compare_wait(void);
void compare_query(void);
void compare_policy(void);
void compare_list(void);
void compare_slot(void);
void compare_notice(void);

/* Processes, accounts, registrations, pages and slots are the predicted ones (E4, P2, P5). */
void procd_life_check_books(void);

/* What the stand-ins still have of a process. */
struct model_procd_left procd_life_left(uint64_t id);

/* Steps that the sweep has left to do: two for each process below one that has ended, and one for
 * each message that memd still needs. */
uint32_t procd_life_work(void);

/* Times that what is owed must be offered again, when nothing is refused any more. */
uint32_t procd_life_debts(void);

/* Whether a process is staged or runs; one whose owner has ended may be gone in the turn that made
 * it. */
bool procd_life_lives(uint64_t id);

/* A process that was just made is made of the right pages, with the right backing. */
void procd_life_check_made(uint64_t id);

/* Of procd's state. The counter of its own request ids is left out: calls that were undone have
 * used it up (E1 is about everything else). */
uint64_t procd_life_digest(void);

/* The life of the process that a request names, as the model sees it: the state of a mark. */
unsigned procd_life_state(const struct message *request);

#endif
