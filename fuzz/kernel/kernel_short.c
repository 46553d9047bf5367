/* SPDX-License-Identifier: ISC */
/* The short ways of CALL and REPLY_RECV are the long ones (K14): each life is run twice, once as a
 * machine enters the core and once by kernel_syscall_long alone, and after every entry the two must
 * be equal: the digest, every record to the byte, every message page, who runs and who pays. Six
 * processes, servers and their clients, because random lives hardly ever get a server to wait with a
 * client beside it. What the entries mean is kernel_core's business. */
#include "fuzz/kernel/kernel_short.h"

#include <string.h>

#include "abi/messages/event.h"

const char harness_name[] = "kernel_short";
MARKS(12, 0);

enum {
    STEP_LIMIT = 240,
    SLOT_SHARED = SLOT_PEERS + PROCESSES + 1, /* that of another one, with RECEIVE */
    SLOT_STALE,        /* that of a process that is gone; another one has its index */
    SLOT_FRAMES = 200, /* two, which may travel */
    SLOT_WINDOW = 210, /* where windows lie */
    BYTE_FAR = 0xFE,   /* with this in front a life uses slots beyond the first leaf */
    /* With one of these in front, modulo WIDE_OF, a life has faults and kernel control in it. */
    WIDE_OF = 32,
    WIDE_FIRST = 10,
    WIDE_COUNT = 4,
    WIDE_LAST = WIDE_OF - 1
};

/* One life: what it draws, and by which way it enters. */
static struct choices choices;
static uint32_t root_peers[PROCESSES]; /* where rootd holds the others' endpoints */
static bool long_only;
static bool went_long;                /* since short_begin: an entry has come to a long way */
static bool far;                      /* by slots beyond the first leaf */
static bool wide;                     /* with the steps of kernel_short_kernel.c */
static uint64_t seen[STEP_LIMIT + 1]; /* of the first run, after each step that was looked at */
static bool looked[STEP_LIMIT];

/* --- the system ------------------------------------------------------------------------------- */

static void child_fill(const struct drive_child *children, uint32_t index)
{
    uint32_t grant = children[index].grant;
    uint32_t rights = RIGHT_SEND | RIGHT_TRANSFER;
    drive_install(grant, SLOT_SERVICE_ENDPOINT, SLOT_PEERS, rights, index);
    for (uint32_t peer = 1; peer < PROCESSES; peer++) {
        if (peer != index)
            drive_install(grant, children[peer].endpoint, SLOT_PEERS + peer, rights, 10 * index);
    }
    drive_install(grant, SLOT_PROCD_DRIVER_ENDPOINT, SLOT_PEERS + PROCESSES,
                  index == 3 ? rights | RIGHT_RECEIVE : rights, 0);
    for (uint32_t i = 0; i < 2; i++) {
        drive_retype(BULK, OBJECT_FRAME, 1, FREE_SLOT + 100);
        uint32_t frame_rights = RIGHT_READ | RIGHT_WRITE | RIGHT_MAP | RIGHT_TRANSFER;
        unsigned status = drive_install(grant, FREE_SLOT + 100, i == 0 ? SLOT_FRAMES : SLOT_WINDOW,
                                        frame_rights, 0);
        HARNESS(status == STATUS_OK);
        CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){FREE_SLOT + 100});
    }
    drive_install(grant, MEM, MEM, RIGHT_CONTROL, 0);
    uint32_t next = children[index % (PROCESSES - 1) + 1].process;
    drive_install(grant, BULK, SLOT_OBJECTS, RIGHT_CONTROL | RIGHT_TRANSFER, 0);
    drive_install(grant, next, SLOT_OBJECTS + 1, RIGHT_CONTROL | RIGHT_TRANSFER, 0);
}

static struct drive_child child_stage(uint32_t index)
{
    return drive_stage_in(FREE_SLOT + 4 * index, 32, (uint32_t)choices_below(&choices, BAND_COUNT));
}

/* Bands as the life says. Process 2 may receive at rootd's endpoint as well. */
static void boot(void)
{
    struct drive_child children[PROCESSES];
    enum { LAST = PROCESSES - 1 };
    drive_quiet(true);
    drive_boot(1024, 64);
    for (uint32_t i = 1; i < LAST; i++)
        children[i] = child_stage(i);
    children[LAST] = drive_stage_in(FREE_SLOT + 4 * LAST, 32, 0); /* it ends in its turn */
    for (uint32_t i = 1; i < LAST; i++)
        drive_install(children[i].grant, children[LAST].endpoint, SLOT_STALE, RIGHT_SEND, 5);
    for (uint32_t i = 0; i < 4; i++) /* with its last capability a staged process goes */
        CONTROL(SLOT_SELF, DROP_LOCAL_CAP,
                (struct kernel_drop_local_cap_request){FREE_SLOT + 4 * LAST + i});
    drive_work();
    children[LAST] = child_stage(LAST);
    HARNESS(children[LAST].index == LAST);
    for (uint32_t i = 1; i < PROCESSES; i++)
        root_peers[i] = children[i].endpoint;
    for (uint32_t i = 1; i < PROCESSES; i++) {
        child_fill(children, i);
        if (i == 2)
            drive_install(children[i].grant, SLOT_SERVICE_ENDPOINT, SLOT_SHARED,
                          RIGHT_RECEIVE | RIGHT_TRANSFER, 0);
        if (far)
            short_fill_far(children, i);
        uint32_t next = wide ? children[i % LAST + 1].endpoint : 0;
        drive_start(&children[i], i % 2 != 0 ? SLOT_SERVICE_ENDPOINT : next);
    }
}

/* --- which way it is -------------------------------------------------------------------------- */

struct process *__real_kernel_syscall_long(uint32_t slot, uint64_t deadline_ticks,
                                           uint32_t reply_slot, struct kernel *kernel,
                                           struct process *process, uint32_t number);
struct process *__wrap_kernel_syscall_long(uint32_t slot, uint64_t deadline_ticks,
                                           uint32_t reply_slot, struct kernel *kernel,
                                           struct process *process, uint32_t number);
struct process *__wrap_kernel_syscall_long(uint32_t slot, uint64_t deadline_ticks,
                                           uint32_t reply_slot, struct kernel *kernel,
                                           struct process *process, uint32_t number)
{
    went_long = true;
    return __real_kernel_syscall_long(slot, deadline_ticks, reply_slot, kernel, process, number);
}

struct process *__real_kernel_fault_long(struct kernel *kernel, struct process *process,
                                         uint64_t va, enum fault_access access,
                                         uint64_t instruction_va);
struct process *__wrap_kernel_fault_long(struct kernel *kernel, struct process *process,
                                         uint64_t va, enum fault_access access,
                                         uint64_t instruction_va);
struct process *__wrap_kernel_fault_long(struct kernel *kernel, struct process *process,
                                         uint64_t va, enum fault_access access,
                                         uint64_t instruction_va)
{
    went_long = true;
    return __real_kernel_fault_long(kernel, process, va, access, instruction_va);
}

void short_begin(void)
{
    went_long = false;
}

bool short_is_over(void)
{
    return !went_long;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* What is known before an entry. */
struct before {
    struct process *process;
    uint16_t client;
    bool band_waits;      /* somebody who is ready goes before the client that would be answered */
    bool next_band_waits; /* and it is in the band just above the client's */
    bool caps;
    bool drivers; /* the drivers' endpoint is there */
    bool crowd;   /* two wait at rootd's endpoint */
};

static struct before look(void)
{
    struct kernel *kernel = &drive_kernel;
    struct process *process = kernel_process(kernel, kernel->current);
    struct before before = {.process = process, .client = process->client};
    const struct process *client = kernel_process(kernel, process->client);
    uint32_t band = client == NULL ? 0 : (uint32_t)__builtin_ctzll(client->band_claims) / 16;
    for (uint32_t i = 0; i < band; i++)
        before.band_waits |= kernel->ready[i].first != KERNEL_NONE;
    before.next_band_waits = band != 0 && kernel->ready[band - 1].first != KERNEL_NONE;
    before.caps = kernel_message(kernel, process->index)->header.cap_count != 0;
    before.drivers = kernel->driver_endpoint.live;
    const struct endpoint *shared = &kernel_process(kernel, KERNEL_ROOT_PROCESS)->service;
    before.crowd = shared->receivers.first != shared->receivers.last;
    return before;
}

static bool window_is_split(const struct process *process)
{
    return process->window_slot % CSPACE_LEAF_CAPS + process->window_count > CSPACE_LEAF_CAPS;
}

static void marks(const struct before *before, uint32_t number, uint32_t slot, bool moved)
{
    const struct process *process = before->process;
    bool is_short = short_is_over();
    bool called = moved && number == SYSCALL_CALL && process->life == LIFE_CALLING;
    MARK_IF("short: a CALL reaches who waits", called);
    MARK_IF("short: with capabilities", called && before->caps);
    MARK_IF("short: with a deadline", called && process->deadline_position != 0);
    MARK_IF("short: a CALL by the short way", called && is_short);
    MARK_IF("short: the called capability goes along",
            called && is_short &&
                kernel_slot(&drive_kernel, process->index, slot)->object_type == OBJECT_NONE);
    bool waits = moved && number == SYSCALL_REPLY_RECV && process->life == LIFE_RECEIVING &&
                 before->client != KERNEL_NONE;
    MARK_IF("short: an answer, and its sender waits", waits);
    MARK_IF("short: an answer with capabilities", waits && before->caps);
    MARK_IF("short: a window of the next message", waits && process->window_count != 0);
    MARK_IF("short: until a deadline", waits && process->deadline_position != 0);
    MARK_IF("short: an answer by the short way", waits && is_short);
    MARK_IF("short: a refusal by the short way",
            waits && is_short &&
                kernel_message(&drive_kernel, before->client)->header.status != STATUS_OK);
    MARK_IF("short: a CALL by a slot beyond the first leaf",
            called && is_short && slot >= CSPACE_LEAF_CAPS);
    MARK_IF("short: an answer, and its sender waits by a slot beyond the first leaf",
            waits && is_short && slot >= CSPACE_LEAF_CAPS);
    MARK_IF("short: a CALL where others wait as well",
            called && is_short && before->crowd &&
                slot == SLOT_PEERS + (slot >= CSPACE_LEAF_CAPS ? SLOT_FAR : 0u));
    MARK_IF("short: an answer, and its sender waits at another's endpoint",
            waits && is_short && process->endpoint != process->index);
    MARK_IF("short: a band goes before who is answered",
            waits && before->band_waits &&
                kernel_process(&drive_kernel, before->client)->life == LIFE_READY);
    MARK_IF("short: the next band goes before who is answered",
            waits && before->next_band_waits &&
                kernel_process(&drive_kernel, before->client)->life == LIFE_READY);
    MARK_IF("short: a window over a leaf's edge", (called || waits) && window_is_split(process));
    MARK_IF("short: the drivers' endpoint goes with an entry",
            before->caps && before->drivers && !drive_kernel.driver_endpoint.live);
}

void short_next(const struct process *next)
{
    const struct kernel *kernel = &drive_kernel;
    bool goes_on = kernel->current != KERNEL_IDLE &&
                   kernel_process(kernel, kernel->current)->resume == RESUME_RESULT;
    PROPERTY(K14, "next",
             next == (goes_on ? kernel_process(kernel, kernel->current) : NULL) || kernel->halted);
}

void short_enter(uint32_t number, uint32_t slot, uint64_t deadline, uint32_t reply_slot)
{
    struct kernel *kernel = &drive_kernel;
    if (far) /* an entry of its own, after which somebody else may be current */
        slot = short_slot(kernel->current, slot);
    struct before before = look();
    struct process *process = before.process;
    short_begin();
    struct process *next =
        long_only ? kernel_syscall_long(slot, deadline, reply_slot, kernel, process, number)
                  : kernel_syscall(kernel, number, slot, deadline, reply_slot);
    short_next(next);
    marks(&before, number, slot, !long_only && next != NULL && next != process);
}

bool short_is_long(void)
{
    return long_only;
}

uint64_t short_deadline(struct choices *from)
{
    uint64_t how = choices_below(from, 8);
    uint64_t now = drive_kernel.now_ticks;
    return how < 5 ? DEADLINE_NEVER : how == 5 ? DEADLINE_POLL : now + choices_below(from, 6);
}

static uint64_t draw_deadline(void)
{
    return short_deadline(&choices);
}

/* One of the slots that a message may name. */
static uint32_t draw_cap_slot(void)
{
    static const uint32_t slots[] = {SLOT_FRAMES,           SLOT_FRAMES + 1,       SLOT_WINDOW,
                                     SLOT_WINDOW + 1,       SLOT_SERVICE_ENDPOINT, SLOT_PEERS + 1,
                                     SLOT_PEERS + PROCESSES};
    return slots[choices_below(&choices, sizeof slots / sizeof slots[0])];
}

/* Half of them plain. `how` 0: a header that is refused; 1: capabilities; 2, 3: a window; 4, 5: both. */
static void compose(void)
{
    uint64_t how = choices_below(&choices, 12);
    struct message *message = drive_compose((uint16_t)choices_below(&choices, 3),
                                            (uint16_t)(8 * choices_below(&choices, 5)));
    message->header.request_id = choices_u8(&choices);
    if (message->header.request_id % 4 == 3)
        message->header.status = STATUS_DENIED;
    choices_bytes(&choices, message->body, message->header.body_bytes);
    if (how == 1 || how == 4 || how == 5) {
        message->header.body_bytes = 16;
        for (uint64_t i = 0; i <= choices_below(&choices, 2); i++) {
            uint64_t kind = choices_below(&choices, 8);
            drive_attach(message, (uint32_t)i, draw_cap_slot(), RIGHTS_ALL,
                         kind < 5 ? TRANSFER_MOVE : TRANSFER_COPY, kind == 7 ? 9 : 0);
        }
    }
    if (how >= 2 && how <= 5) {
        message->header.window_slot = SLOT_WINDOW + 2 * (uint32_t)choices_below(&choices, 2);
        message->header.window_count = (uint8_t)(1 + choices_below(&choices, 4));
    }
    if (how == 0 && choices_flag(&choices))
        message->header.version = 2;
    else if (how == 0)
        message->header.body_bytes =
            (uint16_t)(MESSAGE_BODY_BYTES_MAX + 4 * choices_below(&choices, 2));
}

/* Mostly that of its client, when it has one. */
static uint32_t draw_reply_slot(void)
{
    const struct process *process = kernel_process(&drive_kernel, drive_kernel.current);
    uint64_t how = choices_below(&choices, 8);
    if (how < 6 && process->client != KERNEL_NONE)
        return kernel_process(&drive_kernel, process->client)->reply_slot;
    return how == 7 ? (uint32_t)choices_below(&choices, 3)
                    : SLOT_REPLY_BASE + (uint32_t)choices_below(&choices, 3);
}

static uint32_t draw_receive_slot(void)
{
    uint64_t how = choices_below(&choices, 10);
    return how < 7    ? SLOT_SERVICE_ENDPOINT
           : how == 7 ? SLOT_SHARED
           : how == 8 ? SLOT_PEERS + PROCESSES
                      : SLOT_PEERS + 1;
}

/* A fault's holder answers with a verdict more often than not. */
static void verdict_compose(uint32_t reply_slot)
{
    const struct capability *cap = kernel_slot(&drive_kernel, drive_kernel.current, reply_slot);
    if (cap->object_type != OBJECT_REPLY ||
        !kernel_process(&drive_kernel, cap->object)->fault_pending || choices_flag(&choices))
        return;
    struct event_fault_reply reply = {FAULT_RESOLVED, END_NONE};
    (void)message_encode(&event_fault_reply_type, &reply,
                         kernel_message(&drive_kernel, drive_kernel.current));
    kernel_message(&drive_kernel, drive_kernel.current)->header.operation = OP_EVENT_FAULT;
}

static void answer_step(void)
{
    compose();
    uint32_t reply_slot = draw_reply_slot();
    verdict_compose(reply_slot);
    uint32_t slot = draw_receive_slot();
    short_enter(SYSCALL_REPLY_RECV, slot, draw_deadline(), reply_slot);
}

static void call_step(void)
{
    compose();
    uint32_t peer = (uint32_t)choices_below(&choices, PROCESSES + 3);
    uint32_t slot =
        drive_kernel.current == 0 && peer < PROCESSES ? root_peers[peer] : SLOT_PEERS + peer;
    short_enter(SYSCALL_CALL, slot, draw_deadline(), 0);
}

/* What else a process does, mostly to others' plans. */
static void other_step(void)
{
    uint64_t how = choices_below(&choices, 8);
    if (how == 0) {
        compose();
        short_enter(SYSCALL_REPLY, draw_reply_slot(), 0, 0);
    } else if (how == 1) {
        uint32_t slot = choices_flag(&choices)
                            ? draw_cap_slot()
                            : SLOT_REPLY_BASE + (uint32_t)choices_below(&choices, 3);
        CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){slot});
    } else if (how == 2) {
        struct process *process = kernel_process(&drive_kernel, drive_kernel.current);
        if (long_only)
            kernel_fault_long(&drive_kernel, process, 0x5000, FAULT_READ, 0x400000);
        else
            kernel_fault(&drive_kernel, 0x5000, FAULT_READ, 0x400000);
    } else if (how == 3 && drive_kernel.current == 0) {
        uint32_t index = 1 + (uint32_t)choices_below(&choices, PROCESSES - 1);
        if (kernel_process(&drive_kernel, index) != NULL && choices_flag(&choices))
            kernel_end_process(&drive_kernel, index);
    } else if (how == 3 && drive_kernel.current != 0 && choices_below(&choices, 3) == 0) {
        kernel_exception(&drive_kernel, 6, 0);
    } else if (how < 6) {
        compose();
        uint32_t slot = draw_receive_slot();
        short_enter(SYSCALL_RECV, slot, draw_deadline(), 0);
    } else {
        kernel_preempt(&drive_kernel);
    }
}

/* Where `peer` waits, for who is current. */
static uint32_t peer_slot(uint32_t peer)
{
    return drive_kernel.current == 0 && peer != 0 ? root_peers[peer] : SLOT_PEERS + peer;
}

/* The slot of somebody who waits, if anybody does. */
static uint32_t draw_waiting_slot(void)
{
    uint32_t peer = (uint32_t)choices_below(&choices, PROCESSES);
    for (uint32_t i = 0; i < PROCESSES; i++, peer = (peer + 1) % PROCESSES) {
        const struct process *process = kernel_process(&drive_kernel, peer);
        if (process != NULL && process->life == LIFE_RECEIVING)
            break;
    }
    return peer_slot(peer);
}

/* A call to somebody who waits for it; half of them send the capability that is called, or another
 * one. */
static void trip_call(void)
{
    uint32_t slot = draw_waiting_slot();
    struct message *message = drive_compose(1, 16);
    uint64_t how = choices_below(&choices, 4);
    if (how < 2)
        drive_attach(message, 0, how == 0 ? slot : draw_cap_slot(), RIGHTS_ALL, TRANSFER_MOVE, 0);
    short_enter(SYSCALL_CALL, slot, draw_deadline(), 0);
}

static void time_step(bool jump)
{
    uint64_t next = kernel_next_deadline(&drive_kernel);
    uint64_t now = drive_kernel.now_ticks;
    jump = jump && next != DEADLINE_NEVER;
    kernel_timer(&drive_kernel, jump ? next : now + choices_below(&choices, 3));
}

/* Of a server: for the next message, half of them with a place for what it sends along. */
static void trip_compose(void)
{
    struct message *message = drive_compose(1, 16);
    uint64_t place = choices_below(&choices, 60);
    if (place < 30)
        message->header.window_slot = SLOT_WINDOW + 2 + (uint32_t)place;
    message->header.window_count = place < 30;
}

/* What makes a trip, whoever is current: a server waits, with a window or until a deadline; a client
 * calls one that waits; a server answers, before or after somebody's time has come. */
static void trip_step(void)
{
    const struct process *process = kernel_process(&drive_kernel, drive_kernel.current);
    uint64_t how = choices_below(&choices, 4);
    if (how == 0) {
        time_step(true);
    } else if (process->client != KERNEL_NONE) {
        uint32_t reply_slot = kernel_process(&drive_kernel, process->client)->reply_slot;
        trip_compose();
        short_enter(SYSCALL_REPLY_RECV, SLOT_SERVICE_ENDPOINT, draw_deadline(), reply_slot);
    } else if (how == 1) {
        trip_compose();
        short_enter(SYSCALL_RECV, SLOT_SERVICE_ENDPOINT, draw_deadline(), 0);
    } else {
        trip_call();
    }
}

/* Where a window may just lie, or just not. */
static uint32_t draw_edge_window(void)
{
    static const uint32_t slots[] = {
        SLOT_WINDOW,         SLOT_WINDOW,         SLOT_WINDOW + 4,       2 * CSPACE_LEAF_CAPS - 2,
        SLOT_REPLY_BASE - 2, SLOT_REPLY_BASE + 8, SLOT_SERVICE_ENDPOINT, SLOT_SHARED,
        SLOT_LIMIT - 1};
    uint64_t how = choices_below(&choices, 2 * sizeof slots / sizeof slots[0]);
    return how < sizeof slots / sizeof slots[0]
               ? slots[how]
               : SLOT_WINDOW + 4 + 4 * (uint32_t)choices_below(&choices, 8);
}

/* What lies in the window itself, or one of the capabilities that others count. */
static uint32_t draw_edge_cap(const struct message *message)
{
    static const uint32_t slots[] = {
        SLOT_FRAMES,           SLOT_WINDOW, SLOT_PEERS + PROCESSES, SLOT_PROCD_DRIVER_ENDPOINT,
        SLOT_SERVICE_ENDPOINT, SLOT_SHARED, SLOT_OBJECTS,           SLOT_OBJECTS + 1};
    uint64_t how = choices_below(&choices, 3 * sizeof slots / sizeof slots[0] / 2);
    return how < sizeof slots / sizeof slots[0]
               ? slots[how]
               : message->header.window_slot + (uint32_t)(how % MESSAGE_CAP_LIMIT);
}

static uint16_t draw_edge_rights(void)
{
    static const uint16_t rights[] = {RIGHTS_ALL, RIGHTS_ALL, RIGHTS_ALL & ~RIGHT_RECEIVE,
                                      RIGHT_SEND | RIGHT_TRANSFER};
    uint64_t how = choices_below(&choices, 5);
    return how < 4 ? rights[how] : choices_u8(&choices);
}

/* Windows at an edge, a few of them too long, and capabilities under any mask. */
static void edge_compose(void)
{
    struct message *message = drive_compose(1, 16);
    message->header.window_slot = draw_edge_window();
    uint64_t size = choices_below(&choices, 8);
    message->header.window_count = size < 7 ? (uint8_t)size : choices_u8(&choices);
    uint64_t count = choices_below(&choices, MESSAGE_CAP_LIMIT);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = draw_edge_cap(message);
        uint8_t mode = choices_flag(&choices) ? TRANSFER_COPY : TRANSFER_MOVE;
        drive_attach(message, i, slot, draw_edge_rights(), mode, 0);
    }
}

/* A trip that comes to an edge, or what brings one there: less work in a piece, one fewer who
 * receives on the drivers' endpoint. */
static void edge_step(void)
{
    const struct process *process = kernel_process(&drive_kernel, drive_kernel.current);
    uint64_t how = choices_below(&choices, 16);
    if (how == 0) {
        drive_kernel.work_max = KERNEL_WORK_MIN + (uint32_t)choices_below(&choices, 32);
        drive_kernel.work_done = 0; /* what the last entry did was within the old one */
    } else if (how == 1) {
        uint32_t slot =
            process->index == 0 ? SLOT_PROCD_DRIVER_ENDPOINT : SLOT_PEERS + (uint32_t)PROCESSES;
        CONTROL(SLOT_SELF, DROP_LOCAL_CAP, (struct kernel_drop_local_cap_request){slot});
    } else if (process->client != KERNEL_NONE) {
        uint32_t reply_slot = kernel_process(&drive_kernel, process->client)->reply_slot;
        edge_compose();
        uint32_t slot = draw_receive_slot();
        short_enter(SYSCALL_REPLY_RECV, slot, draw_deadline(), reply_slot);
    } else if (how < 6) {
        edge_compose();
        short_enter(SYSCALL_RECV, SLOT_SERVICE_ENDPOINT, draw_deadline(), 0);
    } else {
        edge_compose();
        uint32_t slot = draw_waiting_slot();
        short_enter(SYSCALL_CALL, slot, draw_deadline(), 0);
    }
}

static void step(void)
{
    if (wide && drive_kernel.current != KERNEL_IDLE && short_kernel_step(&choices)) {
        drive_work();
        return;
    }
    uint64_t how = choices_below(&choices, 32);
    if (drive_kernel.current == KERNEL_IDLE || how == 15) {
        time_step(drive_kernel.current == KERNEL_IDLE);
    } else if (how >= 24) {
        edge_step();
    } else if (how > 15) {
        trip_step();
    } else if (how < 6 || (how < 10 && drive_kernel.current < 3)) {
        answer_step();
    } else if (how < 12) {
        call_step();
    } else {
        other_step();
    }
    drive_work();
}

/* --- a life, twice ---------------------------------------------------------------------------- */

static bool is_wide(uint8_t first)
{
    uint32_t kind = first % WIDE_OF;
    return kind == WIDE_LAST || (kind >= WIDE_FIRST && kind < WIDE_FIRST + WIDE_COUNT);
}

/* After a step, or at the end. */
static void judge(uint32_t at, bool is_long)
{
    const char *wrong = kernel_check(&drive_kernel);
    if (wrong != NULL)
        property_K13_fails("", wrong, __FILE__, __LINE__);
    if (is_long)
        PROPERTY_EQUAL(K14, "state", drive_state(), seen[at]);
    else
        seen[at] = drive_state();
}

static void run(struct choices input, bool is_long)
{
    uint32_t i = 0;
    choices = input;
    long_only = is_long;
    wide = input.size_bytes != 0 && is_wide(input.bytes[0]);
    far = input.size_bytes != 0 && input.bytes[0] == BYTE_FAR;
    if (wide || far)
        (void)choices_u8(&choices);
    boot();
    for (; i < STEP_LIMIT && !choices_empty(&choices) && !drive_kernel.halted; i++) {
        if (!is_long)
            looked[i] = oracle_step();
        step();
        if (looked[i])
            judge(i, is_long);
    }
    if (oracle_deferred())
        judge(i, is_long);
    digest_u64(i);
    digest_u64(kernel_digest(&drive_kernel));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices input = harness_begin(bytes, size_bytes);
    run(input, false);
    run(input, true);
    return 0;
}
