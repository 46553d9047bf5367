/* SPDX-License-Identifier: ISC */
/* Rows beside a crowd. The crowd only grows: what is measured beside a thousand processes is
 * measured after it was beside ten. */
#include "services/bench/growth.h"

#include <string.h>

#include "services/bench/bench_crowd.h"
#include "services/bench/runner.h"
#include "services/lib/call_kernel.h"
#include "services/lib/call_memd.h"
#include "services/lib/log_line.h"

enum {
    CROWD_TICKS = 1000, /* until each of the crowd came to its wait */
    REGIONS_ACCOUNT_LIMIT = 16,
    GROWTH_SLOT_REGIONS = BENCH_SLOT_RUNNERS, /* four of that process, and its account */
    GROWTH_SLOT_ACCOUNT = GROWTH_SLOT_REGIONS + MESSAGE_CAP_LIMIT,
};
#define REGIONS_ACCOUNT_KEY (UINT64_C(1) << 60) /* no process has such an id */

static const uint32_t process_counts[] = {1, 10, 100, 1000};
static const uint32_t region_counts[] = {10, 1000, CROWD_REGIONS_MAX};

/* "GROWTH:<what>:<count>": beside how many the rows that follow were measured. */
static void stage_print(struct bench *bench, const char *what, uint32_t count)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "GROWTH:");
    log_line_add(&line, what);
    log_line_add(&line, ":");
    log_line_add_number(&line, count);
    log_line_send(&line, &bench->rootd.caller, SLOT_KERNEL_LOG_ENDPOINT);
}

static bool measure_rows(struct bench *bench)
{
    return bench_measure_short(bench) && bench_measure_faults(bench) &&
           bench_measure_spawn(bench, "spawn-exit");
}

static bool measure_processes(struct bench *bench)
{
    uint32_t made = 0;
    for (unsigned i = 0; i < sizeof process_counts / sizeof process_counts[0]; i++) {
        enum status status = STATUS_OK;
        for (; made < process_counts[i] && status == STATUS_OK; made++) {
            uint64_t id;
            status = bench_spawn(bench, ROLE_PHASE0_ISOLATION_B, CROWD_WAIT, &id);
        }
        if (status != STATUS_OK)
            return bench_fail(bench, "crowd", status);
        runner_sleep(CROWD_TICKS);
        stage_print(bench, "processes", process_counts[i]);
        if (!measure_rows(bench))
            return false;
    }
    return true;
}

/* --- regions ---------------------------------------------------------------------------------- */

static enum status give(struct bench *bench, uint32_t source_slot, uint32_t target_slot,
                        uint32_t rights, uint64_t badge)
{
    struct kernel_cap_copy_attenuated_request copy = {
        .grant_slot = GROWTH_SLOT_REGIONS + BENCH_SLOT_GRANT,
        .source_slot = source_slot,
        .target_slot = target_slot,
        .rights = rights,
        .badge = badge,
    };
    return kernel_cap_copy_attenuated(&bench->rootd.caller, SLOT_KERNEL_CHILD_POPULATE_ENDPOINT,
                                      &copy);
}

/* A client of vspaced that is taken for pagerd, and holds the address space that it registers: its
 * own. */
static enum status start_regions(struct bench *bench)
{
    struct memd_open_account_request open = {.key = REGIONS_ACCOUNT_KEY,
                                             .limit_pages = REGIONS_ACCOUNT_LIMIT};
    struct memd_open_account_reply opened;
    uint32_t slot = GROWTH_SLOT_REGIONS;
    enum status status = memd_call_open_account(&bench->rootd.caller, SLOT_PEER_MEMD,
                                                (struct window){GROWTH_SLOT_ACCOUNT, 1},
                                                DEADLINE_NEVER, &open, &opened);
    if (status == STATUS_OK)
        status = bench_stage(bench, slot, 0);
    if (status == STATUS_OK)
        status = kernel_register_pager(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       slot + BENCH_SLOT_PROCESS, SLOT_NULL, 0);
    if (status == STATUS_OK)
        status = give(bench, SLOT_PEER_VSPACED, CROWD_SLOT_VSPACED, RIGHT_SEND, ROLE_PAGERD);
    if (status == STATUS_OK)
        status =
            give(bench, slot + BENCH_SLOT_VSPACE, CROWD_SLOT_VSPACE, RIGHT_MAP | RIGHT_TRANSFER, 0);
    if (status == STATUS_OK)
        status =
            give(bench, GROWTH_SLOT_ACCOUNT, CROWD_SLOT_ACCOUNT, RIGHT_SEND | RIGHT_TRANSFER, 0);
    return status == STATUS_OK ? bench_go(bench, ROLE_PHASE0_ISOLATION_B, slot, CROWD_REGIONS)
                               : status;
}

/* Has the regions made, and prints what one more costs. */
static bool grow_regions(struct bench *bench, uint32_t count)
{
    struct message message = {
        .header = {.version = MESSAGE_VERSION, .body_bytes = sizeof(struct crowd_message)}};
    struct crowd_message crowd = {.count = count};
    memcpy(message.body, &crowd, sizeof crowd);
    enum status status =
        sys_call(GROWTH_SLOT_REGIONS + BENCH_SLOT_ENDPOINT, &message, DEADLINE_NEVER);
    if (status != STATUS_OK)
        return bench_fail(bench, "regions", status);
    memcpy(&crowd, message.body, sizeof crowd);
    struct figure figure = {{crowd.count, crowd.count, crowd.count}};
    stage_print(bench, "regions", count);
    bench_print(bench, "region", &figure);
    return true;
}

static bool measure_regions(struct bench *bench)
{
    enum status status = start_regions(bench);
    if (status != STATUS_OK)
        return bench_fail(bench, "start-regions", status);
    for (unsigned i = 0; i < sizeof region_counts / sizeof region_counts[0]; i++) {
        if (!grow_regions(bench, region_counts[i]) || !measure_rows(bench))
            return false;
    }
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

void growth_run(struct bench *bench, const void *handoff, size_t handoff_size,
                uint32_t root_endpoint_slot)
{
    if (bench_prepare(bench, handoff, handoff_size, root_endpoint_slot) &&
        bench_prepare_short(bench) && measure_processes(bench))
        (void)measure_regions(bench);
    bench_report_end(bench);
    kernel_exit(&bench->rootd.caller, bench->failed == NULL ? 0 : 1);
}
