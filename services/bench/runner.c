/* SPDX-License-Identifier: ISC */
/* The life of processes that run beside each other, as their starter sees it. */
#include "services/bench/runner.h"

#include <string.h>

#include "services/bench/bench_run.h"
#include "services/lib/call_kernel.h"

static enum status share_page(struct bench *bench, uint32_t slot, const struct runner_page *page)
{
    struct kernel_frame_write_request write = {.frame_slot = slot + RUNNER_SLOT_PAGE,
                                               .count = sizeof *page};
    struct kernel_map_frame_request map = {.vspace_slot = slot + BENCH_SLOT_VSPACE,
                                           .frame_slot = slot + RUNNER_SLOT_PAGE,
                                           .va = RUNNER_VA,
                                           .page_count = 1,
                                           .rights = RIGHT_READ | RIGHT_WRITE};
    struct caller *caller = &bench->rootd.caller;
    enum status status = kernel_retype(caller, SLOT_KERNEL_MEM_ENDPOINT, ROOTD_SLOT_LAUNCH_POOL,
                                       OBJECT_FRAME, 1, slot + RUNNER_SLOT_PAGE);
    memcpy(write.bytes, page, sizeof *page);
    if (status == STATUS_OK)
        status = kernel_call_frame_write(caller, SLOT_KERNEL_MEM_ENDPOINT, NO_WINDOW,
                                         DEADLINE_NEVER, &write, NULL);
    return status == STATUS_OK ? kernel_map_frame(caller, SLOT_KERNEL_VSPACE_ENDPOINT, &map)
                               : status;
}

static enum status give_peer(struct bench *bench, uint32_t slot, uint32_t peer_slot)
{
    struct kernel_cap_copy_attenuated_request copy = {.grant_slot = slot + BENCH_SLOT_GRANT,
                                                      .source_slot = peer_slot,
                                                      .target_slot = RUNNER_SLOT_PEER,
                                                      .rights = RIGHT_SEND};
    return kernel_cap_copy_attenuated(&bench->rootd.caller, SLOT_KERNEL_CHILD_POPULATE_ENDPOINT,
                                      &copy);
}

enum status runner_start(struct bench *bench, uint32_t slot, enum bench_run run, uint32_t band,
                         uint32_t peer_slot, const struct runner_page *page)
{
    enum status status = bench_stage(bench, slot, band);
    if (status == STATUS_OK)
        status = kernel_register_pager(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       slot + BENCH_SLOT_PROCESS, SLOT_NULL, 0);
    if (status == STATUS_OK && peer_slot != SLOT_NULL)
        status = give_peer(bench, slot, peer_slot);
    if (status == STATUS_OK)
        status = share_page(bench, slot, page);
    return status == STATUS_OK
               ? bench_go(bench, ROLE_PHASE0_PROBE, slot, (uint64_t)run * STATISTIC_COUNT)
               : status;
}

enum status runner_count(struct bench *bench, uint32_t slot, uint64_t *count)
{
    return kernel_frame_read(&bench->rootd.caller, SLOT_KERNEL_MEM_ENDPOINT,
                             slot + RUNNER_SLOT_PAGE, offsetof(struct runner_page, count),
                             sizeof *count, count);
}

enum status runner_end(struct bench *bench, uint32_t slot)
{
    struct caller *caller = &bench->rootd.caller;
    struct kernel_retire_process_reply retired;
    enum status status =
        kernel_kill_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT, slot + BENCH_SLOT_PROCESS, 1);
    if (status == STATUS_NOT_FOUND) /* it ended by itself */
        status = STATUS_OK;
    if (status == STATUS_OK)
        status = kernel_retire_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       slot + BENCH_SLOT_PROCESS, &retired);
    for (uint32_t i = 0; i < BENCH_RUNNER_SLOTS && status == STATUS_OK; i++)
        status = kernel_drop_local_cap(caller, slot + i);
    return status;
}

void runner_sleep(uint64_t ticks)
{
    uint64_t end = bench_receive(DEADLINE_POLL) + ticks;
    while (bench_receive(end) < end)
        continue;
}
