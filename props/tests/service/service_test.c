/* SPDX-License-Identifier: ISC */
/* services/lib: each kernel-control wrapper sends its own operation with its arguments; a reply
 * against its contract leaves nothing behind; every received call gets exactly one reply (E5). */
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "props/base/testing.h"
#include "props/tests/service/service_test.h"
#include "services/lib/call_memd.h"

/* --- the seam: a script and a record ------------------------------------------------------ */

struct service_seam seam;

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    if (message->header.operation == OP_KERNEL_DROP_LOCAL_CAP && slot == SLOT_SELF &&
        seam.make_reply != NULL) {
        uint32_t dropped;
        memcpy(&dropped, message->body, sizeof dropped);
        if (dropped == seam.refused_drop) {
            message_refuse(message, STATUS_BUSY);
            return STATUS_OK;
        }
        if (seam.drop_count < 8)
            seam.dropped[seam.drop_count++] = dropped;
        message->header.body_bytes = 0;
        message->header.window_count = 0;
        return STATUS_OK;
    }
    seam.call_count++;
    seam.slot = slot;
    seam.sent = *message;
    seam.replies_before = seam.reply_count;
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
    if (seam.reply_count < seam.lost_replies) {
        seam.reply_count++;
        return STATUS_NOT_FOUND;
    }
    seam.answered_slot = seam.reply_status[seam.reply_count % 2] == STATUS_OK ? reply_slot : 0;
    return seam.reply_status[seam.reply_count++ % 2];
}

void fresh(void)
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
    struct kernel_give_frames_request give = {1, 2, 8192, 3, RIGHT_READ};
    (void)kernel_give_frames(&caller, 50, &give);
    expect_sent(50, OP_KERNEL_GIVE_FRAMES, &give, "give");
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

static void reply_other_operation(struct message *message)
{
    message_refuse(message, STATUS_OK);
    message->header.operation++;
}

static void reply_cap(struct message *message)
{
    message_refuse(message, STATUS_OK);
    message->header.cap_count = 1;
}

static void reply_body(struct message *message)
{
    message_refuse(message, STATUS_OK);
    message->header.body_bytes = 8;
}

static void reply_other_version(struct message *message)
{
    message_refuse(message, STATUS_OK);
    message->header.version++;
}

static void reply_no_status(struct message *message)
{
    message_refuse(message, STATUS_OK);
    message->header.status = STATUS_COUNT;
}

/* A reply that has no fields is asked the same as one that has (E5, E7). */
static void test_bare_replies(void)
{
    static const struct {
        const char *what;
        void (*make_reply)(struct message *message);
        enum status call_status;
        enum status expected;
    } rows[] = {
        {"a bare reply is a success", reply_bare, STATUS_OK, STATUS_OK},
        {"a refusal is the result", reply_refusal, STATUS_OK, STATUS_EXHAUSTED},
        {"a reply of another operation", reply_other_operation, STATUS_OK, STATUS_INTERNAL},
        {"a reply to another request", reply_other_id, STATUS_OK, STATUS_INTERNAL},
        {"a reply with a capability", reply_cap, STATUS_OK, STATUS_INTERNAL},
        {"a reply with a body", reply_body, STATUS_OK, STATUS_INTERNAL},
        {"a reply of another version", reply_other_version, STATUS_OK, STATUS_INTERNAL},
        {"a reply without a status", reply_no_status, STATUS_OK, STATUS_INTERNAL},
        {"the transport's error is the result", reply_bare, STATUS_DENIED, STATUS_DENIED},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct caller caller = {0};
        fresh();
        seam.make_reply = rows[i].make_reply;
        seam.call_status = rows[i].call_status;
        expect_of("kernel control", rows[i].what,
                  kernel_destroy(&caller, 50, 6) == rows[i].expected);
    }
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
    fresh();
    seam.recv_status = STATUS_BUSY;
    bool all = turn(handle_reply, &handled_count) == STATUS_BUSY && handled_count == 0;
    for (unsigned i = 0; i < MESSAGE_CAP_LIMIT; i++)
        all = all && seam.dropped[i] == SLOT_RECEIVE_BASE + i;
    expect(all && seam.drop_count == MESSAGE_CAP_LIMIT,
           "a window that RECV finds filled is emptied, each slot of it, once");
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

int main(int count, char **arguments)
{
    (void)count;
    test_start();
    test_discovery();
    test_interrupts();
    test_image();
    test_call();
    test_call_errors();
    test_self();
    test_memory();
    test_process();
    test_bare_replies();
    test_answers();
    test_turn();
    test_turn_refused_reply();
    return tests_end(arguments[0]);
}
