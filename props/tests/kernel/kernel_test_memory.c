/* SPDX-License-Identifier: ISC */
/* Kernel tests: slots of one's own, small kinds, retype, destroy, bytes of frames. */
#include <string.h>

#include "props/models/model_kernel.h"
#include "props/tests/kernel/kernel_drive.h"

static const struct capability *root_slot(uint32_t slot)
{
    return kernel_slot(&drive_kernel, 0, slot);
}

static unsigned query(uint32_t slot, uint32_t mode, struct kernel_query_local_cap_reply *reply)
{
    return CONTROL_REPLY(SLOT_SELF, QUERY_LOCAL_CAP, reply,
                         (struct kernel_query_local_cap_request){slot, mode});
}

static unsigned drop(uint32_t slot)
{
    return CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){slot});
}

static unsigned move(uint32_t source, uint32_t target)
{
    return CONTROL(SLOT_SELF, MOVE_LOCAL_CAP,
                   (struct kernel_move_local_cap_request){source, target});
}

static unsigned destroy(uint32_t slot)
{
    return CONTROL(MEM, DESTROY, (struct kernel_destroy_request){slot});
}

/* --- slots ------------------------------------------------------------------------------------ */

static void test_boot_slots(void)
{
    struct kernel_query_local_cap_reply reply;
    drive_boot(1024, 64);
    uint32_t found[64];
    uint32_t count = 0;
    for (uint32_t slot = 0; query(slot, QUERY_NEXT, &reply) == STATUS_OK; slot = reply.slot + 1)
        found[count++] = reply.slot;
    static const uint32_t wanted[] = {1,    2,    5,    32,   33,   2112, 2128, 2144, 2160, 2176,
                                      2192, 2208, 2224, 2240, 2256, 2272, 2288, 2304, 2320, 2336};
    expect(count == sizeof wanted / sizeof wanted[0] && memcmp(found, wanted, sizeof wanted) == 0,
           "K1: rootd holds exactly the boot set");
    expect_status(query(SLOT_IMAGE, QUERY_EXACT, &reply), STATUS_OK, "the image is there");
    expect(reply.size_pages == 4 &&
               reply.rights == (RIGHT_READ | RIGHT_EXECUTE | RIGHT_MAP | RIGHT_TRANSFER),
           "the image is never writable");
    query(BULK, QUERY_EXACT, &reply);
    expect_equal(reply.size_pages, 512, "the bulk pool has half of a small memory");
    query(LAUNCH, QUERY_EXACT, &reply);
    expect_equal(reply.size_pages, 512 - 64, "rootd's pool has the other half less its budget");
    query(SLOT_SERVICE_ENDPOINT, QUERY_EXACT, &reply);
    expect(reply.rights == (RIGHT_SEND | RIGHT_RECEIVE | RIGHT_TRANSFER) && reply.badge == 0,
           "the own endpoint is unbadged and whole");
    expect_status(query(SLOT_LEGACY, QUERY_EXACT, &reply), STATUS_NOT_FOUND, "slot 4 is empty");
    expect_status(query(0, QUERY_EXACT, &reply), STATUS_INVALID_ARGUMENT, "slot 0 is no slot");
}

static void test_slots(void)
{
    drive_boot(1024, 64);
    expect_status(move(BULK, 6000), STATUS_OK, "a capability moves");
    expect(root_slot(6000)->object_type == OBJECT_UNTYPED &&
               root_slot(BULK)->object_type == OBJECT_NONE,
           "it is there and not here");
    expect_status(move(6000, SLOT_REPLY_BASE), STATUS_OUT_OF_RANGE, "not into reply slots");
    expect_status(move(6000, SLOT_REPLY_BASE + SLOT_REPLY_COUNT), STATUS_OK, "but after them");
    expect_status(move(LAUNCH, MEM), STATUS_BUSY, "not onto another");
    expect_status(move(6000, 6001), STATUS_NOT_FOUND, "nothing from an empty slot");
    expect_status(move(SLOT_SELF, 6001), STATUS_DENIED, "self does not move");
    expect_status(drop(SLOT_KERNEL_IRQ_ENDPOINT), STATUS_OK, "a capability is dropped");
    expect_status(drop(SLOT_KERNEL_IRQ_ENDPOINT), STATUS_NOT_FOUND, "once");
    uint32_t left = 64 - kernel_process(&drive_kernel, 0)->drawn_pages;
    uint32_t slot = LAUNCH;
    uint32_t target = 20000;
    for (uint32_t i = 0; i < left; i++, slot = target, target += CSPACE_LEAF_CAPS)
        expect_status(move(slot, target), STATUS_OK, "each leaf is charged to the budget");
    expect_status(move(slot, target), STATUS_OVER_BUDGET, "K5, E6: and no leaf more");
    expect_status(move(slot, slot + 1), STATUS_OK, "in a leaf that exists there is room");
}

/* Slots beyond those that the root reaches directly: a directory more, charged like a leaf. */
static void test_far_slots(void)
{
    static const uint32_t far[] = {CSPACE_DIRECT_SLOTS - 1, CSPACE_DIRECT_SLOTS,
                                   CSPACE_DIRECT_SLOTS + 128 * 1024 - 1,
                                   CSPACE_DIRECT_SLOTS + 128 * 1024, SLOT_LIMIT - 1};
    static const uint32_t pages[] = {1, 2, 1, 2, 2};
    struct kernel_query_local_cap_reply reply;
    drive_boot(1024, 64);
    const struct process *root = kernel_process(&drive_kernel, 0);
    uint32_t slot = LAUNCH;
    for (uint32_t i = 0; i < sizeof far / sizeof far[0]; i++, slot = far[i - 1]) {
        uint32_t drawn = root->drawn_pages;
        expect_status(move(slot, far[i]), STATUS_OK, "a capability moves to a far slot");
        expect_equal(root->drawn_pages - drawn, pages[i], "K5: leaf and directory are charged");
        expect_status(query(CSPACE_DIRECT_SLOTS - 128, QUERY_NEXT, &reply), STATUS_OK, "is found");
        expect_equal(reply.slot, far[i], "where it is");
        expect(kernel_check(&drive_kernel) == NULL, "K13: and the books agree");
    }
    expect_status(query(far[3], QUERY_NEXT, &reply), STATUS_OK, "across directories");
    expect_equal(reply.slot, SLOT_LIMIT - 1, "to the last slot");
    expect_status(drop(SLOT_LIMIT - 1), STATUS_OK, "it is dropped");
    expect_status(query(far[0], QUERY_NEXT, &reply), STATUS_NOT_FOUND, "and nothing follows");
    slot = BULK;
    for (uint32_t to = 20000; root->budget_pages - root->drawn_pages > 1; to += 128) {
        expect_status(move(slot, to), STATUS_OK, "until one page is left");
        slot = to;
    }
    uint32_t empty_directory = CSPACE_DIRECT_SLOTS + 2 * 128 * 1024;
    expect_status(move(slot, empty_directory), STATUS_OVER_BUDGET, "K5: too few for both");
}

static void test_kinds(void)
{
    struct kernel_read_monotonic_clock_request clock;
    struct kernel_read_monotonic_clock_reply now;
    struct kernel_ioport_read8_reply value;
    memset(&clock, 0, sizeof clock);
    drive_boot(1024, 64);
    kernel_timer(&drive_kernel, 41);
    drive_work();
    kernel_timer(&drive_kernel, 40);
    drive_work();
    expect_status(CONTROL_REPLY(SLOT_KERNEL_TIME_ENDPOINT, READ_MONOTONIC_CLOCK, &now, clock),
                  STATUS_OK, "the clock can be read");
    expect_equal(now.now_ticks, 41, "time never runs backwards");
    expect_status(CONTROL(SLOT_KERNEL_LOG_ENDPOINT, READ_MONOTONIC_CLOCK, clock), STATUS_DENIED,
                  "by the clock's kind only");
    expect_status(
        CONTROL(SLOT_KERNEL_LOG_ENDPOINT, LOG_WRITE, (struct kernel_log_write_request){3, "abc"}),
        STATUS_OK, "a line is logged");
    expect(strcmp(host_log(NULL), "abc") == 0, "as it is");
    host_port_input((const uint8_t *)"\x5A", 1);
    expect_status(CONTROL_REPLY(SLOT_KERNEL_COM1_ENDPOINT, IOPORT_READ8, &value,
                                (struct kernel_ioport_read8_request){0x3F8}),
                  STATUS_OK, "a port of the kind is read");
    expect_equal(value.value, 0x5A, "with its value");
    expect_status(CONTROL(SLOT_KERNEL_COM1_ENDPOINT, IOPORT_READ8,
                          (struct kernel_ioport_read8_request){0x60}),
                  STATUS_DENIED, "another kind's port is not");
    expect_status(CONTROL(SLOT_KERNEL_I8042_ENDPOINT, IOPORT_WRITE8,
                          (struct kernel_ioport_write8_request){0x64, 7}),
                  STATUS_OK, "a port is written");
    expect_equal(host_port_last_write(), 0x64 << 8 | 7, "with its value");
    expect_status(CONTROL(SLOT_KERNEL_I8042_ENDPOINT, IOPORT_WRITE8,
                          (struct kernel_ioport_write8_request){0x3F8, 7}),
                  STATUS_DENIED, "a foreign one is not");
    struct kernel_read_platform_caps_request caps;
    memset(&caps, 0, sizeof caps);
    expect_status(CONTROL(SLOT_KERNEL_ACPI_ENDPOINT, READ_PLATFORM_CAPS, caps), STATUS_UNSUPPORTED,
                  "declared operations say so");
    expect_status(CONTROL(POP, CAP_COPY, (struct kernel_cap_copy_request){1, 3000}), STATUS_DENIED,
                  "K1: CAP_COPY is always denied");
    expect_status(CONTROL(PRO, QUERY_CAP, (struct kernel_query_cap_request){1, 1}), STATUS_DENIED,
                  "QUERY_CAP is always denied");
}

/* K1: by which kinds each operation may be reached, as model_kernel_kinds() says and not as the
 * table of the kernel does. */
static void test_kinds_of_rows(void)
{
    unsigned rows = 0;
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *row = &operation_table[i];
        if (row->service != SERVICE_KERNEL)
            continue;
        expect_equal(row->allowed, model_kernel_kinds(row->id), row->name);
        rows++;
    }
    expect(rows >= 28, "K1: all rows of the kernel were looked at");
}

/* Every operation through every kind that does not list it, and ids that no row has. */
static void test_closed_table(void)
{
    unsigned wrong = 0;
    drive_boot(1024, 64);
    for (uint32_t slot = SLOT_KERNEL_TIME_ENDPOINT; slot <= SLOT_STARTUP_LAST; slot += 16) {
        uint32_t kind = root_slot(slot)->object_type;
        for (uint32_t id = 0; id <= 70; id++) {
            bool listed = (model_kernel_kinds((uint16_t)id) >> kind & 1) != 0;
            uint64_t before = kernel_digest(&drive_kernel);
            struct message *message = drive_compose((uint16_t)id, 0);
            wrong += drive_call(slot, 0) != STATUS_OK;
            if (!listed)
                wrong += message->header.status != STATUS_DENIED ||
                         kernel_digest(&drive_kernel) != before;
        }
    }
    expect_equal(wrong, 0, "each kind accepts the operations whose row lists it, no other");
}

void kernel_test_self(void)
{
    test_boot_slots();
    test_slots();
    test_far_slots();
    test_kinds();
    test_kinds_of_rows();
    test_closed_table();
}

/* --- retype and destroy ----------------------------------------------------------------------- */

static uint64_t available(uint32_t slot)
{
    struct kernel_query_local_cap_reply reply;
    return query(slot, QUERY_EXACT, &reply) == STATUS_OK ? reply.size_pages : 0;
}

static void test_retype(void)
{
    drive_boot(1024, 64);
    expect_status(drive_retype(BULK, OBJECT_FRAME, 64, FREE_SLOT), STATUS_OK, "64 frames");
    expect_equal(available(BULK), 512 - 64, "come from the pool");
    expect_status(drive_retype(BULK, OBJECT_FRAME, 65, 7000), STATUS_INVALID_ARGUMENT, "65 do not");
    expect_status(drive_retype(BULK, OBJECT_FRAME, 2, FREE_SLOT - 1), STATUS_BUSY,
                  "a slot that is taken");
    expect_status(drive_retype(BULK, OBJECT_FRAME, 2, SLOT_LIMIT - 1), STATUS_OUT_OF_RANGE,
                  "slots past the end");
    expect_status(drive_retype(BULK, OBJECT_FRAME, 2, SLOT_REPLY_BASE - 1), STATUS_OUT_OF_RANGE,
                  "slots of replies");
    expect_status(drive_retype(FREE_SLOT, OBJECT_FRAME, 1, 7000), STATUS_INVALID_ARGUMENT,
                  "a frame is no untyped");
    expect_status(drive_retype(7001, OBJECT_FRAME, 1, 7000), STATUS_NOT_FOUND, "an empty slot");
    expect_status(drive_retype(BULK, OBJECT_UNTYPED, 448, 7000), STATUS_OK, "all the rest");
    expect_status(drive_retype(BULK, OBJECT_FRAME, 1, 7001), STATUS_EXHAUSTED, "E6: and no more");
    expect_equal(available(7000), 448, "a child pool has its pages");
    expect_status(drive_retype(7000, OBJECT_FRAME, 1, 7001), STATUS_OK, "which retype again");
    expect_status(destroy(7000), STATUS_BUSY, "a pool with a frame out stays");
    expect_status(destroy(7001), STATUS_OK, "a frame is destroyed");
    expect_status(destroy(7000), STATUS_OK, "then the pool");
    expect_equal(available(BULK), 448, "whose pages are back");
    expect_status(destroy(7000), STATUS_NOT_FOUND, "once");
    expect_status(destroy(BULK), STATUS_DENIED, "pools of boot stay");
    expect_status(destroy(MEM), STATUS_INVALID_ARGUMENT, "an endpoint is not destroyed");
    for (uint32_t i = 0; i < 64; i++)
        drop(FREE_SLOT + i);
    expect_equal(available(BULK), 512, "K5: dropped frames are free again");
}

/* A copy of an untyped that was destroyed does not name the next one at its index. */
static void test_untyped_generation(void)
{
    drive_boot(1024, 64);
    drive_retype(BULK, OBJECT_UNTYPED, 4, 7000);
    struct drive_child child = drive_stage(FREE_SLOT, 32);
    drive_install(child.grant, 7000, 100, RIGHT_CONTROL, 0);
    uint32_t index = root_slot(7000)->object;
    expect_status(destroy(7000), STATUS_OK, "an untyped is destroyed");
    drive_retype(BULK, OBJECT_UNTYPED, 4, 7000);
    expect_equal(root_slot(7000)->object, index, "its index is used again");
    expect(!kernel_capability_live(&drive_kernel, kernel_slot(&drive_kernel, child.index, 100)),
           "K3: the old copy is dead");
}

static void test_untyped_sweep(void)
{
    drive_boot(1024, 64);
    drive_retype(BULK, OBJECT_UNTYPED, 100, 7000);
    drive_retype(7000, OBJECT_UNTYPED, 50, 7001);
    drive_retype(7001, OBJECT_FRAME, 1, 7002);
    expect_status(drop(7000), STATUS_OK, "a pool is dropped");
    expect_status(drop(7001), STATUS_OK, "and its child");
    expect_equal(available(BULK), 412, "what is out keeps them");
    expect_status(drop(7002), STATUS_OK, "the last frame goes");
    expect_equal(available(BULK), 512, "and both pools with it");
    unsigned made = 0;
    while (drive_retype(BULK, OBJECT_UNTYPED, 1, 9000 + made) == STATUS_OK)
        made++;
    expect_equal(made, 512, "one page each");
    expect_status(destroy(9000), STATUS_OK, "one goes");
    expect_status(drive_retype(BULK, OBJECT_UNTYPED, 1, 9000), STATUS_OK, "E6: one comes");
}

/* With the last page goes every pool above it: not more of them than one entry can free. */
static void test_untyped_depth(void)
{
    drive_boot(1024, 64);
    uint32_t from = BULK;
    for (uint32_t i = 0; i < KERNEL_UNTYPED_DEPTH_MAX; i++, from = 7000 + i - 1) {
        expect_status(drive_retype(from, OBJECT_UNTYPED, 100, 7000 + i), STATUS_OK, "one deeper");
        if (from != BULK)
            expect_status(drop(from), STATUS_OK, "and the one above is not named any more");
    }
    expect_status(drive_retype(from, OBJECT_UNTYPED, 1, 8000), STATUS_OVER_LIMIT, "E6: no deeper");
    expect_status(drive_retype(from, OBJECT_FRAME, 1, 8000), STATUS_OK, "but frames");
    expect_status(drop(from), STATUS_OK, "the last name of a pool goes");
    expect_equal(available(BULK), 412, "its frame keeps them all");
    expect_status(drop(8000), STATUS_OK, "the frame goes");
    expect_equal(available(BULK), 512, "and all pools with it");
    expect(kernel_check(&drive_kernel) == NULL, "K13: the books agree");
}

static void test_destroy_revokes(void)
{
    drive_boot(1024, 64);
    drive_retype(BULK, OBJECT_FRAME, 1, 7000);
    struct drive_child child = drive_stage(FREE_SLOT, 32);
    expect_status(drive_install(child.grant, 7000, 100, RIGHT_READ, 0), STATUS_OK, "a copy");
    uint32_t page = root_slot(7000)->object;
    expect_status(destroy(7000), STATUS_OK, "destroyed everywhere");
    const struct capability *copy = kernel_slot(&drive_kernel, child.index, 100);
    expect(copy->object_type == OBJECT_FRAME && !kernel_capability_live(&drive_kernel, copy),
           "K3: the copy is dead");
    drive_retype(BULK, OBJECT_FRAME, 1, 7000);
    expect(root_slot(7000)->object == page, "the page is used again");
    expect(!kernel_capability_live(&drive_kernel, copy), "K3: the old copy does not name it");
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void test_bytes(void)
{
    struct kernel_frame_read_reply read;
    struct kernel_frame_write_request write = {7000, 4090, 6, "secret"};
    drive_boot(1024, 64);
    drive_retype(BULK, OBJECT_FRAME, 2, 7000);
    expect_status(CONTROL(MEM, FRAME_WRITE, write), STATUS_OK, "bytes go in");
    write.count = 7;
    expect_status(CONTROL(MEM, FRAME_WRITE, write), STATUS_OUT_OF_RANGE, "not past the end");
    expect_status(
        CONTROL(MEM, FRAME_COPY, (struct kernel_frame_copy_request){7000, 7001, 4090, 10, 6}),
        STATUS_OK, "bytes are copied");
    expect_status(
        CONTROL_REPLY(MEM, FRAME_READ, &read, (struct kernel_frame_read_request){7001, 8, 9}),
        STATUS_OK, "bytes come out");
    expect(read.count == 8 && memcmp(read.bytes, "\0secret", 8) == 0, "the same");
    expect_status(
        CONTROL(MEM, FRAME_READ, (struct kernel_frame_read_request){7001, 8, UINT64_MAX - 3}),
        STATUS_OUT_OF_RANGE, "a wrapping range");
    expect_status(
        CONTROL(MEM, FRAME_READ, (struct kernel_frame_read_request){7001, 2, PAGE_BYTES - 1}),
        STATUS_OUT_OF_RANGE, "a range past the frame");
    expect_status(CONTROL_REPLY(MEM, FRAME_READ, &read,
                                (struct kernel_frame_read_request){SLOT_IMAGE, 4, 4094}),
                  STATUS_OK, "image bytes across pages");
    expect(memcmp(read.bytes, "\1\1\2\2", 4) == 0, "are the image's");
    expect_status(CONTROL(MEM, FRAME_COPY,
                          (struct kernel_frame_copy_request){SLOT_IMAGE, 7001, 4 * 4096 - 1, 0, 2}),
                  STATUS_OUT_OF_RANGE, "not past the image");
    expect_status(
        CONTROL(MEM, FRAME_COPY, (struct kernel_frame_copy_request){7000, SLOT_IMAGE, 0, 0, 1}),
        STATUS_INVALID_ARGUMENT, "never into the image");
    expect_status(destroy(7000), STATUS_OK, "the frame goes");
    drive_retype(BULK, OBJECT_FRAME, 1, 7000);
    CONTROL_REPLY(MEM, FRAME_READ, &read, (struct kernel_frame_read_request){7000, 6, 4090});
    expect(memcmp(read.bytes, "\0\0\0\0\0", 6) == 0, "K2: a frame reads as zero at hand-out");
}

void kernel_test_memory(void)
{
    test_retype();
    test_untyped_generation();
    test_untyped_sweep();
    test_untyped_depth();
    test_destroy_revokes();
    test_bytes();
}
