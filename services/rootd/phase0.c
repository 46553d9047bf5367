/* SPDX-License-Identifier: ISC */
/* Runs the phase-0 helpers and compares how each ended with what was stated. Decides nothing about
 * the system: it asks procd and memd what any administrator may ask. */
#include "services/rootd/phase0.h"

#include <string.h>

#include "services/lib/call_memd.h"
#include "services/lib/call_procd.h"
#include "services/probes/expectations.h"
#include "services/rootd/report.h"

static const char *run_name(const struct probe_run *run)
{
    const struct role *role = role_find(run->role);
    return role != NULL ? role->image : "helper";
}

const struct rootd_module *phase0_module(const struct rootd *state, uint32_t role)
{
    for (unsigned i = 0; i < HELPER_LIMIT; i++) {
        if (state->intake.helpers[i].role == role)
            return &state->intake.helpers[i];
    }
    return NULL;
}

enum status phase0_start(struct rootd *state, const struct probe_run *run, unsigned place)
{
    const struct rootd_module *module = phase0_module(state, run->role);
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_spawn_request request = {
        .role = run->role,
        .image_slot = SLOT_IMAGE, /* procd's own */
        .image_offset = module->offset_bytes,
        .image_bytes = module->size_bytes,
        .argument = run->argument,
    };
    struct procd_spawn_reply reply;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(state, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_spawn(&state->caller, SLOT_PEER_PROCD, NO_WINDOW, deadline_ticks,
                                  &request, &reply);
    if (status == STATUS_OK)
        state->helper_ids[place] = reply.process_id;
    return status;
}

static bool ended_as_stated(const struct probe_run *run, uint64_t process_id,
                            const struct procd_wait_process_event_reply *ended)
{
    return ended->process_id == process_id && ended->reason == run->reason &&
           (run->reason > END_KILLED || ended->code == run->code) &&
           (run->fault_va == 0 || ended->fault_va == run->fault_va);
}

/* procd answers by itself when the time is over; the call's own deadline lies a little later, for
 * a procd that answers nothing at all. */
enum status phase0_wait(struct rootd *state, const struct probe_run *run, unsigned place)
{
    const struct rootd_module *module = phase0_module(state, run->role);
    struct procd_wait_process_event_request request = {.process_id = state->helper_ids[place]};
    struct procd_wait_process_event_reply ended;
    if (module == NULL)
        return STATUS_NOT_FOUND;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(state, module->ready_ticks, &request.deadline_ticks);
    if (status == STATUS_OK)
        status = rootd_deadline(state, module->ready_ticks + ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_wait_process_event(&state->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                               deadline_ticks, &request, &ended);
    if (status != STATUS_OK) {
        report_stage(state, run_name(run), status_name(status));
        return status;
    }
    state->helper_ids[place] = 0;
    bool as_stated = ended_as_stated(run, request.process_id, &ended);
    report_end(state, run_name(run), as_stated, ended.reason, ended.code);
    return as_stated ? STATUS_OK : STATUS_INTERNAL;
}

enum status phase0_run(struct rootd *state)
{
    for (unsigned i = 0; i < PROBE_RUN_COUNT;) {
        unsigned count = probe_runs[i].together != 0 && i + 1 < PROBE_RUN_COUNT ? 2 : 1;
        enum status status = STATUS_OK;
        for (unsigned j = 0; j < count && status == STATUS_OK; j++)
            status = phase0_start(state, &probe_runs[i + j], j);
        for (unsigned j = 0; j < count && status == STATUS_OK; j++)
            status = phase0_wait(state, &probe_runs[i + j], j);
        if (status != STATUS_OK)
            return status;
        i += count;
    }
    return STATUS_OK;
}

/* --- the book ------------------------------------------------------------------------------- */

enum status phase0_book(struct rootd *state, struct memd_query_memory_reply *book)
{
    struct memd_query_memory_request request;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(state, ROOTD_CALL_TICKS, &deadline_ticks);
    return status == STATUS_OK ? memd_call_query_memory(&state->caller, SLOT_PEER_MEMD, NO_WINDOW,
                                                        deadline_ticks, &request, book)
                               : status;
}

static bool book_equal(const struct memd_query_memory_reply *a,
                       const struct memd_query_memory_reply *b)
{
    return a->total_pages == b->total_pages && a->free_pages == b->free_pages &&
           a->reserve_pages == b->reserve_pages && a->handed_out_pages == b->handed_out_pages &&
           a->account_count == b->account_count;
}

enum status phase0_settle(struct rootd *state, const struct memd_query_memory_reply *book)
{
    enum { STEP_TICKS = 20 };
    for (uint32_t waited = 0; waited <= ROOTD_SETTLE_TICKS; waited += STEP_TICKS) {
        struct memd_query_memory_reply now;
        enum status status = phase0_book(state, &now);
        if (status != STATUS_OK)
            return status;
        if (book_equal(&now, book))
            return STATUS_OK;
        status = rootd_pause(state, STEP_TICKS);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_EXHAUSTED;
}
