/* SPDX-License-Identifier: ISC */
/* What all services share: the start-up check and the receive loop. Decides whether a start
 * envelope may be accepted, by the role table and by what the kernel says this process holds; it
 * never takes an envelope's word for a slot, and knows no operation of any service. */
#include "services/lib/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "abi/messages/startup.h"
#include "abi/roles.h"

uint32_t service_peer_role(uint32_t slot, enum object_type type, uint32_t rights)
{
    if (type != OBJECT_ENDPOINT || (rights & RIGHT_RECEIVE) != 0 || slot_is_administrators(slot))
        return ROLE_NONE;
    return slot_peer_role(slot);
}

/* --- the envelope against the table ------------------------------------------------------- */

static bool entry_is(const struct envelope_entry *entry, uint32_t type, uint32_t rights,
                     uint32_t peer_role)
{
    return entry != NULL && entry->object_type == type && entry->rights == rights &&
           entry->peer_role == peer_role;
}

/* The envelope names exactly what the role's rows do: the endpoint, and one entry per row. Slots of
 * both are unique, so that equal counts mean equal sets. */
static enum status check_rows(uint32_t role_id, const struct envelope *envelope)
{
    const struct role *role = role_find(role_id);
    if (role == NULL || envelope->role != role_id ||
        envelope->service_endpoint_slot != SLOT_SERVICE_ENDPOINT ||
        envelope->primary_control_slot != role->primary_slot)
        return STATUS_INVALID_ARGUMENT;
    unsigned row_count = 0;
    const struct intake *rows = role_intake(role_id, &row_count);
    if (envelope->entry_count != row_count + 1 ||
        !entry_is(envelope_find(envelope, SLOT_SERVICE_ENDPOINT), OBJECT_ENDPOINT,
                  RIGHTS_SERVICE_ENDPOINT, ROLE_NONE))
        return STATUS_INVALID_ARGUMENT;
    for (unsigned i = 0; i < row_count; i++) {
        uint32_t peer = service_peer_role(rows[i].slot, rows[i].object_type, rows[i].rights);
        if (!entry_is(envelope_find(envelope, rows[i].slot), rows[i].object_type, rows[i].rights,
                      peer))
            return STATUS_INVALID_ARGUMENT;
    }
    return STATUS_OK;
}

/* --- the cspace against the envelope --------------------------------------------------------- */

uint64_t service_peer_badge(uint32_t peer_role, uint64_t process_id, uint32_t role)
{
    return peer_role == ROLE_PROCD ? process_id << SERVICE_BADGE_ROLE_BITS | role : role;
}

/* Whether a badge tells the peer who calls it. A process does not know its own id, only that procd
 * gave it one. */
static bool badge_is(uint32_t peer_role, uint64_t badge, uint32_t role)
{
    if (peer_role == ROLE_NONE)
        return badge == 0;
    uint64_t process_id = badge >> SERVICE_BADGE_ROLE_BITS;
    bool named = peer_role != ROLE_PROCD || process_id != 0;
    return named && badge == service_peer_badge(peer_role, process_id, role);
}

/* A slot holds exactly what is said. A peer capability carries the badge that tells the peer who
 * calls it; a service's own endpoint and kernel control carry none. */
static enum status check_held(struct caller *caller, const struct envelope_entry *entry,
                              uint32_t role)
{
    struct kernel_query_local_cap_reply held;
    enum status status = kernel_query_local_cap(caller, entry->slot, QUERY_EXACT, &held);
    if (status != STATUS_OK)
        return status;
    if (held.slot != entry->slot)
        return STATUS_INTERNAL;
    bool equal = held.object_type == entry->object_type && held.rights == entry->rights &&
                 badge_is(entry->peer_role, held.badge, role);
    return equal ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

static enum status check_named(struct caller *caller, const struct envelope *envelope)
{
    static const struct envelope_entry self = {
        .slot = SLOT_SELF, .object_type = OBJECT_KERNEL_SELF, .rights = RIGHT_CONTROL};
    enum status status = check_held(caller, &self, envelope->role);
    for (uint32_t i = 0; i < envelope->entry_count && status == STATUS_OK; i++)
        status = check_held(caller, &envelope->entries[i], envelope->role);
    return status;
}

/* Reply capabilities come and go with calls: the envelope's own sender waits on one. */
static bool is_reply_slot(const struct kernel_query_local_cap_reply *held)
{
    return held->object_type == OBJECT_REPLY && held->slot >= SLOT_REPLY_BASE &&
           held->slot < SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
}

/* Nothing is held other than what is named. The walk goes up strictly and stops at the first extra
 * capability, so it makes at most ENVELOPE_ENTRY_LIMIT + SLOT_REPLY_COUNT + 2 steps. */
static enum status check_nothing_else(struct caller *caller, const struct envelope *envelope)
{
    uint32_t slot = SLOT_SELF;
    while (slot < SLOT_LIMIT) {
        struct kernel_query_local_cap_reply held;
        enum status status = kernel_query_local_cap(caller, slot, QUERY_NEXT, &held);
        if (status == STATUS_NOT_FOUND)
            return STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (held.slot < slot)
            return STATUS_INTERNAL;
        if (held.slot != SLOT_SELF && !is_reply_slot(&held) &&
            envelope_find(envelope, held.slot) == NULL)
            return STATUS_DENIED;
        slot = held.slot + 1;
    }
    return STATUS_OK;
}

/* Checks the caller's own cspace against the envelope: OK, NOT_FOUND (a named slot is empty),
 * INVALID_ARGUMENT (role, type, rights, peer or badge differ from the envelope or the role's rows),
 * DENIED (something is held that is not named; SELF and reply capabilities in their own slots need
 * no name), INTERNAL (the kernel's answer breaks its contract). */
static enum status check_intake(struct caller *caller, uint32_t role,
                                const struct envelope *envelope)
{
    enum status status = check_rows(role, envelope);
    if (status == STATUS_OK)
        status = check_named(caller, envelope);
    if (status == STATUS_OK)
        status = check_nothing_else(caller, envelope);
    return status;
}

/* --- the receive loop ------------------------------------------------------------------------ */

/* What a DROP that was refused has left in the window (no message finds room then). */
static void window_empty(struct caller *caller, uint32_t count)
{
    struct window window = SERVICE_WINDOW;
    for (uint32_t i = 0; i < count && i < window.count; i++)
        (void)kernel_drop_local_cap(caller, window.first_slot + i);
}

static enum status receive_once(struct caller *caller, uint32_t endpoint_slot,
                                uint64_t deadline_ticks, struct receive_info *info)
{
    struct window window = SERVICE_WINDOW;
    struct message *message = sys_message();
    if (caller->reply_slot == SLOT_NULL)
        message->header = (struct message_header){.version = MESSAGE_VERSION};
    message->header.window_slot = window.first_slot;
    message->header.window_count = (uint8_t)window.count;
    return sys_reply_recv(caller->reply_slot, message, endpoint_slot, deadline_ticks, info);
}

/* Sends the answer that waits, if one does, and receives. A refusal may be that of the answer, whose
 * caller may be gone since: it is sent by itself, or replaced, and the next refusal is RECV's. */
static enum status receive(struct caller *caller, uint32_t endpoint_slot, uint64_t deadline_ticks,
                           struct receive_info *info)
{
    enum status status = receive_once(caller, endpoint_slot, deadline_ticks, info);
    bool received = status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_RETRY;
    if (!received && caller->reply_slot != SLOT_NULL) {
        caller_flush(caller);
        status = receive_once(caller, endpoint_slot, deadline_ticks, info);
    }
    caller->reply_slot = SLOT_NULL;
    return status;
}

/* Drops what came in the window and was not committed; a DROP of what was finds an empty slot. An
 * answer that may pass on what came goes out before the first call, and a refusal, whose caller need
 * not wait for that; one that says OK and nothing else waits. */
static void window_leave(struct caller *caller, uint32_t count)
{
    struct message_header answer = sys_message()->header;
    uint32_t reply_slot = caller->reply_slot;
    bool waits = reply_slot != SLOT_NULL && answer.status == STATUS_OK && answer.body_bytes == 0 &&
                 answer.cap_count == 0;
    if (waits)
        caller->reply_slot = SLOT_NULL;
    window_empty(caller, count);
    if (!waits)
        return;
    sys_message()->header = answer;
    caller_answer(caller, reply_slot);
}

enum status service_turn(struct caller *caller, uint32_t endpoint_slot, uint64_t deadline_ticks,
                         service_handler *handler, void *state, struct receive_info *info)
{
    enum status status = receive(caller, endpoint_slot, deadline_ticks, info);
    if (status == STATUS_BUSY) {
        window_empty(caller, MESSAGE_CAP_LIMIT);
        status = receive(caller, endpoint_slot, deadline_ticks, info);
    }
    if (status != STATUS_OK)
        return status;
    caller_see_clock(caller, info->now_ticks);
    struct message *message = sys_message();
    struct message_header asked = message->header; /* which the handler's calls overwrite */
    if (handler(state, message, info) == HANDLED_REPLY && info->reply_slot != SLOT_NULL) {
        message->header.operation = asked.operation;
        message->header.request_id = asked.request_id;
        caller_answer(caller, info->reply_slot);
    }
    if (info->cap_count != 0)
        window_leave(caller, info->cap_count);
    return STATUS_OK;
}

/* --- start-up -------------------------------------------------------------------------------- */

struct starting {
    struct caller *caller;
    struct envelope *start;
    uint32_t role;
    service_prepare *prepare;
    service_check *check;
    void *state;
    bool accepted; /* `start` is checked, the state prepared: what is left is to say so */
    bool ready;    /* somebody has heard it */
    bool failed;   /* prepare() or check() was called and failed */
};

/* Nobody has asked anything yet: what is not sound now was made so. */
static enum status walk(const struct starting *starting)
{
    if (starting->check == NULL || starting->start->validation_profile == VALIDATION_PROFILE_NONE)
        return STATUS_OK;
    return starting->check(starting->state) == NULL ? STATUS_OK : STATUS_INTERNAL;
}

/* The first envelope that is right. A check of it may take longer than its sender waits: it is made
 * once. */
static enum status accept(struct starting *starting, const struct envelope *envelope)
{
    enum status status = check_intake(starting->caller, starting->role, envelope);
    if (status != STATUS_OK)
        return status;
    *starting->start = *envelope;
    if (starting->prepare != NULL)
        status = starting->prepare(starting->state, starting->start);
    if (status == STATUS_OK)
        status = walk(starting);
    starting->accepted = status == STATUS_OK;
    starting->failed = status != STATUS_OK;
    return status;
}

static enum status start_decide(struct starting *starting, const struct message *message,
                                const struct receive_info *info)
{
    struct startup_start_service_request request;
    struct envelope envelope;
    if (message->header.operation != OP_STARTUP_START_SERVICE || info->badge != 0)
        return STATUS_DENIED;
    enum status status = message_decode(&startup_start_service_request_type, message, &request);
    if (status == STATUS_OK)
        status = envelope_parse(request.envelope, request.count, &envelope);
    if (status != STATUS_OK)
        return status;
    if (!starting->accepted)
        return accept(starting, &envelope);
    bool same = memcmp(&envelope, starting->start, sizeof envelope) == 0; /* both were parsed */
    return same ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* READY counts when it is delivered; a launcher that has stopped waiting did not hear it. */
static enum handled start_handle(void *state, struct message *message,
                                 const struct receive_info *info)
{
    struct starting *starting = state;
    struct message_header asked = message->header;
    enum status status = start_decide(starting, message, info);
    struct startup_start_service_reply reply = {
        .role = starting->role,
        .checked_cap_count = starting->start->entry_count,
    };
    if (status == STATUS_OK)
        status = message_encode(&startup_start_service_reply_type, &reply, message);
    if (status != STATUS_OK) {
        message_refuse(message, status);
        return HANDLED_REPLY;
    }
    message->header.operation = asked.operation;
    message->header.request_id = asked.request_id;
    if (info->reply_slot != SLOT_NULL) {
        caller_answer(starting->caller, info->reply_slot);
        starting->ready = caller_flush(starting->caller) == STATUS_OK;
    }
    return HANDLED_LATER;
}

enum status service_start(struct caller *caller, uint32_t role, struct envelope *start,
                          service_prepare *prepare, service_check *check, void *state)
{
    struct starting starting = {.caller = caller,
                                .start = start,
                                .role = role,
                                .prepare = prepare,
                                .check = check,
                                .state = state};
    struct receive_info info;
    memset(&info, 0, sizeof info);
    memset(start, 0, sizeof *start);
    while (!starting.ready) {
        enum status status = service_turn(caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                                          start_handle, &starting, &info);
        if (status != STATUS_OK)
            return status;
        if (starting.failed)
            return STATUS_INTERNAL;
    }
    return STATUS_OK;
}

/* --- the offer ------------------------------------------------------------------------------- */

struct taking {
    struct startup_offer_modules_request *offer;
    bool taken;
};

static enum handled offer_handle(void *state, struct message *message,
                                 const struct receive_info *info)
{
    static const uint64_t nothing = 0;
    struct taking *taking = state;
    enum status status = STATUS_DENIED;
    if (message->header.operation == OP_STARTUP_OFFER_MODULES && info->badge == 0)
        status = message_decode(&startup_offer_modules_request_type, message, taking->offer);
    taking->taken = status == STATUS_OK;
    if (status == STATUS_OK)
        status = message_encode(&startup_offer_modules_reply_type, &nothing, message);
    if (status != STATUS_OK)
        message_refuse(message, status);
    return HANDLED_REPLY;
}

enum status service_take_offer(struct caller *caller, struct startup_offer_modules_request *offer)
{
    struct taking taking = {.offer = offer};
    struct receive_info info;
    enum status status = STATUS_OK;
    memset(&info, 0, sizeof info);
    memset(offer, 0, sizeof *offer);
    while (status == STATUS_OK && !taking.taken)
        status = service_turn(caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, offer_handle, &taking,
                              &info);
    return status;
}

void service_serve(struct caller *caller, enum status started, service_handler *handler,
                   void *state)
{
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status = started;
    while (service_goes_on(status))
        status = service_turn(caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, handler, state, &info);
    kernel_exit(caller, status);
}
