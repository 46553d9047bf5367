/* SPDX-License-Identifier: ISC */
/* What one process can build that makes an entry long, and its use: address spaces, frames, pools,
 * slots. Figures: longest.h. */
#include "services/bench/longest.h"

#include <string.h>

#include "services/bench/runner.h"
#include "services/lib/call_kernel.h"
#include "services/lib/log_line.h"

enum {
    FULL_BUDGET = 4096, /* a process full of mappings: over a million of them */
    SPARSE_BUDGET = 2048,
    CHAIN = 16,
    CHAIN_BUDGET = 128,
    FRAME_MAPPINGS = 4096,
    POOL_CHAINS = 64,
    POOL_DEPTH = 30,
    SETTLE_TICKS = 20000
};
#define LEAF_SPAN (UINT64_C(512) * PAGE_BYTES)
#define TABLE_SPAN                                                                                 \
    (UINT64_C(512) * LEAF_SPAN) /* each mapping that far away has tables of its own */
#define MEMORY_SLOT SLOT_UNTYPED_BASE

/* --- shared ----------------------------------------------------------------------------------- */

bool longest_case(struct bench *bench, const char *name, enum status status)
{
    struct log_line line = {.count = 0};
    if (status != STATUS_OK)
        return bench_fail(bench, name, status);
    log_line_add(&line, "CASE:");
    log_line_add(&line, name);
    log_line_send(&line, &bench->rootd.caller, SLOT_KERNEL_LOG_ENDPOINT);
    return true;
}

enum status longest_stage(struct bench *bench, uint32_t slot, uint32_t budget_pages, uint32_t band)
{
    struct kernel_create_staged_process_request request = {
        .untyped_slot = MEMORY_SLOT,
        .budget_pages = budget_pages,
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .band = band,
    };
    struct kernel_create_staged_process_reply reply;
    return kernel_create_staged_process(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                        &request, (struct window){slot, MESSAGE_CAP_LIMIT}, &reply);
}

enum status longest_drop(struct bench *bench, uint32_t slot, uint32_t count)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = kernel_drop_local_cap(&bench->rootd.caller, slot + i);
    return status;
}

static uint32_t pages_left(struct bench *bench)
{
    struct kernel_query_local_cap_reply reply = {0};
    (void)kernel_query_local_cap(&bench->rootd.caller, MEMORY_SLOT, QUERY_EXACT, &reply);
    return (uint32_t)reply.size_pages;
}

static uint32_t pages_at_start;

enum status longest_settle(struct bench *bench)
{
    for (uint32_t i = 0; i < SETTLE_TICKS; i++) {
        if (pages_left(bench) == pages_at_start)
            return STATUS_OK;
        runner_sleep(1);
    }
    return STATUS_TIMED_OUT;
}

static enum status map(struct bench *bench, uint32_t vspace_slot, uint32_t frame_slot, uint64_t va,
                       uint32_t count)
{
    struct kernel_map_frame_request request = {.vspace_slot = vspace_slot,
                                               .frame_slot = frame_slot,
                                               .va = va,
                                               .page_count = count,
                                               .rights = RIGHT_READ};
    return kernel_map_frame(&bench->rootd.caller, SLOT_KERNEL_VSPACE_ENDPOINT, &request);
}

/* Until its budget is used up: `count` pages every `span` bytes. */
static enum status fill(struct bench *bench, uint32_t vspace_slot, uint32_t frame_slot,
                        uint32_t count, uint64_t span)
{
    enum status status = STATUS_OK;
    for (uint64_t va = LONGEST_VA; status == STATUS_OK && va < USER_VA_END - span; va += span)
        status = map(bench, vspace_slot, frame_slot, va, count);
    return status == STATUS_OVER_BUDGET ? STATUS_OK : status;
}

/* --- address spaces --------------------------------------------------------------------------- */

/* Pages on either side of a leaf's border, whose tables do not exist yet. */
static bool measure_ranges(struct bench *bench)
{
    struct caller *caller = &bench->rootd.caller;
    uint64_t va = LONGEST_VA + TABLE_SPAN - LEAF_SPAN / 2;
    uint32_t vspace = LONGEST_SLOT_HELD + BENCH_SLOT_VSPACE;
    return longest_case(bench, "stage", longest_stage(bench, LONGEST_SLOT_HELD, FULL_BUDGET, 1)) &&
           longest_case(bench, "map-512",
                        map(bench, vspace, SLOT_IMAGE, va, LONGEST_IMAGE_PAGES)) &&
           longest_case(bench, "protect-512",
                        kernel_protect_frame(caller, SLOT_KERNEL_VSPACE_ENDPOINT, vspace, va,
                                             LONGEST_IMAGE_PAGES, RIGHT_READ)) &&
           longest_case(bench, "unmap-512",
                        kernel_unmap_frame(caller, SLOT_KERNEL_VSPACE_ENDPOINT, vspace, va,
                                           LONGEST_IMAGE_PAGES));
}

static enum status end(struct bench *bench, uint32_t slot)
{
    enum status status = kernel_abort_staged_process(
        &bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT, slot + BENCH_SLOT_PROCESS);
    return status == STATUS_OK ? longest_drop(bench, slot, MESSAGE_CAP_LIMIT) : status;
}

static bool measure_ends(struct bench *bench)
{
    uint32_t vspace = LONGEST_SLOT_HELD + BENCH_SLOT_VSPACE;
    return longest_case(bench, "fill",
                        fill(bench, vspace, SLOT_IMAGE, LONGEST_IMAGE_PAGES, LEAF_SPAN)) &&
           longest_case(bench, "end-full", end(bench, LONGEST_SLOT_HELD)) &&
           longest_case(bench, "stage-sparse",
                        longest_stage(bench, LONGEST_SLOT_HELD, SPARSE_BUDGET, 1)) &&
           longest_case(bench, "fill-sparse", fill(bench, vspace, SLOT_IMAGE, 1, TABLE_SPAN)) &&
           longest_case(bench, "end-sparse", end(bench, LONGEST_SLOT_HELD));
}

/* --- frames ----------------------------------------------------------------------------------- */

/* One frame, mapped again and again, then destroyed. */
static enum status map_often(struct bench *bench, uint64_t span)
{
    enum status status = kernel_retype(&bench->rootd.caller, SLOT_KERNEL_MEM_ENDPOINT, MEMORY_SLOT,
                                       OBJECT_FRAME, 1, LONGEST_SLOT_FRAMES);
    if (status == STATUS_OK)
        status = longest_stage(bench, LONGEST_SLOT_HELD, SPARSE_BUDGET, 1);
    for (uint64_t i = 0; i < FRAME_MAPPINGS && status == STATUS_OK; i++)
        status = map(bench, LONGEST_SLOT_HELD + BENCH_SLOT_VSPACE, LONGEST_SLOT_FRAMES,
                     LONGEST_VA + i * span, 1);
    return status == STATUS_OVER_BUDGET ? STATUS_OK : status;
}

static enum status destroy(struct bench *bench)
{
    return kernel_destroy(&bench->rootd.caller, SLOT_KERNEL_MEM_ENDPOINT, LONGEST_SLOT_FRAMES);
}

static bool measure_frames(struct bench *bench)
{
    struct caller *caller = &bench->rootd.caller;
    return longest_case(bench, "map-often", map_often(bench, PAGE_BYTES)) &&
           longest_case(bench, "destroy-frame", destroy(bench)) &&
           longest_case(bench, "end", end(bench, LONGEST_SLOT_HELD)) &&
           longest_case(bench, "map-often-sparse", map_often(bench, TABLE_SPAN)) &&
           longest_case(bench, "destroy-frame-sparse", destroy(bench)) &&
           longest_case(bench, "end", end(bench, LONGEST_SLOT_HELD)) &&
           longest_case(bench, "retype-64",
                        kernel_retype(caller, SLOT_KERNEL_MEM_ENDPOINT, MEMORY_SLOT, OBJECT_FRAME,
                                      64, LONGEST_SLOT_FRAMES)) &&
           longest_case(bench, "drop-64", longest_drop(bench, LONGEST_SLOT_FRAMES, 64));
}

/* --- what only one process holds -------------------------------------------------------------- */

/* Copies a capability into a staged process, and drops it here. */
static enum status hand_over(struct bench *bench, uint32_t slot, uint32_t target_slot,
                             uint32_t rights)
{
    struct kernel_cap_copy_attenuated_request request = {
        .grant_slot = LONGEST_SLOT_OTHER + BENCH_SLOT_GRANT,
        .source_slot = slot,
        .target_slot = target_slot,
        .rights = rights,
    };
    enum status status = kernel_cap_copy_attenuated(&bench->rootd.caller,
                                                    SLOT_KERNEL_CHILD_POPULATE_ENDPOINT, &request);
    return status == STATUS_OK ? kernel_drop_local_cap(&bench->rootd.caller, slot) : status;
}

/* Full processes that only one holds, which is held here. */
static enum status make_chain(struct bench *bench)
{
    enum status status = longest_stage(bench, LONGEST_SLOT_OTHER, 64, 1);
    for (uint32_t i = 0; i < CHAIN && status == STATUS_OK; i++) {
        status = longest_stage(bench, LONGEST_SLOT_HELD, CHAIN_BUDGET, 1);
        if (status == STATUS_OK)
            status = fill(bench, LONGEST_SLOT_HELD + BENCH_SLOT_VSPACE, SLOT_IMAGE,
                          LONGEST_IMAGE_PAGES, LEAF_SPAN);
        if (status == STATUS_OK)
            status = hand_over(bench, LONGEST_SLOT_HELD, SLOT_RECEIVE_BASE + i, RIGHT_CONTROL);
        if (status == STATUS_OK)
            status = longest_drop(bench, LONGEST_SLOT_HELD + 1, MESSAGE_CAP_LIMIT - 1);
    }
    return status;
}

/* The last capability of the one, and all of them go. */
static enum status let_go(struct bench *bench)
{
    enum status status = longest_drop(bench, LONGEST_SLOT_OTHER, MESSAGE_CAP_LIMIT);
    return status == STATUS_OK ? longest_settle(bench) : status;
}

/* A pool in a pool in a pool, of which only a frame of the last is left. */
static enum status make_pools(struct bench *bench, uint32_t target_slot)
{
    struct caller *caller = &bench->rootd.caller;
    uint32_t slot = LONGEST_SLOT_FRAMES;
    enum status status = STATUS_OK;
    for (uint32_t depth = 0; depth < POOL_DEPTH && status == STATUS_OK; depth++)
        status = kernel_retype(caller, SLOT_KERNEL_MEM_ENDPOINT,
                               depth == 0 ? MEMORY_SLOT : slot + depth - 1, OBJECT_UNTYPED, 1,
                               slot + depth);
    if (status == STATUS_OK)
        status = kernel_retype(caller, SLOT_KERNEL_MEM_ENDPOINT, slot + POOL_DEPTH - 1,
                               OBJECT_FRAME, 1, slot + POOL_DEPTH);
    if (status == STATUS_OK)
        status = longest_drop(bench, slot, POOL_DEPTH);
    return status == STATUS_OK ? hand_over(bench, slot + POOL_DEPTH, target_slot, RIGHT_READ)
                               : status;
}

static enum status make_holder_of_pools(struct bench *bench)
{
    enum status status = longest_stage(bench, LONGEST_SLOT_OTHER, 64, 1);
    for (uint32_t i = 0; i < POOL_CHAINS && status == STATUS_OK; i++)
        status = make_pools(bench, SLOT_RECEIVE_BASE + i);
    return status;
}

static bool measure_holders(struct bench *bench)
{
    return longest_case(bench, "make-chain", make_chain(bench)) &&
           longest_case(bench, "drop-chain", let_go(bench)) &&
           longest_case(bench, "make-pools", make_holder_of_pools(bench)) &&
           longest_case(bench, "drop-pools", let_go(bench));
}

/* --- pools and slots -------------------------------------------------------------------------- */

/* After all that was freed in between, all there is. */
static bool measure_pool(struct bench *bench)
{
    struct caller *caller = &bench->rootd.caller;
    uint32_t slot = LONGEST_SLOT_FRAMES;
    return longest_case(bench, "retype-all",
                        kernel_retype(caller, SLOT_KERNEL_MEM_ENDPOINT, MEMORY_SLOT, OBJECT_UNTYPED,
                                      pages_left(bench), slot)) &&
           longest_case(bench, "destroy-all",
                        kernel_destroy(caller, SLOT_KERNEL_MEM_ENDPOINT, slot));
}

/* A capability that wanders leaves empty leaves, as many as the budget has; then a search. Last of
 * all: leaves stay. */
static bool measure_scan(struct bench *bench)
{
    enum { LEAF_SLOTS = 128, SEARCHED = SLOT_DYNAMIC_BASE + 2 * LEAF_SLOTS };
    struct caller *caller = &bench->rootd.caller;
    struct kernel_query_local_cap_reply reply;
    uint32_t at = LONGEST_SLOT_FRAMES;
    enum status status =
        kernel_retype(caller, SLOT_KERNEL_MEM_ENDPOINT, MEMORY_SLOT, OBJECT_FRAME, 1, at);
    for (uint32_t slot = SLOT_LIMIT - LEAF_SLOTS; status == STATUS_OK; slot = SEARCHED) {
        if (at != LONGEST_SLOT_FRAMES)
            slot = at == SLOT_LIMIT - LEAF_SLOTS ? SEARCHED : at + LEAF_SLOTS;
        status = kernel_move_local_cap(caller, at, slot);
        at = status == STATUS_OK ? slot : at;
    }
    if (status == STATUS_OVER_BUDGET)
        status = kernel_move_local_cap(caller, at, SLOT_LIMIT - LEAF_SLOTS);
    if (!longest_case(bench, "make-leaves", status))
        return false;
    status = kernel_query_local_cap(caller, SEARCHED, QUERY_NEXT, &reply);
    if (status == STATUS_OK && reply.slot != SLOT_LIMIT - LEAF_SLOTS)
        status = STATUS_INTERNAL;
    return longest_case(bench, "scan", status);
}

void longest_run(struct bench *bench, const void *handoff, size_t handoff_size,
                 uint32_t root_endpoint_slot)
{
    if (rootd_prepare(&bench->rootd, handoff, handoff_size, root_endpoint_slot) != ROOTD_READY) {
        (void)bench_fail(bench, "prepare", bench->rootd.cause);
    } else {
        pages_at_start = pages_left(bench);
        (void)(longest_case(bench, "start", STATUS_OK) && measure_ranges(bench) &&
               measure_ends(bench) && measure_frames(bench) && measure_holders(bench) &&
               longest_crowd(bench) && measure_pool(bench) && measure_scan(bench));
    }
    bench_report_end(bench);
    kernel_exit(&bench->rootd.caller, bench->failed == NULL ? 0 : 1);
}
