/* SPDX-License-Identifier: ISC */
/* Answers CALL, RECV and REPLY of a unit from the fuzz input, honestly or not, and checks what the
 * unit sends. Digests every message that the unit sends. */
#include "props/stand_ins/adversary.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/event.h"
#include "abi/slots.h"
#include "abi/text/generate.h"
#include "abi/text/print.h"
#include "props/base/digest.h"
#include "props/base/marks.h"
#include "props/base/message_page.h"
#include "props/base/property.h"
#include "props/base/rows.h"
#include "props/base/trace.h"
#include "props/stand_ins/adversary_held.h"

/* How an answer is made: one byte, past the end of the input the first. */
enum manner {
    MANNER_HONEST,    /* the harness's, or a valid message of the right row */
    MANNER_VALID,     /* a valid message of the right row */
    MANNER_REFUSAL,   /* any status, no body */
    MANNER_TRANSPORT, /* the transport itself fails */
    MANNER_VIOLATION, /* one field breaks its constraint */
    MANNER_GARBAGE    /* any header, any descriptors, any body */
};

static struct {
    struct choices *choices;
    const struct adversary_plan *plan;
    struct adversary_counts counts;
    uint64_t last_request_id;
    uint64_t now_ticks;
    bool honest; /* only the harness's own since the last request */
    bool owed[SLOT_REPLY_COUNT];
    unsigned owed_count;
    uint32_t answered_slot; /* emptied, and no message came since: whoever is not sure asks again */
} adversary;

/* The largest struct that a row decodes to. */
static union {
    uint64_t aligned;
    uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
} scratch;

void adversary_begin(struct choices *choices, const struct adversary_plan *plan)
{
    memset(&adversary, 0, sizeof adversary);
    adversary.choices = choices;
    adversary.plan = plan;
    adversary_held_begin();
}

unsigned adversary_owed_count(void)
{
    return adversary.owed_count;
}

struct adversary_counts adversary_counts(void)
{
    return adversary.counts;
}

static enum manner draw_manner(void)
{
    static const uint8_t manners[16] = {
        MANNER_HONEST,  MANNER_HONEST,    MANNER_HONEST,    MANNER_HONEST,
        MANNER_HONEST,  MANNER_HONEST,    MANNER_HONEST,    MANNER_HONEST,
        MANNER_HONEST,  MANNER_VALID,     MANNER_VALID,     MANNER_REFUSAL,
        MANNER_REFUSAL, MANNER_TRANSPORT, MANNER_VIOLATION, MANNER_GARBAGE};
    return (enum manner)manners[choices_u8(adversary.choices) % 16];
}

static void digest_message(const struct message *message)
{
    digest_u64(message->header.operation);
    digest_u64(message->header.status);
    digest_u64(message->header.cap_count);
    digest_bytes(message->body, message->header.body_bytes);
}

/* What the kernel would refuse must not come from a unit in the first place. */
static void check_sent(const struct message *message)
{
    PROPERTY_EQUAL(E1, message->header.version, MESSAGE_VERSION);
    PROPERTY(E1, message->header.body_bytes <= MESSAGE_BODY_BYTES_MAX);
    PROPERTY(E1, message->header.cap_count <= MESSAGE_CAP_LIMIT);
    for (unsigned i = 0; i < message->header.cap_count; i++)
        PROPERTY(E1, message->caps[i].field_offset + 4u <= message->header.body_bytes);
    digest_message(message);
}

static void trace_message(const char *verb, uint32_t slot, bool reply,
                          const struct operation *operation, const struct message *message)
{
    static char text[MESSAGE_TEXT_BYTES_MAX];
    if (!trace_enabled())
        return;
    enum service_id service = operation == NULL ? adversary.plan->service : operation->service;
    if (message_print(service, reply, message, text, sizeof text) == 0)
        strcpy(text, "a message without text");
    trace_line("  %s slot %u: %s", verb, slot, text);
}

/* Every operation by its id, before any input runs. */
enum { OPERATION_IDS = 4096 };
static const struct operation *by_id[OPERATION_IDS];

__attribute__((constructor)) static void sort_operations(void)
{
    for (unsigned i = 0; i < operation_count; i++) {
        HARNESS(operation_table[i].id < OPERATION_IDS);
        by_id[operation_table[i].id] = &operation_table[i];
    }
}

static const struct operation *operation_of(uint16_t id)
{
    return id < OPERATION_IDS ? by_id[id] : NULL;
}

/* A valid message of the type, or one with a field that breaks its constraint. */
static void make_message(const struct message_type *type, bool violated, struct message *message)
{
    struct generator from = choices_generator(adversary.choices);
    memset(&scratch, 0, sizeof scratch);
    generate_valid(&from, type, scratch.bytes);
    if (violated)
        generate_violation(&from, type, scratch.bytes);
    uint64_t request_id = message->header.request_id;
    generate_delivered(type, scratch.bytes, message);
    message->header.request_id = request_id;
}

static void make_garbage(struct message *message)
{
    struct choices *choices = adversary.choices;
    memset(message, 0, sizeof *message);
    message->header.version = choices_flag(choices) ? choices_u16(choices) : MESSAGE_VERSION;
    message->header.operation = choices_u16(choices);
    message->header.body_bytes = (uint16_t)choices_below(choices, MESSAGE_BODY_BYTES_MAX + 1);
    message->header.cap_count = (uint8_t)choices_below(choices, MESSAGE_CAP_LIMIT + 1);
    message->header.status = choices_u32(choices);
    message->header.request_id = choices_u64(choices);
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        message->caps[i].field_offset = choices_u16(choices);
        message->caps[i].rights = choices_u16(choices);
        message->caps[i].object_type = choices_u8(choices);
    }
    choices_bytes(choices, message->body, message->header.body_bytes);
}

/* Writes the window's slots into the capability fields, as the kernel does. */
static void place_caps(struct message *message, uint32_t window_slot)
{
    for (uint32_t i = 0; i < message->header.cap_count && i < MESSAGE_CAP_LIMIT; i++) {
        uint32_t slot = window_slot + i;
        size_t offset = message->caps[i].field_offset;
        if (offset + sizeof slot <= MESSAGE_BODY_BYTES_MAX)
            memcpy(message->body + offset, &slot, sizeof slot);
    }
}

/* What is delivered is odd, or not: as many as the window has, one less than the fields, of a wrong type
 * or without a right, in a refusal, as the answer to something else. Never more than the window
 * has room for, as the kernel sees to that. */
static void deliver_oddly(struct message *message, uint32_t window_count)
{
    enum { COMMON = 10 };
    uint64_t how = choices_below(adversary.choices, 16);
    struct message_header *header = &message->header;
    if (how > COMMON && how <= COMMON + 2) {
        for (uint32_t i = header->cap_count; i < window_count; i++)
            message->caps[i] = (struct message_cap){.rights = choices_u8(adversary.choices),
                                                    .object_type = choices_u8(adversary.choices)};
        header->cap_count = (uint8_t)window_count;
    }
    if (how == COMMON + 2) {
        message_refuse(message, choose_refusal(adversary.choices));
        header->cap_count = (uint8_t)window_count;
    } else if (how == COMMON + 3 && header->cap_count != 0) {
        header->cap_count--;
    } else if (how == COMMON + 4) {
        message->caps[0].object_type ^= 1 + choices_u8(adversary.choices) % 15;
        message->caps[0].rights &= choices_u8(adversary.choices);
    } else if (how == COMMON + 5) {
        header->request_id ^= choices_u8(adversary.choices);
    }
    if (header->cap_count > window_count)
        header->cap_count = (uint8_t)window_count;
}

static enum status draw_transport_error(void)
{
    static const enum status errors[] = {
        STATUS_NOT_FOUND, STATUS_DENIED,           STATUS_BUSY,     STATUS_TIMED_OUT,
        STATUS_PEER_DIED, STATUS_INVALID_ARGUMENT, STATUS_EXHAUSTED};
    return errors[choices_below(adversary.choices, sizeof errors / sizeof errors[0])];
}

/* Makes the reply in place. `operation` may be null: then only garbage and refusals are
 * possible. */
static void make_reply(enum manner manner, const struct operation *operation, uint32_t slot,
                       struct message *message)
{
    uint32_t window_slot = message->header.window_slot;
    uint32_t window_count = message->header.window_count;
    bool honest = manner == MANNER_HONEST && adversary.plan->answer != NULL &&
                  adversary.plan->answer(adversary.choices, slot, message);
    if (!honest) {
        adversary.honest = false;
        if (manner == MANNER_GARBAGE || operation == NULL)
            make_garbage(message);
        else if (manner == MANNER_REFUSAL)
            message_refuse(message, choose_refusal(adversary.choices));
        else
            make_message(operation->reply, manner == MANNER_VIOLATION, message);
    }
    if (adversary.plan->windows)
        deliver_oddly(message, window_count);
    place_caps(message, window_slot);
    message->header.window_slot = 0;
    message->header.window_count = 0;
}

/* Whether a reply is an answer to the last request, by its row. */
static bool is_taken(const struct operation *operation, const struct message *message)
{
    return operation != NULL && message->header.request_id == adversary.last_request_id &&
           reply_decode(operation->reply, message, scratch.bytes) == STATUS_OK;
}

/* The answer to a call that may be made, or the transport's error. */
static enum status answer_call(const struct operation *operation, uint32_t slot,
                               struct message *message)
{
    if (adversary.plan->scripted_call != NULL && adversary.plan->scripted_call(slot, message)) {
        message_page_used(message);
        return STATUS_OK;
    }
    enum manner manner = draw_manner();
    if (manner == MANNER_TRANSPORT) {
        enum status error = draw_transport_error();
        adversary.honest = false;
        TRACE("    -> %s", status_name(error));
        return error;
    }
    make_reply(manner, operation, slot, message);
    message_page_used(message);
    trace_message("  reply", slot, true, operation, message);
    return STATUS_OK;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    const struct adversary_plan *plan = adversary.plan;
    PROPERTY(E8, ++adversary.counts.calls <=
                     (plan->calls_max == 0 ? ADVERSARY_CALL_LIMIT : plan->calls_max));
    check_sent(message);
    PROPERTY(E7, message->header.request_id > adversary.last_request_id);
    adversary.last_request_id = message->header.request_id;
    const struct operation *operation = operation_of(message->header.operation);
    PROPERTY(P12, !plan->is_client || deadline_ticks != DEADLINE_NEVER ||
                      (operation != NULL && operation->service == SERVICE_KERNEL));
    trace_message("CALL", slot, false, operation, message);
    if (plan->asked != NULL)
        plan->asked(message);
    if (plan->windows && !adversary_held_call(message)) {
        adversary.honest = false;
        adversary_held_answered(STATUS_BUSY, message, false);
        return STATUS_BUSY;
    }
    enum status status = answer_call(operation, slot, message);
    if (plan->windows)
        adversary_held_answered(status, message,
                                status == STATUS_OK && is_taken(operation, message));
    return status;
}

/* The first reply slot that is free, filled from now on; 0 when there is none. */
static uint32_t owe_reply(void)
{
    for (uint32_t i = 0; i < SLOT_REPLY_COUNT; i++) {
        if (adversary.owed[i])
            continue;
        adversary.owed[i] = true;
        adversary.owed_count++;
        return SLOT_REPLY_BASE + i;
    }
    return 0;
}

static void make_request(enum manner manner, uint32_t slot, struct message *message)
{
    static const uint64_t badges[] = {0, 0, BADGE_KERNEL, 1, 2, 3, 4, 5};
    memset(message, 0, sizeof *message);
    if (manner == MANNER_HONEST && adversary.plan->request != NULL &&
        adversary.plan->request(adversary.choices, slot, message)) {
        adversary.honest = true;
        return;
    }
    adversary.honest = false;
    const struct operation *operation = choose_operation(adversary.choices);
    if (manner == MANNER_GARBAGE)
        make_garbage(message);
    else
        make_message(operation->request, manner == MANNER_VIOLATION, message);
    message->header.request_id = choices_u16(adversary.choices);
    message->header.badge =
        badges[choices_below(adversary.choices, sizeof badges / sizeof badges[0])];
}

static enum status receive_nothing(uint64_t deadline_ticks, struct receive_info *info)
{
    *info = (struct receive_info){.now_ticks = adversary.now_ticks};
    if (deadline_ticks == DEADLINE_POLL)
        return STATUS_RETRY;
    if (deadline_ticks == DEADLINE_NEVER)
        return STATUS_EXHAUSTED;
    if (deadline_ticks > adversary.now_ticks)
        adversary.now_ticks = deadline_ticks;
    info->now_ticks = adversary.now_ticks;
    return STATUS_TIMED_OUT;
}

/* What is in a slot is known to the service, or was there from the start. */
static void check_held(void)
{
    for (uint32_t slot = 1; (slot = adversary_held_next(slot)) != 0; slot++) {
        if (slot >= SLOT_RECEIVE_BASE && !adversary.plan->names(slot))
            TRACE("  slot %u is filled, and nobody knows", slot);
        PROPERTY(E4, "kept", slot < SLOT_RECEIVE_BASE || adversary.plan->names(slot));
    }
}

/* Whether a RECV finds nothing, though the input goes on. */
static bool receives_in_vain(enum manner manner, uint64_t deadline_ticks)
{
    if (manner != MANNER_TRANSPORT)
        return false;
    return !adversary.plan->receives_truly || deadline_ticks != DEADLINE_NEVER ||
           choices_below(adversary.choices, 16) == 15;
}

static void deliver(uint32_t slot, struct message *message, uint32_t window_slot,
                    struct receive_info *info)
{
    *info = (struct receive_info){.badge = message->header.badge,
                                  .now_ticks = adversary.now_ticks,
                                  .endpoint_slot = slot,
                                  .cap_count = message->header.cap_count,
                                  .window_slot = window_slot};
    bool says_itself = adversary.plan->receives_truly && message->header.badge == BADGE_KERNEL &&
                       message->header.operation != OP_EVENT_FAULT;
    if (message->header.operation != OP_EVENT_PROCESS_TERMINATED && !says_itself)
        info->reply_slot = owe_reply();
    adversary.answered_slot = SLOT_NULL;
    trace_message("RECV", slot, false, operation_of(message->header.operation), message);
}

static void request_made(enum manner manner, uint32_t slot, uint32_t window_slot,
                         uint32_t window_count, struct message *message)
{
    make_request(manner, slot, message);
    if (adversary.plan->windows)
        deliver_oddly(message, window_count);
    if (message->header.cap_count > window_count)
        message->header.cap_count = (uint8_t)window_count;
    place_caps(message, window_slot);
    if (adversary.plan->windows)
        adversary_held_delivered(window_slot, message->header.cap_count);
    adversary.now_ticks += choices_below(adversary.choices, 1000);
}

static enum status receive(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                           struct receive_info *info)
{
    const struct adversary_plan *plan = adversary.plan;
    uint32_t window_slot = message->header.window_slot;
    uint32_t window_count = message->header.window_count;
    if (plan->is_client)
        return receive_nothing(deadline_ticks, info);
    if (plan->scripted_receive != NULL && plan->scripted_receive(slot, message)) {
        if (message->header.version == 0)
            return receive_nothing(deadline_ticks, info);
        place_caps(message, window_slot);
        if (plan->windows)
            adversary_held_delivered(window_slot, message->header.cap_count);
        deliver(slot, message, window_slot, info);
        return STATUS_OK;
    }
    if (plan->windows) {
        check_held();
        if (!adversary_held_receive(window_slot, window_count))
            return STATUS_BUSY;
    }
    bool is_over = plan->receives_max != 0 && adversary.counts.receives > plan->receives_max;
    if (is_over || choices_empty(adversary.choices))
        return STATUS_NOT_FOUND; /* the input is over: the endpoint is gone */
    if (plan->reply_slots != 0 && adversary.owed_count >= plan->reply_slots) {
        *info = (struct receive_info){.now_ticks = adversary.now_ticks};
        return STATUS_EXHAUSTED;
    }
    enum manner manner = draw_manner();
    if (receives_in_vain(manner, deadline_ticks))
        return receive_nothing(deadline_ticks, info);
    request_made(manner, slot, window_slot, window_count, message);
    deliver(slot, message, window_slot, info);
    return STATUS_OK;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    PROPERTY(E8, ++adversary.counts.receives <= ADVERSARY_CALL_LIMIT);
    if (adversary.plan->receives != NULL)
        adversary.plan->receives(slot, deadline_ticks);
    enum status status = receive(slot, message, deadline_ticks, info);
    if (status != STATUS_OK && adversary.plan->received_nothing != NULL)
        adversary.plan->received_nothing(status, info->now_ticks);
    return status;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    if (reply_slot == adversary.answered_slot)
        return STATUS_NOT_FOUND;
    adversary.counts.replies++;
    check_sent(message);
    adversary_held_reply(message);
    PROPERTY(E5, reply_slot >= SLOT_REPLY_BASE && reply_slot < SLOT_REPLY_BASE + SLOT_REPLY_COUNT &&
                     adversary.owed[reply_slot - SLOT_REPLY_BASE]);
    const struct operation *operation = operation_of(message->header.operation);
    trace_message("REPLY", reply_slot, true, operation, message);
    PROPERTY(E1, message->header.status < STATUS_COUNT);
    PROPERTY(E1, message->header.status == STATUS_OK || message->header.body_bytes == 0);
    if (adversary.plan->replied != NULL)
        adversary.plan->replied(message, adversary.honest);
    bool own = operation != NULL && operation->service == adversary.plan->service;
    mark_triple("adversary reply", 0, own ? operation->id : 0, message->header.status);
    enum manner manner = draw_manner();
    if (manner == MANNER_VIOLATION && message->header.cap_count != 0)
        return STATUS_BUSY; /* no room at the caller's: the slot stays */
    adversary.owed[reply_slot - SLOT_REPLY_BASE] = false;
    adversary.owed_count--;
    adversary.answered_slot = reply_slot;
    message->header.cap_count = 0; /* what was sent is gone */
    message->header.body_bytes = 0;
    message_page_used(message);
    if (manner == MANNER_TRANSPORT)
        return STATUS_NOT_FOUND;
    adversary_held_replied();
    return STATUS_OK;
}
