/* SPDX-License-Identifier: ISC */
/* rootd's properties: intake (R2, R6), and whole boots among peers, every call of which fails once
 * in every way (R5); the plan's (R3, R4) are in rootd_test_plan.c. Exit 1 when a check failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/formats/envelope.h"
#include "abi/messages/deviced.h"
#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/messages/procd.h"
#include "abi/messages/startup.h"
#include "abi/process.h"
#include "props/tests/rootd/rootd_test.h"
#include "services/procd/procd.h"

/* --- the seam ------------------------------------------------------------------------------ */

enum failure { FAIL_NONE, FAIL_TRANSPORT, FAIL_TIMED_OUT, FAIL_REFUSED, FAIL_COUNT };

struct rootd rootd;
static struct {
    uint64_t call_count;
    uint64_t fail_at; /* number of the call that fails; 0: none */
    enum failure failure;
    uint16_t failed_operation;
    uint16_t other_operation; /* the next one is done, and its answer is another; 0: none */
    enum status other_status; /* that one; OK: a driver is between two lives */
    unsigned start_count;
    unsigned wrong_at; /* number of the child whose READY is as `ready` says; 0: none */
    enum peers_ready ready;
    unsigned receive_count;
    uint32_t reply_status;
    unsigned busy_count; /* STOP_PROCESS is BUSY so many times more */
    unsigned stopped_count;
    unsigned pause_count;
    uint64_t paused_ticks;
    uint32_t end_reason; /* how procd ends, after READY */
    uint32_t end_code;
} seam;

static uint64_t config_ready_ticks(uint32_t role)
{
    for (uint32_t i = 0; i < peers_machine.config.entry_count; i++) {
        if (peers_machine.config.entries[i].role == role)
            return peers_machine.config.entries[i].ready_ticks;
    }
    return 0;
}

/* R5: READY may take as long as the config states, from the moment of the call on; rootd read the
 * clock, which moves by 1, just before. A service of the graph is asked for a short while only. */
static enum status start_service(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    enum { SHORT_WHILE = 80 };
    struct startup_start_service_request request;
    struct envelope envelope;
    expect(message_decode(&startup_start_service_request_type, message, &request) == STATUS_OK &&
               envelope_parse(request.envelope, request.count, &envelope) == STATUS_OK,
           "a child gets an envelope");
    uint64_t stated_ticks = config_ready_ticks(envelope.role);
    if (role_find(envelope.role)->kind == ROLE_KIND_SERVICE)
        expect(deadline_ticks > stand_in_now() - 1 &&
                   deadline_ticks - (stand_in_now() - 1) <= SHORT_WHILE,
               "R5: every ask waits, and nobody is held up for longer than a short while");
    else
        expect_equal(deadline_ticks, stand_in_now() - 1 + stated_ticks,
                     "R5: the deadline of READY is the config's");
    expect_equal(envelope.ready_ticks, stated_ticks, "the envelope says how long READY may take");
    if (++seam.start_count == seam.wrong_at)
        peers_behave(envelope.role, seam.ready, 0);
    return stand_in_call(slot, message, deadline_ticks);
}

static bool is_busy(const struct message *message)
{
    if (message->header.operation != OP_PROCD_STOP_PROCESS)
        return false;
    seam.stopped_count += seam.busy_count == 0;
    return seam.busy_count != 0;
}

static enum status answer_otherwise(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    static const struct deviced_read_driver_reply rests = {.state = DRIVER_RESTARTING};
    seam.other_operation = 0;
    (void)stand_in_call(slot, message, deadline_ticks);
    if (seam.other_status == STATUS_OK)
        expect(message_encode(&deviced_read_driver_reply_type, &rests, message) == STATUS_OK,
               "a driver between two lives encodes");
    return seam.other_status;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    if (is_busy(message)) {
        seam.busy_count--;
        message_refuse(message, STATUS_BUSY);
        return STATUS_OK;
    }
    if (message->header.operation == seam.other_operation)
        return answer_otherwise(slot, message, deadline_ticks);
    if (++seam.call_count != seam.fail_at)
        return message->header.operation == OP_STARTUP_START_SERVICE
                   ? start_service(slot, message, deadline_ticks)
                   : stand_in_call(slot, message, deadline_ticks);
    seam.failed_operation = message->header.operation;
    if (seam.failure == FAIL_REFUSED) {
        message_refuse(message, STATUS_EXHAUSTED);
        return STATUS_OK;
    }
    return seam.failure == FAIL_TIMED_OUT ? STATUS_TIMED_OUT : STATUS_PEER_DIED;
}

/* Nobody says anything while rootd waits for a service that is BUSY. */
static enum status pause_until(uint64_t deadline_ticks)
{
    uint64_t now_ticks = stand_in_now();
    seam.pause_count++;
    if (deadline_ticks <= now_ticks)
        return STATUS_TIMED_OUT;
    seam.paused_ticks += deadline_ticks - now_ticks;
    stand_in_clock_set(deadline_ticks);
    return STATUS_TIMED_OUT;
}

/* After READY: one message from somebody, then procd's end. */
enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    *info = (struct receive_info){.endpoint_slot = slot, .window_slot = SLOT_RECEIVE_BASE};
    if (rootd.stage != STAGE_RUN)
        return pause_until(deadline_ticks);
    expect(deadline_ticks == DEADLINE_NEVER, "after READY rootd waits for ever");
    if (seam.receive_count++ == 0) {
        message->header = (struct message_header){.version = MESSAGE_VERSION, .operation = 0x402};
        info->badge = 7;
        info->reply_slot = SLOT_REPLY_BASE;
        return STATUS_OK;
    }
    struct event_process_terminated_request event = {
        .token = TOKEN_PROCD, .reason = seam.end_reason, .code = seam.end_code};
    (void)message_encode(&event_process_terminated_request_type, &event, message);
    info->badge = BADGE_KERNEL;
    return STATUS_OK;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    (void)reply_slot;
    seam.reply_status = message->header.status;
    return STATUS_OK;
}

void fresh(uint32_t profile)
{
    memset(&rootd, 0, sizeof rootd);
    memset(&seam, 0, sizeof seam);
    seam.end_reason = END_EXITED;
    peers_of_rootd_begin(profile);
}

enum rootd_status prepare(void)
{
    return rootd_prepare(&rootd, peers_machine.handoff_bytes, peers_machine.handoff_size,
                         SLOT_SERVICE_ENDPOINT);
}

/* The same, with services that may fail. */
void fresh_graph(uint32_t profile, bool optional)
{
    fresh(profile);
    for (uint32_t i = 0; i < peers_machine.config.entry_count && optional; i++) {
        struct boot_config_entry *entry = &peers_machine.config.entries[i];
        enum role_kind kind = (enum role_kind)role_find(entry->role)->kind;
        if (kind == ROLE_KIND_SERVICE || kind == ROLE_KIND_DRIVER)
            entry->flags = BOOT_ENTRY_OPTIONAL;
    }
    expect(peers_machine_encode(), "a config with optional services encodes");
}

enum rootd_status run(void)
{
    return rootd_run(&rootd, peers_machine.handoff_bytes, peers_machine.handoff_size,
                     SLOT_SERVICE_ENDPOINT);
}

/* --- intake --------------------------------------------------------------------------------- */

void expect_prepare(enum rootd_status status, enum status cause, const char *what)
{
    enum rootd_status got = prepare();
    expect_equal(got, status, what);
    expect_equal(rootd.cause, cause, what);
    expect_equal(peers_machine.mutation_count, 0,
                 what); /* nothing was changed, whatever was found */
    if (status == ROOTD_READY)
        return;
    expect(rootd.plan.bootstrap_pages == 0 && rootd.plan.launches[0].role == 0, what);
}

/* R6: every slot of the boot cspace is exactly as agreed. */
static void test_inventory(void)
{
    for (unsigned i = 0; i < boot_cap_count; i++) {
        enum rootd_status missing = ROOTD_CONTRACT_INVALID;
        fresh(VALIDATION_PROFILE_NONE);
        if (stand_in_slot_number(i) == SLOT_SELF)
            continue; /* without it nothing can be asked */
        (void)stand_in_take(stand_in_slot_number(i));
        expect_prepare(missing, STATUS_NOT_FOUND, "a boot capability is missing");
        fresh(VALIDATION_PROFILE_NONE);
        stand_in_slot_cap(i)->rights &= stand_in_slot_cap(i)->rights - 1;
        expect_prepare(ROOTD_CONTRACT_INVALID, STATUS_INVALID_ARGUMENT, "a right is missing");
        fresh(VALIDATION_PROFILE_NONE);
        stand_in_slot_cap(i)->badge = 1;
        expect_prepare(ROOTD_CONTRACT_INVALID, STATUS_INVALID_ARGUMENT, "a badge is set");
        fresh(VALIDATION_PROFILE_NONE);
        stand_in_slot_cap(i)->object_type =
            stand_in_slot_cap(i)->object_type == OBJECT_FRAME ? OBJECT_UNTYPED : OBJECT_FRAME;
        if (stand_in_slot_number(i) == SLOT_SERVICE_ENDPOINT ||
            stand_in_slot_number(i) == SLOT_IMAGE)
            expect_prepare(ROOTD_CONTRACT_INVALID, STATUS_INVALID_ARGUMENT, "another type");
    }
    static const uint32_t extra_slots[] = {
        3, SLOT_LEGACY, SLOT_BOOTSTRAP_UNTYPED, 34, SLOT_PEER_PROCD, 2113, 2337, SLOT_LIMIT - 1};
    for (unsigned i = 0; i < sizeof extra_slots / sizeof extra_slots[0]; i++) {
        fresh(VALIDATION_PROFILE_NONE);
        stand_in_put(extra_slots[i], (struct stand_in_cap){.object_type = OBJECT_FRAME,
                                                           .rights = RIGHT_READ,
                                                           .object = STAND_IN_ELSEWHERE});
        expect_prepare(ROOTD_CONTRACT_INVALID, STATUS_DENIED, "something else is held");
    }
}

static void test_handoff(void)
{
    fresh(VALIDATION_PROFILE_NONE);
    peers_machine.handoff_bytes[0] ^= 1;
    expect_prepare(ROOTD_HANDOFF_INVALID, STATUS_BAD_MAGIC, "handoff: magic");
    fresh(VALIDATION_PROFILE_NONE);
    peers_machine.handoff_size--;
    expect_prepare(ROOTD_HANDOFF_INVALID, STATUS_BAD_LENGTH, "handoff: length");
    fresh(VALIDATION_PROFILE_NONE);
    expect_equal(rootd_prepare(&rootd, peers_machine.handoff_bytes, peers_machine.handoff_size, 3),
                 ROOTD_HANDOFF_INVALID, "handoff: rdx names another slot");
    fresh(VALIDATION_PROFILE_NONE);
    peers_machine.handoff.root_endpoint_slot = 3;
    expect(peers_machine_encode(), "handoff: encodes");
    expect_prepare(ROOTD_HANDOFF_INVALID, STATUS_INVALID_ARGUMENT, "handoff: root endpoint");
    fresh(VALIDATION_PROFILE_NONE);
    peers_machine.handoff.image_slot = 7;
    expect(peers_machine_encode(), "handoff: encodes");
    expect_prepare(ROOTD_HANDOFF_INVALID, STATUS_INVALID_ARGUMENT, "handoff: image slot");
    fresh(VALIDATION_PROFILE_NONE);
    peers_machine.handoff.untyped[1].slot = SLOT_UNTYPED_BASE + 2;
    expect(peers_machine_encode(), "handoff: encodes");
    expect_prepare(ROOTD_HANDOFF_INVALID, STATUS_INVALID_ARGUMENT, "handoff: launch pool slot");
}

/* --- whole boots ---------------------------------------------------------------------------- */

static bool exits_with(uint32_t code)
{
    uint32_t exit_code;
    return stand_in_exited(&exit_code) && exit_code == code;
}

static void check_children(void)
{
    static const uint32_t order[] = {ROLE_PROCD, ROLE_MEMD, ROLE_VSPACED, ROLE_PAGERD};
    for (unsigned i = 0; i < 4; i++) {
        expect_equal(peers_machine.children[i].role, order[i], "the launch order is fixed");
        expect(peers_machine.children[i].ready, "every service got its envelope");
    }
    expect(peers_machine.bound, "procd was told of memd and pagerd");
}

static void test_boot_runtime(void)
{
    fresh(VALIDATION_PROFILE_NONE);
    expect_equal(run(), ROOTD_INTERNAL_ERROR, "procd's end ends a running system");
    check_children();
    expect_equal(seam.reply_status, STATUS_DENIED, "rootd serves nobody");
    uint32_t log_bytes;
    expect(strcmp(stand_in_log(&log_bytes), "ERIX_ROOTD:READY\n"
                                            "BASALT_ROOTD:FAILED:RUN:PEER_DIED:EXITED:0x0\n"
                                            "ERIX_ROOTD:INTERNAL_ERROR\n") == 0,
           "a runtime image logs no stages");
    expect(exits_with(ROOTD_EXIT_FAILED), "and ends with its exit code");
    static const uint32_t held[] = {SLOT_SELF, SLOT_SERVICE_ENDPOINT, SLOT_KERNEL_LOG_ENDPOINT,
                                    ROOTD_SLOT_PROCD_PROCESS};
    expect_equal(stand_in_slot_count(), 4, "R6: the post-boot set has four capabilities");
    for (unsigned i = 0; i < 4; i++)
        expect(stand_in_at(held[i]).object_type != OBJECT_NONE, "R6: exactly the stated slots");
}

/* P8: the system ends with procd's own code, and the log says how procd ended. A code of 0, or of
 * an end that was not procd's own, is a failure like any other. */
static void test_procd_ends(void)
{
    static const struct {
        uint32_t reason, code, exit_code;
        const char *line;
    } rows[] = {
        {END_EXITED, PROCD_EXIT_CRITICAL, PROCD_EXIT_CRITICAL, "PEER_DIED:EXITED:0x70726300\n"},
        {END_EXITED, 0, ROOTD_EXIT_FAILED, "PEER_DIED:EXITED:0x0\n"},
        {END_KILLED, 7, ROOTD_EXIT_FAILED, "PEER_DIED:KILLED:0x7\n"},
        {END_FAULT_NO_PAGER, 0, ROOTD_EXIT_FAILED, "PEER_DIED:FAULT_NO_PAGER\n"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh(VALIDATION_PROFILE_NONE);
        seam.end_reason = rows[i].reason;
        seam.end_code = rows[i].code;
        expect_equal(run(), ROOTD_INTERNAL_ERROR, rows[i].line);
        expect(exits_with(rows[i].exit_code), rows[i].line);
        expect(peers_logged(rows[i].line), rows[i].line);
    }
}

/* What a program was given: its rows, badged as its own, and every module that has none. */
static void check_program(uint32_t number)
{
    unsigned row_count = 0;
    unsigned unused = 0;
    unsigned without_rows = 0;
    const struct peers_child *child = &peers_machine.children[number];
    const struct intake *rows = role_intake(child->role, &row_count);
    uint32_t installed_count = stand_in_process(number)->installed_count;
    expect(child->ready, "a program got its envelope");
    expect_equal(installed_count, row_count, "R1: one capability per row");
    for (uint32_t i = 0; i < installed_count && i < row_count; i++) {
        const struct stand_in_installed *installed = stand_in_installed(number, i);
        bool peer = (rows[i].slot >= SLOT_PEER_MEMD && rows[i].slot <= SLOT_PEER_PROCD) ||
                    rows[i].slot == SLOT_PEER_NAMED;
        bool procd = rows[i].slot == SLOT_PEER_PROCD;
        uint64_t badge = child->role + (procd ? (uint64_t)number << 16 : 0);
        expect(installed->slot == rows[i].slot && installed->cap.rights == rows[i].rights &&
                   installed->cap.badge == (peer ? badge : 0),
               "R1: slot, rights and badge are the row's");
    }
    for (unsigned i = 0; i < rootd.intake.entry_count; i++)
        without_rows += rootd.intake.entries[i].role >= ROLE_PHASE0_PROBE &&
                        role_find(rootd.intake.entries[i].role)->kind == ROLE_KIND_EXTENSION &&
                        role_intake(rootd.intake.entries[i].role, &unused) == NULL;
    expect_equal(child->offered_count, without_rows, "it was told of what it may start");
    expect_equal(stand_in_process(number)->life, STAND_IN_ENDED, "and ended");
}

/* A boot whose programs are those of `roles`, in this order. */
enum { TARGETS = 3 }; /* services of profile hostile: named, logd, timed */

static void test_boot_programs(uint32_t profile, const uint32_t *roles, unsigned count)
{
    unsigned services = FOUNDATION_COUNT + (profile == VALIDATION_PROFILE_HOSTILE ? TARGETS : 0);
    fresh(profile);
    expect_equal(run(), ROOTD_READY, "an image with a profile ends after READY");
    check_children();
    expect(exits_with(ROOTD_EXIT_READY), "EXIT(0)");
    expect_equal(peers_machine.child_count, services + count, "one child a program");
    for (unsigned i = 0; i < count; i++) {
        expect_equal(peers_machine.children[services + i].role, roles[i], "in the table's order");
        check_program(services + i);
    }
    expect(peers_logged(services == FOUNDATION_COUNT
                            ? "ROOTD_STAGE:FOUNDATION_BOUND\nROOTD_STAGE:AUTHORITY_SHED\n"
                              "ERIX_ROOTD:READY\n"
                            : ":READY\nROOTD_STAGE:AUTHORITY_SHED\nERIX_ROOTD:READY\n"),
           "rootd says nothing of a program that ends well, and READY last");
    expect_equal(peers_live_count(), services, "nobody else is left");
    expect_equal(stand_in_slot_count(), 4, "R6: the same post-boot set");
}

/* A program that ends otherwise than by EXIT(0): what rootd makes of it, and what it says. */
static void test_program_ends(void)
{
    static const struct {
        uint32_t reason, code;
        enum status cause;
        const char *line;
    } rows[] = {
        {END_EXITED, STATUS_EXHAUSTED, STATUS_EXHAUSTED, "tester:UNEXPECTED:EXITED:0x8\n"},
        {END_EXITED, STATUS_INTERNAL, STATUS_INTERNAL, "tester:UNEXPECTED:EXITED:0x6\n"},
        {END_EXITED, STATUS_COUNT, STATUS_INTERNAL, "tester:UNEXPECTED:EXITED:0x"},
        {END_KILLED, 0, STATUS_INTERNAL, "tester:UNEXPECTED:KILLED:0x0\n"},
        {END_FAULT_OUTSIDE, 0, STATUS_INTERNAL, "tester:UNEXPECTED:FAULT_OUTSIDE\n"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fresh(VALIDATION_PROFILE_PHASE0);
        peers_machine.end_reason = rows[i].reason;
        peers_machine.end_code = rows[i].code;
        expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, rows[i].line);
        expect_equal(rootd.cause, rows[i].cause, rows[i].line);
        expect(peers_logged(rows[i].line), rows[i].line);
        expect(peers_logged("BASALT_ROOTD:FAILED:PROGRAM:"), rows[i].line);
        expect_equal(peers_live_count(), 0, "everybody was ended");
    }
}

/* R5: what is BUSY is stopped again, for five seconds: fifty times, a tenth of a second apart. One
 * that is BUSY for longer is given up, and the others are stopped all the same. */
static void test_stop_tries(void)
{
    enum { TRIES = 50, APART_TICKS = TICKS_PER_SECOND / 10 };
    for (unsigned busy_count = TRIES - 1; busy_count <= TRIES; busy_count++) {
        unsigned stopped_count = busy_count == TRIES ? 2 : 3; /* of memd, vspaced and pagerd */
        fresh(VALIDATION_PROFILE_PHASE0);
        peers_machine.end_code = 1; /* the program's, which has failed */
        seam.busy_count = busy_count;
        expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, "R5: a program has failed");
        expect_equal(seam.busy_count, 0, "R5: the first that is stopped has all tries");
        expect_equal(seam.stopped_count, stopped_count, "R5: all others are stopped");
        expect_equal(seam.pause_count, TRIES - 1, "R5: rootd waits between two tries");
        /* The clock moves by 1 when it is read, just before. */
        expect_equal(seam.paused_ticks, (TRIES - 1) * (APART_TICKS - 1),
                     "R5: for a tenth of a second");
    }
}

/* R5: each child in turn says READY for another role, or with another number of capabilities, or
 * says nothing; nothing is left of the boot. */
static void test_ready(uint32_t profile, unsigned child_count)
{
    fresh(profile);
    (void)run();
    expect(peers_logged("ERIX_ROOTD:READY\n"), "every child says READY");
    expect_equal(seam.start_count, child_count, "one envelope per child");
    for (enum peers_ready ready = PEERS_READY_NEVER; ready < PEERS_READY_REFUSED; ready++) {
        for (unsigned child = 1; child <= child_count; child++) {
            char what[64];
            snprintf(what, sizeof what, "R5: child %u is ready in way %u", child, ready);
            fresh(profile);
            seam.wrong_at = child;
            seam.ready = ready;
            expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, what);
            expect_equal(rootd.cause,
                         ready == PEERS_READY_NEVER ? STATUS_TIMED_OUT : STATUS_INTERNAL, what);
            expect(exits_with(ROOTD_EXIT_FAILED), what);
            expect_equal(peers_live_count(), 0, what);
            expect_equal(stand_in_slot_count(), 3, what);
            expect(!peers_bootstrap_lives(), what);
        }
    }
}

/* What is left of a boot that reached READY although a call failed: only optional services that were
 * passed over are gone. */
static void expect_passed_over(const char *what)
{
    expect(exits_with(ROOTD_EXIT_READY), what);
    bool asked_again = (seam.failed_operation == OP_STARTUP_START_SERVICE ||
                        seam.failed_operation == OP_DEVICED_READ_DRIVER) &&
                       seam.failure == FAIL_TIMED_OUT;
    expect(peers_logged("BASALT_ROOTD:PASSED_OVER:") != asked_again, what);
    /* A procd that does not answer is nobody's fault but procd's. */
    expect(operation_find(SERVICE_PROCD, seam.failed_operation) == NULL ||
               seam.failure == FAIL_REFUSED,
           what);
    expect_equal(stand_in_slot_count(), 4, what);
    for (uint32_t i = 0; i < rootd.intake.entry_count; i++) {
        const struct rootd_entry *entry = &rootd.intake.entries[i];
        if (entry->kind == ENTRY_SERVICE || entry->kind == ENTRY_DRIVER)
            expect(peers_lives(entry->role) == (rootd.entries[i].state == ENTRY_READY), what);
    }
}

/* R5: the k-th call fails, for every k and in every way. */
static void test_failures(uint32_t profile, bool optional)
{
    fresh_graph(profile, optional);
    (void)run();
    uint64_t total = seam.call_count;
    unsigned last_count = 0;
    for (enum failure failure = FAIL_TRANSPORT; failure < FAIL_COUNT; failure++) {
        for (uint64_t k = 1; k <= total; k++) {
            char what[80];
            fresh_graph(profile, optional);
            seam.fail_at = k;
            seam.failure = failure;
            enum rootd_status status = run();
            snprintf(what, sizeof what, "R5: call %u (operation %u) fails in way %u", (unsigned)k,
                     seam.failed_operation, failure);
            bool unheard = seam.failed_operation == OP_KERNEL_LOG_WRITE ||
                           seam.failed_operation == OP_KERNEL_EXIT;
            if (optional && status == ROOTD_READY && !unheard) {
                expect_passed_over(what);
                continue;
            }
            if (unheard || peers_logged("ERIX_ROOTD:READY\n")) {
                expect(stand_in_exited(NULL) || seam.failed_operation == OP_KERNEL_EXIT, what);
                continue;
            }
            expect(status != ROOTD_READY, what);
            expect(exits_with(ROOTD_EXIT_FAILED), what);
            expect(peers_logged(rootd_status_name(status)), what);
            if (rootd.stage == STAGE_SHED &&
                stand_in_at(SLOT_BOOTSTRAP_UNTYPED).object_type == OBJECT_NONE &&
                peers_bootstrap_lives()) {
                last_count++; /* the last drops: only EXIT is left (teardown.h) */
                continue;
            }
            expect_equal(peers_live_count(), 0, what);
            if (rootd.stage < STAGE_LAUNCH_PROCD) {
                expect_equal(stand_in_slot_count(), boot_cap_count, what);
                continue;
            }
            expect_equal(status, ROOTD_SERVICE_BOOTSTRAP_FAILED, what);
            expect_equal(stand_in_slot_count(), 3, what);
            expect(!peers_bootstrap_lives(), what);
        }
    }
    expect(last_count < 50, "only the last drops cannot be undone");
}

static void run_otherwise(uint16_t operation, enum status status)
{
    fresh_graph(VALIDATION_PROFILE_GRAPH, true);
    seam.other_operation = operation;
    seam.other_status = status;
}

/* R5: what deviced says that it says once in a lifetime. */
static void test_deviced(void)
{
    run_otherwise(OP_DEVICED_START_DRIVER, STATUS_TIMED_OUT);
    expect_equal(run(), ROOTD_READY, "R5: a driver that is started too late is passed over");
    expect_equal(seam.other_operation, 0, "a driver was started");
    expect_passed_over("R5: what was started too late is stopped");

    run_otherwise(OP_DEVICED_STOP_DRIVER, STATUS_PEER_DIED);
    peers_behave(ROLE_TEST_DRIVER, PEERS_READY_REFUSED, 0);
    expect_equal(run(), ROOTD_READY, "R5: a driver that ended with deviced needs no stop");
    expect_equal(seam.other_operation, 0, "a driver was stopped");
    expect_passed_over("R5: it is passed over");

    run_otherwise(OP_DEVICED_READ_DRIVER, STATUS_OK);
    expect_equal(run(), ROOTD_READY, "R5: a driver that is started again is waited for");
    expect_equal(seam.other_operation, 0, "a driver was read");
    expect(!peers_logged("BASALT_ROOTD:PASSED_OVER:"), "R5: it is not passed over");

    fresh_graph(VALIDATION_PROFILE_GRAPH, true);
    peers_machine.bound_count = 1;
    expect_equal(run(), ROOTD_SERVICE_BOOTSTRAP_FAILED, "R3: deviced knows the drivers seeded");
    expect_equal(rootd.cause, STATUS_INTERNAL, "R3: and no other");
}

int main(int count, char **arguments)
{
    (void)count;
    test_handoff();
    test_inventory();
    test_config();
    test_plan();
    test_boot_runtime();
    test_procd_ends();
    static const uint32_t programs[] = {ROLE_TEST_HOSTILE, ROLE_TESTER};
    test_boot_programs(VALIDATION_PROFILE_PHASE0, programs + 1, 1);
    test_boot_programs(VALIDATION_PROFILE_HOSTILE, programs, 2); /* after what does harm */
    test_program_ends();
    test_stop_tries();
    test_ready(VALIDATION_PROFILE_NONE, FOUNDATION_COUNT);
    test_ready(VALIDATION_PROFILE_HOSTILE, FOUNDATION_COUNT + TARGETS + 2);
    test_ready(VALIDATION_PROFILE_GRAPH, FOUNDATION_COUNT + 8 + 1);
    test_graph();
    test_failures(VALIDATION_PROFILE_NONE, false);
    test_failures(VALIDATION_PROFILE_PHASE0, false);
    test_failures(VALIDATION_PROFILE_HOSTILE, false);
    test_failures(VALIDATION_PROFILE_GRAPH, false);
    test_failures(VALIDATION_PROFILE_GRAPH, true);
    test_deviced();
    return tests_end(arguments[0]);
}
