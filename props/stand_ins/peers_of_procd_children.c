/* SPDX-License-Identifier: ISC */
/* Children that procd starts again: what they say to START_SERVICE, and what they were told. */
#include "abi/codec.h"
#include "abi/messages/startup.h"
#include "props/base/property.h"
#include "props/stand_ins/peers_of_procd.h"

static enum peers_child manner;
static struct peers_asked asked;

void peers_of_procd_child(enum peers_child says)
{
    manner = says;
}

void peers_child_turn(void)
{
    asked = (struct peers_asked){0};
}

struct peers_asked peers_of_procd_asked(void)
{
    return asked;
}

/* A child is told who it is: procd calls up the rank here, and waits for a tick at most (E5, P12). */
enum status peers_child_answer(struct stand_in_call *call)
{
    const struct stand_in_process *child = stand_in_process(call->through.object - STAND_IN_CHILD);
    struct startup_start_service_request request;
    struct message *message = call->message;
    PROPERTY_EQUAL(P12, "ask", call->deadline_ticks, peers_of_procd_driver_ticks() + 1);
    PROPERTY_EQUAL(P12, "fresh", stand_in_now(), peers_of_procd_driver_ticks());
    PROPERTY_EQUAL(E5, "ask", message->header.operation, OP_STARTUP_START_SERVICE);
    PROPERTY_EQUAL(P12, "once", asked.token, 0);
    PROPERTY(P2, "envelope",
             message_decode(&startup_start_service_request_type, message, &request) == STATUS_OK &&
                 envelope_parse(request.envelope, request.count, &asked.envelope) == STATUS_OK);
    asked.token = child->token;
    if (child->life != STAND_IN_RUNNING)
        return STATUS_PEER_DIED;
    if (manner == PEERS_CHILD_REFUSES)
        return STATUS_INVALID_ARGUMENT;
    if (manner == PEERS_CHILD_SILENT) {
        stand_in_clock_set(call->deadline_ticks);
        return STATUS_TIMED_OUT;
    }
    struct startup_start_service_reply reply = {
        .role = asked.envelope.role + (manner == PEERS_CHILD_OTHER_ROLE),
        .checked_cap_count = asked.envelope.entry_count + (manner == PEERS_CHILD_ONE_MORE),
    };
    HARNESS(message_encode(&startup_start_service_reply_type, &reply, message) == STATUS_OK);
    return STATUS_OK;
}

void peers_child_answered(const struct stand_in_call *call, enum status status)
{
    bool wrong = manner == PEERS_CHILD_OTHER_ROLE || manner == PEERS_CHILD_ONE_MORE;
    asked.token = stand_in_process(call->through.object - STAND_IN_CHILD)
                      ->token; /* also of a planned failure */
    asked.status = status == STATUS_OK && wrong ? STATUS_INTERNAL : status;
}
