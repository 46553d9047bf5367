/* SPDX-License-Identifier: ISC */
/* The event loop of the launch graph. Decides who is started next, whom to ask and how long, and what
 * a failure means; every slot, right and envelope comes from the plan. It knows one role: named, which
 * is told the table's LOOKS_UP rows. Never waits for one service
 * longer than a slice while another one is under way. */
#include "services/rootd/graph.h"

#include "abi/assert.h"
#include "services/lib/discovery.h"
#include "services/rootd/report.h"

static struct entry_progress *progress_of(struct rootd *rootd, uint32_t entry)
{
    UNIT_ASSERT(entry < rootd->intake.entry_count);
    return &rootd->entries[entry];
}

static bool is_service(const struct rootd *rootd, uint32_t entry)
{
    enum entry_kind kind = rootd->intake.entries[entry].kind;
    return kind == ENTRY_SERVICE || kind == ENTRY_DRIVER;
}

enum status graph_needs(const struct rootd *rootd, uint32_t entry)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < rootd->intake.entry_count; i++) {
        const struct entry_progress *other = &rootd->entries[i];
        if ((rootd->intake.entries[entry].needs >> i & 1) == 0 || other->state == ENTRY_READY)
            continue;
        if (other->state == ENTRY_PASSED_OVER)
            return other->cause;
        status = STATUS_RETRY;
    }
    return status;
}

/* --- failing ---------------------------------------------------------------------------------- */

enum status graph_fail(struct rootd *rootd, uint32_t entry, enum status cause)
{
    const struct rootd_entry *what = &rootd->intake.entries[entry];
    struct entry_progress *progress = progress_of(rootd, entry);
    enum status status = STATUS_OK;
    if (what->required) {
        rootd->failed_role = what->role;
        return cause;
    }
    if (progress->launch != 0)
        status = launch_stop(rootd, progress->launch);
    if (status != STATUS_OK)
        return status;
    progress->state = ENTRY_PASSED_OVER;
    progress->cause = cause;
    report_passed_over(rootd, what->role, cause);
    return STATUS_OK;
}

/* procd did not answer, or something is wrong with rootd's own: no entry is to blame. */
static bool is_fatal(enum status status)
{
    return status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED || status == STATUS_INTERNAL;
}

/* --- starting --------------------------------------------------------------------------------- */

/* A driver would go to deviced here (START_DRIVER); the intake found none that can be launched. */
static enum status start(struct rootd *rootd, uint32_t entry)
{
    const struct rootd_entry *what = &rootd->intake.entries[entry];
    struct entry_progress *progress = progress_of(rootd, entry);
    if (what->found != STATUS_OK)
        return graph_fail(rootd, entry, what->found);
    enum status status = launch_child(rootd, progress->launch);
    if (status != STATUS_OK)
        return is_fatal(status) && !what->required ? status : graph_fail(rootd, entry, status);
    progress->state = ENTRY_STARTED;
    progress->slice_ticks = ROOTD_SLICE_TICKS;
    return rootd_deadline(rootd, what->ready_ticks, &progress->deadline_ticks);
}

/* Entries come after those that they need, so that one walk finds all that can be started, and all
 * that cannot. */
static enum status start_all(struct rootd *rootd)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < rootd->intake.entry_count && status == STATUS_OK; i++) {
        if (!is_service(rootd, i) || rootd->entries[i].state != ENTRY_WAITING)
            continue;
        enum status needs = graph_needs(rootd, i);
        if (needs == STATUS_OK)
            status = start(rootd, i);
        else if (needs != STATUS_RETRY)
            status = graph_fail(rootd, i, needs);
    }
    return status;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The entry under way that was asked longest ago; the count of entries when there is none. */
static uint32_t next_asked(const struct rootd *rootd)
{
    uint32_t count = rootd->intake.entry_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = (rootd->next_entry + i) % count;
        if (rootd->entries[entry].state == ENTRY_STARTED)
            return entry;
    }
    return count;
}

/* Whoever waits for named finds it with all that the role table states, and sealed. */
static enum status seed_named(struct rootd *rootd, uint32_t launch)
{
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_SEED_TICKS, &deadline_ticks);
    return status == STATUS_OK
               ? discovery_seed(&rootd->caller, launch_alias_slot(rootd, launch), deadline_ticks)
               : status;
}

static enum status set_ready(struct rootd *rootd, uint32_t entry)
{
    struct entry_progress *progress = progress_of(rootd, entry);
    uint32_t role = rootd->intake.entries[entry].role;
    enum status status = role == ROLE_NAMED ? seed_named(rootd, progress->launch) : STATUS_OK;
    if (status != STATUS_OK)
        return graph_fail(rootd, entry, status);
    progress->state = ENTRY_READY;
    report_stage(rootd, role_find(role)->image, "READY");
    return STATUS_OK;
}

/* Until when the next ask waits: a slice, but not beyond the entry's time; who could not be asked
 * before that was over has one short slice more. */
static uint64_t ask_until(const struct entry_progress *progress, uint64_t now_ticks)
{
    if (now_ticks >= progress->deadline_ticks)
        return deadline_after(now_ticks, ROOTD_SLICE_TICKS);
    uint64_t slice_ends = deadline_after(now_ticks, progress->slice_ticks);
    return slice_ends < progress->deadline_ticks ? slice_ends : progress->deadline_ticks;
}

static enum status ask(struct rootd *rootd, uint32_t entry)
{
    struct entry_progress *progress = progress_of(rootd, entry);
    uint64_t now_ticks = 0;
    enum status status = rootd_clock(rootd, &now_ticks);
    if (status != STATUS_OK)
        return status;
    uint64_t until_ticks = ask_until(progress, now_ticks);
    rootd->next_entry = entry + 1;
    status = launch_ask(rootd, progress->launch, until_ticks);
    if (status == STATUS_OK)
        return set_ready(rootd, entry);
    bool over = until_ticks >= progress->deadline_ticks;
    if (status != STATUS_TIMED_OUT || over || caller_was_answered(&rootd->caller))
        return graph_fail(rootd, entry, status);
    progress->slice_ticks *= 2;
    if (progress->slice_ticks > ROOTD_SLICE_TICKS_MAX)
        progress->slice_ticks = ROOTD_SLICE_TICKS_MAX;
    return STATUS_OK;
}

/* Who is launched at which place of the plan; and helpers that are not there. */
static enum status begin(struct rootd *rootd)
{
    enum status status = STATUS_OK;
    for (uint32_t i = FOUNDATION_COUNT; i < rootd->plan.launch_count; i++)
        rootd->entries[rootd->plan.launches[i].entry].launch = i;
    for (uint32_t i = 0; i < rootd->intake.entry_count && status == STATUS_OK; i++) {
        const struct rootd_entry *entry = &rootd->intake.entries[i];
        if (entry->kind == ENTRY_HELPER && entry->found != STATUS_OK)
            status = graph_fail(rootd, i, entry->found);
    }
    return status;
}

enum status graph_run(struct rootd *rootd)
{
    rootd->stage = STAGE_LAUNCH_SERVICE;
    enum status status = begin(rootd);
    if (status == STATUS_OK)
        status = start_all(rootd);
    while (status == STATUS_OK) {
        uint32_t entry = next_asked(rootd);
        if (entry == rootd->intake.entry_count)
            return STATUS_OK; /* nobody is under way, and nobody waits for one that could be */
        status = ask(rootd, entry);
        if (status == STATUS_OK)
            status = start_all(rootd);
    }
    return status;
}
