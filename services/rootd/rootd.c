/* SPDX-License-Identifier: ISC */
/* rootd's life, as the list on top of rootd.h says. Decides which terminal status a failure is, and
 * what becomes of messages to rootd: nothing is served here, ever. */
#include "services/rootd/rootd.h"

#include <string.h>

#include "abi/messages/event.h"
#include "abi/process.h"
#include "services/lib/service.h"
#include "services/rootd/graph.h"
#include "services/rootd/launch.h"
#include "services/rootd/programs.h"
#include "services/rootd/report.h"
#include "services/rootd/teardown.h"

static enum rootd_status fail(struct rootd *rootd, enum rootd_status status, enum status cause)
{
    rootd->status = status;
    rootd->cause = cause;
    return status;
}

/* --- before the first mutation ------------------------------------------------------------- */

enum rootd_status rootd_prepare(struct rootd *rootd, const void *handoff, size_t handoff_size,
                                uint32_t root_endpoint_slot)
{
    bool kernel_failed = false;
    rootd->stage = STAGE_HANDOFF;
    enum status status = intake_handoff(&rootd->intake, handoff, handoff_size, root_endpoint_slot);
    if (status != STATUS_OK)
        return fail(rootd, ROOTD_HANDOFF_INVALID, status);
    rootd->stage = STAGE_INTAKE;
    status = intake_inventory(&rootd->caller, &kernel_failed);
    if (status == STATUS_OK)
        status = intake_modules(&rootd->caller, &rootd->intake, &kernel_failed);
    if (status != STATUS_OK)
        return fail(rootd, kernel_failed ? ROOTD_INTERNAL_ERROR : ROOTD_CONTRACT_INVALID, status);
    report_stage(rootd, "INTAKE_VALIDATED", "");
    rootd->stage = STAGE_PLAN;
    status = plan_make(&rootd->intake, &rootd->plan);
    if (status != STATUS_OK)
        return fail(rootd, ROOTD_CONTRACT_INVALID, status);
    report_stage(rootd, "PLAN_MADE", "");
    return ROOTD_READY;
}

/* --- the boot --------------------------------------------------------------------------------- */

static enum status launch_foundation(struct rootd *rootd)
{
    static const struct {
        enum rootd_stage stage;
        const char *ready;
    } steps[FOUNDATION_PROCD] = {
        [FOUNDATION_MEMD] = {STAGE_LAUNCH_MEMD, "MEMD_READY"},
        [FOUNDATION_VSPACED] = {STAGE_LAUNCH_VSPACED, "VSPACED_READY"},
        [FOUNDATION_PAGERD] = {STAGE_LAUNCH_PAGERD, "PAGERD_READY"},
    };
    rootd->stage = STAGE_LAUNCH_PROCD;
    enum status status = launch_procd(rootd);
    if (status == STATUS_OK)
        status = launch_ready(rootd, FOUNDATION_PROCD);
    if (status != STATUS_OK)
        return status;
    report_stage(rootd, "PROCD_READY", "");
    for (unsigned i = 0; i < FOUNDATION_PROCD; i++) {
        rootd->stage = steps[i].stage;
        status = launch_child(rootd, i);
        if (status == STATUS_OK)
            status = launch_ready(rootd, i);
        if (status != STATUS_OK)
            return status;
        report_stage(rootd, steps[i].ready, "");
    }
    rootd->stage = STAGE_BIND;
    return launch_bind(rootd);
}

static enum status boot(struct rootd *rootd)
{
    enum status status = launch_foundation(rootd);
    if (status != STATUS_OK)
        return status;
    report_stage(rootd, "FOUNDATION_BOUND", "");
    status = graph_run(rootd);
    if (status == STATUS_OK)
        status = programs_run(rootd);
    if (status != STATUS_OK)
        return status;
    rootd->stage = STAGE_SHED;
    status = teardown_shed(rootd);
    if (status == STATUS_OK)
        report_stage(rootd, "AUTHORITY_SHED", "");
    return status;
}

/* --- after READY --------------------------------------------------------------------------- */

/* The kernel's word that procd ended is the only message that matters. */
static enum handled run_handle(void *context, struct message *message,
                               const struct receive_info *info)
{
    struct rootd *rootd = context;
    struct event_process_terminated_request event;
    if (info->badge == BADGE_KERNEL && message->header.operation == OP_EVENT_PROCESS_TERMINATED &&
        message_decode(&event_process_terminated_request_type, message, &event) == STATUS_OK &&
        event.token == TOKEN_PROCD) {
        rootd->procd_reason = event.reason;
        rootd->procd_code = event.code;
        (void)fail(rootd, ROOTD_INTERNAL_ERROR, STATUS_PEER_DIED);
    }
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY; /* an event has no reply slot: the loop sends nothing */
}

/* Receives until procd ends or the endpoint does. */
static void serve(struct rootd *rootd)
{
    struct receive_info info;
    memset(&info, 0, sizeof info);
    rootd->stage = STAGE_RUN;
    while (rootd->status == ROOTD_READY) {
        enum status status = service_turn(&rootd->caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                                          run_handle, rootd, &info);
        if (status != STATUS_OK)
            (void)fail(rootd, ROOTD_INTERNAL_ERROR, status);
    }
    report_failure(rootd);
    report_status(rootd);
}

/* A system that ran and lost procd ends with what procd said (P8); a code of 0 is still no
 * success. */
static uint32_t exit_code(const struct rootd *rootd)
{
    if (rootd->status == ROOTD_READY)
        return ROOTD_EXIT_READY;
    if (rootd->stage == STAGE_RUN && rootd->procd_reason == END_EXITED && rootd->procd_code != 0)
        return rootd->procd_code;
    return ROOTD_EXIT_FAILED;
}

enum rootd_status rootd_run(struct rootd *rootd, const void *handoff, size_t handoff_size,
                            uint32_t root_endpoint_slot)
{
    if (rootd_prepare(rootd, handoff, handoff_size, root_endpoint_slot) == ROOTD_READY) {
        enum status status = boot(rootd);
        if (status != STATUS_OK) {
            (void)fail(rootd, ROOTD_SERVICE_BOOTSTRAP_FAILED, status);
            teardown_all(rootd);
        }
    }
    if (rootd->status != ROOTD_READY)
        report_failure(rootd);
    report_status(rootd);
    if (rootd->status == ROOTD_READY && validation_profile_stays(rootd->intake.validation_profile))
        serve(rootd);
    kernel_exit(&rootd->caller, exit_code(rootd));
    return rootd->status;
}
