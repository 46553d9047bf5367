/* SPDX-License-Identifier: ISC */
/* The parts of the harness kernel_short. What a life draws is the same whichever way it enters. */
#ifndef BASALT_FUZZ_KERNEL_KERNEL_SHORT_H
#define BASALT_FUZZ_KERNEL_KERNEL_SHORT_H

#include "fuzz/harness.h"

#include "props/tests/kernel/kernel_drive.h"

enum {
    PROCESSES = 6,     /* rootd, which made the others, among them */
    SLOT_PEERS = 100,  /* + i: the endpoint of process i; + PROCESSES: the drivers' */
    SLOT_FAR = 60,     /* added to those: the same beyond the first leaf */
    SLOT_OBJECTS = 204 /* an untyped and another process */
};

/* The current process enters by a system call, by the way of this life. */
void short_enter(uint32_t number, uint32_t slot, uint64_t deadline, uint32_t reply_slot);

/* What the entry has said: `next` is who goes on, back from its system call. */
void short_next(const struct process *next);

bool short_is_long(void);

/* Before an entry; and after it, whether it ended by a short way alone. */
void short_begin(void);
bool short_is_over(void);
uint64_t short_deadline(struct choices *choices);

/* Of a life by far slots: half of the children have their endpoints beyond the first leaf as well,
 * which this fills, and name them there: the slot by which one of them enters. */
void short_fill_far(const struct drive_child *children, uint32_t index);
uint32_t short_slot(uint32_t index, uint32_t slot);

/* A step of a life with faults and kernel control: one of these, or nothing. */
bool short_kernel_step(struct choices *choices);

#endif
