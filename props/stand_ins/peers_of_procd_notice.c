/* SPDX-License-Identifier: ISC */
/* Clients of procd at their notice endpoints. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/event.h"
#include "props/base/property.h"
#include "props/stand_ins/peers_of_procd.h"

enum { NOTICE_TICKS = 1, NOTICE_BASE = 1 << 20 }; /* written a second time; objects */

static enum peers_notice_mode manner;
static uint32_t made;
static struct peers_notice_call notice;

void peers_notice_be(enum peers_notice_mode mode)
{
    manner = mode;
}

bool peers_notice_is(const struct stand_in_call *call)
{
    return call->through.object_type == OBJECT_ENDPOINT && call->through.object >= NOTICE_BASE &&
           call->through.object < STAND_IN_ELSEWHERE;
}

/* Somebody who may be anybody: procd waits for a tick, at a clock that nothing came after (P12). */
enum status peers_notice_answer(struct stand_in_call *call)
{
    struct event_process_ended_request request;
    struct message *message = call->message;
    PROPERTY_EQUAL(P12, "short", call->deadline_ticks,
                   peers_of_procd_driver_ticks() + NOTICE_TICKS);
    PROPERTY_EQUAL(P12, "fresh", stand_in_now(), peers_of_procd_driver_ticks());
    PROPERTY_EQUAL(P12, "once", notice.count++, 0);
    PROPERTY_EQUAL(K1, "nothing", message->header.cap_count, 0);
    PROPERTY_EQUAL(E5, "notice", message->header.operation, OP_EVENT_PROCESS_ENDED);
    PROPERTY(E2, "notice",
             message_decode(&event_process_ended_request_type, message, &request) == STATUS_OK);
    notice.object = call->through.object;
    notice.ended = request.process_id;
    if (manner == PEERS_NOTICE_DEAD)
        return STATUS_PEER_DIED;
    if (manner == PEERS_NOTICE_REFUSES)
        return STATUS_DENIED;
    if (manner == PEERS_NOTICE_SILENT) {
        stand_in_clock_set(call->deadline_ticks);
        return STATUS_TIMED_OUT;
    }
    HARNESS(message_encode(&event_process_ended_reply_type, NULL, message) == STATUS_OK);
    return STATUS_OK;
}

void peers_notice_answered(enum status status)
{
    notice.status = status;
}

const struct peers_notice_call *peers_notice_call(void)
{
    return &notice;
}

uint32_t peers_notice_make(void)
{
    return NOTICE_BASE + ++made;
}

uint32_t peers_notice_last(void)
{
    return NOTICE_BASE + made;
}

void peers_notice_begin(void)
{
    manner = PEERS_NOTICE_WELL;
    made = 0;
    peers_notice_turn();
}

void peers_notice_turn(void)
{
    memset(&notice, 0, sizeof notice);
}
