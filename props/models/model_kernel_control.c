/* SPDX-License-Identifier: ISC */
/* Kernel control, as kernel/core/control.h states it: the common questions, and the operations on
 * processes, one's own slots and the small kinds. */
#include "props/models/model_kernel.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"

/* One request, of any row. */
union body {
    uint8_t bytes[MESSAGE_BODY_BYTES_MAX + 8];
    uint64_t align;
};

static enum status need_process(struct model_kernel *model, uint32_t slot, uint32_t *process)
{
    struct model_cap *cap;
    enum status status = model_need(model, slot, OBJECT_PROCESS, RIGHT_CONTROL, &cap);
    *process = status == STATUS_OK ? cap->object : 0;
    return status;
}

/* --- processes -------------------------------------------------------------------------------- */

static uint32_t process_add(struct model_kernel *model,
                            const struct kernel_create_staged_process_request *request,
                            uint32_t pool, uint32_t event_endpoint)
{
    uint32_t index = model->process_count++;
    struct model_kernel_process *process = model_at(model, index);
    process->life = MODEL_LIFE_STAGED;
    process->pool = pool;
    process->budget_pages = request->budget_pages;
    process->band = request->band;
    process->event_endpoint = event_endpoint;
    process->event_token = request->token;
    process->pager = MODEL_NONE;
    process->client = MODEL_NONE;
    model->pools[pool].budgets += request->budget_pages;
    model->endpoints[index].live = true;
    model_log_life(model, index, "STAGED");
    model_cap_put(model, index,
                  (struct model_cap){SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0, 0});
    model_cap_put(model, index,
                  (struct model_cap){SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT,
                                     RIGHTS_SERVICE_ENDPOINT, index, 0});
    return index;
}

static enum status create(struct model_kernel *model,
                          const struct kernel_create_staged_process_request *request,
                          struct kernel_create_staged_process_reply *reply)
{
    static const struct model_cap given[] = {
        {0, OBJECT_PROCESS, RIGHT_CONTROL | RIGHT_TRANSFER, 0, 0},
        {1, OBJECT_VSPACE, RIGHT_MAP | RIGHT_TRANSFER, 0, 0},
        {2, OBJECT_ENDPOINT, RIGHT_SEND | RIGHT_TRANSFER, 0, 0},
        {3, OBJECT_GRANT, RIGHT_CONTROL | RIGHT_TRANSFER, 0, 0},
    };
    struct model_cap *untyped;
    struct model_cap *event;
    struct model_kernel_process *caller = model_at(model, model->current);
    enum status status =
        model_need(model, request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL, &untyped);
    if (status == STATUS_OK)
        status = model_need(model, request->event_slot, OBJECT_ENDPOINT, RIGHT_RECEIVE, &event);
    if (status != STATUS_OK)
        return status;
    if (request->band < caller->band)
        return STATUS_DENIED;
    if (caller->window_count < 4)
        return STATUS_BUSY;
    if (model_pool_available(&model->pools[untyped->object]) < request->budget_pages)
        return STATUS_EXHAUSTED;
    uint32_t child = process_add(model, request, untyped->object, event->object);
    for (uint32_t i = 0; i < 4; i++) {
        struct model_cap cap = given[i];
        cap.slot += caller->window_slot;
        cap.object = child;
        model_cap_put(model, model->current, cap);
        caller->page.caps[i] = (struct message_cap){
            .field_offset = (uint16_t)(4 * i), .rights = cap.rights, .object_type = cap.type};
    }
    uint32_t slot = caller->window_slot;
    *reply = (struct kernel_create_staged_process_reply){slot, slot + 1, slot + 2, slot + 3};
    return STATUS_OK;
}

static enum status start(struct model_kernel *model,
                         const struct kernel_start_process_request *request)
{
    uint32_t index;
    enum status status = need_process(model, request->process_slot, &index);
    struct model_kernel_process *process = model_at(model, index);
    if (status != STATUS_OK)
        return status;
    if (process->life != MODEL_LIFE_STAGED || !process->pager_declared)
        return STATUS_INVALID_ARGUMENT;
    process->start[0] = request->entry_va;
    process->start[1] = request->stack_top_va;
    process->start[2] = request->argument;
    model_run_first(model, index);
    model->changed = true;
    model_log_life(model, index, "STARTED");
    return STATUS_OK;
}

/* The caller tears the process down itself, before it runs on. */
static void abort_by_caller(struct model_kernel *model, uint32_t index)
{
    struct model_kernel_process *process = model_at(model, index);
    process->life = MODEL_LIFE_ENDING;
    process->ending = MODEL_END_ABORT;
    process->aborted = true;
    process->aborter = model->current;
    model->endpoints[index].live = false;
    model->changed = true;
    model_work_start(model, MODEL_WORK_ABORT, index);
    model_bands_settle(model);
}

static enum status abort_staged(struct model_kernel *model, uint32_t slot)
{
    uint32_t index;
    enum status status = need_process(model, slot, &index);
    if (status != STATUS_OK)
        return status;
    if (model_at(model, index)->life != MODEL_LIFE_STAGED)
        return STATUS_INVALID_ARGUMENT;
    abort_by_caller(model, index);
    return STATUS_OK;
}

static enum status kill_process(struct model_kernel *model,
                                const struct kernel_kill_process_request *request)
{
    uint32_t index;
    enum status status = need_process(model, request->process_slot, &index);
    if (status != STATUS_OK)
        return status;
    if (model_at(model, index)->life == MODEL_LIFE_STAGED)
        return STATUS_INVALID_ARGUMENT;
    if (!model_process_lives(model, index))
        return STATUS_NOT_FOUND;
    model_end(model, index, END_KILLED, request->code, 0);
    return STATUS_OK;
}

static enum status retire(struct model_kernel *model, uint32_t slot,
                          struct kernel_retire_process_reply *reply)
{
    uint32_t index;
    enum status status = need_process(model, slot, &index);
    struct model_kernel_process *process = model_at(model, index);
    if (status != STATUS_OK)
        return status;
    bool going = process->life == MODEL_LIFE_ENDING && process->ending == MODEL_END_TERMINAL;
    if (process->life != MODEL_LIFE_ENDED && !going)
        return STATUS_BUSY;
    *reply = (struct kernel_retire_process_reply){process->end_reason, process->end_code,
                                                  process->end_va};
    if (!going) {
        model_process_free(model, index);
        return STATUS_OK;
    }
    model_queue_drop(&model->run, index);
    abort_by_caller(model, index);
    return STATUS_OK;
}

static enum status register_pager(struct model_kernel *model,
                                  const struct kernel_register_pager_request *request)
{
    uint32_t index;
    struct model_cap *pager = NULL;
    enum status status = need_process(model, request->process_slot, &index);
    struct model_kernel_process *process = model_at(model, index);
    if (status == STATUS_OK && process->life != MODEL_LIFE_STAGED)
        return STATUS_INVALID_ARGUMENT;
    if (status == STATUS_OK && request->pager_slot != 0)
        status = model_need(model, request->pager_slot, OBJECT_ENDPOINT, RIGHT_SEND, &pager);
    if (status != STATUS_OK)
        return status;
    process->pager_declared = true;
    process->pager = pager != NULL ? pager->object : MODEL_NONE;
    process->pager_token = request->token;
    model->changed = true;
    return STATUS_OK;
}

static enum status may_install(struct model_kernel *model,
                               const struct kernel_cap_copy_attenuated_request *request)
{
    const struct model_cap *source = model_cap_find(model, model->current, request->source_slot);
    if (source == NULL || !model_cap_live(model, source))
        return STATUS_NOT_FOUND;
    if ((source->rights & RIGHT_TRANSFER) == 0 || source->type == OBJECT_GRANT ||
        source->type == OBJECT_REPLY || source->type == OBJECT_KERNEL_SELF)
        return STATUS_DENIED;
    if (request->rights == 0)
        return STATUS_INVALID_ARGUMENT;
    bool badge_fits =
        request->badge == 0 || (source->type == OBJECT_ENDPOINT && source->badge == 0);
    if ((request->rights & ~(uint32_t)source->rights) != 0 || !badge_fits)
        return STATUS_DENIED; /* K1 */
    return STATUS_OK;
}

static enum status install(struct model_kernel *model,
                           const struct kernel_cap_copy_attenuated_request *request)
{
    struct model_cap *grant;
    uint32_t target = request->target_slot;
    enum status status =
        model_need(model, request->grant_slot, OBJECT_GRANT, RIGHT_CONTROL, &grant);
    if (status == STATUS_OK)
        status = may_install(model, request);
    if (status != STATUS_OK)
        return status;
    if (target < 3 || target > SLOT_STARTUP_LAST || target == SLOT_LEGACY)
        return STATUS_OUT_OF_RANGE;
    if (!model_range_empty(model, grant->object, target, 1))
        return STATUS_BUSY;
    if (model_tight(model, grant->object, 1))
        return STATUS_OVER_BUDGET;
    struct model_cap given = *model_cap_find(model, model->current, request->source_slot);
    given.slot = target;
    given.rights = (uint16_t)request->rights;
    given.badge = request->badge != 0 ? request->badge : given.badge;
    model_cap_put(model, grant->object, given);
    return STATUS_OK;
}

static bool is_startup(const struct model_kernel *model, const struct model_cap *cap)
{
    return cap->slot != SLOT_SELF && cap->slot != SLOT_SERVICE_ENDPOINT &&
           cap->slot <= SLOT_STARTUP_LAST && model_cap_live(model, cap);
}

/* How many of a process's start-up capabilities lie below a slot. */
static uint32_t startup_below(struct model_kernel *model, uint32_t process, uint32_t slot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model_at(model, process)->cap_count; i++) {
        const struct model_cap *cap = &model_at(model, process)->caps[i];
        count += cap->slot < slot && is_startup(model, cap);
    }
    return count;
}

/* The lowest slot that would be filled and is not empty; UINT32_MAX: none. */
static uint32_t lowest_busy(struct model_kernel *model, uint32_t source, uint32_t target)
{
    uint32_t lowest = UINT32_MAX;
    for (uint32_t i = 0; i < model_at(model, source)->cap_count; i++) {
        const struct model_cap *cap = &model_at(model, source)->caps[i];
        if (is_startup(model, cap) && cap->slot < lowest &&
            model_cap_find(model, target, cap->slot) != NULL)
            lowest = cap->slot;
    }
    return lowest;
}

static enum status copy_startup(struct model_kernel *model,
                                const struct kernel_copy_startup_request *request)
{
    enum { LIMIT = 128, LEAVES = SLOT_STARTUP_LAST / 128 + 1 };
    uint32_t source;
    uint32_t target;
    enum status status = need_process(model, request->source_process_slot, &source);
    if (status == STATUS_OK)
        status = need_process(model, request->target_process_slot, &target);
    if (status != STATUS_OK)
        return status;
    if (model_at(model, source)->life != MODEL_LIFE_STAGED ||
        model_at(model, target)->life != MODEL_LIFE_STAGED)
        return STATUS_INVALID_ARGUMENT;
    uint32_t busy = lowest_busy(model, source, target);
    if (startup_below(model, source, busy) > LIMIT ||
        (busy != UINT32_MAX && startup_below(model, source, busy) == LIMIT))
        return STATUS_OVER_LIMIT;
    if (busy != UINT32_MAX)
        return STATUS_BUSY;
    if (model_tight(model, target, LEAVES))
        return STATUS_OVER_BUDGET;
    uint32_t count = model_at(model, source)->cap_count;
    for (uint32_t i = 0; i < count; i++) {
        if (is_startup(model, &model_at(model, source)->caps[i]))
            model_cap_put(model, target, model_at(model, source)->caps[i]);
    }
    return STATUS_OK;
}

/* --- one's own slots -------------------------------------------------------------------------- */

/* The object's name and generation as the real kernel has them; 0 for types that tell neither. */
static void query_object(const struct model_kernel *model, const struct model_cap *cap,
                         struct kernel_query_local_cap_reply *reply)
{
    if (cap->type == OBJECT_UNTYPED) {
        reply->object = model->pools[cap->object].real_index;
        reply->generation = (uint32_t)model->pools[cap->object].real_generation;
    } else if (cap->type == OBJECT_ENDPOINT && cap->object == MODEL_DRIVER) {
        reply->object = PROCESS_LIMIT;
    } else if (cap->type == OBJECT_VSPACE || cap->type == OBJECT_ENDPOINT ||
               cap->type == OBJECT_PROCESS || cap->type == OBJECT_GRANT) {
        reply->object = model->processes[cap->object].real_index;
        reply->generation = (uint32_t)model->processes[cap->object].real_generation;
    }
}

static enum status query(struct model_kernel *model,
                         const struct kernel_query_local_cap_request *request,
                         struct kernel_query_local_cap_reply *reply)
{
    const struct model_kernel_process *caller = model_at(model, model->current);
    const struct model_cap *found = NULL;
    if (request->mode == QUERY_EXACT && request->slot == 0)
        return STATUS_INVALID_ARGUMENT;
    if (request->mode == QUERY_NEXT && model->luck.work[model->current] == MODEL_WORK_SCAN) {
        model_at(model, model->current)->work = MODEL_WORK_SCAN;
        return STATUS_OK; /* it is asked again */
    }
    for (uint32_t i = 0; i < caller->cap_count; i++) {
        const struct model_cap *cap = &caller->caps[i];
        bool fits = request->mode == QUERY_NEXT
                        ? cap->slot >= request->slot && (found == NULL || cap->slot < found->slot)
                        : cap->slot == request->slot;
        found = fits ? cap : found;
    }
    if (found == NULL)
        return STATUS_NOT_FOUND;
    bool live = model_cap_live(model, found);
    reply->slot = found->slot;
    reply->object_type = found->type;
    reply->rights = live ? found->rights : 0;
    reply->badge = found->type == OBJECT_REPLY ? 0 : found->badge;
    query_object(model, found, reply);
    if (live && found->type == OBJECT_UNTYPED)
        reply->size_pages = model_pool_available(&model->pools[found->object]);
    if (live && found->type == OBJECT_FRAME)
        reply->size_pages = 1;
    if (found->type == OBJECT_IMAGE)
        reply->size_pages = MODEL_CODE_PAGES;
    return STATUS_OK;
}

/* --- what another process holds --------------------------------------------------------------- */

/* A leaf has 128 slots. Whether the core has one above is its own matter, which it has to tell only
 * when it has nothing there. */
static enum status read_slot(struct model_kernel *model,
                             const struct kernel_read_process_slot_request *request,
                             struct kernel_read_process_slot_reply *reply)
{
    enum { LEAF_SLOTS = 128 };
    uint32_t index;
    const struct model_cap *found = NULL;
    enum status status = need_process(model, request->process_slot, &index);
    if (status == STATUS_OK && !model_process_lives(model, index))
        status = STATUS_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    uint32_t end = request->slot / LEAF_SLOTS * LEAF_SLOTS + LEAF_SLOTS;
    bool above = false;
    for (uint32_t i = 0; i < model_at(model, index)->cap_count; i++) {
        const struct model_cap *cap = &model_at(model, index)->caps[i];
        bool fits = cap->slot >= request->slot && cap->slot < end;
        found = fits && (found == NULL || cap->slot < found->slot) ? cap : found;
        above = above || cap->slot >= end;
    }
    reply->slot = !above && model->luck.no_leaf_above ? SLOT_LIMIT : end;
    if (found == NULL)
        return STATUS_OK;
    struct kernel_query_local_cap_reply named = {0};
    bool live = model_cap_live(model, found);
    query_object(model, found, &named);
    *reply = (struct kernel_read_process_slot_reply){
        .slot = found->slot,
        .object_type = found->type,
        .rights = live ? found->rights : 0,
        .object = named.object,
        .generation = named.generation,
        .badge = found->type == OBJECT_REPLY ? 0 : found->badge,
    };
    bool of_process = found->type == OBJECT_VSPACE || found->type == OBJECT_ENDPOINT ||
                      found->type == OBJECT_PROCESS || found->type == OBJECT_GRANT;
    if (live && of_process && found->object != MODEL_DRIVER)
        reply->token = model_at(model, found->object)->event_token;
    return STATUS_OK;
}

static enum status drop(struct model_kernel *model, uint32_t slot)
{
    struct model_cap *cap = model_cap_find(model, model->current, slot);
    if (cap == NULL)
        return STATUS_NOT_FOUND;
    model_cap_drop(model, model->current, cap);
    return STATUS_OK;
}

static enum status move(struct model_kernel *model,
                        const struct kernel_move_local_cap_request *request)
{
    struct model_cap *source = model_cap_find(model, model->current, request->source_slot);
    if (source == NULL)
        return STATUS_NOT_FOUND;
    if (source->type == OBJECT_REPLY || source->type == OBJECT_KERNEL_SELF)
        return STATUS_DENIED;
    if (!model_range_fillable(request->target_slot, 1))
        return STATUS_OUT_OF_RANGE;
    if (!model_range_empty(model, model->current, request->target_slot, 1))
        return STATUS_BUSY;
    if (model_tight(model, model->current, MODEL_SLOT_MAX))
        return STATUS_OVER_BUDGET;
    source->slot = request->target_slot;
    model->changed = true;
    return STATUS_OK;
}

static enum status port(enum object_type kind, uint32_t number)
{
    bool com = number >= 0x3F8 && number <= 0x3FF;
    bool keyboard = number == 0x60 || number == 0x64;
    return (kind == OBJECT_KERNEL_COM1 ? com : keyboard) ? STATUS_OK : STATUS_DENIED;
}

/* The host has no devices. */
static enum status pci_read(const struct kernel_read_pci_config_dword_request *request,
                            struct kernel_read_pci_config_dword_reply *reply)
{
    reply->value = UINT32_MAX;
    return request->offset_bytes % 4 == 0 ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* --- the common part -------------------------------------------------------------------------- */

static enum status perform(struct model_kernel *model, enum object_type kind, uint16_t operation,
                           const void *request, void *reply)
{
    uint32_t first; /* most requests begin with a slot */
    memcpy(&first, request, sizeof first);
    switch (operation) {
    case OP_KERNEL_CREATE_STAGED_PROCESS:
        return create(model, request, reply);
    case OP_KERNEL_START_PROCESS:
        return start(model, request);
    case OP_KERNEL_ABORT_STAGED_PROCESS:
        return abort_staged(model, first);
    case OP_KERNEL_KILL_PROCESS:
        return kill_process(model, request);
    case OP_KERNEL_RETIRE_PROCESS:
        return retire(model, first, reply);
    case OP_KERNEL_REGISTER_PAGER:
        return register_pager(model, request);
    case OP_KERNEL_CAP_COPY_ATTENUATED:
        return install(model, request);
    case OP_KERNEL_COPY_STARTUP:
        return copy_startup(model, request);
    case OP_KERNEL_READ_PROCESS_SLOT:
        return read_slot(model, request, reply);
    case OP_KERNEL_BIND_INTERRUPT:
    case OP_KERNEL_ACK_INTERRUPT:
    case OP_KERNEL_MASK_INTERRUPT:
        return model_control_lines(model, operation, request);
    case OP_KERNEL_QUERY_LOCAL_CAP:
        return query(model, request, reply);
    case OP_KERNEL_DROP_LOCAL_CAP:
        return drop(model, first);
    case OP_KERNEL_MOVE_LOCAL_CAP:
        return move(model, request);
    case OP_KERNEL_EXIT:
        model_end(model, model->current, END_EXITED, first, 0);
        return STATUS_OK;
    case OP_KERNEL_READ_MONOTONIC_CLOCK:
        *(struct kernel_read_monotonic_clock_reply *)reply =
            (struct kernel_read_monotonic_clock_reply){model->now};
        return STATUS_OK;
    case OP_KERNEL_IOPORT_READ8:
    case OP_KERNEL_IOPORT_WRITE8:
        return port(kind, first); /* the host's ports read as 0 */
    case OP_KERNEL_LOG_WRITE:
        model_log(model, (const uint8_t *)request + sizeof first, first);
        return STATUS_OK;
    case OP_KERNEL_READ_PCI_CONFIG_DWORD:
        return pci_read(request, reply);
    default:
        return model_control_memory(model, kind, operation, request, reply);
    }
}

static enum status decide(struct model_kernel *model, enum object_type kind,
                          const struct operation *row, void *reply)
{
    union body request;
    if (row == NULL || (model_kernel_kinds(row->id) & (1u << kind)) == 0 ||
        row->state == OPERATION_DENIED)
        return STATUS_DENIED;
    if (row->state == OPERATION_UNSUPPORTED)
        return STATUS_UNSUPPORTED;
    if (message_decode(row->request, &model_at(model, model->current)->page, &request) != STATUS_OK)
        return STATUS_INVALID_ARGUMENT;
    return perform(model, kind, row->id, &request, reply);
}

static uint16_t reply_bytes(const struct operation *row, const union body *reply)
{
    uint32_t count;
    memcpy(&count, reply, sizeof count);
    return (uint16_t)(row->id == OP_KERNEL_FRAME_READ ? sizeof count + count
                                                      : row->reply->max_bytes);
}

void model_control(struct model_kernel *model, enum object_type kind)
{
    uint32_t caller = model->current;
    struct model_kernel_process *process = model_at(model, caller);
    struct message_header *header = &process->page.header;
    const struct operation *row = operation_find(SERVICE_KERNEL, header->operation);
    union body reply;
    memset(&reply, 0, sizeof reply);
    model->verdict = decide(model, kind, row, &reply);
    if (process->life != MODEL_LIFE_RUNS || model->current != caller ||
        process->work == MODEL_WORK_SCAN)
        return; /* it ended: no reply; or there is none yet */
    *header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = header->operation,
        .status = model->verdict,
        .request_id = header->request_id,
    };
    process->page_open = true;
    if (model->verdict != STATUS_OK)
        return;
    header->body_bytes = reply_bytes(row, &reply);
    header->cap_count = header->operation == OP_KERNEL_CREATE_STAGED_PROCESS ? 4 : 0;
    memcpy(process->page.body, reply.bytes, header->body_bytes);
}
