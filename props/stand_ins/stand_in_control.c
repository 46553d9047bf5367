/* SPDX-License-Identifier: ISC */
/* Kernel control: each operation checks the capabilities that the request names, then changes the
 * books. Operations that no service of today asks for are UNSUPPORTED. */
#include <string.h>

#include "abi/slots.h"
#include "props/stand_ins/stand_in_books.h"
#include "props/base/property.h"

static const struct stand_in_peers *peers;
static struct {
    bool exited;
    uint32_t exit_code;
    uint32_t log_count;
} control;
static char log_text[STAND_IN_LOG_BYTES];

void stand_in_control_begin(const struct stand_in_peers *new_peers)
{
    peers = new_peers;
    memset(log_text, 0, control.log_count);
    memset(&control, 0, sizeof control);
}

bool stand_in_exited(uint32_t *code)
{
    if (code != NULL)
        *code = control.exit_code;
    return control.exited;
}

const char *stand_in_log(uint32_t *count)
{
    *count = control.log_count;
    return log_text;
}

/* --- the caller itself ------------------------------------------------------------------------ */

/* Reply capabilities are in a book of their own. */
static struct stand_in_cap held_at(uint32_t slot)
{
    if (stand_in_reply_is_open(slot))
        return (struct stand_in_cap){.object_type = OBJECT_REPLY, .rights = RIGHT_SEND};
    return stand_in_at(slot);
}

/* The lowest occupied slot from `slot` on; SLOT_NULL: none. */
static uint32_t next_slot(uint32_t slot)
{
    uint32_t next = SLOT_NULL;
    for (uint32_t i = 0; i < stand_in_slot_count(); i++) {
        uint32_t number = stand_in_slot_number(i);
        if (number >= slot && (next == SLOT_NULL || number < next))
            next = number;
    }
    return next;
}

static enum status op_query(struct stand_in_call *call)
{
    const struct kernel_query_local_cap_request *request = call->request;
    struct kernel_query_local_cap_reply *reply = call->reply;
    uint32_t slot = request->mode == QUERY_NEXT ? next_slot(request->slot) : request->slot;
    struct stand_in_cap cap = held_at(slot);
    if (cap.object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    /* which page a frame is, nobody learns; how big an object is, only its holder */
    bool named = cap.object_type != OBJECT_FRAME && cap.object_type != OBJECT_REPLY;
    bool live = cap.object_type == OBJECT_REPLY || stand_in_cap_live(&cap);
    *reply = (struct kernel_query_local_cap_reply){
        .slot = slot,
        .object_type = cap.object_type,
        .rights = live ? cap.rights : 0,
        .object = named ? cap.object : 0,
        .generation = named ? cap.generation : 0,
        .badge = cap.badge,
    };
    if (cap.object_type == OBJECT_UNTYPED)
        reply->size_pages = stand_in_untyped(cap.object)->free_pages;
    return STATUS_OK;
}

static enum status op_drop(struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *request = call->request;
    if (stand_in_at(request->slot).object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    (void)stand_in_take(request->slot);
    return STATUS_OK;
}

static enum status op_move(struct stand_in_call *call)
{
    const struct kernel_move_local_cap_request *request = call->request;
    if (stand_in_at(request->source_slot).object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    if (!stand_in_slot_empty(request->target_slot))
        return STATUS_BUSY;
    stand_in_relabel(request->source_slot, request->target_slot);
    return STATUS_OK;
}

/* Nobody is left to be answered. */
static enum status op_exit(struct stand_in_call *call)
{
    const struct kernel_exit_request *request = call->request;
    control.exited = true;
    control.exit_code = request->code;
    return STATUS_PEER_DIED;
}

static enum status op_log(struct stand_in_call *call)
{
    const struct kernel_log_write_request *request = call->request;
    uint32_t room = STAND_IN_LOG_BYTES - 1 - control.log_count;
    uint32_t count = request->count < room ? request->count : room;
    memcpy(log_text + control.log_count, request->bytes, count);
    control.log_count += count;
    return STATUS_OK;
}

static enum status op_clock(struct stand_in_call *call)
{
    struct kernel_read_monotonic_clock_reply *reply = call->reply;
    reply->now_ticks = stand_in_now();
    stand_in_clock_set(reply->now_ticks + 1);
    return STATUS_OK;
}

static enum status op_pci(struct stand_in_call *call)
{
    const struct kernel_read_pci_config_dword_request *request = call->request;
    struct kernel_read_pci_config_dword_reply *reply = call->reply;
    if (peers->pci_read == NULL)
        return STATUS_UNSUPPORTED;
    if (request->offset_bytes % 4 != 0)
        return STATUS_INVALID_ARGUMENT;
    reply->value =
        peers->pci_read(request->bus, request->device, request->function, request->offset_bytes);
    return STATUS_OK;
}

/* --- memory ----------------------------------------------------------------------------------- */

static enum status op_retype(struct stand_in_call *call)
{
    const struct kernel_retype_request *request = call->request;
    struct stand_in_cap cap;
    uint32_t object;
    uint32_t slot_count = request->object_type == OBJECT_FRAME ? request->count : 1;
    enum status status = stand_in_get(request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL, &cap);
    if (status != STATUS_OK)
        return status;
    if (!stand_in_slots_empty(request->target_slot, slot_count))
        return STATUS_BUSY;
    if (request->object_type == OBJECT_UNTYPED) {
        status = stand_in_untyped_split(cap.object, request->count, &object);
        if (status == STATUS_OK)
            stand_in_put(request->target_slot, stand_in_cap_to(OBJECT_UNTYPED, object));
        return status;
    }
    if (stand_in_untyped(cap.object)->free_pages < request->count ||
        stand_in_frame_count() + request->count > STAND_IN_FRAME_LIMIT)
        return STATUS_EXHAUSTED;
    for (uint32_t i = 0; i < request->count; i++) {
        (void)stand_in_frame_add(cap.object, &object);
        stand_in_put(request->target_slot + i, stand_in_cap_to(OBJECT_FRAME, object));
    }
    return STATUS_OK;
}

static enum status op_destroy(struct stand_in_call *call)
{
    uint32_t slot = ((const struct kernel_destroy_request *)call->request)->slot;
    struct stand_in_cap cap = stand_in_at(slot);
    if (!stand_in_cap_live(&cap))
        return STATUS_NOT_FOUND;
    if ((cap.rights & RIGHT_CONTROL) == 0)
        return STATUS_DENIED;
    enum status status = STATUS_OK;
    if (cap.object_type == OBJECT_FRAME)
        stand_in_frame_destroy(cap.object);
    else if (cap.object_type == OBJECT_UNTYPED)
        status = stand_in_untyped_join(cap.object);
    else
        status = STATUS_INVALID_ARGUMENT;
    if (status == STATUS_OK)
        (void)stand_in_take(slot);
    return status;
}

static enum status op_read(struct stand_in_call *call)
{
    const struct kernel_frame_read_request *request = call->request;
    struct kernel_frame_read_reply *reply = call->reply;
    struct stand_in_cap image;
    enum status status = stand_in_get(request->frame_slot, OBJECT_IMAGE, RIGHT_READ, &image);
    if (status == STATUS_OK)
        status = peers->image_read(request->offset_bytes, request->count, reply->bytes);
    reply->count = request->count;
    return status;
}

static enum status op_copy(struct stand_in_call *call)
{
    const struct kernel_frame_copy_request *request = call->request;
    struct stand_in_cap source;
    struct stand_in_cap target;
    enum status status = stand_in_get(request->source_slot, OBJECT_IMAGE, RIGHT_READ, &source);
    if (status == STATUS_OK)
        status = stand_in_get(request->target_slot, OBJECT_FRAME, RIGHT_WRITE, &target);
    if (status != STATUS_OK)
        return status;
    if (request->target_offset_bytes + (uint64_t)request->count > PAGE_BYTES)
        return STATUS_OUT_OF_RANGE;
    if (stand_in_frame(target.object)->use == FRAME_CODE)
        return STATUS_WRITE_AND_EXECUTE;
    uint64_t content = stand_in_content(request->source_offset_bytes, request->count);
    stand_in_frame_copied(target.object, content + request->target_offset_bytes);
    return STATUS_OK;
}

static enum status op_write(struct stand_in_call *call)
{
    const struct kernel_frame_write_request *request = call->request;
    struct stand_in_cap frame;
    enum status status = stand_in_get(request->frame_slot, OBJECT_FRAME, RIGHT_WRITE, &frame);
    if (status != STATUS_OK)
        return status;
    if (request->offset_bytes + (uint64_t)request->count > PAGE_BYTES)
        return STATUS_OUT_OF_RANGE;
    if (stand_in_frame(frame.object)->use == FRAME_CODE)
        return STATUS_WRITE_AND_EXECUTE;
    stand_in_frame_copied(
        frame.object, stand_in_content_of(request->bytes, request->offset_bytes, request->count));
    return STATUS_OK;
}

/* --- address spaces --------------------------------------------------------------------------- */

static enum status op_map(struct stand_in_call *call)
{
    const struct kernel_map_frame_request *request = call->request;
    struct stand_in_cap vspace;
    struct stand_in_cap frame = stand_in_at(request->frame_slot);
    enum status status = stand_in_get(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    if (!stand_in_cap_live(&frame))
        return STATUS_NOT_FOUND;
    if (frame.object_type != OBJECT_FRAME && frame.object_type != OBJECT_IMAGE)
        return STATUS_INVALID_ARGUMENT;
    if (((request->rights | RIGHT_MAP) & ~frame.rights) != 0)
        return STATUS_DENIED;
    return stand_in_map(vspace.object, &frame, peers->image_pages, request);
}

/* All of them or none. */
static enum status op_give(struct stand_in_call *call)
{
    const struct kernel_give_frames_request *request = call->request;
    struct stand_in_cap vspace;
    uint32_t mapped = 0;
    enum status status = stand_in_get(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    for (uint32_t i = 0; i < request->count && status == STATUS_OK; i++)
        status = stand_in_look(stand_in_cap_in(request->frame_slot + i), OBJECT_FRAME,
                               (uint16_t)(RIGHT_MAP | request->rights));
    for (; mapped < request->count && status == STATUS_OK; mapped += status == STATUS_OK) {
        struct kernel_map_frame_request map = {
            .va = request->va + mapped * (uint64_t)PAGE_BYTES,
            .page_count = 1,
            .rights = request->rights,
        };
        status = stand_in_map(vspace.object, stand_in_cap_in(request->frame_slot + mapped),
                              peers->image_pages, &map);
    }
    if (status != STATUS_OK && mapped != 0)
        HARNESS(stand_in_unmap(vspace.object, request->va >> PAGE_SHIFT, mapped) == STATUS_OK);
    for (uint32_t i = 0; i < request->count && status == STATUS_OK; i++)
        (void)stand_in_take(request->frame_slot + i);
    return status;
}

static enum status op_unmap(struct stand_in_call *call)
{
    const struct kernel_unmap_frame_request *request = call->request;
    struct stand_in_cap vspace;
    enum status status = stand_in_get(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    return stand_in_unmap(vspace.object, request->va >> PAGE_SHIFT, request->page_count);
}

static enum status op_protect(struct stand_in_call *call)
{
    const struct kernel_protect_frame_request *request = call->request;
    struct stand_in_cap vspace;
    enum status status = stand_in_get(request->vspace_slot, OBJECT_VSPACE, RIGHT_MAP, &vspace);
    if (status != STATUS_OK)
        return status;
    return stand_in_protect(vspace.object, request->va >> PAGE_SHIFT, request->page_count,
                            request->rights);
}

/* --- processes -------------------------------------------------------------------------------- */

static enum status op_create(struct stand_in_call *call)
{
    const struct kernel_create_staged_process_request *request = call->request;
    struct kernel_create_staged_process_reply *reply = call->reply;
    struct stand_in_cap untyped;
    struct stand_in_cap event;
    uint32_t object = 0;
    enum status status =
        stand_in_get(request->untyped_slot, OBJECT_UNTYPED, RIGHT_CONTROL, &untyped);
    if (status == STATUS_OK)
        status = stand_in_get(request->event_slot, OBJECT_ENDPOINT, RIGHT_RECEIVE, &event);
    if (status == STATUS_OK && call->window_count < MESSAGE_CAP_LIMIT)
        status = STATUS_BUSY;
    if (status == STATUS_OK)
        status =
            stand_in_process_add(untyped.object, request->budget_pages, request->token, &object);
    if (status != STATUS_OK)
        return status;
    call->caps[0] = stand_in_cap_to(OBJECT_PROCESS, object);
    call->caps[1] = stand_in_cap_to(OBJECT_VSPACE, stand_in_process(object)->vspace);
    call->caps[2] = stand_in_cap_to(OBJECT_ENDPOINT, STAND_IN_CHILD + object);
    call->caps[2].rights = RIGHT_SEND | RIGHT_TRANSFER;
    call->caps[3] = stand_in_cap_to(OBJECT_GRANT, object);
    *reply = (struct kernel_create_staged_process_reply){1, 1, 1, 1}; /* delivery says where */
    return STATUS_OK;
}

/* The process behind a capability. INVALID_ARGUMENT: it is in another part of its life. */
static enum status process_get(uint32_t slot, enum stand_in_life life,
                               struct stand_in_process **process, uint32_t *object)
{
    struct stand_in_cap cap;
    enum status status = stand_in_get(slot, OBJECT_PROCESS, RIGHT_CONTROL, &cap);
    if (status != STATUS_OK)
        return status;
    *object = cap.object;
    *process = stand_in_process(cap.object);
    return (*process)->life == life ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

static enum status op_pager(struct stand_in_call *call)
{
    const struct kernel_register_pager_request *request = call->request;
    struct stand_in_process *process = NULL;
    struct stand_in_cap pager;
    uint32_t object;
    enum status status = process_get(request->process_slot, STAND_IN_STAGED, &process, &object);
    if (status == STATUS_OK && request->pager_slot != SLOT_NULL)
        status = stand_in_get(request->pager_slot, OBJECT_ENDPOINT, RIGHT_SEND, &pager);
    if (status != STATUS_OK)
        return status;
    process->pager_declared = true;
    process->has_pager = request->pager_slot != SLOT_NULL;
    return STATUS_OK;
}

static enum status op_start(struct stand_in_call *call)
{
    const struct kernel_start_process_request *request = call->request;
    struct stand_in_process *process = NULL;
    uint32_t object;
    enum status status = process_get(request->process_slot, STAND_IN_STAGED, &process, &object);
    if (status != STATUS_OK)
        return status;
    if (!process->pager_declared)
        return STATUS_INVALID_ARGUMENT;
    process->life = STAND_IN_RUNNING;
    process->entry_va = request->entry_va;
    process->stack_top_va = request->stack_top_va;
    process->argument = request->argument;
    return STATUS_OK;
}

static enum status op_abort(struct stand_in_call *call)
{
    const struct kernel_abort_staged_process_request *request = call->request;
    struct stand_in_process *process = NULL;
    uint32_t object;
    enum status status = process_get(request->process_slot, STAND_IN_STAGED, &process, &object);
    if (status == STATUS_OK)
        stand_in_process_free(object);
    return status;
}

static enum status op_kill(struct stand_in_call *call)
{
    const struct kernel_kill_process_request *request = call->request;
    struct stand_in_process *process = NULL;
    uint32_t object;
    enum status status = process_get(request->process_slot, STAND_IN_RUNNING, &process, &object);
    if (status == STATUS_OK)
        (void)stand_in_process_end(process->token, END_KILLED, request->code, 0);
    else if (process != NULL && process->life == STAND_IN_ENDED)
        status = STATUS_NOT_FOUND;
    return status;
}

static enum status op_retire(struct stand_in_call *call)
{
    const struct kernel_retire_process_request *request = call->request;
    struct kernel_retire_process_reply *reply = call->reply;
    struct stand_in_process *process = NULL;
    uint32_t object;
    enum status status = process_get(request->process_slot, STAND_IN_ENDED, &process, &object);
    if (process != NULL && process->life != STAND_IN_ENDED)
        return STATUS_BUSY;
    if (status != STATUS_OK)
        return status;
    *reply = (struct kernel_retire_process_reply){
        .reason = process->reason, .code = process->code, .fault_va = process->fault_va};
    stand_in_process_free(object);
    return STATUS_OK;
}

static enum status op_install(struct stand_in_call *call)
{
    const struct kernel_cap_copy_attenuated_request *request = call->request;
    struct stand_in_cap grant;
    struct stand_in_cap source = stand_in_at(request->source_slot);
    enum status status = stand_in_get(request->grant_slot, OBJECT_GRANT, RIGHT_CONTROL, &grant);
    if (status != STATUS_OK)
        return status;
    if (!stand_in_cap_live(&source) || stand_in_process(grant.object)->life != STAND_IN_STAGED)
        return STATUS_NOT_FOUND;
    if ((request->rights & ~source.rights) != 0 || (source.rights & RIGHT_TRANSFER) == 0 ||
        (request->badge != 0 && source.badge != 0))
        return STATUS_DENIED;
    source.rights = request->rights;
    if (request->badge != 0) /* 0 keeps what it has */
        source.badge = request->badge;
    return stand_in_install(grant.object, request->target_slot, source);
}

/* What was installed in the one, in the same slots of the other, which holds nothing yet. */
static enum status op_copy_startup(struct stand_in_call *call)
{
    const struct kernel_copy_startup_request *request = call->request;
    struct stand_in_process *source = NULL;
    struct stand_in_process *target = NULL;
    uint32_t from;
    uint32_t to;
    enum status status = process_get(request->source_process_slot, STAND_IN_STAGED, &source, &from);
    if (status == STATUS_OK)
        status = process_get(request->target_process_slot, STAND_IN_STAGED, &target, &to);
    if (status == STATUS_OK && target->installed_count != 0)
        status = STATUS_BUSY;
    for (uint32_t i = 0; status == STATUS_OK && i < source->installed_count; i++) {
        const struct stand_in_installed *installed = stand_in_installed(from, i);
        status = stand_in_install(to, installed->slot, installed->cap);
    }
    return status;
}

/* --- ports ------------------------------------------------------------------------------------ */

static enum status op_port_read(struct stand_in_call *call)
{
    const struct kernel_ioport_read8_request *request = call->request;
    struct kernel_ioport_read8_reply *reply = call->reply;
    if (peers->port_read == NULL)
        return STATUS_UNSUPPORTED;
    reply->value = peers->port_read(request->port);
    return STATUS_OK;
}

static enum status op_port_write(struct stand_in_call *call)
{
    const struct kernel_ioport_write8_request *request = call->request;
    if (peers->port_write == NULL)
        return STATUS_UNSUPPORTED;
    return peers->port_write(request->port, request->value) ? STATUS_OK : STATUS_BUSY;
}

/* What was installed, a leaf at a time; a process's own two are not told. */
static enum status op_read_slot(struct stand_in_call *call)
{
    const struct kernel_read_process_slot_request *request = call->request;
    struct kernel_read_process_slot_reply *reply = call->reply;
    struct stand_in_process *process = NULL;
    const struct stand_in_installed *found = NULL;
    uint32_t from;
    enum status status = process_get(request->process_slot, STAND_IN_RUNNING, &process, &from);
    if (process == NULL || process->life == STAND_IN_ENDED)
        return process == NULL ? status : STATUS_NOT_FOUND;
    uint32_t end = request->slot / 128 * 128 + 128;
    for (uint32_t i = 0; i < process->installed_count; i++) {
        const struct stand_in_installed *held = stand_in_installed(from, i);
        if (held->slot >= request->slot && held->slot < end &&
            (found == NULL || held->slot < found->slot))
            found = held;
    }
    reply->slot = found != NULL ? found->slot : end <= SLOT_STARTUP_LAST ? end : SLOT_LIMIT;
    if (found == NULL)
        return STATUS_OK;
    uint32_t object_type;
    reply->token = stand_in_token_behind(found->slot, &reply->object, &object_type);
    reply->object_type = object_type;
    reply->rights = object_type_rights(object_type);
    reply->badge = found->cap.badge;
    return STATUS_OK;
}

/* --- the table -------------------------------------------------------------------------------- */

enum { OPERATION_LIMIT = OP_KERNEL_READ_PROCESS_SLOT + 1 };

static enum status (*const operations[OPERATION_LIMIT])(struct stand_in_call *) = {
    [OP_KERNEL_CREATE_STAGED_PROCESS] = op_create,
    [OP_KERNEL_START_PROCESS] = op_start,
    [OP_KERNEL_ABORT_STAGED_PROCESS] = op_abort,
    [OP_KERNEL_KILL_PROCESS] = op_kill,
    [OP_KERNEL_RETIRE_PROCESS] = op_retire,
    [OP_KERNEL_REGISTER_PAGER] = op_pager,
    [OP_KERNEL_MAP_FRAME] = op_map,
    [OP_KERNEL_CAP_COPY_ATTENUATED] = op_install,
    [OP_KERNEL_QUERY_LOCAL_CAP] = op_query,
    [OP_KERNEL_DROP_LOCAL_CAP] = op_drop,
    [OP_KERNEL_READ_MONOTONIC_CLOCK] = op_clock,
    [OP_KERNEL_EXIT] = op_exit,
    [OP_KERNEL_UNMAP_FRAME] = op_unmap,
    [OP_KERNEL_PROTECT_FRAME] = op_protect,
    [OP_KERNEL_RETYPE] = op_retype,
    [OP_KERNEL_DESTROY] = op_destroy,
    [OP_KERNEL_FRAME_READ] = op_read,
    [OP_KERNEL_FRAME_COPY] = op_copy,
    [OP_KERNEL_FRAME_WRITE] = op_write,
    [OP_KERNEL_LOG_WRITE] = op_log,
    [OP_KERNEL_MOVE_LOCAL_CAP] = op_move,
    [OP_KERNEL_GIVE_FRAMES] = op_give,
    [OP_KERNEL_COPY_STARTUP] = op_copy_startup,
    [OP_KERNEL_BIND_INTERRUPT] = stand_in_bind,
    [OP_KERNEL_ACK_INTERRUPT] = stand_in_ack,
    [OP_KERNEL_MASK_INTERRUPT] = stand_in_mask,
    [OP_KERNEL_READ_PCI_CONFIG_DWORD] = op_pci,
    [OP_KERNEL_IOPORT_READ8] = op_port_read,
    [OP_KERNEL_IOPORT_WRITE8] = op_port_write,
    [OP_KERNEL_READ_PROCESS_SLOT] = op_read_slot,
};

enum status stand_in_control(struct stand_in_call *call)
{
    uint16_t id = call->operation->id;
    bool known = id < OPERATION_LIMIT && operations[id] != NULL;
    return known ? operations[id](call) : STATUS_UNSUPPORTED;
}
