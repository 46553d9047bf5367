/* SPDX-License-Identifier: ISC */
/* Kernel tests: the stated limits of the kernel's tables (E6), and capabilities in replies. */
#include <string.h>

#include "props/tests/kernel/kernel_drive.h"

static unsigned create(uint32_t untyped, uint32_t slot)
{
    drive_window(slot, 4);
    unsigned status = CONTROL(
        PRO, CREATE_STAGED_PROCESS,
        (struct kernel_create_staged_process_request){.untyped_slot = untyped,
                                                      .budget_pages = PROCESS_BUDGET_PAGES_MIN,
                                                      .event_slot = SLOT_SERVICE_ENDPOINT});
    drive_window(0, 0);
    return status;
}

static void sound(void)
{
    const char *wrong = kernel_check(&drive_kernel);
    expect(wrong == NULL, wrong == NULL ? "all sound" : wrong);
}

static void test_processes(void)
{
    drive_boot(20000, 128);
    drive_quiet(true);
    unsigned made = 0;
    while (made < 2 * PROCESS_LIMIT && create(made < 850 ? BULK : LAUNCH, 5000 + 4 * made) == 0)
        made++;
    expect_equal(made, PROCESS_LIMIT - 1, "E6: as many processes as stated, rootd among them");
    expect_status(create(BULK, 5000 + 4 * made), STATUS_EXHAUSTED, "E6: not one more");
    sound();
    CONTROL(PRO, ABORT_STAGED_PROCESS, (struct kernel_abort_staged_process_request){5000});
    expect_status(create(BULK, 5000 + 4 * made), STATUS_OK, "E6: after a release one more");
    sound();
    for (uint32_t i = 0; i <= made; i++)
        CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){5000 + 4 * i});
    expect_equal(drive_kernel.process_count, 1, "dropped, all of them go");
    sound();
    drive_quiet(false);
}

static void test_untypeds(void)
{
    drive_boot(12000, 128);
    drive_quiet(true);
    unsigned made = 0;
    while (made < 2 * KERNEL_UNTYPED_LIMIT &&
           drive_retype(BULK, OBJECT_UNTYPED, 1, 5000 + made) == STATUS_OK)
        made++;
    expect_equal(made, KERNEL_UNTYPED_LIMIT - 2, "E6: as many untypeds as stated");
    expect(kernel_untyped_available(&drive_kernel.untypeds[0]) > 100, "pages there were");
    CONTROL(MEM, DESTROY, (struct kernel_destroy_request){5000});
    expect_status(drive_retype(BULK, OBJECT_UNTYPED, 1, 5000), STATUS_OK, "E6: after one, one");
    sound();
    drive_quiet(false);
}

/* K5: budgets that end at each page that mapping needs, those for tables above a leaf included:
 * each map is all or nothing, and no budget is ever overdrawn (kernel_check after each). */
static void test_budgets(void)
{
    /* A new leaf; a new directory over it; a new table over both. */
    static const uint64_t places[] = {0x40000000, 0x8000000000, 0x80000000, 0x10000000000};
    enum { PLACES = sizeof places / sizeof places[0] };
    unsigned mapped_before = 0;
    for (uint32_t budget = PROCESS_BUDGET_PAGES_MIN; budget < PROCESS_BUDGET_PAGES_MIN + 16;
         budget++) {
        drive_boot(1024, 64);
        drive_retype(BULK, OBJECT_FRAME, PLACES, FREE_SLOT + 10);
        struct drive_child child = drive_stage(FREE_SLOT, budget);
        unsigned mapped = 0;
        for (uint32_t i = 0; i < PLACES; i++) {
            unsigned status =
                drive_map(PRO, child.vspace, FREE_SLOT + 10 + i, places[i], RIGHT_READ);
            mapped += status == STATUS_OK;
            expect(status == STATUS_OK || status == STATUS_OVER_BUDGET,
                   "K5: mapped or OVER_BUDGET");
        }
        expect(mapped >= mapped_before, "K5: a page more never maps less");
        expect(kernel_process(&drive_kernel, child.index)->drawn_pages <= budget, "K5: at most it");
        mapped_before = mapped;
    }
    expect_equal(mapped_before, PLACES, "K5: a budget that is large enough maps all");
}

/* --- capabilities in replies ------------------------------------------------------------------ */

static struct drive_child client;

static void stage_reply(uint32_t window)
{
    drive_boot(1024, 64);
    client = drive_stage(FREE_SLOT, 32);
    drive_install(client.grant, SLOT_SERVICE_ENDPOINT, 100, RIGHT_SEND, 1);
    drive_start(&client, 0);
    drive_run(client.index);
    drive_compose(1, 0);
    drive_window(300, window);
    drive_call(100, DEADLINE_NEVER);
    drive_window(0, 0);
    drive_run(0);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
}

static const struct capability *client_slot(uint32_t slot)
{
    return kernel_slot(&drive_kernel, client.index, slot);
}

static void test_reply_caps(void)
{
    stage_reply(3);
    drive_retype(BULK, OBJECT_FRAME, 1, 7000);
    struct message *message = drive_compose(1, 8);
    drive_attach(message, 0, 7000, RIGHT_READ | RIGHT_MAP | RIGHT_TRANSFER, TRANSFER_COPY, 0);
    drive_attach(message, 1, SLOT_SERVICE_ENDPOINT, RIGHT_SEND, TRANSFER_COPY, 9);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "a reply carries capabilities");
    uint32_t fields[2];
    memcpy(fields, drive_message(client.index)->body, sizeof fields);
    expect(fields[0] == 300 && fields[1] == 301, "into the caller's window");
    expect(client_slot(300)->rights == (RIGHT_READ | RIGHT_MAP | RIGHT_TRANSFER) &&
               client_slot(301)->badge == 9 && client_slot(302)->object_type == OBJECT_NONE,
           "with rights and badge");
    expect_equal(drive_current(), client.index, "and the caller runs");
}

static void test_reply_grant(void)
{
    stage_reply(4);
    struct drive_child child = drive_stage(FREE_SLOT + 4, 32);
    struct message *message = drive_compose(1, 8);
    drive_attach(message, 0, child.grant, RIGHTS_ALL, TRANSFER_COPY, 0);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_DENIED, "a grant is not copied");
    message = drive_compose(1, 8);
    drive_attach(message, 0, child.grant, RIGHTS_ALL, TRANSFER_MOVE, 0);
    drive_attach(message, 1, child.process, RIGHTS_ALL, TRANSFER_MOVE, 0);
    expect_status(drive_reply(SLOT_REPLY_BASE), STATUS_OK, "it moves");
    expect(client_slot(300)->object_type == OBJECT_GRANT &&
               kernel_slot(&drive_kernel, 0, child.grant)->object_type == OBJECT_NONE,
           "to its new holder alone");
    drive_run(client.index);
    CONTROL(SLOT_SELF, EXIT, (struct kernel_exit_request){0});
    expect(kernel_process(&drive_kernel, child.index) == NULL,
           "whose end takes the staged child with it");
    sound();
}

/* Who waits on an endpoint of a process that ends learns it. */
static void test_receiver_lost(void)
{
    stage_reply(0);
    drive_compose(1, 0);
    drive_reply(SLOT_REPLY_BASE);
    struct message *message = drive_compose(1, 4);
    drive_attach(message, 0, SLOT_SERVICE_ENDPOINT, RIGHT_RECEIVE, TRANSFER_COPY, 0);
    drive_call(100, DEADLINE_NEVER);
    drive_run(0);
    drive_window(7000, 1);
    drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_POLL);
    drive_window(0, 0);
    drive_compose(1, 0);
    drive_reply(SLOT_REPLY_BASE);
    drive_run(0);
    expect_status(drive_receive(7000, DEADLINE_NEVER), DRIVE_WAITING, "on another's endpoint");
    drive_run(client.index);
    CONTROL(SLOT_SELF, EXIT, (struct kernel_exit_request){0});
    expect_status(drive_result(0), STATUS_NOT_FOUND, "E5: which goes");
    sound();
}

void kernel_test_limits(void)
{
    test_processes();
    test_untypeds();
    test_budgets();
    test_reply_caps();
    test_reply_grant();
    test_receiver_lost();
}
