/* SPDX-License-Identifier: ISC */
/* The start envelope of a role. Decides nothing: the role table says what a role holds at start, and
 * who launches it whether it may (plan_row in services/rootd/plan.c). */
#include "services/lib/launch_envelope.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/messages/procd.h"
#include "abi/messages/startup.h"
#include "abi/slots.h"
#include "services/lib/service.h"

static void add_entry(struct envelope *envelope, uint32_t slot, uint32_t type, uint16_t rights)
{
    UNIT_ASSERT(envelope->entry_count < ENVELOPE_ENTRY_LIMIT && slot > envelope->slot_window_last);
    envelope->entries[envelope->entry_count++] = (struct envelope_entry){
        .slot = slot,
        .object_type = (uint16_t)type,
        .rights = rights,
        .peer_role = service_peer_role(slot, (enum object_type)type, rights),
    };
    envelope->slot_window_last = slot;
}

enum status launch_envelope_make(const struct role *role, const struct launch_terms *terms,
                                 struct envelope *out)
{
    unsigned row_count = 0;
    const struct intake *rows = role_intake(role->id, &row_count);
    if (row_count + 1 > ENVELOPE_ENTRY_LIMIT)
        return STATUS_EXHAUSTED;
    *out = (struct envelope){
        .role = role->id,
        .service_endpoint_slot = SLOT_SERVICE_ENDPOINT,
        .primary_control_slot = role->primary_slot,
        .slot_window_first = SLOT_SERVICE_ENDPOINT,
        .validation_profile = terms->validation_profile,
        .memory_pages = role->kind == ROLE_KIND_FOUNDATION ? terms->memory_pages : 0,
        .ready_ticks = terms->ready_ticks,
    };
    add_entry(out, SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT);
    for (unsigned i = 0; i < row_count; i++) {
        UNIT_ASSERT(out->entry_count == i + 1); /* ascending slots, each once */
        add_entry(out, rows[i].slot, rows[i].object_type, rows[i].rights);
    }
    return envelope_validate(out);
}

enum status launch_envelope_request(const struct envelope *envelope,
                                    struct startup_start_service_request *out)
{
    size_t written = 0;
    memset(out, 0, sizeof *out);
    enum status status = envelope_encode(envelope, out->envelope, sizeof out->envelope, &written);
    out->count = (uint32_t)written;
    return status;
}

bool launch_policy_request(uint32_t role, uint64_t process_id, uint64_t ready_ticks,
                           struct procd_set_restart_policy_request *out)
{
    const struct restarts *row = role_restarts(role);
    if (row == NULL)
        return false;
    *out = (struct procd_set_restart_policy_request){
        .process_id = process_id,
        .policy = row->policy,
        .critical = row->critical,
        .base_delay_ticks = row->base_delay_ticks,
        .delay_cap_ticks = row->delay_cap_ticks,
        .stable_after_ticks = row->stable_after_ticks,
        .window_ticks = row->window_ticks,
        .ready_ticks = ready_ticks,
        .budget_count = row->budget_count,
    };
    return true;
}

uint64_t launch_ask_until(uint64_t now_ticks, uint64_t deadline_ticks, uint64_t slice_ticks)
{
    if (now_ticks >= deadline_ticks)
        return deadline_after(now_ticks, LAUNCH_SLICE_TICKS);
    uint64_t slice_ends = deadline_after(now_ticks, slice_ticks);
    return slice_ends < deadline_ticks ? slice_ends : deadline_ticks;
}

uint64_t launch_next_slice(uint64_t slice_ticks)
{
    return 2 * slice_ticks < LAUNCH_SLICE_TICKS_MAX ? 2 * slice_ticks : LAUNCH_SLICE_TICKS_MAX;
}
