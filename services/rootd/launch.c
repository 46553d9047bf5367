/* SPDX-License-Identifier: ISC */
/* Launches the foundation as planned. Decides nothing: every slot, right, size and order comes from
 * the plan; what fails is left for teardown.c. */
#include "services/rootd/launch.h"

#include <string.h>

#include "abi/assert.h"
#include "abi/formats/cursor.h"
#include "services/lib/call_procd.h"
#include "services/lib/call_startup.h"
#include "services/lib/image_loader.h"
#include "services/lib/service.h"

/* --- asking ------------------------------------------------------------------------------- */

enum status rootd_deadline(struct rootd *rootd, uint64_t ticks, uint64_t *deadline_ticks)
{
    uint64_t now_ticks = 0;
    enum status status =
        kernel_read_monotonic_clock(&rootd->caller, SLOT_KERNEL_TIME_ENDPOINT, &now_ticks);
    /* A clock this near to its end is not the one that the kernel started with this boot. */
    if (status == STATUS_OK && !range_within(now_ticks, ticks, DEADLINE_NEVER - 1))
        status = STATUS_INTERNAL;
    *deadline_ticks = status == STATUS_OK ? deadline_after(now_ticks, ticks) : 0;
    return status;
}

/* Slot of rootd that holds the send alias of a child. */
static uint32_t alias_slot(unsigned index)
{
    static const uint32_t slots[LAUNCH_COUNT] = {
        [FOUNDATION_MEMD] = SLOT_PEER_MEMD,     [FOUNDATION_VSPACED] = SLOT_PEER_VSPACED,
        [FOUNDATION_PAGERD] = SLOT_PEER_PAGERD, [FOUNDATION_PROCD] = SLOT_PEER_PROCD,
        [LAUNCH_PROGRAM] = ROOTD_SLOT_PROGRAM,
    };
    UNIT_ASSERT(index < LAUNCH_COUNT);
    return slots[index];
}

const struct plan_launch *launch_program_plan(const struct rootd *rootd)
{
    UNIT_ASSERT(rootd->program_index < rootd->plan.program_count);
    return &rootd->plan.programs[rootd->program_index];
}

const struct rootd_module *launch_program_module(const struct rootd *rootd)
{
    const struct rootd_intake *intake = &rootd->intake;
    uint32_t role = launch_program_plan(rootd)->role;
    uint32_t i = 0;
    while (i < intake->program_count && intake->programs[i].role != role)
        i++;
    UNIT_ASSERT(i < intake->program_count); /* the plan was made from these */
    return &intake->programs[i];
}

static const struct plan_launch *plan_of(const struct rootd *rootd, unsigned index)
{
    return index == LAUNCH_PROGRAM ? launch_program_plan(rootd) : &rootd->plan.launches[index];
}

/* --- what every child needs ---------------------------------------------------------------- */

/* One copy into the staged child whose grant lies in ROOTD_SLOT_GRANT. At procd the child is known
 * by the process id that procd gave it. */
static enum status install_one(struct rootd *rootd, unsigned index,
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
static enum status install_all(struct rootd *rootd, unsigned index)
{
    const struct plan_launch *launch = plan_of(rootd, index);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < launch->install_count && status == STATUS_OK; i++)
        status = install_one(rootd, index, &launch->installs[i]);
    return status;
}

/* The envelope, and READY within the time that the config states. A service that says READY for
 * another role, or has checked another number of capabilities, is not ready. */
static enum status handshake(struct rootd *rootd, unsigned index)
{
    const struct envelope *envelope = &plan_of(rootd, index)->envelope;
    struct startup_start_service_request request;
    struct startup_start_service_reply reply;
    size_t written = 0;
    UNIT_ASSERT(rootd->launched[index] == LAUNCH_STARTED);
    memset(&request, 0, sizeof request);
    enum status status =
        envelope_encode(envelope, request.envelope, sizeof request.envelope, &written);
    if (status != STATUS_OK)
        return status;
    request.count = (uint32_t)written;
    uint64_t deadline_ticks;
    status = rootd_deadline(rootd, envelope->ready_ticks, &deadline_ticks);
    if (status == STATUS_OK)
        status = startup_call_start_service(&rootd->caller, alias_slot(index), NO_WINDOW,
                                            deadline_ticks, &request, &reply);
    if (status != STATUS_OK)
        return status;
    bool ready = reply.role == envelope->role && reply.checked_cap_count == envelope->entry_count;
    return ready ? STATUS_OK : STATUS_INTERNAL;
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
        .token = ROOTD_PROCD_TOKEN,
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
    return status == STATUS_OK ? handshake(rootd, FOUNDATION_PROCD) : status;
}

/* --- memd, vspaced, pagerd, programs -------------------------------------------------------------- */

static enum status stage_child(struct rootd *rootd, unsigned index)
{
    const struct rootd_module *module =
        index == LAUNCH_PROGRAM ? launch_program_module(rootd) : &rootd->intake.foundation[index];
    struct procd_create_staged_process_request request = {
        .role = module->role,
        .image_offset = module->offset_bytes,
        .image_bytes = module->size_bytes,
    };
    struct procd_create_staged_process_reply reply;
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_create_staged_process(&rootd->caller, SLOT_PEER_PROCD,
                                                  (struct window){ROOTD_SLOT_WINDOW, 2},
                                                  deadline_ticks, &request, &reply);
    if (status != STATUS_OK)
        return status;
    rootd->process_ids[index] = reply.process_id;
    rootd->launched[index] = LAUNCH_STAGED;
    status = kernel_move_local_cap(&rootd->caller, reply.endpoint_slot, alias_slot(index));
    if (status == STATUS_OK)
        status = kernel_move_local_cap(&rootd->caller, reply.grant_slot, ROOTD_SLOT_GRANT);
    return status;
}

static enum status start_child(struct rootd *rootd, unsigned index)
{
    struct procd_start_staged_process_request request = {.process_id = rootd->process_ids[index]};
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = procd_call_start_staged_process(&rootd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                                 deadline_ticks, &request, NULL);
    if (status == STATUS_OK)
        rootd->launched[index] = LAUNCH_STARTED;
    return status;
}

enum status launch_child(struct rootd *rootd, unsigned index)
{
    enum status status = stage_child(rootd, index);
    if (status == STATUS_OK)
        status = install_all(rootd, index);
    if (status == STATUS_OK)
        status = start_child(rootd, index);
    if (status == STATUS_OK)
        status = kernel_drop_local_cap(&rootd->caller, ROOTD_SLOT_GRANT);
    return status == STATUS_OK ? handshake(rootd, index) : status;
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
