/* SPDX-License-Identifier: ISC */
/* What the two files of vspaced's life share: the state of the life, and the checks after a
 * message. */
#ifndef BASALT_FUZZ_LIFE_VSPACED_LIFE_H
#define BASALT_FUZZ_LIFE_VSPACED_LIFE_H

#include "fuzz/harness.h"
#include "props/stand_ins/peers_of_vspaced.h"
#include "props/models/model_vspaced.h"
#include "services/vspaced/vspaced.h"

enum { POOL_FRAME_COUNT = 12, VSPACE_START_COUNT = 4 };

/* A frame that callers supply. Its owner's account is its index % 4; nobody's when that is none. */
struct pool_frame {
    bool made;
    uint32_t object;
    uint32_t frame_id;
};

struct vspaced_life {
    uint64_t request_id;
    uint32_t startup_slots;
    bool failure_planned;
    uint32_t vspace_objects[MODEL_VSPACE_LIMIT]; /* of the kernel, by the harness's number */
    uint32_t vspace_generations[MODEL_VSPACE_LIMIT];
    struct pool_frame frames[POOL_FRAME_COUNT];
};

extern struct vspaced vspaced;
extern struct model_vspaced model;
extern struct vspaced_life life;

/* Books, model and kernel agree: on the range that a message named, and on everything countable. */
void vspaced_life_check(const struct model_vspaced_answer *answer);

/* ... and on every page of every vspace (V1). */
void vspaced_life_check_all(void);

/* What a successful message told: the slot of REGISTER, the frames of MAP_ANONYMOUS. */
void vspaced_life_learn(uint16_t operation, const struct model_vspaced_answer *answer);

/* Of books, kernel and accounts: before = after for a refusal. */
uint64_t vspaced_life_digest(void);

/* What an operation met, for the marks. */
unsigned vspaced_life_state(const struct message *request);

#endif
