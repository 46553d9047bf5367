/* SPDX-License-Identifier: ISC */
/* The peers of procd that it binds late: named, logd and crashd, each well or in a way not. */
#include "props/stand_ins/peers_of_procd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/named.h"
#include "abi/messages/startup.h"
#include "abi/slots.h"
#include "props/base/property.h"

static enum peers_witness_mode witness_modes[ROLE_CRASHD + 1];
static struct peers_witness_call witness;

/* Whom a call goes to; 0: somebody else. */
uint32_t peers_witness_of(const struct stand_in_call *call)
{
    const struct stand_in_cap *through = &call->through;
    if (through->object_type != OBJECT_ENDPOINT)
        return 0;
    return through->object >= ROLE_NAMED && through->object <= ROLE_CRASHD ? through->object : 0;
}

/* The row behind a child's endpoint is not known to the kernel's stand-in. */
static enum status find(struct stand_in_call *call)
{
    struct named_lookup_request request;
    struct named_lookup_reply reply = {.service_slot = call->window_slot};
    HARNESS(call->message->header.operation == OP_NAMED_LOOKUP);
    HARNESS(message_decode(&named_lookup_request_type, call->message, &request) == STATUS_OK);
    bool crashd = request.count == 6 && memcmp(request.name, "crashd", 6) == 0;
    PROPERTY(N1, "name", crashd || (request.count == 4 && memcmp(request.name, "logd", 4) == 0));
    PROPERTY_EQUAL(N1, "window", call->window_slot, crashd ? SLOT_PEER_CRASHD : SLOT_PEER_LOGD);
    witness.looked_up = crashd ? ROLE_CRASHD : ROLE_LOGD;
    if (witness_modes[witness.looked_up] == PEERS_WITNESS_AWAY)
        return STATUS_NOT_FOUND;
    HARNESS(message_encode(&named_lookup_reply_type, &reply, call->message) == STATUS_OK);
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, witness.looked_up);
    call->caps[0].rights = RIGHT_SEND;
    call->caps[0].badge = ROLE_PROCD;
    return STATUS_OK;
}

static enum status witness_do(struct stand_in_call *call, uint32_t role)
{
    struct crashd_report_reply *reported = call->reply;
    struct logd_append_reply *appended = call->reply;
    if (role == ROLE_NAMED)
        return find(call);
    if (role == ROLE_CRASHD) {
        PROPERTY_EQUAL(P9, "report", call->operation->id, OP_CRASHD_REPORT);
        witness.report = *(const struct crashd_report_request *)call->request;
        reported->report_id = 1;
        return STATUS_OK;
    }
    PROPERTY_EQUAL(P9, "line", call->operation->id, OP_LOGD_APPEND);
    witness.line = *(const struct logd_append_request *)call->request;
    appended->record_id = 1;
    return STATUS_OK;
}

/* It is called at a clock that nothing came after, for a short time, once in a turn (P12). */
enum status peers_witness_answer(struct stand_in_call *call, uint32_t role)
{
    PROPERTY_EQUAL(P12, "short", call->deadline_ticks,
                   peers_of_procd_driver_ticks() + PEERS_WITNESS_TICKS);
    PROPERTY_EQUAL(P12, "fresh", stand_in_now(), peers_of_procd_driver_ticks());
    PROPERTY_EQUAL(P12, "once", witness.count++, 0);
    witness.role = role;
    enum status status = witness_do(call, role);
    switch (witness_modes[role]) {
    case PEERS_WITNESS_HANGS:
        stand_in_clock_set(call->deadline_ticks);
        return STATUS_TIMED_OUT;
    case PEERS_WITNESS_DEAD:
        return STATUS_PEER_DIED;
    case PEERS_WITNESS_REFUSES:
        return STATUS_DENIED;
    case PEERS_WITNESS_LIES:
        return STATUS_INTERNAL;
    case PEERS_WITNESS_ORDER:
        return role == ROLE_LOGD ? STATUS_BAD_TEXT : STATUS_BAD_ORDER;
    case PEERS_WITNESS_FULL:
        return STATUS_EXHAUSTED;
    case PEERS_WITNESS_GONE:
        call->unheard = true;
        return STATUS_NOT_FOUND;
    case PEERS_WITNESS_AWAY:
        return role == ROLE_NAMED ? STATUS_NOT_FOUND : status;
    case PEERS_WITNESS_WELL:
    case PEERS_WITNESS_MODES:
        break;
    }
    return status;
}

void peers_witness_be(uint32_t role, enum peers_witness_mode mode)
{
    HARNESS(role >= ROLE_NAMED && role <= ROLE_CRASHD);
    witness_modes[role] = mode;
}

const struct peers_witness_call *peers_witness_call(void)
{
    return &witness;
}

uint32_t peers_witness_slots(void)
{
    return !stand_in_slot_empty(SLOT_PEER_NAMED) + !stand_in_slot_empty(SLOT_PEER_LOGD) +
           !stand_in_slot_empty(SLOT_PEER_CRASHD);
}

bool peers_witness_is_slot(uint32_t slot)
{
    return slot == SLOT_PEER_NAMED || slot == SLOT_PEER_LOGD || slot == SLOT_PEER_CRASHD;
}

void peers_witness_answered(const struct stand_in_call *call, enum status status)
{
    witness.status = status;
    witness.answered = !call->unheard && status != STATUS_TIMED_OUT && status != STATUS_PEER_DIED;
}

void peers_witness_uncleared(uint32_t slot)
{
    if (witness.count == 0)
        witness.uncleared = slot == SLOT_PEER_CRASHD ? ROLE_CRASHD : ROLE_LOGD;
}

void peers_witness_turn(void)
{
    memset(&witness, 0, sizeof witness);
}

void peers_witness_begin(void)
{
    memset(witness_modes, 0, sizeof witness_modes);
    peers_witness_turn();
}
