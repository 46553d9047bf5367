/* SPDX-License-Identifier: ISC */
/* Kernel tests: map, unmap, protect; W^X over time; page tables charged to the budget. */
#include "props/tests/kernel/kernel_drive.h"

enum { R = RIGHT_READ, RW = RIGHT_READ | RIGHT_WRITE, RX = RIGHT_READ | RIGHT_EXECUTE };

static struct drive_child child;

static unsigned map_image(uint64_t va, uint64_t page, uint32_t count, uint32_t rights)
{
    return CONTROL(
        VSP, MAP_FRAME,
        (struct kernel_map_frame_request){child.vspace, SLOT_IMAGE, va, page, count, rights});
}

static unsigned unmap(uint64_t va, uint32_t count)
{
    return CONTROL(VSP, UNMAP_FRAME, (struct kernel_unmap_frame_request){child.vspace, count, va});
}

static unsigned protect(uint64_t va, uint32_t count, uint32_t rights)
{
    return CONTROL(VSP, PROTECT_FRAME,
                   (struct kernel_protect_frame_request){child.vspace, count, va, rights, 0});
}

static uint16_t rights_at(uint64_t va)
{
    uint16_t rights;
    kernel_translate(&drive_kernel, child.index, va, &rights);
    return rights;
}

static void stage(uint32_t budget)
{
    drive_boot(1024, 64);
    child = drive_stage(FREE_SLOT, budget);
    drive_retype(BULK, OBJECT_FRAME, 8, 7000);
}

static void test_map(void)
{
    stage(64);
    uint32_t used = kernel_process(&drive_kernel, child.index)->drawn_pages;
    expect_status(drive_map(VSP, child.vspace, 7000, 0x400000, RW), STATUS_OK, "a page is mapped");
    expect_equal(rights_at(0x400000), RW, "with its rights");
    expect_equal(rights_at(0x401000), 0, "and no other");
    expect_status(drive_map(VSP, child.vspace, 7001, 0x400000, RW), STATUS_BUSY,
                  "K4: never over a present page");
    expect_status(drive_map(VSP, child.vspace, 7001, 0, R), STATUS_OUT_OF_RANGE, "V5: not page 0");
    expect_status(drive_map(VSP, child.vspace, 7001, USER_VA_END, R), STATUS_OUT_OF_RANGE,
                  "V5: not past the user's end");
    expect_status(drive_map(VSP, child.vspace, 7001, USER_VA_END - 4096, R), STATUS_OK,
                  "up to the last page");
    expect_status(drive_map(VSP, child.vspace, 7001, UINT64_C(0xFFFF800000000000), R),
                  STATUS_OUT_OF_RANGE, "V5: not the kernel's half");
    expect_status(drive_map(VSP, child.vspace, 7001, UINT64_C(0x0000800000000000), R),
                  STATUS_OUT_OF_RANGE, "V5: not what is no address");
    expect_status(drive_map(VSP, child.vspace, 7001, 0x500000, RIGHT_WRITE),
                  STATUS_INVALID_ARGUMENT, "read is always among the rights");
    expect_status(drive_map(VSP, 7000, 7001, 0x500000, R), STATUS_INVALID_ARGUMENT,
                  "a frame is no vspace");
    expect_status(drive_map(VSP, child.vspace, MEM, 0x500000, R), STATUS_INVALID_ARGUMENT,
                  "an endpoint is no frame");
    expect_status(drive_map(MEM, child.vspace, 7001, 0x500000, R), STATUS_DENIED,
                  "by the right kind only");
    expect_status(unmap(0x400000, 2), STATUS_NOT_FOUND, "all must be present");
    expect_status(unmap(0x400000, 1), STATUS_OK, "a page is unmapped");
    expect_equal(rights_at(0x400000), 0, "and gone");
    expect_status(unmap(USER_VA_END - 4096, 1), STATUS_OK, "the last page too");
    expect_status(unmap(MESSAGE_PAGE_VA, 1), STATUS_OUT_OF_RANGE, "the message page stays");
    expect_equal(kernel_process(&drive_kernel, child.index)->drawn_pages, used,
                 "K5: tables went back with the last page");
}

static void test_image(void)
{
    stage(64);
    expect_status(map_image(0x5FE000, 0, 4, RX), STATUS_OK, "image pages across two leaves");
    uint16_t rights;
    uint32_t page = kernel_translate(&drive_kernel, child.index, 0x600000, &rights);
    expect_equal(page, drive_kernel.image_first_page + 2, "in their order");
    expect_status(map_image(0x700000, 2, 3, R), STATUS_OUT_OF_RANGE, "not past the image");
    expect_status(map_image(0x700000, 0, 4, RW), STATUS_DENIED, "V2: never writable");
    expect_status(map_image(0x5FD000, 0, 2, R), STATUS_BUSY, "whole request or nothing");
    expect_equal(rights_at(0x5FD000), 0, "nothing of it");
    expect_status(protect(0x5FE000, 4, R), STATUS_OK, "less is possible");
    expect_status(protect(0x5FE000, 4, RX), STATUS_OK, "and back");
    expect_status(protect(0x5FE000, 5, R), STATUS_NOT_FOUND, "all must be present");
    expect_status(protect(0x5FE000, 1, RW), STATUS_DENIED, "K1: never beyond the first rights");
    expect_status(protect(0x5FE000, 1, RW | RX), STATUS_WRITE_AND_EXECUTE, "V2: never both");
    expect_status(map_image(0x700000, 0, 1, R), STATUS_OK, "read-only");
    expect_status(protect(0x700000, 1, RX), STATUS_DENIED, "stays it");
}

/* Two frames beside each other, the second in the next leaf and only to be read. */
static void test_protect_second_leaf(void)
{
    stage(64);
    expect_status(drive_map(VSP, child.vspace, 7000, 0x5FF000, RW), STATUS_OK, "to be written");
    expect_status(protect(0x5FF000, 1, R), STATUS_OK, "not now");
    expect_status(drive_map(VSP, child.vspace, 7001, 0x600000, R), STATUS_OK, "only to be read");
    expect_status(protect(0x5FF000, 2, RW), STATUS_DENIED, "K1: beyond the second leaf's rights");
    expect_equal(rights_at(0x5FF000), R, "nothing of it");
    expect_equal(rights_at(0x600000), R, "V2: nor there");
    expect_status(protect(0x5FF000, 1, RW), STATUS_OK, "the first alone may");
}

static void test_wx(void)
{
    stage(64);
    struct kernel_frame_write_request write = {7000, 0, 1, "x"};
    expect_status(drive_map(VSP, child.vspace, 7000, 0x400000, RW | RX), STATUS_WRITE_AND_EXECUTE,
                  "V2: never both");
    expect_status(drive_map(VSP, child.vspace, 7000, 0x400000, R), STATUS_OK, "fresh stays fresh");
    expect_status(CONTROL(MEM, FRAME_WRITE, write), STATUS_OK, "and can be filled");
    expect_status(drive_map(VSP, child.vspace, 7000, 0x401000, RX), STATUS_OK, "until it is code");
    expect_status(CONTROL(MEM, FRAME_WRITE, write), STATUS_WRITE_AND_EXECUTE, "V2: then no more");
    expect_status(CONTROL(MEM, FRAME_COPY, (struct kernel_frame_copy_request){7001, 7000, 0, 0, 1}),
                  STATUS_WRITE_AND_EXECUTE, "V2: by copy neither");
    expect_status(drive_map(VSP, child.vspace, 7000, 0x402000, RW), STATUS_WRITE_AND_EXECUTE,
                  "V2: nor mapped writable");
    expect_status(unmap(0x400000, 2), STATUS_OK, "unmapping");
    expect_status(drive_map(VSP, child.vspace, 7000, 0x402000, RW), STATUS_WRITE_AND_EXECUTE,
                  "V2: does not make it fresh");
    expect_status(drive_map(VSP, child.vspace, 7001, 0x403000, RW), STATUS_OK, "data");
    expect_status(drive_map(VSP, child.vspace, 7001, 0x404000, RX), STATUS_WRITE_AND_EXECUTE,
                  "V2: is never code");
    expect_status(protect(0x403000, 1, R), STATUS_OK, "not even read-only");
    expect_status(drive_map(VSP, child.vspace, 7001, 0x404000, RX), STATUS_WRITE_AND_EXECUTE,
                  "V2: is it code");
    CONTROL(MEM, DESTROY, (struct kernel_destroy_request){7001});
    expect_equal(rights_at(0x403000), 0, "K4: destroying unmaps");
    drive_retype(BULK, OBJECT_FRAME, 1, 7001);
    expect_status(drive_map(VSP, child.vspace, 7001, 0x404000, RX), STATUS_OK,
                  "destroyed and zeroed, it is fresh");
}

static void test_shared(void)
{
    stage(64);
    for (uint32_t i = 0; i < 5; i++)
        drive_map(VSP, child.vspace, 7000, UINT64_C(0x40000000) * (i + 1), RW);
    const struct process *process = kernel_process(&drive_kernel, child.index);
    expect_equal(process->mapped_pages, 6, "one frame, five places, and the message page");
    uint64_t flushes = host_flush_count();
    expect_status(unmap(UINT64_C(0x40000000) * 3, 1), STATUS_OK, "from the middle of its list");
    expect(host_flush_count() > flushes, "K2: an unmap flushes");
    CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){7000});
    expect_equal(rights_at(UINT64_C(0x40000000)), RW, "a mapping keeps a frame");
    for (uint32_t i = 0; i < 5; i++)
        unmap(UINT64_C(0x40000000) * (i + 1), 1);
    expect_equal(process->mapped_pages, 1, "all gone");
    expect_equal(drive_kernel.untypeds[0].frame_pages, 7, "K5: and the frame with them");
}

/* The processor keeps what tables lead to which. With the only page of its region three tables go,
 * and each time the entry that named the table is forgotten after it is gone. */
static void test_pruned(void)
{
    stage(64);
    const uint64_t va = UINT64_C(0x8000000000);
    const struct process *process = kernel_process(&drive_kernel, child.index);
    drive_map(VSP, child.vspace, 7000, va, RW);
    expect(!host_flushed(process->vspace_page, va, 4), "a new page needs no flush");
    expect_status(unmap(va, 1), STATUS_OK, "its tables go with it");
    for (uint32_t tables = HOST_TABLES_TO_A_PAGE; tables != 0; tables--)
        expect(host_flushed(process->vspace_page, va, tables), "K2: the page, then each table");
}

static void test_budget(void)
{
    stage(16);
    const struct process *process = kernel_process(&drive_kernel, child.index);
    uint32_t used = process->drawn_pages;
    expect_equal(used, KERNEL_PROCESS_PAGES, "what a process costs");
    expect_status(drive_map(VSP, child.vspace, 7000, 0x40000000, R), STATUS_OK, "4 tables");
    expect_status(drive_map(VSP, child.vspace, 7001, UINT64_C(0x8000000000), R), STATUS_OVER_BUDGET,
                  "K5: 4 more are too many");
    expect_equal(process->drawn_pages, used + 4, "E4: and none of them stays");
    expect_status(map_image(0x401FF000, 0, 2, R), STATUS_OK, "2 more are not");
    expect_status(map_image(0x403FF000, 0, 2, R), STATUS_OVER_BUDGET, "K5: another 2 are");
    expect_status(unmap(0x401FF000, 2), STATUS_OK, "after a release");
    expect_status(map_image(0x403FF000, 0, 1, R), STATUS_OK, "E6: there is room again");
}

void kernel_test_vspace(void)
{
    test_map();
    test_image();
    test_protect_second_leaf();
    test_wx();
    test_shared();
    test_pruned();
    test_budget();
}
