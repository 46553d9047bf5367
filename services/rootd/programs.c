/* SPDX-License-Identifier: ISC */
/* Runs the programs of an image to their ends. Decides only that EXIT(0) is the one good end; what
 * a program does meanwhile is its own business, with what its role's rows gave it. */
#include "services/rootd/programs.h"

#include "abi/assert.h"
#include "services/lib/call_procd.h"
#include "services/lib/call_startup.h"
#include "services/rootd/graph.h"
#include "services/rootd/report.h"

/* The programs that nothing is installed for: whoever may have processes made can start them. */
static enum status add_modules(const struct rootd_intake *intake,
                               struct startup_offer_modules_request *offer)
{
    for (uint32_t i = 0; i < intake->entry_count; i++) {
        const struct rootd_entry *entry = &intake->entries[i];
        if (entry->kind != ENTRY_HELPER || entry->found != STATUS_OK)
            continue;
        if (offer->count == STARTUP_MODULE_LIMIT)
            return STATUS_EXHAUSTED;
        offer->modules[offer->count++] = (struct startup_module){
            .role = entry->role,
            .page_limit = entry->limits.page_limit,
            .budget_pages = entry->limits.budget_pages,
            .image_offset = entry->offset_bytes,
            .image_bytes = entry->size_bytes,
            .end_ticks = entry->ready_ticks,
        };
    }
    return STATUS_OK;
}

static enum status offer_modules(struct rootd *rootd, uint32_t launch)
{
    struct startup_offer_modules_request offer = {0};
    uint64_t deadline_ticks;
    enum status status = add_modules(&rootd->intake, &offer);
    if (status == STATUS_OK)
        status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status != STATUS_OK)
        return status;
    return startup_call_offer_modules(&rootd->caller, launch_alias_slot(rootd, launch), NO_WINDOW,
                                      deadline_ticks, &offer, NULL);
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
static enum status await_end(struct rootd *rootd, uint32_t launch, uint64_t end_ticks)
{
    const char *name = role_find(rootd->plan.launches[launch].role)->image;
    struct procd_wait_process_event_request request = {.process_id = rootd->process_ids[launch]};
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
    rootd->launched[launch] = LAUNCH_NONE;
    status = end_status(&ended);
    if (status != STATUS_OK)
        report_unexpected(rootd, name, ended.reason, ended.code);
    return status;
}

/* A launch from its first step to its end. */
static enum status run_launch(struct rootd *rootd, uint32_t launch, uint64_t end_ticks)
{
    rootd->stage = STAGE_LAUNCH_PROGRAM;
    enum status status = launch_child(rootd, launch);
    if (status == STATUS_OK)
        status = launch_ready(rootd, launch);
    if (status == STATUS_OK)
        status = offer_modules(rootd, launch);
    if (status != STATUS_OK)
        return status;
    if (role_is_resident(rootd->plan.launches[launch].role))
        return STATUS_OK; /* it goes on after READY */
    rootd->stage = STAGE_PROGRAM;
    status = await_end(rootd, launch, end_ticks);
    return status == STATUS_OK
               ? kernel_drop_local_cap(&rootd->caller, launch_alias_slot(rootd, launch))
               : status;
}

static enum status run_entry(struct rootd *rootd, uint32_t entry)
{
    const struct rootd_entry *what = &rootd->intake.entries[entry];
    rootd->stage = STAGE_LAUNCH_PROGRAM;
    enum status status = graph_needs(rootd, entry);
    if (status == STATUS_OK)
        status = what->found;
    if (status == STATUS_OK)
        status = run_launch(rootd, rootd->entries[entry].launch, what->ready_ticks);
    if (status != STATUS_OK)
        return graph_fail(rootd, entry, status);
    rootd->entries[entry].state = ENTRY_READY;
    return STATUS_OK;
}

enum status programs_run(struct rootd *rootd)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < rootd->intake.entry_count && status == STATUS_OK; i++) {
        if (rootd->intake.entries[i].kind == ENTRY_PROGRAM)
            status = run_entry(rootd, i);
    }
    return status;
}
