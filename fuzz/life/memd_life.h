/* SPDX-License-Identifier: ISC */
/* What the files of memd's life share: the state of the life, what is drawn and what is
 * compared. */
#ifndef BASALT_FUZZ_LIFE_MEMD_LIFE_H
#define BASALT_FUZZ_LIFE_MEMD_LIFE_H

#include "fuzz/life/life_service.h"
#include "props/models/model_memd.h"
#include "services/memd/memd.h"

enum { STALE_LIMIT = 128, LIFE_PLACE_LIMIT = 1024 };

struct memd_life {
    uint32_t source_objects[SLOT_UNTYPED_COUNT];
    struct model_memd_answer answer; /* to the message that was sent last */
    uint64_t stale[STALE_LIMIT];     /* names that died: sort << 60 | name */
    uint32_t stale_count;
    uint64_t frame_limit;
    uint32_t frame_generations[LIFE_PLACE_LIMIT]; /* of the last one of each place */
    uint32_t untyped_generations[LIFE_PLACE_LIMIT];
};

extern struct memd memd;
extern struct model_memd model;
extern struct memd_life life;
extern const struct life_language memd_life_language;

/* --- memd_life_generate.c --- */

/* A request, mostly valid in the state that the model is in. */
void memd_life_generate(struct choices *choices, struct message *request);

void draw_open_account(struct choices *choices, struct life_draft *draft);
void draw_close_account(struct choices *choices, struct life_draft *draft);
void draw_alloc_frames(struct choices *choices, struct life_draft *draft);
void draw_free_frames(struct choices *choices, struct life_draft *draft);
void draw_alloc_untyped(struct choices *choices, struct life_draft *draft);
void draw_free_untyped(struct choices *choices, struct life_draft *draft);
void draw_query_memory(struct choices *choices, struct life_draft *draft);
void draw_list_accounts(struct choices *choices, struct life_draft *draft);

/* --- memd_life_check.c --- */

/* The names that live before a message; afterwards those that died of it are remembered. */
struct memd_life_names {
    uint64_t names[STALE_LIMIT];
    uint32_t count;
};
void memd_life_names_before(struct memd_life_names *names);
void memd_life_names_after(const struct memd_life_names *names);

/* What a reply told: ids, badges and capabilities, each new (M3), of the predicted source (M2),
 * nobody else's (M1), zeroed (K2), with the rights of the row (K1). An OPEN that is asked again tells
 * the same badge again; of one whose answer was lost the stand-in has kept it. */
void learn_account(void);
void learn_frames(void);
void learn_untyped(void);

/* What could be neither handed out nor destroyed. */
void memd_life_learn_stuck(uint64_t badge);

/* A refusal of an ALLOC that nothing went wrong with: not below a guarantee (M9). */
void memd_life_refused(const struct message *request);

void compare_close_account(void);
void compare_query_account(void);
void compare_query_memory(void);
void compare_list_accounts(void);

/* Books = model = kernel; what is guaranteed lies in the kernel's pools (M8). */
void memd_life_check(void);

/* Of books and kernel: before = after for a refusal. */
uint64_t memd_life_digest(void);

/* What an operation met, for the marks. */
unsigned memd_life_state(const struct message *request);

#endif
