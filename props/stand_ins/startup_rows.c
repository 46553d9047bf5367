/* SPDX-License-Identifier: ISC */
/* See startup_rows.h. */
#include "props/stand_ins/startup_rows.h"

#include <stdlib.h>

#include "abi/codec.h"
#include "abi/messages/kernel.h"
#include "abi/messages/startup.h"
#include "services/lib/service.h"

enum { PROCESS_ID = 0x30005 }; /* that procd would have given */

static void hold(struct startup_rows *rows, uint32_t slot, uint32_t object_type, uint32_t rights,
                 uint64_t badge)
{
    rows->held[rows->held_count++] = (struct startup_held){slot, object_type, rights, badge};
}

static void name(struct startup_rows *rows, uint32_t slot, enum object_type type, uint16_t rights)
{
    uint32_t peer = service_peer_role(slot, type, rights);
    rows->envelope.entries[rows->envelope.entry_count++] = (struct envelope_entry){
        .slot = slot, .object_type = (uint16_t)type, .rights = rights, .peer_role = peer};
    uint64_t badge = service_peer_badge(peer, PROCESS_ID, rows->envelope.role);
    hold(rows, slot, type, rights, peer == ROLE_NONE ? 0 : badge);
}

void startup_rows_make(struct startup_rows *rows, const struct role *role)
{
    unsigned count = 0;
    const struct intake *intake = role_intake(role->id, &count);
    rows->envelope = (struct envelope){.role = role->id,
                                       .service_endpoint_slot = SLOT_SERVICE_ENDPOINT,
                                       .primary_control_slot = role->primary_slot,
                                       .slot_window_first = SLOT_SERVICE_ENDPOINT,
                                       .slot_window_last = SLOT_STARTUP_LAST};
    rows->held_count = 0;
    hold(rows, SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0);
    name(rows, SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT);
    for (unsigned i = 0; i < count; i++)
        name(rows, intake[i].slot, intake[i].object_type, intake[i].rights);
}

void startup_rows_send(const struct startup_rows *rows, struct message *message)
{
    struct startup_start_service_request request = {0};
    size_t written = 0;
    if (envelope_encode(&rows->envelope, request.envelope, sizeof request.envelope, &written) !=
        STATUS_OK)
        abort();
    request.count = (uint32_t)written;
    if (message_encode(&startup_start_service_request_type, &request, message) != STATUS_OK)
        abort();
}

bool startup_rows_answer(const struct startup_rows *rows, struct message *message)
{
    struct kernel_query_local_cap_request query;
    if (message->header.operation != OP_KERNEL_QUERY_LOCAL_CAP ||
        message_decode(&kernel_query_local_cap_request_type, message, &query) != STATUS_OK)
        return false;
    unsigned at = 0;
    while (at < rows->held_count && rows->held[at].slot < query.slot)
        at++;
    bool found =
        at < rows->held_count && (query.mode == QUERY_NEXT || rows->held[at].slot == query.slot);
    struct kernel_query_local_cap_reply reply = {0};
    if (!found) {
        message_refuse(message, STATUS_NOT_FOUND);
        return true;
    }
    reply.slot = rows->held[at].slot;
    reply.object_type = rows->held[at].object_type;
    reply.rights = rows->held[at].rights;
    reply.badge = rows->held[at].badge;
    if (reply.object_type == OBJECT_UNTYPED)
        reply.size_pages = STARTUP_UNTYPED_PAGES;
    return message_encode(&kernel_query_local_cap_reply_type, &reply, message) == STATUS_OK;
}
