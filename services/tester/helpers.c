/* SPDX-License-Identifier: ISC */
/* Runs helpers and compares how each ended with what was stated. */
#include "services/tester/internal.h"

#include <stddef.h>

#include "services/lib/call_procd.h"
#include "services/lib/log_line.h"
#include "services/probes/expectations.h"

static const char *run_name(const struct probe_run *run)
{
    const struct role *role = role_find(run->role);
    return role != NULL ? role->image : "helper";
}

const struct startup_module *tester_module(const struct tester *tester, uint32_t role)
{
    for (uint32_t i = 0; i < tester->offer.count; i++) {
        if (tester->offer.modules[i].role == role)
            return &tester->offer.modules[i];
    }
    return NULL;
}

enum status tester_start(struct tester *tester, const struct probe_run *run, unsigned place)
{
    const struct startup_module *module = tester_module(tester, run->role);
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_spawn_service_request request = {
        .role = run->role,
        .page_limit = module->page_limit,
        .budget_pages = module->budget_pages,
        .image_offset = module->image_offset,
        .image_bytes = module->image_bytes,
        .argument = run->argument,
    };
    struct procd_spawn_service_reply reply;
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_spawn_service(&tester->caller, SLOT_PEER_PROCD,
                                          (struct window){TESTER_SLOT_CHILD, 1}, deadline_ticks,
                                          &request, &reply);
    if (status != STATUS_OK)
        return status;
    tester->helper_ids[place] = reply.process_id;
    return kernel_drop_local_cap(&tester->caller,
                                 reply.endpoint_slot); /* nobody talks to helpers */
}

enum status tester_stage(struct tester *tester, const struct probe_run *run, unsigned place)
{
    const struct startup_module *module = tester_module(tester, run->role);
    struct procd_create_staged_process_reply reply;
    uint64_t deadline_ticks;
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_create_staged_process_request request = {.role = run->role,
                                                          .page_limit = module->page_limit,
                                                          .budget_pages = module->budget_pages,
                                                          .image_offset = module->image_offset,
                                                          .image_bytes = module->image_bytes};
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_create_staged_process(&tester->caller, SLOT_PEER_PROCD,
                                                  (struct window){TESTER_SLOT_CHILD, 2},
                                                  deadline_ticks, &request, &reply);
    if (status != STATUS_OK)
        return status;
    tester->helper_ids[place] = reply.process_id;
    status = kernel_drop_local_cap(&tester->caller, reply.endpoint_slot);
    enum status dropped = kernel_drop_local_cap(&tester->caller, reply.grant_slot);
    return status == STATUS_OK ? dropped : status;
}

enum status tester_begin(struct tester *tester, const struct probe_run *run, unsigned place)
{
    struct procd_start_staged_process_request request = {.process_id = tester->helper_ids[place],
                                                         .argument = run->argument};
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status != STATUS_OK)
        return status;
    return procd_call_start_staged_process(&tester->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                           deadline_ticks, &request, NULL);
}

static bool ended_as_stated(const struct probe_run *run, uint64_t process_id,
                            const struct procd_wait_process_event_reply *ended)
{
    return ended->process_id == process_id && ended->reason == run->reason &&
           (run->reason > END_KILLED || ended->code == run->code) &&
           (run->fault_va == 0 || ended->fault_va == run->fault_va);
}

static void report_end(struct tester *tester, const char *name, bool as_stated,
                       const struct procd_wait_process_event_reply *ended)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "ROOTD_STAGE:");
    log_line_add(&line, name);
    if (!as_stated)
        log_line_add(&line, ":UNEXPECTED");
    log_line_add_end(&line, ended->reason, ended->code);
    log_line_send(&line, &tester->caller, SLOT_KERNEL_LOG_ENDPOINT);
}

/* procd answers by itself when the time is over; the call's own deadline lies a little later, for
 * a procd that answers nothing at all. */
enum status tester_wait_ticks(struct tester *tester, const struct probe_run *run, unsigned place,
                              uint64_t ticks)
{
    struct procd_wait_process_event_request request = {.process_id = tester->helper_ids[place]};
    struct procd_wait_process_event_reply ended;
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, ticks, &request.deadline_ticks);
    if (status == STATUS_OK)
        status = tester_deadline(tester, ticks + TESTER_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_wait_process_event(&tester->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                               deadline_ticks, &request, &ended);
    if (status != STATUS_OK) {
        tester_report(tester, run_name(run), status_name(status));
        return status;
    }
    tester->helper_ids[place] = 0;
    bool as_stated = ended_as_stated(run, request.process_id, &ended);
    report_end(tester, run_name(run), as_stated, &ended);
    return as_stated ? STATUS_OK : STATUS_INTERNAL;
}

enum status tester_wait(struct tester *tester, const struct probe_run *run, unsigned place)
{
    const struct startup_module *module = tester_module(tester, run->role);
    return module == NULL ? STATUS_NOT_FOUND
                          : tester_wait_ticks(tester, run, place, module->end_ticks);
}

enum status tester_stop(struct tester *tester, unsigned place, uint32_t code)
{
    struct procd_stop_process_request request = {.process_id = tester->helper_ids[place],
                                                 .code = code};
    uint64_t deadline_ticks;
    enum status status = tester_deadline(tester, TESTER_CALL_TICKS, &deadline_ticks);
    if (status != STATUS_OK)
        return status;
    return procd_call_stop_process(&tester->caller, SLOT_PEER_PROCD, NO_WINDOW, deadline_ticks,
                                   &request, NULL);
}

enum status tester_run_helpers(struct tester *tester)
{
    for (unsigned i = 0; i < PROBE_RUN_COUNT;) {
        unsigned count = probe_runs[i].together != 0 && i + 1 < PROBE_RUN_COUNT ? 2 : 1;
        enum status status = STATUS_OK;
        for (unsigned j = 0; j < count && status == STATUS_OK; j++)
            status = tester_start(tester, &probe_runs[i + j], j);
        for (unsigned j = 0; j < count && status == STATUS_OK; j++)
            status = tester_wait(tester, &probe_runs[i + j], j);
        if (status != STATUS_OK)
            return status;
        i += count;
    }
    return STATUS_OK;
}
