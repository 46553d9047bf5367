/* SPDX-License-Identifier: ISC */
/* Giving up what rootd holds. Decides only in which order; never keeps anything that rootd.h does
 * not state. */
#include "services/rootd/teardown.h"

#include "abi/assert.h"
#include "abi/messages/procd.h"
#include "services/lib/call_procd.h"
#include "services/lib/service.h"

/* --- dropping ----------------------------------------------------------------------------- */

/* How long a capability is kept. */
enum keep {
    KEEP_ALWAYS, /* to report and to end */
    KEEP_READY,  /* the rest of the post-boot set */
    KEEP_UNDO    /* what undoing a boot needs: goes last, when nothing is left that can fail */
};

static const struct {
    struct boot_cap cap;
    enum keep keep;
} keeps[] = {
    {{SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL}, KEEP_ALWAYS},
    {{SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT}, KEEP_ALWAYS},
    {{SLOT_BOOTSTRAP_UNTYPED, OBJECT_UNTYPED, RIGHT_CONTROL | RIGHT_TRANSFER}, KEEP_UNDO},
    {{SLOT_PEER_PROCD, OBJECT_ENDPOINT, RIGHT_SEND | RIGHT_TRANSFER}, KEEP_UNDO},
    {{SLOT_KERNEL_TIME_ENDPOINT, OBJECT_KERNEL_TIME, RIGHT_CONTROL | RIGHT_TRANSFER}, KEEP_UNDO},
    {{SLOT_KERNEL_LOG_ENDPOINT, OBJECT_KERNEL_LOG, RIGHT_CONTROL | RIGHT_TRANSFER}, KEEP_ALWAYS},
    {{SLOT_KERNEL_PROCESS_ENDPOINT, OBJECT_KERNEL_PROCESS, RIGHT_CONTROL | RIGHT_TRANSFER},
     KEEP_UNDO},
    {{ROOTD_SLOT_PROCD_PROCESS, OBJECT_PROCESS, RIGHT_CONTROL | RIGHT_TRANSFER}, KEEP_READY},
};
enum { KEEP_COUNT = sizeof keeps / sizeof keeps[0] }; /* slots ascending */

static bool is_kept(enum keep level, uint32_t slot)
{
    for (unsigned i = 0; i < KEEP_COUNT; i++) {
        if (keeps[i].cap.slot == slot)
            return keeps[i].keep <= level;
    }
    return false;
}

/* Walks up through everything that is held and drops what is not kept. The walk is strictly
 * ascending, so it ends. While a boot can still be undone it stops at the first error; afterwards
 * it drops what it can. */
static enum status drop_rest(struct rootd *rootd, enum keep level)
{
    enum status first_error = STATUS_OK;
    for (uint32_t slot = SLOT_SELF; slot < SLOT_LIMIT;) {
        struct kernel_query_local_cap_reply held;
        enum status status = kernel_query_local_cap(&rootd->caller, slot, QUERY_NEXT, &held);
        if (status == STATUS_NOT_FOUND)
            break;
        if (status == STATUS_OK && held.slot < slot)
            status = STATUS_INTERNAL;
        if (status != STATUS_OK)
            return status;
        UNIT_ASSERT(held.slot >= slot); /* so that the walk ends */
        if (!is_kept(level, held.slot))
            status = kernel_drop_local_cap(&rootd->caller, held.slot);
        if (status != STATUS_OK && level != KEEP_ALWAYS)
            return status;
        if (status != STATUS_OK)
            first_error = status;
        slot = held.slot + 1;
    }
    return first_error;
}

/* One step of the check: the next capability that is held is the next one that is kept. */
static enum status check_next(struct rootd *rootd, uint32_t from, const struct boot_cap *expected)
{
    struct kernel_query_local_cap_reply held;
    enum status status = kernel_query_local_cap(&rootd->caller, from, QUERY_NEXT, &held);
    if (status != STATUS_OK)
        return status;
    if (held.slot != expected->slot)
        return held.slot < expected->slot ? STATUS_DENIED : STATUS_NOT_FOUND;
    bool equal =
        held.object_type == (uint32_t)expected->object_type && held.rights == expected->rights;
    return equal ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* Exactly what is kept at the level is held. */
static enum status check_kept(struct rootd *rootd, enum keep level)
{
    struct kernel_query_local_cap_reply held;
    uint32_t from = SLOT_SELF;
    for (unsigned i = 0; i < KEEP_COUNT; i++) {
        if (keeps[i].keep > level)
            continue;
        enum status status = check_next(rootd, from, &keeps[i].cap);
        if (status != STATUS_OK)
            return status;
        from = keeps[i].cap.slot + 1;
    }
    enum status status = kernel_query_local_cap(&rootd->caller, from, QUERY_NEXT, &held);
    if (status == STATUS_OK)
        return STATUS_DENIED;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status teardown_shed(struct rootd *rootd)
{
    enum status status = drop_rest(rootd, KEEP_UNDO);
    if (status == STATUS_OK)
        status = check_kept(rootd, KEEP_UNDO);
    if (status == STATUS_OK)
        status = drop_rest(rootd, KEEP_READY);
    return status == STATUS_OK ? check_kept(rootd, KEEP_READY) : status;
}

/* --- undoing ------------------------------------------------------------------------------ */

static enum handled deny(void *context, struct message *message, const struct receive_info *info)
{
    (void)context;
    (void)info;
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY; /* an event has no reply slot: the loop sends nothing */
}

/* Lets time pass, while procd gives back what others left. */
static enum status let_sweep(struct rootd *rootd)
{
    struct receive_info info;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_RETRY_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        (void)service_turn(&rootd->caller, SLOT_SERVICE_ENDPOINT, deadline_ticks, deny, rootd,
                           &info);
    return status;
}

static enum status stop_once(struct rootd *rootd, uint64_t process_id)
{
    struct procd_stop_process_request request = {.process_id = process_id,
                                                 .code = ROOTD_EXIT_FAILED};
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    return status == STATUS_OK ? procd_call_stop_process(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                         deadline_ticks, &request, NULL)
                               : status;
}

/* STOP_PROCESS; of a staged child it is ABORT (P8). Of a service it is BUSY while something that
 * rests on it is given back still: asked again, for a while (R5). False when procd cannot be asked
 * any more. */
static bool stop_child(struct rootd *rootd, uint64_t process_id)
{
    enum status status = stop_once(rootd, process_id);
    for (unsigned i = 1; i < ROOTD_STOP_TRIES && status == STATUS_BUSY; i++) {
        status = let_sweep(rootd);
        if (status == STATUS_OK)
            status = stop_once(rootd, process_id);
    }
    return status != STATUS_TIMED_OUT && status != STATUS_PEER_DIED;
}

static void stop_children(struct rootd *rootd)
{
    bool asked = rootd->launched[FOUNDATION_PROCD] == LAUNCH_STARTED;
    for (uint32_t i = rootd->plan.launch_count; i-- > 0;) {
        if (i == FOUNDATION_PROCD)
            continue;
        if (asked && rootd->launched[i] != LAUNCH_NONE)
            asked = stop_child(rootd, rootd->process_ids[i]);
        rootd->launched[i] = LAUNCH_NONE;
    }
}

static void end_procd(struct rootd *rootd)
{
    struct kernel_retire_process_reply ended;
    struct caller *caller = &rootd->caller;
    switch (rootd->launched[FOUNDATION_PROCD]) {
    case LAUNCH_NONE:
        return;
    case LAUNCH_STAGED:
        (void)kernel_abort_staged_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                          ROOTD_SLOT_PROCD_PROCESS);
        break;
    case LAUNCH_STARTED:
        (void)kernel_kill_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT, ROOTD_SLOT_PROCD_PROCESS,
                                  ROOTD_EXIT_FAILED);
        (void)kernel_retire_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT, ROOTD_SLOT_PROCD_PROCESS,
                                    &ended);
        break;
    }
    rootd->launched[FOUNDATION_PROCD] = LAUNCH_NONE;
}

void teardown_all(struct rootd *rootd)
{
    stop_children(rootd);
    end_procd(rootd);
    if (rootd->stage >= STAGE_LAUNCH_PROCD)
        (void)kernel_destroy(&rootd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_BOOTSTRAP_UNTYPED);
    (void)drop_rest(rootd, KEEP_ALWAYS);
}
