/* SPDX-License-Identifier: ISC */
/* What the two files of memd's life share: the state of the life, and the names in it. */
#ifndef BASALT_FUZZ_LIFE_MEMD_LIFE_H
#define BASALT_FUZZ_LIFE_MEMD_LIFE_H

#include "fuzz/harness.h"
#include "props/stand_ins/stand_in_kernel.h"
#include "props/models/model_memd.h"
#include "services/memd/internal.h"

enum { STALE_LIMIT = 128 };

struct memd_life {
    bool booted;
    bool window_closed;
    uint64_t request_id;
    uint32_t startup_slots;
    uint32_t source_objects[SLOT_UNTYPED_COUNT];
    uint64_t stale[STALE_LIMIT]; /* names that died: sort << 60 | name */
    uint32_t stale_count;
};

extern struct memd memd;
extern struct model_memd model;
extern struct memd_life life;

/* The names that live before a message; afterwards those that died of it are remembered. */
struct memd_life_names {
    uint64_t names[STALE_LIMIT];
    uint32_t count;
};
void memd_life_names_before(struct memd_life_names *names);
void memd_life_names_after(const struct memd_life_names *names);

/* What an answer told: ids, badges and capabilities, each new (M3), of the predicted source (M2),
 * nobody else's (M1), zeroed (K2), with the rights of the row (K1). */
void memd_life_learn(const struct message *request, const struct model_memd_answer *answer);

#endif
