/* SPDX-License-Identifier: ISC */
/* What the programs of the bench image share: the clock, the bare system call, and the three
 * numbers that a row of measurements becomes. Part of no image that is shipped. */
#ifndef BASALT_SERVICES_BENCH_BENCH_H
#define BASALT_SERVICES_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/address_space.h"
#include "abi/limits.h"
#include "abi/slots.h"
#include "abi/system.h"

enum { BENCH_SAMPLES = 256, BENCH_WARM = 16 /* runs before the first that counts */ };

/* Of a row of measurements. bench-fault returns one of them, which its argument names. */
enum statistic { STATISTIC_MINIMUM = 0, STATISTIC_MEDIAN = 1, STATISTIC_P90 = 2, STATISTIC_COUNT };

struct figure {
    uint64_t of[STATISTIC_COUNT];
};

/* What bench-fault touches; its argument is kind * STATISTIC_COUNT + statistic. */
enum touched {
    TOUCH_HEAP = 0,      /* of two walks by turns: each page comes alone */
    TOUCH_IMAGE = 1,     /* the first page of each block */
    TOUCH_WALK = 2,      /* upwards: the one of four pages that faults */
    TOUCH_WALK_EACH = 3, /* upwards: a quarter of what four pages take */
};
/* An image that shares more pages needs more regions than its role may have (E6). */
enum { TOUCH_PAGES = 64, TOUCH_IMAGE_PAGES = 48 };

/* What else it can be: argument run * STATISTIC_COUNT. */
enum bench_run {
    RUN_SPIN = 4,
    RUN_THIEF = 5,
    RUN_SHARE = 6,
    RUN_COUNT = 7,  /* adds one to `count` again and again; those after it: bench_runner.c */
    RUN_CALL = 8,   /* calls its peer again and again, and waits as long as it takes */
    RUN_NAG = 9,    /* the same, and waits for one tick each time */
    RUN_LEND = 10,  /* calls its peer once, until `deadline_ticks`, and ends */
    RUN_TIMED = 11, /* calls its peer shortly before each tick */
    RUN_RELAY = 12, /* the same for a client, which it never answers */
    RUN_SERVE = 13, /* answers each call after `work_cycles` of its own */
    RUN_WAKE = 14,  /* answers each call at the next tick */
    RUN_WATCH = 15, /* wakes at each tick and does next to nothing */
};

/* What such a process (from RUN_COUNT on) and its starter share, at RUNNER_VA, and where it calls. */
struct runner_page {
    uint64_t count;
    uint64_t deadline_ticks;
    uint64_t work_cycles;
    uint64_t edge_cycles; /* what the counter said when some tick began */
    uint64_t tick_cycles;
};
#define RUNNER_VA HEAP_WINDOW_VA
enum { RUNNER_SLOT_PEER = SLOT_RECEIVE_BASE };

/* What bench-echo does with a call, by header.operation: it sends everything back as it came. */
enum echo_operation {
    ECHO_PLAIN = 0, /* by bare system calls in the message page */
    ECHO_CAPS = 1,  /* the same, and the next call may bring one capability, which goes back too */
    ECHO_LIBRARY = 2, /* from now on by sys_recv and sys_reply_recv, as a service does */
};

static inline struct message *bench_page(void)
{
    return (struct message *)MESSAGE_PAGE_VA;
}

static inline uint64_t bench_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

/* A system call on what the message page holds (services/runtime/syscalls.c has the registers). */
static inline enum status bench_enter(uint64_t number, uint64_t slot, uint64_t deadline_ticks)
{
    uint64_t result = number;
    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(slot), "+S"(deadline_ticks)
                     :
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
    return (enum status)result;
}

/* Answers with what the page holds, and receives on the own endpoint. */
static inline enum status bench_answer(uint64_t reply_slot)
{
    uint64_t result = SYSCALL_REPLY_RECV;
    uint64_t slot = SLOT_SERVICE_ENDPOINT;
    uint64_t deadline_ticks = DEADLINE_NEVER;
    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(slot), "+S"(deadline_ticks), "+d"(reply_slot)
                     :
                     : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    return (enum status)result;
}

/* What two reads of the clock cost by themselves. */
uint64_t bench_overhead(void);

/* Sorts the samples and takes the three numbers. count > 0. */
struct figure bench_figure(uint64_t *samples, uint32_t count);

#endif
