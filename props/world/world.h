/* SPDX-License-Identifier: ISC */
/* The host world: the kernel core, the five services and the helpers in one process, booted from a
 * real boot image. Every simulated process runs the host-linked unit on a stack of its own; which
 * unit, says the image name that the loaded program carries at its entry. Virtual time moves only
 * when everybody waits. There is one world in a process, as there is one host machine
 * (kernel/host/host.h). */
#ifndef BASALT_PROPS_WORLD_WORLD_H
#define BASALT_PROPS_WORLD_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/core/kernel.h"
#include "props/world/events.h"
#include "props/world/injection.h"
#include "props/world/pause.h"
#include "props/world/record.h"

/* How a run ended. */
enum world_end {
    WORLD_READY,   /* rootd reported READY; the system is idle, or halted with exit code 0 */
    WORLD_REFUSED, /* the kernel refused the boot image */
    WORLD_FAILED,  /* rootd reported another status, or the system halted with another code */
    WORLD_STUCK,   /* everybody waits for ever and nothing was reported, or a limit was passed */
    WORLD_DIVERGED /* the next input does not fit where the run is, or inputs were left over */
};

enum {
    WORLD_MEMORY_BYTES_DEFAULT = 64 << 20,
    WORLD_TICKS_MAX = 10 * 60 * TICKS_PER_SECOND, /* virtual time that one run may take */
};
#define WORLD_EVENTS_MAX UINT64_C(20000000) /* events that one run may have */

struct world_options {
    const void *image;
    size_t image_bytes;
    size_t memory_bytes;         /* 0: the default */
    FILE *events;                /* null: no event text */
    const struct inputs *inputs; /* null: time moves when everybody waits, nobody is preempted */
    struct injection *injection; /* null: nothing is made to fail */
    const struct world_pause *pause; /* null: there is none */
};

struct world_result {
    enum world_end end;
    enum status refused; /* WORLD_REFUSED: why */
    uint32_t halt_code;  /* of EXIT by rootd; 0 while it runs */
    uint64_t event_digest;
    uint64_t event_count;
    uint64_t ticks;
    size_t inputs_used;
    const char *log; /* serial log; valid until the next run */
};

/* Boots the image and runs until one of the ends. Everything an earlier run left is undone
 * first. */
struct world_result world_run(const struct world_options *options);

/* Ends a process of the run that came to rest at WORLD_READY, as an exception of its own would, and
 * runs on: what a system makes of a service's death. */
struct world_result world_end_process(uint32_t index);

/* The kernel of the last run, for checks over the state it ended in. */
struct kernel *world_kernel(void);

/* Touches the pages of the program of that name and of its stack, as its entry code does. */
void world_image_touch(const char *name, uint64_t entry_va, uint64_t stack_top_va);

/* The bytes of a module of the image that runs, and how many; null: there is none. */
const uint8_t *world_module(const char *name, uint64_t *size_bytes);

/* The state struct of the service that a process of the last run was; null: it was none. */
const void *world_state(uint32_t index);

/* The name of the program that a process of the last run was; null: none, or not started yet. */
const char *world_program(uint32_t index);

/* Frees stacks and states. */
void world_release(void);

#endif
