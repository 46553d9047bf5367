/* SPDX-License-Identifier: ISC */
/* rootd's life, as the list on top of rootd.h says. Decides which terminal status a failure is, and
 * what becomes of messages to rootd: nothing is served here, ever. */
#include "services/rootd/rootd.h"

#include <string.h>

#include "abi/messages/event.h"
#include "abi/process.h"
#include "services/lib/service.h"
#include "services/rootd/launch.h"
#include "services/rootd/programs.h"
#include "services/rootd/report.h"
#include "services/rootd/teardown.h"

static enum rootd_status fail(struct rootd *state, enum rootd_status status, enum status cause)
{
    state->status = status;
    state->cause = cause;
    return status;
}

/* --- before the first mutation ------------------------------------------------------------- */

enum rootd_status rootd_prepare(struct rootd *state, const void *handoff, size_t handoff_size,
                                uint32_t root_endpoint_slot)
{
    bool kernel_failed = false;
    state->stage = STAGE_HANDOFF;
    enum status status = intake_handoff(&state->intake, handoff, handoff_size, root_endpoint_slot);
    if (status != STATUS_OK)
        return fail(state, ROOTD_HANDOFF_INVALID, status);
    state->stage = STAGE_INTAKE;
    status = intake_inventory(&state->caller, &kernel_failed);
    if (status == STATUS_OK)
        status = intake_modules(&state->caller, &state->intake, &kernel_failed);
    if (status != STATUS_OK)
        return fail(state, kernel_failed ? ROOTD_INTERNAL_ERROR : ROOTD_CONTRACT_INVALID, status);
    report_stage(state, "INTAKE_VALIDATED", "");
    state->stage = STAGE_PLAN;
    status = plan_make(&state->intake, &state->plan);
    if (status != STATUS_OK)
        return fail(state, ROOTD_CONTRACT_INVALID, status);
    report_stage(state, "PLAN_MADE", "");
    return ROOTD_READY;
}

/* --- the boot --------------------------------------------------------------------------------- */

static enum status launch_foundation(struct rootd *state)
{
    static const struct {
        enum rootd_stage stage;
        const char *ready;
    } steps[FOUNDATION_PROCD] = {
        [FOUNDATION_MEMD] = {STAGE_LAUNCH_MEMD, "MEMD_READY"},
        [FOUNDATION_VSPACED] = {STAGE_LAUNCH_VSPACED, "VSPACED_READY"},
        [FOUNDATION_PAGERD] = {STAGE_LAUNCH_PAGERD, "PAGERD_READY"},
    };
    state->stage = STAGE_LAUNCH_PROCD;
    enum status status = launch_procd(state);
    if (status != STATUS_OK)
        return status;
    report_stage(state, "PROCD_READY", "");
    for (unsigned i = 0; i < FOUNDATION_PROCD; i++) {
        state->stage = steps[i].stage;
        status = launch_child(state, i);
        if (status != STATUS_OK)
            return status;
        report_stage(state, steps[i].ready, "");
    }
    state->stage = STAGE_BIND;
    return launch_bind(state);
}

static enum status boot(struct rootd *state)
{
    enum status status = launch_foundation(state);
    if (status != STATUS_OK)
        return status;
    report_stage(state, "FOUNDATION_BOUND", "");
    status = programs_run(state);
    if (status != STATUS_OK)
        return status;
    state->stage = STAGE_SHED;
    status = teardown_shed(state);
    if (status == STATUS_OK)
        report_stage(state, "AUTHORITY_SHED", "");
    return status;
}

/* --- after READY --------------------------------------------------------------------------- */

/* The kernel's word that procd ended is the only message that matters. */
static enum handled run_handle(void *context, struct message *message,
                               const struct receive_info *info)
{
    struct rootd *state = context;
    struct event_process_terminated_request event;
    if (info->badge == BADGE_KERNEL && message->header.operation == OP_EVENT_PROCESS_TERMINATED &&
        message_decode(&event_process_terminated_request_type, message, &event) == STATUS_OK &&
        event.token == ROOTD_PROCD_TOKEN) {
        state->procd_reason = event.reason;
        state->procd_code = event.code;
        (void)fail(state, ROOTD_INTERNAL_ERROR, STATUS_PEER_DIED);
    }
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY; /* an event has no reply slot: the loop sends nothing */
}

/* Receives until procd ends or the endpoint does. */
static void serve(struct rootd *state)
{
    struct receive_info info;
    memset(&info, 0, sizeof info);
    state->stage = STAGE_RUN;
    while (state->status == ROOTD_READY) {
        enum status status = service_turn(&state->caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                                          run_handle, state, &state->message, &info);
        if (status != STATUS_OK)
            (void)fail(state, ROOTD_INTERNAL_ERROR, status);
    }
    report_failure(state);
    report_status(state);
}

/* A system that ran and lost procd ends with what procd said (P8); a code of 0 is still no
 * success. */
static uint32_t exit_code(const struct rootd *state)
{
    if (state->status == ROOTD_READY)
        return ROOTD_EXIT_READY;
    if (state->stage == STAGE_RUN && state->procd_reason == END_EXITED && state->procd_code != 0)
        return state->procd_code;
    return ROOTD_EXIT_FAILED;
}

enum rootd_status rootd_run(struct rootd *state, const void *handoff, size_t handoff_size,
                            uint32_t root_endpoint_slot)
{
    if (rootd_prepare(state, handoff, handoff_size, root_endpoint_slot) == ROOTD_READY) {
        enum status status = boot(state);
        if (status != STATUS_OK) {
            (void)fail(state, ROOTD_SERVICE_BOOTSTRAP_FAILED, status);
            teardown_all(state);
        }
    }
    if (state->status != ROOTD_READY)
        report_failure(state);
    report_status(state);
    if (state->status == ROOTD_READY && state->intake.validation_profile == VALIDATION_PROFILE_NONE)
        serve(state);
    kernel_exit(&state->caller, exit_code(state));
    return state->status;
}
