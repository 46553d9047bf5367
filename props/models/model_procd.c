/* SPDX-License-Identifier: ISC */
/* The predictive model of procd: one table, searched from front to back, and the rules of its
 * contract in the order in which a reader of the contract meets them. */
#include "props/models/model_procd_internal.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/limits.h"
#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "abi/messages/procd.h"
#include "abi/process.h"
#include "abi/roles.h"

void model_procd_reset(struct model_procd *model, uint64_t bootstrap_pages, uint64_t memory_pages,
                       model_procd_books *books,
                       enum status (*image_read)(uint64_t offset_bytes, uint32_t count,
                                                 void *bytes))
{
    memset(model->processes, 0, model->count * sizeof model->processes[0]);
    model_procd_settle(model);
    model->bound = model->exited = model->exits_alone = model->starved = false;
    model->count = model->wait_count = model->reply_count = 0;
    model->happened = 0;
    model->transfer.id = model->transfer.last_id = 0;
    model->notice_pause_ticks = 0;
    model->pace_ticks = model->top_pace_ticks = 0;
    model->evidence.named = false;
    model->evidence.count = 0;
    model->evidence.kept_count = 0;
    memset(model->evidence.told, 0, sizeof model->evidence.told);
    model->closes = 1;
    model->bootstrap_pages = bootstrap_pages;
    model->memory_pages = memory_pages;
    model->books = books;
    model->image_read = image_read;
}

/* What the sender may see (P7, P10). */
static struct model_procd_process *seen(const struct ask *ask, uint64_t id)
{
    struct model_procd_process *process = model_procd_entry(ask->model, id);
    if (process == NULL || process->transfer)
        return NULL;
    bool driver = role_find(process->role)->kind == ROLE_KIND_DRIVER;
    bool mine = ask->who == 0 || process->owner == ask->who;
    return driver == ask->on_driver && mine ? process : NULL;
}

/* --- requests --- */

static bool failed(const struct ask *ask)
{
    return ask->turn->failure.count != 0;
}

/* Why something is not done to what is not staged any more. */
static enum status too_late(const struct model_procd_process *process)
{
    bool lives = process != NULL &&
                 (process->life == MODEL_PROCD_RUNNING || process->life == MODEL_PROCD_RESTING);
    return lives ? STATUS_BUSY : STATUS_NOT_FOUND;
}

static bool is_staged(const struct model_procd_process *process)
{
    return process != NULL && process->life == MODEL_PROCD_STAGED;
}

/* What an earlier attempt at a mould left must go before another one is made: by a message of memd,
 * when it is refused nothing. A drop that is refused after that, to the new one, leaves an account. */
static enum status clear_mould(const struct ask *ask, struct model_procd_process *process)
{
    const struct model_procd_failure *failure = &ask->turn->failure;
    bool refused = failure->operation == OP_KERNEL_ABORT_STAGED_PROCESS ||
                   failure->operation == OP_KERNEL_DROP_LOCAL_CAP ||
                   failure->operation == OP_MEMD_CLOSE_ACCOUNT;
    struct model_procd_left left = ask->model->books(process->id);
    bool is_new = failure->operation == OP_KERNEL_DROP_LOCAL_CAP && left.mould.closes != 0;
    bool still = failed(ask) && refused && !is_new && model_procd_mould_is_left(&left);
    return process->mould_dirty && (process->mould_closes > 1 || still) ? STATUS_BUSY : STATUS_OK;
}

static enum status make_mould(const struct ask *ask, struct model_procd_process *process)
{
    enum status status = clear_mould(ask, process);
    if (status == STATUS_OK && failed(ask))
        status = ask->turn->failure.status;
    process->mould_closes = 0; /* what it was is gone, or seen in the books below */
    process->mould_dirty = false;
    if (status == STATUS_OK)
        status = model_procd_mould_account(ask->model, process->owner);
    struct model_procd_left left = ask->model->books(process->id);
    if (status == STATUS_OK)
        process->mould_closes = ask->model->closes;
    if (status != STATUS_OK && model_procd_mould_is_left(&left)) {
        process->mould_dirty = true;
        process->mould_closes = left.mould.closes;
        model_procd_stirs(ask->model, process);
    }
    return status;
}

static void start(const struct ask *ask, const struct procd_start_staged_process_request *request)
{
    struct model_procd_process *process = seen(ask, request->process_id);
    enum status status = too_late(process); /* P8 */
    if (is_staged(process) && process->policy.policy != RESTART_NEVER)
        status = make_mould(ask, process);
    else if (is_staged(process))
        status = failed(ask) ? ask->turn->failure.status : STATUS_OK;
    if (status == STATUS_OK) {
        process->life = MODEL_PROCD_RUNNING;
        process->argument = request->argument;
        process->lives = 1;
        process->ready_since = ask->now_ticks;
    }
    model_procd_reply(ask, status);
}

static void abort_staged(const struct ask *ask, uint64_t id)
{
    struct model_procd_process *process = seen(ask, id);
    enum status status = too_late(process);
    if (is_staged(process))
        status = failed(ask) ? ask->turn->failure.status : STATUS_OK;
    if (status == STATUS_OK) {
        process->secret = true;
        (void)model_procd_end(ask->model, process, END_KILLED, 0, 0);
    }
    model_procd_reply(ask, status);
}

/* Written a second time: 50 ticks before each life, 16 of them in a minute. */
static bool has_price(const struct procd_set_restart_policy_request *policy)
{
    bool slow = policy->base_delay_ticks >= 50 && policy->delay_cap_ticks >= 50;
    bool few = policy->window_ticks >= 60000 && policy->budget_count <= 16;
    return policy->policy == RESTART_NEVER || (slow && few);
}

static void set_policy(const struct ask *ask,
                       const struct procd_set_restart_policy_request *request)
{
    struct model_procd_process *process = seen(ask, request->process_id);
    enum status status = too_late(process);
    if (is_staged(process)) {
        bool too_much = request->critical != 0 && ask->who != 0;
        bool foundation = model_procd_is_foundation(process->role);
        status = too_much || foundation ? STATUS_DENIED : STATUS_OK;
        if (status == STATUS_OK && ask->who != 0 && !has_price(request))
            status = STATUS_OVER_LIMIT;
    }
    if (status == STATUS_OK)
        process->policy = *request;
    model_procd_reply(ask, status);
}

static void get_policy(const struct ask *ask, uint64_t id)
{
    const struct model_procd_process *process = seen(ask, id);
    struct model_procd_reply *out =
        model_procd_reply(ask, process == NULL ? STATUS_NOT_FOUND : STATUS_OK);
    if (process == NULL || out == NULL)
        return;
    const struct procd_set_restart_policy_request *policy = &process->policy;
    bool foundation = model_procd_is_foundation(process->role);
    out->policy = (struct procd_get_restart_policy_reply){
        policy->policy,
        foundation || policy->critical != 0,
        policy->base_delay_ticks,
        policy->delay_cap_ticks,
        policy->stable_after_ticks,
        policy->window_ticks,
        policy->ready_ticks,
        policy->budget_count,
        process->used,
    };
}

/* A process that was killed and not retired ends by its own event. */
static enum status stop_failed(const struct ask *ask, struct model_procd_process *process,
                               uint32_t code)
{
    const struct model_procd_failure *failure = &ask->turn->failure;
    if (failure->operation == OP_KERNEL_RETIRE_PROCESS && !process->died)
        model_procd_died(ask->model, process->id, END_KILLED, code, 0);
    else if (failure->operation == OP_KERNEL_KILL_PROCESS && process->died)
        return STATUS_OK; /* it could not have been killed anyway */
    return failure->status;
}

static void stop(const struct ask *ask, const struct procd_stop_process_request *request)
{
    struct model_procd *model = ask->model;
    struct model_procd_process *process = seen(ask, request->process_id);
    enum status status = STATUS_OK;
    if (process == NULL)
        status = STATUS_NOT_FOUND;
    else if (model_procd_lives(process) && model_procd_is_foundation(process->role) &&
             model_procd_others_are_left(model))
        status = STATUS_BUSY;
    else if (model_procd_lives(process) && failed(ask))
        status = stop_failed(ask, process, request->code);
    if (status == STATUS_OK)
        process->follows = false; /* P4 */
    if (status == STATUS_OK && process->life == MODEL_PROCD_RESTING) {
        (void)model_procd_end(model, process, END_KILLED, request->code, 0);
    } else if (status == STATUS_OK && model_procd_lives(process)) {
        if (process->died)
            (void)model_procd_end(model, process, process->reason, process->code,
                                  process->fault_va);
        else
            (void)model_procd_end(model, process, END_KILLED, request->code, 0);
    }
    model_procd_reply(ask, status);
}

static void late(const struct ask *ask, const struct model_procd_process *process)
{
    model_procd_answer_record(model_procd_reply(ask, STATUS_OK),
                              process); /* P3: as good as early */
    model_procd_notices_told(ask->model, ask->who, process->id);
}

static void wait(const struct ask *ask, const struct procd_wait_process_event_request *request)
{
    const struct model_procd_process *process = seen(ask, request->process_id);
    if (process == NULL)
        model_procd_reply(ask, STATUS_NOT_FOUND);
    else if (process->life == MODEL_PROCD_ENDED)
        late(ask, process);
    else if (request->deadline_ticks <= ask->now_ticks)
        model_procd_reply(ask, STATUS_TIMED_OUT);
    else
        model_procd_wait(ask->model, &(struct model_procd_wait){
                                         .who = ask->who,
                                         .id = request->process_id,
                                         .deadline_ticks = request->deadline_ticks,
                                         .request_id = ask->message->header.request_id,
                                         .reply_slot = ask->turn->reply_slot,
                                     });
}

static void query(const struct ask *ask, uint64_t id)
{
    const struct model_procd_process *process = seen(ask, id);
    struct model_procd_reply *out =
        model_procd_reply(ask, process == NULL ? STATUS_NOT_FOUND : STATUS_OK);
    if (process == NULL)
        return;
    model_procd_notices_told(ask->model, ask->who, id);
    if (out != NULL)
        model_procd_tell(out, process);
}

/* In the place of what was there. */
static void set_notice(const struct ask *ask)
{
    enum status status = failed(ask) ? ask->turn->failure.status : STATUS_OK;
    if (status == STATUS_OK)
        model_procd_entry(ask->model, ask->who)->notice = ask->turn->object;
    struct model_procd_reply *out = model_procd_reply(ask, status);
    if (out != NULL)
        out->id = ask->who;
}

/* What an inspector asks, about anybody. */
static void inspect(const struct ask *ask, const void *body)
{
    struct model_procd_inspected told;
    enum status status =
        model_procd_inspect(ask->model, ask->message->header.operation, body, &told);
    if (ask->turn->failure.count != 0)
        status = ask->turn->failure.status;
    struct model_procd_reply *out = model_procd_reply(ask, status);
    if (out != NULL)
        out->inspected = told;
}

/* What is given to procd once, when that may be. */
static void bind(const struct ask *ask, bool may, bool *bound)
{
    enum status status = STATUS_OK;
    if (*bound || !may)
        status = STATUS_BUSY;
    else if (failed(ask))
        status = ask->turn->failure.status;
    if (status == STATUS_OK)
        *bound = true;
    model_procd_reply(ask, status);
}

/* A badge is the id of a process that lives, and its role (P10). */
static bool is_client(const struct ask *ask, uint64_t badge)
{
    const struct model_procd_process *client = model_procd_find(ask->model, badge >> 16);
    return client != NULL && model_procd_lives(client) && !client->transfer &&
           client->role == (badge & 0xFFFF);
}

/* Written a second time. */
static bool inspects(uint64_t role)
{
    return role == ROLE_CONSOLE || role == ROLE_TEST_OPERATOR;
}

/* Who may send what, where: every operation of procd in one list. OK, DENIED, or the answer that
 * needs no state. */
static enum status authorise(const struct ask *ask)
{
    uint64_t badge = ask->message->header.badge;
    bool admin = badge == 0;
    bool client = is_client(ask, badge);
    uint16_t id = ask->message->header.operation;
    switch (id) {
    case OP_PROCD_SPAWN:
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
    case OP_PROCD_BIND_NAMED:
        return admin && !ask->on_driver ? STATUS_OK : STATUS_DENIED;
    case OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_SEND_LOADER_IMAGE_CHUNK:
    case OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER:
        return client && (badge & 0xFFFF) == ROLE_LOADERD && !ask->on_driver ? STATUS_OK
                                                                             : STATUS_DENIED;
    case OP_PROCD_LIST_PROCESSES:
    case OP_PROCD_READ_SLOT:
        return client && inspects(badge & 0xFFFF) && !ask->on_driver ? STATUS_OK : STATUS_DENIED;
    case OP_PROCD_SET_NOTICE:
        return client ? STATUS_OK : STATUS_DENIED;
    case OP_PROCD_SET_RESTART_POLICY:
    case OP_PROCD_GET_RESTART_POLICY:
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
    struct model_procd_order order = {.role = request->role,
                                      .offset = request->image_offset,
                                      .bytes = request->image_bytes,
                                      .argument = request->argument,
                                      .starts = true};
    if (request->role < ROLE_EXTENSION_BASE)
        model_procd_reply(ask, STATUS_DENIED);
    else if (request->image_slot != SLOT_IMAGE)
        model_procd_reply(ask, STATUS_INVALID_ARGUMENT);
    else
        model_procd_make(ask, &order);
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
        model_procd_make(ask, &(struct model_procd_order){
                                  .role = service->role,
                                  .offset = service->image_offset,
                                  .bytes = service->image_bytes,
                                  .argument = service->argument,
                                  .starts = true,
                                  .limits = {service->page_limit, service->budget_pages, 0, 0}});
        return;
    case OP_PROCD_CREATE_STAGED_PROCESS:
        model_procd_make(
            ask, &(struct model_procd_order){.role = staged->role,
                                             .offset = staged->image_offset,
                                             .bytes = staged->image_bytes,
                                             .limits = {staged->page_limit, staged->budget_pages,
                                                        staged->child_limit, staged->child_pages},
                                             .data_offset = staged->data_offset,
                                             .data_bytes = staged->data_bytes});
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
    case OP_PROCD_SET_RESTART_POLICY:
        set_policy(ask, body);
        return;
    case OP_PROCD_GET_RESTART_POLICY:
        get_policy(ask, by_id->process_id);
        return;
    case OP_PROCD_SET_NOTICE:
        set_notice(ask);
        return;
    case OP_PROCD_LIST_PROCESSES:
    case OP_PROCD_READ_SLOT:
        inspect(ask, body);
        return;
    case OP_PROCD_BEGIN_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_SEND_LOADER_IMAGE_CHUNK:
    case OP_PROCD_COMMIT_LOADER_IMAGE_TRANSFER:
    case OP_PROCD_ABORT_LOADER_IMAGE_TRANSFER:
        model_procd_transfer(ask, body);
        return;
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
        bind(ask, model_procd_foundation_runs(ask->model), &ask->model->bound);
        return;
    case OP_PROCD_BIND_NAMED:
        bind(ask, ask->model->bound, &ask->model->evidence.named);
        return;
    }
    MODEL_KNOWS_NOT(id);
}

/* The request's own part in what goes out. */
static struct model_procd_answer own_answer(const struct model_procd *model,
                                            const struct model_procd_turn *turn)
{
    const struct message_header *header = &turn->message->header;
    for (uint32_t i = 0; i < model->reply_count; i++) {
        const struct model_procd_reply *own = &model->replies[i];
        if (own->request_id == header->request_id)
            return (struct model_procd_answer){
                .status = own->status,
                .made_id = header->operation != OP_PROCD_WAIT_PROCESS_EVENT ? own->id : 0,
            };
    }
    bool lost = turn->failure.reply != STATUS_OK;
    return (struct model_procd_answer){.lost = lost, .later = !lost};
}

static void take_request(struct model_procd *model, const struct model_procd_turn *turn,
                         uint64_t now_ticks)
{
    const struct message *message = turn->message;
    struct ask ask = {model,     turn,           message, message->header.badge >> 16,
                      now_ticks, turn->on_driver};
    const struct operation *row = operation_find(SERVICE_PROCD, message->header.operation);
    uint64_t body[MESSAGE_BODY_BYTES_MAX / 8];
    enum status status = STATUS_INVALID_ARGUMENT;
    if (row != NULL &&
        (row->id == OP_PROCD_ADOPT_PROCESS || row->id == OP_PROCD_LAUNCH_LOADED_IMAGE))
        status = STATUS_DENIED;
    else if (row != NULL)
        status = message_decode(row->request, message, body);
    if (status == STATUS_OK)
        status = authorise(&ask);
    if (status != STATUS_OK)
        model_procd_reply(&ask, status);
    else
        perform(&ask, body);
}

/* procd is told of the end of a process. */
static void take_event(struct model_procd *model, uint64_t id)
{
    struct model_procd_process *process = model_procd_entry(model, id);
    if (process == NULL || process->life != MODEL_PROCD_RUNNING)
        return; /* something else ended it meanwhile */
    if (model_procd_is_foundation(process->role))
        model->exited = true; /* P8 */
    else
        model_procd_life_over(model, process, false, process->reason, process->code,
                              process->fault_va);
}

/* One message of either endpoint, with what is due before it. */
static void take_message(struct model_procd *model, const struct model_procd_turn *turn,
                         uint64_t now_ticks)
{
    model->now_ticks = now_ticks;
    model_procd_waits_noticed(model, turn->reply_slot);
    model_procd_waits_due(model, now_ticks);
    if (turn->message != NULL)
        take_request(model, turn, now_ticks);
    else
        take_event(model, turn->ended_id);
}

struct model_procd_answer model_procd_turn(struct model_procd *model,
                                           const struct model_procd_turn *turn)
{
    bool comes = turn->message != NULL || turn->ended_id != 0;
    model_procd_settle(model);
    model->reply_count = 0;
    model->now_ticks = turn->now_ticks;
    model->again = turn->again;
    model->restarted = 0;
    model->asked_id = 0;
    if (comes && !turn->on_driver)
        take_message(model, turn, turn->now_ticks);
    if (!model->exited) {
        model->now_ticks = turn->now_ticks;
        model_procd_waits_due(model, turn->now_ticks);
        model_procd_sweep(model);
    }
    if (comes && turn->on_driver && !model->exited)
        take_message(model, turn, turn->driver_ticks);
    else if (!model->exited)
        model_procd_ask(model, turn->driver_ticks);
    if (turn->message == NULL)
        return (struct model_procd_answer){0};
    return own_answer(model, turn);
}
