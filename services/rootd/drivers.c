/* SPDX-License-Identifier: ISC */
/* See drivers.h. Decides nothing but what the answers of deviced mean for an entry. */
#include "services/rootd/drivers.h"

#include "abi/assert.h"
#include "services/lib/call_deviced.h"
#include "services/rootd/launch.h"

_Static_assert((uint64_t)DEVICED_READY_TICKS_MAX == (uint64_t)BOOT_CONFIG_READY_TICKS_MAX,
               "deviced takes what a config may state");

static bool is_driver(const struct rootd *rootd, uint32_t entry)
{
    const struct rootd_entry *what = &rootd->intake.entries[entry];
    return what->kind == ENTRY_DRIVER && what->found == STATUS_OK;
}

/* SLOT_NULL: its role has none. */
static uint32_t named_slot(const struct rootd *rootd, uint32_t entry)
{
    const struct role *role = role_find(rootd->intake.entries[entry].role);
    return role_holds_peer(role, ROLE_NAMED) ? ROOTD_SLOT_NAMED_BASE + entry : SLOT_NULL;
}

uint32_t drivers_named_ends(const struct rootd *rootd,
                            struct discovery_end ends[BOOT_CONFIG_ENTRY_LIMIT])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rootd->intake.entry_count; i++) {
        if (is_driver(rootd, i) && named_slot(rootd, i) != SLOT_NULL)
            ends[count++] = (struct discovery_end){.role = rootd->intake.entries[i].role,
                                                   .slot = named_slot(rootd, i)};
    }
    return count;
}

static enum status seed(struct rootd *rootd, uint32_t entry)
{
    const struct rootd_entry *what = &rootd->intake.entries[entry];
    struct deviced_seed_binding_request request = {
        .role = what->role,
        .named_slot = named_slot(rootd, entry),
        .image_offset = what->offset_bytes,
        .image_bytes = what->size_bytes,
        .page_limit = what->limits.page_limit,
        .budget_pages = what->limits.budget_pages,
        .ready_ticks = what->ready_ticks,
    };
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = deviced_call_seed_binding(&rootd->caller, SLOT_PEER_DEVICED, NO_WINDOW,
                                           deadline_ticks, &request, NULL);
    return status == STATUS_OK && request.named_slot != SLOT_NULL
               ? kernel_drop_local_cap(&rootd->caller, request.named_slot)
               : status;
}

enum status drivers_seed(struct rootd *rootd)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < rootd->intake.entry_count && status == STATUS_OK; i++) {
        if (is_driver(rootd, i))
            status = seed(rootd, i);
    }
    return status;
}

enum status driver_start(struct rootd *rootd, uint32_t entry)
{
    struct deviced_start_driver_request request = {.role = rootd->intake.entries[entry].role};
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    return status == STATUS_OK
               ? deviced_call_start_driver(&rootd->caller, SLOT_PEER_DEVICED, NO_WINDOW,
                                           deadline_ticks, &request, NULL)
               : status;
}

/* One that has ended again was READY between two questions, and that is not enough; one that is to be
 * READY again is waited for. */
static enum status state_status(const struct deviced_read_driver_reply *reply)
{
    switch ((enum driver_state)reply->state) {
    case DRIVER_READY:
        return STATUS_OK;
    case DRIVER_STARTING:
    case DRIVER_RESTARTING:
        return STATUS_RETRY;
    case DRIVER_FAILED:
        return reply->cause == STATUS_OK ? STATUS_INTERNAL : (enum status)reply->cause;
    case DRIVER_ENDED:
        return STATUS_PEER_DIED;
    case DRIVER_SEEDED:
    case DRIVER_STOPPED:
        break;
    }
    return STATUS_INTERNAL;
}

enum status driver_ask(struct rootd *rootd, uint32_t entry, uint64_t deadline_ticks)
{
    struct deviced_read_driver_request request = {.role = rootd->intake.entries[entry].role};
    struct deviced_read_driver_reply reply;
    enum status status = deviced_call_read_driver(&rootd->caller, SLOT_PEER_DEVICED, NO_WINDOW,
                                                  deadline_ticks, &request, &reply);
    if (status == STATUS_TIMED_OUT && !caller_was_answered(&rootd->caller))
        return STATUS_RETRY; /* of deviced, not of the driver */
    return status == STATUS_OK ? state_status(&reply) : status;
}

enum status driver_stop(struct rootd *rootd, uint32_t entry)
{
    struct deviced_stop_driver_request request = {.role = rootd->intake.entries[entry].role};
    uint64_t deadline_ticks;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = deviced_call_stop_driver(&rootd->caller, SLOT_PEER_DEVICED, NO_WINDOW,
                                          deadline_ticks, &request, NULL);
    return status == STATUS_PEER_DIED || status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status drivers_seal(struct rootd *rootd)
{
    static const struct deviced_seal_request nothing;
    struct deviced_seal_reply reply;
    uint64_t deadline_ticks;
    uint32_t deviced = rootd->intake.entry_count;
    uint32_t seeded = 0;
    for (uint32_t i = 0; i < rootd->intake.entry_count; i++) {
        if (rootd->intake.entries[i].role == ROLE_DEVICED)
            deviced = i;
        seeded += is_driver(rootd, i);
    }
    if (deviced == rootd->intake.entry_count || rootd->entries[deviced].state != ENTRY_READY)
        return STATUS_OK;
    enum status status = rootd_deadline(rootd, ROOTD_CALL_TICKS, &deadline_ticks);
    if (status == STATUS_OK)
        status = deviced_call_seal(&rootd->caller, SLOT_PEER_DEVICED, NO_WINDOW, deadline_ticks,
                                   &nothing, &reply);
    if (status == STATUS_OK && reply.binding_count != seeded)
        status = STATUS_INTERNAL;
    if (status != STATUS_OK)
        rootd->failed_role = ROLE_DEVICED;
    return status;
}
