/* SPDX-License-Identifier: ISC */
/* Kernel tests: states in which a short way must ask once more, or not be taken at all. Each life is
 * run twice, by short ways where they are taken and by long ways alone, and must be the same after
 * every step (K14); what it comes to is said as well, so that both cannot be wrong. */
#include <string.h>

#include "abi/messages/event.h"
#include "props/tests/kernel/kernel_drive.h"

enum {
    SERVER = 0, /* rootd */
    PEER = 100, /* where clients have the server's endpoint */
    SHARED = 101,
    OTHER = 102,  /* where the second child has the first one's endpoint */
    FRAMES = 300, /* two frames of the server */
    ELSEWHERE = 90,
    WINDOW = 400,
    ANSWER = SLOT_REPLY_BASE,
    STEPS_MAX = 1000
};

static struct drive_child a;
static struct drive_child b;
static uint64_t seen[STEPS_MAX]; /* by the short ways, after each step */
static uint32_t steps;
static bool is_second;

static unsigned same(unsigned status)
{
    uint64_t state = drive_state();
    if (!is_second)
        seen[steps] = state;
    else if (seen[steps] != state)
        expect_equal(steps, STEPS_MAX, "K14: the first step that another way makes otherwise");
    steps++;
    return status;
}

static void both_ways(void (*life)(void))
{
    uint32_t first_steps = 0;
    for (uint32_t run = 0; run < 2; run++) {
        is_second = run == 1;
        drive_long(is_second);
        steps = 0;
        life();
        first_steps = is_second ? first_steps : steps;
    }
    drive_long(false);
    expect_equal(steps, first_steps, "K14: as many steps");
}

static void stage_in(uint32_t band)
{
    drive_boot(1024, 64);
    a = drive_stage_in(FREE_SLOT, 32, band);
    b = drive_stage_in(FREE_SLOT + 4, 32, band);
    drive_install(a.grant, SLOT_SERVICE_ENDPOINT, PEER, RIGHT_SEND, 11);
    drive_install(b.grant, SLOT_SERVICE_ENDPOINT, PEER, RIGHT_SEND, 12);
    drive_install(b.grant, SLOT_SERVICE_ENDPOINT, SHARED, RIGHT_RECEIVE, 0);
    drive_retype(BULK, OBJECT_FRAME, 2, FRAMES);
}

static void start(uint32_t pager_slot)
{
    drive_start(&a, pager_slot);
    drive_start(&b, 0);
}

static unsigned call_with(uint32_t index, uint32_t window_count)
{
    drive_run(index);
    drive_compose(1, 8);
    drive_window(WINDOW, window_count);
    unsigned status = same(drive_call(PEER, DEADLINE_NEVER));
    drive_window(0, 0);
    return status;
}

static unsigned receive(uint32_t index, uint32_t slot)
{
    drive_run(index);
    drive_compose(0, 0);
    return same(drive_receive(slot, DEADLINE_NEVER));
}

static unsigned answer(uint32_t slot)
{
    return same(drive_reply_receive(ANSWER, slot, DEADLINE_NEVER));
}

/* The server has been called by the first client, which has room for two capabilities. */
static void stage_called(void)
{
    stage_in(0);
    start(0);
    expect_status(receive(SERVER, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
    expect_status(call_with(a.index, 2), DRIVE_WAITING, "a client calls");
    expect_equal(drive_current(), SERVER, "and the server has it");
    drive_compose(2, 8);
}

static void frame_attach(uint32_t index, uint32_t slot)
{
    drive_attach(drive_message(SERVER), index, slot, RIGHTS_ALL, TRANSFER_MOVE, 0);
}

/* --- REPLY_RECV ------------------------------------------------------------------------------- */

/* Somebody else waits at the server's endpoint: the server goes behind it. */
static void other_receiver(void)
{
    stage_called();
    expect_status(receive(b.index, SHARED), DRIVE_WAITING, "another one receives there");
    drive_run(SERVER);
    drive_compose(2, 0);
    expect_status(answer(SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits behind it");
    expect_equal(drive_current(), a.index, "who was answered goes on");
    call_with(a.index, 0);
    expect_equal(drive_current(), b.index, "who waited first is served first");
    call_with(a.index, 0);
    expect_equal(drive_message(b.index)->header.operation, 1, "with the message");
}

/* An answer takes one slot of the next window along; the other stays occupied. */
static void window_half_emptied(void)
{
    stage_called();
    frame_attach(0, FRAMES);
    drive_window(FRAMES, 2);
    expect_status(answer(SLOT_SERVICE_ENDPOINT), STATUS_BUSY, "the window is not empty");
    drive_window(0, 0);
    expect_status(drive_result(a.index), STATUS_OK, "the answer is out");
    expect_equal(kernel_slot(&drive_kernel, SERVER, FRAMES + 1)->object_type, OBJECT_FRAME,
                 "what did not go is there");
}

/* It takes both along: that is room. */
static void window_emptied(void)
{
    stage_called();
    frame_attach(0, FRAMES);
    frame_attach(1, FRAMES + 1);
    drive_window(FRAMES, 2);
    expect_status(answer(SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the window is empty by then");
    drive_window(0, 0);
}

/* The second capability that leaves is the last that receives at the drivers' endpoint, and who
 * waits there has to run. */
static void drivers_leave_second(void)
{
    stage_in(1);
    struct drive_child urgent = drive_stage_in(FREE_SLOT + 8, 32, 0);
    drive_install(urgent.grant, SLOT_PROCD_DRIVER_ENDPOINT, PEER, RIGHT_SEND, 7);
    start(0);
    drive_start(&urgent, 0);
    call_with(urgent.index, 0);
    expect_status(receive(SERVER, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
    call_with(a.index, 2);
    expect_equal(drive_current(), SERVER, "and has a call");
    drive_compose(2, 8);
    frame_attach(0, FRAMES);
    drive_attach(drive_message(SERVER), 1, SLOT_PROCD_DRIVER_ENDPOINT, RIGHT_SEND, TRANSFER_MOVE,
                 0);
    answer(SLOT_SERVICE_ENDPOINT);
    expect_equal(drive_current(), urgent.index, "K7: the highest band goes on");
}

/* An event has come meanwhile: whoever answers has it at once. */
static void event_waits(void)
{
    stage_called();
    CONTROL(PRO, KILL_PROCESS, (struct kernel_kill_process_request){b.process, 5});
    kernel_preempt(&drive_kernel);
    drive_work();
    drive_run(SERVER);
    drive_compose(2, 8);
    expect_status(answer(SLOT_SERVICE_ENDPOINT), STATUS_OK, "the event is received");
    expect(drive_info(SERVER)->badge == BADGE_KERNEL, "that was queued");
    expect_status(drive_result(a.index), STATUS_OK, "the answer is out");
}

/* Somebody of the server's own band is ready, and so goes on before a client of a lower one that is
 * answered with nothing but bytes. */
static void band_between(void)
{
    stage_in(1);
    struct drive_child urgent = drive_stage_in(FREE_SLOT + 8, 32, 0);
    start(0);
    expect_status(receive(SERVER, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
    call_with(a.index, 0);
    expect_equal(drive_current(), SERVER, "and has a call");
    drive_start(&urgent, 0);
    expect_equal(drive_current(), SERVER, "its equal waits for its turn");
    drive_compose(2, 8);
    expect_status(answer(SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
    expect_equal(drive_current(), urgent.index, "K7: the highest band goes on");
    expect_status(drive_result(a.index), STATUS_OK, "the answer is out");
}

/* The server receives through another slot, and sends what is there away. */
static void received_slot_leaves(void)
{
    stage_called();
    struct kernel_move_local_cap_request move = {SLOT_SERVICE_ENDPOINT, ELSEWHERE};
    expect_status(CONTROL(SLOT_SELF, MOVE_LOCAL_CAP, move), STATUS_OK, "it lies elsewhere");
    drive_compose(2, 8);
    frame_attach(0, ELSEWHERE);
    expect_status(answer(ELSEWHERE), STATUS_NOT_FOUND, "nothing is left to receive on");
    expect_status(drive_result(a.index), STATUS_OK, "the answer is out");
}

/* The same as the second capability, in the usual slot. */
static void received_slot_leaves_second(void)
{
    stage_called();
    frame_attach(0, FRAMES);
    frame_attach(1, SLOT_SERVICE_ENDPOINT);
    expect_status(answer(SLOT_SERVICE_ENDPOINT), STATUS_NOT_FOUND, "nothing to receive on");
}

/* The server names an end of its own endpoint that may send there and nothing else. */
static void own_end_may_only_send(void)
{
    stage_in(0);
    drive_install(a.grant, a.endpoint, ELSEWHERE, RIGHT_SEND, 14);
    drive_install(b.grant, a.endpoint, OTHER, RIGHT_SEND, 15);
    start(0);
    expect_status(receive(a.index, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
    drive_run(b.index);
    drive_compose(1, 8);
    expect_status(same(drive_call(OTHER, DEADLINE_NEVER)), DRIVE_WAITING, "a client calls");
    drive_run(a.index);
    drive_compose(2, 8);
    expect_status(answer(ELSEWHERE), STATUS_DENIED, "the right to send is none to receive");
    expect_status(drive_result(b.index), STATUS_OK, "the answer is out");
}

/* What the server says arrives, with a body and without, with capabilities and without. */
static void refusals(void)
{
    for (uint32_t how = 0; how < 3; how++) {
        stage_called();
        struct message *message = drive_compose(2, how == 1 ? 0 : 8);
        if (how == 2)
            frame_attach(0, FRAMES);
        message->header.status = STATUS_DENIED;
        expect_status(answer(SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
        expect_status(drive_result(a.index), STATUS_OK, "an answer has come");
        expect_status(drive_message(a.index)->header.status, STATUS_DENIED, "which is a refusal");
    }
}

/* --- slots of the second leaf ----------------------------------------------------------------- */

/* What lies behind a process's first leaf is no slot of it, whatever it is: while an entry names the
 * first slot of the second leaf, a capability that it never had lies there. */
static unsigned enter_beside(uint32_t index, struct capability forged, bool is_answer)
{
    const struct process *process = kernel_process(&drive_kernel, index);
    struct capability *behind = machine_page(process->first_leaf + 1);
    struct capability kept = *behind;
    *behind = forged;
    drive_quiet(true);
    unsigned status = is_answer ? drive_reply_receive(ANSWER, CSPACE_LEAF_CAPS, DEADLINE_NEVER)
                                : drive_call(CSPACE_LEAF_CAPS, DEADLINE_NEVER);
    drive_quiet(false);
    *behind = kept;
    return same(status);
}

static void second_leaf_called(void)
{
    stage_in(0);
    drive_install(a.grant, b.endpoint, CSPACE_LEAF_CAPS, RIGHT_SEND, 13);
    start(0);
    expect_status(receive(b.index, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "one waits");
    expect_status(receive(SERVER, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "and another");
    drive_run(a.index);
    drive_compose(1, 8);
    enter_beside(a.index, *kernel_slot(&drive_kernel, SERVER, SLOT_SERVICE_ENDPOINT), false);
    expect_equal(drive_current(), b.index, "the slot that was named is called");
}

static void second_leaf_received(void)
{
    stage_called();
    enter_beside(SERVER, *kernel_slot(&drive_kernel, SERVER, SLOT_SERVICE_ENDPOINT), true);
    expect_status(drive_result(SERVER), STATUS_NOT_FOUND, "nothing is in that slot");
    expect_status(drive_result(a.index), STATUS_OK, "the answer is out");
}

/* A window may end with the first leaf. One slot more, and what lies in the next leaf counts, not what
 * is behind the first: nothing, here. */
static void window_second_leaf(void)
{
    stage_in(0);
    drive_install(a.grant, b.endpoint, CSPACE_LEAF_CAPS, RIGHT_SEND, 13);
    start(0);
    expect_status(receive(SERVER, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
    struct capability *behind =
        machine_page(kernel_process(&drive_kernel, a.index)->first_leaf + 1);
    struct capability kept = *behind;
    drive_run(a.index);
    drive_compose(1, 8);
    drive_window(CSPACE_LEAF_CAPS - 2, 3);
    drive_quiet(true);
    *behind = (struct capability){0};
    expect_status(drive_call(PEER, DEADLINE_NEVER), STATUS_BUSY, "a slot of it is occupied");
    *behind = kept;
    drive_quiet(false);
    (void)same(STATUS_OK);
    drive_window(CSPACE_LEAF_CAPS - 2, 2);
    expect_status(same(drive_call(PEER, DEADLINE_NEVER)), DRIVE_WAITING, "the rest of it is empty");
    drive_window(0, 0);
}

/* --- faults ----------------------------------------------------------------------------------- */

/* The first child's fault is with its pager, the server. */
static void stage_faulted(void)
{
    stage_in(0);
    start(SLOT_SERVICE_ENDPOINT);
    expect_status(receive(SERVER, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the pager waits");
    drive_run(a.index);
    drive_fault(0x5000, FAULT_READ, 0x400000);
    (void)same(STATUS_OK);
    expect_equal(drive_current(), SERVER, "the pager has the fault");
}

static void resolved_compose(void)
{
    struct event_fault_reply resolved = {FAULT_RESOLVED, END_NONE};
    drive_run(SERVER);
    (void)message_encode(&event_fault_reply_type, &resolved, drive_message(SERVER));
    drive_message(SERVER)->header.operation = OP_EVENT_FAULT;
}

static void pager_has_a_call(void)
{
    stage_faulted();
    call_with(b.index, 0);
    resolved_compose();
    expect_status(answer(SLOT_SERVICE_ENDPOINT), STATUS_OK, "the call is received");
    expect_equal(drive_info(SERVER)->badge, 12, "that was queued");
}

static void pager_has_an_event(void)
{
    stage_faulted();
    CONTROL(PRO, KILL_PROCESS, (struct kernel_kill_process_request){b.process, 5});
    kernel_preempt(&drive_kernel);
    drive_work();
    resolved_compose();
    expect_status(answer(SLOT_SERVICE_ENDPOINT), STATUS_OK, "the event is received");
    expect(drive_info(SERVER)->badge == BADGE_KERNEL, "that was queued");
}

static void verdict_with_a_cap(void)
{
    stage_faulted();
    resolved_compose();
    drive_message(SERVER)->header.cap_count = 1;
    expect_status(answer(SLOT_SERVICE_ENDPOINT), STATUS_INVALID_ARGUMENT, "that is no verdict");
    expect_equal(kernel_process(&drive_kernel, a.index)->life, LIFE_CALLING, "the faulter waits");
}

static void pager_goes_behind(void)
{
    stage_faulted();
    expect_status(receive(b.index, SHARED), DRIVE_WAITING, "another one receives there");
    resolved_compose();
    expect_status(answer(SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the pager waits");
    expect_equal(drive_current(), a.index, "the faulter goes on");
    call_with(a.index, 0);
    expect_equal(drive_current(), b.index, "who waited first is served first");
}

static void pager_second_leaf(void)
{
    stage_faulted();
    resolved_compose();
    enter_beside(SERVER, *kernel_slot(&drive_kernel, SERVER, SLOT_SERVICE_ENDPOINT), true);
    expect_status(drive_result(SERVER), STATUS_NOT_FOUND, "nothing is in that slot");
}

/* --- many callers ----------------------------------------------------------------------------- */

enum {
    CROWD = 160, /* more than two words of reply slots, and than a leaf of them */
    CROWD_HELD = 150,
    ROUNDS = 30
};

static struct drive_child crowd[CROWD];
static bool taken[CROWD]; /* reply slots, by their index */

static uint32_t lowest_free(void)
{
    uint32_t index = 0;
    while (taken[index])
        index++;
    return index;
}

static void crowd_stage(void)
{
    drive_quiet(true);
    drive_boot(8000, 64);
    for (uint32_t i = 0; i < CROWD; i++) {
        crowd[i] = drive_stage(FREE_SLOT + 4 * i, 16);
        drive_install(crowd[i].grant, SLOT_SERVICE_ENDPOINT, PEER, RIGHT_SEND, 1000 + i);
        drive_start(&crowd[i], 0);
    }
    drive_quiet(is_second); /* it is the same as the first, or it is noticed */
    memset(taken, 0, sizeof taken);
}

static bool holds(uint32_t i)
{
    return kernel_process(&drive_kernel, crowd[i].index)->life == LIFE_CALLING;
}

/* The server waits; a client calls it, and it has the client at the lowest slot that is free. */
static void crowd_call(uint32_t i)
{
    uint32_t index = lowest_free();
    call_with(crowd[i].index, 0);
    expect(drive_current() == SERVER && drive_info(SERVER)->badge == 1000 + i, "the server has it");
    expect_equal(drive_info(SERVER)->reply_slot, SLOT_REPLY_BASE + index, "the lowest free slot");
    taken[index] = true;
}

static uint32_t crowd_slot(uint32_t i)
{
    return kernel_process(&drive_kernel, crowd[i].index)->reply_slot;
}

/* One of those that wait, or that do not, from `from` on. */
static uint32_t crowd_find(uint32_t from, bool held)
{
    while (holds(from % CROWD) != held)
        from++;
    return from % CROWD;
}

/* One is answered, and it or another one calls. */
static void crowd_round(uint32_t round)
{
    uint32_t answered = crowd_find(round * 37, true);
    uint32_t reply_slot = crowd_slot(answered);
    drive_run(SERVER);
    drive_compose(2, 8)->header.status = round % 3;
    expect_status(same(drive_reply_receive(reply_slot, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER)),
                  DRIVE_WAITING, "the server waits");
    taken[reply_slot - SLOT_REPLY_BASE] = false;
    expect(drive_current() == crowd[answered].index && drive_result(drive_current()) == STATUS_OK &&
               drive_message(drive_current())->header.status == round % 3,
           "who was answered goes on");
    crowd_call(round % 2 == 0 ? answered : crowd_find(round * 11, false));
}

/* Some are answered and nobody is heard, until `left` are held. */
static void crowd_shrink(uint32_t held, uint32_t left)
{
    for (uint32_t i = 0; held > left; held--, i += 7) {
        uint32_t answered = crowd_find(i, true);
        drive_run(SERVER);
        taken[crowd_slot(answered) - SLOT_REPLY_BASE] = false;
        drive_compose(2, 0);
        expect_status(same(drive_reply(crowd_slot(answered))), STATUS_OK, "an answer");
    }
}

static void many_callers(void)
{
    crowd_stage();
    for (uint32_t i = 0; i < CROWD_HELD; i++) {
        expect_status(receive(SERVER, SLOT_SERVICE_ENDPOINT), DRIVE_WAITING, "the server waits");
        crowd_call(i);
        if (i == CSPACE_LEAF_CAPS / 2) /* the next leaf of reply slots does not follow the first */
            expect_status(drive_retype(LAUNCH, OBJECT_FRAME, 1, WINDOW), STATUS_OK,
                          "a page between");
    }
    for (uint32_t round = 0; round < ROUNDS; round++)
        crowd_round(round);
    crowd_shrink(CROWD_HELD, 64);
    for (uint32_t round = 0; round < ROUNDS; round++)
        crowd_round(round);
    crowd_shrink(64, 2);
    for (uint32_t round = 0; round < ROUNDS; round++)
        crowd_round(round);
    drive_quiet(false);
}

void kernel_test_short(void)
{
    static void (*const lives[])(void) = {other_receiver,        window_half_emptied,
                                          window_emptied,        event_waits,
                                          band_between,          drivers_leave_second,
                                          received_slot_leaves,  received_slot_leaves_second,
                                          own_end_may_only_send, refusals,
                                          second_leaf_called,    second_leaf_received,
                                          window_second_leaf,    pager_has_a_call,
                                          pager_has_an_event,    verdict_with_a_cap,
                                          pager_goes_behind,     pager_second_leaf,
                                          many_callers};
    for (uint32_t i = 0; i < sizeof lives / sizeof lives[0]; i++)
        both_ways(lives[i]);
}
