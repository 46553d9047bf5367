/* SPDX-License-Identifier: ISC */
/* Kernel tests: who gets the processor (K7): bands, turns, and whom a server works for. */
#include "props/tests/kernel/kernel_drive.h"

enum { PEER = 100, OWN = SLOT_SERVICE_ENDPOINT };

static uint32_t children; /* made in this system */

/* A child that may send to rootd at PEER, and to the endpoint at `peer` of rootd at PEER + 1. */
static struct drive_child make(uint32_t band, uint32_t peer)
{
    uint32_t slot = FREE_SLOT + 4 * children++;
    struct drive_child child = drive_stage_in(slot, 32, band);
    drive_install(child.grant, OWN, PEER, RIGHT_SEND, 7);
    if (peer != 0)
        drive_install(child.grant, peer, PEER + 1, RIGHT_SEND, 0);
    drive_start(&child, 0);
    return child;
}

static void system_begin(void)
{
    drive_boot(1024, 64);
    children = 0;
}

static void call(uint32_t slot, uint64_t deadline)
{
    drive_compose(1, 0);
    expect_status(drive_call(slot, deadline), DRIVE_WAITING, "the caller waits");
}

static void receive(uint64_t deadline)
{
    drive_compose(0, 0);
    (void)drive_receive(OWN, deadline);
}

static void reply(void)
{
    drive_compose(1, 0);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "the reply arrives");
}

static void runs(const struct drive_child *child, const char *what)
{
    expect_equal(drive_current(), child->index, what);
}

/* rootd waits until `deadline`, so that its children run. */
static void root_sleeps(uint64_t deadline)
{
    expect_equal(drive_current(), KERNEL_ROOT_PROCESS, "rootd runs");
    receive(deadline);
}

/* --- bands ------------------------------------------------------------------------------------ */

static void test_bands(void)
{
    system_begin();
    struct drive_child low = make(3, 0);
    struct drive_child high = make(1, 0);
    kernel_preempt(&drive_kernel);
    expect_equal(drive_current(), KERNEL_ROOT_PROCESS, "K7: no lower band gets rootd's turn");
    root_sleeps(5);
    runs(&high, "K7: the highest band that has one is next");
    kernel_preempt(&drive_kernel);
    runs(&high, "K7: it does not make way for a lower one");
    receive(3);
    runs(&low, "a lower one runs when it waits");
    kernel_timer(&drive_kernel, 3);
    runs(&high, "K7: it preempts at once when it wakes");
    kernel_timer(&drive_kernel, 5);
    expect_equal(drive_current(), KERNEL_ROOT_PROCESS, "and so does rootd");
}

static void test_creator(void)
{
    system_begin();
    struct drive_child child = drive_stage_in(FREE_SLOT, 64, 2);
    drive_install(child.grant, LAUNCH, LAUNCH, RIGHT_CONTROL, 0);
    drive_install(child.grant, PRO, PRO, RIGHT_CONTROL, 0);
    drive_start(&child, 0);
    root_sleeps(9);
    struct kernel_create_staged_process_request request = {
        .untyped_slot = LAUNCH, .budget_pages = 32, .event_slot = OWN, .band = 1};
    drive_window(FREE_SLOT, 4);
    expect_status(CONTROL(PRO, CREATE_STAGED_PROCESS, request), STATUS_DENIED,
                  "K7: nobody makes a process of a higher band than its own");
    request.band = 2;
    expect_status(CONTROL(PRO, CREATE_STAGED_PROCESS, request), STATUS_OK, "its own may be");
    drive_window(0, 0);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void test_turns(void)
{
    system_begin();
    struct drive_child third = make(2, 0);
    struct drive_child second = make(2, 0);
    struct drive_child first = make(2, 0);
    root_sleeps(1000);
    runs(&first, "who is started stands first");
    kernel_preempt(&drive_kernel);
    runs(&second, "a slice that is used up ends the turn");
    receive(10);
    runs(&third, "and so does a wait");
    kernel_timer(&drive_kernel, 10);
    runs(&third, "who wakes preempts none of its own band");
    kernel_preempt(&drive_kernel);
    runs(&second, "K7: but stands before those whose slices were used up");
    kernel_preempt(&drive_kernel);
    runs(&first, "which come in their order");
    kernel_preempt(&drive_kernel);
    runs(&third, "one after the other");
    receive(20);
    kernel_timer(&drive_kernel, 1000);
    expect_equal(drive_current(), KERNEL_ROOT_PROCESS, "rootd preempts");
    root_sleeps(2000);
    expect(drive_current() != KERNEL_ROOT_PROCESS, "the others go on");
}

/* --- lending ---------------------------------------------------------------------------------- */

/* A server of band 3, a client of band 1 and one in between that spins. */
static void test_lending(void)
{
    system_begin();
    struct drive_child server = make(3, 0);
    struct drive_child spinner = make(2, 0);
    struct drive_child client = make(1, server.endpoint);
    root_sleeps(1000);
    runs(&client, "the client is above all");
    call(PEER + 1, 50);
    runs(&server, "K7: who queues at a busy server lends it its band");
    expect_equal(drive_kernel.payer, server.index, "which pays for itself until it receives");
    receive(DEADLINE_NEVER);
    runs(&server, "K7: and then for the request");
    expect_equal(drive_kernel.payer, client.index, "K7: which the client pays for");
    kernel_preempt(&drive_kernel);
    runs(&server, "nobody else is in that band");
    reply();
    runs(&client, "the client is answered");
    receive(60);
    runs(&spinner, "K7: the server is below the spinner again");
    kernel_timer(&drive_kernel, 60);
    call(PEER + 1, 70);
    runs(&server, "the second request");
    receive(DEADLINE_NEVER);
    kernel_timer(&drive_kernel, 70);
    runs(&client, "the client gives up");
    receive(80);
    runs(&spinner, "K7: and what it lent is gone");
}

/* Through two servers: the last one runs in the band of the first client, which pays. */
static void test_chain(void)
{
    system_begin();
    struct drive_child last = make(3, 0);
    struct drive_child middle = make(3, last.endpoint);
    struct drive_child spinner = make(2, 0);
    root_sleeps(10);
    runs(&spinner, "the spinner is above both");
    receive(5);
    runs(&middle, "the servers run");
    call(PEER + 1, 1000);
    receive(DEADLINE_NEVER);
    runs(&last, "the last one works for the one in the middle");
    expect_equal(drive_kernel.payer, middle.index, "which pays");
    kernel_timer(&drive_kernel, 10);
    struct drive_child client = make(1, middle.endpoint);
    root_sleeps(2000);
    runs(&client, "a client of the one in the middle");
    call(PEER + 1, 500);
    runs(&last, "K7: raises the last one too");
    reply();
    runs(&middle, "and the one in the middle, which is answered");
    receive(DEADLINE_NEVER);
    expect_equal(drive_kernel.payer, client.index, "K7: the client pays");
    call(PEER + 1, 1000);
    receive(DEADLINE_NEVER);
    runs(&last, "its server's server");
    expect_equal(drive_kernel.payer, client.index, "K7: works at its cost");
    kernel_timer(&drive_kernel, 500);
    runs(&client, "who gives up");
    receive(600);
    runs(&spinner, "K7: lends nothing to either");
}

/* A server above its client: what it uses up ends the client's turn when it comes back, not its
 * own. */
static void test_turn_owed(void)
{
    system_begin();
    struct drive_child server = make(1, 0);
    struct drive_child other = make(2, 0);
    struct drive_child client = make(2, server.endpoint);
    root_sleeps(1000);
    runs(&server, "the server is above");
    receive(DEADLINE_NEVER);
    runs(&client, "it waits for its client");
    call(PEER + 1, 500);
    runs(&server, "which calls");
    expect(!kernel_turn_can_end(&drive_kernel), "K7: its turn cannot end while others wait");
    kernel_preempt(&drive_kernel);
    runs(&server, "K7: nobody in the server's band has to wait");
    reply();
    runs(&server, "K7: a higher server goes on when it has answered");
    receive(DEADLINE_NEVER);
    runs(&client, "who is answered goes on");
    expect(kernel_turn_can_end(&drive_kernel), "K7: and is asked for its turn");
    kernel_preempt(&drive_kernel);
    runs(&other, "the other's");
    receive(900);
    runs(&client, "and its own again");
    call(PEER + 1, 800);
    runs(&server, "another request");
    expect(kernel_turn_can_end(&drive_kernel), "K7: nobody waits for the turn that it uses up");
}

void kernel_test_run(void)
{
    test_bands();
    test_creator();
    test_turns();
    test_lending();
    test_chain();
    test_turn_owed();
}
