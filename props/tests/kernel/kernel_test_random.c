/* SPDX-License-Identifier: ISC */
/* Kernel tests: long random lives of a small system. Processes that rootd made send anything to
 * anybody and to the kernel, fault, exit and are killed; after every entry the whole state must be
 * sound, and a refused kernel-control request must have changed nothing (E1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/messages/event.h"
#include "props/tests/kernel/kernel_drive.h"

static uint64_t random_state;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % limit);
}

enum { PLAY = 5000, PLAY_COUNT = 64 }; /* slots that processes play with */

static uint32_t candidate(uint32_t i)
{
    static const uint32_t known[] = {1,    2,    5,    32,   33,   2112, 2128, 2208, 2224, 2240,
                                     2256, 2272, 2288, 2304, 2560, 2561, 2562, 100,  101,  102};
    enum { KNOWN = sizeof known / sizeof known[0] };
    return i < KNOWN ? known[i] : PLAY + i - KNOWN;
}

/* A slot of the current process whose capability is of one of the types (a mask; bit 0: empty),
 * found from a random place on; now and then any slot. */
static uint32_t slot_with(uint32_t types)
{
    enum { CANDIDATES = 20 + PLAY_COUNT };
    uint32_t start = below(CANDIDATES);
    if (below(12) == 0)
        return below(3) == 0 ? below(SLOT_LIMIT) : candidate(start);
    for (uint32_t i = 0; i < CANDIDATES; i++) {
        uint32_t slot = candidate((start + i) % CANDIDATES);
        const struct capability *cap = kernel_slot(&drive_kernel, drive_current(), slot);
        bool dead = cap->object_type != OBJECT_NONE && !kernel_capability_live(&drive_kernel, cap);
        if ((types >> cap->object_type & 1) != 0 && (!dead || below(8) == 0))
            return slot;
    }
    return candidate(start);
}

static uint32_t any_slot(void)
{
    return slot_with(~1u);
}

#define TYPES(name) (1u << OBJECT_##name)

static uint32_t named_slot(const char *name)
{
    static const struct {
        const char *prefix;
        uint32_t types;
    } wishes[] = {
        {"untyped", TYPES(UNTYPED)}, {"event", TYPES(ENDPOINT)},
        {"process", TYPES(PROCESS)}, {"pager", TYPES(ENDPOINT)},
        {"vspace", TYPES(VSPACE)},   {"frame", TYPES(FRAME) | TYPES(IMAGE)},
        {"grant", TYPES(GRANT)},     {"target_slot", TYPES(NONE) | TYPES(FRAME)},
    };
    for (uint32_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        if (strncmp(name, wishes[i].prefix, strlen(wishes[i].prefix)) == 0)
            return slot_with(wishes[i].types);
    }
    return below(2) == 0 ? slot_with(TYPES(FRAME) | TYPES(UNTYPED)) : any_slot();
}

/* A run of empty play slots, when there is one. */
static uint32_t empty_run(uint32_t count)
{
    uint32_t start = below(PLAY_COUNT);
    for (uint32_t i = 0; i < PLAY_COUNT; i++) {
        uint32_t first = PLAY + (start + i) % PLAY_COUNT;
        bool empty = true;
        for (uint32_t k = 0; k < count; k++)
            empty &= kernel_slot(&drive_kernel, drive_current(), first + k)->object_type == 0;
        if (empty)
            return first;
    }
    return PLAY + start;
}

static void any_window(void)
{
    uint32_t count = below(2) == 0 ? 0 : 1 + below(4);
    if (below(24) == 0)
        drive_window(below(SLOT_LIMIT), below(6));
    else
        drive_window(count == 0 ? 0 : empty_run(count), count);
}

static uint64_t any_va(void)
{
    static const uint64_t bases[] = {0,
                                     0x400000,
                                     0x5FF000,
                                     0x40000000,
                                     UINT64_C(0x8000000000),
                                     USER_VA_END - 4 * PAGE_BYTES,
                                     UINT64_C(0xFFFFFFFFFFFFF000)};
    if (below(2) == 0)
        return 0x400000 + (uint64_t)below(3) * PAGE_BYTES;
    return bases[below(7)] + (uint64_t)below(4) * PAGE_BYTES;
}

/* A value for one field that mostly keeps its row's rule. */
static uint64_t any_value(const struct message_field *field)
{
    switch ((enum field_kind)field->kind) {
    case FIELD_SLOT:
    case FIELD_CAP:
        return named_slot(field->name);
    case FIELD_FLAGS:
        return below(3) == 0 ? below(256) & field->high
                             : RIGHT_READ | (below(8) << 3 & field->high);
    case FIELD_PAGE:
        return any_va();
    case FIELD_ENUM:
        return below((uint32_t)field->high + 1);
    case FIELD_RANGE:
        if (below(2) == 0)
            return field->low;
        if (below(4) == 0)
            return field->low + below(2000);
        return field->low +
               below(field->high - field->low < 20 ? (uint32_t)(field->high - field->low) + 1 : 20);
    case FIELD_ZERO:
    case FIELD_END:
    case FIELD_BYTES:
    case FIELD_ROWS:
        return 0;
    }
    return 0;
}

/* Which capability an operation would be called through. */
static uint32_t control_slot(const struct operation *row)
{
    return below(10) == 0 ? any_slot() : slot_with(row->allowed);
}

static void step_control(void)
{
    const struct operation *row = &operation_table[below(28)];
    struct message *message = drive_compose(row->id, 0);
    uint32_t at = 0;
    if (row->id == OP_KERNEL_EXIT && (drive_current() == 0 || below(8) != 0))
        return;
    for (const struct message_field *field = row->request_fields; field->kind != FIELD_END;
         field++) {
        uint32_t width = field->kind == FIELD_BYTES ? 0 : field->width_bytes;
        uint64_t value = any_value(field);
        if (field[1].kind == FIELD_BYTES)
            value = 4;
        if (field->kind == FIELD_BYTES)
            at += 4;
        memcpy(message->body + at, &value, width);
        at += width;
    }
    message->header.body_bytes = (uint16_t)at;
    uint32_t first;
    memcpy(&first, message->body, sizeof first);
    bool sheds = row->id == OP_KERNEL_DROP_LOCAL_CAP || row->id == OP_KERNEL_MOVE_LOCAL_CAP;
    if (sheds && drive_current() == 0 && first < 100)
        return; /* rootd keeps what it needs to make children */
    any_window();
    if (row->id == OP_KERNEL_CREATE_STAGED_PROCESS && below(8) != 0)
        drive_window(empty_run(4), 4);
    uint64_t before = kernel_digest(&drive_kernel);
    uint32_t index = drive_current();
    unsigned status = drive_call(control_slot(row), below(2) * 50);
    drive_window(0, 0);
    if (status == DRIVE_WAITING || (status == STATUS_OK && message->header.status == STATUS_OK))
        return;
    if (kernel_process(&drive_kernel, index) != NULL && drive_current() == index &&
        kernel_digest(&drive_kernel) != before)
        expect(false, "E1: a refusal changes nothing");
}

static void step_message(bool reply)
{
    struct message *message = drive_compose((uint16_t)below(600), (uint16_t)(below(4) * 8));
    uint32_t count = below(3) == 0 ? below(5) : 0;
    for (uint32_t i = 0; i < count && (i + 1) * 4 <= message->header.body_bytes; i++)
        drive_attach(message, i, any_slot(), (uint16_t)(below(2) == 0 ? RIGHTS_ALL : below(256)),
                     (uint8_t)below(2), below(6) == 0 ? 1 + below(3) : 0);
    if (below(16) == 0)
        message->header.version = (uint16_t)below(3);
    if (reply && below(2) == 0) {
        struct event_fault_reply verdict = {below(2), below(2) * END_FAULT_OUTSIDE};
        drive_compose(OP_EVENT_FAULT, sizeof verdict);
        memcpy(message->body, &verdict, sizeof verdict);
    }
    any_window();
    uint64_t deadline = below(3) == 0 ? below(3) * 60 : drive_kernel.now_ticks + below(100);
    if (reply)
        drive_reply(slot_with(TYPES(REPLY)));
    else
        drive_call(below(6) == 0 ? any_slot() : slot_with(TYPES(ENDPOINT)), deadline);
    drive_window(0, 0);
}

static void step_receive(void)
{
    uint64_t deadline = below(3) == 0 ? DEADLINE_NEVER : drive_kernel.now_ticks + below(40);
    if (drive_current() == 0)
        deadline = DEADLINE_POLL;
    any_window();
    drive_receive(below(6) == 0 ? any_slot() : 2, deadline);
    drive_window(0, 0);
}

static bool root_holds(uint32_t slot, enum object_type type)
{
    return kernel_slot(&drive_kernel, 0, slot)->object_type == type;
}

/* rootd makes a child that can do much. */
static void step_child(void)
{
    uint32_t slot = 5000 + below(11) * 4;
    if (kernel_untyped_available(&drive_kernel.untypeds[1]) < 48 || drive_current() != 0)
        return;
    if (!root_holds(LAUNCH, OBJECT_UNTYPED) || !root_holds(PRO, OBJECT_KERNEL_PROCESS) ||
        !root_holds(POP, OBJECT_KERNEL_CHILD_POPULATE) ||
        !root_holds(SLOT_SELF, OBJECT_KERNEL_SELF) || !root_holds(2, OBJECT_ENDPOINT) ||
        kernel_slot(&drive_kernel, 0, LAUNCH)->object != 1)
        return;
    for (uint32_t i = 0; i < 4; i++) {
        if (kernel_slot(&drive_kernel, 0, slot + i)->object_type != OBJECT_NONE)
            CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){slot + i});
    }
    struct drive_child child = drive_stage(slot, 24 + below(24));
    static const uint32_t gifts[] = {32, 33, 2112, 2224, 2240, 2256, 2288, 2304, 5, 2272, 2128};
    for (uint32_t i = 0; i < sizeof gifts / sizeof gifts[0]; i++) {
        const struct capability *cap = kernel_slot(&drive_kernel, 0, gifts[i]);
        if (cap->object_type != OBJECT_NONE && below(4) != 0)
            drive_install(child.grant, gifts[i], gifts[i], cap->rights, 0);
    }
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t source = 5002 + below(11) * 4;
        if (i == 0)
            source = 2;
        const struct capability *cap = kernel_slot(&drive_kernel, 0, source);
        if (cap->object_type == OBJECT_ENDPOINT && kernel_capability_live(&drive_kernel, cap))
            drive_install(child.grant, source, 100 + i, cap->rights, below(2) * below(9));
    }
    uint32_t pager = below(3) == 0 ? 0 : 5002 + below(11) * 4;
    const struct capability *cap = kernel_slot(&drive_kernel, 0, pager);
    if (cap->object_type != OBJECT_ENDPOINT || !kernel_capability_live(&drive_kernel, cap) ||
        (cap->rights & RIGHT_SEND) == 0)
        pager = 0;
    drive_start(&child, pager);
}

static void step(void)
{
    if (drive_current() == KERNEL_IDLE) {
        kernel_timer(&drive_kernel, drive_kernel.now_ticks + 1 + below(50));
        drive_work();
        return;
    }
    switch (below(16)) {
    case 0:
        kernel_timer(&drive_kernel, drive_kernel.now_ticks + below(30));
        drive_work();
        return;
    case 1:
    case 2:
        kernel_preempt(&drive_kernel);
        drive_work();
        return;
    case 3:
        if (drive_current() != 0)
            kernel_fault(&drive_kernel, any_va() + below(5000), (enum fault_access)below(3), 7);
        drive_work();
        return;
    case 4:
        step_child();
        return;
    case 5:
    case 6:
        step_receive();
        return;
    case 7:
    case 8:
        step_message(true);
        return;
    case 9:
    case 10:
        step_message(false);
        return;
    case 11:
        if (drive_current() != 0 && below(40) == 0)
            kernel_exception(&drive_kernel, 6, 1);
        drive_work();
        return;
    default:
        step_control();
    }
}

static void life(uint64_t seed, uint32_t steps)
{
    random_state = seed;
    drive_boot(700 + below(300), 64);
    for (uint32_t i = 0; i < steps && !drive_kernel.halted; i++) {
        step();
        const char *wrong = kernel_check(&drive_kernel);
        if (wrong != NULL) {
            printf("kernel: seed %llu step %u: %s\n", (unsigned long long)seed, i, wrong);
            expect(false, wrong);
            abort();
        }
    }
    expect(true, "a random life is sound");
}

void kernel_test_random(uint32_t lives, uint32_t steps)
{
    for (uint32_t i = 0; i < lives; i++)
        life(i + 1, steps);
}
