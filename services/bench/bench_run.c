/* SPDX-License-Identifier: ISC */
/* What bench-fault is beside others: one that wants the processor all the time, one that says how
 * much of it it got, and a thief, which sleeps just before its slice would end. */
#include "services/bench/bench_run.h"

#include "abi/slots.h"

enum {
    SHARE_TICKS = 300,
    GAP_CYCLES = 50000, /* a longer time between two looks at the counter was another's */
    TICK_TRIES = 20,
    WORK_TICKS = 9, /* of a slice of 10 */
};

uint64_t bench_receive(uint64_t deadline_ticks)
{
    const struct receive_info *info =
        (const struct receive_info *)(MESSAGE_PAGE_VA + MESSAGE_PAGE_INFO_OFFSET);
    bench_page()->header = (struct message_header){.version = MESSAGE_VERSION};
    (void)bench_enter(SYSCALL_RECV, SLOT_SERVICE_ENDPOINT, deadline_ticks);
    return info->now_ticks;
}

uint64_t bench_next_tick(void)
{
    uint64_t now = bench_receive(DEADLINE_POLL);
    while (bench_receive(DEADLINE_POLL) == now)
        continue;
    return bench_cycles();
}

/* Cycles of a tick: the least of some, because others run during the longer ones. */
static uint64_t tick_cycles(void)
{
    uint64_t least = UINT64_MAX;
    uint64_t last = bench_next_tick();
    for (int i = 0; i < TICK_TRIES; i++) {
        uint64_t now = bench_next_tick();
        least = now - last < least ? now - last : least;
        last = now;
    }
    return least;
}

static void work(uint64_t cycles)
{
    uint64_t start = bench_cycles();
    while (bench_cycles() - start < cycles)
        continue;
}

static _Noreturn void thief(void)
{
    uint64_t tick = tick_cycles();
    for (;;) {
        uint64_t start = bench_receive(DEADLINE_POLL);
        uint64_t now = start;
        while ((now = bench_receive(DEADLINE_POLL)) < start + WORK_TICKS)
            work(tick / 100);
        if (now == start + WORK_TICKS)
            work(tick * 7 / 8);
        (void)bench_receive(now + 1);
    }
}

/* In thousandths. */
static uint32_t share(void)
{
    uint64_t end = SHARE_TICKS * tick_cycles();
    uint64_t start = bench_cycles();
    uint64_t last = start;
    uint64_t own = 0;
    while (last - start < end) {
        uint64_t now = bench_cycles();
        if (now - last < GAP_CYCLES)
            own += now - last;
        last = now;
    }
    return (uint32_t)(own * 1000 / (last - start));
}

uint32_t bench_run_as(enum bench_run run)
{
    if (run == RUN_SHARE)
        return share();
    if (run == RUN_THIEF)
        thief();
    if (run >= RUN_COUNT)
        return bench_runner_as(run);
    for (;;)
        __asm__ volatile("pause");
}
