/* SPDX-License-Identifier: ISC */
/* Figures of whole operations: page faults, with one handler and through the three services, and
 * the life of processes, by kernel control and through procd. */
#include <string.h>

#include "abi/messages/event.h"
#include "abi/address_space.h"
#include "services/bench/bench_root.h"
#include "services/lib/call_procd.h"

/* --- a fault with one handler: the root task itself --- */

/* Maps the next frame where the fault was, answers, and receives the next message. */
static enum status resolve(uint32_t index, uint64_t va, uint32_t reply_slot)
{
    struct message *page = bench_page();
    struct kernel_map_frame_request *map = (struct kernel_map_frame_request *)page->body;
    page->header = (struct message_header){
        .version = MESSAGE_VERSION, .operation = OP_KERNEL_MAP_FRAME, .body_bytes = sizeof *map};
    *map = (struct kernel_map_frame_request){
        .vspace_slot = BENCH_SLOT_FAULTER + BENCH_SLOT_VSPACE,
        .frame_slot = BENCH_SLOT_FRAMES + index,
        .va = va & ~(uint64_t)(PAGE_BYTES - 1),
        .page_count = 1,
        .rights = RIGHT_READ | RIGHT_WRITE,
    };
    enum status status = bench_enter(SYSCALL_CALL, SLOT_KERNEL_VSPACE_ENDPOINT, DEADLINE_NEVER);
    if (status == STATUS_OK)
        status = (enum status)page->header.status;
    if (status != STATUS_OK)
        return status;
    page->header = (struct message_header){.version = MESSAGE_VERSION,
                                           .operation = OP_EVENT_FAULT,
                                           .body_bytes = sizeof(struct event_fault_reply)};
    struct event_fault_reply *reply = (struct event_fault_reply *)page->body;
    *reply = (struct event_fault_reply){.verdict = FAULT_RESOLVED};
    return bench_answer(reply_slot);
}

/* Handles faults until the process ends; its exit code. */
static enum status handle_faults(uint32_t *code)
{
    struct message *page = bench_page();
    const struct receive_info *info =
        (const struct receive_info *)(MESSAGE_PAGE_VA + MESSAGE_PAGE_INFO_OFFSET);
    page->header = (struct message_header){.version = MESSAGE_VERSION};
    enum status status = bench_enter(SYSCALL_RECV, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER);
    for (uint32_t index = 0; status == STATUS_OK && index < BENCH_SAMPLES; index++) {
        if (page->header.operation == OP_EVENT_PROCESS_TERMINATED) {
            struct event_process_terminated_request event;
            memcpy(&event, page->body, sizeof event);
            *code = event.code;
            return event.reason == END_EXITED ? STATUS_OK : STATUS_INTERNAL;
        }
        struct event_fault_request fault;
        memcpy(&fault, page->body, sizeof fault);
        status = resolve(index, fault.va, info->reply_slot);
    }
    return status == STATUS_OK ? STATUS_EXHAUSTED : status;
}

static enum status drop_four(struct bench *bench, uint32_t slot)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < MESSAGE_CAP_LIMIT && status == STATUS_OK; i++)
        status = kernel_drop_local_cap(&bench->rootd.caller, slot + i);
    return status;
}

static bool measure_fault_one_handler(struct bench *bench, const char *name)
{
    struct figure figure;
    for (uint32_t statistic = 0; statistic < STATISTIC_COUNT; statistic++) {
        uint32_t code = 0;
        struct kernel_retire_process_reply retired;
        enum status status =
            bench_start(bench, ROLE_PHASE0_PROBE, BENCH_SLOT_FAULTER, SLOT_SERVICE_ENDPOINT,
                        TOUCH_HEAP * STATISTIC_COUNT + statistic);
        if (status == STATUS_OK)
            status = handle_faults(&code);
        if (status == STATUS_OK)
            status = kernel_retire_process(&bench->rootd.caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                           BENCH_SLOT_FAULTER + BENCH_SLOT_PROCESS, &retired);
        if (status == STATUS_OK)
            status = drop_four(bench, BENCH_SLOT_FAULTER);
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        figure.of[statistic] = code;
    }
    bench_print(bench, name, &figure);
    return true;
}

/* --- processes through procd ------------------------------------------------------------------ */

enum status bench_spawn(struct bench *bench, uint32_t role, uint64_t argument, uint64_t *id)
{
    const struct rootd_entry *module = NULL;
    for (unsigned i = 0; i < bench->rootd.intake.entry_count; i++) {
        if (bench->rootd.intake.entries[i].role == role)
            module = &bench->rootd.intake.entries[i];
    }
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_spawn_request request = {
        .role = role,
        .image_slot = SLOT_IMAGE,
        .image_offset = module->offset_bytes,
        .image_bytes = module->size_bytes,
        .argument = argument,
    };
    struct procd_spawn_reply spawned;
    enum status status = procd_call_spawn(&bench->rootd.caller, SLOT_PEER_PROCD, NO_WINDOW,
                                          DEADLINE_NEVER, &request, &spawned);
    *id = spawned.process_id;
    return status;
}

enum status bench_wait(struct bench *bench, uint64_t id, uint32_t *code)
{
    struct procd_wait_process_event_request wait = {.process_id = id,
                                                    .deadline_ticks = DEADLINE_NEVER};
    struct procd_wait_process_event_reply ended;
    enum status status = procd_call_wait_process_event(&bench->rootd.caller, SLOT_PEER_PROCD,
                                                       NO_WINDOW, DEADLINE_NEVER, &wait, &ended);
    if (status != STATUS_OK)
        return status;
    *code = ended.code;
    return ended.reason == END_EXITED ? STATUS_OK : STATUS_INTERNAL;
}

static enum status spawn(struct bench *bench, uint32_t role, uint64_t argument, uint32_t *code)
{
    uint64_t id = 0;
    enum status status = bench_spawn(bench, role, argument, &id);
    return status == STATUS_OK ? bench_wait(bench, id, code) : status;
}

static bool measure_fault_services(struct bench *bench, const char *name, enum touched kind)
{
    struct figure figure;
    for (uint32_t statistic = 0; statistic < STATISTIC_COUNT; statistic++) {
        uint32_t code = 0;
        enum status status =
            spawn(bench, ROLE_PHASE0_PROBE, (uint64_t)kind * STATISTIC_COUNT + statistic, &code);
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        figure.of[statistic] = code;
    }
    bench_print(bench, name, &figure);
    return true;
}

bool bench_measure_faults(struct bench *bench)
{
    return measure_fault_one_handler(bench, "fault-one-handler") &&
           measure_fault_services(bench, "fault-anonymous", TOUCH_HEAP) &&
           measure_fault_services(bench, "fault-walk", TOUCH_WALK) &&
           measure_fault_services(bench, "fault-walk-each", TOUCH_WALK_EACH) &&
           measure_fault_services(bench, "fault-image", TOUCH_IMAGE);
}

/* --- kernel memory of a process --------------------------------------------------------------- */

/* Makes a process with this budget and maps a page in each of `leaves` neighbouring 2 MiB of it:
 * OVER_BUDGET when the budget does not pay for its tables. Everything is given back. */
static enum status try_budget(struct bench *bench, uint32_t budget_pages, uint32_t leaves)
{
    enum { LEAF_BYTES = 512 * PAGE_BYTES };
    struct caller *caller = &bench->rootd.caller;
    struct kernel_create_staged_process_request request = {
        .untyped_slot = ROOTD_SLOT_LAUNCH_POOL,
        .budget_pages = budget_pages,
        .event_slot = SLOT_SERVICE_ENDPOINT,
    };
    struct kernel_create_staged_process_reply reply;
    enum status status = kernel_create_staged_process(
        caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request,
        (struct window){BENCH_SLOT_FAULTER, MESSAGE_CAP_LIMIT}, &reply);
    if (status != STATUS_OK)
        return STATUS_INTERNAL;
    for (uint32_t i = 0; i < leaves && status == STATUS_OK; i++) {
        struct kernel_map_frame_request map = {
            .vspace_slot = BENCH_SLOT_FAULTER + BENCH_SLOT_VSPACE,
            .frame_slot = BENCH_SLOT_FRAMES,
            .va = HEAP_WINDOW_VA + (uint64_t)i * LEAF_BYTES,
            .page_count = 1,
            .rights = RIGHT_READ | RIGHT_WRITE,
        };
        status = kernel_map_frame(caller, SLOT_KERNEL_VSPACE_ENDPOINT, &map);
    }
    enum status undone = kernel_abort_staged_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                                     BENCH_SLOT_FAULTER + BENCH_SLOT_PROCESS);
    if (undone == STATUS_OK)
        undone = drop_four(bench, BENCH_SLOT_FAULTER);
    return undone == STATUS_OK ? status : STATUS_INTERNAL;
}

/* The smallest budget that pays is what the process draws. There must be so many leaves that it is
 * above the least budget that is allowed. */
static bool measure_pages(struct bench *bench, const char *name, uint32_t leaves)
{
    uint32_t budget = PROCESS_BUDGET_PAGES_MIN;
    enum status status = try_budget(bench, budget, leaves);
    while (status == STATUS_OVER_BUDGET && budget < PROCESS_BUDGET_PAGES_MAX)
        status = try_budget(bench, ++budget, leaves);
    if (status == STATUS_OK && budget == PROCESS_BUDGET_PAGES_MIN)
        status = STATUS_OUT_OF_RANGE;
    if (status != STATUS_OK)
        return bench_fail(bench, name, status);
    struct figure figure = {{budget, budget, budget}};
    bench_print(bench, name, &figure);
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool measure_create_abort(struct bench *bench, const char *name)
{
    struct caller *caller = &bench->rootd.caller;
    for (uint32_t i = 0; i < BENCH_WARM + BENCH_SAMPLES; i++) {
        uint64_t before = bench_cycles();
        enum status status = bench_stage(bench, BENCH_SLOT_FAULTER, 0);
        if (status == STATUS_OK)
            status = kernel_abort_staged_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                                 BENCH_SLOT_FAULTER + BENCH_SLOT_PROCESS);
        uint64_t after = bench_cycles();
        if (status == STATUS_OK)
            status = drop_four(bench, BENCH_SLOT_FAULTER);
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        bench_add(bench, i, before, after);
    }
    bench_flush(bench, name);
    return true;
}

bool bench_measure_spawn(struct bench *bench, const char *name)
{
    enum { RUNS = 32, EXIT_CODE = 42 };
    for (uint32_t i = 0; i < BENCH_WARM + RUNS; i++) {
        uint32_t code = 0;
        uint64_t before = bench_cycles();
        enum status status = spawn(bench, ROLE_PHASE0_EXIT, EXIT_CODE, &code);
        uint64_t after = bench_cycles();
        if (status == STATUS_OK && code != EXIT_CODE)
            status = STATUS_INTERNAL;
        if (status != STATUS_OK)
            return bench_fail(bench, name, status);
        bench_add(bench, i, before, after);
    }
    bench_flush(bench, name);
    return true;
}

bool bench_measure_life(struct bench *bench)
{
    return measure_create_abort(bench, "create-abort") &&
           bench_measure_spawn(bench, "spawn-exit") && measure_pages(bench, "pages-3-leaves", 3) &&
           measure_pages(bench, "pages-4-leaves", 4);
}
