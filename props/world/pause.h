/* SPDX-License-Identifier: ISC */
/* When rootd is held up: after the end of a program, so that a test can look at what that left. */
#ifndef BASALT_PROPS_WORLD_PAUSE_H
#define BASALT_PROPS_WORLD_PAUSE_H

#include <stdint.h>

#include "abi/message.h"
#include "kernel/core/kernel.h"

/* rootd is held up at its first question of the kernel after a process of `program` has ended, or before it
 * says that it waits for that no longer, while others do what is left to do. */
struct world_pause {
    const char *program;
    /* Called when it is, and each time that the ticks it asked for have passed; 0: rootd goes on. */
    uint64_t (*look)(void);
};

/* Of the next run; null: there is none. */
void pause_set(const struct world_pause *pause);

/* A process begins to run a program. */
void pause_started(const struct kernel *kernel, uint32_t index, const char *program);

/* The pause, once, if a process is to be held up before this call of a slot; null: it is not. */
const struct world_pause *pause_due(const struct kernel *kernel, uint32_t index, uint32_t slot,
                                    const struct message *message);

#endif
