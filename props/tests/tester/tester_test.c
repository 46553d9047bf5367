/* SPDX-License-Identifier: ISC */
/* tester against a small rootd, procd, memd and log: it accepts nothing but what services/probes states
 * and a book that is as before; whatever fails, its exit code says what, and no helper is left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "abi/messages/procd.h"
#include "abi/messages/startup.h"
#include "abi/process.h"
#include "props/base/testing.h"
#include "services/probes/attacks.h"
#include "services/probes/expectations.h"
#include "services/tester/tester.h"

/* --- the others -------------------------------------------------------------------------------- */

enum { CHILD_LIMIT = 32, LOG_BYTES = 4096, BOOK_FIELDS = 5 };

enum failure { FAIL_NONE, FAIL_TRANSPORT, FAIL_TIMED_OUT, FAIL_REFUSED, FAIL_COUNT };

struct child {
    uint32_t role;
    uint64_t argument;
    bool staged;
    bool ended;
    uint32_t stop_code;
};

static struct {
    uint32_t role; /* tester or attacks */
    uint32_t profile;
    unsigned started; /* accepted: 1 the envelope, 2 the offer as well */
    uint64_t now_ticks;
    uint64_t call_count;
    uint64_t fail_at; /* number of the call that fails; 0: none */
    enum failure failure;
    uint16_t failed_operation;
    unsigned child_count;
    struct child children[CHILD_LIMIT]; /* their ids: place + 1 */
    bool holds_endpoint;                /* of the helper that was started or staged last */
    bool holds_grant;                   /* of the one that was staged last */
    unsigned install_count;             /* send rights given to attackers */
    unsigned odd_child;                 /* number of the child that ends otherwise; 0: none */
    uint32_t odd_code;                  /* added to its code */
    uint64_t odd_va;                    /* added to the address of its fault */
    uint32_t missing_role;              /* of a module that is not offered */
    unsigned books_asked;
    unsigned book_field;    /* of memd's book, which differs from the second question on */
    unsigned book_until;    /* number of the question from which on it is as before */
    unsigned account_count; /* at the first question */
    char log[LOG_BYTES];
    unsigned log_count;
} others;

static struct tester tester;

static enum status refuse(struct message *message, enum status status)
{
    message_refuse(message, status);
    return STATUS_OK;
}

static enum status reply(const struct message_type *type, const void *body, struct message *message)
{
    if (message_encode(type, body, message) != STATUS_OK)
        abort();
    return STATUS_OK;
}

static enum status done(const struct message_type *type, struct message *message)
{
    uint64_t nothing = 0;
    return reply(type, &nothing, message);
}

/* --- rootd: envelope and offer -------------------------------------------------------------------- */

static void write_envelope(struct message *message)
{
    unsigned row_count = 0;
    const struct role *role = role_find(others.role);
    const struct intake *rows = role_intake(others.role, &row_count);
    struct envelope envelope = {.role = others.role,
                                .service_endpoint_slot = SLOT_SERVICE_ENDPOINT,
                                .primary_control_slot = role->primary_slot,
                                .slot_window_first = SLOT_SERVICE_ENDPOINT,
                                .slot_window_last = SLOT_STARTUP_LAST,
                                .validation_profile = others.profile};
    envelope.entries[envelope.entry_count++] = (struct envelope_entry){
        .slot = SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT, ROLE_NONE};
    for (unsigned i = 0; i < row_count; i++)
        envelope.entries[envelope.entry_count++] = (struct envelope_entry){
            .slot = rows[i].slot,
            .object_type = (uint16_t)rows[i].object_type,
            .rights = rows[i].rights,
            .peer_role = service_peer_role(rows[i].slot, rows[i].object_type, rows[i].rights)};
    struct startup_start_service_request request = {0};
    size_t written = 0;
    if (envelope_encode(&envelope, request.envelope, sizeof request.envelope, &written) !=
        STATUS_OK)
        abort();
    request.count = (uint32_t)written;
    (void)reply(&startup_start_service_request_type, &request, message);
}

static void write_offer(struct message *message)
{
    static const uint32_t roles[] = {
        ROLE_PHASE0_PROBE,       ROLE_PHASE0_EXIT,  ROLE_PHASE0_FAULT_KILL, ROLE_PHASE0_ISOLATION_A,
        ROLE_PHASE0_ISOLATION_B, ROLE_PHASE0_STOCK, ROLE_TEST_SPIN,         ROLE_TEST_VECTORS,
        ROLE_ATTACK_CLIENT,      ROLE_ATTACK_HEIR,  ROLE_ATTACK_CHILD};
    struct startup_offer_modules_request offer = {0};
    for (unsigned i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (roles[i] != others.missing_role)
            offer.modules[offer.count++] =
                (struct startup_module){.role = roles[i],
                                        .image_offset = roles[i] * UINT64_C(4096),
                                        .image_bytes = roles[i],
                                        .end_ticks = 100};
    }
    (void)reply(&startup_offer_modules_request_type, &offer, message);
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    *info = (struct receive_info){.endpoint_slot = slot, .window_slot = SLOT_RECEIVE_BASE};
    if (others.started < 2) { /* what is refused is sent again */
        if (others.started == 0)
            write_envelope(message);
        else
            write_offer(message);
        info->reply_slot = SLOT_REPLY_BASE;
        return STATUS_OK;
    }
    expect(deadline_ticks != DEADLINE_NEVER, "every wait has a deadline");
    info->now_ticks = ++others.now_ticks;
    if (deadline_ticks == DEADLINE_POLL)
        return STATUS_RETRY;
    if (deadline_ticks > others.now_ticks)
        info->now_ticks = others.now_ticks = deadline_ticks;
    return STATUS_TIMED_OUT;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    expect(reply_slot == SLOT_REPLY_BASE, "one reply to each call");
    others.started += message->header.status == STATUS_OK;
    return STATUS_OK;
}

/* --- the kernel: what it holds, and the log --------------------------------------------------------- */

enum { PROCESS_ID = 9 }; /* that procd would have given */

static enum status query(struct message *message)
{
    struct kernel_query_local_cap_request request;
    unsigned row_count = 0;
    const struct intake *rows = role_intake(others.role, &row_count);
    struct kernel_query_local_cap_reply held[8] = {
        {.slot = SLOT_SELF, .object_type = OBJECT_KERNEL_SELF, .rights = RIGHT_CONTROL},
        {.slot = SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, .rights = RIGHTS_SERVICE_ENDPOINT}};
    if (message_decode(&kernel_query_local_cap_request_type, message, &request) != STATUS_OK)
        abort();
    for (unsigned i = 0; i < row_count; i++) {
        uint32_t peer = service_peer_role(rows[i].slot, rows[i].object_type, rows[i].rights);
        uint64_t badge = service_peer_badge(peer, PROCESS_ID, others.role);
        held[2 + i] = (struct kernel_query_local_cap_reply){.slot = rows[i].slot,
                                                            .object_type = rows[i].object_type,
                                                            .rights = rows[i].rights,
                                                            .badge = peer != 0 ? badge : 0};
    }
    for (unsigned i = 0; i < row_count + 2; i++) {
        if (held[i].slot == request.slot ||
            (request.mode == QUERY_NEXT && held[i].slot > request.slot))
            return reply(&kernel_query_local_cap_reply_type, &held[i], message);
    }
    return refuse(message, STATUS_NOT_FOUND);
}

static enum status self_call(struct message *message)
{
    uint32_t slot;
    memcpy(&slot, message->body, sizeof slot);
    if (message->header.operation == OP_KERNEL_QUERY_LOCAL_CAP)
        return query(message);
    bool *held = slot == TESTER_SLOT_CHILD ? &others.holds_endpoint : &others.holds_grant;
    if (message->header.operation != OP_KERNEL_DROP_LOCAL_CAP || slot < TESTER_SLOT_CHILD ||
        slot > TESTER_SLOT_CHILD + 1 || !*held)
        return refuse(message, STATUS_NOT_FOUND);
    *held = false;
    return done(&kernel_drop_local_cap_reply_type, message);
}

/* What an attacker is given: a send right to procd, badged as its own, and nothing else. */
static enum status install(struct message *message)
{
    struct kernel_cap_copy_attenuated_request request;
    const struct child *child = &others.children[others.child_count - 1];
    if (message_decode(&kernel_cap_copy_attenuated_request_type, message, &request) != STATUS_OK)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    expect_equal(request.grant_slot, TESTER_SLOT_CHILD + 1, "to the process staged last");
    expect_equal(request.source_slot, SLOT_PROCD_ADMINISTRATOR, "an end of procd");
    expect_equal(request.target_slot, SLOT_PEER_PROCD, "where a client has it");
    expect_equal(request.rights, RIGHT_SEND, "to send and not to give away");
    expect_equal(request.badge & 0xFFFF, child->role, "as the role that it is");
    expect(child->staged && others.holds_grant, "before it runs");
    others.install_count++;
    return done(&kernel_cap_copy_attenuated_reply_type, message);
}

static enum status log_write(struct message *message)
{
    struct kernel_log_write_request request;
    if (message_decode(&kernel_log_write_request_type, message, &request) != STATUS_OK)
        abort();
    for (uint32_t i = 0; i < request.count && others.log_count < LOG_BYTES - 1; i++)
        others.log[others.log_count++] = (char)request.bytes[i];
    return done(&kernel_log_write_reply_type, message);
}

/* --- memd --------------------------------------------------------------------------------------------- */

/* The tester's, and those of three services that are attacked. */
static unsigned lasting_accounts(uint32_t profile)
{
    return profile == VALIDATION_PROFILE_HOSTILE ? 6 : 1; /* three services, two with moulds */
}

/* The same book each time, but for one field for as long as the test says. */
static enum status book(struct message *message)
{
    uint64_t fields[BOOK_FIELDS] = {100, 60, 10, 30, lasting_accounts(others.profile)};
    struct memd_query_memory_reply answer;
    others.books_asked++;
    if (others.books_asked == 1)
        fields[4] = others.account_count;
    else if (others.book_field != 0 && others.books_asked < others.book_until)
        fields[others.book_field - 1]++;
    _Static_assert(sizeof answer == sizeof fields, "the book has these fields and no other");
    memcpy(&answer, fields, sizeof answer);
    return reply(&memd_query_memory_reply_type, &answer, message);
}

/* --- procd -------------------------------------------------------------------------------------------- */

static enum status spawn(struct message *message)
{
    struct procd_spawn_service_request request;
    if (message_decode(&procd_spawn_service_request_type, message, &request) != STATUS_OK ||
        request.image_offset != request.role * UINT64_C(4096) ||
        request.image_bytes != request.role || message->header.window_count != 1 ||
        others.holds_endpoint)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    if (others.child_count == CHILD_LIMIT)
        abort();
    others.children[others.child_count++] =
        (struct child){.role = request.role, .argument = request.argument};
    struct procd_spawn_service_reply made = {.process_id = others.child_count,
                                             .endpoint_slot = message->header.window_slot};
    (void)reply(&procd_spawn_service_reply_type, &made, message);
    message->caps[0].object_type = OBJECT_ENDPOINT;
    others.holds_endpoint = true;
    return STATUS_OK;
}

static enum status stage(uint32_t slot, struct message *message)
{
    struct procd_create_staged_process_request request;
    if (message_decode(&procd_create_staged_process_request_type, message, &request) != STATUS_OK ||
        message->header.window_count != 2 || others.holds_endpoint || others.holds_grant)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    if (others.child_count == CHILD_LIMIT)
        abort();
    bool client = request.role == ROLE_ATTACK_CLIENT || request.role == ROLE_ATTACK_HEIR;
    expect(client == (slot == SLOT_PROCD_ADMINISTRATOR), "attackers alone are launched");
    others.children[others.child_count++] = (struct child){.role = request.role, .staged = true};
    struct procd_create_staged_process_reply made = {.process_id = others.child_count,
                                                     .endpoint_slot = message->header.window_slot,
                                                     .grant_slot = message->header.window_slot + 1};
    (void)reply(&procd_create_staged_process_reply_type, &made, message);
    message->caps[0].object_type = OBJECT_ENDPOINT;
    message->caps[1].object_type = OBJECT_GRANT;
    others.holds_endpoint = others.holds_grant = true;
    return STATUS_OK;
}

static bool is_client(const struct child *child)
{
    return child->role == ROLE_ATTACK_CLIENT || child->role == ROLE_ATTACK_HEIR;
}

static enum status begin(struct child *child, struct message *message)
{
    struct procd_start_staged_process_request request;
    if (message_decode(&procd_start_staged_process_request_type, message, &request) != STATUS_OK ||
        !child->staged)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    enum attack attack = attack_of(request.argument);
    child->staged = false;
    child->argument = request.argument;
    child->ended = is_client(child) &&
                   (attack == ATTACK_ORPHANS || attack == ATTACK_RECORDS || attack == ATTACK_BURY);
    return done(&procd_start_staged_process_reply_type, message);
}

static enum status look_at(const struct child *child, struct message *message)
{
    bool is_odd = others.odd_child != 0 && child == &others.children[others.odd_child - 1];
    struct procd_query_process_reply found = {
        .role = child->role,
        .state = child->ended ? PROCESS_ENDED : PROCESS_RUNNING,
        .reason = child->ended ? END_EXITED : END_NONE,
        .code = child->ended ? CHILD_OK + (is_odd ? others.odd_code : 0) : 0};
    return reply(&procd_query_process_reply_type, &found, message);
}

/* How a run is stated to end; the spinner never ends by itself. */
static bool stated_end(const struct child *child, struct procd_wait_process_event_reply *ended)
{
    for (unsigned i = 0; i < PROBE_RUN_COUNT; i++) {
        const struct probe_run *run = &probe_runs[i];
        if (run->role != child->role || run->argument != child->argument)
            continue;
        ended->reason = run->reason;
        ended->code = run->code;
        ended->fault_va = run->fault_va;
    }
    if (child->role == ROLE_TEST_VECTORS) {
        ended->reason = END_EXITED;
        ended->code = VECTORS_KEPT;
    }
    if (child->role == ROLE_ATTACK_CHILD) {
        bool windows = child->argument == CHILD_WINDOWS;
        ended->reason = windows ? END_FAULT_BUDGET : END_EXITED;
        ended->code = windows ? 0 : CHILD_OK;
    }
    if (child->role != ROLE_TEST_SPIN)
        return true;
    ended->reason = child->argument == TEST_SPIN_HOG ? END_FAULT_PAGE_LIMIT : END_KILLED;
    ended->code = child->stop_code;
    return child->argument == TEST_SPIN_HOG || child->ended;
}

static enum status procd_call(uint32_t slot, uint16_t operation, struct message *message)
{
    uint64_t id;
    memcpy(&id, message->body, sizeof id);
    if (operation == OP_PROCD_SPAWN_SERVICE)
        return spawn(message);
    if (operation == OP_PROCD_CREATE_STAGED_PROCESS)
        return stage(slot, message);
    if (id == 0 || id > others.child_count)
        return refuse(message, STATUS_NOT_FOUND);
    struct child *child = &others.children[id - 1];
    if (operation == OP_PROCD_START_STAGED_PROCESS)
        return begin(child, message);
    if (operation == OP_PROCD_QUERY_PROCESS)
        return look_at(child, message);
    if (operation == OP_PROCD_STOP_PROCESS) {
        memcpy(&child->stop_code, message->body + sizeof id, sizeof child->stop_code);
        child->ended = true;
        return done(&procd_stop_process_reply_type, message);
    }
    struct procd_wait_process_event_reply ended = {.process_id = id};
    if (operation != OP_PROCD_WAIT_PROCESS_EVENT || !stated_end(child, &ended))
        return refuse(message, STATUS_TIMED_OUT);
    if (id == others.odd_child) {
        ended.code += others.odd_code;
        ended.fault_va += others.odd_va;
    }
    child->ended = true;
    return reply(&procd_wait_process_event_reply_type, &ended, message);
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    uint16_t operation = message->header.operation;
    bool kernel = slot == SLOT_SELF || slot == SLOT_KERNEL_LOG_ENDPOINT ||
                  slot == SLOT_KERNEL_CHILD_POPULATE_ENDPOINT;
    expect(kernel || deadline_ticks != DEADLINE_NEVER, "every call to a peer has a deadline");
    if (++others.call_count == others.fail_at) {
        others.failed_operation = operation;
        if (others.failure == FAIL_REFUSED)
            return refuse(message, STATUS_EXHAUSTED);
        return others.failure == FAIL_TIMED_OUT ? STATUS_TIMED_OUT : STATUS_PEER_DIED;
    }
    if (slot == SLOT_SELF)
        return self_call(message);
    if (slot == SLOT_KERNEL_LOG_ENDPOINT)
        return log_write(message);
    if (slot == SLOT_KERNEL_CHILD_POPULATE_ENDPOINT)
        return install(message);
    if (slot == SLOT_PEER_MEMD && operation == OP_MEMD_QUERY_MEMORY)
        return book(message);
    expect(slot == SLOT_PEER_PROCD || slot == SLOT_PROCD_ADMINISTRATOR,
           "nobody else is asked anything else");
    return procd_call(slot, operation, message);
}

/* --- the tests ------------------------------------------------------------------------------------------ */

static void fresh(uint32_t profile)
{
    memset(&tester, 0, sizeof tester);
    memset(&others, 0, sizeof others);
    others.profile = profile;
    others.role = profile == VALIDATION_PROFILE_ATTACKS ? ROLE_ATTACKS : ROLE_TESTER;
    others.account_count = lasting_accounts(profile);
}

static unsigned live_count(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < others.child_count; i++)
        count += !others.children[i].ended;
    return count;
}

static bool logged(const char *text)
{
    return strstr(others.log, text) != NULL;
}

#define PHASE0_LINES                                                                               \
    "ROOTD_STAGE:phase0-exit:EXITED:0x2a\nROOTD_STAGE:phase0-exit:EXITED:0x0\n"                    \
    "ROOTD_STAGE:phase0-probe:EXITED:0x600d\nROOTD_STAGE:phase0-stock:EXITED:0x570c\n"             \
    "ROOTD_STAGE:phase0-isolation-a:EXITED:0xa11ce\n"                                              \
    "ROOTD_STAGE:phase0-isolation-b:EXITED:0xb0b0000\n"                                            \
    "ROOTD_STAGE:phase0-fault-kill:FAULT_OUTSIDE\n"                                                \
    "ROOTD_STAGE:phase0-fault-kill:FAULT_WRITE_DENIED\n"                                           \
    "ROOTD_STAGE:phase0-fault-kill:FAULT_EXECUTE_DENIED\n"                                         \
    "ROOTD_STAGE:phase0-fault-kill:FAULT_NULL_PAGE\n"                                              \
    "ROOTD_STAGE:phase0-fault-kill:FAULT_GUARD\nROOTD_STAGE:phase0-exit:EXITED:0x2a\n"
#define LAST_LINES "ROOTD_STAGE:HELPERS_DONE\nROOTD_STAGE:RESOURCES_BACK\n"

static void test_phase0(void)
{
    fresh(VALIDATION_PROFILE_PHASE0);
    expect_equal(tester_run(&tester, others.role), STATUS_OK, "phase0: all is as stated");
    expect(strcmp(others.log, PHASE0_LINES LAST_LINES) == 0, "phase0: the whole log");
    expect_equal(live_count(), 0, "phase0: nobody is left");
}

/* K5: alongside the spinner, which is stopped, and again without it. */
static void test_hostile(void)
{
    fresh(VALIDATION_PROFILE_HOSTILE);
    expect_equal(tester_run(&tester, others.role), STATUS_OK, "hostile: all is as stated");
    expect(strcmp(others.log, "ROOTD_STAGE:test-spin:FAULT_PAGE_LIMIT\n"
                              "ROOTD_STAGE:test-vectors:EXITED:0x5e\n"
                              "ROOTD_STAGE:test-vectors:EXITED:0x5e\n" PHASE0_LINES
                              "ROOTD_STAGE:test-spin:KILLED:0x5919\n"
                              "ROOTD_STAGE:SPINNER_STOPPED\n" PHASE0_LINES LAST_LINES) == 0,
           "hostile: the whole log");
    expect_equal(live_count(), 0, "hostile: nobody is left");
}

/* M9: every attack, with the pages that were free before and after. */
static void test_attacks(void)
{
    fresh(VALIDATION_PROFILE_ATTACKS);
    expect_equal(tester_run(&tester, others.role), STATUS_OK, "attacks: all are held");
    static const char *const names[] = {"orphans", "records", "regions",  "memory",
                                        "frames",  "bury",    "identity", "budget"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "ROOTD_STAGE:attack-%s:HELD:free 60 60\n", names[i]);
        expect(logged(line), names[i]);
    }
    expect(logged("ROOTD_STAGE:ATTACKS_DONE\nROOTD_STAGE:RESOURCES_BACK\n"), "attacks: the end");
    expect_equal(others.install_count, 11, "attacks: each attacker is a client");
    expect_equal(live_count(), 0, "attacks: nobody is left");
    unsigned total = others.child_count;
    for (unsigned child = 1; child <= total; child++) {
        bool beside = others.children[child - 1].role == ROLE_ATTACK_CHILD;
        fresh(VALIDATION_PROFILE_ATTACKS);
        others.odd_child = child;
        others.odd_code = 1;
        expect(tester_run(&tester, others.role) == STATUS_OK || logged(":HARMED:free 60 60\n") ||
                   logged(":ATTACKED_NOBODY\n"),
               "attacks: somebody ends otherwise");
        expect(!beside || logged("HARMED") || logged("FAULT_BUDGET"), "attacks: is harmed");
        expect_equal(live_count(), 0, "attacks: nobody is left");
    }
    for (unsigned field = 1; field <= BOOK_FIELDS; field++) {
        fresh(VALIDATION_PROFILE_ATTACKS);
        others.book_field = field;
        others.book_until = UINT32_MAX;
        expect_equal(tester_run(&tester, others.role), STATUS_INTERNAL,
                     "attacks: the book differs");
        expect(logged("ROOTD_STAGE:attack-orphans:HARMED:free 60 ") && logged("RESOURCES_LEFT\n"),
               "attacks: the book differs");
    }
}

/* RESOURCES_BACK is said of the same book alone, to the last field. */
static void test_books(void)
{
    for (unsigned field = 1; field <= BOOK_FIELDS; field++) {
        fresh(VALIDATION_PROFILE_PHASE0);
        others.book_field = field;
        others.book_until = UINT32_MAX;
        expect_equal(tester_run(&tester, others.role), STATUS_EXHAUSTED,
                     "a book with another field");
        expect(logged("HELPERS_DONE\n") && logged("RESOURCES_LEFT\n") && !logged("RESOURCES_BACK"),
               "a book with another field");
        fresh(VALIDATION_PROFILE_PHASE0);
        others.book_field = field;
        others.book_until = 10;
        expect_equal(tester_run(&tester, others.role), STATUS_OK, "a book that is late");
        expect(logged("RESOURCES_BACK\n"), "a book that is late");
    }
    fresh(VALIDATION_PROFILE_PHASE0);
    others.account_count = 2;
    expect_equal(tester_run(&tester, others.role), STATUS_OK, "an account that is closed late");
    fresh(VALIDATION_PROFILE_HOSTILE);
    others.account_count++;
    others.book_field = 5;
    others.book_until = UINT32_MAX;
    expect_equal(tester_run(&tester, others.role), STATUS_EXHAUSTED, "an account that was left");
    expect_equal(others.log_count, 0, "an account that was left: nothing is started");
}

/* Each helper ends once with another code and once after another fault; what is not stated of its
 * end may be anything. */
static void test_ends(void)
{
    for (unsigned i = 0; i < PROBE_RUN_COUNT; i++) {
        bool has_code = probe_runs[i].reason <= END_KILLED;
        fresh(VALIDATION_PROFILE_PHASE0);
        others.odd_child = i + 1;
        others.odd_code = 1;
        expect_equal(tester_run(&tester, others.role), has_code ? STATUS_INTERNAL : STATUS_OK,
                     "another code");
        expect(logged("UNEXPECTED") == has_code && logged("HELPERS_DONE") != has_code,
               "another code");
        expect(logged("RESOURCES_BACK\n"), "the book is compared, however a helper ended");
        expect_equal(live_count(), 0, "another code");
        bool has_va = probe_runs[i].fault_va != 0;
        fresh(VALIDATION_PROFILE_PHASE0);
        others.odd_child = i + 1;
        others.odd_va = 4096;
        expect_equal(tester_run(&tester, others.role), has_va ? STATUS_INTERNAL : STATUS_OK,
                     "another address");
        expect(logged("UNEXPECTED") == has_va, "another address");
        fresh(VALIDATION_PROFILE_PHASE0);
        others.missing_role = probe_runs[i].role;
        expect_equal(tester_run(&tester, others.role), STATUS_NOT_FOUND,
                     "a module that was not offered");
        expect(!logged("HELPERS_DONE"), "a module that was not offered");
    }
}

/* R5: the k-th call fails, for every k and in every way: an exit code that is no success, and nobody
 * is left who could be stopped. */
static void test_failures(uint32_t profile)
{
    fresh(profile);
    (void)tester_run(&tester, others.role);
    uint64_t total = others.call_count;
    for (enum failure failure = FAIL_TRANSPORT; failure < FAIL_COUNT; failure++) {
        for (uint64_t k = 1; k <= total; k++) {
            char what[80];
            fresh(profile);
            others.fail_at = k;
            others.failure = failure;
            enum status status = tester_run(&tester, others.role);
            snprintf(what, sizeof what, "R5: call %u (operation 0x%x) fails in way %u", (unsigned)k,
                     others.failed_operation, failure);
            bool log = others.failed_operation == OP_KERNEL_LOG_WRITE;
            bool start = others.failed_operation == OP_KERNEL_QUERY_LOCAL_CAP;
            expect((status == STATUS_OK) == (log || start), what);
            bool asked = others.failed_operation != OP_MEMD_QUERY_MEMORY;
            bool once = profile != VALIDATION_PROFILE_ATTACKS; /* it asks again after the failure */
            expect(log || logged("RESOURCES_BACK\n") == asked || (!asked && !once), what);
            expect(!logged("RESOURCES_LEFT\n"), what); /* nothing is: nobody said so */
            expect_equal(live_count(), 0, what);
        }
    }
}

int main(int count, char **arguments)
{
    (void)count;
    test_phase0();
    test_hostile();
    test_books();
    test_ends();
    test_failures(VALIDATION_PROFILE_PHASE0);
    test_failures(VALIDATION_PROFILE_HOSTILE);
    test_attacks();
    test_failures(VALIDATION_PROFILE_ATTACKS);
    return tests_end(arguments[0]);
}
