/* SPDX-License-Identifier: ISC */
/* What comes to the service and what it answers: delivery, the clock, and the book of those who
 * wait for a reply. */
#include <string.h>

#include "abi/slots.h"
#include "props/base/property.h"
#include "props/stand_ins/stand_in_books.h"

enum { REPLY_LIMIT = SLOT_REPLY_COUNT + 8 };

static const struct stand_in_peers *peers;
static struct {
    bool open;
    bool vacated; /* its caller waits no more, and the kernel emptied the slot at once (K10) */
    uint64_t request_id;
} waiting[SLOT_REPLY_COUNT];
static uint32_t waiting_high;
static uint32_t waiting_low; /* no place below is free */
static uint32_t waiting_count;

static uint64_t delivered_total; /* since the program began */
static struct message pending;   /* to deliver */
static struct stand_in_cap pending_caps[MESSAGE_CAP_LIMIT];
static struct message delivered;
static struct stand_in_reply replies[REPLY_LIMIT];
static struct stand_in_reply lost_reply;

static struct {
    bool pending;
    bool pending_event;
    uint32_t pending_slot;
    uint32_t current_slot; /* the reply slot of the message delivered last; 0: none */
    enum status loses;
    bool lost;
    uint32_t count;
    uint64_t now_ticks;
} book;

void stand_in_replies_begin(const struct stand_in_peers *new_peers)
{
    peers = new_peers;
    memset(waiting, 0, waiting_high * sizeof waiting[0]);
    waiting_high = waiting_low = waiting_count = 0;
    memset(&book, 0, sizeof book);
}

void stand_in_message_begin(void)
{
    book.count = 0;
    book.lost = false;
    book.current_slot = SLOT_NULL;
    stand_in_failures_begin();
}

uint64_t stand_in_now(void)
{
    return book.now_ticks;
}

void stand_in_clock_set(uint64_t ticks)
{
    book.now_ticks = ticks;
}

/* --- who waits -------------------------------------------------------------------------------- */

uint32_t stand_in_reply_open(uint64_t request_id, uint32_t limit)
{
    while (waiting_low < waiting_high && waiting[waiting_low].open)
        waiting_low++;
    if (waiting_low >= limit || waiting_low == SLOT_REPLY_COUNT)
        return SLOT_NULL;
    waiting[waiting_low].open = true;
    waiting[waiting_low].vacated = false;
    waiting[waiting_low].request_id = request_id;
    waiting_high += waiting_low == waiting_high;
    waiting_count++;
    return SLOT_REPLY_BASE + waiting_low;
}

bool stand_in_reply_is_open(uint32_t reply_slot)
{
    uint32_t place = reply_slot - SLOT_REPLY_BASE;
    return place < SLOT_REPLY_COUNT && waiting[place].open;
}

void stand_in_reply_close(uint32_t reply_slot)
{
    uint32_t place = reply_slot - SLOT_REPLY_BASE;
    HARNESS(stand_in_reply_is_open(reply_slot));
    waiting[place].open = false;
    waiting_low = place < waiting_low ? place : waiting_low;
    waiting_count--;
}

uint32_t stand_in_reply_open_count(void)
{
    return waiting_count;
}

uint32_t stand_in_reply_waiting(uint64_t i)
{
    for (uint32_t place = 0; place < waiting_high; place++)
        if (waiting[place].open && i-- == 0)
            return SLOT_REPLY_BASE + place;
    return SLOT_NULL;
}

void stand_in_caller_gone(uint32_t reply_slot)
{
    stand_in_reply_close(reply_slot);
    waiting[reply_slot - SLOT_REPLY_BASE].vacated = true;
}

void stand_in_caller_left(uint64_t request_id)
{
    for (uint32_t place = 0; place < waiting_high; place++)
        if (waiting[place].open && waiting[place].request_id == request_id)
            stand_in_caller_gone(SLOT_REPLY_BASE + place);
}

/* --- receiving -------------------------------------------------------------------------------- */

void stand_in_deliver(uint32_t slot, const struct message *message, const struct stand_in_cap *caps)
{
    pending = *message;
    for (uint32_t i = 0; i < message->header.cap_count; i++)
        pending_caps[i] = caps[i];
    book.pending = true;
    book.pending_event = false;
    book.pending_slot = slot;
}

void stand_in_deliver_event(uint32_t slot, const struct message *message)
{
    HARNESS(message->header.cap_count == 0);
    stand_in_deliver(slot, message, NULL);
    book.pending_event = true;
}

void stand_in_delivered_otherwise(void)
{
    delivered_total++;
}

uint64_t stand_in_delivered_total(void)
{
    return delivered_total;
}

uint32_t stand_in_delivered_slot(void)
{
    return book.current_slot;
}

bool stand_in_delivery_pending(void)
{
    return book.pending;
}

const struct message *stand_in_delivered(void)
{
    return &delivered;
}

void stand_in_window_fill(struct message *message, const struct stand_in_cap *caps, uint32_t slot)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        struct message_cap *descriptor = &message->caps[i];
        uint32_t at = slot + i;
        descriptor->object_type = (uint8_t)caps[i].object_type;
        descriptor->rights = (uint16_t)caps[i].rights;
        if (caps[i].object_type != OBJECT_NONE)
            stand_in_put(at, caps[i]);
        memcpy(message->body + descriptor->field_offset, &at, sizeof at);
    }
}

static void deliver(uint32_t slot, struct message *message, struct receive_info *info)
{
    uint32_t window_slot = message->header.window_slot;
    PROPERTY(E10, "window", message->header.window_count >= pending.header.cap_count);
    PROPERTY(E1, stand_in_slots_empty(window_slot, message->header.window_count));
    book.pending = false;
    delivered_total++;
    message->header = pending.header;
    memcpy(message->caps, pending.caps, pending.header.cap_count * sizeof pending.caps[0]);
    memcpy(message->body, pending.body, pending.header.body_bytes);
    book.current_slot = SLOT_NULL;
    if (!book.pending_event) {
        book.current_slot = stand_in_reply_open(message->header.request_id, SLOT_REPLY_COUNT);
        HARNESS(book.current_slot != SLOT_NULL);
    }
    stand_in_window_fill(message, pending_caps, window_slot);
    delivered = pending;
    memcpy(delivered.caps, message->caps, pending.header.cap_count * sizeof pending.caps[0]);
    memcpy(delivered.body, message->body, pending.header.body_bytes);
    *info = (struct receive_info){
        .badge = message->header.badge,
        .now_ticks = book.now_ticks,
        .endpoint_slot = slot,
        .reply_slot = book.current_slot,
        .cap_count = message->header.cap_count,
        .window_slot = window_slot,
    };
}

enum status stand_in_receive(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                             struct receive_info *info)
{
    struct stand_in_cap endpoint;
    PROPERTY(E10, "receive",
             stand_in_get(slot, OBJECT_ENDPOINT, RIGHT_RECEIVE, &endpoint) == STATUS_OK);
    if (peers->receives != NULL)
        peers->receives(slot, deadline_ticks);
    if (book.pending && book.pending_slot == slot) {
        deliver(slot, message, info);
        return STATUS_OK;
    }
    *info = (struct receive_info){.now_ticks = book.now_ticks, .endpoint_slot = slot};
    if (deadline_ticks == DEADLINE_POLL)
        return STATUS_RETRY;
    if (deadline_ticks != DEADLINE_NEVER && deadline_ticks > book.now_ticks)
        info->now_ticks = book.now_ticks = deadline_ticks;
    return STATUS_TIMED_OUT;
}

/* --- replying --------------------------------------------------------------------------------- */

void stand_in_lose_reply(enum status status)
{
    book.loses = status;
}

bool stand_in_reply_was_lost(void)
{
    return book.lost;
}

uint32_t stand_in_reply_count(void)
{
    return book.count;
}

const struct stand_in_reply *stand_in_reply_at(uint32_t i)
{
    HARNESS(i < book.count);
    return &replies[i];
}

const struct message *stand_in_reply(void)
{
    return book.count == 0 ? NULL : &replies[book.count - 1].message;
}

const struct stand_in_cap *stand_in_reply_caps(void)
{
    return stand_in_reply_at(book.count - 1)->caps;
}

const struct stand_in_reply *stand_in_reply_lost(void)
{
    return book.lost ? &lost_reply : NULL;
}

/* The kernel refuses for room only what carries something. */
static bool is_lost(uint32_t reply_slot, const struct message *message)
{
    return book.loses != STATUS_OK && !book.lost && reply_slot == book.current_slot &&
           (book.loses == STATUS_NOT_FOUND || message->header.cap_count != 0);
}

/* The kernel hands on no capability to an endpoint that is gone. */
static bool sends_dead(const struct message *message)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        uint32_t slot;
        memcpy(&slot, message->body + message->caps[i].field_offset, sizeof slot);
        struct stand_in_cap cap = stand_in_at(slot);
        if (cap.object_type == OBJECT_ENDPOINT && !stand_in_cap_live(&cap))
            return true;
    }
    return false;
}

/* Writes down the reply as the caller gets it, or would get it. */
static void record(uint32_t reply_slot, const struct message *message, struct stand_in_reply *reply)
{
    reply->slot = reply_slot;
    reply->message.header = message->header;
    memcpy(reply->message.body, message->body, message->header.body_bytes);
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        const struct message_cap *descriptor = &message->caps[i];
        struct stand_in_cap *cap = &reply->caps[i];
        enum status given = stand_in_give(message, descriptor, cap);
        PROPERTY(K1, "transfer", given == STATUS_OK || (book.lost && sends_dead(message)));
        PROPERTY(K1, "grant",
                 cap->object_type != OBJECT_GRANT || descriptor->mode == TRANSFER_MOVE);
        reply->message.caps[i] = (struct message_cap){
            .field_offset = descriptor->field_offset,
            .rights = (uint16_t)cap->rights,
            .object_type = (uint8_t)cap->object_type,
        };
    }
}

/* The caller holds what it was given, and the service no longer what it moved away. */
static void hand_over(const struct message *message, const struct stand_in_reply *reply)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        uint32_t slot;
        memcpy(&slot, message->body + message->caps[i].field_offset, sizeof slot);
        if (reply->caps[i].object_type == OBJECT_FRAME)
            stand_in_frame_held_outside(reply->caps[i].object);
        if (message->caps[i].mode == TRANSFER_MOVE)
            (void)stand_in_take(slot);
    }
}

static enum status answer(uint32_t reply_slot, const struct message *message)
{
    if (is_lost(reply_slot, message)) {
        book.lost = true;
        record(reply_slot, message, &lost_reply);
        if (book.loses == STATUS_NOT_FOUND) {
            stand_in_reply_close(reply_slot);
            /* The same word says that what it sends is gone: a bare one may be tried. */
            waiting[reply_slot - SLOT_REPLY_BASE].vacated = message->header.cap_count != 0;
        }
        return book.loses;
    }
    if (sends_dead(message))
        return STATUS_NOT_FOUND;
    HARNESS(book.count < REPLY_LIMIT);
    struct stand_in_reply *reply = &replies[book.count++];
    record(reply_slot, message, reply);
    hand_over(message, reply);
    stand_in_reply_close(reply_slot);
    if (reply_slot == book.current_slot)
        stand_in_message_answered();
    return STATUS_OK;
}

enum status stand_in_answer(uint32_t reply_slot, struct message *message)
{
    uint32_t place = reply_slot - SLOT_REPLY_BASE;
    bool vacated = place < SLOT_REPLY_COUNT && waiting[place].vacated;
    PROPERTY(E5, "once", vacated || stand_in_reply_is_open(reply_slot));
    enum status status = vacated ? STATUS_NOT_FOUND : answer(reply_slot, message);
    if (vacated)
        waiting[place].vacated = false;
    if (peers->replied != NULL)
        peers->replied(reply_slot, message, status);
    return status;
}
