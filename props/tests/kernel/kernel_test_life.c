/* SPDX-License-Identifier: ISC */
/* Kernel tests: staged processes, grants, ends and their events, budgets, faults. */
#include <string.h>

#include "abi/messages/event.h"
#include "props/tests/kernel/kernel_drive.h"

static uint64_t pool_available(void)
{
    return kernel_untyped_available(&drive_kernel.untypeds[1]);
}

static unsigned create(uint32_t untyped, uint32_t budget, uint32_t event, uint32_t slot)
{
    drive_window(slot, 4);
    unsigned status = CONTROL(PRO, CREATE_STAGED_PROCESS,
                              (struct kernel_create_staged_process_request){
                                  .untyped_slot = untyped,
                                  .budget_pages = budget,
                                  .event_slot = event,
                              });
    drive_window(0, 0);
    return status;
}

static unsigned start(uint32_t process)
{
    return CONTROL(PRO, START_PROCESS,
                   (struct kernel_start_process_request){process, 0, 0x400000, 0x800000, 5});
}

static unsigned abort_staged(uint32_t process)
{
    return CONTROL(PRO, ABORT_STAGED_PROCESS,
                   (struct kernel_abort_staged_process_request){process});
}

static unsigned kill_with(uint32_t process, uint32_t code)
{
    return CONTROL(PRO, KILL_PROCESS, (struct kernel_kill_process_request){process, code});
}

static unsigned retire(uint32_t process, struct kernel_retire_process_reply *reply)
{
    return CONTROL_REPLY(PRO, RETIRE_PROCESS, reply,
                         (struct kernel_retire_process_request){process});
}

static unsigned pager(uint32_t process, uint32_t slot)
{
    return CONTROL(PRO, REGISTER_PAGER, (struct kernel_register_pager_request){process, slot, 77});
}

static unsigned drop(uint32_t slot)
{
    return CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){slot});
}

static void exit_current(uint32_t code)
{
    CONTROL(SLOT_SELF, EXIT, (struct kernel_exit_request){code});
}

/* --- staged ----------------------------------------------------------------------------------- */

static void test_create(void)
{
    drive_boot(1024, 64);
    uint64_t before = pool_available();
    expect_status(create(BULK + 5, 32, 2, FREE_SLOT), STATUS_NOT_FOUND, "no untyped");
    expect_status(create(MEM, 32, 2, FREE_SLOT), STATUS_INVALID_ARGUMENT, "not an untyped");
    expect_status(create(LAUNCH, 32, MEM, FREE_SLOT), STATUS_INVALID_ARGUMENT, "not an endpoint");
    expect_status(create(LAUNCH, 512, 2, FREE_SLOT), STATUS_EXHAUSTED, "more than the pool has");
    drive_window(FREE_SLOT, 3);
    expect_status(CONTROL(PRO, CREATE_STAGED_PROCESS,
                          (struct kernel_create_staged_process_request){
                              .untyped_slot = LAUNCH, .budget_pages = 32, .event_slot = 2}),
                  STATUS_BUSY, "too small a window");
    drive_window(0, 0);
    struct drive_child child = drive_stage(FREE_SLOT, 100);
    expect_equal(pool_available(), before - 100, "K5: the whole budget is set aside");
    expect_equal(child.index, 1, "the next index");
    expect_status(start(child.process), STATUS_INVALID_ARGUMENT, "not before REGISTER_PAGER");
    expect_status(kill_with(child.process, 1), STATUS_INVALID_ARGUMENT, "staged is not killed");
    expect_status(retire(child.process, NULL), STATUS_BUSY, "nor retired");
    expect_status(pager(child.process, MEM), STATUS_INVALID_ARGUMENT, "a pager is an endpoint");
    expect_status(pager(child.process, 0), STATUS_OK, "or nobody");
    expect_status(abort_staged(child.process), STATUS_OK, "aborted");
    expect_equal(pool_available(), before, "K5: and all is back");
    expect_status(abort_staged(child.process), STATUS_NOT_FOUND, "K3: it is gone");
    expect_status(drive_map(PRO, child.vspace, SLOT_IMAGE, 0x400000, RIGHT_READ), STATUS_NOT_FOUND,
                  "K3: its address space too");
    for (uint32_t slot = FREE_SLOT; slot < FREE_SLOT + 4; slot++)
        expect_status(drop(slot), STATUS_OK, "dead capabilities are dropped");
    child = drive_stage(FREE_SLOT, 16);
    expect_status(drop(child.process), STATUS_OK, "nobody controls it any more");
    expect_equal(pool_available(), before, "so it is aborted");
}

static void test_grant(void)
{
    drive_boot(1024, 64);
    struct drive_child child = drive_stage(FREE_SLOT, 32);
    uint32_t full = RIGHT_CONTROL | RIGHT_TRANSFER;
    expect_status(drive_install(child.grant, MEM, 100, RIGHT_CONTROL, 0), STATUS_OK, "attenuated");
    const struct capability *cap = kernel_slot(&drive_kernel, child.index, 100);
    expect(cap->object_type == OBJECT_KERNEL_MEMORY && cap->rights == RIGHT_CONTROL,
           "K1: exactly these rights");
    expect_status(drive_install(child.grant, MEM, 100, RIGHT_CONTROL, 0), STATUS_BUSY, "once");
    expect_status(drive_install(child.grant, MEM, 101, full | RIGHT_READ, 0), STATUS_DENIED,
                  "K1: not more than the source");
    expect_status(drive_install(child.grant, MEM, 101, 0, 0), STATUS_INVALID_ARGUMENT, "not none");
    expect_status(drive_install(child.grant, SLOT_SELF, 101, RIGHT_CONTROL, 0), STATUS_DENIED,
                  "self never");
    expect_status(drive_install(child.grant, child.grant, 101, full, 0), STATUS_DENIED,
                  "a grant is not copied");
    expect_status(drive_install(child.grant, MEM, 101, full, 3), STATUS_DENIED, "no badge there");
    expect_status(drive_install(child.grant, 2, SLOT_LEGACY, RIGHT_SEND, 0), STATUS_OUT_OF_RANGE,
                  "slot 4 stays empty");
    expect_status(drive_install(child.grant, 2, 2, RIGHT_SEND, 0), STATUS_OUT_OF_RANGE, "not 2");
    expect_status(drive_install(child.grant, 2, SLOT_STARTUP_LAST + 1, RIGHT_SEND, 0),
                  STATUS_OUT_OF_RANGE, "not past the start-up slots");
    expect_status(drive_install(child.grant, 2, SLOT_STARTUP_LAST, RIGHT_SEND, 8), STATUS_OK,
                  "the last of them, badged");
    cap = kernel_slot(&drive_kernel, child.index, SLOT_STARTUP_LAST);
    expect(cap->badge == 8 && cap->rights == RIGHT_SEND, "with its badge");
    expect_status(drive_install(child.process, MEM, 101, full, 0), STATUS_INVALID_ARGUMENT,
                  "only by a grant");
    drive_start(&child, 0);
    expect_status(drive_install(child.grant, MEM, 101, full, 0), STATUS_NOT_FOUND,
                  "START makes the grant stale");
    expect_status(drive_map(PRO, child.vspace, SLOT_IMAGE, 0x400000, RIGHT_READ), STATUS_DENIED,
                  "process control maps in staged children alone");
    expect_status(drive_map(VSP, child.vspace, SLOT_IMAGE, 0x400000, RIGHT_READ), STATUS_OK,
                  "vspace control in any");
    expect_status(start(child.process), STATUS_INVALID_ARGUMENT, "it starts once");
    expect_status(abort_staged(child.process), STATUS_INVALID_ARGUMENT, "and is not aborted");
    drive_run(child.index);
    const struct process *process = kernel_process(&drive_kernel, child.index);
    expect(process->resume == RESUME_START && process->start.entry_va == 0x400000 &&
               process->start.stack_top_va == 0x800000 && process->start.arguments[0] == 99,
           "its registers are as asked");
}

/* --- ends ------------------------------------------------------------------------------------- */

static struct event_process_terminated_request event_of(void)
{
    struct event_process_terminated_request event;
    expect_equal(drive_message(0)->header.operation, OP_EVENT_PROCESS_TERMINATED, "an event");
    memcpy(&event, drive_message(0)->body, sizeof event);
    return event;
}

static void test_exit(void)
{
    drive_boot(1024, 64);
    uint64_t before = pool_available();
    struct drive_child child = drive_spawn(FREE_SLOT, 0);
    struct drive_child other = drive_spawn(FREE_SLOT + 4, 0);
    struct kernel_retire_process_reply record;
    expect_status(kill_with(other.process, 55), STATUS_OK, "one is killed");
    expect_status(kill_with(other.process, 55), STATUS_NOT_FOUND, "once");
    drive_run(child.index);
    exit_current(7);
    expect_equal(kernel_process(&drive_kernel, child.index)->drawn_pages, 1,
                 "all except the record went back");
    drive_run(0);
    expect_status(drive_receive(2, DEADLINE_POLL), STATUS_OK, "an end is told");
    struct event_process_terminated_request event = event_of();
    expect(event.token == FREE_SLOT + 4 && event.reason == END_KILLED && event.code == 55,
           "which one, and why");
    expect(drive_info(0)->badge == BADGE_KERNEL && drive_info(0)->reply_slot == 0,
           "by the kernel, nothing to answer");
    expect_status(retire(child.process, &record), STATUS_OK, "retired before it was told");
    expect(record.reason == END_EXITED && record.code == 7, "with its record");
    expect_status(drive_receive(2, DEADLINE_POLL), STATUS_RETRY, "takes the event with it");
    expect_status(retire(other.process, &record), STATUS_OK, "retired after it was told");
    expect_equal(record.code, 55, "P3: the record stays the same");
    expect_equal(pool_available(), before, "K5: budgets are back exactly");
    expect_status(retire(other.process, &record), STATUS_NOT_FOUND, "K3: once");
}

static void test_event_wakes(void)
{
    drive_boot(1024, 64);
    struct drive_child child = drive_spawn(FREE_SLOT, 0);
    drive_receive(2, DEADLINE_NEVER);
    expect_equal(drive_current(), child.index, "rootd waits");
    exit_current(3);
    expect_equal(drive_current(), 0, "and is woken by the end");
    expect_status(drive_result(0), STATUS_OK, "");
    expect_equal(event_of().code, 3, "with its code");
    expect_status(drop(child.process), STATUS_OK, "told, and controlled by nobody:");
    expect(kernel_process(&drive_kernel, child.index) == NULL, "the kernel retires it");
}

static void test_peers_learn(void)
{
    drive_boot(1024, 64);
    struct drive_child server = drive_spawn(FREE_SLOT, 0);
    struct drive_child client = drive_stage(FREE_SLOT + 4, 32);
    struct drive_child queued = drive_stage(FREE_SLOT + 8, 32);
    drive_install(client.grant, server.endpoint, 100, RIGHT_SEND, 1);
    drive_install(queued.grant, server.endpoint, 100, RIGHT_SEND, 2);
    drive_start(&client, 0);
    drive_start(&queued, 0);
    drive_run(server.index);
    drive_receive(2, DEADLINE_NEVER);
    drive_run(client.index);
    drive_compose(1, 0);
    drive_call(100, DEADLINE_NEVER);
    drive_run(queued.index);
    drive_compose(1, 0);
    drive_call(100, DEADLINE_NEVER);
    drive_run(0);
    kill_with(server.process, 1);
    expect_status(drive_result(client.index), STATUS_PEER_DIED, "E5: a received call");
    expect_status(drive_result(queued.index), STATUS_PEER_DIED, "E5: a queued call");
    drive_run(queued.index);
    drive_compose(1, 0);
    expect_status(drive_call(100, DEADLINE_NEVER), STATUS_NOT_FOUND, "a later call");
}

/* The end of one process ends others, and frees what nobody can reach. */
static void test_cascade(void)
{
    drive_boot(1024, 64);
    uint64_t before = pool_available();
    struct drive_child procd = drive_stage(FREE_SLOT, 128);
    drive_install(procd.grant, LAUNCH, 33, RIGHT_CONTROL | RIGHT_TRANSFER, 0);
    drive_install(procd.grant, PRO, PRO, RIGHT_CONTROL, 0);
    drive_install(procd.grant, MEM, MEM, RIGHT_CONTROL, 0);
    drive_start(&procd, 0);
    drive_run(procd.index);
    struct drive_child faulter = drive_spawn(600, SLOT_SERVICE_ENDPOINT);
    struct drive_child ended = drive_spawn(604, 0);
    drive_stage(608, 16);
    drive_retype(LAUNCH, OBJECT_FRAME, 3, 620);
    drive_retype(LAUNCH, OBJECT_UNTYPED, 3, 630);
    kill_with(ended.process, 0);
    drive_run(faulter.index);
    kernel_fault(&drive_kernel, 0x1234, FAULT_READ, 0x400000);
    drive_work();
    expect_equal(kernel_process(&drive_kernel, faulter.index)->life, LIFE_SENDING, "waits");
    drive_run(0);
    kill_with(procd.process, 0);
    const char *wrong = kernel_check(&drive_kernel);
    expect(wrong == NULL, wrong == NULL ? "all sound" : wrong);
    expect_equal(drive_kernel.process_count, 2, "only rootd and procd's record are left");
    expect_status(retire(procd.process, NULL), STATUS_OK, "which is retired");
    expect_equal(pool_available(), before, "K5: everything is back");
}

/* rootd receives a capability of the current process into `slot`, and answers. */
static void give_to_root(uint32_t peer, uint32_t source, uint32_t slot)
{
    drive_attach(drive_compose(1, 4), 0, source, RIGHTS_ALL, TRANSFER_COPY, 0);
    drive_call(peer, DEADLINE_NEVER);
    drive_run(0);
    drive_window(slot, 1);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "given");
    drive_window(0, 0);
    drive_compose(1, 0);
    drive_reply(SLOT_REPLY_BASE);
}

/* The holder's end forgets a process whose end was told elsewhere, and ends the one it was told to,
 * all in one entry: forgotten once. */
static void test_cascade_forgets_once(void)
{
    drive_boot(1024, 64);
    uint64_t before = pool_available();
    struct drive_child holder = drive_stage(FREE_SLOT, 64);
    struct drive_child told = drive_stage(FREE_SLOT + 4, 32);
    drive_install(told.grant, SLOT_SERVICE_ENDPOINT, 100, RIGHT_SEND, 1);
    drive_start(&told, holder.endpoint);
    drive_run(told.index);
    give_to_root(100, SLOT_SERVICE_ENDPOINT, FREE_SLOT + 8);
    drive_run(0);
    drive_install(holder.grant, LAUNCH, LAUNCH, RIGHT_CONTROL, 0);
    drive_install(holder.grant, PRO, PRO, RIGHT_CONTROL, 0);
    drive_install(holder.grant, FREE_SLOT + 8, 100, RIGHT_RECEIVE, 0);
    drive_start(&holder, 0);
    drive_run(holder.index);
    expect_status(create(LAUNCH, 32, 100, 600), STATUS_OK, "its end is told to another");
    expect_status(pager(600, 0), STATUS_OK, "");
    expect_status(start(600), STATUS_OK, "");
    expect_status(kill_with(600, 9), STATUS_OK, "it ends");
    drive_run(told.index);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "that is told");
    kernel_fault(&drive_kernel, 0x1234, FAULT_READ, 0x400000);
    drive_work();
    drive_run(0);
    expect_equal(drive_kernel.process_count, 4, "all are there");
    expect_status(kill_with(holder.process, 0), STATUS_OK, "K6: one end, three that follow");
    const char *wrong = kernel_check(&drive_kernel);
    expect(wrong == NULL, wrong == NULL ? "all sound" : wrong);
    expect_status(retire(holder.process, NULL), STATUS_OK, "retired");
    expect_status(retire(told.process, NULL), STATUS_OK, "retired");
    expect_equal(drive_kernel.process_count, 1, "only rootd is left");
    expect_equal(pool_available(), before, "K5: everything is back");
}

static void test_many(void)
{
    drive_boot(3000, 64);
    unsigned rounds = 0;
    uint64_t before = pool_available();
    for (; rounds < 200; rounds++) {
        struct drive_child child = drive_spawn(FREE_SLOT, 0);
        drive_run(child.index);
        exit_current(rounds);
        drive_run(0);
        if (drive_receive(2, DEADLINE_POLL) != STATUS_OK ||
            retire(child.process, NULL) != STATUS_OK)
            break;
        for (uint32_t slot = FREE_SLOT; slot < FREE_SLOT + 4; slot++)
            drop(slot);
    }
    expect_equal(rounds, 200, "P5: cycles");
    expect_equal(pool_available(), before, "P5: conserve everything");
    unsigned made = 0;
    while (create(LAUNCH, 16, 2, FREE_SLOT + 4 * made) == STATUS_OK)
        made++;
    expect_equal(made, before / 16, "E6: as many as the pool pays");
    expect_status(abort_staged(FREE_SLOT), STATUS_OK, "one goes");
    expect_status(create(LAUNCH, 16, 2, FREE_SLOT + 4 * made), STATUS_OK, "E6: one comes");
}

static void test_root_end(void)
{
    uint32_t code;
    drive_boot(1024, 64);
    drive_spawn(FREE_SLOT, 0);
    exit_current(33);
    expect(host_halted(&code) && code == 33 && drive_kernel.halted, "rootd's exit halts");
    expect_equal(drive_current(), KERNEL_IDLE, "nobody runs");
    drive_boot(1024, 64);
    kernel_fault(&drive_kernel, 0, FAULT_WRITE, 1);
    drive_work();
    expect(host_halted(&code) && code == KERNEL_HALT_ROOT_FAULT, "rootd's fault halts otherwise");
}

void kernel_test_life(void)
{
    test_create();
    test_grant();
    test_exit();
    test_event_wakes();
    test_peers_learn();
    test_cascade();
    test_cascade_forgets_once();
    test_many();
    test_root_end();
}

/* --- faults ----------------------------------------------------------------------------------- */

static struct drive_child faulter;

static void stage_fault(void)
{
    drive_boot(1024, 64);
    faulter = drive_spawn(FREE_SLOT, SLOT_SERVICE_ENDPOINT);
    drive_retype(BULK, OBJECT_FRAME, 1, 7000);
    drive_receive(2, DEADLINE_NEVER);
    expect_equal(drive_current(), faulter.index, "the child runs");
    kernel_fault(&drive_kernel, 0x500123, FAULT_WRITE, 0x400010);
    drive_work();
}

static void answer(uint32_t verdict, uint32_t reason, unsigned wanted, const char *what)
{
    struct event_fault_reply reply = {verdict, reason};
    struct message *message = drive_compose(OP_EVENT_FAULT, sizeof reply);
    memcpy(message->body, &reply, sizeof reply);
    expect_status(drive_reply(SLOT_REPLY_BASE), wanted, what);
}

static void test_fault_resolved(void)
{
    stage_fault();
    struct event_fault_request fault;
    expect_equal(drive_current(), 0, "a fault switches to the waiting pager");
    memcpy(&fault, drive_message(0)->body, sizeof fault);
    expect(drive_message(0)->header.operation == OP_EVENT_FAULT && fault.token == 1234 &&
               fault.va == 0x500123 && fault.instruction_va == 0x400010 &&
               fault.access == FAULT_WRITE && fault.present == 0,
           "which is told what happened");
    expect_equal(drive_info(0)->badge, BADGE_KERNEL, "by the kernel");
    answer(FAULT_RESOLVED, END_FAULT_GUARD, STATUS_INVALID_ARGUMENT, "resolved has no reason");
    answer(FAULT_END, END_EXITED, STATUS_INVALID_ARGUMENT, "a reason that no pager gives");
    answer(FAULT_END, END_REASON_LAST + 1, STATUS_INVALID_ARGUMENT, "a reason that is none");
    expect_status(drive_map(VSP, faulter.vspace, 7000, 0x500000, RIGHT_READ | RIGHT_WRITE),
                  STATUS_OK, "the page is there");
    answer(FAULT_RESOLVED, END_NONE, STATUS_OK, "resolved");
    expect_equal(drive_current(), faulter.index, "the faulter runs");
    expect_equal(kernel_process(&drive_kernel, faulter.index)->resume, RESUME_EXACT,
                 "as if nothing had been");
    kernel_fault(&drive_kernel, 0x500123, FAULT_WRITE, 0x400010);
    drive_work();
    expect_equal(drive_current(), faulter.index, "an access that is allowed is no fault");
    kernel_fault(&drive_kernel, 0x500123, FAULT_EXECUTE, 0x400010);
    drive_work();
    drive_run(0);
    drive_receive(2, DEADLINE_POLL);
    memcpy(&fault, drive_message(0)->body, sizeof fault);
    expect_equal(fault.present, 1, "a page without the right is told as such");
}

static void test_fault_end(void)
{
    stage_fault();
    struct kernel_retire_process_reply record;
    answer(FAULT_END, END_FAULT_GUARD, STATUS_OK, "the pager ends it");
    expect_equal(drive_current(), 0, "and runs on");
    expect_status(retire(faulter.process, &record), STATUS_OK, "there is a record");
    expect(record.reason == END_FAULT_GUARD && record.fault_va == 0x500123, "with why and where");
    stage_fault();
    expect_status(drop(SLOT_REPLY_BASE), STATUS_OK, "a pager that drops a fault");
    retire(faulter.process, &record);
    expect_equal(record.reason, END_FAULT_NO_PAGER, "E5: is no pager");
    stage_fault();
    message_refuse(drive_compose(OP_EVENT_FAULT, 0), STATUS_DENIED);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "a pager that refuses a fault");
    retire(faulter.process, &record);
    expect_equal(record.reason, END_FAULT_NO_PAGER, "E5: is none either");
    stage_fault();
    expect_status(kill_with(faulter.process, 4), STATUS_OK, "killed while it waits");
    answer(FAULT_RESOLVED, END_NONE, STATUS_NOT_FOUND, "G2: nobody is there to resume");
}

static void test_no_pager(void)
{
    struct kernel_retire_process_reply record;
    drive_boot(1024, 64);
    faulter = drive_spawn(FREE_SLOT, 0);
    struct drive_child other = drive_spawn(FREE_SLOT + 4, 0);
    drive_run(faulter.index);
    kernel_fault(&drive_kernel, UINT64_MAX, FAULT_EXECUTE, UINT64_MAX);
    drive_work();
    drive_run(other.index);
    kernel_exception(&drive_kernel, 6, 0x400004);
    drive_work();
    drive_run(0);
    retire(faulter.process, &record);
    expect(record.reason == END_FAULT_NO_PAGER && record.fault_va == UINT64_MAX,
           "without a pager a fault ends");
    retire(other.process, &record);
    expect(record.reason == END_FAULT_INSTRUCTION && record.code == 6 &&
               record.fault_va == 0x400004,
           "so does an exception");
}

void kernel_test_fault(void)
{
    test_fault_resolved();
    test_fault_end();
    test_no_pager();
}
