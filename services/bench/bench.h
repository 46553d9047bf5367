/* SPDX-License-Identifier: ISC */
/* What the programs of the bench image share: the clock, the bare system call, and the three
 * numbers that a row of measurements becomes. Part of no image that is shipped. */
#ifndef BASALT_SERVICES_BENCH_BENCH_H
#define BASALT_SERVICES_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/system.h"

enum { BENCH_SAMPLES = 256, BENCH_WARM = 16 /* runs before the first that counts */ };

/* Of a row of measurements. bench-fault returns one of them, which its argument names. */
enum statistic { STATISTIC_MINIMUM = 0, STATISTIC_MEDIAN = 1, STATISTIC_P90 = 2, STATISTIC_COUNT };

struct figure {
    uint64_t of[STATISTIC_COUNT];
};

/* What bench-fault touches; its argument is kind * STATISTIC_COUNT + statistic. */
enum touched { TOUCH_HEAP = 0, TOUCH_IMAGE = 1 };
/* An image that shares more pages needs more regions than its role may have (E6). */
enum { TOUCH_PAGES = 64, TOUCH_IMAGE_PAGES = 48 };

/* What else it can be: argument run * STATISTIC_COUNT. */
enum bench_run { RUN_SPIN = 2, RUN_THIEF = 3, RUN_SHARE = 4 };

/* What bench-echo does with a call, by header.operation: it sends everything back as it came. */
enum echo_operation {
    ECHO_PLAIN = 0, /* by bare system calls in the message page */
    ECHO_CAPS = 1,  /* the same, and the next call may bring one capability, which goes back too */
    ECHO_LIBRARY = 2, /* from now on by sys_recv and sys_reply, as a service does */
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

/* What two reads of the clock cost by themselves. */
uint64_t bench_overhead(void);

/* Sorts the samples and takes the three numbers. count > 0. */
struct figure bench_figure(uint64_t *samples, uint32_t count);

#endif
