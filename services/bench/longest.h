/* SPDX-License-Identifier: ISC */
/* The root task of the image that builds what makes the kernel's entries long, K8. It prints
 *
 *   CASE:<name>             what lies between this line and the one before it is done
 *   BENCH:END, BENCH:FAILED:<name>:<status>, as in bench_root.h
 *
 * and measures nothing itself: under kernel-longest.elf each line begins with the longest time, since
 * the line before, for which no interrupt was possible. What is only made for a case to come is a
 * case as well, because making it must not take long either. */
#ifndef BASALT_SERVICES_BENCH_LONGEST_H
#define BASALT_SERVICES_BENCH_LONGEST_H

#include "services/bench/bench_root.h"

enum {
    LONGEST_IMAGE_PAGES = 512, /* the image has at least so many: one MAP_FRAME may name them all */
    LONGEST_SLOT_HELD = SLOT_DYNAMIC_BASE + 16,    /* four of a process; those after it */
    LONGEST_SLOT_OTHER = LONGEST_SLOT_HELD + 4,    /* four of another one */
    LONGEST_SLOT_FRAMES = LONGEST_SLOT_OTHER + 16, /* 64 frames */
    LONGEST_SLOT_CROWD = SLOT_DYNAMIC_BASE + 128,  /* one for each of LONGEST_CROWD processes */
    LONGEST_CROWD = 1000,
    LONGEST_SLOT_LENDERS = LONGEST_SLOT_CROWD + LONGEST_CROWD /* three runners */
};

#define LONGEST_VA UINT64_C(0x200000000)

/* Everything above. Returns only when EXIT was refused. */
void longest_run(struct bench *bench, const void *handoff, size_t handoff_size,
                 uint32_t root_endpoint_slot);

/* Prints the line of a case that is done, or remembers why it is not. */
bool longest_case(struct bench *bench, const char *name, enum status status);

/* A staged process; its four capabilities lie from `slot` on. */
enum status longest_stage(struct bench *bench, uint32_t slot, uint32_t budget_pages, uint32_t band);

/* Those, and all that follow: drops `count` capabilities. */
enum status longest_drop(struct bench *bench, uint32_t slot, uint32_t count);

/* Waits until nothing of the memory that all cases come from is out. */
enum status longest_settle(struct bench *bench);

/* Cases with many processes that run. */
bool longest_crowd(struct bench *bench);

#endif
