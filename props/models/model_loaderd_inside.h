/* SPDX-License-Identifier: ISC */
/* What the two parts of the model of loaderd share: the list of calls that is gone through, and who
 * has which programs. */
#ifndef BASALT_PROPS_MODELS_MODEL_LOADERD_INSIDE_H
#define BASALT_PROPS_MODELS_MODEL_LOADERD_INSIDE_H

#include "props/models/model_loaderd.h"

/* What a program may have at most: kernel memory, and its pages, stack and heap, as far as its role
 * may. */
enum {
    MODEL_LOADERD_KERNEL = 64,
    MODEL_LOADERD_EXTRA = 16 + 64,
    MODEL_LOADERD_SMALLEST = MODEL_LOADERD_KERNEL + 1 + MODEL_LOADERD_EXTRA,
    MODEL_LOADERD_LARGEST = MODEL_LOADERD_KERNEL + 1024
};

struct model_loaderd_replay {
    struct model_loaderd *model;
    struct model_loaderd_calls calls;
    uint32_t at;
};

/* The next call, which must be of that operation, in time. */
const struct model_loaderd_call *model_loaderd_next_call(struct model_loaderd_replay *replay,
                                                         uint16_t operation);

/* What a client hears of it: that nobody was there is said as PEER_DIED. */
enum status model_loaderd_outcome(const struct model_loaderd_call *call);

/* A program of that role that is there; null: it has none with that number. */
struct model_loaderd_program *model_loaderd_program(struct model_loaderd *model, uint32_t role,
                                                    uint64_t id);
/* Pages that the client's programs may have more, with those that run. */
uint64_t model_loaderd_room(const struct model_loaderd *model, uint32_t role);
/* A new one, for which the first that has ended goes when all places are taken. */
void model_loaderd_launched(struct model_loaderd *model, uint32_t role, uint64_t id,
                            uint64_t pages);
/* Who has nothing there any more leaves the seat. */
void model_loaderd_leave(struct model_loaderd *model, struct model_loaderd_seat *seat);

struct model_loaderd_told *model_loaderd_tell(struct model_loaderd *model);

/* One step of the launch in hand, or of the next, or what is owed (model_loaderd_launch.c). */
void model_loaderd_launch(struct model_loaderd_replay *replay);

#endif
