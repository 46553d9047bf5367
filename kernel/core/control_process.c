/* SPDX-License-Identifier: ISC */
/* Kernel control of processes: staging, populating, starting, ending. Questions in the order of
 * control.h, then changes that cannot fail. */
#include "kernel/core/control.h"

_Static_assert(sizeof(struct kernel_create_staged_process_reply) == 4 * sizeof(uint32_t),
               "four slots, which reply_caps_write describes");

/* Puts the creator's four capabilities into its window. */
static void create_hand_over(struct control *control, const struct process *child)
{
    struct kernel *kernel = control->kernel;
    struct process *caller = control->caller;
    uint32_t slot = caller->window_slot;
    struct capability cap = {.object = child->index, .generation = child->service.generation};
    cap.object_type = OBJECT_PROCESS;
    cap.rights = RIGHT_CONTROL | RIGHT_TRANSFER;
    cspace_put(kernel, caller, slot, cap);
    cap.object_type = OBJECT_VSPACE;
    cap.rights = RIGHT_MAP | RIGHT_TRANSFER;
    cspace_put(kernel, caller, slot + 1, cap);
    cap.object_type = OBJECT_ENDPOINT;
    cap.rights = RIGHT_SEND | RIGHT_TRANSFER;
    cspace_put(kernel, caller, slot + 2, cap);
    cap.object_type = OBJECT_GRANT;
    cap.rights = RIGHT_CONTROL | RIGHT_TRANSFER;
    cspace_put(kernel, caller, slot + 3, cap);
    control->reply->kernel_create_staged_process = (struct kernel_create_staged_process_reply){
        .process_slot = slot,
        .vspace_slot = slot + 1,
        .endpoint_slot = slot + 2,
        .grant_slot = slot + 3,
    };
}

enum status control_create_staged_process(struct control *control)
{
    const struct kernel_create_staged_process_request *request =
        &control->request->kernel_create_staged_process;
    struct capability *untyped;
    struct capability *event;
    enum status status =
        control_get(control, request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL, &untyped);
    if (status == STATUS_OK)
        status = control_get(control, request->event_slot, OBJECT_ENDPOINT, RIGHT_RECEIVE, &event);
    if (status != STATUS_OK)
        return status;
    if (request->band < control->caller->band)
        return STATUS_DENIED; /* K7 */
    if (control->caller->window_count < MESSAGE_CAP_LIMIT)
        return STATUS_BUSY;
    if (process_table_full(control->kernel) ||
        kernel_untyped_available(&control->kernel->untypeds[untyped->object]) <
            request->budget_pages)
        return STATUS_EXHAUSTED;
    struct process_plan plan = {
        .untyped = untyped->object,
        .budget_pages = request->budget_pages,
        .event_endpoint = event->object,
        .event_generation = event->generation,
        .event_token = request->token,
        .band = (uint8_t)request->band,
        .flags = request->flags,
    };
    struct process *child = process_create(control->kernel, &plan);
    create_hand_over(control, child);
    life_report(control->kernel, child, LIFE_REPORT_STAGED);
    return STATUS_OK;
}

enum status control_start_process(struct control *control)
{
    const struct kernel_start_process_request *request = &control->request->kernel_start_process;
    struct process *process;
    enum status status = control_process(control, request->process_slot, &process);
    if (status != STATUS_OK)
        return status;
    if (process->life != LIFE_STAGED || !process->pager_declared)
        return STATUS_INVALID_ARGUMENT;
    process->start = (struct start_context){
        .entry_va = request->entry_va,
        .stack_top_va = request->stack_top_va,
        .arguments = {request->argument, 0, 0},
    };
    process_ready(control->kernel, process);
    life_report(control->kernel, process, LIFE_REPORT_STARTED);
    return STATUS_OK;
}

enum status control_abort_staged_process(struct control *control)
{
    struct process *process;
    enum status status = control_process(
        control, control->request->kernel_abort_staged_process.process_slot, &process);
    if (status != STATUS_OK)
        return status;
    if (process->life != LIFE_STAGED)
        return STATUS_INVALID_ARGUMENT;
    process_abort_by_caller(process);
    work_start(control->kernel, control->caller,
               (struct work){.kind = WORK_ABORT, .object = process->index});
    return STATUS_OK;
}

enum status control_kill_process(struct control *control)
{
    const struct kernel_kill_process_request *request = &control->request->kernel_kill_process;
    struct process *process;
    enum status status = control_process(control, request->process_slot, &process);
    if (status != STATUS_OK)
        return status;
    if (process->life == LIFE_STAGED)
        return STATUS_INVALID_ARGUMENT;
    if (process_has_ended(process))
        return STATUS_NOT_FOUND;
    process_end(control->kernel, process, END_KILLED, request->code, 0);
    return STATUS_OK;
}

enum status control_retire_process(struct control *control)
{
    struct process *process;
    enum status status =
        control_process(control, control->request->kernel_retire_process.process_slot, &process);
    if (status != STATUS_OK)
        return status;
    bool going = process->life == LIFE_READY && process->ending == ENDING_TERMINAL;
    if (process->life != LIFE_ENDED && !going)
        return STATUS_BUSY;
    control->reply->kernel_retire_process = (struct kernel_retire_process_reply){
        .reason = process->end_reason,
        .code = process->end_code,
        .fault_va = process->end_fault_va,
    };
    if (!going) {
        process_retire(control->kernel, process);
        return STATUS_OK;
    }
    process_detach(control->kernel, process);
    process_abort_by_caller(process);
    work_start(control->kernel, control->caller,
               (struct work){.kind = WORK_ABORT, .object = process->index});
    return STATUS_OK;
}

enum status control_register_pager(struct control *control)
{
    const struct kernel_register_pager_request *request = &control->request->kernel_register_pager;
    struct process *process;
    struct capability *pager = NULL;
    enum status status = control_process(control, request->process_slot, &process);
    if (status == STATUS_OK && process->life != LIFE_STAGED)
        status = STATUS_INVALID_ARGUMENT;
    if (status == STATUS_OK && request->pager_slot != SLOT_NULL)
        status = control_get(control, request->pager_slot, OBJECT_ENDPOINT, RIGHT_SEND, &pager);
    if (status != STATUS_OK)
        return status;
    process->pager_declared = true;
    process->pager_present = pager != NULL;
    process->pager_endpoint = pager != NULL ? pager->object : 0;
    process->pager_generation = pager != NULL ? pager->generation : 0;
    process->pager_token = request->token;
    return STATUS_OK;
}

/* --- populating a staged child ---------------------------------------------------------------- */

static enum status install_authorise(const struct control *control,
                                     const struct kernel_cap_copy_attenuated_request *request,
                                     const struct capability *source)
{
    if (source == NULL || !kernel_capability_live(control->kernel, source))
        return STATUS_NOT_FOUND;
    if ((source->rights & RIGHT_TRANSFER) == 0 || source->object_type == OBJECT_GRANT ||
        source->object_type == OBJECT_REPLY || source->object_type == OBJECT_KERNEL_SELF)
        return STATUS_DENIED;
    if (request->rights == 0)
        return STATUS_INVALID_ARGUMENT;
    if ((request->rights & ~(uint32_t)source->rights) != 0)
        return STATUS_DENIED; /* K1 */
    if (request->badge != 0 && (source->object_type != OBJECT_ENDPOINT || source->badge != 0))
        return STATUS_DENIED;
    return STATUS_OK;
}

static enum status install_place(struct control *control, struct process *child, uint32_t slot)
{
    if (slot <= SLOT_SERVICE_ENDPOINT || slot > SLOT_STARTUP_LAST || slot == SLOT_LEGACY)
        return STATUS_OUT_OF_RANGE;
    if (!cspace_range_empty(child, slot, 1))
        return STATUS_BUSY;
    return cspace_reserve(control->kernel, child, slot, 1);
}

enum status control_cap_copy_attenuated(struct control *control)
{
    const struct kernel_cap_copy_attenuated_request *request =
        &control->request->kernel_cap_copy_attenuated;
    struct process *child;
    enum status status =
        control_get_process(control, request->grant_slot, OBJECT_GRANT, RIGHT_CONTROL, &child);
    if (status != STATUS_OK)
        return status;
    const struct capability *source = cspace_find(control->caller, request->source_slot);
    status = install_authorise(control, request, source);
    if (status == STATUS_OK)
        status = install_place(control, child, request->target_slot);
    if (status != STATUS_OK)
        return status;
    struct capability given = *source;
    given.rights = (uint16_t)request->rights;
    if (request->badge != 0)
        given.badge = request->badge;
    cspace_put(control->kernel, child, request->target_slot, given);
    return STATUS_OK;
}

/* --- one staged process filled as another is -------------------------------------------------- */

enum { STARTUP_LEAVES = SLOT_STARTUP_LAST / CSPACE_LEAF_CAPS + 1 };
_Static_assert((int)STARTUP_LEAVES <= (int)CSPACE_DIRECT_LEAVES, "no directory is needed for them");

/* Whether a slot of a staged process holds what it was given and can still use. */
static bool is_startup(const struct kernel *kernel, const struct capability *cap, uint32_t slot)
{
    return cap->object_type != OBJECT_NONE && slot > SLOT_SERVICE_ENDPOINT &&
           slot <= SLOT_STARTUP_LAST && kernel_capability_live(kernel, cap);
}

/* What a copy takes. */
struct copy_need {
    uint32_t cap_count;
    uint32_t page_count; /* leaves that the target does not have */
};

/* Whether all of a leaf has its place in the target. */
static enum status leaf_allowed(const struct kernel *kernel, const struct capability *caps,
                                const struct process *target, uint32_t leaf, struct copy_need *need)
{
    const struct capability *places = cspace_find(target, leaf * CSPACE_LEAF_CAPS);
    uint32_t before = need->cap_count;
    for (uint32_t i = 0; i < CSPACE_LEAF_CAPS; i++) {
        if (!is_startup(kernel, &caps[i], leaf * CSPACE_LEAF_CAPS + i))
            continue;
        if (need->cap_count++ == KERNEL_COPY_CAPS_MAX)
            return STATUS_OVER_LIMIT; /* K8 */
        if (places != NULL && places[i].object_type != OBJECT_NONE)
            return STATUS_BUSY;
    }
    need->page_count += places == NULL && need->cap_count != before;
    return STATUS_OK;
}

static enum status copy_allowed(const struct kernel *kernel, const struct process *source,
                                const struct process *target)
{
    struct copy_need need = {0};
    for (uint32_t leaf = 0; leaf < STARTUP_LEAVES; leaf++) {
        const struct capability *caps = cspace_find(source, leaf * CSPACE_LEAF_CAPS);
        enum status status =
            caps == NULL ? STATUS_OK : leaf_allowed(kernel, caps, target, leaf, &need);
        if (status != STATUS_OK)
            return status;
    }
    return need.page_count <= memory_left(target) ? STATUS_OK : STATUS_OVER_BUDGET;
}

static void leaf_copy(struct kernel *kernel, const struct capability *caps, struct process *target,
                      uint32_t leaf)
{
    for (uint32_t i = 0; i < CSPACE_LEAF_CAPS; i++) {
        uint32_t slot = leaf * CSPACE_LEAF_CAPS + i;
        if (!is_startup(kernel, &caps[i], slot))
            continue;
        enum status status = cspace_reserve(kernel, target, slot, 1);
        KERNEL_ASSERT(status == STATUS_OK);
        cspace_put(kernel, target, slot, caps[i]);
    }
}

enum status control_copy_startup(struct control *control)
{
    const struct kernel_copy_startup_request *request = &control->request->kernel_copy_startup;
    struct process *source;
    struct process *target;
    enum status status = control_process(control, request->source_process_slot, &source);
    if (status == STATUS_OK)
        status = control_process(control, request->target_process_slot, &target);
    if (status != STATUS_OK)
        return status;
    if (source->life != LIFE_STAGED || target->life != LIFE_STAGED)
        return STATUS_INVALID_ARGUMENT;
    status = copy_allowed(control->kernel, source, target);
    if (status != STATUS_OK)
        return status;
    for (uint32_t leaf = 0; leaf < STARTUP_LEAVES; leaf++) {
        const struct capability *caps = cspace_find(source, leaf * CSPACE_LEAF_CAPS);
        if (caps != NULL)
            leaf_copy(control->kernel, caps, target, leaf);
    }
    return STATUS_OK;
}

/* --- what a process holds --------------------------------------------------------------------- */

/* The token with which the process behind a live capability was made; 0: none is behind it. */
static uint64_t token_behind(const struct kernel *kernel, const struct capability *cap)
{
    if (cap->object_type == OBJECT_UNTYPED || !capability_is_public(cap) ||
        (cap->object_type == OBJECT_ENDPOINT && cap->object == KERNEL_DRIVER_ENDPOINT))
        return 0;
    return process_at(kernel, cap->object)->event_token;
}

enum status control_read_process_slot(struct control *control)
{
    const struct kernel_read_process_slot_request *request =
        &control->request->kernel_read_process_slot;
    struct process *process;
    enum status status = control_process(control, request->process_slot, &process);
    if (status == STATUS_OK && process_has_ended(process))
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    bool found;
    uint32_t slot = cspace_leaf_scan(process, request->slot, &found);
    struct kernel_read_process_slot_reply *reply = &control->reply->kernel_read_process_slot;
    *reply = (struct kernel_read_process_slot_reply){.slot = slot};
    if (!found)
        return STATUS_OK;
    const struct capability *cap = cspace_find(process, slot);
    bool live = kernel_capability_live(control->kernel, cap);
    bool is_public = capability_is_public(cap);
    reply->object_type = cap->object_type;
    reply->rights = live ? cap->rights : 0;
    reply->object = is_public ? cap->object : 0;
    reply->generation = is_public ? (uint32_t)cap->generation : 0;
    reply->badge = cap->object_type == OBJECT_REPLY ? 0 : cap->badge;
    reply->token = live ? token_behind(control->kernel, cap) : 0;
    return STATUS_OK;
}
