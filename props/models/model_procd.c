/* SPDX-License-Identifier: ISC */
/* The predictive model of procd: one table, searched from front to back, and the rules of its
 * contract in the order in which a reader of the contract meets them. */
#include "props/models/model_procd_internal.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/messages/procd.h"
#include "abi/process.h"
#include "abi/roles.h"

/* One request on its way through the model. */
struct ask {
    struct model_procd *model;
    const struct model_failure *failure;
    const struct message *message;
    uint64_t badge;
    uint64_t now_ticks;
    bool on_driver;
};

/* What the sender may see (P7). */
static struct model_procd_process *seen(const struct ask *ask, uint64_t id)
{
    struct model_procd_process *process = model_procd_entry(ask->model, id);
    if (process == NULL)
        return NULL;
    bool driver = role_find(process->role)->kind == ROLE_KIND_DRIVER;
    bool mine = ask->badge == 0 || process->owner == ask->badge;
    return driver == ask->on_driver && mine ? process : NULL;
}

/* The reply to the request itself; null when it is lost on its way. */
static struct model_procd_reply *reply(const struct ask *ask, enum status status)
{
    if (ask->failure->reply == STATUS_NOT_FOUND)
        return NULL;
    return model_procd_answer_add(ask->model, ask->message->header.request_id,
                                  ask->message->header.operation, status);
}

/* --- making --- */

struct order {
    uint32_t role;
    uint64_t offset, bytes, argument;
    bool starts;
};

/* Where the next process goes: a fresh place, or that of the oldest record. */
static struct model_procd_process *next_place(struct model_procd *model, uint64_t *id)
{
    if (model->count < MODEL_PROCD_PROCESSES) {
        *id = model->count + 1;
        return &model->processes[model->count];
    }
    struct model_procd_process *oldest = NULL;
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_procd_process *process = &model->processes[i];
        if (!model_procd_lives(process) &&
            (oldest == NULL || process->ended_turn < oldest->ended_turn))
            oldest = process;
    }
    if (oldest != NULL)
        *id = oldest->id + (UINT64_C(1) << 16);
    return oldest;
}

static enum status allowed(const struct ask *ask, const struct order *order)
{
    const struct model_procd *model = ask->model;
    const struct role *role = role_find(order->role);
    unsigned rows = 0;
    if (role == NULL)
        return STATUS_NOT_FOUND;
    if ((role->kind == ROLE_KIND_DRIVER) != ask->on_driver ||
        (ask->badge >= ROLE_EXTENSION_BASE && role->id < ROLE_EXTENSION_BASE))
        return STATUS_DENIED; /* P7 */
    if (role->kind == ROLE_KIND_FOUNDATION) {
        if (!model_procd_is_foundation(role->id) || ask->badge != 0 || model->bound)
            return STATUS_DENIED;
        if (model_procd_role_lives(model, role->id, false))
            return STATUS_BUSY;
    } else if (!model->bound || !model_procd_foundation_runs(model)) {
        return STATUS_BUSY;
    }
    return order->starts && role_intake(role->id, &rows) ? STATUS_INVALID_ARGUMENT : STATUS_OK;
}

/* Of its writable segments, and of its tables. */
static uint32_t private_pages(const struct role *role, const struct elf_plan *plan)
{
    uint64_t pages = role_table_pages(role->id, MODEL_PROCD_MEMORY_PAGES);
    for (uint32_t i = 0; i < plan->segment_count; i++)
        pages += (plan->segments[i].rights & RIGHT_WRITE) != 0 ? plan->segments[i].pages : 0;
    return pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
}

/* Pays for it, when there is enough. */
static enum status pay(struct model_procd *model, const struct role *role, uint32_t pages)
{
    uint64_t *pool = model->bound ? &model->memory_free_pages : &model->bootstrap_free_pages;
    uint64_t price = model_procd_budget(role->id) + (model->bound ? 0 : (uint64_t)pages);
    if (*pool < price)
        return STATUS_EXHAUSTED;
    *pool -= price;
    return STATUS_OK;
}

static void create(const struct ask *ask, const struct order *order)
{
    struct model_procd *model = ask->model;
    struct elf_plan plan;
    uint64_t id = 0;
    struct model_procd_process *place = next_place(model, &id);
    enum status status = allowed(ask, order);
    if (status == STATUS_OK && place == NULL)
        status = STATUS_EXHAUSTED; /* E6 */
    if (status == STATUS_OK)
        status = model_procd_plan(model, order->role, order->offset, order->bytes, &plan);
    if (ask->failure->count != 0)
        status = ask->failure->status; /* E4: and nothing else */
    else if (status == STATUS_OK && ask->failure->reply != STATUS_OK)
        status = ask->failure->reply;
    else if (status == STATUS_OK)
        status = pay(model, role_find(order->role), private_pages(role_find(order->role), &plan));
    struct model_procd_reply *out = reply(ask, status);
    if (status != STATUS_OK || out == NULL)
        return;
    if (place == &model->processes[model->count])
        model->count++;
    model->live++;
    *place = (struct model_procd_process){
        .id = id,
        .owner = ask->badge,
        .role = order->role,
        .life = order->starts ? MODEL_PROCD_RUNNING : MODEL_PROCD_STAGED,
        .image_offset = order->offset,
        .image_bytes = order->bytes,
        .argument = order->argument,
        .private_pages = private_pages(role_find(order->role), &plan),
    };
    out->id = id;
}

/* --- requests --- */

static void start(const struct ask *ask, const struct procd_start_staged_process_request *request)
{
    struct model_procd_process *process = seen(ask, request->process_id);
    enum status status = STATUS_NOT_FOUND;
    if (process != NULL && process->life == MODEL_PROCD_STAGED)
        status = ask->failure->count != 0 ? ask->failure->status : STATUS_OK;
    else if (process != NULL && process->life == MODEL_PROCD_RUNNING)
        status = STATUS_BUSY; /* P8 */
    if (status == STATUS_OK) {
        process->life = MODEL_PROCD_RUNNING;
        process->argument = request->argument;
    }
    reply(ask, status);
}

static void abort_staged(const struct ask *ask, uint64_t id)
{
    struct model_procd_process *process = seen(ask, id);
    enum status status = STATUS_NOT_FOUND;
    if (process != NULL && process->life == MODEL_PROCD_STAGED)
        status = ask->failure->count != 0 ? ask->failure->status : STATUS_OK;
    else if (process != NULL && process->life == MODEL_PROCD_RUNNING)
        status = STATUS_BUSY;
    if (status == STATUS_OK)
        model_procd_end(ask->model, process, END_KILLED, 0, 0);
    reply(ask, status);
}

static void stop(const struct ask *ask, const struct procd_stop_process_request *request)
{
    struct model_procd *model = ask->model;
    struct model_procd_process *process = seen(ask, request->process_id);
    enum status status = STATUS_OK;
    if (process == NULL)
        status = STATUS_NOT_FOUND;
    else if (model_procd_lives(process) && model_procd_is_foundation(process->role) &&
             model_procd_others_live(model))
        status = STATUS_BUSY;
    else if (ask->failure->count != 0 && model_procd_lives(process) && !process->died)
        status = ask->failure->status;
    if (status != STATUS_OK || !model_procd_lives(process)) {
        reply(ask, status);
        return;
    }
    bool ran = process->life == MODEL_PROCD_RUNNING;
    if (process->died)
        model_procd_end(model, process, process->reason, process->code, process->fault_va);
    else
        model_procd_end(model, process, END_KILLED, request->code, 0);
    if (ran)
        model_procd_bury(model, process->role);
    reply(ask, STATUS_OK);
}

static void wait(const struct ask *ask, const struct procd_wait_process_event_request *request)
{
    struct model_procd *model = ask->model;
    const struct model_procd_process *process = seen(ask, request->process_id);
    bool waits =
        process != NULL && model_procd_lives(process) && request->deadline_ticks > ask->now_ticks;
    if (waits && model->waiter_count == MODEL_PROCD_WAITERS)
        model_procd_drop_waits(model, true, 0);
    if (process == NULL) {
        reply(ask, STATUS_NOT_FOUND);
    } else if (!model_procd_lives(process)) {
        model_procd_answer_record(reply(ask, STATUS_OK),
                                  process); /* P3: late is as good as early */
    } else if (!waits) {
        reply(ask, STATUS_TIMED_OUT);
    } else if (model->waiter_count == MODEL_PROCD_WAITERS) {
        reply(ask, STATUS_EXHAUSTED);
    } else {
        model->waiters[model->waiter_count++] = (struct model_procd_wait){
            .id = request->process_id,
            .deadline_ticks = request->deadline_ticks,
            .request_id = ask->message->header.request_id,
            .badge = ask->badge,
        };
    }
}

static void query(const struct ask *ask, uint64_t id)
{
    const struct model_procd_process *process = seen(ask, id);
    struct model_procd_reply *out = reply(ask, process == NULL ? STATUS_NOT_FOUND : STATUS_OK);
    if (process == NULL || out == NULL)
        return;
    out->role = process->role;
    out->state = process->life == MODEL_PROCD_STAGED    ? PROCESS_STAGED
                 : process->life == MODEL_PROCD_RUNNING ? PROCESS_RUNNING
                                                        : PROCESS_ENDED;
    if (!model_procd_lives(process)) {
        out->reason = process->reason;
        out->code = process->code;
    }
}

static void bind(const struct ask *ask)
{
    struct model_procd *model = ask->model;
    enum status status = STATUS_OK;
    if (model->bound || !model_procd_foundation_runs(model))
        status = STATUS_BUSY;
    else if (ask->failure->count != 0)
        status = ask->failure->status;
    if (status == STATUS_OK)
        model->bound = true;
    reply(ask, status);
}

/* Who may send what, where: every operation of procd in one list. OK, DENIED, or the answer that
 * needs no state. */
static enum status authorise(const struct ask *ask)
{
    bool admin = ask->badge == 0;
    bool client = ask->badge <= ROLE_ID_MAX && role_find((uint32_t)ask->badge) != NULL;
    uint16_t id = ask->message->header.operation;
    switch (id) {
    case OP_PROCD_SPAWN:
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
        return admin && !ask->on_driver ? STATUS_OK : STATUS_DENIED;
    case OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_SEND_LOADER_IMAGE_CHUNK:
    case OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER:
        return ask->badge == ROLE_LOADERD && !ask->on_driver ? STATUS_UNSUPPORTED : STATUS_DENIED;
    case OP_PROCD_SET_RESTART_POLICY:
    case OP_PROCD_GET_RESTART_POLICY:
        return admin || client ? STATUS_UNSUPPORTED : STATUS_DENIED;
    case OP_PROCD_SPAWN_SERVICE:
    case OP_PROCD_CREATE_STAGED_PROCESS:
    case OP_PROCD_START_STAGED_PROCESS:
    case OP_PROCD_ABORT_STAGED_PROCESS:
    case OP_PROCD_STOP_PROCESS:
    case OP_PROCD_WAIT_PROCESS_EVENT:
    case OP_PROCD_QUERY_PROCESS:
        return admin || client ? STATUS_OK : STATUS_DENIED;
    }
    MODEL_KNOWS_NOT(id);
}

static void spawn(const struct ask *ask, const struct procd_spawn_request *request)
{
    struct order order = {request->role, request->image_offset, request->image_bytes,
                          request->argument, true};
    if (request->role < ROLE_EXTENSION_BASE)
        reply(ask, STATUS_DENIED);
    else if (request->image_slot != SLOT_IMAGE)
        reply(ask, STATUS_INVALID_ARGUMENT);
    else
        create(ask, &order);
}

/* An operation that needs state. */
static void perform(const struct ask *ask, const void *body)
{
    const struct procd_create_staged_process_request *staged = body;
    const struct procd_spawn_service_request *service = body;
    const struct procd_abort_staged_process_request *by_id = body;
    uint16_t id = ask->message->header.operation;
    switch (id) {
    case OP_PROCD_SPAWN:
        spawn(ask, body);
        return;
    case OP_PROCD_SPAWN_SERVICE:
        create(ask, &(struct order){service->role, service->image_offset, service->image_bytes,
                                    service->argument, true});
        return;
    case OP_PROCD_CREATE_STAGED_PROCESS:
        create(ask,
               &(struct order){staged->role, staged->image_offset, staged->image_bytes, 0, false});
        return;
    case OP_PROCD_START_STAGED_PROCESS:
        start(ask, body);
        return;
    case OP_PROCD_ABORT_STAGED_PROCESS:
        abort_staged(ask, by_id->process_id);
        return;
    case OP_PROCD_STOP_PROCESS:
        stop(ask, body);
        return;
    case OP_PROCD_WAIT_PROCESS_EVENT:
        wait(ask, body);
        return;
    case OP_PROCD_QUERY_PROCESS:
        query(ask, by_id->process_id);
        return;
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
        bind(ask);
        return;
    }
    MODEL_KNOWS_NOT(id);
}

/* The request's own part in what goes out. */
static struct model_procd_answer own_answer(const struct ask *ask, uint32_t waiters_before,
                                            uint32_t live_before)
{
    const struct model_procd *model = ask->model;
    for (uint32_t i = 0; i < model->reply_count; i++) {
        const struct model_procd_reply *own = &model->replies[i];
        if (own->request_id == ask->message->header.request_id)
            return (struct model_procd_answer){
                .status = own->status,
                .made_id = model->live > live_before && own->status == STATUS_OK ? own->id : 0,
            };
    }
    bool lost = ask->failure->reply != STATUS_OK || model->waiter_count < waiters_before;
    return (struct model_procd_answer){.lost = lost, .later = !lost};
}

struct model_procd_answer model_procd_step(struct model_procd *model,
                                           const struct model_procd_request *request,
                                           const struct model_failure *failure)
{
    const struct message *message = request->message;
    struct ask ask = {
        model, failure, message, message->header.badge, request->now_ticks, request->on_driver};
    const struct operation *row = operation_find(SERVICE_PROCD, message->header.operation);
    uint64_t body[MESSAGE_BODY_BYTES_MAX / 8];
    uint32_t waiters_before = model->waiter_count;
    uint32_t live_before = model->live;
    model->reply_count = 0;
    model_procd_drop_waits(model, false, request->now_ticks);
    enum status status = STATUS_INVALID_ARGUMENT;
    if (row != NULL &&
        (row->id == OP_PROCD_ADOPT_PROCESS || row->id == OP_PROCD_LAUNCH_LOADED_IMAGE))
        status = STATUS_DENIED;
    else if (row != NULL)
        status = message_decode(row->request, message, body);
    if (status == STATUS_OK)
        status = authorise(&ask);
    if (status != STATUS_OK)
        reply(&ask, status);
    else
        perform(&ask, body);
    return own_answer(&ask, waiters_before, live_before);
}
