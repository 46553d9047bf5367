/* SPDX-License-Identifier: ISC */
/* Kernel tests: work in pieces. kernel_check holds after each piece, what was begun is finished
 * whoever ends meanwhile, and no entry does more than it may (K8). */
#include <string.h>

#include "props/tests/kernel/kernel_drive.h"

enum { MAPS = 500, AT = 9000 };

static uint32_t entry_work(void)
{
    expect(drive_kernel.work_done <= kernel_work_limit(&drive_kernel),
           "K8: an entry does no more than it may");
    return drive_kernel.work_done;
}

/* A child that shows one frame MAPS times, and its frame. */
static struct drive_child child_mapped(uint32_t frame)
{
    drive_boot(4000, 128);
    drive_retype(BULK, OBJECT_FRAME, 1, frame);
    struct drive_child child = drive_stage(FREE_SLOT, 200);
    drive_quiet(true);
    for (uint32_t i = 0; i < MAPS; i++)
        expect_status(
            drive_map(PRO, child.vspace, frame, 0x40000000 + i * UINT64_C(4096), RIGHT_READ),
            STATUS_OK, "mapped");
    drive_quiet(false);
    return child;
}

static unsigned begin(uint32_t kind, uint16_t operation, uint32_t slot)
{
    struct message *message = drive_message(drive_kernel.current);
    memset(message, 0, sizeof *message);
    message->header.version = MESSAGE_VERSION;
    message->header.operation = operation;
    message->header.body_bytes = operation == OP_KERNEL_UNMAP_FRAME ? 16 : 4;
    memcpy(message->body, &slot, sizeof slot);
    kernel_syscall(&drive_kernel, SYSCALL_CALL, kind, 0, 0);
    entry_work();
    return kernel_process(&drive_kernel, 0)->resume == RESUME_WORK;
}

static void test_abort(void)
{
    struct drive_child child = child_mapped(AT);
    uint32_t available = kernel_untyped_available(&drive_kernel.untypeds[1]);
    expect(begin(PRO, OP_KERNEL_ABORT_STAGED_PROCESS, child.process), "K8: it takes pieces");
    kernel_preempt(&drive_kernel);
    expect(drive_work() > 1, "K8: more than one");
    expect_status(drive_result(0), STATUS_OK, "and is done when the caller runs on");
    expect_equal(drive_kernel.process_count, 1, "the process is gone");
    expect_equal(kernel_untyped_available(&drive_kernel.untypeds[1]), available + 200,
                 "K5: with all it had");
}

static void test_destroy(void)
{
    struct drive_child child = child_mapped(AT);
    expect(begin(MEM, OP_KERNEL_DESTROY, AT), "K8: a frame with many mappings takes pieces");
    expect(!kernel_capability_live(&drive_kernel, kernel_slot(&drive_kernel, 0, AT)),
           "K3: its capabilities are dead from the beginning");
    expect(drive_work() > 1, "K8: more than one");
    expect_equal(drive_kernel.untypeds[0].frame_pages, 0, "it is free");
    expect_equal(kernel_process(&drive_kernel, child.index)->mapped_pages, 1,
                 "K4: nothing shows it");
}

/* Who began it ends in the middle: its own end finishes it. */
static void test_orphan(void)
{
    drive_boot(4000, 128);
    struct drive_child worker = drive_stage(FREE_SLOT, 200);
    drive_retype(BULK, OBJECT_FRAME, 1, AT);
    drive_install(worker.grant, AT, 100, RIGHT_READ | RIGHT_CONTROL, 0);
    drive_install(worker.grant, MEM, 101, RIGHT_CONTROL, 0);
    drive_quiet(true);
    for (uint32_t i = 0; i < MAPS; i++)
        drive_map(PRO, worker.vspace, AT, 0x40000000 + i * UINT64_C(4096), RIGHT_READ);
    drive_quiet(false);
    drive_start(&worker, 0);
    drive_run(worker.index);
    struct message *message = drive_message(worker.index);
    memset(message, 0, sizeof *message);
    message->header.version = MESSAGE_VERSION;
    message->header.operation = OP_KERNEL_DESTROY;
    message->header.body_bytes = 4;
    memcpy(message->body, &(uint32_t){100}, 4);
    kernel_syscall(&drive_kernel, SYSCALL_CALL, 101, 0, 0);
    expect(kernel_process(&drive_kernel, worker.index)->resume == RESUME_WORK, "K8: it goes on");
    kernel_end_process(&drive_kernel, worker.index);
    expect(drive_work() > 1, "K8: piece by piece");
    expect_equal(drive_kernel.untypeds[0].frame_pages, 0, "K8: what it began is finished");
    expect(kernel_check(&drive_kernel) == NULL, "K13: the books agree");
}

/* A search for an occupied slot goes over more empty leaves than one entry may, and its first piece
 * ends just before the slot. The request is read again later, where its reply will lie. */
static void test_search(enum object_type type)
{
    enum { LEAVES = KERNEL_WORK_MAX / 4 + 1, FIRST = 100 * CSPACE_LEAF_CAPS };
    struct kernel_query_local_cap_reply reply;
    uint32_t last = FIRST + (LEAVES - 1) * CSPACE_LEAF_CAPS;
    drive_boot(4000, 128);
    drive_retype(BULK, type, 1, AT);
    for (uint32_t from = AT, to = FIRST; to <= last; from = to, to += CSPACE_LEAF_CAPS)
        expect_status(
            CONTROL(SLOT_SELF, MOVE_LOCAL_CAP, (struct kernel_move_local_cap_request){from, to}),
            STATUS_OK, "leaves that stay empty");
    const struct operation *query = drive_operation(OP_KERNEL_QUERY_LOCAL_CAP);
    for (unsigned i = 0; i < 2; i++) {
        struct kernel_query_local_cap_request request = {FIRST, QUERY_NEXT};
        expect_status(drive_control(SLOT_SELF, query, &request, &reply), STATUS_OK,
                      "K8: a search in pieces has an answer");
        expect_equal(reply.slot, last, "the occupied slot");
    }
    struct kernel_query_local_cap_request request = {SLOT_SELF, QUERY_NEXT};
    expect_status(drive_control(SLOT_SELF, query, &request, &reply), STATUS_OK, "another search");
    expect_equal(reply.slot, SLOT_SELF, "begins where it says");
}

/* K10: who waits at the driver endpoint is told that its last receiver is gone. */
static void test_driver_gone(void)
{
    struct drive_child child[2];
    drive_boot(4000, 128);
    for (uint32_t i = 0; i < 2; i++) {
        child[i] = drive_stage(FREE_SLOT + 4 * i, 32);
        drive_install(child[i].grant, SLOT_PROCD_DRIVER_ENDPOINT, 100, RIGHT_SEND, 9);
        drive_start(&child[i], 0);
        drive_run(child[i].index);
        memset(drive_message(child[i].index), 0, sizeof(struct message));
        drive_message(child[i].index)->header.version = MESSAGE_VERSION;
        expect_status(drive_call(100, DEADLINE_NEVER), DRIVE_WAITING, "a driver waits for procd");
        drive_run(0);
    }
    CONTROL(SLOT_SELF, DROP_LOCAL_CAP,
            (struct kernel_drop_local_cap_request){SLOT_PROCD_DRIVER_ENDPOINT});
    drive_run(child[0].index);
    drive_run(0);
    for (uint32_t i = 0; i < 2; i++)
        expect_status(drive_result(child[i].index), STATUS_PEER_DIED, "K10: nobody waits for ever");
}

/* More deadlines pass at one tick than one entry may wake processes for. */
static void test_deadlines(void)
{
    enum { COUNT = KERNEL_TIMER_WAKES_MAX + 10 };
    drive_boot(20000, 128);
    drive_quiet(true);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct drive_child child = drive_stage(AT + 4 * i, PROCESS_BUDGET_PAGES_MIN);
        drive_start(&child, 0);
        drive_run(child.index);
        drive_receive(SLOT_SERVICE_ENDPOINT, 50);
        drive_run(0);
    }
    drive_quiet(false);
    kernel_timer(&drive_kernel, 60);
    expect_equal(drive_kernel.deadline_count, COUNT - KERNEL_TIMER_WAKES_MAX,
                 "K8: so many are woken");
    expect(kernel_next_deadline(&drive_kernel) <= 60, "the machine sees that there are more");
    expect(drive_kernel.wakes_due, "K8: and is told so");
    kernel_timer(&drive_kernel, 60);
    expect_equal(drive_kernel.deadline_count, 0, "the others are woken next");
    expect(!drive_kernel.wakes_due, "and nothing is due then");
}

/* --- chains ----------------------------------------------------------------------------------- */

enum { CHAIN = 1000 };

static struct drive_child staged_in_chain(uint32_t number, uint32_t band, uint32_t peer)
{
    struct drive_child child =
        drive_stage_of(BULK, AT + 4 * number, PROCESS_BUDGET_PAGES_MIN, band);
    if (peer != 0)
        drive_install(child.grant, peer, 100, RIGHT_SEND, 0);
    return child;
}

/* rootd, which is current, starts a child that waits for the one it may call; and then goes on. */
static struct drive_child waits_for(uint32_t number, uint32_t band, uint32_t peer,
                                    uint64_t deadline)
{
    struct drive_child child = staged_in_chain(number, band, peer);
    uint64_t next = drive_kernel.now_ticks + 1;
    drive_start(&child, 0);
    drive_compose(0, 0);
    drive_receive(SLOT_SERVICE_ENDPOINT, next);
    drive_compose(1, 0);
    expect_status(drive_call(100, deadline), DRIVE_WAITING, "each waits for the one before it");
    expect(entry_work() >= (band == 0 ? CHAIN / KERNEL_LOANS_PER_STEP : 0), "K8: counted");
    kernel_timer(&drive_kernel, next);
    return child;
}

/* A long chain of band 3 with three lenders at its tail, of bands 0, 1 and 2, that give up at one
 * tick: each that goes changes the band of the whole chain. */
static void test_chains(void)
{
    enum { LATE = 100000 };
    drive_boot(24000, 128);
    drive_quiet(true);
    uint32_t tail = staged_in_chain(0, 3, 0).endpoint;
    for (uint32_t i = 1; i <= CHAIN; i++)
        tail = waits_for(i, 3, tail, DEADLINE_NEVER).endpoint;
    for (uint32_t band = 0; band < 3; band++)
        waits_for(CHAIN + 1 + band, band, tail, LATE);
    drive_quiet(false);
    drive_compose(0, 0);
    drive_receive(SLOT_SERVICE_ENDPOINT, LATE + 1);
    for (uint32_t left = 3; left-- > 0;) {
        kernel_timer(&drive_kernel, LATE);
        expect_equal(drive_kernel.deadline_count, left + 1, "K8: one chain is followed, no other");
        expect(entry_work() >= CHAIN / KERNEL_LOANS_PER_STEP, "K8: and it is counted");
        expect_equal(drive_kernel.wakes_due, left != 0, "K8: the machine is told of the others");
    }
    expect(kernel_check(&drive_kernel) == NULL, "K13: all bands are right");
}

void kernel_test_work(void)
{
    test_abort();
    test_destroy();
    test_orphan();
    test_search(OBJECT_FRAME);
    test_search(OBJECT_UNTYPED);
    test_driver_gone();
    test_deadlines();
    test_chains();
}
