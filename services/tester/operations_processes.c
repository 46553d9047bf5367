/* SPDX-License-Identifier: ISC */
/* test-operator asks procd, as a client, as its administrator, and at the door of the drivers. */
#include "services/lib/call_procd.h"
#include "services/lib/call_startup.h"
#include "services/probes/expectations.h"
#include "services/probes/mapper.h"
#include "services/tester/operations.h"

#include "abi/messages/event.h"

enum { PLACE = 0, STEP_TICKS = 20, END_TICKS = 5000 };
#define NOBODY UINT64_C(0x7E5700000001) /* no process has this id */

static struct caller *caller_of(struct operations *operations)
{
    return &operations->tester->caller;
}

static enum status query(struct operations *operations, uint32_t slot, uint64_t id,
                         struct procd_query_process_reply *reply)
{
    struct procd_query_process_request request = {.process_id = id};
    return procd_call_query_process(caller_of(operations), slot, NO_WINDOW,
                                    operations_soon(operations), &request, reply);
}

/* Asks until it has ended: EXIT(MAPPER_OK). The administrator's one wait is rootd's, for this program. */
static void await_exit(struct operations *operations, const char *name, uint32_t slot, uint64_t id)
{
    struct procd_query_process_reply reply = {.state = PROCESS_RUNNING};
    enum status status = STATUS_OK;
    for (uint64_t waited = 0;
         status == STATUS_OK && reply.state != PROCESS_ENDED && waited < END_TICKS;
         waited += STEP_TICKS) {
        status = tester_pause(operations->tester, STEP_TICKS);
        if (status == STATUS_OK)
            status = query(operations, slot, id, &reply);
    }
    operations_check(operations, name,
                     status == STATUS_OK && reply.state == PROCESS_ENDED &&
                         reply.reason == END_EXITED && reply.code == MAPPER_OK);
}

/* SPAWN_SERVICE of test-mapper's program under a role; its endpoint is dropped. */
static enum status spawn_service(struct operations *operations, uint32_t slot, uint32_t role,
                                 enum mapper_does argument, uint64_t *id)
{
    const struct startup_module *module = tester_module(operations->tester, ROLE_TEST_MAPPER);
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_spawn_service_request request = {.role = role,
                                                  .image_offset = module->image_offset,
                                                  .image_bytes = module->image_bytes,
                                                  .argument = argument};
    struct procd_spawn_service_reply reply;
    enum status status =
        procd_call_spawn_service(caller_of(operations), slot, (struct window){TESTER_SLOT_CHILD, 1},
                                 operations_soon(operations), &request, &reply);
    *id = reply.process_id;
    return status == STATUS_OK ? kernel_drop_local_cap(caller_of(operations), reply.endpoint_slot)
                               : status;
}

static enum status spawn(struct operations *operations, uint32_t role, uint64_t *id)
{
    const struct startup_module *module = tester_module(operations->tester, ROLE_TEST_MAPPER);
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_spawn_request request = {.role = role,
                                          .image_slot = SLOT_IMAGE,
                                          .image_offset = module->image_offset,
                                          .image_bytes = module->image_bytes,
                                          .argument = MAPPER_EXITS};
    struct procd_spawn_reply reply;
    enum status status = procd_call_spawn(caller_of(operations), SLOT_PROCD_ADMINISTRATOR,
                                          NO_WINDOW, operations_soon(operations), &request, &reply);
    *id = reply.process_id;
    return status;
}

static enum status create_limited(struct operations *operations, uint32_t role, uint32_t page_limit,
                                  struct procd_create_staged_process_reply *reply)
{
    const struct startup_module *module = tester_module(operations->tester, ROLE_TEST_MAPPER);
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_create_staged_process_request request = {.role = role,
                                                          .page_limit = page_limit,
                                                          .image_offset = module->image_offset,
                                                          .image_bytes = module->image_bytes};
    return procd_call_create_staged_process(caller_of(operations), SLOT_PEER_PROCD,
                                            (struct window){TESTER_SLOT_CHILD, 2},
                                            operations_soon(operations), &request, reply);
}

static enum status create(struct operations *operations, uint32_t role,
                          struct procd_create_staged_process_reply *reply)
{
    return create_limited(operations, role, 0, reply);
}

static enum status start(struct operations *operations, uint64_t id, enum mapper_does argument)
{
    struct procd_start_staged_process_request request = {.process_id = id, .argument = argument};
    return procd_call_start_staged_process(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                           operations_soon(operations), &request, NULL);
}

static enum status abort_staged(struct operations *operations, uint64_t id)
{
    struct procd_abort_staged_process_request request = {.process_id = id};
    return procd_call_abort_staged_process(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                           operations_soon(operations), &request, NULL);
}

static enum status stop(struct operations *operations, uint64_t id)
{
    struct procd_stop_process_request request = {.process_id = id, .code = MAPPER_STOPPED};
    return procd_call_stop_process(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                   operations_soon(operations), &request, NULL);
}

static enum status wait_for(struct operations *operations, uint64_t id,
                            struct procd_wait_process_event_reply *ended)
{
    struct procd_wait_process_event_request request = {
        .process_id = id, .deadline_ticks = operations_soon(operations)};
    return procd_call_wait_process_event(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                         DEADLINE_NEVER, &request, ended);
}

/* --- the questions ------------------------------------------------------------------------------- */

/* A client may have its own started again, and says how; critical nobody below the administrator says. */
static void ask_restarts(struct operations *operations, uint64_t id)
{
    struct procd_set_restart_policy_request policy = {.process_id = id,
                                                      .policy = RESTART_ALWAYS,
                                                      .base_delay_ticks = 100,
                                                      .delay_cap_ticks = 200,
                                                      .window_ticks = UINT64_MAX,
                                                      .budget_count = 4};
    struct procd_get_restart_policy_request asked = {.process_id = id};
    struct procd_get_restart_policy_reply told;
    struct caller *caller = caller_of(operations);
    operations_expect(operations, "set a policy",
                      procd_call_set_restart_policy(caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                    operations_soon(operations), &policy, NULL),
                      STATUS_OK);
    policy.base_delay_ticks = 1;
    operations_expect(operations, "have it again at once",
                      procd_call_set_restart_policy(caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                    operations_soon(operations), &policy, NULL),
                      STATUS_OVER_LIMIT);
    policy.critical = 1;
    operations_expect(operations, "be critical",
                      procd_call_set_restart_policy(caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                    operations_soon(operations), &policy, NULL),
                      STATUS_DENIED);
    operations_expect(operations, "get a policy",
                      procd_call_get_restart_policy(caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                    operations_soon(operations), &asked, &told),
                      STATUS_OK);
    operations_check(operations, "what the policy is",
                     told.policy == RESTART_ALWAYS && told.critical == 0 && told.budget_count == 4);
    asked.process_id = NOBODY;
    operations_expect(operations, "get nobody's policy",
                      procd_call_get_restart_policy(caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                    operations_soon(operations), &asked, &told),
                      STATUS_NOT_FOUND);
}

/* Staged and aborted: as if it had never been (P2). */
static void ask_staged(struct operations *operations)
{
    struct procd_create_staged_process_reply staged;
    struct procd_query_process_reply known;
    operations_expect(operations, "create a service",
                      create(operations, ROLE_TEST_SERVICE, &staged), STATUS_DENIED);
    operations_expect(operations, "create", create(operations, ROLE_TEST_MAPPER, &staged),
                      STATUS_OK);
    operations_expect(operations, "query",
                      query(operations, SLOT_PEER_PROCD, staged.process_id, &known), STATUS_OK);
    operations_check(operations, "what is known",
                     known.role == ROLE_TEST_MAPPER && known.state == PROCESS_STAGED);
    ask_restarts(operations, staged.process_id);
    operations_expect(operations, "abort", abort_staged(operations, staged.process_id), STATUS_OK);
    operations_expect(operations, "abort again", abort_staged(operations, staged.process_id),
                      STATUS_NOT_FOUND);
    operations_expect(operations, "query what is gone",
                      query(operations, SLOT_PEER_PROCD, staged.process_id, &known),
                      STATUS_NOT_FOUND);
    operations_drop(operations, TESTER_SLOT_CHILD);
    operations_drop(operations, TESTER_SLOT_CHILD + 1);
}

/* One that would run for ever is stopped; of what is not there nothing is told. */
static void ask_stop(struct operations *operations)
{
    struct procd_wait_process_event_reply ended;
    uint64_t id = 0;
    operations_expect(operations, "start nobody", start(operations, NOBODY, MAPPER_EXITS),
                      STATUS_NOT_FOUND);
    operations_expect(operations, "stop nobody", stop(operations, NOBODY), STATUS_NOT_FOUND);
    operations_expect(operations, "wait for nobody", wait_for(operations, NOBODY, &ended),
                      STATUS_NOT_FOUND);
    operations_expect(
        operations, "spawn a service",
        spawn_service(operations, SLOT_PEER_PROCD, ROLE_TEST_SERVICE, MAPPER_SLEEPS, &id),
        STATUS_DENIED);
    operations_expect(
        operations, "spawn a sleeper",
        spawn_service(operations, SLOT_PEER_PROCD, ROLE_TEST_MAPPER, MAPPER_SLEEPS, &id),
        STATUS_OK);
    operations_expect(operations, "abort one that runs", abort_staged(operations, id), STATUS_BUSY);
    operations_expect(operations, "stop", stop(operations, id), STATUS_OK);
    operations_expect(operations, "stop again", stop(operations, id), STATUS_OK); /* P8 */
    operations_expect(operations, "wait", wait_for(operations, id, &ended), STATUS_OK);
    operations_check(operations, "how it was stopped",
                     ended.reason == END_KILLED && ended.code == MAPPER_STOPPED);
}

/* The boot config gives the mapper fewer pages than its role may have, and it meets that end; nobody gives
 * it more. */
static void ask_limit(struct operations *operations)
{
    static const struct probe_run run = {
        ROLE_TEST_MAPPER, MAPPER_RUNS_OUT, END_FAULT_PAGE_LIMIT, 0, 0, 0};
    const struct role *role = role_find(ROLE_TEST_MAPPER);
    struct procd_create_staged_process_reply staged;
    operations_expect(operations, "create one with a limit above its role's",
                      create_limited(operations, role->id, role->page_limit + 1, &staged),
                      STATUS_OVER_LIMIT);
    operations_expect(operations, "stage one whose limit is lowered",
                      tester_stage(operations->tester, &run, PLACE), STATUS_OK);
    operations_expect(operations, "start it", tester_begin(operations->tester, &run, PLACE),
                      STATUS_OK);
    operations_expect(operations, "it runs out", tester_wait(operations->tester, &run, PLACE),
                      STATUS_OK);
}

/* What the administrator alone may do. */
static void ask_administrator(struct operations *operations)
{
    struct procd_update_foundation_endpoints_request bind = {
        .memd_slot = SLOT_MEMD_ADMINISTRATOR, .pagerd_slot = SLOT_PAGERD_ADMINISTRATOR};
    uint64_t id = 0;
    operations_expect(operations, "spawn a declared role", spawn(operations, ROLE_NAMED, &id),
                      STATUS_DENIED); /* P7 */
    operations_expect(operations, "spawn", spawn(operations, ROLE_TEST_MAPPER, &id), STATUS_OK);
    await_exit(operations, "the end of a spawned one", SLOT_PROCD_ADMINISTRATOR, id);
    operations_expect(
        operations, "bind the foundation again",
        procd_call_update_foundation_endpoints(caller_of(operations), SLOT_PROCD_ADMINISTRATOR,
                                               NO_WINDOW, operations_soon(operations), &bind, NULL),
        STATUS_BUSY);
}

/* Each door has its own kind of process (P7). */
static void ask_doors(struct operations *operations)
{
    struct procd_query_process_reply known;
    uint64_t id = 0;
    operations_expect(
        operations, "a driver at the other door",
        spawn_service(operations, SLOT_PROCD_ADMINISTRATOR, ROLE_TEST_DRIVER, MAPPER_EXITS, &id),
        STATUS_DENIED);
    operations_expect(
        operations, "another at the drivers' door",
        spawn_service(operations, SLOT_PROCD_DRIVER_ENDPOINT, ROLE_TEST_MAPPER, MAPPER_EXITS, &id),
        STATUS_DENIED);
    operations_expect(
        operations, "a driver",
        spawn_service(operations, SLOT_PROCD_DRIVER_ENDPOINT, ROLE_TEST_DRIVER, MAPPER_EXITS, &id),
        STATUS_OK);
    await_exit(operations, "the driver's end", SLOT_PROCD_DRIVER_ENDPOINT, id);
    operations_expect(operations, "a driver seen from the other door",
                      query(operations, SLOT_PROCD_ADMINISTRATOR, id, &known), STATUS_NOT_FOUND);
}

/* A staged service takes no envelope that is none, and afterwards no other request. */
static void ask_envelope(struct operations *operations)
{
    struct startup_start_service_request envelope = {.count = 4, .envelope = "none"};
    struct startup_start_service_reply ready;
    struct startup_offer_modules_request offer = {.count = 0};
    struct procd_create_staged_process_reply staged;
    struct procd_wait_process_event_reply ended;
    operations_expect(operations, "create a starter", create(operations, ROLE_TEST_MAPPER, &staged),
                      STATUS_OK);
    operations_expect(operations, "start a starter",
                      start(operations, staged.process_id, MAPPER_STARTS), STATUS_OK);
    operations_expect(operations, "an envelope that is none",
                      startup_call_start_service(caller_of(operations), staged.endpoint_slot,
                                                 NO_WINDOW, operations_soon(operations), &envelope,
                                                 &ready),
                      STATUS_TRUNCATED);
    operations_expect(operations, "an offer before the envelope",
                      startup_call_offer_modules(caller_of(operations), staged.endpoint_slot,
                                                 NO_WINDOW, operations_soon(operations), &offer,
                                                 NULL),
                      STATUS_DENIED);
    operations_expect(operations, "stop a starter", stop(operations, staged.process_id), STATUS_OK);
    operations_expect(operations, "its end", wait_for(operations, staged.process_id, &ended),
                      STATUS_OK);
    operations_drop(operations, TESTER_SLOT_CHILD);
    operations_drop(operations, TESTER_SLOT_CHILD + 1);
}

/* memd was made first: its place, and what its first slot holds, are known. */
static void ask_inspection(struct operations *operations)
{
    struct procd_list_processes_request from = {.place = 0};
    struct procd_list_processes_reply process;
    struct procd_read_slot_request request = {.slot = 0};
    struct procd_read_slot_reply held;
    operations_expect(operations, "list processes",
                      procd_call_list_processes(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                                operations_soon(operations), &from, &process),
                      STATUS_OK);
    operations_check(operations, "the first is memd",
                     process.place == 1 && process.role == ROLE_MEMD &&
                         process.state == PROCESS_RUNNING);
    request.process_id = process.process_id;
    operations_expect(operations, "read a slot",
                      procd_call_read_slot(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                           operations_soon(operations), &request, &held),
                      STATUS_OK);
    operations_check(operations, "which holds memd itself",
                     held.slot == SLOT_SELF && held.object_type == OBJECT_KERNEL_SELF &&
                         held.rights == RIGHT_CONTROL);
    from.place = UINT32_MAX;
    operations_expect(operations, "list nobody",
                      procd_call_list_processes(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                                operations_soon(operations), &from, &process),
                      STATUS_NOT_FOUND);
    request.process_id = NOBODY;
    operations_expect(operations, "read a slot of nobody",
                      procd_call_read_slot(caller_of(operations), SLOT_PEER_PROCD, NO_WINDOW,
                                           operations_soon(operations), &request, &held),
                      STATUS_NOT_FOUND);
}

/* --- the notice ---------------------------------------------------------------------------------- */

/* Its own endpoint, with a badge that procd alone sends with. */
static enum status set_notice(struct operations *operations, uint32_t procd_slot)
{
    const struct message_type *type = &procd_set_notice_request_type;
    struct procd_set_notice_request request = {.endpoint_slot = SLOT_SERVICE_ENDPOINT};
    uint64_t deadline_ticks = operations_soon(operations);
    struct message *message = caller_message(caller_of(operations));
    enum status status = message_encode(type, &request, message);
    if (status != STATUS_OK)
        return status;
    message->caps[0].flags = TRANSFER_SET_BADGE;
    message->caps[0].badge = ROLE_PROCD;
    return caller_call_message(caller_of(operations), procd_slot, NO_WINDOW, deadline_ticks, type,
                               NULL);
}

/* Knows what procd tells; everything else is denied. */
static enum handled take_notice(void *context, struct message *message,
                                const struct receive_info *info)
{
    uint64_t *ended_id = context;
    struct event_process_ended_request ended;
    bool is_notice =
        info->badge == ROLE_PROCD && message->header.operation == OP_EVENT_PROCESS_ENDED &&
        message_decode(&event_process_ended_request_type, message, &ended) == STATUS_OK;
    if (is_notice)
        *ended_id = ended.process_id;
    if (!is_notice || message_encode(&event_process_ended_reply_type, NULL, message) != STATUS_OK)
        message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY;
}

/* The administrator has WAIT; a client is called, and asks then. Later ends are told to an endpoint
 * that denies them, as this program waits for time alone: procd drops it. */
static void ask_notice(struct operations *operations)
{
    struct procd_query_process_reply known = {.state = PROCESS_RUNNING};
    struct receive_info info;
    uint64_t until_ticks = 0;
    uint64_t ended_id = 0;
    uint64_t id = 0;
    operations_expect(operations, "a notice to the administrator",
                      set_notice(operations, SLOT_PROCD_ADMINISTRATOR), STATUS_DENIED);
    operations_expect(operations, "a notice", set_notice(operations, SLOT_PEER_PROCD), STATUS_OK);
    operations_expect(
        operations, "spawn one that exits",
        spawn_service(operations, SLOT_PEER_PROCD, ROLE_TEST_MAPPER, MAPPER_EXITS, &id), STATUS_OK);
    enum status status = tester_deadline(operations->tester, END_TICKS, &until_ticks);
    while (status == STATUS_OK && ended_id == 0)
        status = service_turn(caller_of(operations), SLOT_SERVICE_ENDPOINT, until_ticks,
                              take_notice, &ended_id, &info);
    operations_check(operations, "who has ended", ended_id == id);
    operations_expect(operations, "query who has ended",
                      query(operations, SLOT_PEER_PROCD, id, &known), STATUS_OK);
    operations_check(operations, "that it has",
                     known.state == PROCESS_ENDED && known.reason == END_EXITED);
}

void operations_ask_processes(struct operations *operations)
{
    ask_staged(operations);
    ask_stop(operations);
    ask_notice(operations);
    ask_limit(operations);
    ask_administrator(operations);
    ask_doors(operations);
    ask_inspection(operations);
    ask_envelope(operations);
}

/* --- the mapper ---------------------------------------------------------------------------------- */

static enum status install(struct operations *operations, uint32_t grant_slot, uint32_t source_slot,
                           uint32_t target_slot, uint32_t rights, uint64_t badge)
{
    struct kernel_cap_copy_attenuated_request request = {.grant_slot = grant_slot,
                                                         .source_slot = source_slot,
                                                         .target_slot = target_slot,
                                                         .rights = rights,
                                                         .badge = badge};
    return kernel_cap_copy_attenuated(caller_of(operations), SLOT_KERNEL_CHILD_POPULATE_ENDPOINT,
                                      &request);
}

/* What mapper.h says. */
static void equip(struct operations *operations, uint32_t grant_slot)
{
    operations_expect(operations, "vspaced, as pagerd",
                      install(operations, grant_slot, SLOT_VSPACED_ADMINISTRATOR, SLOT_PEER_VSPACED,
                              RIGHT_SEND, ROLE_PAGERD),
                      STATUS_OK);
    operations_expect(operations, "the same slot again",
                      install(operations, grant_slot, SLOT_VSPACED_ADMINISTRATOR, SLOT_PEER_VSPACED,
                              RIGHT_SEND, ROLE_PAGERD),
                      STATUS_BUSY);
    operations_expect(operations, "its account",
                      install(operations, grant_slot, OPERATIONS_SLOT_ACCOUNT, MAPPER_SLOT_ACCOUNT,
                              RIGHT_SEND | RIGHT_TRANSFER, 0),
                      STATUS_OK);
    operations_expect(operations, "its untyped",
                      install(operations, grant_slot, OPERATIONS_SLOT_UNTYPED, MAPPER_SLOT_UNTYPED,
                              RIGHT_CONTROL, 0),
                      STATUS_OK);
    operations_expect(operations, "control over processes",
                      install(operations, grant_slot, SLOT_KERNEL_PROCESS_ENDPOINT,
                              SLOT_KERNEL_PROCESS_ENDPOINT, RIGHT_CONTROL, 0),
                      STATUS_OK);
}

static void run_mapper(struct operations *operations)
{
    static const struct probe_run run = {ROLE_TEST_MAPPER, MAPPER_MAPS, END_EXITED,
                                         MAPPER_OK,        0,           0};
    struct procd_create_staged_process_reply staged;
    operations_expect(operations, "create the mapper",
                      create(operations, ROLE_TEST_MAPPER, &staged), STATUS_OK);
    operations->tester->helper_ids[PLACE] = staged.process_id;
    equip(operations, staged.grant_slot);
    operations_expect(operations, "start the mapper", tester_begin(operations->tester, &run, PLACE),
                      STATUS_OK);
    operations_drop(operations, TESTER_SLOT_CHILD);
    operations_drop(operations, TESTER_SLOT_CHILD + 1);
    operations_expect(operations, "the mapper's end", tester_wait(operations->tester, &run, PLACE),
                      STATUS_OK);
}

void operations_ask_mapper(struct operations *operations)
{
    operations_open_with_untyped(operations);
    run_mapper(operations);
    operations_close_with_untyped(operations);
}
