/* SPDX-License-Identifier: ISC */
/* Kernel tests: CALL, RECV, REPLY, deadlines, direct switches, capability transfer. */
#include <string.h>

#include "props/tests/kernel/kernel_drive.h"

enum { SERVER = 0, PEER = 100, NEVER_SLOT = 90000 };

static struct drive_child a;
static struct drive_child b;

/* Two running clients of rootd: each holds a send capability, badged, at PEER. */
static void stage(void)
{
    drive_boot(1024, 64);
    a = drive_stage(FREE_SLOT, 32);
    b = drive_stage(FREE_SLOT + 4, 32);
    uint32_t rights = RIGHT_SEND | RIGHT_TRANSFER;
    drive_install(a.grant, SLOT_SERVICE_ENDPOINT, PEER, rights, 11);
    drive_install(b.grant, SLOT_SERVICE_ENDPOINT, PEER, rights, 12);
    drive_install(a.grant, BULK, PEER + 1, RIGHT_CONTROL | RIGHT_TRANSFER, 0);
    drive_install(a.grant, MEM, PEER + 2, RIGHT_CONTROL, 0);
    drive_install(a.grant, MEM, PEER + 3, RIGHT_TRANSFER, 0);
    drive_start(&b, 0);
    drive_start(&a, 0); /* the first of the run queue */
}

static void compose(uint16_t operation, const char *text)
{
    struct message *message = drive_compose(operation, 8);
    memcpy(message->body, text, strlen(text));
    message->header.request_id = operation;
}

/* --- calls ------------------------------------------------------------------------------------ */

static void test_call_waiting(void)
{
    stage();
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER), DRIVE_WAITING,
                  "a receiver waits");
    expect_equal(drive_current(), a.index, "the first of the run queue runs");
    compose(500, "hello");
    drive_message(a.index)->header.status = 9;
    drive_message(a.index)->header.badge = 999;
    expect_status(drive_call(PEER, DEADLINE_NEVER), DRIVE_WAITING, "a caller waits");
    expect_equal(drive_current(), SERVER, "CALL switches to the receiver at once");
    const struct message *message = drive_message(SERVER);
    const struct receive_info *info = drive_info(SERVER);
    expect(message->header.operation == 500 && message->header.body_bytes == 8 &&
               memcmp(message->body, "hello", 6) == 0 && message->header.request_id == 500,
           "the message arrived");
    expect(message->header.badge == 11 && info->badge == 11, "with the badge that nobody forges");
    expect(message->header.status == 0 && message->header.window_count == 0, "and nothing else");
    expect(info->reply_slot == SLOT_REPLY_BASE && info->endpoint_slot == SLOT_SERVICE_ENDPOINT &&
               info->cap_count == 0,
           "and where to answer");
    compose(500, "world");
    drive_message(SERVER)->header.status = STATUS_BUSY;
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "a reply");
    expect_equal(drive_current(), a.index, "REPLY switches to the caller at once");
    expect_status(drive_result(a.index), STATUS_OK, "whose call is done");
    expect(memcmp(drive_message(a.index)->body, "world", 6) == 0 &&
               drive_message(a.index)->header.status == STATUS_BUSY &&
               drive_message(a.index)->header.badge == 0,
           "with the reply");
    kernel_preempt(&drive_kernel);
    drive_work();
    expect_equal(drive_current(), SERVER, "the replier is next");
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_NOT_FOUND, "E5: one reply per call");
}

static void test_call_queued(void)
{
    stage();
    drive_run(a.index);
    compose(1, "one");
    expect_status(drive_call(PEER, DEADLINE_NEVER), DRIVE_WAITING, "nobody receives");
    drive_run(b.index);
    compose(2, "two");
    expect_status(drive_call(PEER, DEADLINE_NEVER), DRIVE_WAITING, "a second queues");
    drive_run(SERVER);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "a message");
    expect_equal(drive_message(SERVER)->header.operation, 1, "in order of arrival");
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "the next");
    expect_equal(drive_info(SERVER)->badge, 12, "of the other client");
    expect_equal(drive_info(SERVER)->reply_slot, SLOT_REPLY_BASE + 1, "its own reply slot");
    kernel_timer(&drive_kernel, 5);
    drive_work();
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_RETRY, "no more");
    expect_equal(drive_info(SERVER)->now_ticks, 5, "the time is told");
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, 5), STATUS_TIMED_OUT, "too late at once");
    compose(2, "");
    expect_status(drive_reply(SLOT_REPLY_BASE + 1), STATUS_OK, "answers in any order");
    drive_run(SERVER);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "both");
    expect(drive_result(a.index) == STATUS_OK && drive_result(b.index) == STATUS_OK, "arrive");
}

/* What a call of kernel control is refused for before anybody asks what it wants. */
static void test_control_refusals(void)
{
    stage();
    drive_run(a.index);
    compose(OP_KERNEL_DESTROY, "");
    expect_status(drive_call(PEER + 2, 9), STATUS_OK, "a call of kernel control is answered");
    expect_equal(drive_message(a.index)->header.status, STATUS_INVALID_ARGUMENT, "its verdict");
    compose(OP_KERNEL_DESTROY, "");
    expect_status(drive_call(PEER + 3, 9), STATUS_DENIED, "kernel control without CONTROL");
    struct message *message = drive_message(a.index);
    message->header.version = 2;
    expect_status(drive_call(PEER + 2, 9), STATUS_INVALID_ARGUMENT, "in another version");
    compose(OP_KERNEL_DESTROY, "");
    message->header.body_bytes = MESSAGE_BODY_BYTES_MAX + 1;
    expect_status(drive_call(PEER + 2, 9), STATUS_INVALID_ARGUMENT, "with too long a body");
    compose(OP_KERNEL_DESTROY, "");
    message->header.cap_count = MESSAGE_CAP_LIMIT + 1;
    expect_status(drive_call(PEER + 2, 9), STATUS_INVALID_ARGUMENT, "with too many capabilities");
    compose(OP_KERNEL_DESTROY, "");
    drive_window(PEER, 1);
    expect_status(drive_call(PEER + 2, 9), STATUS_BUSY, "with a window that is not empty");
    drive_window(0, 0);
}

static void test_refusals(void)
{
    stage();
    drive_run(a.index);
    compose(1, "");
    expect_status(drive_call(NEVER_SLOT, 9), STATUS_NOT_FOUND, "an empty slot");
    expect_status(drive_call(UINT32_MAX, 9), STATUS_NOT_FOUND, "no slot");
    expect_status(drive_call(0, 9), STATUS_NOT_FOUND, "slot 0");
    expect_status(drive_call(PEER + 1, 9), STATUS_INVALID_ARGUMENT, "an untyped is not called");
    expect_status(drive_receive(PEER, 9), STATUS_DENIED, "a sender does not receive");
    expect_status(drive_receive(PEER + 1, 9), STATUS_INVALID_ARGUMENT, "nor an untyped");
    expect_status(drive_receive(NEVER_SLOT, 9), STATUS_NOT_FOUND, "nor nothing");
    expect_status(drive_reply(PEER), STATUS_INVALID_ARGUMENT, "an endpoint is no reply");
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_NOT_FOUND, "an empty reply slot");
    expect_status(drive_call(PEER, 0), STATUS_RETRY, "a call cannot poll");
    struct message *message = drive_message(a.index);
    message->header.version = 2;
    expect_status(drive_call(PEER, 9), STATUS_INVALID_ARGUMENT, "another version");
    compose(1, "");
    message->header.body_bytes = MESSAGE_BODY_BYTES_MAX + 1;
    expect_status(drive_call(PEER, 9), STATUS_INVALID_ARGUMENT, "too long a body");
    compose(1, "");
    message->header.cap_count = MESSAGE_CAP_LIMIT + 1;
    expect_status(drive_call(PEER, 9), STATUS_INVALID_ARGUMENT, "too many capabilities");
    compose(1, "");
    drive_window(NEVER_SLOT, 5);
    expect_status(drive_call(PEER, 9), STATUS_INVALID_ARGUMENT, "too large a window");
    drive_window(SLOT_REPLY_BASE - 1, 2);
    expect_status(drive_call(PEER, 9), STATUS_INVALID_ARGUMENT, "a window over reply slots");
    drive_window(SLOT_LIMIT - 1, 2);
    expect_status(drive_receive(2, 9), STATUS_INVALID_ARGUMENT, "a window past the end");
    drive_window(PEER, 1);
    expect_status(drive_call(PEER, 9), STATUS_BUSY, "a window that is not empty");
    expect_status(drive_receive(2, 9), STATUS_BUSY, "to receive neither");
    drive_window(0, 0);
    kernel_syscall(&drive_kernel, 0x44, 2, 9, 0);
    expect_status(drive_result(a.index), STATUS_INVALID_ARGUMENT, "there are four syscalls");
    expect_equal(drive_current(), a.index, "a refused process runs on");
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void test_deadlines(void)
{
    stage();
    drive_run(a.index);
    compose(1, "");
    drive_call(PEER, 30);
    drive_run(b.index);
    compose(2, "");
    drive_call(PEER, 20);
    drive_run(SERVER);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
    expect_equal(kernel_next_deadline(&drive_kernel), 20, "the earliest deadline");
    kernel_timer(&drive_kernel, 19);
    drive_work();
    expect_status(drive_result(b.index), DRIVE_WAITING, "not yet");
    kernel_timer(&drive_kernel, 20);
    drive_work();
    expect_status(drive_result(b.index), STATUS_TIMED_OUT, "a queued call times out");
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_RETRY,
                  "and leaves the queue");
    kernel_timer(&drive_kernel, 100);
    drive_work();
    expect_status(drive_result(a.index), STATUS_TIMED_OUT, "a received call times out");
    expect(kernel_slot(&drive_kernel, SERVER, SLOT_REPLY_BASE)->object_type == OBJECT_NONE,
           "K10: and its reply slot is empty at once");
    compose(1, "");
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_NOT_FOUND, "E5: a late reply is told so");
    drive_run(a.index);
    compose(3, "");
    drive_call(PEER, 200);
    drive_run(SERVER);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
    kernel_timer(&drive_kernel, 200);
    drive_work();
    drive_run(a.index);
    compose(4, "");
    drive_call(PEER, 300);
    drive_run(SERVER);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
    expect_equal(drive_info(SERVER)->reply_slot, SLOT_REPLY_BASE,
                 "the slot of a wait that is over comes again");
    compose(4, "");
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "and answers who waits now");
    drive_run(SERVER);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, 400), DRIVE_WAITING, "a receiver waits");
    kernel_timer(&drive_kernel, 400);
    drive_work();
    expect_status(drive_result(SERVER), STATUS_TIMED_OUT, "and times out");
    expect_equal(drive_info(SERVER)->now_ticks, 400, "with the time");
    expect_equal(kernel_next_deadline(&drive_kernel), DEADLINE_NEVER, "nobody waits");
}

/* Equal deadlines expire in the order of process indices, whoever waited first: each of them stands
 * first in the run queue then, so that the last is next. */
static void test_deadline_order(void)
{
    stage();
    drive_run(b.index);
    compose(1, "");
    drive_call(PEER, 50);
    drive_run(a.index);
    compose(1, "");
    drive_call(PEER, 50);
    kernel_timer(&drive_kernel, 50);
    drive_work();
    kernel_preempt(&drive_kernel);
    drive_work();
    expect_equal(drive_current(), b.index, "the lower index was first");
    kernel_preempt(&drive_kernel);
    drive_work();
    expect_equal(drive_current(), a.index, "and runs after the other");
}

/* Seven wait in the heap, as others have waited since, and then one in its middle does no more. The
 * one that takes its place has an earlier deadline than the one above it: kernel_check and the order
 * of what expires see it. */
static void test_deadline_removed(void)
{
    static const uint64_t deadlines[] = {10, 100, 20, 110, 120, 30, 40, 210, 200, 220, 230};
    enum { WAITERS = sizeof deadlines / sizeof deadlines[0] };
    _Static_assert(WAITERS == 7 + KERNEL_RECENT_DEADLINES, "seven are in the heap");
    struct drive_child waiters[WAITERS];
    drive_boot(2048, 64);
    for (uint32_t i = 0; i < WAITERS; i++)
        waiters[i] = drive_spawn(FREE_SLOT + 4 * i, 0);
    for (uint32_t i = 0; i < WAITERS; i++) {
        drive_run(waiters[i].index);
        drive_receive(SLOT_SERVICE_ENDPOINT, deadlines[i]);
    }
    drive_run(SERVER);
    struct kernel_kill_process_request kill = {waiters[3].process, 0};
    expect_status(CONTROL(PRO, KILL_PROCESS, kill), STATUS_OK, "K12: one ends while it waits");
    static const uint64_t left[] = {10, 20, 30, 40, 100, 120, 200, 210, 220, 230};
    for (uint32_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        expect_equal(kernel_next_deadline(&drive_kernel), left[i], "K12: the others stay in order");
        kernel_timer(&drive_kernel, left[i]);
        drive_work();
    }
    expect_equal(kernel_next_deadline(&drive_kernel), DEADLINE_NEVER, "and nobody else waits");
}

/* The order in which `count` processes that have just been woken run: the last one woken is first. */
static void expect_woken(const struct drive_child *waiters, const uint8_t *order, uint32_t count)
{
    uint32_t index = drive_kernel.ready[0].first;
    for (uint32_t i = count; i-- != 0;) {
        expect_equal(index, waiters[order[i]].index, "K12: by deadline, then by index");
        index = index == KERNEL_NONE
                    ? KERNEL_NONE
                    : kernel_process(&drive_kernel, index)->links[QUEUE_WAITING].next;
    }
}

/* Who has waited since lately, in the row, and who has been pushed out of it, in the heap, expire in
 * one order; the lowest indices are in the row, and have deadlines at the same ticks as others. Each
 * that is pushed out rises. One of the row and one of the heap end before. */
static void test_deadline_row(void)
{
    static const uint64_t deadlines[] = {50, 20, 60, 40, 60, 10, 30, 50, 70, 80, 90};
    enum { WAITERS = sizeof deadlines / sizeof deadlines[0] };
    static const uint8_t order[WAITERS - 2] = {5, 3, 0, 7, 2, 4, 8, 9, 10};
    struct drive_child waiters[WAITERS];
    drive_boot(2048, 64);
    for (uint32_t i = 0; i < WAITERS; i++)
        waiters[i] = drive_spawn(FREE_SLOT + 4 * i, 0);
    for (uint32_t i = WAITERS; i-- != 0;) {
        drive_run(waiters[i].index);
        drive_receive(SLOT_SERVICE_ENDPOINT, deadlines[i]);
    }
    expect_equal(drive_kernel.recent_count, KERNEL_RECENT_DEADLINES, "the row is full");
    drive_run(SERVER);
    CONTROL(PRO, KILL_PROCESS, ((struct kernel_kill_process_request){waiters[1].process, 0}));
    CONTROL(PRO, KILL_PROCESS, ((struct kernel_kill_process_request){waiters[6].process, 0}));
    expect_equal(kernel_next_deadline(&drive_kernel), 10, "the nearest is in the heap");
    kernel_timer(&drive_kernel, 90);
    expect_woken(waiters, order, WAITERS - 2);
    expect_equal(kernel_next_deadline(&drive_kernel), DEADLINE_NEVER, "and nobody else waits");
    drive_work();
}

/* K10: callers that give up leave nothing behind, however many there were. */
static void test_reply_slots(void)
{
    struct kernel_drop_local_cap_request drop = {SLOT_REPLY_BASE};
    uint64_t now = 1;
    stage();
    for (uint32_t i = 0; i < SLOT_REPLY_COUNT + 1; i++, now += 2) {
        drive_run(a.index);
        compose(1, "");
        drive_call(PEER, now + 1);
        drive_run(SERVER);
        expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK,
                      "K10: a call is received, as if the others had not been");
        expect_equal(drive_info(SERVER)->reply_slot, SLOT_REPLY_BASE, "into the first slot");
        kernel_timer(&drive_kernel, now + 1);
        drive_work();
    }
    drive_run(a.index);
    compose(1, "");
    drive_call(PEER, now + 1);
    drive_run(SERVER);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
    expect_status(CONTROL(SLOT_SELF, DROP_LOCAL_CAP, drop), STATUS_OK, "a live one is dropped");
    expect_status(drive_result(a.index), STATUS_PEER_DIED, "E5: its caller learns it");
}

void kernel_test_ipc(void)
{
    test_call_waiting();
    test_call_queued();
    test_control_refusals();
    test_refusals();
    test_deadlines();
    test_deadline_order();
    test_deadline_removed();
    test_deadline_row();
    test_reply_slots();
}

/* --- transfer --------------------------------------------------------------------------------- */

static const struct capability *slot_of(uint32_t index, uint32_t slot)
{
    return kernel_slot(&drive_kernel, index, slot);
}

/* a holds a frame at 200 and 201, made from its untyped; rootd receives with a window of two. */
static void stage_transfer(void)
{
    stage();
    drive_run(a.index);
    drive_control(PEER + 2, drive_operation(OP_KERNEL_RETYPE),
                  &(struct kernel_retype_request){PEER + 1, OBJECT_FRAME, 2, 200}, NULL);
    drive_run(SERVER);
    drive_window(8000, 2);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER), DRIVE_WAITING, "receives");
    drive_window(0, 0);
    drive_run(a.index);
}

static void test_transfer(void)
{
    stage_transfer();
    struct message *message = drive_compose(7, 16);
    drive_attach(message, 1, 200, RIGHT_READ | RIGHT_MAP, TRANSFER_COPY, 0);
    drive_attach(message, 3, 201, RIGHTS_ALL, TRANSFER_MOVE, 0);
    uint32_t page = slot_of(a.index, 201)->object;
    expect_status(drive_call(PEER, DEADLINE_NEVER), DRIVE_WAITING, "two capabilities travel");
    const struct message *got = drive_message(SERVER);
    uint32_t fields[4];
    memcpy(fields, got->body, sizeof fields);
    expect(fields[1] == 8000 && fields[3] == 8001, "fields name the receiver's slots");
    expect(got->header.cap_count == 2 && got->caps[0].rights == (RIGHT_READ | RIGHT_MAP) &&
               got->caps[0].object_type == OBJECT_FRAME && got->caps[1].mode == 0,
           "descriptors say what arrived");
    expect(slot_of(SERVER, 8000)->rights == (RIGHT_READ | RIGHT_MAP), "K1: rights are masked");
    expect(slot_of(a.index, 200)->object_type == OBJECT_FRAME, "a copy leaves its source");
    expect(slot_of(a.index, 201)->object_type == OBJECT_NONE &&
               slot_of(SERVER, 8001)->object == page,
           "a move empties it");
    expect(drive_info(SERVER)->cap_count == 2 && drive_info(SERVER)->window_slot == 8000,
           "and the receiver is told where");
    message = drive_compose(7, 4);
    drive_attach(message, 0, 8001, RIGHTS_ALL, TRANSFER_MOVE, 0);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_BUSY, "the caller left no room");
    expect(slot_of(SERVER, SLOT_REPLY_BASE)->object_type == OBJECT_REPLY &&
               slot_of(SERVER, 8001)->object_type == OBJECT_FRAME,
           "E1: nothing moved, the reply slot stays");
    drive_compose(7, 0);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "without it it is answered");
}

/* One refused transfer: the caller's message and slots stay as they were. */
static void refuse(struct message *message, unsigned wanted, const char *what)
{
    struct message copy = *message;
    uint64_t before = kernel_digest(&drive_kernel);
    expect_status(drive_call(PEER, DEADLINE_NEVER), wanted, what);
    expect(memcmp(&copy, message, sizeof copy) == 0, "E1: a refused message is unchanged");
    expect(kernel_digest(&drive_kernel) == before, "E1: a refused message changes nothing");
}

static void test_transfer_refusals(void)
{
    stage_transfer();
    struct message *message = drive_compose(7, 16);
    drive_attach(message, 0, 300, RIGHTS_ALL, TRANSFER_COPY, 0);
    refuse(message, STATUS_NOT_FOUND, "an empty source");
    message = drive_compose(7, 16);
    drive_attach(message, 0, PEER + 2, RIGHTS_ALL, TRANSFER_MOVE, 0);
    refuse(message, STATUS_DENIED, "without transfer not even a move");
    message = drive_compose(7, 16);
    drive_attach(message, 0, SLOT_SELF, RIGHTS_ALL, TRANSFER_COPY, 0);
    refuse(message, STATUS_DENIED, "self never");
    message = drive_compose(7, 16);
    drive_attach(message, 0, 200, RIGHT_SEND, TRANSFER_COPY, 0);
    refuse(message, STATUS_DENIED, "no right would be left");
    message = drive_compose(7, 16);
    drive_attach(message, 0, PEER, RIGHTS_ALL, TRANSFER_COPY, 5);
    refuse(message, STATUS_DENIED, "a badge on a badged endpoint");
    message = drive_compose(7, 16);
    drive_attach(message, 0, 200, RIGHTS_ALL, TRANSFER_COPY, 5);
    refuse(message, STATUS_DENIED, "a badge on a frame");
    message = drive_compose(7, 16);
    for (uint32_t i = 0; i < 3; i++)
        drive_attach(message, i, 200, RIGHTS_ALL, TRANSFER_COPY, 0);
    refuse(message, STATUS_BUSY, "more than the window");
    message = drive_compose(7, 16);
    drive_attach(message, 0, 200, RIGHTS_ALL, TRANSFER_COPY, 0);
    drive_attach(message, 1, 300, RIGHTS_ALL, TRANSFER_COPY, 0);
    refuse(message, STATUS_NOT_FOUND, "all or nothing");
}

static void test_transfer_shapes(void)
{
    stage_transfer();
    for (uint32_t i = 0; i < 10; i++) {
        struct message *message = drive_compose(7, 16);
        drive_attach(message, 0, 200, RIGHTS_ALL, TRANSFER_MOVE, 0);
        drive_attach(message, 1, 201, RIGHTS_ALL, TRANSFER_MOVE, 0);
        struct message_cap *cap = &message->caps[1];
        static const uint32_t bad_slot = SLOT_LIMIT;
        if (i == 0)
            cap->field_offset = 14;
        else if (i == 1)
            cap->field_offset = 16;
        else if (i == 2)
            cap->field_offset = 0;
        else if (i == 3)
            cap->mode = 2;
        else if (i == 4)
            cap->flags = 2;
        else if (i == 5)
            cap->badge = 1;
        else if (i == 6)
            cap->object_type = OBJECT_FRAME;
        else if (i == 7)
            cap->rights = RIGHTS_ALL + 1;
        else if (i == 8)
            memcpy(message->body + 4, &bad_slot, 4);
        else
            memcpy(message->body + 4, message->body, 4);
        refuse(message, STATUS_INVALID_ARGUMENT, "a descriptor of wrong shape");
    }
}

static void test_badges(void)
{
    stage_transfer();
    struct message *message = drive_compose(7, 16);
    drive_attach(message, 0, SLOT_SERVICE_ENDPOINT, RIGHT_SEND, TRANSFER_COPY, 42);
    expect_status(drive_call(PEER, DEADLINE_NEVER), DRIVE_WAITING, "an own endpoint, badged");
    expect(slot_of(SERVER, 8000)->badge == 42 && slot_of(SERVER, 8000)->rights == RIGHT_SEND,
           "arrives with the badge");
    message = drive_compose(7, 4);
    drive_attach(message, 0, SLOT_SERVICE_ENDPOINT, RIGHT_SEND, TRANSFER_COPY, BADGE_KERNEL);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_INVALID_ARGUMENT,
                  "nobody mints the kernel's badge");
}

/* A queued call that the receiver's window does not fit completes with its own error. */
static void test_transfer_queued(void)
{
    stage_transfer();
    kernel_timer(&drive_kernel, 1);
    drive_work();
    drive_run(b.index);
    drive_compose(8, 0);
    drive_call(PEER, DEADLINE_NEVER); /* wakes rootd */
    drive_run(a.index);
    struct message *message = drive_compose(7, 16);
    drive_attach(message, 0, 200, RIGHTS_ALL, TRANSFER_COPY, 0);
    expect_status(drive_call(PEER, DEADLINE_NEVER), DRIVE_WAITING, "queues");
    drive_run(SERVER);
    drive_reply(SLOT_REPLY_BASE);
    drive_run(b.index);
    drive_compose(9, 0);
    drive_call(PEER, DEADLINE_NEVER);
    drive_run(SERVER);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL), STATUS_OK, "goes on");
    expect_equal(drive_message(SERVER)->header.operation, 9, "to the next message");
    expect_status(drive_result(a.index), STATUS_BUSY, "the first learns that it did not fit");
    expect(slot_of(a.index, 200)->object_type == OBJECT_FRAME, "and keeps what it sent");
}

void kernel_test_transfer(void)
{
    test_transfer();
    test_transfer_refusals();
    test_transfer_shapes();
    test_badges();
    test_transfer_queued();
}
