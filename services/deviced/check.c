/* SPDX-License-Identifier: ISC */
/* Walks all of deviced's drivers: could each stand where it stands. Decides nothing and changes
 * nothing. */
#include "services/deviced/internal.h"

#include <stddef.h>

static bool is_seeded(const struct deviced *deviced, uint32_t index)
{
    const struct deviced_driver *driver = &deviced->drivers[index];
    const struct role *role = role_find(driver->role);
    for (uint32_t i = 0; i < index; i++)
        if (deviced->drivers[i].role == driver->role)
            return false;
    return role != NULL && role->kind == ROLE_KIND_DRIVER && driver->image_bytes != 0 &&
           driver->ready_ticks != 0;
}

/* Work and state go together, and nothing is owed that nobody works on (D2). */
static bool is_worked_on(const struct deviced_driver *driver)
{
    bool launching = driver->work == DEVICED_STAGE || driver->work == DEVICED_START ||
                     driver->work == DEVICED_ASK;
    if (launching != (driver->state == DRIVER_STARTING))
        return false;
    if (driver->work == DEVICED_STAGE || driver->state == DRIVER_SEEDED)
        return driver->owes == 0 && driver->process_id == 0;
    if (launching || driver->state == DRIVER_READY)
        return (driver->owes & DEVICED_OWES_PROCESS) != 0 && driver->process_id != 0 &&
               (launching || driver->work == DEVICED_RELEASE || deviced_owed(driver) == 0);
    return driver->work == DEVICED_RELEASE || driver->owes == 0;
}

const char *deviced_check(const struct deviced *deviced)
{
    if (deviced->driver_count > DEVICED_DRIVER_LIMIT)
        return "E6";
    for (uint32_t i = 0; i < deviced->driver_count; i++) {
        if (!is_seeded(deviced, i))
            return "D1";
        if (!is_worked_on(&deviced->drivers[i]))
            return "D2";
    }
    return NULL;
}

void deviced_visit_fields(const struct deviced *deviced,
                          void (*visit)(void *context, uint64_t value), void *context)
{
    visit(context, deviced->caller.now_ticks);
    visit(context, (uint64_t)deviced->validation_profile << 32 | deviced->is_sealed);
    visit(context, (uint64_t)deviced->knows_log << 32 | deviced->next);
    for (uint32_t i = 0; i < deviced->driver_count; i++) {
        const struct deviced_driver *driver = &deviced->drivers[i];
        visit(context, driver->image_offset);
        visit(context, driver->image_bytes);
        visit(context, driver->page_limit);
        visit(context, driver->budget_pages);
        visit(context, driver->ready_ticks);
        visit(context, driver->process_id);
        visit(context, driver->deadline_ticks);
        visit(context, driver->slice_ticks);
        visit(context, driver->retry_ticks);
        visit(context, (uint64_t)driver->role << 32 | driver->state);
        visit(context, (uint64_t)driver->work << 32 | driver->owes);
        visit(context, (uint64_t)driver->cause << 32 | driver->reason);
        visit(context, driver->code);
    }
}
