/* SPDX-License-Identifier: ISC */
/* test-hostile: starts as every program that rootd launches, then sends nonsense to everything it
 * holds a capability to: well-formed requests of any service with any numbers, requests with one
 * field wrong, messages with bytes turned over, and noise. It never waits long, uses the right to
 * give its own endpoint away, and says afterwards whether it was answered to the end (E5) and
 * whether it holds what it held (K1). Last it asks procd for processes until there is no memory
 * left, waits for one of them more often than procd can note and stays for no answer, and ends
 * with all of them unstarted (P2).
 *
 * What it leaves out: EXIT, DROP and MOVE on its own SELF, and moving its endpoint away. Those are
 * granted, and would only end the attack. */
#include <string.h>

#include "abi/text/generate.h"
#include "abi/slots.h"
#include "services/lib/call_logd.h"
#include "services/lib/call_procd.h"
#include "services/lib/call_timed.h"
#include "services/lib/discovery.h"
#include "services/lib/kernel_calls.h"
#include "services/lib/service.h"
#include "services/probes/expectations.h"
#include "services/probes/probes.h"

enum {
    HELD_LIMIT = 16,
    CLOCK_EVERY = 16, /* messages between two looks at the clock */
    WAIT_TICKS = 40,  /* longest wait for an answer */
    NOISE_LIMIT = 8,  /* bytes turned over in a message */
    STAGE_SECONDS = 5,
    WAITS_IN_VAIN = 320
};

struct hostile {
    struct caller caller;
    uint64_t random;
    uint32_t held_count;
    struct kernel_query_local_cap_reply held[HELD_LIMIT];
    uint64_t now_ticks;
    struct startup_module program; /* one that it was offered */
    uint64_t staged_id;            /* of the process that procd made last */
    struct message message;
    uint8_t fields[MESSAGE_BODY_BYTES_MAX] __attribute__((aligned(8)));
};

/* --- choices ---------------------------------------------------------------------------------- */

static uint64_t next(struct hostile *hostile)
{
    uint64_t x = hostile->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    hostile->random = x;
    return x;
}

static uint64_t below(void *context, uint64_t limit)
{
    return (next(context) >> 11) % limit;
}

/* --- what it holds --- */

/* Lists the cspace; at most HELD_LIMIT capabilities. */
static uint32_t list_held(struct hostile *hostile, struct kernel_query_local_cap_reply *held)
{
    uint32_t count = 0;
    uint32_t slot = SLOT_SELF;
    while (count < HELD_LIMIT &&
           kernel_query_local_cap(&hostile->caller, slot, QUERY_NEXT, &held[count]) == STATUS_OK)
        slot = held[count++].slot + 1;
    return count;
}

static bool holds_the_same(struct hostile *hostile)
{
    struct kernel_query_local_cap_reply now[HELD_LIMIT];
    if (list_held(hostile, now) != hostile->held_count)
        return false;
    for (uint32_t i = 0; i < hostile->held_count; i++) {
        const struct kernel_query_local_cap_reply *a = &hostile->held[i];
        if (a->slot != now[i].slot || a->object_type != now[i].object_type ||
            a->rights != now[i].rights || a->badge != now[i].badge)
            return false;
    }
    return true;
}

/* It comes with an envelope and an offer, as every program that rootd launches. */
static bool is_launched(struct hostile *hostile)
{
    struct envelope start;
    struct startup_offer_modules_request offer;
    if (service_start(&hostile->caller, ROLE_TEST_HOSTILE, &start, NULL, NULL, NULL) != STATUS_OK ||
        service_take_offer(&hostile->caller, &offer) != STATUS_OK || offer.count == 0)
        return false;
    hostile->program = offer.modules[0];
    return true;
}

/* A poll of its own endpoint says what time it is. */
static void look_at_clock(struct hostile *hostile)
{
    struct message message = {.header = {.version = MESSAGE_VERSION}};
    struct receive_info info = {0};
    if (sys_recv(SLOT_SERVICE_ENDPOINT, &message, DEADLINE_POLL, &info) == STATUS_RETRY)
        hostile->now_ticks = info.now_ticks;
}

/* By named, which it may ask for these two alone. */
static bool finds_others(struct hostile *hostile)
{
    (void)caller_flush(&hostile->caller); /* of the offer: the clock is looked at past the caller */
    look_at_clock(hostile);
    caller_see_clock(&hostile->caller, hostile->now_ticks);
    return discovery_find(&hostile->caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_OK &&
           discovery_find(&hostile->caller, ROLE_TIMED, SLOT_PEER_TIMED) == STATUS_OK;
}

/* --- one message --- */

/* A request or a reply of any operation of any service, sound, or with one field wrong. */
static void write_row(struct hostile *hostile, uint64_t kind)
{
    struct generator generator = {.below = below, .context = hostile};
    const struct operation *operation = &operation_table[below(hostile, operation_count)];
    const struct message_type *type =
        below(hostile, 8) == 0 ? operation->reply : operation->request;
    memset(hostile->fields, 0, sizeof hostile->fields);
    generate_valid(&generator, type, hostile->fields);
    if (kind == 1)
        (void)generate_violation(&generator, type, hostile->fields);
    if (kind == 2)
        (void)generate_mutation(&generator, type, hostile->fields);
    generate_delivered(type, hostile->fields, &hostile->message);
    for (unsigned i = 0; i < hostile->message.header.cap_count; i++)
        hostile->message.caps[i].object_type = 0; /* the sender leaves that to the kernel */
}

static void write_noise(struct hostile *hostile)
{
    uint64_t word;
    uint8_t *bytes = (uint8_t *)&hostile->message;
    for (size_t i = 0; i < sizeof hostile->message; i += sizeof word) {
        word = next(hostile);
        memcpy(bytes + i, &word, sizeof word);
    }
    if (below(hostile, 2) == 0) /* or nobody would look past the header */
        hostile->message.header = (struct message_header){
            .version = MESSAGE_VERSION,
            .operation = (uint16_t)below(hostile, 0x600),
            .body_bytes = (uint16_t)below(hostile, MESSAGE_BODY_BYTES_MAX + 1),
            .cap_count = (uint8_t)below(hostile, MESSAGE_CAP_LIMIT + 1),
        };
}

static void turn_bytes(struct hostile *hostile)
{
    uint8_t *bytes = (uint8_t *)&hostile->message;
    size_t extent = MESSAGE_HEADER_BYTES + MESSAGE_CAP_LIMIT * sizeof hostile->message.caps[0] + 64;
    for (uint64_t left = 1 + below(hostile, NOISE_LIMIT); left > 0; left--)
        bytes[below(hostile, extent)] ^= (uint8_t)(1 + below(hostile, 255));
}

/* The endpoint stays: what would move it copies it instead. */
static void keep_endpoint(struct message *message)
{
    for (unsigned i = 0; i < message->header.cap_count && i < MESSAGE_CAP_LIMIT; i++) {
        struct message_cap *cap = &message->caps[i];
        uint32_t slot = 0;
        if (cap->field_offset <= MESSAGE_BODY_BYTES_MAX - sizeof slot)
            memcpy(&slot, message->body + cap->field_offset, sizeof slot);
        if (slot == SLOT_SERVICE_ENDPOINT)
            cap->mode = TRANSFER_COPY;
    }
}

static void write_message(struct hostile *hostile,
                          const struct kernel_query_local_cap_reply *target)
{
    struct message *message = &hostile->message;
    uint64_t kind = below(hostile, 6);
    if (kind == 5)
        write_noise(hostile);
    else
        write_row(hostile, kind);
    if (kind == 4)
        turn_bytes(hostile);
    message->header.request_id = next(hostile);
    if (below(hostile, 4) == 0) {
        message->header.window_slot = (uint32_t)below(hostile, 2 * SLOT_LIMIT);
        message->header.window_count = (uint8_t)below(hostile, MESSAGE_CAP_LIMIT + 2);
    }
    keep_endpoint(message);
    uint16_t id = message->header.operation;
    if (target->object_type == OBJECT_KERNEL_SELF &&
        (id == OP_KERNEL_EXIT || id == OP_KERNEL_DROP_LOCAL_CAP || id == OP_KERNEL_MOVE_LOCAL_CAP))
        message->header.operation = 0;
}

/* --- sending --- */

/* Nobody ever calls it: whatever it answers, and wherever, nothing comes of it. */
static void answer_nobody(struct hostile *hostile)
{
    struct receive_info info = {0};
    uint32_t reply_slot = (uint32_t)below(hostile, 2 * SLOT_LIMIT);
    (void)sys_reply_recv(reply_slot, &hostile->message, SLOT_SERVICE_ENDPOINT, DEADLINE_POLL,
                         &info);
}

/* Nobody receives on its own endpoint: one in 64 waits there until its time is over. */
static uint64_t deadline(struct hostile *hostile, uint32_t slot)
{
    if (slot == SLOT_SERVICE_ENDPOINT && below(hostile, 64) != 0)
        return DEADLINE_POLL;
    return hostile->now_ticks + 1 + below(hostile, WAIT_TICKS);
}

static void attack(struct hostile *hostile, const struct kernel_query_local_cap_reply *target)
{
    struct message *message = &hostile->message;
    for (uint32_t i = 0; i < HOSTILE_MESSAGE_COUNT; i++) {
        if (i % CLOCK_EVERY == 0)
            look_at_clock(hostile);
        write_message(hostile, target);
        uint32_t window_slot = message->header.window_slot;
        if (i % CLOCK_EVERY == 1)
            answer_nobody(hostile);
        if (sys_call(target->slot, message, deadline(hostile, target->slot)) != STATUS_OK)
            continue;
        for (uint32_t k = 0; k < message->header.cap_count && k < MESSAGE_CAP_LIMIT; k++)
            (void)kernel_drop_local_cap(&hostile->caller, window_slot + k);
    }
}

/* procd still answers: no process has the number that is asked for. */
static bool procd_answers(struct hostile *hostile)
{
    struct procd_query_process_request request = {.process_id = UINT64_MAX};
    struct procd_query_process_reply reply;
    look_at_clock(hostile);
    return procd_call_query_process(&hostile->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                    hostile->now_ticks + TICKS_PER_SECOND, &request,
                                    &reply) == STATUS_NOT_FOUND;
}

/* named finds the others anew, and those answer: the clock goes on, and a line is taken. */
static bool others_answer(struct hostile *hostile)
{
    static const struct timed_now_monotonic_request nothing;
    struct timed_now_monotonic_reply clock;
    struct logd_append_request line = {.severity = LOG_SEVERITY_NOTICE, .count = 1, .text = "x"};
    struct logd_append_reply taken;
    if (!finds_others(hostile))
        return false;
    uint64_t until_ticks = caller_deadline(&hostile->caller, TICKS_PER_SECOND);
    return timed_call_now_monotonic(&hostile->caller, SLOT_PEER_TIMED, NO_WINDOW, until_ticks,
                                    &nothing, &clock) == STATUS_OK &&
           clock.now_ticks >= hostile->now_ticks &&
           logd_call_append(&hostile->caller, SLOT_PEER_LOGD, NO_WINDOW, until_ticks, &line,
                            &taken) == STATUS_OK;
}

/* --- taking all memory ---------------------------------------------------------------------- */

/* A staged process of a program that was offered; its capabilities are dropped. */
static enum status stage_one(struct hostile *hostile)
{
    struct procd_create_staged_process_request request = {
        .role = hostile->program.role,
        .image_offset = hostile->program.image_offset,
        .image_bytes = hostile->program.image_bytes,
    };
    struct procd_create_staged_process_reply reply;
    look_at_clock(hostile);
    enum status status = procd_call_create_staged_process(
        &hostile->caller, SLOT_PEER_PROCD, (struct window){SLOT_RECEIVE_BASE, 2},
        hostile->now_ticks + STAGE_SECONDS * TICKS_PER_SECOND, &request, &reply);
    if (status == STATUS_OK) {
        hostile->staged_id = reply.process_id;
        (void)kernel_drop_local_cap(&hostile->caller, reply.endpoint_slot);
        (void)kernel_drop_local_cap(&hostile->caller, reply.grant_slot);
    }
    return status;
}

/* Stages a program again and again. Whether procd says in the end that this is all it may have. */
static bool takes_all_memory(struct hostile *hostile)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < PROCESS_LIMIT && status == STATUS_OK; i++)
        status = stage_one(hostile);
    return status == STATUS_OVER_LIMIT && hostile->staged_id != 0;
}

/* A wait for the end of a process that never starts; given up after a tick. */
static enum status wait_in_vain(struct hostile *hostile)
{
    struct procd_wait_process_event_request request = {.process_id = hostile->staged_id,
                                                       .deadline_ticks = DEADLINE_NEVER};
    struct procd_wait_process_event_reply reply;
    look_at_clock(hostile);
    return procd_call_wait_process_event(&hostile->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                         hostile->now_ticks + 2, &request, &reply);
}

/* A client has one wait: each of many takes the place of one that nobody stays for. */
static bool waits_go_on(struct hostile *hostile)
{
    enum status status = STATUS_TIMED_OUT;
    for (unsigned i = 0; i < WAITS_IN_VAIN && status == STATUS_TIMED_OUT; i++)
        status = wait_in_vain(hostile);
    return status == STATUS_TIMED_OUT;
}

uint32_t test_hostile_main(uint64_t argument)
{
    struct hostile hostile = {.random = HOSTILE_SEED};
    (void)argument;
    if (!is_launched(&hostile))
        return HOSTILE_UNLAUNCHED;
    if (!finds_others(&hostile))
        return HOSTILE_UNHEARD;
    hostile.held_count = list_held(&hostile, hostile.held);
    for (uint32_t i = 0; i < hostile.held_count; i++)
        attack(&hostile, &hostile.held[i]);
    if (!takes_all_memory(&hostile))
        return HOSTILE_UNLIMITED;
    if (!waits_go_on(&hostile) || !procd_answers(&hostile) || !others_answer(&hostile))
        return HOSTILE_UNHEARD;
    return holds_the_same(&hostile) ? HOSTILE_OK : HOSTILE_GAINED;
}
