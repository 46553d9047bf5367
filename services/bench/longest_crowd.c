/* SPDX-License-Identifier: ISC */
/* Cases of many processes: deadlines that are due together, waiters at an endpoint that dies, and
 * a chain of those that wait for each other. Their program is a page of a few bytes. */
#include "services/bench/longest.h"

#include <string.h>

#include "services/bench/runner.h"
#include "services/lib/call_kernel.h"

enum {
    CROWD = LONGEST_CROWD,
    BUDGET = 16,
    CODE_SLOT = LONGEST_SLOT_FRAMES,
    WAKE_TICKS = 3000,
    LENDERS = 3, /* of bands 0, 1, 2 */
    LEND_TICKS = 200
};
/* Next to the message page, so that no tables are needed besides its own. */
#define CODE_VA (MESSAGE_PAGE_VA - 16 * PAGE_BYTES)

/* RECV on its own endpoint until the tick in rdi, then a read of address 0: a fault. */
static const uint8_t program[] = {
    0x48,
    0x89,
    0xFE, /* mov rsi, rdi */
    0xBF,
    SLOT_SERVICE_ENDPOINT,
    0,
    0, /* mov edi, 2 */
    0,
    0xB8,
    SYSCALL_RECV,
    0,
    0, /* mov eax, RECV */
    0,
    0x0F,
    0x05, /* syscall */
    0x31,
    0xC0, /* xor eax, eax */
    0x8B,
    0x00, /* mov eax, [rax] */
};

static enum status write_program(struct bench *bench)
{
    struct kernel_frame_write_request request = {.frame_slot = CODE_SLOT, .count = sizeof program};
    memcpy(request.bytes, program, sizeof program);
    enum status status = kernel_retype(&bench->rootd.caller, SLOT_KERNEL_MEM_ENDPOINT,
                                       SLOT_UNTYPED_BASE, OBJECT_FRAME, 1, CODE_SLOT);
    return status != STATUS_OK
               ? status
               : kernel_call_frame_write(&bench->rootd.caller, SLOT_KERNEL_MEM_ENDPOINT, NO_WINDOW,
                                         DEADLINE_NEVER, &request, NULL);
}

/* A process of the crowd, whose faults go to pager_slot. Its PROCESS capability goes to `kept`; the
 * other three stay where they are. */
static enum status start(struct bench *bench, uint32_t slot, uint32_t pager_slot, uint32_t kept,
                         uint64_t deadline, uint32_t band)
{
    struct caller *caller = &bench->rootd.caller;
    struct kernel_map_frame_request map = {.vspace_slot = slot + BENCH_SLOT_VSPACE,
                                           .frame_slot = CODE_SLOT,
                                           .va = CODE_VA,
                                           .page_count = 1,
                                           .rights = RIGHT_READ | RIGHT_EXECUTE};
    struct kernel_start_process_request go = {.process_slot = slot + BENCH_SLOT_PROCESS,
                                              .entry_va = CODE_VA,
                                              .stack_top_va = CODE_VA,
                                              .argument = deadline};
    enum status status = longest_stage(bench, slot, BUDGET, band);
    if (status == STATUS_OK)
        status = kernel_register_pager(caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       slot + BENCH_SLOT_PROCESS, pager_slot, 0);
    if (status == STATUS_OK)
        status = kernel_map_frame(caller, SLOT_KERNEL_VSPACE_ENDPOINT, &map);
    if (status == STATUS_OK)
        status = kernel_start_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT, &go);
    return status == STATUS_OK ? kernel_move_local_cap(caller, slot + BENCH_SLOT_PROCESS, kept)
                               : status;
}

/* The dead are retired when their last capability goes. */
static enum status forget_crowd(struct bench *bench)
{
    enum status status = longest_drop(bench, LONGEST_SLOT_CROWD, CROWD);
    return status == STATUS_OK ? kernel_drop_local_cap(&bench->rootd.caller, CODE_SLOT) : status;
}

/* --- waiters ---------------------------------------------------------------------------------- */

static enum status make_waiters(struct bench *bench, uint64_t deadline)
{
    enum status status = write_program(bench);
    if (status == STATUS_OK)
        status = longest_stage(bench, LONGEST_SLOT_OTHER, 64, 1);
    for (uint32_t i = 0; i < CROWD && status == STATUS_OK; i++) {
        status = start(bench, LONGEST_SLOT_HELD, LONGEST_SLOT_OTHER + BENCH_SLOT_ENDPOINT,
                       LONGEST_SLOT_CROWD + i, deadline, 3);
        if (status == STATUS_OK)
            status = longest_drop(bench, LONGEST_SLOT_HELD + 1, MESSAGE_CAP_LIMIT - 1);
    }
    return status;
}

static enum status sleep_until(struct bench *bench, uint64_t ticks)
{
    uint64_t now;
    enum status status =
        kernel_read_monotonic_clock(&bench->rootd.caller, SLOT_KERNEL_TIME_ENDPOINT, &now);
    if (status == STATUS_OK && now >= ticks)
        return STATUS_TIMED_OUT; /* making them took too long */
    if (status == STATUS_OK)
        runner_sleep(ticks - now + 500);
    return status;
}

static enum status end_endpoint(struct bench *bench)
{
    enum status status = kernel_abort_staged_process(
        &bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT, LONGEST_SLOT_OTHER);
    runner_sleep(1000);
    return status == STATUS_OK ? longest_drop(bench, LONGEST_SLOT_OTHER, MESSAGE_CAP_LIMIT)
                               : status;
}

static bool measure_waiters(struct bench *bench)
{
    uint64_t now = 0;
    enum status status =
        kernel_read_monotonic_clock(&bench->rootd.caller, SLOT_KERNEL_TIME_ENDPOINT, &now);
    uint64_t deadline = now + WAKE_TICKS;
    if (status == STATUS_OK)
        status = make_waiters(bench, deadline);
    runner_sleep(500);
    return longest_case(bench, "make-waiters", status) &&
           longest_case(bench, "wake-1000", sleep_until(bench, deadline)) &&
           longest_case(bench, "end-endpoint", end_endpoint(bench)) &&
           longest_case(bench, "forget", forget_crowd(bench)) &&
           longest_case(bench, "settle", longest_settle(bench));
}

/* --- a chain ---------------------------------------------------------------------------------- */

/* Each waits for the one before it, the first for one that never runs. */
static enum status make_chain(struct bench *bench)
{
    enum status status = write_program(bench);
    uint32_t before = LONGEST_SLOT_OTHER;
    if (status == STATUS_OK)
        status = longest_stage(bench, before, 64, 3);
    for (uint32_t i = 0; i < CROWD && status == STATUS_OK; i++) {
        uint32_t slot = LONGEST_SLOT_HELD + 8 + 4 * (i % 2);
        if (i >= 2)
            status = longest_drop(bench, slot + 1, MESSAGE_CAP_LIMIT - 1);
        if (status == STATUS_OK)
            status = start(bench, slot, before + BENCH_SLOT_ENDPOINT, LONGEST_SLOT_CROWD + i,
                           DEADLINE_POLL, i + 1 == CROWD ? 1 : 3);
        before = slot;
        if (i + 2 == CROWD)
            runner_sleep(500); /* all but the last one wait */
    }
    return status;
}

/* The endpoint of the last of those that still wait when the very last has ended. */
static enum status start_lenders(struct bench *bench, uint64_t *deadline)
{
    uint32_t tail = LONGEST_SLOT_HELD + 8 + 4 * ((CROWD - 2) % 2) + BENCH_SLOT_ENDPOINT;
    enum status status =
        kernel_read_monotonic_clock(&bench->rootd.caller, SLOT_KERNEL_TIME_ENDPOINT, deadline);
    *deadline += LEND_TICKS;
    const struct runner_page page = {.deadline_ticks = *deadline};
    for (uint32_t band = 0; band < LENDERS && status == STATUS_OK; band++)
        status = runner_start(bench, LONGEST_SLOT_LENDERS + band * BENCH_RUNNER_SLOTS, RUN_LEND,
                              band, tail, &page);
    return status;
}

static enum status end_lenders(struct bench *bench)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < LENDERS && status == STATUS_OK; i++)
        status = runner_end(bench, LONGEST_SLOT_LENDERS + i * BENCH_RUNNER_SLOTS);
    return status;
}

/* All three lend to the whole chain, and take it back at one tick, the highest first: each of them
 * changes the band of all in it. */
static bool measure_lenders(struct bench *bench)
{
    uint64_t deadline = 0;
    enum status status = start_lenders(bench, &deadline);
    runner_sleep(LEND_TICKS / 2);
    return longest_case(bench, "start-lenders", status) &&
           longest_case(bench, "loans-late", sleep_until(bench, deadline)) &&
           longest_case(bench, "end-lenders", end_lenders(bench));
}

static bool measure_chain(struct bench *bench)
{
    if (!longest_case(bench, "make-loans", make_chain(bench)))
        return false;
    runner_sleep(500); /* the last one lends its band to all the others */
    return longest_case(bench, "lend-1000", STATUS_OK) &&
           longest_case(bench, "loans-back",
                        kernel_kill_process(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                            LONGEST_SLOT_CROWD + CROWD - 1, 1)) &&
           measure_lenders(bench) && longest_case(bench, "end-endpoint", end_endpoint(bench)) &&
           longest_case(bench, "forget", longest_drop(bench, LONGEST_SLOT_HELD + 9, 3)) &&
           longest_case(bench, "forget", longest_drop(bench, LONGEST_SLOT_HELD + 13, 3)) &&
           longest_case(bench, "forget", forget_crowd(bench)) &&
           longest_case(bench, "settle", longest_settle(bench));
}

bool longest_crowd(struct bench *bench)
{
    return measure_waiters(bench) && measure_chain(bench);
}
