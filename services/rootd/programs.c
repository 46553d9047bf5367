/* SPDX-License-Identifier: ISC */
/* Runs the programs of an image to their ends. Decides only that EXIT(0) is the one good end; what
 * a program does meanwhile is its own business, with what its role's rows gave it. */
#include "services/rootd/programs.h"

#include "abi/assert.h"
#include "services/lib/call_procd.h"
#include "services/lib/call_startup.h"
#include "services/rootd/report.h"

/* The programs that nothing is installed for: whoever may have processes made can start them. */
static void add_modules(const struct rootd_intake *intake,
                        struct startup_offer_modules_request *offer)
{
    for (uint32_t i = 0; i < intake->program_count; i++) {
        const struct rootd_module *module = &intake->programs[i];
        unsigned row_count = 0;
        if (role_intake(module->role, &row_count) != NULL)
            continue;
        UNIT_ASSERT(offer->count < STARTUP_MODULE_LIMIT);
        offer->modules[offer->count++] = (struct startup_module){
            .role = module->role,
            .image_offset = module->offset_bytes,
            .image_bytes = module->size_bytes,
            .end_ticks = module->ready_ticks,
        };
    }
}

_Static_assert((int)ROLE_PROGRAM_COUNT <= (int)STARTUP_MODULE_LIMIT,
               "one message tells of all programs");

static enum status offer_modules(struct rootd *rootd)
{
    struct startup_offer_modules_request offer = {0};
    uint64_t deadline_ticks;
    add_modules(&rootd->intake, &offer);
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status != STATUS_OK)
        return status;
    return startup_call_offer_modules(&rootd->caller, ROOTD_SLOT_PROGRAM, NO_WINDOW, deadline_ticks,
                                      &offer, NULL);
}

/* What an end means: a program that fails exits with a status. */
static enum status end_status(const struct procd_wait_process_event_reply *ended)
{
    if (ended->reason != END_EXITED || ended->code >= STATUS_COUNT)
        return STATUS_INTERNAL;
    return (enum status)ended->code;
}

/* procd answers by itself when the time is over; the call's own deadline lies a little later, for
 * a procd that answers nothing at all. */
static enum status await_end(struct rootd *rootd, const char *name)
{
    uint64_t end_ticks = launch_program_module(rootd)->ready_ticks;
    struct procd_wait_process_event_request request = {.process_id =
                                                           rootd->process_ids[LAUNCH_PROGRAM]};
    struct procd_wait_process_event_reply ended;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, end_ticks, &request.deadline_ticks);
    if (status == STATUS_OK)
        status = rootd_deadline(rootd, end_ticks + ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_wait_process_event(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                               deadline_ticks, &request, &ended);
    if (status != STATUS_OK) {
        report_stage(rootd, name, status_name(status));
        return status;
    }
    if (ended.process_id != request.process_id)
        return STATUS_INTERNAL;
    rootd->launched[LAUNCH_PROGRAM] = LAUNCH_NONE;
    status = end_status(&ended);
    if (status != STATUS_OK)
        report_unexpected(rootd, name, ended.reason, ended.code);
    return status;
}

static enum status run_one(struct rootd *rootd)
{
    rootd->stage = STAGE_LAUNCH_PROGRAM;
    enum status status = launch_child(rootd, LAUNCH_PROGRAM);
    if (status == STATUS_OK)
        status = offer_modules(rootd);
    if (status != STATUS_OK)
        return status;
    rootd->stage = STAGE_PROGRAM;
    status = await_end(rootd, role_find(launch_program_plan(rootd)->role)->image);
    return status == STATUS_OK ? kernel_drop_local_cap(&rootd->caller, ROOTD_SLOT_PROGRAM) : status;
}

enum status programs_run(struct rootd *rootd)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < rootd->plan.program_count && status == STATUS_OK; i++) {
        rootd->program_index = i;
        status = run_one(rootd);
    }
    return status;
}
