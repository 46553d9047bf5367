/* SPDX-License-Identifier: ISC */
/* Seeding, registering and finding by named. Decides nothing: the role table does, and named by what
 * was seeded from it. */
#include "services/lib/discovery.h"

#include <stddef.h>
#include <string.h>

#include "abi/roles.h"
#include "abi/slots.h"
#include "services/lib/call_named.h"
#include "services/lib/kernel_calls.h"

/* The name of a service is that of its image. */
static uint32_t name_put(uint8_t *name, uint32_t service_role)
{
    const struct role *role = role_find(service_role);
    uint32_t count = 0;
    while (role != NULL && role->image[count] != '\0' && count < SERVICE_NAME_BYTES_MAX)
        count++;
    memset(name, 0, NAMED_NAME_BYTES);
    if (count != 0)
        memcpy(name, role->image, count);
    return count;
}

static enum status mint(struct caller *caller, uint32_t named_slot, const struct discovery_end *end,
                        uint64_t deadline_ticks)
{
    struct named_mint_end_request request = {.role = end->role};
    struct named_mint_end_reply reply;
    return named_call_mint_end(caller, named_slot, (struct window){end->slot, 1}, deadline_ticks,
                               &request, &reply);
}

enum status discovery_seed(struct caller *caller, uint32_t named_slot,
                           const struct discovery_end *ends, uint32_t end_count,
                           uint64_t deadline_ticks)
{
    static const struct named_seal_request nothing;
    struct named_seal_reply sealed;
    for (unsigned i = 0; i < look_up_count; i++) {
        struct named_seed_entry_request request = {
            .service_role = look_up_table[i].service,
            .client_role = look_up_table[i].client,
            .rights = RIGHT_SEND,
        };
        request.count = name_put(request.name, request.service_role);
        enum status status =
            named_call_seed_entry(caller, named_slot, NO_WINDOW, deadline_ticks, &request, NULL);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < end_count && status == STATUS_OK; i++)
        status = mint(caller, named_slot, &ends[i], deadline_ticks);
    if (status == STATUS_OK)
        status = named_call_seal(caller, named_slot, NO_WINDOW, deadline_ticks, &nothing, &sealed);
    if (status == STATUS_OK && sealed.entry_count != look_up_count)
        return STATUS_INTERNAL;
    return status;
}

/* The endpoint travels with the client's badge: only who receives there can set one (N2). */
static enum status register_for(struct caller *caller, uint32_t role, uint32_t client)
{
    const struct message_type *type = &named_register_service_request_type;
    struct message *message = caller_message(caller);
    struct named_register_service_request request = {
        .client_role = client,
        .service_slot = SLOT_SERVICE_ENDPOINT,
    };
    request.count = name_put(request.name, role);
    enum status status = message_encode(type, &request, message);
    if (status != STATUS_OK)
        return status;
    message->caps[0].flags = TRANSFER_SET_BADGE;
    message->caps[0].badge = client;
    return caller_call_message(caller, SLOT_PEER_NAMED, NO_WINDOW,
                               caller_deadline(caller, DISCOVERY_CALL_TICKS), type, NULL);
}

enum status discovery_register(struct caller *caller, uint32_t role)
{
    for (unsigned i = 0; i < look_up_count; i++) {
        if (look_up_table[i].service != role)
            continue;
        enum status status = register_for(caller, role, look_up_table[i].client);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    return STATUS_OK;
}

enum status discovery_look_up(struct caller *caller, uint32_t service_role, uint32_t target_slot,
                              uint64_t deadline_ticks)
{
    struct named_lookup_request request = {0};
    struct named_lookup_reply reply;
    request.count = name_put(request.name, service_role);
    return named_call_lookup(caller, SLOT_PEER_NAMED, (struct window){target_slot, 1},
                             deadline_ticks, &request, &reply);
}

enum status discovery_find(struct caller *caller, uint32_t service_role, uint32_t target_slot)
{
    enum status status = kernel_drop_local_cap(caller, target_slot);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return discovery_look_up(caller, service_role, target_slot,
                             caller_deadline(caller, DISCOVERY_CALL_TICKS));
}
