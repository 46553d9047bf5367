/* SPDX-License-Identifier: ISC */
/* The event loop of the launch graph. Decides who is started next, whom to ask and how long, and what
 * a failure means; every slot, right and envelope comes from the plan. It knows four roles: named
 * and irqd, which are told the table's LOOKS_UP and INTERRUPTS rows, vfsd, which is told the config's
 * mounts, and deviced, which is told of the drivers and launches them (drivers.c). Never waits for one service longer than a slice while another one is under
 * way. */
#include "services/rootd/graph.h"

#include "abi/assert.h"
#include "services/lib/discovery.h"
#include "services/lib/interrupts.h"
#include "services/lib/launch_envelope.h"
#include "services/lib/mounts.h"
#include "services/rootd/drivers.h"
#include "services/rootd/report.h"

static struct entry_progress *progress_of(struct rootd *rootd, uint32_t entry)
{
    UNIT_ASSERT(entry < rootd->intake.entry_count);
    return &rootd->entries[entry];
}

static bool is_passed_over(const struct rootd *rootd, uint32_t role)
{
    for (uint32_t i = 0; i < rootd->intake.entry_count; i++) {
        if (rootd->intake.entries[i].role == role)
            return rootd->entries[i].state == ENTRY_PASSED_OVER;
    }
    return false;
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
        bool needed = (rootd->intake.entries[entry].needs >> i & 1) != 0;
        bool awaited = (rootd->intake.entries[entry].awaits >> i & 1) != 0;
        if ((!needed && !awaited) || other->state == ENTRY_READY)
            continue;
        if (other->state == ENTRY_PASSED_OVER && !needed)
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
    if (what->kind == ENTRY_DRIVER && progress->state == ENTRY_STARTED)
        status = driver_stop(rootd, entry);
    else if (progress->launch != 0)
        status = launch_stop(rootd, progress->launch);
    if (status != STATUS_OK)
        return status;
    progress->state = ENTRY_PASSED_OVER;
    progress->cause = cause;
    report_passed_over(rootd, what->role, cause);
    return STATUS_OK;
}

/* What procd was asked for an entry was not done. A refusal is about the entry; a procd that did not
 * answer, or something that is wrong with rootd's own, is not: no entry is to blame. */
static enum status procd_failed(struct rootd *rootd, uint32_t entry, enum status status)
{
    bool blameless =
        status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED || status == STATUS_INTERNAL;
    return blameless ? status : graph_fail(rootd, entry, status);
}

/* --- starting --------------------------------------------------------------------------------- */

/* A driver has the time that deviced gives it for READY, and what deviced needs to find out. One that
 * deviced did not answer for may have been started: it counts as that, and is stopped. */
static enum status start_driver(struct rootd *rootd, uint32_t entry)
{
    const struct rootd_entry *what = &rootd->intake.entries[entry];
    struct entry_progress *progress = progress_of(rootd, entry);
    enum status status = driver_start(rootd, entry);
    if (status == STATUS_OK || !caller_was_answered(&rootd->caller))
        progress->state = ENTRY_STARTED;
    if (status != STATUS_OK)
        return graph_fail(rootd, entry, status);
    progress->slice_ticks = LAUNCH_SLICE_TICKS_MAX;
    return rootd_deadline(rootd, what->ready_ticks + ROOTD_CALL_TICKS, &progress->deadline_ticks);
}

static enum status start(struct rootd *rootd, uint32_t entry)
{
    const struct rootd_entry *what = &rootd->intake.entries[entry];
    struct entry_progress *progress = progress_of(rootd, entry);
    if (what->found != STATUS_OK)
        return graph_fail(rootd, entry, what->found);
    if (what->kind == ENTRY_DRIVER)
        return start_driver(rootd, entry);
    enum status status = launch_child(rootd, progress->launch);
    if (status != STATUS_OK)
        return procd_failed(rootd, entry, status);
    progress->state = ENTRY_STARTED;
    progress->slice_ticks = LAUNCH_SLICE_TICKS;
    return rootd_deadline(rootd, what->ready_ticks, &progress->deadline_ticks);
}

/* One walk over those that wait. */
static enum status start_some(struct rootd *rootd)
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

/* Entries come after those that they need, so that one walk finds all that can be started, and all
 * that cannot; but for vfsd, when the last of those that it awaits is passed over in that walk. */
static enum status start_all(struct rootd *rootd)
{
    enum status status = start_some(rootd);
    return status == STATUS_OK ? start_some(rootd) : status;
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

/* Whoever waits for named finds it with all that the role table states, and sealed. procd gets its end
 * of it afterwards; those of the drivers wait for deviced. */
static enum status seed_named(struct rootd *rootd, uint32_t launch)
{
    struct discovery_end ends[1 + BOOT_CONFIG_ENTRY_LIMIT] = {{ROLE_PROCD, ROOTD_SLOT_WINDOW}};
    uint32_t end_count = 1 + drivers_named_ends(rootd, ends + 1);
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_SEED_TICKS, &deadline_ticks);
    return status == STATUS_OK ? discovery_seed(&rootd->caller, launch_alias_slot(rootd, launch),
                                                ends, end_count, deadline_ticks)
                               : status;
}

/* The same of irqd and the INTERRUPTS rows. */
static enum status seed_irqd(struct rootd *rootd, uint32_t launch)
{
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_SEED_TICKS, &deadline_ticks);
    return status == STATUS_OK
               ? interrupts_seed(&rootd->caller, launch_alias_slot(rootd, launch), deadline_ticks)
               : status;
}

/* The same of vfsd and the config's mounts, but for those of what was passed over. */
static enum status seed_vfsd(struct rootd *rootd, uint32_t launch)
{
    const struct boot_config *config = &rootd->intake.config;
    uint64_t left_out = 0;
    uint64_t deadline_ticks;
    for (uint32_t i = 0; i < config->mount_count; i++) {
        if (!is_passed_over(rootd, config->mounts[i].provider_role))
            continue;
        left_out |= UINT64_C(1) << i;
        report_not_mounted(rootd, &config->mounts[i]);
    }
    enum status status = rootd_deadline(rootd, ROOTD_SEED_TICKS, &deadline_ticks);
    return status == STATUS_OK
               ? mounts_seed(&rootd->caller, launch_alias_slot(rootd, launch), config->mounts,
                             config->mount_count, left_out, deadline_ticks)
               : status;
}

static enum status set_ready(struct rootd *rootd, uint32_t entry)
{
    struct entry_progress *progress = progress_of(rootd, entry);
    uint32_t role = rootd->intake.entries[entry].role;
    enum status status = STATUS_OK;
    if (role == ROLE_NAMED)
        status = seed_named(rootd, progress->launch);
    if (role == ROLE_IRQD)
        status = seed_irqd(rootd, progress->launch);
    if (role == ROLE_VFSD)
        status = seed_vfsd(rootd, progress->launch);
    if (role == ROLE_DEVICED)
        status = drivers_seed(rootd);
    if (status != STATUS_OK)
        return graph_fail(rootd, entry, status);
    /* procd, which was there before named, gets its end of it now. */
    if (role == ROLE_NAMED)
        status = launch_bind_named(rootd, ROOTD_SLOT_WINDOW);
    if (status != STATUS_OK)
        return procd_failed(rootd, entry, status);
    progress->state = ENTRY_READY;
    report_stage(rootd, role_find(role)->image, "READY");
    return STATUS_OK;
}

static enum status ask(struct rootd *rootd, uint32_t entry)
{
    struct entry_progress *progress = progress_of(rootd, entry);
    uint64_t now_ticks = 0;
    enum status status = rootd_clock(rootd, &now_ticks);
    if (status != STATUS_OK)
        return status;
    uint64_t until_ticks =
        launch_ask_until(now_ticks, progress->deadline_ticks, progress->slice_ticks);
    rootd->next_entry = entry + 1;
    bool is_driver = rootd->intake.entries[entry].kind == ENTRY_DRIVER;
    status = is_driver ? driver_ask(rootd, entry, until_ticks)
                       : launch_ask(rootd, progress->launch, until_ticks);
    if (status == STATUS_OK)
        return set_ready(rootd, entry);
    bool over = until_ticks >= progress->deadline_ticks;
    bool waits = is_driver ? status == STATUS_RETRY
                           : status == STATUS_TIMED_OUT && !caller_was_answered(&rootd->caller);
    if (is_driver && waits && over)
        return graph_fail(rootd, entry, STATUS_TIMED_OUT);
    if (!waits || over)
        return graph_fail(rootd, entry, status);
    progress->slice_ticks = launch_next_slice(progress->slice_ticks);
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
        if (entry == rootd->intake.entry_count) /* nobody is under way, or could be */
            return drivers_seal(rootd);
        status = ask(rootd, entry);
        if (status == STATUS_OK)
            status = start_all(rootd);
    }
    return status;
}
