/* SPDX-License-Identifier: ISC */
/* What the files of vspaced's life share: the state of the life, what is drawn and what is
 * compared. */
#ifndef BASALT_FUZZ_LIFE_VSPACED_LIFE_H
#define BASALT_FUZZ_LIFE_VSPACED_LIFE_H

#include "fuzz/life/life_service.h"
#include "props/stand_ins/peers_of_vspaced.h"
#include "props/models/model_vspaced.h"
#include "services/vspaced/vspaced.h"

enum { POOL_FRAME_COUNT = 12, VSPACE_START_COUNT = 4 };

enum action { ACTION_FAIL, ACTION_DESTROY, ACTION_DIE, ACTION_POOL, ACTION_COUNT };

/* A frame that callers supply. Its owner's account is its index % 4; nobody's when that is none. */
struct vspaced_life_frame {
    bool made;
    uint32_t object;
    uint32_t frame_id;
};

struct vspaced_life {
    bool failure_planned;
    bool late;
    struct model_vspaced_answer answer; /* to the message that was sent last */
    uint32_t
        vspace_objects[MODEL_VSPACED_VSPACE_LIMIT]; /* of the kernel, by the harness's number */
    uint32_t vspace_generations[MODEL_VSPACED_VSPACE_LIMIT];
    struct vspaced_life_frame frames[POOL_FRAME_COUNT];
};

extern struct vspaced vspaced;
extern struct model_vspaced model;
extern struct vspaced_life life;
extern const struct life_language vspaced_life_language;

/* The n-th frame of the pool, made anew when it went away. */
struct vspaced_life_frame *vspaced_life_frame(uint64_t n);

/* --- vspaced_life_generate.c --- */

/* A request, mostly valid in the state that the model is in. */
void vspaced_life_generate(struct choices *choices, struct message *request);

void draw_register_vspace(struct choices *choices, struct life_draft *draft);
void draw_unregister_vspace(struct choices *choices, struct life_draft *draft);
void draw_map_anonymous(struct choices *choices, struct life_draft *draft);
void draw_map_frames(struct choices *choices, struct life_draft *draft);
void draw_unmap(struct choices *choices, struct life_draft *draft);
void draw_protect(struct choices *choices, struct life_draft *draft);
void draw_guard(struct choices *choices, struct life_draft *draft);
void draw_query_region(struct choices *choices, struct life_draft *draft);

/* --- vspaced_life_check.c --- */

/* What a successful message told: the slot of REGISTER, the frames of MAP_ANONYMOUS. */
void learn_slot(void);
void learn_frames(void);

void compare_region(void);

/* The frames that could not be given back, as memd's books have them. */
void learn_owed(void);

/* Books, model and kernel agree: on the range that a message named, and on everything countable. */
void vspaced_life_check(void);

/* ... and on every page of every vspace (V1). */
void vspaced_life_check_all(void);

/* Of books, kernel and accounts: before = after for a refusal. */
uint64_t vspaced_life_digest(void);

/* What an operation met, for the marks. */
unsigned vspaced_life_state(const struct message *request);

#endif
