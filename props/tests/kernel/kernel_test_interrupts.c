/* SPDX-License-Identifier: ISC */
/* Kernel tests: lines of interrupts, the start-up capabilities of one process for another, and
 * what a process holds. */
#include <string.h>

#include "abi/messages/event.h"
#include "props/tests/kernel/kernel_drive.h"

enum { IRQ = SLOT_KERNEL_IRQ_ENDPOINT, LINE = 4 };

static unsigned line_bind(uint32_t line, uint32_t slot, uint64_t token)
{
    return CONTROL(IRQ, BIND_INTERRUPT, (struct kernel_bind_interrupt_request){line, slot, token});
}

static unsigned line_mask(uint32_t line, bool masked)
{
    return CONTROL(IRQ, MASK_INTERRUPT, (struct kernel_mask_interrupt_request){line, masked});
}

static unsigned line_ack(uint32_t line)
{
    return CONTROL(IRQ, ACK_INTERRUPT, (struct kernel_ack_interrupt_request){line});
}

static void told(uint32_t process, uint32_t line, uint64_t token, const char *what)
{
    struct event_interrupt_request event;
    const struct message *message = drive_message(process);
    expect_status(message_decode(&event_interrupt_request_type, message, &event), STATUS_OK, what);
    expect_equal(message->header.operation, OP_EVENT_INTERRUPT, what);
    expect_equal(message->header.badge, BADGE_KERNEL, "by the kernel");
    expect_equal(event.line, line, "of its line");
    expect_equal(event.token, token, "with its token");
    expect_equal(drive_info(process)->reply_slot, 0, "and nothing to answer");
}

static void test_rounds(void)
{
    drive_boot(1024, 64);
    expect_status(line_mask(LINE, false), STATUS_NOT_FOUND, "a line of nobody is not opened");
    expect_status(line_bind(0, SLOT_SERVICE_ENDPOINT, 5), STATUS_DENIED, "the clock's line");
    expect_status(line_bind(2, SLOT_SERVICE_ENDPOINT, 5), STATUS_DENIED, "the cascade");
    expect_status(line_bind(LINE, SLOT_PROCD_DRIVER_ENDPOINT, 5), STATUS_DENIED, "no driver's end");
    expect_status(line_bind(LINE, SLOT_SERVICE_ENDPOINT, 5), STATUS_OK, "a line is bound");
    expect(!host_line_is_open(LINE), "closed at first");
    expect_status(line_mask(LINE, false), STATUS_OK, "it is opened");
    expect(host_line_is_open(LINE), "so the machine is told");
    host_interrupt(&drive_kernel, LINE);
    expect(kernel_check(&drive_kernel) == NULL, "K13: the books agree");
    expect(!host_line_is_open(LINE), "one at a time");
    expect_status(line_ack(LINE), STATUS_NOT_FOUND, "nobody was told yet");
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, 0), STATUS_OK, "it waited");
    told(0, LINE, 5, "the interrupt arrives");
    expect_status(line_mask(LINE, true), STATUS_OK, "whoever masks it");
    expect_status(line_mask(LINE, false), STATUS_OK, "and unmasks it");
    expect(!host_line_is_open(LINE), "finds it closed until it is acknowledged");
    expect_status(line_ack(LINE), STATUS_OK, "which it is");
    expect(host_line_is_open(LINE), "the next may come");
    expect_status(line_ack(LINE), STATUS_NOT_FOUND, "once");
    expect_status(line_bind(LINE, SLOT_SERVICE_ENDPOINT, 6), STATUS_OK, "bound anew");
    expect(!host_line_is_open(LINE), "it is closed again");
    expect_status(line_bind(LINE, 0, 0), STATUS_OK, "nobody's again");
    expect(!host_line_is_open(LINE), "and closed");
    host_interrupt(&drive_kernel, LINE);
    expect_status(drive_receive(SLOT_SERVICE_ENDPOINT, 0), STATUS_RETRY, "nobody is told");
}

/* Whoever waits gets it at once; with the endpoint everything of its lines goes. */
static void test_ends(void)
{
    drive_boot(1024, 64);
    struct drive_child child = drive_spawn(FREE_SLOT, 0);
    expect_status(line_bind(LINE, child.endpoint, 7), STATUS_OK, "a child's");
    expect_status(line_bind(9, child.endpoint, 8), STATUS_OK, "another one");
    expect_status(line_mask(LINE, false), STATUS_OK, "open");
    expect_status(line_mask(9, false), STATUS_OK, "open as well");
    expect(drive_run(child.index), "the child runs");
    (void)drive_compose(0, 0);
    expect_equal(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER), DRIVE_WAITING, "it waits");
    host_interrupt(&drive_kernel, 9);
    expect(drive_run(child.index), "it is woken");
    told(child.index, 9, 8, "by its interrupt");
    host_interrupt(&drive_kernel, LINE);
    expect(drive_run(0), "rootd runs");
    expect_status(
        CONTROL(PRO, KILL_PROCESS, (struct kernel_kill_process_request){child.process, 1}),
        STATUS_OK, "the child ends");
    drive_work();
    expect(drive_run(0), "rootd goes on");
    expect(!host_line_is_open(LINE) && !host_line_is_open(9), "its lines are closed");
    expect_status(line_ack(9), STATUS_NOT_FOUND, "and nobody's");
    expect_status(line_mask(LINE, false), STATUS_NOT_FOUND, "both of them");
    expect_status(line_bind(LINE, child.endpoint, 7), STATUS_NOT_FOUND, "K3: its end is dead");
}

/* K14: an interrupt that waits where a server answers and receives, by both ways. */
static uint64_t trip(bool is_long)
{
    drive_boot(1024, 64);
    drive_long(is_long);
    struct drive_child child = drive_spawn(FREE_SLOT, 0);
    expect_status(line_bind(LINE, child.endpoint, 7), STATUS_OK, "the server's line");
    expect_status(line_mask(LINE, false), STATUS_OK, "is open");
    expect(drive_run(child.index), "the server runs");
    (void)drive_compose(0, 0);
    expect_equal(drive_receive(SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER), DRIVE_WAITING, "and waits");
    expect(drive_run(0), "rootd calls it");
    (void)drive_compose(300, 8);
    expect_equal(drive_call(child.endpoint, 1000), DRIVE_WAITING, "and waits for its answer");
    host_interrupt(&drive_kernel, LINE);
    (void)drive_compose(300, 8);
    expect_status(drive_reply_receive(SLOT_REPLY_BASE, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER),
                  STATUS_OK, "the server answers, and has the next event at once");
    told(child.index, LINE, 7, "which is the interrupt");
    uint64_t state = drive_state();
    drive_long(false);
    return state;
}

/* --- start-up capabilities --- */

static unsigned copy(const struct drive_child *source, const struct drive_child *target)
{
    return CONTROL(PRO, COPY_STARTUP,
                   (struct kernel_copy_startup_request){source->process, target->process});
}

static void test_copy(void)
{
    drive_boot(1024, 64);
    struct drive_child source = drive_stage(FREE_SLOT, 64);
    struct drive_child target = drive_stage(FREE_SLOT + 4, 64);
    struct drive_child poor = drive_stage(FREE_SLOT + 8, 16);
    drive_install(source.grant, SLOT_SERVICE_ENDPOINT, 16, RIGHT_SEND, 9);
    drive_install(source.grant, SLOT_PROCD_DRIVER_ENDPOINT, SLOT_PROCD_DRIVER_ENDPOINT,
                  RIGHT_RECEIVE, 0);
    expect_status(copy(&source, &target), STATUS_OK, "a copy");
    const struct capability *cap = kernel_slot(&drive_kernel, target.index, 16);
    expect_equal(cap->rights, RIGHT_SEND, "K1: with its rights, which are not to be passed on");
    expect_equal(cap->badge, 9, "and its badge");
    cap = kernel_slot(&drive_kernel, target.index, SLOT_SERVICE_ENDPOINT);
    expect_equal(cap->object, target.index, "but for its own endpoint");
    expect_equal(drive_kernel.driver_receivers, 3, "and counted");
    expect_status(copy(&source, &target), STATUS_BUSY, "no slot is filled twice");
    for (uint32_t slot = 128; slot < 19 * 128; slot += 128)
        drive_install(source.grant, SLOT_SERVICE_ENDPOINT, slot, RIGHT_SEND, 0);
    expect_status(copy(&source, &poor), STATUS_OVER_BUDGET, "K5: the target pays");
    expect(kernel_slot(&drive_kernel, poor.index, 16)->object_type == OBJECT_NONE, "all or none");
    struct drive_child rich = drive_stage(FREE_SLOT + 12, 64);
    expect_status(copy(&source, &rich), STATUS_OK, "who can pay has all");
    for (uint32_t slot = 300; slot < 300 + KERNEL_COPY_CAPS_MAX; slot++)
        drive_install(source.grant, SLOT_SERVICE_ENDPOINT, slot, RIGHT_SEND, 0);
    struct drive_child last = drive_stage(FREE_SLOT + 16, 64);
    expect_status(copy(&source, &last), STATUS_OVER_LIMIT, "K8: an entry does so many");
}

/* --- what a process holds --- */

/* A walk over all of it ends soon: its leaves are told one by one, and then that none is left. */
static void test_read(void)
{
    drive_boot(1024, 64);
    struct drive_child child = drive_stage(FREE_SLOT, 64);
    drive_install(child.grant, SLOT_SERVICE_ENDPOINT, 2336, RIGHT_SEND, 9);
    struct kernel_read_process_slot_reply read = {0};
    unsigned calls = 0, found = 0;
    for (uint32_t slot = 0; slot < SLOT_LIMIT && calls < 64; calls++) {
        expect_status(CONTROL_REPLY(PRO, READ_PROCESS_SLOT, &read,
                                    (struct kernel_read_process_slot_request){child.process, slot}),
                      STATUS_OK, "a slot is read");
        expect(read.slot >= slot, "further on");
        found += read.object_type != OBJECT_NONE;
        slot = read.object_type == OBJECT_NONE ? read.slot : read.slot + 1;
    }
    expect_equal(found, 3, "itself, its endpoint, and what was installed");
    expect(calls <= 3 + 20, "K8: as many calls as it has leaves and capabilities");
}

/* --- PCI --- */

static unsigned pci_read(uint32_t bus, uint32_t device, uint32_t function, uint32_t offset,
                         uint32_t *value)
{
    struct kernel_read_pci_config_dword_reply reply = {0};
    unsigned status =
        CONTROL_REPLY(SLOT_KERNEL_PCI_CONFIG_ENDPOINT, READ_PCI_CONFIG_DWORD, &reply,
                      (struct kernel_read_pci_config_dword_request){bus, device, function, offset});
    *value = reply.value;
    return status;
}

static void test_pci(void)
{
    static const struct host_pci_register registers[] = {
        {0, 0x12378086}, {0x1FFFC, 5}, {0xFF00, 6}};
    uint32_t value;
    drive_boot(1024, 64);
    host_pci(registers, 3);
    expect_status(pci_read(0, 0, 0, 0, &value), STATUS_OK, "a register is read");
    expect_equal(value, 0x12378086, "as the device has it");
    expect_status(pci_read(1, 31, 7, 0xFC, &value), STATUS_OK, "the last of a bus");
    expect_equal(value, 5, "at its address");
    expect_status(pci_read(0, 31, 7, 0, &value), STATUS_OK, "another one");
    expect_equal(value, 6, "at its own");
    expect_status(pci_read(0, 1, 0, 0, &value), STATUS_OK, "where nothing is");
    expect_equal(value, UINT32_MAX, "all bits are set");
    expect_status(pci_read(0, 0, 0, 2, &value), STATUS_INVALID_ARGUMENT, "not between registers");
}

void kernel_test_interrupts(void)
{
    test_pci();
    test_rounds();
    test_ends();
    expect_equal(trip(false), trip(true), "K14: an interrupt is received by either way alike");
    test_copy();
    test_read();
}
