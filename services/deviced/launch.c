/* SPDX-License-Identifier: ISC */
/* The work on a driver, a step at a time: making it, asking it, giving back. Decides when a launch has
 * failed, and nothing else; who is started and stopped is the administrator's business. */
#include "services/deviced/internal.h"

#include <string.h>

#include "services/lib/call_logd.h"
#include "services/lib/call_procd.h"
#include "services/lib/call_startup.h"
#include "services/lib/discovery.h"
#include "services/lib/log_line.h"

/* --- what is said of it ----------------------------------------------------------------------- */

static const char *state_name(uint32_t state)
{
    return state == DRIVER_READY ? " READY" : state == DRIVER_FAILED ? " FAILED " : " ENDED";
}

/* A log that does not take it changes nothing else. */
static void append(struct deviced *deviced, const struct log_line *line)
{
    struct logd_append_request request = {.severity = LOG_SEVERITY_NOTICE, .count = line->count};
    struct logd_append_reply reply;
    memcpy(request.text, line->text, line->count);
    if (deviced->knows_log == 0 &&
        discovery_find(&deviced->caller, ROLE_LOGD, SLOT_PEER_LOGD) != STATUS_OK)
        return;
    enum status status =
        logd_call_append(&deviced->caller, SLOT_PEER_LOGD, NO_WINDOW,
                         caller_deadline(&deviced->caller, DISCOVERY_CALL_TICKS), &request, &reply);
    deviced->knows_log = status == STATUS_OK;
}

void deviced_say(struct deviced *deviced, const struct deviced_driver *driver)
{
    struct log_line line = {.count = 0};
    const char *name = role_find(driver->role)->image;
    if (driver->state == DRIVER_READY && deviced->validation_profile != VALIDATION_PROFILE_NONE) {
        log_line_add(&line, "ERIX_DEVICED:READY:");
        log_line_add(&line, name);
        log_line_send(&line, &deviced->caller, SLOT_KERNEL_LOG_ENDPOINT);
    }
    line.count = 0;
    log_line_add(&line, name);
    log_line_add(&line, state_name(driver->state));
    if (driver->state == DRIVER_FAILED)
        log_line_add(&line, status_name((enum status)driver->cause));
    append(deviced, &line);
}

/* --- giving back ------------------------------------------------------------------------------ */

static enum status stop_process(struct deviced *deviced, const struct deviced_driver *driver)
{
    struct procd_stop_process_request request = {.process_id = driver->process_id,
                                                 .code = DEVICED_EXIT_STOPPED};
    return procd_call_stop_process(&deviced->caller, SLOT_PROCD_DRIVER_ENDPOINT, NO_WINDOW,
                                   caller_deadline(&deviced->caller, DEVICED_CALL_TICKS), &request,
                                   NULL);
}

/* The grant first, and the process before its end. */
static void release(struct deviced *deviced, uint32_t index)
{
    struct deviced_driver *driver = &deviced->drivers[index];
    static const uint32_t order[] = {1u << DEVICED_SLOT_GRANT, DEVICED_OWES_PROCESS,
                                     1u << DEVICED_SLOT_ENDPOINT};
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < sizeof order / sizeof order[0] && status == STATUS_OK; i++) {
        if ((deviced_owed(driver) & order[i]) == 0)
            continue;
        uint32_t which =
            order[i] == 1u << DEVICED_SLOT_GRANT ? DEVICED_SLOT_GRANT : DEVICED_SLOT_ENDPOINT;
        status = order[i] == DEVICED_OWES_PROCESS
                     ? stop_process(deviced, driver)
                     : kernel_drop_local_cap(&deviced->caller, deviced_slot(index, which));
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK; /* it is gone already */
        if (status == STATUS_OK)
            driver->owes &= ~order[i];
    }
    if (deviced_owed(driver) == 0)
        driver->work = DEVICED_IDLE;
    else
        driver->retry_ticks = caller_deadline(&deviced->caller, DEVICED_RETRY_TICKS);
}

/* The launch is over, well or not. */
static void finish(struct deviced *deviced, uint32_t index, enum status status)
{
    struct deviced_driver *driver = &deviced->drivers[index];
    driver->state = status == STATUS_OK ? DRIVER_READY : DRIVER_FAILED;
    driver->cause = status;
    driver->work = DEVICED_RELEASE;
    driver->retry_ticks = 0;
    deviced_say(deviced, driver);
}

/* --- making it -------------------------------------------------------------------------------- */

/* A CREATE whose answer is lost leaves nothing (procd.h). */
static enum status create(struct deviced *deviced, uint32_t index)
{
    struct deviced_driver *driver = &deviced->drivers[index];
    struct procd_create_staged_process_request request = {
        .role = driver->role,
        .image_offset = driver->image_offset,
        .image_bytes = driver->image_bytes,
        .page_limit = driver->page_limit,
        .budget_pages = driver->budget_pages,
    };
    struct procd_create_staged_process_reply reply;
    uint32_t first_slot = deviced_slot(index, 0);
    enum status status = procd_call_create_staged_process(
        &deviced->caller, SLOT_PROCD_DRIVER_ENDPOINT,
        (struct window){first_slot, DEVICED_SLOTS_OF_LAUNCH},
        caller_deadline(&deviced->caller, DEVICED_CALL_TICKS), &request, &reply);
    if (status != STATUS_OK)
        return status;
    driver->process_id = reply.process_id;
    driver->owes = DEVICED_OWES_PROCESS | 1u << DEVICED_SLOT_ENDPOINT | 1u << DEVICED_SLOT_GRANT;
    bool in_order = reply.endpoint_slot == first_slot + DEVICED_SLOT_ENDPOINT &&
                    reply.grant_slot == first_slot + DEVICED_SLOT_GRANT;
    return in_order ? STATUS_OK : STATUS_INTERNAL;
}

static enum status populate(struct deviced *deviced, uint32_t index)
{
    struct deviced_install installs[DEVICED_INSTALL_LIMIT];
    uint32_t count = 0;
    enum status status = deviced_plan(role_find(deviced->drivers[index].role),
                                      deviced_slot(index, DEVICED_SLOT_NAMED), installs, &count);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        struct kernel_cap_copy_attenuated_request request = {
            .grant_slot = deviced_slot(index, DEVICED_SLOT_GRANT),
            .source_slot = installs[i].source_slot,
            .target_slot = installs[i].target_slot,
            .rights = installs[i].rights,
        };
        status = kernel_cap_copy_attenuated(&deviced->caller, SLOT_KERNEL_CHILD_POPULATE_ENDPOINT,
                                            &request);
    }
    return status;
}

static void stage(struct deviced *deviced, uint32_t index)
{
    enum status status = create(deviced, index);
    if (status == STATUS_OK)
        status = populate(deviced, index);
    if (status != STATUS_OK)
        finish(deviced, index, status);
    else
        deviced->drivers[index].work = DEVICED_START;
}

/* What procd does when it ends and nobody ordered that, where its row says so (P4). */
static enum status set_policy(struct deviced *deviced, const struct deviced_driver *driver)
{
    struct procd_set_restart_policy_request request;
    if (!launch_policy_request(driver->role, driver->process_id, driver->ready_ticks, &request))
        return STATUS_OK;
    return procd_call_set_restart_policy(&deviced->caller, SLOT_PROCD_DRIVER_ENDPOINT, NO_WINDOW,
                                         caller_deadline(&deviced->caller, DEVICED_CALL_TICKS),
                                         &request, NULL);
}

static void start(struct deviced *deviced, uint32_t index)
{
    struct deviced_driver *driver = &deviced->drivers[index];
    struct procd_start_staged_process_request request = {.process_id = driver->process_id};
    enum status status = set_policy(deviced, driver);
    if (status == STATUS_OK)
        status = procd_call_start_staged_process(
            &deviced->caller, SLOT_PROCD_DRIVER_ENDPOINT, NO_WINDOW,
            caller_deadline(&deviced->caller, DEVICED_CALL_TICKS), &request, NULL);
    if (status != STATUS_OK) {
        finish(deviced, index, status);
        return;
    }
    driver->deadline_ticks = caller_deadline(&deviced->caller, driver->ready_ticks);
    driver->slice_ticks = LAUNCH_SLICE_TICKS;
    driver->work = DEVICED_ASK;
}

/* --- asking it -------------------------------------------------------------------------------- */

static enum status ask_once(struct deviced *deviced, uint32_t index, uint64_t until_ticks)
{
    struct deviced_driver *driver = &deviced->drivers[index];
    const struct launch_terms terms = {.validation_profile = deviced->validation_profile,
                                       .ready_ticks = driver->ready_ticks};
    struct envelope envelope;
    struct startup_start_service_request request;
    struct startup_start_service_reply reply;
    enum status status = launch_envelope_make(role_find(driver->role), &terms, &envelope);
    if (status == STATUS_OK)
        status = launch_envelope_request(&envelope, &request);
    if (status == STATUS_OK)
        status =
            startup_call_start_service(&deviced->caller, deviced_slot(index, DEVICED_SLOT_ENDPOINT),
                                       NO_WINDOW, until_ticks, &request, &reply);
    /* A driver that looks in vain for what its envelope names says the same as the kernel does of
     * one that is dead. */
    if (status == STATUS_NOT_FOUND && !caller_was_answered(&deviced->caller))
        return STATUS_PEER_DIED;
    if (status != STATUS_OK)
        return status;
    bool ready = reply.role == envelope.role && reply.checked_cap_count == envelope.entry_count;
    return ready ? STATUS_OK : STATUS_INTERNAL;
}

/* TIMED_OUT before its time is over is no answer. */
static void ask(struct deviced *deviced, uint32_t index)
{
    struct deviced_driver *driver = &deviced->drivers[index];
    uint64_t until_ticks =
        launch_ask_until(deviced->caller.now_ticks, driver->deadline_ticks, driver->slice_ticks);
    enum status status = ask_once(deviced, index, until_ticks);
    bool over = until_ticks >= driver->deadline_ticks;
    if (status != STATUS_TIMED_OUT || over || caller_was_answered(&deviced->caller))
        finish(deviced, index, status);
    else
        driver->slice_ticks = launch_next_slice(driver->slice_ticks);
}

void deviced_step(struct deviced *deviced, uint32_t index)
{
    switch ((enum deviced_work)deviced->drivers[index].work) {
    case DEVICED_IDLE:
        return;
    case DEVICED_STAGE:
        stage(deviced, index);
        return;
    case DEVICED_START:
        start(deviced, index);
        return;
    case DEVICED_ASK:
        ask(deviced, index);
        return;
    case DEVICED_RELEASE:
        release(deviced, index);
        return;
    }
}
