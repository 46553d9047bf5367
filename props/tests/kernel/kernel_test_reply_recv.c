/* SPDX-License-Identifier: ISC */
/* Kernel tests: REPLY_RECV is REPLY and then RECV, whatever becomes of either. */
#include <string.h>

#include "abi/messages/event.h"

#include "props/tests/kernel/kernel_drive.h"

enum { SERVER = 0, PEER = 100, NEVER_SLOT = 90000, WINDOW = 8000, ANSWER = SLOT_REPLY_BASE };

static struct drive_child a;
static struct drive_child b;

static void compose(uint16_t operation)
{
    struct message *message = drive_compose(operation, 8);
    memcpy(message->body, "answer", 6);
}

static void client_call(const struct drive_child *client, uint64_t deadline)
{
    drive_run(client->index);
    compose(1);
    expect_status(drive_call(PEER, deadline), DRIVE_WAITING, "a client calls");
}

/* Two clients of rootd, which is the server; the call of the first is received. */
static void stage(void)
{
    drive_boot(1024, 64);
    a = drive_stage(FREE_SLOT, 32);
    b = drive_stage(FREE_SLOT + 4, 32);
    drive_install(a.grant, SLOT_SERVICE_ENDPOINT, PEER, RIGHT_SEND, 11);
    drive_install(b.grant, SLOT_SERVICE_ENDPOINT, PEER, RIGHT_SEND, 12);
    drive_start(&b, SLOT_SERVICE_ENDPOINT);
    drive_start(&a, 0);
    client_call(&a, 500);
    drive_run(SERVER);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "and is heard");
    expect_equal(drive_info(SERVER)->reply_slot, ANSWER, "at the first reply slot");
    compose(2);
}

static unsigned answer(uint64_t deadline)
{
    return drive_reply_receive(ANSWER, SLOT_SERVICE_ENDPOINT, deadline);
}

static bool is_answered(void)
{
    return drive_result(a.index) == STATUS_OK && drive_message(a.index)->header.operation == 2 &&
           kernel_slot(&drive_kernel, SERVER, ANSWER)->object_type == OBJECT_NONE;
}

static bool still_waits(void)
{
    return drive_result(a.index) == DRIVE_WAITING &&
           kernel_slot(&drive_kernel, SERVER, ANSWER)->object_type == OBJECT_REPLY;
}

/* --- who goes on ------------------------------------------------------------------------------ */

static void test_waits(void)
{
    stage();
    expect_status(answer(DEADLINE_NEVER), DRIVE_WAITING, "nobody calls: the server waits");
    expect(is_answered(), "the caller has its answer");
    expect_equal(drive_current(), a.index, "and is next, before others that are ready");
    expect_equal(drive_kernel.payer, a.index, "on its own time");
    compose(3);
    expect_status(drive_call(PEER, DEADLINE_NEVER), DRIVE_WAITING, "it calls again");
    expect_equal(drive_current(), SERVER, "and switches to the server, which waited");
    expect_status(drive_result(SERVER), STATUS_OK, "whose call is done");
    expect(drive_message(SERVER)->header.operation == 3 && drive_info(SERVER)->badge == 11 &&
               drive_info(SERVER)->reply_slot == ANSWER,
           "with the next message");
}

static void test_queued(void)
{
    stage();
    client_call(&b, 600);
    drive_run(SERVER);
    compose(2);
    expect_status(answer(DEADLINE_NEVER), STATUS_OK, "the next message is there");
    expect_equal(drive_current(), SERVER, "the server goes on");
    expect_status(drive_result(a.index), STATUS_OK, "who was answered is ready");
    expect(drive_info(SERVER)->badge == 12 && drive_info(SERVER)->reply_slot == ANSWER,
           "the slot is free for the next caller");
    expect_equal(kernel_next_deadline(&drive_kernel), 600, "the deadline of the first went");
    expect_equal(drive_kernel.payer, b.index, "K7: the next client pays");
}

static void test_deadline(void)
{
    stage();
    expect_status(answer(DEADLINE_POLL), STATUS_RETRY, "a poll finds nothing");
    expect(is_answered(), "and has answered");
    stage();
    kernel_timer(&drive_kernel, 7);
    drive_work();
    compose(2);
    expect_status(answer(7), STATUS_TIMED_OUT, "too late at once");
    expect_equal(drive_info(SERVER)->now_ticks, 7, "the clock is told");
    expect(is_answered(), "and has answered");
    stage();
    expect_status(answer(9), DRIVE_WAITING, "a receiver waits");
    kernel_timer(&drive_kernel, 9);
    drive_work();
    expect_status(drive_result(SERVER), STATUS_TIMED_OUT, "and times out");
}

/* --- nobody to answer ------------------------------------------------------------------------- */

static void test_nobody(void)
{
    static const uint32_t nobody[] = {SLOT_NULL, ANSWER + 1, NEVER_SLOT, UINT32_MAX};
    for (uint32_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
        stage();
        client_call(&b, 600);
        drive_run(SERVER);
        expect_status(drive_reply_receive(nobody[i], SLOT_SERVICE_ENDPOINT, DEADLINE_POLL),
                      STATUS_OK, "nobody is behind the slot: a RECV");
        expect_equal(drive_info(SERVER)->reply_slot, ANSWER + 1, "with its own reply slot");
        expect(still_waits(), "the other caller waits on");
    }
    stage();
    kernel_timer(&drive_kernel, 500);
    drive_work();
    client_call(&b, 600);
    drive_run(SERVER);
    expect_status(answer(DEADLINE_POLL), STATUS_OK, "K10: who gave up needs no answer");
    expect_equal(drive_info(SERVER)->badge, 12, "the next is heard");
}

static void test_event(void)
{
    stage();
    struct kernel_kill_process_request kill = {b.process, 5};
    CONTROL(PRO, KILL_PROCESS, kill);
    kernel_preempt(&drive_kernel);
    drive_work();
    drive_run(SERVER);
    compose(2);
    expect_status(answer(DEADLINE_POLL), STATUS_OK, "an event");
    expect(is_answered() && drive_info(SERVER)->badge == BADGE_KERNEL &&
               drive_info(SERVER)->reply_slot == 0,
           "comes after the answer as well");
}

static void test_fault(void)
{
    struct event_fault_reply resolved = {FAULT_RESOLVED, END_NONE};
    for (uint32_t ends = 0; ends < 2; ends++) {
        stage();
        drive_reply(ANSWER);
        drive_run(b.index);
        kernel_fault(&drive_kernel, 0x5000, FAULT_READ, 0x400000);
        drive_work();
        drive_run(SERVER);
        drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
        if (ends != 0)
            resolved = (struct event_fault_reply){FAULT_END, END_FAULT_OUTSIDE};
        (void)message_encode(&event_fault_reply_type, &resolved, drive_message(SERVER));
        drive_message(SERVER)->header.operation = OP_EVENT_FAULT;
        expect_status(answer(ends != 0 ? DEADLINE_POLL : DEADLINE_NEVER),
                      ends != 0 ? STATUS_RETRY : DRIVE_WAITING, "a verdict, and the next message");
        if (ends == 0)
            expect_equal(drive_current(), b.index, "the faulter goes on");
        else
            expect_equal(kernel_process(&drive_kernel, b.index)->end_reason, END_FAULT_OUTSIDE,
                         "the faulter ends");
    }
    stage();
    drive_reply(ANSWER);
    drive_run(b.index);
    kernel_fault(&drive_kernel, 0x5000, FAULT_READ, 0x400000);
    drive_work();
    drive_run(SERVER);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
    compose(2);
    expect_status(answer(DEADLINE_POLL), STATUS_INVALID_ARGUMENT, "what is no verdict is refused");
}

/* --- refused answers: nothing happened -------------------------------------------------------- */

static void refuse(uint32_t reply_slot, unsigned wanted, const char *what)
{
    struct message copy = *drive_message(SERVER);
    uint64_t before = kernel_digest(&drive_kernel);
    expect_status(drive_reply_receive(reply_slot, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER), wanted,
                  what);
    expect(memcmp(&copy, drive_message(SERVER), sizeof copy) == 0 &&
               kernel_digest(&drive_kernel) == before,
           "E1: a refused answer changes nothing");
    expect(still_waits() && drive_current() == SERVER, "and nothing is received");
    expect_status(drive_reply(reply_slot), wanted, "REPLY says the same");
}

static void test_refused_answers(void)
{
    stage();
    client_call(&b, 600); /* there would be something to receive */
    drive_run(SERVER);
    compose(2);
    refuse(SLOT_SERVICE_ENDPOINT, STATUS_INVALID_ARGUMENT, "an endpoint is no reply");
    compose(2);
    drive_message(SERVER)->header.version = MESSAGE_VERSION + 1;
    refuse(ANSWER, STATUS_INVALID_ARGUMENT, "another version");
    compose(2);
    drive_message(SERVER)->header.body_bytes = MESSAGE_BODY_BYTES_MAX + 1;
    refuse(ANSWER, STATUS_INVALID_ARGUMENT, "too long a body");
    compose(2);
    drive_attach(drive_message(SERVER), 0, SLOT_IMAGE, RIGHTS_ALL, TRANSFER_COPY, 0);
    refuse(ANSWER, STATUS_BUSY, "the caller left no room");
    drive_window(SLOT_SERVICE_ENDPOINT, 1);
    drive_message(SERVER)->header.window_slot = SLOT_SERVICE_ENDPOINT;
    drive_message(SERVER)->header.window_count =
        1; /* the RECV would be refused too: the answer is first */
    refuse(ANSWER, STATUS_BUSY, "the caller left no room");
    drive_window(0, 0);
}

/* --- refused RECVs: the answer is out --------------------------------------------------------- */

static void refuse_receive(uint32_t slot, unsigned wanted, const char *what)
{
    expect_status(drive_reply_receive(ANSWER, slot, DEADLINE_NEVER), wanted, what);
    expect(is_answered(), "the answer is out");
    expect_equal(drive_current(), SERVER, "the server is told at once");
    expect_status(drive_reply(ANSWER), STATUS_NOT_FOUND, "and learns it from the slot");
    drive_window(0, 0);
}

static void test_refused_receives(void)
{
    stage();
    refuse_receive(NEVER_SLOT, STATUS_NOT_FOUND, "nothing to receive on");
    stage();
    refuse_receive(BULK, STATUS_INVALID_ARGUMENT, "no endpoint");
    stage();
    refuse_receive(ANSWER, STATUS_NOT_FOUND, "the reply slot itself is empty then");
    stage();
    drive_window(SLOT_SERVICE_ENDPOINT, 1);
    refuse_receive(SLOT_SERVICE_ENDPOINT, STATUS_BUSY, "a window that is not empty");
    stage();
    drive_window(SLOT_REPLY_BASE, 1);
    refuse_receive(SLOT_SERVICE_ENDPOINT, STATUS_INVALID_ARGUMENT, "a window of reply slots");
    stage();
    drive_window(WINDOW, MESSAGE_CAP_LIMIT + 1);
    refuse_receive(SLOT_SERVICE_ENDPOINT, STATUS_INVALID_ARGUMENT, "too large a window");
}

/* What the answer moves out of the window makes room for what comes. */
static void test_window_emptied(void)
{
    stage();
    client_call(&b, DEADLINE_NEVER);
    drive_run(SERVER);
    drive_retype(BULK, OBJECT_FRAME, 1, WINDOW);
    kernel_timer(&drive_kernel, 500); /* the first gives up; it calls again with a window */
    drive_work();
    drive_run(a.index);
    compose(1);
    drive_window(WINDOW, 1);
    drive_call(PEER, DEADLINE_NEVER);
    drive_run(SERVER);
    drive_window(0, 0);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "one call");
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "and another");
    compose(2);
    drive_attach(drive_message(SERVER), 0, WINDOW, RIGHTS_ALL, TRANSFER_MOVE, 0);
    drive_window(WINDOW, 1);
    expect_status(drive_reply_receive(ANSWER + 1, SLOT_SERVICE_ENDPOINT, DEADLINE_POLL),
                  STATUS_RETRY, "the window is asked about after the answer");
    expect(kernel_slot(&drive_kernel, a.index, WINDOW)->object_type == OBJECT_FRAME,
           "which took along what was there");
    drive_window(0, 0);
}

/* A message takes the last RECEIVE of the drivers' endpoint along, with a mask that drops it. Who
 * waits there is of the highest band, and goes on at once (K7), whichever way the entry takes. */
static void test_drivers_gone(bool is_answer)
{
    enum { SERVED = 100, DRIVERS = 101, CALLED = 102 };
    drive_boot(1024, 64);
    struct drive_child server = drive_stage_in(FREE_SLOT, 32, 2);
    struct drive_child client = drive_stage_in(FREE_SLOT + 4, 32, 2);
    struct drive_child urgent = drive_stage_in(FREE_SLOT + 8, 32, 0);
    drive_install(client.grant, server.endpoint, SERVED, RIGHT_SEND, 1);
    drive_install(is_answer ? server.grant : client.grant, SLOT_PROCD_DRIVER_ENDPOINT, DRIVERS,
                  RIGHT_SEND | RIGHT_RECEIVE | RIGHT_TRANSFER, 0);
    drive_install(urgent.grant, SLOT_PROCD_DRIVER_ENDPOINT, CALLED, RIGHT_SEND, 7);
    struct kernel_drop_local_cap_request drop = {SLOT_PROCD_DRIVER_ENDPOINT};
    expect_status(CONTROL(SLOT_SELF, DROP_LOCAL_CAP, drop), STATUS_OK, "one is left");
    drive_start(&urgent, 0);
    drive_start(&server, 0);
    drive_start(&client, 0);
    drive_run(urgent.index);
    drive_compose(1, 8);
    drive_call(CALLED, DEADLINE_NEVER);
    drive_run(0);
    drive_window(0, 0);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER);
    drive_run(server.index);
    drive_window(WINDOW, 1);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER);
    drive_run(client.index);
    struct message *message = drive_compose(1, 8);
    drive_window(is_answer ? WINDOW : 0, is_answer ? 1 : 0);
    if (!is_answer)
        drive_attach(message, 0, DRIVERS, RIGHT_SEND, TRANSFER_MOVE, 0);
    drive_call(SERVED, DEADLINE_NEVER);
    if (is_answer) {
        drive_attach(drive_compose(2, 8), 0, DRIVERS, RIGHT_SEND, TRANSFER_MOVE, 0);
        drive_reply_receive(SLOT_REPLY_BASE, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER);
    }
    expect_equal(drive_kernel.current, urgent.index, "K7: the highest band goes on");
    expect(kernel_check(&drive_kernel) == NULL, "K13: an entry ends settled");
    expect(!drive_kernel.driver_endpoint.live, "the endpoint is gone");
}

void kernel_test_reply_recv(void)
{
    test_waits();
    test_queued();
    test_deadline();
    test_nobody();
    test_event();
    test_fault();
    test_refused_answers();
    test_refused_receives();
    test_window_emptied();
    test_drivers_gone(false);
    test_drivers_gone(true);
}
