/* SPDX-License-Identifier: ISC */
/* The part of procd's model that is about making processes: who may have one made, what it costs, and
 * what is left of one that was not made. */
#include "props/models/model_procd_internal.h"

#include <string.h>

struct model_procd_reply *model_procd_reply(const struct ask *ask, enum status status)
{
    if (ask->turn->failure.reply == STATUS_NOT_FOUND)
        return NULL;
    return model_procd_answer_add(ask->model, ask->message->header.request_id,
                                  ask->message->header.operation, status);
}

/* How urgent processes of a role are: 0 is the foundation's band, 3 that of the programs. Written a
 * second time. */
static unsigned band(const struct role *role)
{
    if (role->kind == ROLE_KIND_FOUNDATION)
        return 0;
    return (role->rank >= 50) + (role->rank >= 100) + (role->rank >= 200);
}

/* A client makes drivers, or extensions, or nothing, as its role says; none above itself (K7). */
static bool makes(const struct ask *ask, const struct role *role)
{
    const struct model_procd_process *client = model_procd_find(ask->model, ask->who);
    if (client == NULL)
        return true;
    const struct role *maker = role_find(client->role);
    uint32_t kinds = maker->makes;
    if (band(role) < band(maker))
        return false;
    return (role->kind == ROLE_KIND_DRIVER && (kinds & MAKES_DRIVERS) != 0) ||
           (role->kind == ROLE_KIND_EXTENSION && (kinds & MAKES_EXTENSIONS) != 0);
}

static enum status allowed(const struct ask *ask, const struct model_procd_order *order)
{
    const struct model_procd *model = ask->model;
    const struct role *role = role_find(order->role);
    unsigned rows = 0;
    if (role == NULL)
        return STATUS_NOT_FOUND;
    if ((role->kind == ROLE_KIND_DRIVER) != ask->on_driver || !makes(ask, role))
        return STATUS_DENIED; /* P7 */
    if ((order->loaded == NULL) != (role->id != ROLE_LOADED_PROGRAM))
        return STATUS_DENIED; /* P6: by a transfer, and nothing else by one */
    if (role->kind == ROLE_KIND_FOUNDATION) {
        if (!model_procd_is_foundation(role->id) || model->bound)
            return STATUS_DENIED;
        if (model_procd_role_lives(model, role->id, false))
            return STATUS_BUSY;
    } else if (!model->bound || !model_procd_foundation_runs(model)) {
        return STATUS_BUSY;
    }
    if (order->starts && role_intake(role->id, &rows))
        return STATUS_INVALID_ARGUMENT;
    if (ask->who != 0 && (order->data_offset != 0 || order->data_bytes != 0))
        return STATUS_DENIED; /* P7 */
    if (order->data_bytes == 0 ? order->data_offset != 0 || role->id == ROLE_IMAGEFSD
                               : role->id != ROLE_IMAGEFSD)
        return STATUS_INVALID_ARGUMENT;
    return model_procd_limits(role, &order->limits);
}

uint64_t model_procd_bootstrap_free(const struct model_procd *model)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_procd_process *process = &model->processes[i];
        if (model_procd_is_foundation(process->role) &&
            (model_procd_lives(process) || process->life == MODEL_PROCD_ENDING))
            used += model_procd_budget(process->role) + process->private_pages;
    }
    return model->bootstrap_pages - used;
}

/* Whether there is enough to pay for it. */
static enum status pay(const struct ask *ask, const struct role *role, uint32_t pages)
{
    const struct model_procd *model = ask->model;
    if (model->bound)
        return model_procd_account(model, ask->who, role);
    uint64_t price = model_procd_budget(role->id) + pages;
    return model_procd_bootstrap_free(model) < price ? STATUS_EXHAUSTED : STATUS_OK;
}

/* What came of it was taken back, but for what was refused. */
static void unmake(const struct ask *ask, struct model_procd_process *place, uint64_t id,
                   uint32_t role)
{
    struct model_procd_left left = ask->model->books(id);
    if (left.other || left.closes != 0)
        model_procd_owe(ask->model, place, id, role, ask->who);
}

static enum status plan_of(const struct model_procd *model, const struct role *role,
                           const struct model_procd_order *order, struct elf_plan *plan)
{
    if (order->loaded == NULL)
        return model_procd_plan(model, role,
                                &(struct model_procd_files){order->offset, order->bytes,
                                                            order->data_offset, order->data_bytes},
                                plan);
    enum status status = model_procd_loaded(order->loaded, plan);
    return status == STATUS_OK ? model_procd_space(role, plan) : status;
}

uint64_t model_procd_make(const struct ask *ask, const struct model_procd_order *order)
{
    struct model_procd *model = ask->model;
    const struct model_procd_failure *failure = &ask->turn->failure;
    struct elf_plan plan;
    uint64_t id = 0;
    struct model_procd_process *place = NULL;
    enum status status = allowed(ask, order);
    const struct role *role = role_find(order->role);
    struct role lowered = {0};
    if (status == STATUS_OK) {
        lowered = model_procd_role(order->role, &order->limits);
        place = model_procd_next(model, ask->who, &lowered, &id, &status);
    }
    if (status == STATUS_EXHAUSTED && ask->who != 0 && place == NULL && !model_procd_works(model))
        model->starved = true; /* P11 */
    if (status == STATUS_OK)
        status = plan_of(model, &lowered, order, &plan);
    bool tried = status == STATUS_OK;
    if (failure->count != 0)
        status = failure->status; /* E4: and nothing else */
    else if (status == STATUS_OK && failure->reply != STATUS_OK)
        status = failure->reply;
    else if (status == STATUS_OK)
        status = pay(ask, &lowered, model_procd_private_pages(role, &plan));
    struct model_procd_reply *out = model_procd_reply(ask, status);
    if (status != STATUS_OK || out == NULL) {
        if (tried)
            unmake(ask, place, id, order->role);
        return 0;
    }
    model_procd_make_room(model, ask->who, &lowered);
    if (place == &model->processes[model->count])
        model->count++;
    *place = (struct model_procd_process){
        .id = id,
        .owner = ask->who,
        .role = order->role,
        .limits = order->limits,
        .child_limit = lowered.child_limit,
        .set_aside_pages = role_account_guarantee(&lowered),
        .life = order->starts ? MODEL_PROCD_RUNNING : MODEL_PROCD_STAGED,
        .made = ++model->happened,
        .closes = role->kind == ROLE_KIND_FOUNDATION ? 0 : model->closes,
        .lives = order->starts,
        .ready_since = order->starts ? ask->now_ticks : 0,
        .image_offset = order->offset,
        .image_bytes = order->bytes,
        .data_offset = order->data_offset,
        .data_bytes = order->data_bytes,
        .argument = order->argument,
        .private_pages = model_procd_private_pages(role, &plan),
        .loaded = order->loaded != NULL,
        .transfer = order->loaded != NULL,
        .secret = order->loaded != NULL,
    };
    out->id = id;
    return id;
}
