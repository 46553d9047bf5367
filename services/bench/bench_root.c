/* SPDX-License-Identifier: ISC */
/* The life of the bench's root task, its lines, and how it makes processes. What is measured is in
 * measure_*.c. */
#include "services/bench/bench_root.h"

#include <string.h>

#include "services/bench/lines.h"
#include "services/lib/image_loader.h"
#include "services/rootd/launch.h"

enum { BENCH_BUDGET_PAGES = 64, BENCH_TOKEN = 2 };

/* --- lines ------------------------------------------------------------------------------------ */

void bench_print(struct bench *bench, const char *name, const struct figure *figure)
{
    bench_line_row(&bench->rootd.caller, name, figure);
}

bool bench_fail(struct bench *bench, const char *name, enum status cause)
{
    if (bench->failed == NULL) {
        bench->failed = name;
        bench->cause = cause;
    }
    return false;
}

void bench_report_end(struct bench *bench)
{
    bench_line_end(&bench->rootd.caller, bench->failed, bench->cause);
}

/* --- samples ---------------------------------------------------------------------------------- */

void bench_add(struct bench *bench, uint32_t run, uint64_t before, uint64_t after)
{
    if (run >= BENCH_WARM && bench->sample_count < BENCH_SAMPLES)
        bench->samples[bench->sample_count++] = after - before - bench->overhead;
}

void bench_flush(struct bench *bench, const char *name)
{
    struct figure figure = bench_figure(bench->samples, bench->sample_count);
    bench_print(bench, name, &figure);
    bench->sample_count = 0;
}

/* --- processes -------------------------------------------------------------------------------- */

enum status bench_stage(struct bench *bench, uint32_t slot, uint32_t band)
{
    struct kernel_create_staged_process_request request = {
        .untyped_slot = ROOTD_SLOT_LAUNCH_POOL,
        .budget_pages = BENCH_BUDGET_PAGES,
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .token = BENCH_TOKEN,
        .band = band,
    };
    struct kernel_create_staged_process_reply reply;
    return kernel_create_staged_process(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                        &request, (struct window){slot, MESSAGE_CAP_LIMIT}, &reply);
}

static const struct rootd_entry *module_of(const struct bench *bench, uint32_t role)
{
    for (unsigned i = 0; i < bench->rootd.intake.entry_count; i++) {
        if (bench->rootd.intake.entries[i].role == role)
            return &bench->rootd.intake.entries[i];
    }
    return NULL;
}

static enum status build(struct bench *bench, const struct rootd_entry *module, uint32_t slot,
                         struct elf_plan *plan)
{
    struct image_module image = {
        .kernel_slot = SLOT_KERNEL_PROCESS_ENDPOINT,
        .image_slot = SLOT_IMAGE,
        .offset_bytes = module->offset_bytes,
        .size_bytes = module->size_bytes,
    };
    struct image_target target = {
        .vspace_slot = slot + BENCH_SLOT_VSPACE,
        .untyped_slot = ROOTD_SLOT_LAUNCH_POOL,
        .scratch_slot = BENCH_SLOT_SCRATCH,
    };
    enum status status = image_plan(&bench->rootd.caller, &image, plan);
    return status == STATUS_OK ? image_build(&bench->rootd.caller, &image, &target, plan) : status;
}

enum status bench_go(struct bench *bench, uint32_t role, uint32_t slot, uint64_t argument)
{
    const struct rootd_entry *module = module_of(bench, role);
    struct elf_plan plan;
    if (module == NULL)
        return STATUS_NOT_FOUND;
    enum status status = build(bench, module, slot, &plan);
    if (status != STATUS_OK)
        return status;
    struct kernel_start_process_request request = {
        .process_slot = slot + BENCH_SLOT_PROCESS,
        .entry_va = plan.entry,
        .stack_top_va = plan.stack_top,
        .argument = argument,
    };
    return kernel_start_process(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request);
}

enum status bench_start(struct bench *bench, uint32_t role, uint32_t slot, uint32_t pager_slot,
                        uint64_t argument)
{
    enum status status = bench_stage(bench, slot, 0);
    if (status == STATUS_OK)
        status = kernel_register_pager(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                       slot + BENCH_SLOT_PROCESS, pager_slot, BENCH_TOKEN);
    return status == STATUS_OK ? bench_go(bench, role, slot, argument) : status;
}

/* --- life ------------------------------------------------------------------------------------- */

static enum status launch_foundation(struct rootd *rootd)
{
    enum status status = launch_procd(rootd);
    if (status == STATUS_OK)
        status = launch_ready(rootd, FOUNDATION_PROCD);
    for (unsigned i = 0; i < FOUNDATION_PROCD && status == STATUS_OK; i++) {
        status = launch_child(rootd, i);
        if (status == STATUS_OK)
            status = launch_ready(rootd, i);
    }
    return status == STATUS_OK ? launch_bind(rootd) : status;
}

static bool measure(struct bench *bench)
{
    return bench_measure_kernel(bench) && bench_measure_trips(bench) &&
           bench_measure_faults(bench) && bench_measure_life(bench) &&
           bench_measure_shares(bench) && bench_measure_run(bench);
}

bool bench_prepare(struct bench *bench, const void *handoff, size_t handoff_size,
                   uint32_t root_endpoint_slot)
{
    bench->overhead = bench_overhead();
    if (rootd_prepare(&bench->rootd, handoff, handoff_size, root_endpoint_slot) != ROOTD_READY)
        return bench_fail(bench, "prepare", bench->rootd.cause);
    enum status status = launch_foundation(&bench->rootd);
    return status == STATUS_OK || bench_fail(bench, "foundation", status);
}

void bench_run(struct bench *bench, const void *handoff, size_t handoff_size,
               uint32_t root_endpoint_slot)
{
    if (bench_prepare(bench, handoff, handoff_size, root_endpoint_slot))
        (void)measure(bench);
    bench_report_end(bench);
    kernel_exit(&bench->rootd.caller, bench->failed == NULL ? 0 : 1);
}
