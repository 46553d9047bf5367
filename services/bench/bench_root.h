/* SPDX-License-Identifier: ISC */
/* The root task of the bench image. It launches the foundation as rootd does, starts bench-echo and
 * bench-fault, measures, and prints lines (services/bench/lines.h); of cycles the clock's own cost is
 * taken off.
 *
 * The three numbers of a fault come from three runs of bench-fault, one each; pages-* are pages, of
 * a process's kernel memory. Under QEMU's -icount shift=0 a cycle is an instruction. In an image of
 * profile phase0 the modules phase0-probe and phase0-isolation-a are bench-fault and bench-echo. */
#ifndef BASALT_SERVICES_BENCH_BENCH_ROOT_H
#define BASALT_SERVICES_BENCH_BENCH_ROOT_H

#include "abi/slots.h"
#include "services/bench/bench.h"
#include "services/rootd/rootd.h"

/* Slots besides rootd's own. */
enum {
    BENCH_SLOT_TRAVEL = SLOT_RECEIVE_BASE + 3 * MESSAGE_CAP_LIMIT, /* two slots */
    BENCH_SLOT_SCRATCH = BENCH_SLOT_TRAVEL + 2,                    /* IMAGE_SCRATCH_SLOTS */
    BENCH_SLOT_ECHO = SLOT_PROCD_ADMINISTRATOR + 4, /* process, vspace, endpoint, grant: where
                                                       others have their peers */
    BENCH_SLOT_STAGED = SLOT_DYNAMIC_BASE + 20,     /* the same, of a process that never starts */
    BENCH_SLOT_FAULTER = BENCH_SLOT_STAGED + 4,
    BENCH_SLOT_FAR = BENCH_SLOT_FAULTER + 4,                /* one, where a service keeps clients */
    BENCH_SLOT_FRAMES = SLOT_DYNAMIC_BASE + 128,            /* BENCH_SAMPLES of them */
    BENCH_SLOT_RUNNERS = BENCH_SLOT_FRAMES + BENCH_SAMPLES, /* BENCH_RUNNER_SLOTS of each */
    BENCH_SLOT_PROCESS = 0,                                 /* offsets in a group of four */
    BENCH_SLOT_VSPACE = 1,
    BENCH_SLOT_ENDPOINT = 2,
    BENCH_SLOT_GRANT = 3,
};

/* A message that is encoded once and sent many times. */
struct prepared {
    uint32_t slot;
    uint64_t deadline_ticks;
    struct message message;
};

/* All zero is a valid start. */
struct bench {
    struct rootd rootd; /* intake, plan and caller */
    uint64_t overhead;
    uint32_t sample_count;
    uint64_t samples[BENCH_SAMPLES];
    const char *failed; /* the first figure that could not be taken; null: none */
    enum status cause;
};

/* Everything above. Returns only when EXIT was refused. */
void bench_run(struct bench *bench, const void *handoff, size_t handoff_size,
               uint32_t root_endpoint_slot);

/* --- what the files of the bench share ------------------------------------------------------- */

/* Intake, plan and the launch of the foundation. False when that failed. */
bool bench_prepare(struct bench *bench, const void *handoff, size_t handoff_size,
                   uint32_t root_endpoint_slot);

/* Remembers the first failure; always false. */
bool bench_fail(struct bench *bench, const char *name, enum status cause);

/* Prints the line of a figure. */
void bench_print(struct bench *bench, const char *name, const struct figure *figure);

/* Prints the last line: whether a figure failed. */
void bench_report_end(struct bench *bench);

/* Adds the time since `before`; the first BENCH_WARM runs do not count. bench_flush prints what was
 * collected and starts anew. */
void bench_add(struct bench *bench, uint32_t run, uint64_t before, uint64_t after);
void bench_flush(struct bench *bench, const char *name);

/* A staged process from the launch pool; its four capabilities lie from `slot` on. Its events and
 * faults come to the root's endpoint. */
enum status bench_stage(struct bench *bench, uint32_t slot, uint32_t band);
/* The same with the pages of a module, and started; pager_slot 0: nobody. */
enum status bench_start(struct bench *bench, uint32_t role, uint32_t slot, uint32_t pager_slot,
                        uint64_t argument);
/* The second half of it: a process that is staged, and has the pager it is to have. */
enum status bench_go(struct bench *bench, uint32_t role, uint32_t slot, uint64_t argument);

/* A process through procd; its exit code when it has ended by EXIT. */
enum status bench_spawn(struct bench *bench, uint32_t role, uint64_t argument, uint64_t *id);
enum status bench_wait(struct bench *bench, uint64_t id, uint32_t *code);

/* The figures, in this order. Each is false when one failed. */
bool bench_measure_kernel(struct bench *bench);
bool bench_measure_trips(struct bench *bench);
bool bench_measure_faults(struct bench *bench);
bool bench_measure_life(struct bench *bench);
bool bench_measure_shares(struct bench *bench);
bool bench_measure_run(struct bench *bench);

/* Rows that are measured again and again: a round trip without and with a deadline, map + unmap,
 * retype + destroy, after what they need was made once; and spawn to exit. */
bool bench_prepare_short(struct bench *bench);
bool bench_measure_short(struct bench *bench);
bool bench_measure_spawn(struct bench *bench, const char *name);

#endif
