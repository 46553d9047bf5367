/* SPDX-License-Identifier: ISC */
/* named's operations. Decides who finds whom by the sealed entries alone, and keeps for each entry
 * the one capability that its service registered; never calls a service, and never keeps a
 * capability that could do more than its client may (N2). */
#include "services/named/named.h"

#include <stddef.h>
#include <string.h>

#include "services/named/internal.h"

/* --- names and entries ----------------------------------------------------------------------- */

bool named_name_valid(const void *bytes, uint32_t count)
{
    const uint8_t *text = bytes;
    for (uint32_t i = 0; i < count; i++) {
        bool letter = text[i] >= 'a' && text[i] <= 'z';
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (!letter && !digit && text[i] != '-')
            return false;
    }
    return count != 0 && count <= SERVICE_NAME_BYTES_MAX;
}

/* The name of a request, with zeros behind it. */
static enum status name_take(char name[NAMED_NAME_BYTES], const uint8_t *bytes, uint32_t count)
{
    memset(name, 0, NAMED_NAME_BYTES);
    if (!named_name_valid(bytes, count))
        return STATUS_BAD_TEXT;
    memcpy(name, bytes, count);
    return STATUS_OK;
}

int named_compare(const struct named_entry *entry, uint32_t client_role, const char *name)
{
    if (entry->client_role != client_role)
        return entry->client_role < client_role ? -1 : 1;
    return memcmp(entry->name, name, NAMED_NAME_BYTES);
}

/* How many entries lie before (client_role, name): where such an entry is, or would be. */
static uint32_t entry_place(const struct named *named, uint32_t client_role, const char *name)
{
    uint32_t low = 0;
    uint32_t high = named->entry_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (named_compare(&named->entries[middle], client_role, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool entry_is_at(const struct named *named, uint32_t place, uint32_t client_role,
                        const char *name)
{
    return place < named->entry_count &&
           named_compare(&named->entries[place], client_role, name) == 0;
}

/* --- before SEAL ----------------------------------------------------------------------------- */

enum status named_seed_entry(struct named *named, struct named_request *request)
{
    const struct named_seed_entry_request *body = &request->body.seed_entry;
    char name[NAMED_NAME_BYTES];
    if (named->is_sealed != 0)
        return STATUS_DENIED; /* N1 */
    if ((body->rights & RIGHT_SEND) == 0)
        return STATUS_INVALID_ARGUMENT;
    enum status status = name_take(name, body->name, body->count);
    if (status != STATUS_OK)
        return status;
    uint32_t place = entry_place(named, body->client_role, name);
    if (entry_is_at(named, place, body->client_role, name))
        return STATUS_DUPLICATE;
    if (named->entry_count == NAMED_ENTRY_LIMIT)
        return STATUS_EXHAUSTED;
    struct named_entry *entry = &named->entries[place];
    memmove(entry + 1, entry, (named->entry_count - place) * sizeof *entry);
    *entry = (struct named_entry){
        .client_role = body->client_role,
        .service_role = body->service_role,
        .rights = body->rights,
    };
    memcpy(entry->name, name, sizeof name);
    named->entry_count++;
    return STATUS_OK;
}

enum status named_seal(struct named *named, struct named_request *request)
{
    named->is_sealed = 1;
    request->reply.seal.entry_count = named->entry_count;
    return STATUS_OK;
}

/* The reply's capability is named's own endpoint under the role's badge: the kernel lets nobody set
 * one who does not receive there. */
enum status named_mint_end(struct named *named, struct named_request *request)
{
    if (named->is_sealed != 0)
        return STATUS_DENIED; /* N1 */
    request->common.transfer = (struct message_cap){
        .mode = TRANSFER_COPY,
        .flags = TRANSFER_SET_BADGE,
        .badge = request->body.mint_end.role,
    };
    request->reply.mint_end.end_slot = SLOT_SERVICE_ENDPOINT;
    return STATUS_OK;
}

/* --- services -------------------------------------------------------------------------------- */

/* The entry of exactly this name, service and client. */
static enum status register_find(const struct named *named, uint64_t service_role,
                                 const struct named_register_service_request *body, uint32_t *place)
{
    char name[NAMED_NAME_BYTES];
    if (named->is_sealed == 0)
        return STATUS_BUSY;
    enum status status = name_take(name, body->name, body->count);
    if (status != STATUS_OK)
        return status;
    *place = entry_place(named, body->client_role, name);
    bool found = entry_is_at(named, *place, body->client_role, name) &&
                 named->entries[*place].service_role == service_role;
    return found ? STATUS_OK : STATUS_NOT_FOUND; /* N1 */
}

/* What came is exactly what may be kept (N2). */
static enum status register_examine(struct named *named, uint32_t slot, uint32_t client_role,
                                    struct kernel_query_local_cap_reply *came)
{
    enum status status = kernel_query_local_cap(&named->caller, slot, QUERY_EXACT, came);
    if (status != STATUS_OK)
        return status;
    bool exact = came->object_type == OBJECT_ENDPOINT && came->rights == NAMED_RIGHTS &&
                 came->badge == client_role;
    return exact ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* Makes the slot of an entry empty when what it holds is dead. *same: it is alive, and the endpoint
 * that came. BUSY: it is alive, and another one. */
static enum status register_make_room(struct named *named, uint32_t place,
                                      const struct kernel_query_local_cap_reply *came, bool *same)
{
    uint32_t slot = NAMED_SLOT_BASE + place;
    struct kernel_query_local_cap_reply kept;
    *same = false;
    if (named->entries[place].is_registered == 0)
        return STATUS_OK;
    enum status status = kernel_query_local_cap(&named->caller, slot, QUERY_EXACT, &kept);
    if (status != STATUS_OK)
        return status;
    if (kept.rights != 0) {
        *same = kept.object == came->object; /* both are alive: the number says which */
        return *same ? STATUS_OK : STATUS_BUSY;
    }
    status = kernel_drop_local_cap(&named->caller, slot);
    if (status == STATUS_OK)
        named->entries[place].is_registered = 0;
    return status;
}

enum status named_register_service(struct named *named, struct named_request *request)
{
    const struct named_register_service_request *body = &request->body.register_service;
    struct kernel_query_local_cap_reply came;
    uint32_t place;
    bool same;
    enum status status = register_find(named, request->common.info->badge, body, &place);
    if (status == STATUS_OK)
        status = register_examine(named, body->service_slot, body->client_role, &came);
    if (status == STATUS_OK)
        status = register_make_room(named, place, &came, &same);
    if (status != STATUS_OK || same)
        return status;
    status = kernel_move_local_cap(&named->caller, body->service_slot, NAMED_SLOT_BASE + place);
    if (status == STATUS_OK)
        named->entries[place].is_registered = 1;
    return status;
}

/* --- clients --------------------------------------------------------------------------------- */

/* The answer goes out from here, because the kernel says now whether the service lives: NOT_FOUND is
 * that it does not, or that the client is gone, who hears of no refusal either. */
static enum status lookup_deliver(struct named_request *request, uint32_t rights)
{
    struct service_request *common = &request->common;
    enum status status = service_encode(common);
    if (status != STATUS_OK)
        return status;
    common->message->caps[0].rights = (uint16_t)rights; /* exactly the entry's (N2) */
    common->handled = HANDLED_LATER;
    return sys_reply(common->info->reply_slot, common->message);
}

enum status named_lookup(struct named *named, struct named_request *request)
{
    const struct named_lookup_request *body = &request->body.lookup;
    uint64_t client_role = request->common.info->badge;
    char name[NAMED_NAME_BYTES];
    if (named->is_sealed == 0)
        return STATUS_BUSY;
    enum status status = name_take(name, body->name, body->count);
    if (status != STATUS_OK)
        return status;
    uint32_t place = entry_place(named, (uint32_t)client_role, name);
    if (!entry_is_at(named, place, (uint32_t)client_role, name) ||
        named->entries[place].is_registered == 0)
        return STATUS_NOT_FOUND; /* N1 */
    request->reply.lookup.service_slot = NAMED_SLOT_BASE + place;
    return lookup_deliver(request, named->entries[place].rights);
}

/* --- one message ----------------------------------------------------------------------------- */

#define SERVICE       named
#define SERVICE_TABLE "abi/messages/named.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct named_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    if (badge == 0)
        return FROM_ADMIN;
    return badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled named_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct named *named = state;
    struct named_request request; /* the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &named->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    return service_dispatch(&table, named, &request.common);
}

/* --- start ----------------------------------------------------------------------------------- */

static const char *unsound(const void *state)
{
    return named_check(state);
}

void named_run(struct named *named)
{
    struct envelope envelope;
    enum status status = service_start(&named->caller, ROLE_NAMED, &envelope, NULL, unsound, named);
    service_serve(&named->caller, status, named_handle, named);
}
