/* SPDX-License-Identifier: ISC */
/* deviced's operations, and whose turn it is. Decides which drivers there are and whether one is started
 * or stopped; never starts one by itself (D1). */
#include "services/deviced/deviced.h"

#include <stddef.h>
#include <string.h>

#include "services/deviced/internal.h"
#include "services/lib/call_procd.h"
#include "services/lib/discovery.h"

/* --- bindings --------------------------------------------------------------------------------- */

static struct deviced_driver *find(struct deviced *deviced, uint32_t role)
{
    for (uint32_t i = 0; i < deviced->driver_count; i++) {
        if (deviced->drivers[i].role == role)
            return &deviced->drivers[i];
    }
    return NULL;
}

enum status deviced_seed_binding(struct deviced *deviced, struct deviced_request *request)
{
    const struct deviced_seed_binding_request *body = &request->body.seed_binding;
    const struct role *role = role_find(body->role);
    struct deviced_install installs[DEVICED_INSTALL_LIMIT];
    uint32_t named_slot = deviced_slot(deviced->driver_count, DEVICED_SLOT_NAMED);
    uint32_t count;
    if (deviced->is_sealed != 0)
        return STATUS_DENIED;
    if (role == NULL || role->kind != ROLE_KIND_DRIVER ||
        role_holds_peer(role, ROLE_NAMED) != (body->named_slot != SLOT_NULL))
        return STATUS_INVALID_ARGUMENT;
    enum status status = deviced_plan(role, named_slot, installs, &count);
    if (status != STATUS_OK)
        return status;
    struct process_limits limits = {.page_limit = body->page_limit,
                                    .budget_pages = body->budget_pages};
    status = role_limits_check(role, &limits);
    if (status != STATUS_OK)
        return status;
    if (find(deviced, body->role) != NULL)
        return STATUS_DUPLICATE;
    UNIT_ASSERT(deviced->driver_count < DEVICED_DRIVER_LIMIT); /* one for each role of the table */
    if (body->named_slot != SLOT_NULL)
        status = kernel_move_local_cap(&deviced->caller, body->named_slot, named_slot);
    if (status != STATUS_OK)
        return status;
    deviced->drivers[deviced->driver_count++] = (struct deviced_driver){
        .role = body->role,
        .image_offset = body->image_offset,
        .image_bytes = body->image_bytes,
        .page_limit = body->page_limit,
        .budget_pages = body->budget_pages,
        .ready_ticks = body->ready_ticks,
    };
    return STATUS_OK;
}

enum status deviced_seal(struct deviced *deviced, struct deviced_request *request)
{
    deviced->is_sealed = 1;
    request->reply.seal.binding_count = deviced->driver_count;
    return STATUS_OK;
}

/* --- drivers ---------------------------------------------------------------------------------- */

enum status deviced_start_driver(struct deviced *deviced, struct deviced_request *request)
{
    struct deviced_driver *driver = find(deviced, request->body.start_driver.role);
    if (driver == NULL)
        return STATUS_NOT_FOUND;
    if (driver->state == DRIVER_READY || driver->work != DEVICED_IDLE)
        return STATUS_BUSY;
    driver->state = DRIVER_STARTING;
    driver->work = DEVICED_STAGE;
    driver->process_id = 0;
    driver->cause = STATUS_OK;
    driver->reason = END_NONE;
    driver->code = 0;
    return STATUS_OK;
}

enum status deviced_stop_driver(struct deviced *deviced, struct deviced_request *request)
{
    struct deviced_driver *driver = find(deviced, request->body.stop_driver.role);
    if (driver == NULL)
        return STATUS_NOT_FOUND;
    if (driver->state != DRIVER_STARTING && driver->state != DRIVER_READY)
        return STATUS_OK;
    driver->state = DRIVER_STOPPED;
    driver->work = DEVICED_RELEASE;
    driver->retry_ticks = 0;
    return STATUS_OK;
}

/* What procd says of one that is READY: it still is, or is between two lives, or has ended for good.
 * A record that is gone is of a process that has ended. */
static enum status look(struct deviced *deviced, struct deviced_driver *driver, uint32_t *state)
{
    struct procd_query_process_request request = {.process_id = driver->process_id};
    struct procd_query_process_reply reply;
    enum status status = procd_call_query_process(
        &deviced->caller, SLOT_PROCD_DRIVER_ENDPOINT, NO_WINDOW,
        caller_deadline(&deviced->caller, DEVICED_CALL_TICKS), &request, &reply);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (status == STATUS_OK && reply.state != PROCESS_ENDED && reply.state != PROCESS_PARKED) {
        *state = reply.state == PROCESS_RESTARTING ? DRIVER_RESTARTING : DRIVER_READY;
        return STATUS_OK;
    }
    *state = driver->state = DRIVER_ENDED;
    driver->work = DEVICED_RELEASE;
    driver->retry_ticks = 0;
    driver->reason = reply.reason;
    driver->code = reply.code;
    return STATUS_OK;
}

enum status deviced_read_driver(struct deviced *deviced, struct deviced_request *request)
{
    struct deviced_driver *driver = find(deviced, request->body.read_driver.role);
    if (driver == NULL)
        return STATUS_NOT_FOUND;
    uint32_t state = driver->state;
    enum status status = state == DRIVER_READY ? look(deviced, driver, &state) : STATUS_OK;
    request->reply.read_driver = (struct deviced_read_driver_reply){
        .state = state,
        .cause = driver->cause,
        .reason = driver->reason,
        .code = driver->code,
        .process_id = driver->process_id,
    };
    return status;
}

/* --- one message ------------------------------------------------------------------------------ */

#define SERVICE       deviced
#define SERVICE_TABLE "abi/messages/deviced.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct deviced_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    return badge == 0 ? FROM_ADMIN : badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled deviced_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct deviced *deviced = state;
    struct deviced_request request; /* the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &deviced->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, deviced, &request.common);
}

/* --- turns ------------------------------------------------------------------------------------ */

static bool is_due(const struct deviced_driver *driver, uint64_t now_ticks)
{
    return driver->work != DEVICED_IDLE &&
           (driver->work != DEVICED_RELEASE || driver->retry_ticks <= now_ticks);
}

/* Drivers in turns (D2). */
void deviced_tick(struct deviced *deviced, uint64_t now_ticks)
{
    caller_see_clock(&deviced->caller, now_ticks);
    for (uint32_t i = 0; i < deviced->driver_count; i++) {
        uint32_t index = (deviced->next + i) % deviced->driver_count;
        if (!is_due(&deviced->drivers[index], deviced->caller.now_ticks))
            continue;
        deviced->next = index + 1;
        deviced_step(deviced, index);
        return;
    }
}

uint64_t deviced_next_ticks(const struct deviced *deviced)
{
    uint64_t next_ticks = DEADLINE_NEVER;
    for (uint32_t i = 0; i < deviced->driver_count; i++) {
        const struct deviced_driver *driver = &deviced->drivers[i];
        if (is_due(driver, deviced->caller.now_ticks))
            return DEADLINE_POLL;
        if (driver->work != DEVICED_IDLE && driver->retry_ticks < next_ticks)
            next_ticks = driver->retry_ticks;
    }
    return next_ticks;
}

/* --- start ------------------------------------------------------------------------------------ */

/* What is ready can be found. */
static enum status deviced_prepare(void *state, const struct envelope *start)
{
    struct deviced *deviced = state;
    deviced->validation_profile = start->validation_profile;
    return discovery_register(&deviced->caller, ROLE_DEVICED);
}

static const char *unsound(const void *state)
{
    return deviced_check(state);
}

void deviced_run(struct deviced *deviced)
{
    struct envelope envelope;
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status =
        service_start(&deviced->caller, ROLE_DEVICED, &envelope, deviced_prepare, unsound, deviced);
    while (service_goes_on(status)) {
        status = service_turn(&deviced->caller, SLOT_SERVICE_ENDPOINT, deviced_next_ticks(deviced),
                              deviced_handle, deviced, &info);
        if (service_goes_on(status))
            deviced_tick(deviced, info.now_ticks);
    }
    kernel_exit(&deviced->caller, status);
}
