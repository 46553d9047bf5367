/* SPDX-License-Identifier: ISC */
/* Giving up what rootd holds. Decides only in which order; never keeps anything that rootd.h does
 * not state. */
#include "services/rootd/teardown.h"

/* --- dropping ----------------------------------------------------------------------------- */

static const struct boot_cap post_boot_caps[] = {
    {SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL},
    {SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT},
    {SLOT_KERNEL_LOG_ENDPOINT, OBJECT_KERNEL_LOG, RIGHT_CONTROL | RIGHT_TRANSFER},
    {ROOTD_SLOT_PROCD_PROCESS, OBJECT_PROCESS, RIGHT_CONTROL | RIGHT_TRANSFER},
};
enum {
    POST_BOOT_COUNT = sizeof post_boot_caps / sizeof post_boot_caps[0],
    FAILED_COUNT = POST_BOOT_COUNT - 1 /* after a failure procd's PROCESS goes too */
};

static const struct boot_cap *kept(unsigned count, uint32_t slot)
{
    for (unsigned i = 0; i < count; i++) {
        if (post_boot_caps[i].slot == slot)
            return &post_boot_caps[i];
    }
    return NULL;
}

/* Walks up through everything that is held and drops what is not among the first `count` rows. The
 * walk is strictly ascending, so it ends. */
static enum status drop_rest(struct rootd *state, unsigned count)
{
    enum status first_error = STATUS_OK;
    for (uint32_t slot = SLOT_SELF; slot < SLOT_LIMIT;) {
        struct kernel_query_local_cap_reply held;
        enum status status = kernel_self_query(&state->caller, slot, QUERY_NEXT, &held);
        if (status == STATUS_NOT_FOUND)
            break;
        if (status == STATUS_OK && held.slot < slot)
            status = STATUS_INTERNAL;
        if (status != STATUS_OK)
            return status;
        if (kept(count, held.slot) == NULL)
            status = kernel_self_drop(&state->caller, held.slot);
        if (status != STATUS_OK && first_error == STATUS_OK)
            first_error = status;
        slot = held.slot + 1;
    }
    return first_error;
}

/* One step of the check: the next capability that is held is the next one of the set. */
static enum status check_next(struct rootd *state, uint32_t from, const struct boot_cap *expected)
{
    struct kernel_query_local_cap_reply held;
    enum status status = kernel_self_query(&state->caller, from, QUERY_NEXT, &held);
    if (expected == NULL)
        return status == STATUS_NOT_FOUND ? STATUS_OK : STATUS_DENIED;
    if (status != STATUS_OK)
        return status;
    if (held.slot != expected->slot)
        return held.slot < expected->slot ? STATUS_DENIED : STATUS_NOT_FOUND;
    bool equal =
        held.object_type == (uint32_t)expected->object_type && held.rights == expected->rights;
    return equal ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

enum status teardown_shed(struct rootd *state)
{
    enum status status = drop_rest(state, POST_BOOT_COUNT);
    uint32_t from = SLOT_SELF;
    for (unsigned i = 0; i <= POST_BOOT_COUNT && status == STATUS_OK; i++) {
        const struct boot_cap *expected = i < POST_BOOT_COUNT ? &post_boot_caps[i] : NULL;
        status = check_next(state, from, expected);
        from = expected != NULL ? expected->slot + 1 : from;
    }
    return status;
}

/* --- undoing ------------------------------------------------------------------------------ */

/* STOP_PROCESS; of a staged child it is ABORT (P8). False when procd cannot be asked any more. */
static bool stop_child(struct rootd *state, uint64_t process_id)
{
    struct procd_stop_process_request request = {.process_id = process_id,
                                                 .code = ROOTD_EXIT_FAILED};
    uint64_t nothing;
    enum status status =
        rootd_ask(state, SLOT_PEER_PROCD, operation_find(SERVICE_PROCD, OP_PROCD_STOP_PROCESS),
                  &request, (struct window){0, 0}, ROOTD_STOP_TICKS, &nothing);
    return status != STATUS_TIMED_OUT && status != STATUS_PEER_DIED;
}

static void stop_children(struct rootd *state)
{
    bool asked = state->launched[FOUNDATION_PROCD] == LAUNCH_STARTED;
    for (unsigned i = HELPER_RUN_LIMIT; i-- > 0;) {
        if (asked && state->helper_ids[i] != 0)
            asked = stop_child(state, state->helper_ids[i]);
        state->helper_ids[i] = 0;
    }
    for (unsigned i = FOUNDATION_PROCD; i-- > 0;) {
        if (asked && state->launched[i] != LAUNCH_NONE)
            asked = stop_child(state, state->process_ids[i]);
        state->launched[i] = LAUNCH_NONE;
    }
}

static void end_procd(struct rootd *state)
{
    struct kernel_retire_process_reply ended;
    struct caller *caller = &state->caller;
    switch (state->launched[FOUNDATION_PROCD]) {
    case LAUNCH_NONE:
        return;
    case LAUNCH_STAGED:
        (void)kernel_process_abort(caller, SLOT_KERNEL_PROCESS_ENDPOINT, ROOTD_SLOT_PROCD_PROCESS);
        break;
    case LAUNCH_STARTED:
        (void)kernel_process_kill(caller, SLOT_KERNEL_PROCESS_ENDPOINT, ROOTD_SLOT_PROCD_PROCESS,
                                  ROOTD_EXIT_FAILED);
        (void)kernel_process_retire(caller, SLOT_KERNEL_PROCESS_ENDPOINT, ROOTD_SLOT_PROCD_PROCESS,
                                    &ended);
        break;
    }
    state->launched[FOUNDATION_PROCD] = LAUNCH_NONE;
}

void teardown_all(struct rootd *state)
{
    stop_children(state);
    end_procd(state);
    if (state->stage >= STAGE_LAUNCH_PROCD)
        (void)kernel_destroy(&state->caller, SLOT_KERNEL_PROCESS_ENDPOINT, SLOT_BOOTSTRAP_UNTYPED);
    (void)drop_rest(state, FAILED_COUNT);
}
