/* SPDX-License-Identifier: ISC */
/* test-operator asks pagerd about processes whose faults wait because memd has no page for them, and the
 * kernel for what it refuses to whoever does not hold the kind. */
#include "abi/address_space.h"
#include "abi/messages/event.h"
#include "services/lib/call_pagerd.h"
#include "services/lib/call_procd.h"
#include "services/probes/expectations.h"
#include "services/probes/mapper.h"
#include "services/tester/operations.h"

enum { TOUCHER_PLACE = 1, STEP_TICKS = 20, PARKED_TICKS = 5000, CREATED_COUNT = 4 };
#define NO_TOKEN UINT64_C(0x7E5700000001) /* no process has this id */

static const struct probe_run touched_run = {
    ROLE_TEST_MAPPER, MAPPER_TOUCHES, END_EXITED, MAPPER_OK, 0, 0};
static const struct probe_run ended_run = {
    ROLE_TEST_MAPPER, MAPPER_TOUCHES, END_FAULT_MEMORY, 0, 0, 0};

static struct caller *caller_of(struct operations *operations)
{
    return &operations->tester->caller;
}

/* --- faults -------------------------------------------------------------------------------------- */

static enum status query(struct operations *operations, uint64_t token,
                         struct pagerd_query_faults_reply *reply)
{
    struct pagerd_query_faults_request request = {.token = token};
    return pagerd_call_query_faults(caller_of(operations), SLOT_PAGERD_ADMINISTRATOR, NO_WINDOW,
                                    operations_soon(operations), &request, reply);
}

/* RESOLVE_FAULT; *resumed is how many it was about. */
static enum status resolve(struct operations *operations, uint64_t fault_id,
                           enum resolve_action action, uint64_t *resumed)
{
    struct pagerd_resolve_fault_request request = {
        .fault_id = fault_id,
        .action = action,
        .reason = action == RESOLVE_END ? END_FAULT_MEMORY : END_NONE,
    };
    struct pagerd_resolve_fault_reply reply;
    enum status status =
        pagerd_call_resolve_fault(caller_of(operations), SLOT_PAGERD_ADMINISTRATOR, NO_WINDOW,
                                  operations_soon(operations), &request, &reply);
    *resumed = reply.resumed_count;
    return status;
}

/* Until a fault of the process is parked: it has met the end of memory. */
static void await_parked(struct operations *operations, uint64_t token,
                         struct pagerd_query_faults_reply *counts)
{
    enum status status = query(operations, token, counts);
    for (uint64_t waited = 0;
         status == STATUS_OK && counts->parked_count == 0 && waited < PARKED_TICKS;
         waited += STEP_TICKS) {
        status = tester_pause(operations->tester, STEP_TICKS);
        if (status == STATUS_OK)
            status = query(operations, token, counts);
    }
    operations_check(operations, "a parked fault",
                     status == STATUS_OK && counts->parked_count == 1 &&
                         counts->fault_count == counts->resolved_count + 1);
}

/* All that is free becomes somebody's guarantee, or is free again. */
static void hoard(struct operations *operations)
{
    struct memd_query_memory_reply book = {0};
    operations_expect(operations, "read the book", tester_read_book(operations->tester, &book),
                      STATUS_OK);
    operations_expect(operations, "reserve all that is free",
                      operations_open(operations, OPERATIONS_HOARD, book.free_pages,
                                      book.free_pages, OPERATIONS_SLOT_HOARD),
                      STATUS_OK);
    operations_expect(operations, "reserve a page more",
                      operations_open(operations, OPERATIONS_KEY, 1, 1, OPERATIONS_SLOT_ACCOUNT),
                      STATUS_EXHAUSTED); /* M8 */
}

static void let_go(struct operations *operations)
{
    operations_expect(operations, "give up what was reserved",
                      operations_close(operations, OPERATIONS_HOARD), STATUS_OK);
    operations_drop(operations, OPERATIONS_SLOT_HOARD);
}

/* A process whose fault is parked; its memory for a start was set aside before. */
static uint64_t park(struct operations *operations, const struct probe_run *run,
                     struct pagerd_query_faults_reply *counts)
{
    operations_expect(operations, "stage one that touches pages",
                      tester_stage(operations->tester, run, TOUCHER_PLACE), STATUS_OK);
    hoard(operations);
    operations_expect(operations, "start it", tester_begin(operations->tester, run, TOUCHER_PLACE),
                      STATUS_OK);
    uint64_t id = operations->tester->helper_ids[TOUCHER_PLACE];
    await_parked(operations, id, counts);
    return id;
}

/* A parked fault is tried again and goes on waiting, until there is memory. */
static void ask_retry(struct operations *operations)
{
    struct pagerd_query_faults_reply counts = {0};
    uint64_t resumed = 0;
    uint64_t id = park(operations, &touched_run, &counts);
    operations_expect(operations, "try again",
                      resolve(operations, counts.last_fault_id, RESOLVE_RETRY, &resumed),
                      STATUS_OK);
    operations_check(operations, "one was tried", resumed == 1);
    await_parked(operations, id, &counts); /* in vain */
    let_go(operations);
    (void)resolve(operations, 0, RESOLVE_RETRY, &resumed); /* unless pagerd was faster */
    operations_expect(operations, "it goes on",
                      tester_wait(operations->tester, &touched_run, TOUCHER_PLACE), STATUS_OK);
}

/* A parked fault is the end of its process when its administrator says so. */
static void ask_end(struct operations *operations)
{
    struct pagerd_query_faults_reply counts = {0};
    uint64_t resumed = 0;
    uint64_t id = park(operations, &ended_run, &counts);
    operations_expect(operations, "end nothing",
                      resolve(operations, counts.last_fault_id + 1, RESOLVE_END, &resumed),
                      STATUS_NOT_FOUND);
    operations_expect(operations, "end it",
                      resolve(operations, counts.last_fault_id, RESOLVE_END, &resumed), STATUS_OK);
    operations_expect(operations, "it has ended",
                      tester_wait(operations->tester, &ended_run, TOUCHER_PLACE), STATUS_OK);
    operations_expect(operations, "query who is gone", query(operations, id, &counts),
                      STATUS_NOT_FOUND);
    let_go(operations);
}

static enum status unregister(struct operations *operations, uint64_t token)
{
    struct pagerd_unregister_process_request request = {.token = token};
    struct pagerd_unregister_process_reply reply;
    return pagerd_call_unregister_process(caller_of(operations), SLOT_PAGERD_ADMINISTRATOR,
                                          NO_WINDOW, operations_soon(operations), &request, &reply);
}

static enum status register_process(struct operations *operations)
{
    struct pagerd_register_process_request request = {
        .token = NO_TOKEN,
        .vspace_slot = TESTER_SLOT_CHILD + 1, /* the second that CREATE gives */
        .account_slot = OPERATIONS_SLOT_ACCOUNT,
        .page_limit = 1,
        .region_limit = 2,
        .area_count = 1,
        .areas = {{.kind = AREA_WINDOW,
                   .rights = RIGHT_READ | RIGHT_WRITE,
                   .va = HEAP_WINDOW_VA,
                   .memory_bytes = PAGE_BYTES}},
    };
    return pagerd_call_register_process(caller_of(operations), SLOT_PAGERD_ADMINISTRATOR, NO_WINDOW,
                                        operations_soon(operations), &request, NULL);
}

/* Its only area is anonymous memory, in which nobody gives a page. */
static enum status give_page(struct operations *operations, uint32_t frame_id)
{
    struct pagerd_give_page_request request = {
        .token = NO_TOKEN,
        .va = HEAP_WINDOW_VA,
        .frame_id = frame_id,
        .frame_slot = OPERATIONS_SLOT_FRAMES,
    };
    return pagerd_call_give_page(caller_of(operations), SLOT_PAGERD_ADMINISTRATOR, NO_WINDOW,
                                 operations_soon(operations), &request, NULL);
}

/* A process that the kernel made and procd does not know: registered once, and forgotten. */
static void ask_registration(struct operations *operations)
{
    struct kernel_create_staged_process_request create = {
        .untyped_slot = OPERATIONS_SLOT_UNTYPED,
        .budget_pages = MAPPER_BUDGET_PAGES,
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .band = BAND_LAST,
    };
    struct kernel_create_staged_process_reply created;
    uint32_t frame_id;
    operations_expect(
        operations, "make a process",
        kernel_create_staged_process(caller_of(operations), SLOT_KERNEL_PROCESS_ENDPOINT, &create,
                                     (struct window){TESTER_SLOT_CHILD, CREATED_COUNT}, &created),
        STATUS_OK);
    operations_expect(operations, "a frame", operations_alloc_frame(operations, &frame_id),
                      STATUS_OK);
    operations_expect(operations, "give nobody a page", give_page(operations, frame_id),
                      STATUS_NOT_FOUND);
    operations_expect(operations, "register it", register_process(operations), STATUS_OK);
    operations_expect(operations, "give a page of its heap", give_page(operations, frame_id),
                      STATUS_OUT_OF_RANGE);
    operations_drop(operations, OPERATIONS_SLOT_FRAMES);
    operations_expect(operations, "register it again", register_process(operations), STATUS_BUSY);
    operations_expect(operations, "unregister it", unregister(operations, NO_TOKEN), STATUS_OK);
    operations_expect(operations, "unregister nobody", unregister(operations, NO_TOKEN),
                      STATUS_NOT_FOUND);
    operations_expect(operations, "abort it",
                      kernel_abort_staged_process(caller_of(operations),
                                                  SLOT_KERNEL_PROCESS_ENDPOINT, TESTER_SLOT_CHILD),
                      STATUS_OK);
    for (uint32_t i = 0; i < CREATED_COUNT; i++)
        operations_drop(operations, TESTER_SLOT_CHILD + i);
}

void operations_ask_faults(struct operations *operations)
{
    operations_open_with_untyped(operations);
    ask_registration(operations);
    operations_close_with_untyped(operations);
    ask_retry(operations);
    ask_end(operations);
}

/* --- refusals of the kernel -------------------------------------------------------------------------- */

/* An operation asked by a capability of another kind, which is answered before its body is read. */
static void ask_other_kind(struct operations *operations, uint32_t slot, uint16_t operation)
{
    struct message *message = caller_message(caller_of(operations));
    message->header = (struct message_header){.version = MESSAGE_VERSION, .operation = operation};
    enum status status = sys_call(slot, message, DEADLINE_NEVER);
    operations_expect(operations, "kernel control of another kind",
                      status == STATUS_OK ? (enum status)message->header.status : status,
                      STATUS_DENIED);
}

/* What only the kernel sends, and only a launcher, is refused to everybody else. */
static void ask_events(struct operations *operations)
{
    struct event_fault_request fault = {.token = NO_TOKEN, .va = USER_VA_FIRST};
    struct event_fault_reply verdict;
    struct event_interrupt_request interrupt = {.token = NO_TOKEN};
    struct event_process_terminated_request ended = {.token = NO_TOKEN, .reason = END_EXITED};
    operations_expect(operations, "a fault that is none",
                      caller_call(caller_of(operations), SLOT_PAGERD_ADMINISTRATOR, NO_WINDOW,
                                  operations_soon(operations), &event_fault_request_type, &fault,
                                  &verdict),
                      STATUS_DENIED);
    operations_expect(operations, "an interrupt that is none",
                      caller_call(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                  operations_soon(operations), &event_interrupt_request_type,
                                  &interrupt, NULL),
                      STATUS_INVALID_ARGUMENT);
    operations_expect(operations, "an end that is none",
                      caller_call(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                  operations_soon(operations),
                                  &event_process_terminated_request_type, &ended, NULL),
                      STATUS_INVALID_ARGUMENT);
}

void operations_ask_kernel(struct operations *operations)
{
    static const uint16_t others[] = {
        OP_KERNEL_CREATE_STAGED_PROCESS,
        OP_KERNEL_START_PROCESS,
        OP_KERNEL_ABORT_STAGED_PROCESS,
        OP_KERNEL_KILL_PROCESS,
        OP_KERNEL_RETIRE_PROCESS,
        OP_KERNEL_REGISTER_PAGER,
        OP_KERNEL_MAP_FRAME,
        OP_KERNEL_UNMAP_FRAME,
        OP_KERNEL_PROTECT_FRAME,
        OP_KERNEL_CAP_COPY_ATTENUATED,
        OP_KERNEL_RETYPE,
        OP_KERNEL_DESTROY,
        OP_KERNEL_READ_MONOTONIC_CLOCK,
        OP_KERNEL_FRAME_READ,
        OP_KERNEL_FRAME_WRITE,
        OP_KERNEL_FRAME_COPY,
        OP_KERNEL_LOG_WRITE,
        OP_KERNEL_GIVE_FRAMES,
        OP_KERNEL_IOPORT_READ8,
        OP_KERNEL_BIND_INTERRUPT,
        OP_KERNEL_ACK_INTERRUPT,
        OP_KERNEL_MASK_INTERRUPT,
        OP_KERNEL_COPY_STARTUP,
        OP_KERNEL_READ_PROCESS_SLOT,
        OP_KERNEL_IOPORT_WRITE8,
    };
    static const uint16_t own[] = {OP_KERNEL_QUERY_LOCAL_CAP, OP_KERNEL_DROP_LOCAL_CAP,
                                   OP_KERNEL_MOVE_LOCAL_CAP, OP_KERNEL_EXIT};
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        ask_other_kind(operations, SLOT_SELF, others[i]);
    for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
        ask_other_kind(operations, SLOT_KERNEL_LOG_ENDPOINT, own[i]);
    ask_events(operations);
}
