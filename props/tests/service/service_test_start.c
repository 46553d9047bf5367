/* SPDX-License-Identifier: ISC */
/* services/lib: start-up. What a service holds is what its envelope names (R1, P10); the first sound
 * offer is taken; who asks is answered even when the service ends (E5). */
#include <string.h>

#include "abi/codec.h"
#include "abi/formats/envelope.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "abi/profile.h"
#include "props/base/testing.h"
#include "props/tests/service/service_test.h"

/* --- the offer -------------------------------------------------------------------------------- */

/* The first offer that an administrator makes and that decodes is taken; everything before it is
 * refused, and the endpoint's end is an error with nothing taken. */
static void test_offer(void)
{
    static const struct {
        const char *what;
        uint16_t operation;
        uint64_t badge;
        uint8_t last_byte; /* of the request's reserved field */
        enum status status;
    } rows[] = {
        {"an offer is taken", OP_STARTUP_OFFER_MODULES, 0, 0, STATUS_OK},
        {"another operation", OP_STARTUP_START_SERVICE, 0, 0, STATUS_DENIED},
        {"no administrator's", OP_STARTUP_OFFER_MODULES, ROLE_PROCD, 0, STATUS_DENIED},
        {"one that does not decode", OP_STARTUP_OFFER_MODULES, 0, 1, STATUS_INVALID_ARGUMENT},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct caller caller = {0};
        struct startup_offer_modules_request offer = {
            .count = 1, .modules[0] = {.role = ROLE_TEST_SPIN, .image_bytes = 1}};
        fresh();
        (void)message_encode(&startup_offer_modules_request_type, &offer, &seam.request);
        seam.request.header.operation = rows[i].operation;
        seam.request.body[3] = rows[i].last_byte;
        seam.info.badge = rows[i].badge;
        seam.info.reply_slot = SLOT_REPLY_BASE;
        seam.recv_limit = 2; /* then the endpoint is gone */
        enum status status = service_take_offer(&caller, &offer);
        caller_flush(&caller);
        expect(status == (rows[i].status == STATUS_OK ? STATUS_OK : STATUS_NOT_FOUND),
               rows[i].what);
        expect(seam.reply_count == (rows[i].status == STATUS_OK ? 1u : 2u), rows[i].what);
        expect(seam.replies[0].header.status == rows[i].status, rows[i].what);
        expect(offer.count == (rows[i].status == STATUS_OK ? 1u : 0u), rows[i].what);
        expect(offer.modules[0].role == (status == STATUS_OK ? (uint32_t)ROLE_TEST_SPIN : 0u),
               rows[i].what);
    }
}

/* --- start-up --------------------------------------------------------------------------------- */

static struct {
    struct envelope envelope;
    struct kernel_query_local_cap_reply held[ENVELOPE_ENTRY_LIMIT + 2]; /* ascending slots */
    unsigned held_count;
} start;

static void hold(uint32_t slot, uint32_t type, uint32_t rights, uint64_t badge)
{
    unsigned at = start.held_count++;
    for (; at > 0 && start.held[at - 1].slot > slot; at--)
        start.held[at] = start.held[at - 1];
    start.held[at] = (struct kernel_query_local_cap_reply){
        .slot = slot, .object_type = type, .rights = rights, .badge = badge};
}

enum { PROCESS_ID = 0x20007 };

static void hold_and_name(const struct role *role, uint32_t slot, uint16_t type, uint16_t rights)
{
    uint32_t peer = service_peer_role(slot, type, rights);
    start.envelope.entries[start.envelope.entry_count++] = (struct envelope_entry){
        .slot = slot, .object_type = type, .rights = rights, .peer_role = peer};
    hold(slot, type, rights,
         peer == ROLE_NONE ? 0 : service_peer_badge(peer, PROCESS_ID, role->id));
}

/* The cspace and the envelope that the role's rows ask for. */
static void start_as(const struct role *role)
{
    unsigned count = 0;
    const struct intake *rows = role_intake(role->id, &count);
    start.held_count = 0;
    start.envelope = (struct envelope){.role = role->id,
                                       .service_endpoint_slot = SLOT_SERVICE_ENDPOINT,
                                       .primary_control_slot = role->primary_slot,
                                       .slot_window_first = SLOT_SERVICE_ENDPOINT,
                                       .slot_window_last = SLOT_STARTUP_LAST};
    hold(SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0);
    hold_and_name(role, SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT);
    for (unsigned i = 0; i < count; i++)
        hold_and_name(role, rows[i].slot, (uint16_t)rows[i].object_type, (uint16_t)rows[i].rights);
}

static void reply_held(struct message *message)
{
    struct kernel_query_local_cap_request query;
    (void)message_decode(&kernel_query_local_cap_request_type, message, &query);
    unsigned at = 0;
    while (at < start.held_count && start.held[at].slot < query.slot)
        at++;
    if (at < start.held_count && (query.mode == QUERY_NEXT || start.held[at].slot == query.slot))
        (void)message_encode(&kernel_query_local_cap_reply_type, &start.held[at], message);
    else
        message_refuse(message, STATUS_NOT_FOUND);
}

/* START_SERVICE with the envelope, as often as the script says. */
static void script_start(void)
{
    struct startup_start_service_request request = {0};
    size_t written = 0;
    fresh();
    (void)envelope_encode(&start.envelope, request.envelope, sizeof request.envelope, &written);
    request.count = (uint32_t)written;
    (void)message_encode(&startup_start_service_request_type, &request, &seam.request);
    seam.info.reply_slot = SLOT_REPLY_BASE;
    seam.make_reply = reply_held;
}

/* Starts a service of the role, by its only START_SERVICE. */
static enum status start_once(struct caller *caller, const struct role *role,
                              service_prepare *prepare, service_check *check, void *state)
{
    struct envelope accepted;
    script_start();
    seam.recv_limit = 1; /* then the endpoint is gone */
    return service_start(caller, role->id, &accepted, prepare, check, state);
}

/* What it answers to that. */
static uint32_t start_answer(const struct role *role)
{
    struct caller caller = {0};
    (void)start_once(&caller, role, NULL, NULL, NULL);
    caller_flush(&caller);
    return seam.reply_count == 1 ? seam.replies[0].header.status : (uint32_t)STATUS_INTERNAL;
}

/* R1: an unnamed capability is seen wherever the walk over the cspace goes on from. */
static void test_extra_authority(void)
{
    for (unsigned i = 0; i < role_count; i++) {
        if (role_table[i].id == ROLE_ROOTD)
            continue; /* the kernel hands over to it; no envelope does */
        start_as(&role_table[i]);
        expect(start_answer(&role_table[i]) == STATUS_OK, role_table[i].image);
        for (unsigned named = 0; named < start.envelope.entry_count; named++) {
            uint32_t behind = start.envelope.entries[named].slot + 1;
            if (envelope_find(&start.envelope, behind) != NULL)
                continue;
            hold(behind, OBJECT_FRAME, RIGHT_READ, 0);
            expect(start_answer(&role_table[i]) == STATUS_DENIED,
                   "R1: nothing is held right behind a named slot");
            start_as(&role_table[i]);
        }
    }
}

/* P10: at procd a process is known by its id and its role; the role alone says nothing. */
static void test_procd_badge(void)
{
    static const struct {
        uint64_t badge;
        enum status status;
    } rows[] = {
        {UINT64_C(7) << 16 | ROLE_TESTER, STATUS_OK},
        {UINT64_C(0xFFFFFFFFFFFF) << 16 | ROLE_TESTER, STATUS_OK},
        {ROLE_TESTER, STATUS_INVALID_ARGUMENT},
        {UINT64_C(7) << 16 | ROLE_TEST_HOSTILE, STATUS_INVALID_ARGUMENT},
        {UINT64_C(7) << 16, STATUS_INVALID_ARGUMENT},
        {0, STATUS_INVALID_ARGUMENT},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start_as(role_find(ROLE_TESTER));
        for (unsigned at = 0; at < start.held_count; at++) {
            if (start.held[at].slot == SLOT_PEER_PROCD)
                start.held[at].badge = rows[i].badge;
        }
        expect(start_answer(role_find(ROLE_TESTER)) == (uint32_t)rows[i].status,
               "P10: a badge at procd names a process and its role");
    }
}

/* What no service is sound after. */
static enum status prepare_in_vain(void *state, const struct envelope *envelope)
{
    (void)state;
    (void)envelope;
    return STATUS_EXHAUSTED;
}

/* E5: who asked a service to start hears why it did not, before its process ends. */
static void test_failed_prepare(void)
{
    struct caller caller = {0};
    start_as(role_find(ROLE_MEMD));
    expect(start_once(&caller, role_find(ROLE_MEMD), prepare_in_vain, NULL, NULL) ==
               STATUS_INTERNAL,
           "a failed prepare ends start-up");
    kernel_exit(&caller, STATUS_INTERNAL);
    expect(seam.sent.header.operation == OP_KERNEL_EXIT && seam.replies_before == 1,
           "E5: the answer goes out before EXIT");
    expect(seam.reply_count == 1 && seam.reply_slot == SLOT_REPLY_BASE &&
               seam.replies[0].header.operation == OP_STARTUP_START_SERVICE &&
               seam.replies[0].header.status == STATUS_EXHAUSTED &&
               seam.replies[0].header.body_bytes == 0,
           "once: what prepare said, and nothing else");
}

/* A state: what was done with it, in order. */
struct state {
    char done[4]; /* p: made, c: walked */
    const char *complaint;
};

static enum status make_state(void *of, const struct envelope *envelope)
{
    struct state *state = of;
    (void)envelope;
    strcat(state->done, "p");
    return STATUS_OK;
}

static struct state *watched; /* what is walked is not changed by that */

static const char *walk_state(const void *of)
{
    expect(of == watched && strlen(watched->done) < sizeof watched->done - 1,
           "the state is walked");
    strcat(watched->done, "c");
    return watched->complaint;
}

/* In an image with a validation profile a state is walked when it has been made, once, and one that is not
 * sound is not READY; in others nobody looks. */
static void test_walk(void)
{
    static const struct {
        const char *what;
        uint32_t profile;
        service_prepare *prepare;
        service_check *check;
        const char *complaint, *done;
        enum status answer;
    } rows[] = {
        {"sound", VALIDATION_PROFILE_PHASE0, make_state, walk_state, NULL, "pc", STATUS_OK},
        {"not sound", VALIDATION_PROFILE_PHASE0, make_state, walk_state, "M1", "pc",
         STATUS_INTERNAL},
        {"no profile", VALIDATION_PROFILE_NONE, make_state, walk_state, "M1", "p", STATUS_OK},
        {"nothing to make", VALIDATION_PROFILE_LAST, NULL, walk_state, "M1", "c", STATUS_INTERNAL},
        {"nothing to walk", VALIDATION_PROFILE_LAST, make_state, NULL, "M1", "p", STATUS_OK},
        {"not made", VALIDATION_PROFILE_PHASE0, prepare_in_vain, walk_state, NULL, "",
         STATUS_EXHAUSTED},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct caller caller = {0};
        struct state state = {.complaint = rows[i].complaint};
        watched = &state;
        start_as(role_find(ROLE_MEMD));
        start.envelope.validation_profile = rows[i].profile;
        enum status status =
            start_once(&caller, role_find(ROLE_MEMD), rows[i].prepare, rows[i].check, &state);
        expect(status == (rows[i].answer == STATUS_OK ? STATUS_OK : STATUS_INTERNAL), rows[i].what);
        caller_flush(&caller);
        expect(seam.reply_count == 1 && seam.replies[0].header.status == rows[i].answer,
               rows[i].what);
        expect(strcmp(state.done, rows[i].done) == 0, rows[i].what);
    }
}

static unsigned prepared_count;

static enum status prepare_once(void *state, const struct envelope *envelope)
{
    (void)state;
    (void)envelope;
    prepared_count++;
    return STATUS_OK;
}

/* R5: a launcher that has stopped waiting for READY asks again, and gets it without a second check. */
static void test_asked_again(void)
{
    for (unsigned lost = 0; lost < 4; lost++) {
        struct caller caller = {0};
        const struct role *role = role_find(ROLE_MEMD);
        start_as(role);
        script_start();
        seam.recv_limit = lost + 1;
        seam.lost_replies = lost;
        prepared_count = 0;
        struct envelope accepted;
        expect(service_start(&caller, role->id, &accepted, prepare_once, NULL, NULL) == STATUS_OK,
               "R5: READY counts when it was delivered");
        expect(seam.reply_count == lost + 1, "R5: every ask is answered");
        expect(prepared_count == 1, "the state is made once");
        expect(accepted.role == ROLE_MEMD, "and the envelope is there");
        expect(seam.replies[lost % 4].header.status == STATUS_OK, "R5: READY again");
    }
    struct caller caller = {0};
    struct envelope accepted;
    start_as(role_find(ROLE_MEMD));
    script_start();
    seam.recv_limit = 3;
    seam.lost_replies = 3;
    expect(service_start(&caller, ROLE_MEMD, &accepted, prepare_once, NULL, NULL) ==
               STATUS_NOT_FOUND,
           "READY that nobody ever hears is none");
}

void test_start(void)
{
    test_asked_again();
    test_procd_badge();
    test_extra_authority();
    test_offer();
    test_failed_prepare();
    test_walk();
}
