/* SPDX-License-Identifier: ISC */
/* Runs what tries to do harm, and what must not notice. Decides nothing about authority: the client
 * gets the rows of its role, as a service would. */
#include "services/rootd/hostile.h"

#include "services/lib/call_procd.h"
#include "services/probes/expectations.h"
#include "services/rootd/phase0.h"
#include "services/rootd/report.h"

enum {
    SPIN_PLACE = HELPER_RUN_LIMIT - 1, /* phase0_run uses the others */
    CLIENT_PLACE = 0
};

/* --- the spinner ------------------------------------------------------------------------------ */

static enum status stop_spinner(struct rootd *state)
{
    struct procd_stop_process_request request = {.process_id = state->helper_ids[SPIN_PLACE],
                                                 .code = TEST_SPIN_STOP_CODE};
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(state, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_stop_process(&state->caller, SLOT_PEER_PROCD, NO_WINDOW, deadline_ticks,
                                         &request, NULL);
    return status == STATUS_OK ? phase0_wait(state, &spin_run, SPIN_PLACE) : status;
}

/* --- the client ------------------------------------------------------------------------------- */

static enum status stage_client(struct rootd *state)
{
    const struct rootd_module *module = phase0_module(state, ROLE_TEST_HOSTILE);
    if (module == NULL)
        return STATUS_NOT_FOUND;
    struct procd_create_staged_process_request request = {
        .role = module->role,
        .image_offset = module->offset_bytes,
        .image_bytes = module->size_bytes,
    };
    struct procd_create_staged_process_reply reply;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(state, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_create_staged_process(&state->caller, SLOT_PEER_PROCD,
                                                  (struct window){ROOTD_SLOT_WINDOW, 2},
                                                  deadline_ticks, &request, &reply);
    if (status != STATUS_OK)
        return status;
    state->helper_ids[CLIENT_PLACE] = reply.process_id;
    status = kernel_move_local_cap(&state->caller, reply.grant_slot, ROOTD_SLOT_GRANT);
    return status == STATUS_OK ? kernel_drop_local_cap(&state->caller, reply.endpoint_slot)
                               : status;
}

static enum status install_client(struct rootd *state)
{
    unsigned count = 0;
    const struct role *role = role_find(ROLE_TEST_HOSTILE);
    const struct intake *rows = role_intake(ROLE_TEST_HOSTILE, &count);
    enum status status = role == NULL || count == 0 ? STATUS_NOT_FOUND : STATUS_OK;
    for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
        struct plan_install install;
        status = plan_row(role, &rows[i], &install);
        if (status == STATUS_OK)
            status = launch_install(state, &install);
    }
    return status;
}

static enum status start_client(struct rootd *state)
{
    struct procd_start_staged_process_request request = {
        .process_id = state->helper_ids[CLIENT_PLACE], .argument = hostile_client_run.argument};
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(state, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_start_staged_process(&state->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                 deadline_ticks, &request, NULL);
    return status == STATUS_OK ? kernel_drop_local_cap(&state->caller, ROOTD_SLOT_GRANT) : status;
}

static enum status run_client(struct rootd *state)
{
    enum status status = stage_client(state);
    if (status == STATUS_OK)
        status = install_client(state);
    if (status == STATUS_OK)
        status = start_client(state);
    return status == STATUS_OK ? phase0_wait(state, &hostile_client_run, CLIENT_PLACE) : status;
}

/* One that wants more memory than its account has, beside the spinner. */
static enum status run_hog(struct rootd *state)
{
    enum status status = phase0_start(state, &hog_run, CLIENT_PLACE);
    return status == STATUS_OK ? phase0_wait(state, &hog_run, CLIENT_PLACE) : status;
}

enum status hostile_run(struct rootd *state)
{
    enum status status = phase0_start(state, &spin_run, SPIN_PLACE);
    if (status == STATUS_OK)
        status = run_hog(state);
    if (status == STATUS_OK)
        status = phase0_run(state);
    if (status == STATUS_OK)
        status = stop_spinner(state);
    if (status == STATUS_OK)
        report_stage(state, "SPINNER_STOPPED", "");
    if (status == STATUS_OK)
        status = run_client(state);
    if (status == STATUS_OK)
        report_stage(state, "ATTACK_OVER", "");
    return status == STATUS_OK ? phase0_run(state) : status;
}
