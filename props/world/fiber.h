/* SPDX-License-Identifier: ISC */
/* Stacks of simulated processes: switching between them, told to the sanitizers. */
#ifndef BASALT_PROPS_WORLD_FIBER_H
#define BASALT_PROPS_WORLD_FIBER_H

#include <stddef.h>

enum { FIBER_STACK_BYTES = 512 * 1024 };

struct fiber {
    void *stack_pointer;     /* where it stands while another one runs */
    void *stack_bottom;      /* lowest address of its own stack; null: the thread's stack */
    void *sanitizer_fake;    /* the sanitizer's own record of an interrupted stack */
    const void *seen_bottom; /* of the thread's stack, learned at the first switch away */
    size_t seen_bytes;
};

/* Gives `fiber` a stack (kept for the next use, 512 KiB, guard page below) and lets it start in
 * `entry` at the next switch. An earlier life of the same fiber is forgotten. Returns 0, or -1 when
 * no memory. */
int fiber_prepare(struct fiber *fiber, void (*entry)(void));

/* Leaves `from`, which is running, and goes on in `to`. Returns when somebody switches back to
 * `from`. */
void fiber_switch(struct fiber *from, struct fiber *to);

/* First thing that a fiber's entry calls. `from`: the fiber that started it. */
void fiber_started(struct fiber *from);

/* Gives the stack back to the system. */
void fiber_release(struct fiber *fiber);

#endif
