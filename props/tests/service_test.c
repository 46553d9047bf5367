/* SPDX-License-Identifier: ISC */
/* services/lib: each kernel-control wrapper sends its own operation with its arguments; a reply
 * against its contract leaves nothing behind; every received call gets exactly one reply (E5). */
#include <stdlib.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/formats/envelope.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "props/base/testing.h"
#include "services/lib/call_memd.h"
#include "services/lib/service.h"

/* --- the seam: a script and a record ------------------------------------------------------ */

static struct {
    /* script */
    enum status call_status;
    void (*make_reply)(struct message *message);
    enum status recv_status;
    unsigned recv_limit; /* messages until the endpoint is gone; 0: it never is */
    struct message request;
    struct receive_info info;
    enum status reply_status[2];
    /* record */
    unsigned call_count;
    uint32_t slot;
    struct message sent; /* the last call that is no DROP */
    uint64_t deadline_ticks;
    unsigned drop_count;
    uint32_t dropped[8];
    unsigned recv_count;
    uint32_t answered_slot; /* since the last message came */
    unsigned reply_count;
    uint32_t reply_slot;
    struct message replies[4];
    unsigned dropped_at_reply; /* DROPs made before the first reply */
    struct message_header recv_header;
} seam;

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    if (message->header.operation == OP_KERNEL_DROP_LOCAL_CAP && slot == SLOT_SELF &&
        seam.make_reply != NULL) {
        uint32_t dropped;
        memcpy(&dropped, message->body, sizeof dropped);
        if (seam.drop_count < 8)
            seam.dropped[seam.drop_count++] = dropped;
        message->header.body_bytes = 0;
        message->header.window_count = 0;
        return STATUS_OK;
    }
    seam.call_count++;
    seam.slot = slot;
    seam.sent = *message;
    seam.deadline_ticks = deadline_ticks;
    if (seam.call_status == STATUS_OK && seam.make_reply != NULL)
        seam.make_reply(message);
    return seam.call_status;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    seam.slot = slot;
    seam.deadline_ticks = deadline_ticks;
    seam.recv_header = message->header;
    *info = seam.info;
    if (seam.recv_limit != 0 && seam.recv_count++ >= seam.recv_limit)
        return STATUS_NOT_FOUND;
    seam.answered_slot = SLOT_NULL;
    if (seam.recv_status == STATUS_OK)
        *message = seam.request;
    return seam.recv_status;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    if (reply_slot == seam.answered_slot)
        return STATUS_NOT_FOUND;
    if (seam.reply_count == 0)
        seam.dropped_at_reply = seam.drop_count;
    seam.reply_slot = reply_slot;
    seam.replies[seam.reply_count % 4] = *message;
    seam.answered_slot = seam.reply_status[seam.reply_count % 2] == STATUS_OK ? reply_slot : 0;
    return seam.reply_status[seam.reply_count++ % 2];
}

static void fresh(void)
{
    memset(&seam, 0, sizeof seam);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void reply_bare(struct message *message)
{
    message_refuse(message, STATUS_OK);
}

static void reply_refusal(struct message *message)
{
    message_refuse(message, STATUS_EXHAUSTED);
}

static void reply_other_id(struct message *message)
{
    message_refuse(message, STATUS_OK);
    message->header.request_id++;
}

static void reply_account(struct message *message)
{
    struct memd_open_account_reply account = {.account_slot = 70};
    (void)message_encode(&memd_open_account_reply_type, &account, message);
    message->caps[0].object_type = OBJECT_ENDPOINT;
}

/* A right reply but for one thing; the capability has arrived all the same. */
static void reply_wrong_type(struct message *message)
{
    reply_account(message);
    message->caps[0].object_type = OBJECT_FRAME;
}

static void reply_extra_caps(struct message *message)
{
    reply_account(message);
    message->header.cap_count = 4;
}

static enum status open_account(struct caller *caller, struct window window,
                                struct memd_open_account_reply *reply)
{
    struct memd_open_account_request request = {.key = 7, .limit_pages = 5};
    return memd_call_open_account(caller, 33, window, 1234, &request, reply);
}

static void test_call(void)
{
    struct caller caller = {0};
    struct memd_open_account_reply reply;
    fresh();
    seam.make_reply = reply_account;
    expect(open_account(&caller, (struct window){70, 2}, &reply) == STATUS_OK, "a call succeeds");
    expect(reply.account_slot == 70, "its reply is decoded");
    expect(seam.slot == 33 && seam.deadline_ticks == 1234, "slot and deadline are passed on");
    expect(seam.sent.header.window_slot == 70 && seam.sent.header.window_count == 2,
           "the window is passed on");
    expect(seam.sent.header.operation == OP_MEMD_OPEN_ACCOUNT && seam.sent.header.request_id == 1,
           "operation and request id");
    expect(seam.drop_count == 0, "what a good reply delivered is kept");
    (void)open_account(&caller, (struct window){70, 2}, &reply);
    expect(seam.sent.header.request_id == 2, "request ids increase");
}

static void test_call_errors(void)
{
    static const struct {
        const char *what;
        void (*make_reply)(struct message *message);
        enum status call_status;
        enum status expected;
        unsigned dropped;
    } rows[] = {
        {"a refusal is the result", reply_refusal, STATUS_OK, STATUS_EXHAUSTED, 0},
        {"a reply to another request", reply_other_id, STATUS_OK, STATUS_INTERNAL, 0},
        {"a reply without its fields", reply_bare, STATUS_OK, STATUS_INTERNAL, 0},
        {"a capability of another type is dropped", reply_wrong_type, STATUS_OK, STATUS_INTERNAL,
         1},
        {"never more than the window is dropped", reply_extra_caps, STATUS_OK, STATUS_INTERNAL, 2},
        {"TIMED_OUT is passed on", reply_account, STATUS_TIMED_OUT, STATUS_TIMED_OUT, 0},
        {"PEER_DIED is passed on", reply_account, STATUS_PEER_DIED, STATUS_PEER_DIED, 0},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct caller caller = {0};
        struct memd_open_account_reply reply = {.account_slot = 1};
        fresh();
        seam.make_reply = rows[i].make_reply;
        seam.call_status = rows[i].call_status;
        expect(open_account(&caller, (struct window){70, 2}, &reply) == rows[i].expected,
               rows[i].what);
        expect(reply.account_slot == 0, "a failed call gives no reply");
        expect(seam.drop_count == rows[i].dropped, rows[i].what);
        for (unsigned j = 0; j < rows[i].dropped; j++)
            expect(seam.dropped[j] == 70 + j, rows[i].what);
    }
    struct caller caller = {0};
    struct memd_open_account_reply reply;
    struct memd_open_account_request wrong = {.key = 0};
    fresh();
    expect(memd_call_open_account(&caller, 33, NO_WINDOW, 0, &wrong, &reply) ==
                   STATUS_INVALID_ARGUMENT &&
               seam.call_count == 0,
           "a request against its row is not sent");
    expect(open_account(&caller, (struct window){70, 5}, &reply) == STATUS_INVALID_ARGUMENT &&
               seam.call_count == 0,
           "a window of five is not sent");
}

/* --- kernel control --------------------------------------------------------------------------- */

static void expect_sent(uint32_t slot, uint16_t id, const void *request, const char *what)
{
    static _Alignas(8) uint8_t sent[MESSAGE_BODY_BYTES_MAX];
    const struct operation *operation = operation_find(SERVICE_KERNEL, id);
    expect(seam.call_count == 1 && seam.slot == slot && seam.sent.header.operation == id, what);
    expect(message_decode(operation->request, &seam.sent, sent) == STATUS_OK &&
               memcmp(sent, request, operation->request->max_bytes) == 0,
           what);
    fresh();
}

static void test_self(void)
{
    struct caller caller = {0};
    struct kernel_query_local_cap_reply held;
    fresh();
    (void)kernel_query_local_cap(&caller, 7, QUERY_NEXT, &held);
    expect_sent(SLOT_SELF, OP_KERNEL_QUERY_LOCAL_CAP,
                &(struct kernel_query_local_cap_request){7, QUERY_NEXT}, "query");
    (void)kernel_drop_local_cap(&caller, 8);
    expect_sent(SLOT_SELF, OP_KERNEL_DROP_LOCAL_CAP, &(struct kernel_drop_local_cap_request){8},
                "drop");
    (void)kernel_move_local_cap(&caller, 8, 9);
    expect_sent(SLOT_SELF, OP_KERNEL_MOVE_LOCAL_CAP, &(struct kernel_move_local_cap_request){8, 9},
                "move");
    kernel_exit(&caller, 77);
    expect_sent(SLOT_SELF, OP_KERNEL_EXIT, &(struct kernel_exit_request){77}, "exit");
    (void)kernel_log_write(&caller, 50, "line", 4);
    expect_sent(50, OP_KERNEL_LOG_WRITE,
                &(struct kernel_log_write_request){.count = 4, .bytes = "line"}, "log");
    char text[LOG_LINE_BYTES_MAX + 1] = {0};
    expect(kernel_log_write(&caller, 50, text, 0) == STATUS_INVALID_ARGUMENT &&
               kernel_log_write(&caller, 50, text, sizeof text) == STATUS_INVALID_ARGUMENT &&
               seam.call_count == 0,
           "an empty or overlong line is not sent");
}

static void test_memory(void)
{
    struct caller caller = {0};
    uint8_t bytes[16];
    fresh();
    (void)kernel_retype(&caller, 50, 1, OBJECT_FRAME, 3, 4);
    expect_sent(50, OP_KERNEL_RETYPE, &(struct kernel_retype_request){1, OBJECT_FRAME, 3, 4},
                "retype");
    (void)kernel_destroy(&caller, 50, 6);
    expect_sent(50, OP_KERNEL_DESTROY, &(struct kernel_destroy_request){6}, "destroy");
    (void)kernel_frame_read(&caller, 50, 1, 4096, 16, bytes);
    expect_sent(50, OP_KERNEL_FRAME_READ, &(struct kernel_frame_read_request){1, 16, 4096},
                "frame read");
    (void)kernel_frame_copy(&caller, 50, 1, 4096, 2, 24, 100);
    expect_sent(50, OP_KERNEL_FRAME_COPY, &(struct kernel_frame_copy_request){1, 2, 4096, 24, 100},
                "frame copy");
    struct kernel_map_frame_request map = {1, 2, 8192, 3, 4, RIGHT_READ};
    (void)kernel_map_frame(&caller, 50, &map);
    expect_sent(50, OP_KERNEL_MAP_FRAME, &map, "map");
    (void)kernel_unmap_frame(&caller, 50, 1, 8192, 2);
    expect_sent(50, OP_KERNEL_UNMAP_FRAME, &(struct kernel_unmap_frame_request){1, 2, 8192},
                "unmap");
    (void)kernel_protect_frame(&caller, 50, 1, 8192, 2, RIGHT_READ);
    expect_sent(50, OP_KERNEL_PROTECT_FRAME,
                &(struct kernel_protect_frame_request){1, 2, 8192, RIGHT_READ, 0}, "protect");
}

static void test_process(void)
{
    struct caller caller = {0};
    struct kernel_create_staged_process_request create = {1, 16, 2, 3, PROCESS_USES_SSE, 0, 99};
    struct kernel_create_staged_process_reply created;
    struct kernel_start_process_request start = {1, 0, 4096, 8192, 5};
    struct kernel_retire_process_reply ended;
    struct kernel_cap_copy_attenuated_request copy = {1, 2, 3, RIGHT_SEND, 4};
    fresh();
    (void)kernel_create_staged_process(&caller, 50, &create, (struct window){70, 4}, &created);
    expect(seam.sent.header.window_slot == 70 && seam.sent.header.window_count == 4,
           "create passes its window on");
    expect_sent(50, OP_KERNEL_CREATE_STAGED_PROCESS, &create, "create");
    (void)kernel_register_pager(&caller, 50, 1, 2, 99);
    expect_sent(50, OP_KERNEL_REGISTER_PAGER, &(struct kernel_register_pager_request){1, 2, 99},
                "pager");
    (void)kernel_start_process(&caller, 50, &start);
    expect_sent(50, OP_KERNEL_START_PROCESS, &start, "start");
    (void)kernel_abort_staged_process(&caller, 50, 1);
    expect_sent(50, OP_KERNEL_ABORT_STAGED_PROCESS,
                &(struct kernel_abort_staged_process_request){1}, "abort");
    (void)kernel_kill_process(&caller, 50, 1, 9);
    expect_sent(50, OP_KERNEL_KILL_PROCESS, &(struct kernel_kill_process_request){1, 9}, "kill");
    (void)kernel_retire_process(&caller, 50, 1, &ended);
    expect_sent(50, OP_KERNEL_RETIRE_PROCESS, &(struct kernel_retire_process_request){1}, "retire");
    (void)kernel_cap_copy_attenuated(&caller, 50, &copy);
    expect_sent(50, OP_KERNEL_CAP_COPY_ATTENUATED, &copy, "install");
}

static void reply_clock(struct message *message)
{
    struct kernel_read_monotonic_clock_reply clock = {.now_ticks = 4711};
    (void)message_encode(&kernel_read_monotonic_clock_reply_type, &clock, message);
}

static void reply_read(struct message *message)
{
    struct kernel_frame_read_reply read = {.count = 8, .bytes = "12345678"};
    (void)message_encode(&kernel_frame_read_reply_type, &read, message);
}

static void test_answers(void)
{
    struct caller caller = {0};
    uint64_t now_ticks = 1;
    uint8_t bytes[16] = {0};
    fresh();
    seam.make_reply = reply_clock;
    expect(kernel_read_monotonic_clock(&caller, 50, &now_ticks) == STATUS_OK && now_ticks == 4711,
           "clock");
    seam.make_reply = reply_refusal;
    expect(kernel_read_monotonic_clock(&caller, 50, &now_ticks) == STATUS_EXHAUSTED &&
               now_ticks == 0,
           "no clock, no time");
    seam.make_reply = reply_read;
    expect(kernel_frame_read(&caller, 50, 1, 0, 8, bytes) == STATUS_OK &&
               memcmp(bytes, "12345678", 8) == 0,
           "frame bytes arrive");
    memset(bytes, 0, sizeof bytes);
    expect(kernel_frame_read(&caller, 50, 1, 0, 9, bytes) == STATUS_INTERNAL && bytes[0] == 0,
           "fewer bytes than asked for are none");
}

/* --- the receive loop ----------------------------------------------------------------------- */

static enum handled handle_reply(void *state, struct message *message,
                                 const struct receive_info *info)
{
    (void)info;
    ++*(unsigned *)state;
    struct memd_close_account_reply reply = {.released_pages = 3};
    (void)message_encode(&memd_close_account_reply_type, &reply, message);
    return HANDLED_REPLY;
}

static enum handled handle_later(void *state, struct message *message,
                                 const struct receive_info *info)
{
    (void)message;
    (void)info;
    ++*(unsigned *)state;
    return HANDLED_LATER;
}

static enum status turn(service_handler *handler, unsigned *handled_count)
{
    struct caller caller = {0};
    struct receive_info info;
    *handled_count = 0;
    memset(sys_message(), 0xAA, sizeof(struct message));
    seam.make_reply = reply_bare; /* DROPs are recorded */
    seam.request.header = (struct message_header){.version = MESSAGE_VERSION,
                                                  .operation = OP_MEMD_CLOSE_ACCOUNT,
                                                  .cap_count = (uint8_t)seam.info.cap_count,
                                                  .request_id = 41};
    enum status status = service_turn(&caller, 2112, 500, handler, handled_count, &info);
    caller_flush(&caller);
    expect(info.now_ticks == seam.info.now_ticks, "the tick of RECV is passed on");
    return status;
}

static void test_turn(void)
{
    unsigned handled_count;
    fresh();
    seam.info = (struct receive_info){.now_ticks = 7, .reply_slot = 2570, .cap_count = 2};
    expect(turn(handle_reply, &handled_count) == STATUS_OK && handled_count == 1, "a turn");
    expect(seam.slot == 2112 && seam.deadline_ticks == 500, "endpoint and deadline are passed on");
    expect(seam.recv_header.window_slot == SLOT_RECEIVE_BASE &&
               seam.recv_header.window_count == MESSAGE_CAP_LIMIT &&
               seam.recv_header.body_bytes == 0,
           "every RECV names the service window and nothing else");
    expect(seam.reply_count == 1 && seam.reply_slot == 2570, "E5: one reply");
    expect(seam.replies[0].header.request_id == 41 && seam.replies[0].header.status == STATUS_OK,
           "of the request");
    expect(seam.drop_count == 2 && seam.dropped[0] == SLOT_RECEIVE_BASE &&
               seam.dropped[1] == SLOT_RECEIVE_BASE + 1,
           "what was not committed is dropped");
    expect(seam.dropped_at_reply == 0, "after the reply, which may pass it on");

    fresh();
    seam.info = (struct receive_info){.reply_slot = 2570, .cap_count = 1};
    (void)turn(handle_later, &handled_count);
    expect(seam.reply_count == 0 && seam.drop_count == 1, "a kept call is not answered");
    fresh();
    (void)turn(handle_reply, &handled_count);
    expect(seam.reply_count == 0 && handled_count == 1, "an event is not answered");
    fresh();
    seam.recv_status = STATUS_TIMED_OUT;
    seam.info.now_ticks = 99;
    expect(turn(handle_reply, &handled_count) == STATUS_TIMED_OUT && handled_count == 0,
           "RECV's error is the turn's");
}

static void test_turn_refused_reply(void)
{
    static const enum status refusals[] = {STATUS_BUSY, STATUS_DENIED, STATUS_INVALID_ARGUMENT};
    unsigned handled_count;
    for (unsigned i = 0; i < 3; i++) {
        fresh();
        seam.info = (struct receive_info){.reply_slot = 2570};
        seam.reply_status[0] = refusals[i];
        (void)turn(handle_reply, &handled_count);
        const struct message_header *second = &seam.replies[1].header;
        expect(seam.reply_count == 2, "E5: a reply that does not fit is replaced");
        expect(second->status == refusals[i] && second->body_bytes == 0 && second->cap_count == 0 &&
                   second->request_id == 41 && second->operation == OP_MEMD_CLOSE_ACCOUNT,
               "by a bare refusal of the same request");
    }
    fresh();
    seam.info = (struct receive_info){.reply_slot = 2570};
    seam.reply_status[0] = STATUS_NOT_FOUND;
    (void)turn(handle_reply, &handled_count);
    expect(seam.reply_count == 1, "a caller that is gone is not answered");
}

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

/* What a service of the role answers to its only START_SERVICE. */
static uint32_t start_answer(const struct role *role)
{
    struct caller caller = {0};
    struct startup_start_service_request request = {0};
    struct envelope accepted;
    size_t written = 0;
    fresh();
    (void)envelope_encode(&start.envelope, request.envelope, sizeof request.envelope, &written);
    request.count = (uint32_t)written;
    (void)message_encode(&startup_start_service_request_type, &request, &seam.request);
    seam.info.reply_slot = SLOT_REPLY_BASE;
    seam.make_reply = reply_held;
    seam.recv_limit = 1; /* then the endpoint is gone */
    (void)service_start(&caller, role->id, &accepted, NULL, NULL);
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

int main(int count, char **arguments)
{
    (void)count;
    test_procd_badge();
    test_extra_authority();
    test_offer();
    test_call();
    test_call_errors();
    test_self();
    test_memory();
    test_process();
    test_answers();
    test_turn();
    test_turn_refused_reply();
    return tests_end(arguments[0]);
}
