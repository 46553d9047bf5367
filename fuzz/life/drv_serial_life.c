/* SPDX-License-Identifier: ISC */
/* A life of drv-serial: clients write and read, bytes come, interrupts are told, clients give up, and
 * the UART lies. In every turn the status, who is answered with what, and what the UART was asked are
 * the model's (S1, S2, S3); a turn is bounded, whatever the UART says (E8). At the end the UART is
 * honest, and everybody is answered. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/event.h"
#include "abi/messages/irqd.h"
#include "abi/messages/named.h"
#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_drv_serial.h"
#include "services/drv_serial/drv_serial.h"
#include "services/drv_serial/internal.h"
#include "services/lib/interrupts.h"

const char harness_name[] = "drv_serial_life";
MARKS(15, 0);

/* A turn asks the status and takes a byte TURN_BYTES times, asks once more, and sends as many. */
enum { CALLS_MAX = 3 * DRV_SERIAL_TURN_BYTES + 2, FAIL_LIMIT = 200, COMES_LIMIT = 5000 };

enum action {
    ACTION_FAIL,
    ACTION_TIME,
    ACTION_TURN,
    ACTION_GONE,
    ACTION_MANNER,
    ACTION_COMES,
    ACTION_INTERRUPT,
    ACTION_COUNT
};
static const struct life_action actions[] = {
    [ACTION_FAIL] = {"fail", 2},           /* index status: that call of the next turn */
    [ACTION_TIME] = {"time", 1},           /* n: so many ticks pass */
    [ACTION_TURN] = {"turn", 0},           /* no message comes until the driver has to do */
    [ACTION_GONE] = {"gone", 1},           /* n: the n-th of those who wait waits no more */
    [ACTION_MANNER] = {"manner", 1},       /* n: how the UART behaves from now on */
    [ACTION_COMES] = {"comes", 2},         /* n first: n bytes come */
    [ACTION_INTERRUPT] = {"interrupt", 2}, /* line token, both less than right: it is told */
    [ACTION_COUNT] = {NULL, 0},
};

static struct drv_serial driver;
static struct model_drv_serial model;
static struct uart uart; /* behind the driver */
static uint32_t acks;    /* that the driver has asked irqd for */
static bool hears;       /* it has registered for its line */
static bool is_open;     /* and the line is open */
static uint32_t current_slot;
static uint64_t now_of_turn; /* what its receive told: a call that times out moves the clock on */
static uint64_t calls_before_tick;

/* --- around it --- */

static uint32_t read_port(uint32_t port)
{
    return uart_read(&uart, port);
}

static bool write_port(uint32_t port, uint32_t value)
{
    return uart_write(&uart, port, (uint8_t)value, stand_in_now());
}

static enum status named(struct stand_in_call *call)
{
    struct named_lookup_reply reply = {.service_slot = 1};
    PROPERTY_EQUAL(E10, call->message->header.operation, OP_NAMED_LOOKUP);
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_IRQD);
    call->caps[0].rights = RIGHT_SEND;
    HARNESS(message_encode(&named_lookup_reply_type, &reply, call->message) == STATUS_OK);
    return STATUS_OK;
}

/* The UART makes no interrupt before somebody hears of it, nor is the line open before. */
static void take_line(const struct message *message)
{
    struct irqd_register_handler_request handler;
    struct irqd_set_mask_request mask;
    PROPERTY(S2, "early", uart.interrupts == 0);
    if (message->header.operation == OP_IRQD_REGISTER_HANDLER) {
        PROPERTY_EQUAL(E10, message_decode(&irqd_register_handler_request_type, message, &handler),
                       STATUS_OK);
        PROPERTY(S2, "line", handler.line == DRV_SERIAL_LINE && handler.token == DRV_SERIAL_TOKEN);
        PROPERTY_EQUAL(N2, message->caps[0].badge, ROLE_IRQD);
        hears = true;
        return;
    }
    PROPERTY_EQUAL(E10, message_decode(&irqd_set_mask_request_type, message, &mask), STATUS_OK);
    PROPERTY(S2, "open", hears && mask.line == DRV_SERIAL_LINE && mask.masked == 0);
    is_open = true;
}

static enum status irqd(struct stand_in_call *call)
{
    static const uint64_t nothing = 0;
    struct irqd_ack_request ack;
    if (call->through.object == ROLE_NAMED)
        return named(call);
    PROPERTY_EQUAL(E5, call->through.object, ROLE_IRQD);
    if (!is_open) {
        take_line(call->message);
    } else {
        PROPERTY_EQUAL(E10, message_decode(&irqd_ack_request_type, call->message, &ack), STATUS_OK);
        PROPERTY_EQUAL(E10, ack.line, DRV_SERIAL_LINE);
        acks++;
    }
    const struct operation *row = operation_find(SERVICE_IRQD, call->message->header.operation);
    HARNESS(message_encode(row->reply, &nothing, call->message) == STATUS_OK);
    return STATUS_OK;
}

/* Not strict while it starts: its endpoint travels with a badge (N2). */
static struct stand_in_peers peers = {
    .timed = true, .answer = irqd, .port_read = read_port, .port_write = write_port};

/* --- what is drawn --- */

static void draw_write(struct choices *choices, struct life_draft *draft)
{
    struct drv_serial_write_request *request = (void *)draft->body;
    bool is_long = choices_below(choices, 6) == 0;
    request->count = is_long ? SERIAL_BYTES_MAX - (uint32_t)choices_below(choices, 4)
                             : 1 + (uint32_t)choices_below(choices, 40);
    uint8_t first = choices_u8(choices);
    for (uint32_t i = 0; i < request->count; i++)
        request->bytes[i] = (uint8_t)(first + i);
}

static void draw_read(struct choices *choices, struct life_draft *draft)
{
    struct drv_serial_read_request *request = (void *)draft->body;
    request->wait_ticks =
        choices_below(choices, 8) == 0 ? SERIAL_WAIT_TICKS_MAX : choices_below(choices, 40);
}

static const struct life_operation operations[] = {
    {OP_DRV_SERIAL_WRITE, 4, draw_write, NULL, NULL},
    {OP_DRV_SERIAL_READ, 4, draw_read, NULL, NULL},
    {0, 0, NULL, NULL, NULL},
};

static const struct life_language language = {SERVICE_DRV_SERIAL, actions, operations};

static uint64_t some_badge(struct choices *choices)
{
    return life_some_client(choices, ROLE_SERIALD, 2);
}

static void generate(struct choices *choices, struct message *request)
{
    (void)life_generate(&language, choices, some_badge, request);
}

/* --- a turn --- */

static uint64_t digest_of(void)
{
    static const struct caller nothing;
    struct caller caller = driver.caller;
    uint64_t sum = 0;
    driver.caller = nothing;
    drv_serial_visit_fields(&driver, life_digest_visit, &sum);
    driver.caller = caller;
    life_digest_visit(&sum, uart_digest(&uart));
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    current_slot = info->reply_slot;
    return drv_serial_handle(state, message, info);
}

static void compare_answer(const struct model_drv_serial_answer *told,
                           const struct stand_in_reply *reply)
{
    PROPERTY_EQUAL(S3, "who", reply->slot, told->reply_slot);
    PROPERTY_EQUAL(S3, "which", reply->message.header.request_id, told->request_id);
    if (told->is_read) {
        static struct drv_serial_read_reply read;
        PROPERTY_EQUAL(E5, reply_decode(&drv_serial_read_reply_type, &reply->message, &read),
                       STATUS_OK);
        PROPERTY_EQUAL(S2, "lost", read.lost_count, told->read.lost_count);
        PROPERTY_EQUAL(S2, "count", read.count, told->read.count);
        PROPERTY(S2, "bytes", memcmp(read.bytes, told->read.bytes, read.count) == 0);
        MARK_IF("drv_serial: a read is answered empty", read.count == 0);
        MARK_IF("drv_serial: a read is answered with all that fits",
                read.count == SERIAL_BYTES_MAX);
        MARK_IF("drv_serial: bytes were lost", read.lost_count != 0);
        digest_bytes(read.bytes, read.count);
    } else {
        struct drv_serial_write_reply write;
        PROPERTY_EQUAL(E5, reply_decode(&drv_serial_write_reply_type, &reply->message, &write),
                       STATUS_OK);
        PROPERTY_EQUAL(S1, "taken", write.taken_count, told->write.taken_count);
        MARK_IF("drv_serial: a write is answered without any byte", write.taken_count == 0);
        digest_u64(write.taken_count);
    }
}

/* The answers of a turn, from the reply `at` on, are those of the model, in order. */
static void compare_answers(uint32_t at)
{
    for (uint32_t i = 0; i < model.answer_count; i++) {
        if (MARK_IF("drv_serial: one that is gone is answered", model.answers[i].gone))
            continue;
        PROPERTY(S3, "answered", at < stand_in_reply_count());
        compare_answer(&model.answers[i], stand_in_reply_at(at++));
    }
    PROPERTY_EQUAL(S3, "count", stand_in_reply_count(), at);
    model.answer_count = 0;
}

static void check(void)
{
    if (oracle_due())
        life_check(drv_serial_check(&driver));
    PROPERTY_EQUAL(S2, "ring", driver.ring_count, model.ring_count);
    PROPERTY_EQUAL(S1, "left", driver.write.count - driver.write.taken_count,
                   model.write_count - model.write_taken);
    PROPERTY_EQUAL(S2, "owes", driver.owes_ack, model.owes_ack);
    PROPERTY_EQUAL(S2, "acks", acks, model.acks);
    PROPERTY_EQUAL(S1, "uart", uart_digest(&uart), uart_digest(&model.uart));
    PROPERTY_EQUAL(S3, "next", drv_serial_next_ticks(&driver), model_drv_serial_next(&model));
    PROPERTY_EQUAL(K1, stand_in_slot_count(), life_now.startup_slots);
    MARK_IF("drv_serial: the ring is full", driver.ring_count == DRV_SERIAL_RING_BYTES);
    MARK_IF("drv_serial: more has come than a turn takes", driver.has_more);
}

/* What drv_serial_run does in one turn. Calls fail behind the message alone: before it is done with,
 * the loop empties the window, which is not the driver's business. */
static enum status turn(void)
{
    struct receive_info info;
    current_slot = SLOT_NULL;
    stand_in_fail_pause(true);
    enum status status = service_turn(&driver.caller, SLOT_SERVICE_ENDPOINT,
                                      drv_serial_next_ticks(&driver), handle, &driver, &info);
    PROPERTY(E5, status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_RETRY);
    now_of_turn = info.now_ticks;
    stand_in_fail_pause(false);
    calls_before_tick = stand_in_call_count();
    drv_serial_tick(&driver, info.now_ticks);
    caller_flush(&driver.caller);
    PROPERTY(E8, "calls", stand_in_call_count() - calls_before_tick <= CALLS_MAX);
    return status;
}

static void end_turn(uint32_t at)
{
    struct model_failure failure = life_failures();
    failure.calls_before -= calls_before_tick;
    model_drv_serial_tick(&model, now_of_turn, &failure);
    stand_in_fail_never();
    compare_answers(at);
    check();
}

static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    bool later = false;
    life_any_caps(request, caps);
    life_bring(request, caps);
    unsigned state = (model.write_count != 0) | (unsigned)(model.reader.reply_slot != 0) << 1 |
                     (unsigned)model.uart.manner << 2;
    PROPERTY_EQUAL(E5, turn(), STATUS_OK);
    enum status status = model_drv_serial_step(&model, request, current_slot, now_of_turn, &later);
    uint32_t at = 0;
    for (uint32_t i = 0; i < model.answer_count; i++) /* who gave way was answered before */
        at += !model.answers[i].gone;
    if (!later) {
        PROPERTY(S1, "reply", stand_in_reply_count() != 0);
        const struct stand_in_reply *reply = stand_in_reply_at(0);
        life_predicted(status, reply->message.header.status);
        PROPERTY_EQUAL(S3, reply->message.header.status, status);
        PROPERTY_EQUAL(E5, reply->message.header.request_id, request->header.request_id);
        PROPERTY(E1, reply->message.header.body_bytes == 0 && at == 0);
    }
    end_turn(later ? 0 : 1);
    digest_u64(status);
    uint16_t id = request->header.operation;
    mark_triple(later ? "drv_serial kept" : "drv_serial", state,
                operation_find(SERVICE_DRV_SERIAL, id) != NULL ? id : 0, status);
    return status;
}

/* --- actions --- */

static void quiet_turn(void)
{
    stand_in_message_begin();
    (void)turn();
    end_turn(0);
}

/* Of the right line and token it is the driver's; of others nobody's. */
static void interrupt(uint64_t line, uint64_t token)
{
    struct event_interrupt_request event = {.line = DRV_SERIAL_LINE - (uint32_t)(line % 4),
                                            .token = DRV_SERIAL_TOKEN - token};
    struct message message;
    life_request(&event_interrupt_request_type, &event, BADGE_KERNEL, &message);
    stand_in_message_begin();
    stand_in_deliver_event(SLOT_SERVICE_ENDPOINT, &message);
    PROPERTY_EQUAL(E5, turn(), STATUS_OK);
    if (MARK_IF("drv_serial: an interrupt", line % 4 == 0 && token == 0))
        model_drv_serial_interrupt(&model);
    end_turn(0);
}

static void gone(uint64_t n)
{
    uint32_t slot = life_gone(n);
    if (slot != SLOT_NULL)
        model_drv_serial_gone(&model, slot);
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    uint64_t second = step->arguments[1];
    switch ((enum action)step->action) {
    case ACTION_FAIL: /* one at a time, as the model has it */
        life_plan_turn_failure(step, FAIL_LIMIT);
        return;
    case ACTION_TIME:
        stand_in_clock_set(deadline_after(stand_in_now(), argument % 100000));
        return;
    case ACTION_TURN:
        quiet_turn();
        return;
    case ACTION_GONE:
        gone(argument);
        return;
    case ACTION_MANNER:
        uart.manner = model.uart.manner = (enum uart_manner)(argument % UART_MANNER_COUNT);
        return;
    case ACTION_COMES:
        uart_comes(&uart, (uint32_t)(argument % (COMES_LIMIT + 1)), (uint8_t)second);
        uart_comes(&model.uart, (uint32_t)(argument % (COMES_LIMIT + 1)), (uint8_t)second);
        return;
    case ACTION_INTERRUPT:
        interrupt(argument, second);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* An honest UART, and time: everybody is answered, and nothing is left to be done (S3). */
static void finish(void)
{
    enum { TURNS = 400 };
    stand_in_fail_never();
    uart.manner = model.uart.manner = UART_HONEST;
    for (unsigned i = 0; i < TURNS && drv_serial_next_ticks(&driver) != DEADLINE_NEVER; i++)
        quiet_turn();
    PROPERTY_EQUAL(S3, "liveness", drv_serial_next_ticks(&driver), DEADLINE_NEVER);
    PROPERTY_EQUAL(S3, "open", stand_in_reply_open_count(), 0);
}

/* What a client sends is no interrupt, whatever it says. */
static void check_forgery(void)
{
    const struct event_interrupt_request event = {.line = DRV_SERIAL_LINE,
                                                  .token = DRV_SERIAL_TOKEN};
    static struct message forged;
    life_request(&event_interrupt_request_type, &event, BADGE_KERNEL, &forged);
    HARNESS(interrupts_is(&forged, DRV_SERIAL_LINE, DRV_SERIAL_TOKEN));
    for (uint64_t badge = 0; badge <= ROLE_ID_MAX; badge += ROLE_SERIALD) {
        forged.header.badge = badge;
        PROPERTY(S2, "forged", !interrupts_is(&forged, DRV_SERIAL_LINE, DRV_SERIAL_TOKEN));
    }
}

static void reset(void)
{
    check_forgery();
    memset(&driver, 0, sizeof driver);
    memset(&uart, 0, sizeof uart);
    acks = 0;
    hears = is_open = peers.strict = false;
    life_begin(&peers, ROLE_DRV_SERIAL);
    stand_in_put(SLOT_KERNEL_COM1_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_COM1, 0));
    stand_in_put(SLOT_PEER_NAMED, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_NAMED));
    model_drv_serial_reset(&model, stand_in_now());
    caller_see_clock(&driver.caller, stand_in_now());
    PROPERTY_EQUAL(S2, "start", drv_serial_line_start(&driver), STATUS_OK);
    PROPERTY(S2, "interrupts", is_open && uart.interrupts == 1);
    PROPERTY_EQUAL(S2, "first", drv_serial_next_ticks(&driver), model_drv_serial_next(&model));
    peers.strict = true;
    life_now.startup_slots = stand_in_slot_count();
}

const struct life_service life_service = {
    .language = &language,
    .caller = &driver.caller,
    .state = &driver,
    .handle = drv_serial_handle,
    .calls_max = CALLS_MAX,
    .reset = reset,
    .generate = generate,
    .send = send,
    .act = act,
    .finish = finish,
    .look = check,
    .digest = digest_of,
    .fail_action = ACTION_FAIL,
    .fail_limit = FAIL_LIMIT,
    .fail_ways = {STATUS_BUSY, STATUS_INTERNAL},
};
