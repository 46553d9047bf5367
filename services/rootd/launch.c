/* SPDX-License-Identifier: ISC */
/* Launches as planned. Decides nothing: every slot, right, size and order comes from
 * the plan; what fails is left for teardown.c. */
#include "services/rootd/launch.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/formats/cursor.h"
#include "services/lib/call_procd.h"
#include "services/lib/call_startup.h"
#include "services/lib/image_loader.h"
#include "services/lib/launch_envelope.h"
#include "services/lib/service.h"

/* --- asking ------------------------------------------------------------------------------- */

enum status rootd_clock(struct rootd *rootd, uint64_t *now_ticks)
{
    return kernel_read_monotonic_clock(&rootd->caller, SLOT_KERNEL_TIME_ENDPOINT, now_ticks);
}

enum status rootd_deadline(struct rootd *rootd, uint64_t ticks, uint64_t *deadline_ticks)
{
    uint64_t now_ticks = 0;
    enum status status = rootd_clock(rootd, &now_ticks);
    /* A clock this near to its end is not the one that the kernel started with this boot. */
    if (status == STATUS_OK && !range_within(now_ticks, ticks, DEADLINE_NEVER - 1))
        status = STATUS_INTERNAL;
    *deadline_ticks = status == STATUS_OK ? deadline_after(now_ticks, ticks) : 0;
    return status;
}

uint32_t launch_alias_slot(const struct rootd *rootd, uint32_t launch)
{
    UNIT_ASSERT(launch < rootd->plan.launch_count);
    uint32_t slot = role_peer_slot(rootd->plan.launches[launch].role);
    return slot != SLOT_NULL ? slot : ROOTD_SLOT_ALIAS_BASE + launch;
}

/* --- what every child needs ---------------------------------------------------------------- */

/* One copy into the staged child whose grant lies in ROOTD_SLOT_GRANT. At procd the child is known
 * by the process id that procd gave it. */
static enum status install_one(struct rootd *rootd, uint32_t index,
                               const struct plan_install *install)
{
    uint32_t peer = install->badge == 0
                        ? ROLE_NONE
                        : service_peer_role(install->target_slot, OBJECT_ENDPOINT, install->rights);
    struct kernel_cap_copy_attenuated_request request = {
        .grant_slot = ROOTD_SLOT_GRANT,
        .source_slot = install->source_slot,
        .target_slot = install->target_slot,
        .rights = install->rights,
        .badge = service_peer_badge(peer, rootd->process_ids[index], install->badge),
    };
    return kernel_cap_copy_attenuated(&rootd->caller, SLOT_KERNEL_CHILD_POPULATE_ENDPOINT,
                                      &request);
}

/* All of the plan's copies, through the grant. */
static enum status install_all(struct rootd *rootd, uint32_t index)
{
    const struct plan_launch *launch = &rootd->plan.launches[index];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < launch->install_count && status == STATUS_OK; i++)
        status = install_one(rootd, index, &launch->installs[i]);
    return status;
}

enum status launch_ask(struct rootd *rootd, uint32_t launch, uint64_t deadline_ticks)
{
    const struct envelope *envelope = &rootd->plan.launches[launch].envelope;
    struct startup_start_service_request request;
    struct startup_start_service_reply reply;
    UNIT_ASSERT(rootd->launched[launch] == LAUNCH_STARTED);
    enum status status = launch_envelope_request(envelope, &request);
    if (status == STATUS_OK)
        status = startup_call_start_service(&rootd->caller, launch_alias_slot(rootd, launch),
                                            NO_WINDOW, deadline_ticks, &request, &reply);
    /* A service that looks in vain for what its envelope names says the same as the kernel does of
     * one that is dead. */
    if (status == STATUS_NOT_FOUND && !caller_was_answered(&rootd->caller))
        return STATUS_PEER_DIED;
    if (status != STATUS_OK)
        return status;
    bool ready = reply.role == envelope->role && reply.checked_cap_count == envelope->entry_count;
    return ready ? STATUS_OK : STATUS_INTERNAL;
}

enum status launch_ready(struct rootd *rootd, uint32_t launch)
{
    uint64_t deadline_ticks;
    enum status status =
        rootd_deadline(rootd, rootd->plan.launches[launch].envelope.ready_ticks, &deadline_ticks);
    return status == STATUS_OK ? launch_ask(rootd, launch, deadline_ticks) : status;
}

/* --- procd ---------------------------------------------------------------------------------- */

/* Puts what CREATE_STAGED_PROCESS delivered where the plan wants it. The process comes first: from
 * then on teardown can abort it. */
static enum status keep_procd(struct rootd *rootd,
                              const struct kernel_create_staged_process_reply *reply)
{
    struct caller *caller = &rootd->caller;
    enum status status =
        kernel_move_local_cap(caller, reply->process_slot, ROOTD_SLOT_PROCD_PROCESS);
    if (status != STATUS_OK) {
        (void)kernel_abort_staged_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                          reply->process_slot);
        return status;
    }
    rootd->launched[FOUNDATION_PROCD] = LAUNCH_STAGED;
    status = kernel_move_local_cap(caller, reply->vspace_slot, ROOTD_SLOT_VSPACE);
    if (status == STATUS_OK)
        status = kernel_move_local_cap(caller, reply->endpoint_slot, SLOT_PEER_PROCD);
    if (status == STATUS_OK)
        status = kernel_move_local_cap(caller, reply->grant_slot, ROOTD_SLOT_GRANT);
    return status;
}

static enum status stage_procd(struct rootd *rootd)
{
    struct caller *caller = &rootd->caller;
    enum status status =
        kernel_retype(caller, SLOT_KERNEL_PROCESS_ENDPOINT, ROOTD_SLOT_LAUNCH_POOL, OBJECT_UNTYPED,
                      (uint32_t)rootd->plan.bootstrap_pages, SLOT_BOOTSTRAP_UNTYPED);
    if (status != STATUS_OK)
        return status;
    struct kernel_create_staged_process_request request = {
        .untyped_slot = ROOTD_SLOT_LAUNCH_POOL,
        .budget_pages = rootd->plan.launches[FOUNDATION_PROCD].budget_pages,
        .event_slot = SLOT_SERVICE_ENDPOINT,
        .band = role_band(role_find(ROLE_PROCD)),
        .token = TOKEN_PROCD,
    };
    struct kernel_create_staged_process_reply reply;
    status =
        kernel_create_staged_process(caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request,
                                     (struct window){ROOTD_SLOT_WINDOW, MESSAGE_CAP_LIMIT}, &reply);
    return status == STATUS_OK ? keep_procd(rootd, &reply) : status;
}

/* Every page is there from the start: no pager stands behind the foundation. */
static enum status build_procd(struct rootd *rootd)
{
    const struct rootd_module *module = &rootd->intake.foundation[FOUNDATION_PROCD];
    struct image_module image = {
        .kernel_slot = SLOT_KERNEL_PROCESS_ENDPOINT,
        .image_slot = SLOT_IMAGE,
        .offset_bytes = module->offset_bytes,
        .size_bytes = module->size_bytes,
    };
    struct image_target target = {
        .vspace_slot = ROOTD_SLOT_VSPACE,
        .untyped_slot = ROOTD_SLOT_LAUNCH_POOL,
        .scratch_slot = ROOTD_SLOT_SCRATCH,
    };
    enum status status = kernel_register_pager(&rootd->caller, SLOT_KERNEL_PROCESS_ENDPOINT,
                                               ROOTD_SLOT_PROCD_PROCESS, SLOT_NULL, 0);
    return status == STATUS_OK ? image_build(&rootd->caller, &image, &target, &module->elf)
                               : status;
}

static enum status start_procd(struct rootd *rootd)
{
    const struct elf_plan *elf = &rootd->intake.foundation[FOUNDATION_PROCD].elf;
    struct kernel_start_process_request request = {
        .process_slot = ROOTD_SLOT_PROCD_PROCESS,
        .entry_va = elf->entry,
        .stack_top_va = elf->stack_top,
    };
    enum status status =
        kernel_start_process(&rootd->caller, SLOT_KERNEL_PROCESS_ENDPOINT, &request);
    if (status == STATUS_OK)
        rootd->launched[FOUNDATION_PROCD] = LAUNCH_STARTED;
    return status;
}

enum status launch_procd(struct rootd *rootd)
{
    enum status status = stage_procd(rootd);
    if (status == STATUS_OK)
        status = build_procd(rootd);
    if (status == STATUS_OK)
        status = install_all(rootd, FOUNDATION_PROCD);
    if (status == STATUS_OK)
        status = start_procd(rootd);
    if (status == STATUS_OK)
        status = kernel_drop_local_cap(&rootd->caller, ROOTD_SLOT_VSPACE);
    if (status == STATUS_OK)
        status = kernel_drop_local_cap(&rootd->caller, ROOTD_SLOT_GRANT);
    return status;
}

/* --- everybody else ---------------------------------------------------------------------------- */

/* Which module a launch is made of. */
static struct procd_create_staged_process_request module_of(const struct rootd *rootd,
                                                            uint32_t launch)
{
    const struct plan_launch *plan = &rootd->plan.launches[launch];
    struct procd_create_staged_process_request request = {.role = plan->role};
    if (launch < FOUNDATION_COUNT) {
        request.image_offset = rootd->intake.foundation[launch].offset_bytes;
        request.image_bytes = rootd->intake.foundation[launch].size_bytes;
    } else {
        const struct rootd_entry *entry = &rootd->intake.entries[plan->entry];
        request.image_offset = entry->offset_bytes;
        request.image_bytes = entry->size_bytes;
        request.page_limit = entry->limits.page_limit;
        request.budget_pages = entry->limits.budget_pages;
        request.child_limit = entry->limits.child_limit;
        request.child_pages = entry->limits.child_pages;
        request.data_offset = entry->data_offset;
        request.data_bytes = entry->data_bytes;
    }
    return request;
}

static enum status stage_child(struct rootd *rootd, uint32_t launch)
{
    struct procd_create_staged_process_request request = module_of(rootd, launch);
    struct procd_create_staged_process_reply reply;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_create_staged_process(&rootd->caller, SLOT_PEER_PROCD,
                                                  (struct window){ROOTD_SLOT_WINDOW, 2},
                                                  deadline_ticks, &request, &reply);
    if (status != STATUS_OK)
        return status;
    rootd->process_ids[launch] = reply.process_id;
    rootd->launched[launch] = LAUNCH_STAGED;
    status = kernel_move_local_cap(&rootd->caller, reply.endpoint_slot,
                                   launch_alias_slot(rootd, launch));
    if (status == STATUS_OK)
        status = kernel_move_local_cap(&rootd->caller, reply.grant_slot, ROOTD_SLOT_GRANT);
    return status;
}

/* What becomes of a service that ends, where its row says so: told while it is staged. */
static enum status set_policy(struct rootd *rootd, uint32_t launch)
{
    const struct plan_launch *plan = &rootd->plan.launches[launch];
    struct procd_set_restart_policy_request request;
    uint64_t deadline_ticks;
    if (!launch_policy_request(plan->role, rootd->process_ids[launch], plan->envelope.ready_ticks,
                               &request))
        return STATUS_OK;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    return status == STATUS_OK
               ? procd_call_set_restart_policy(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                               deadline_ticks, &request, NULL)
               : status;
}

static enum status start_child(struct rootd *rootd, uint32_t launch)
{
    struct procd_start_staged_process_request request = {.process_id = rootd->process_ids[launch]};
    uint64_t deadline_ticks;
    if (launch >= FOUNDATION_COUNT)
        request.argument = rootd->intake.entries[rootd->plan.launches[launch].entry].data_bytes;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_start_staged_process(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                 deadline_ticks, &request, NULL);
    if (status == STATUS_OK)
        rootd->launched[launch] = LAUNCH_STARTED;
    return status;
}

enum status launch_child(struct rootd *rootd, uint32_t launch)
{
    enum status status = stage_child(rootd, launch);
    if (status == STATUS_OK)
        status = install_all(rootd, launch);
    if (status == STATUS_OK)
        status = set_policy(rootd, launch);
    if (status == STATUS_OK)
        status = start_child(rootd, launch);
    if (status == STATUS_OK)
        status = kernel_drop_local_cap(&rootd->caller, ROOTD_SLOT_GRANT);
    return status;
}

/* --- stopping ---------------------------------------------------------------------------------- */

/* STOP_PROCESS, which is ABORT of one that is staged; then its end, so that procd keeps no record
 * and everything is given back. */
static enum status end_child(struct rootd *rootd, uint64_t process_id)
{
    struct procd_stop_process_request stop = {.process_id = process_id, .code = ROOTD_EXIT_FAILED};
    struct procd_wait_process_event_request wait = {.process_id = process_id};
    struct procd_wait_process_event_reply ended;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_stop_process(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW, deadline_ticks,
                                         &stop, NULL);
    if (status == STATUS_OK)
        status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &wait.deadline_ticks);
    if (status == STATUS_OK)
        status = rootd_deadline(rootd, 2 * ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_wait_process_event(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                               deadline_ticks, &wait, &ended);
    if (status == STATUS_OK && ended.process_id != process_id)
        status = STATUS_INTERNAL;
    return status;
}

static enum status drop_if_held(struct rootd *rootd, uint32_t slot)
{
    enum status status = kernel_drop_local_cap(&rootd->caller, slot);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status launch_stop(struct rootd *rootd, uint32_t launch)
{
    const uint32_t slots[] = {launch_alias_slot(rootd, launch), ROOTD_SLOT_GRANT, ROOTD_SLOT_WINDOW,
                              ROOTD_SLOT_WINDOW + 1};
    enum status status = STATUS_OK;
    if (rootd->launched[launch] != LAUNCH_NONE)
        status = end_child(rootd, rootd->process_ids[launch]);
    if (status == STATUS_OK)
        rootd->launched[launch] = LAUNCH_NONE;
    for (unsigned i = 0; i < sizeof slots / sizeof slots[0] && status == STATUS_OK; i++)
        status = drop_if_held(rootd, slots[i]);
    return status;
}

enum status launch_bind(struct rootd *rootd)
{
    struct procd_update_foundation_endpoints_request request = {
        .memd_slot = SLOT_PEER_MEMD,
        .pagerd_slot = SLOT_PEER_PAGERD, /* vspaced is pagerd's business alone */
    };
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    return status == STATUS_OK
               ? procd_call_update_foundation_endpoints(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                        deadline_ticks, &request, NULL)
               : status;
}

enum status launch_bind_named(struct rootd *rootd, uint32_t end_slot)
{
    struct procd_bind_named_request request = {.named_slot = end_slot};
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_bind_named(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW, deadline_ticks,
                                       &request, NULL);
    return status == STATUS_OK ? kernel_drop_local_cap(&rootd->caller, end_slot) : status;
}
