/* SPDX-License-Identifier: ISC */
/* What bench-fault is for a share of the processor to be measured beside others: honest work that
 * counts, and those that would have more than their share by whom they call, and when. */
#include "services/bench/bench_run.h"

enum {
    LOOK_LOOPS = 200,  /* between two looks at the counter, which are dear in the emulator */
    EARLY_DIVISOR = 32 /* a request begins that part of a tick before the next one */
};

static volatile struct runner_page *runner_page(void)
{
    return (volatile struct runner_page *)RUNNER_VA;
}

static void wait_until(uint64_t cycles)
{
    while ((int64_t)(bench_cycles() - cycles) < 0) {
        for (int i = 0; i < LOOK_LOOPS; i++)
            __asm__ volatile("");
    }
}

static void call(uint64_t deadline_ticks)
{
    bench_page()->header = (struct message_header){.version = MESSAGE_VERSION};
    (void)bench_enter(SYSCALL_CALL, RUNNER_SLOT_PEER, deadline_ticks);
}

/* The slot of the reply to who called. */
static uint32_t receive_call(void)
{
    const struct receive_info *info =
        (const struct receive_info *)(MESSAGE_PAGE_VA + MESSAGE_PAGE_INFO_OFFSET);
    (void)bench_receive(DEADLINE_NEVER);
    return info->reply_slot;
}

static void answer(uint32_t reply_slot)
{
    bench_page()->header = (struct message_header){.version = MESSAGE_VERSION};
    (void)bench_enter(SYSCALL_REPLY, reply_slot, 0);
}

static _Noreturn void timed(void)
{
    uint64_t tick = runner_page()->tick_cycles;
    uint64_t next = runner_page()->edge_cycles - tick / EARLY_DIVISOR;
    for (;;) {
        while ((int64_t)(bench_cycles() - next) >= 0)
            next += tick;
        wait_until(next);
        call(DEADLINE_NEVER);
    }
}

static _Noreturn void serve(bool until_tick)
{
    for (;;) {
        uint32_t reply_slot = receive_call();
        if (until_tick)
            (void)bench_receive(bench_receive(DEADLINE_POLL) + 1);
        else
            wait_until(bench_cycles() + runner_page()->work_cycles);
        answer(reply_slot);
    }
}

uint32_t bench_runner_as(enum bench_run run)
{
    if (run == RUN_RELAY)
        (void)receive_call();
    if (run == RUN_TIMED || run == RUN_RELAY)
        timed();
    if (run == RUN_SERVE || run == RUN_WAKE)
        serve(run == RUN_WAKE);
    if (run == RUN_LEND) {
        call(runner_page()->deadline_ticks);
        return 0;
    }
    for (;;) {
        if (run == RUN_CALL)
            call(DEADLINE_NEVER);
        else if (run == RUN_NAG)
            call(bench_receive(DEADLINE_POLL) + 1);
        else if (run == RUN_WATCH)
            (void)bench_receive(bench_receive(DEADLINE_POLL) + 1);
        else
            runner_page()->count++;
    }
}
