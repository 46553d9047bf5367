/* SPDX-License-Identifier: ISC */
/* Figures of who runs: what the life of a helper costs beside others that want the processor all
 * the time, and the share of an honest process beside one that sleeps just before its slice ends.
 * Last of all, because those others stay. */
#include "services/bench/runner.h"

enum { RUNS = 8, EXIT_CODE = 42, THIEF_START_TICKS = 100 };

/* bench-fault as what `run` says, which does not end. */
static enum status start_runner(struct bench *bench, enum bench_run run)
{
    uint64_t id;
    return bench_spawn(bench, ROLE_PHASE0_PROBE, (uint64_t)run * STATISTIC_COUNT, &id);
}

static bool measure_share(struct bench *bench, const char *name)
{
    uint64_t id = 0;
    uint32_t share = 0;
    enum status status = start_runner(bench, RUN_THIEF);
    runner_sleep(THIEF_START_TICKS); /* it finds out how long a tick is */
    if (status == STATUS_OK)
        status = bench_spawn(bench, ROLE_PHASE0_PROBE, (uint64_t)RUN_SHARE * STATISTIC_COUNT, &id);
    if (status == STATUS_OK)
        status = bench_wait(bench, id, &share);
    if (status != STATUS_OK)
        return bench_fail(bench, name, status);
    struct figure figure = {{share, share, share}};
    bench_print(bench, name, &figure);
    return true;
}

static bool measure_beside(struct bench *bench, const char *name, uint32_t *spinners,
                           uint32_t count)
{
    enum status status = STATUS_OK;
    for (; *spinners < count && status == STATUS_OK; ++*spinners)
        status = start_runner(bench, RUN_SPIN);
    for (uint32_t i = 0; i < RUNS && status == STATUS_OK; i++) {
        uint32_t code = 0;
        uint64_t id = 0;
        uint64_t before = bench_cycles();
        status = bench_spawn(bench, ROLE_PHASE0_EXIT, EXIT_CODE, &id);
        if (status == STATUS_OK)
            status = bench_wait(bench, id, &code);
        bench_add(bench, BENCH_WARM + i, before, bench_cycles());
        if (status == STATUS_OK && code != EXIT_CODE)
            status = STATUS_INTERNAL;
    }
    if (status != STATUS_OK)
        return bench_fail(bench, name, status);
    bench_flush(bench, name);
    return true;
}

bool bench_measure_run(struct bench *bench)
{
    uint32_t spinners = 0;
    return measure_beside(bench, "spawn-exit-0", &spinners, 0) &&
           measure_share(bench, "share-thief") &&
           measure_beside(bench, "spawn-exit-10", &spinners, 10) &&
           measure_beside(bench, "spawn-exit-100", &spinners, 100) &&
           measure_beside(bench, "spawn-exit-900", &spinners, 900);
}
