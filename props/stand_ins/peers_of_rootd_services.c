/* SPDX-License-Identifier: ISC */
/* named, irqd, vfsd and deviced as rootd meets them: entries and an end for procd; lines; mounts; bindings, and
 * drivers that behave as the machine's manners say. */
#include <string.h>

#include "props/stand_ins/peers_of_rootd_inside.h"

#include "abi/codec.h"
#include "abi/messages/deviced.h"
#include "abi/messages/irqd.h"
#include "abi/messages/named.h"
#include "abi/messages/vfsd.h"
#include "props/base/property.h"

/* --- named ------------------------------------------------------------------------------------ */

/* For procd, which runs before named does, and for drivers, which get theirs from deviced. */
static enum status mint_end(struct stand_in_call *call)
{
    struct named_mint_end_request request;
    struct named_mint_end_reply reply = {.end_slot = 1};
    if (message_decode(&named_mint_end_request_type, call->message, &request) != STATUS_OK ||
        (request.role != ROLE_PROCD &&
         (role_find(request.role) == NULL || role_find(request.role)->kind != ROLE_KIND_DRIVER)))
        return STATUS_INVALID_ARGUMENT;
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, call->through.object);
    call->caps[0].rights = RIGHT_SEND | RIGHT_TRANSFER;
    call->caps[0].badge = request.role;
    return peers_reply_with(&named_mint_end_reply_type, &reply, call->message);
}

/* named hears the rows of the table in their order, each once, and then that these are all. */
enum status peers_named_answer(struct stand_in_call *call)
{
    struct named_seed_entry_request request;
    struct message *message = call->message;
    if (peers_machine.sealed || call->through.badge != 0)
        return STATUS_DENIED;
    if (message->header.operation == OP_NAMED_SEAL) {
        struct named_seal_reply reply = {.entry_count = peers_machine.seeded_count};
        peers_machine.sealed = true;
        return peers_reply_with(&named_seal_reply_type, &reply, message);
    }
    if (message->header.operation == OP_NAMED_MINT_END)
        return mint_end(call);
    if (message->header.operation != OP_NAMED_SEED_ENTRY ||
        message_decode(&named_seed_entry_request_type, message, &request) != STATUS_OK ||
        peers_machine.seeded_count == look_up_count)
        return STATUS_DENIED;
    const struct look_up *row = &look_up_table[peers_machine.seeded_count];
    if (request.service_role != row->service || request.client_role != row->client)
        return STATUS_INVALID_ARGUMENT;
    peers_machine.seeded_count++;
    return peers_reply_empty(&named_seed_entry_reply_type, message);
}

/* --- irqd ------------------------------------------------------------------------------------- */

/* The rows of the table in their order, each once, and then that these are all. */
enum status peers_irqd_answer(struct stand_in_call *call)
{
    struct irqd_seed_handler_request request;
    struct message *message = call->message;
    if (peers_machine.lines_sealed || call->through.badge != 0)
        return STATUS_DENIED;
    if (message->header.operation == OP_IRQD_SEAL) {
        struct irqd_seal_reply reply = {.seed_count = peers_machine.lines_seeded +
                                                      peers_machine.lines_of_others};
        peers_machine.lines_sealed = true;
        return peers_reply_with(&irqd_seal_reply_type, &reply, message);
    }
    if (message->header.operation != OP_IRQD_SEED_HANDLER ||
        message_decode(&irqd_seed_handler_request_type, message, &request) != STATUS_OK ||
        peers_machine.lines_seeded == interrupt_count)
        return STATUS_DENIED;
    const struct interrupt_row *row = &interrupt_table[peers_machine.lines_seeded];
    if (request.line != row->line || request.role != row->role)
        return STATUS_INVALID_ARGUMENT;
    peers_machine.lines_seeded++;
    return peers_reply_empty(&irqd_seed_handler_reply_type, message);
}

/* --- vfsd ------------------------------------------------------------------------------------- */

/* Whether a request is the row. */
static bool is_row(const struct vfsd_seed_mount_request *request,
                   const struct boot_config_mount *row)
{
    uint32_t source_count = (uint32_t)strlen(row->source);
    uint32_t path_count = (uint32_t)strlen(row->path);
    return request->provider_role == row->provider_role &&
           request->flags == (row->flags != 0 ? VFSD_MOUNT_READ_ONLY : 0u) &&
           request->source_count == source_count && request->count == source_count + path_count &&
           memcmp(request->source_and_path, row->source, source_count) == 0 &&
           memcmp(request->source_and_path + source_count, row->path, path_count) == 0;
}

/* The next row whose provider is there. */
static const struct boot_config_mount *next_row(const struct boot_config *config)
{
    while (peers_machine.mounts_seeded < config->mount_count) {
        const struct boot_config_mount *row = &config->mounts[peers_machine.mounts_seeded];
        const struct peers_child *provider = peers_child_of(row->provider_role);
        if (provider != NULL && provider->ready && peers_lives(row->provider_role))
            return row;
        peers_machine.mounts_seeded++;
    }
    return NULL;
}

/* The rows of the config in their order, each once, but for those whose provider was passed over;
 * then that these are all, of which one is "/". */
enum status peers_vfsd_answer(struct stand_in_call *call)
{
    struct vfsd_seed_mount_request request;
    struct message *message = call->message;
    const struct boot_config_mount *row = next_row(peers_config());
    if (peers_machine.mounts_sealed || call->through.badge != 0)
        return STATUS_DENIED;
    if (message->header.operation == OP_VFSD_SEAL) {
        struct vfsd_seal_reply reply = {.mount_count = peers_machine.mount_count +
                                                       peers_machine.mounts_of_others};
        PROPERTY(R3, "mounts", peers_machine.lied || row == NULL);
        if (!peers_machine.mounts_have_root)
            return STATUS_NOT_FOUND;
        peers_machine.mounts_sealed = true;
        return peers_reply_with(&vfsd_seal_reply_type, &reply, message);
    }
    if (message->header.operation != OP_VFSD_SEED_MOUNT || row == NULL ||
        message_decode(&vfsd_seed_mount_request_type, message, &request) != STATUS_OK)
        return STATUS_DENIED;
    if (!is_row(&request, row))
        return STATUS_INVALID_ARGUMENT;
    peers_machine.mounts_have_root |= strcmp(row->path, "/") == 0;
    peers_machine.mounts_seeded++;
    peers_machine.mount_count++;
    return peers_reply_empty(&vfsd_seed_mount_reply_type, message);
}

/* --- deviced ---------------------------------------------------------------------------------- */

/* A driver's end of named carries its role, and comes exactly when its rows have one (D1). */
static void check_named(const struct deviced_seed_binding_request *request)
{
    struct stand_in_cap end = stand_in_at(request->named_slot);
    bool holds = role_holds_peer(role_find(request->role), ROLE_NAMED);
    PROPERTY(D1, "named", peers_machine.lied || holds == (request->named_slot != SLOT_NULL));
    PROPERTY(D1, "badge", peers_machine.lied || !holds || end.badge == request->role);
    peers_machine.named_end_count += holds;
}

/* The handoff as rootd read it, which the input may have bent. */
static const struct handoff *read_handoff(void)
{
    static struct handoff handoff;
    memset(&handoff, 0, sizeof handoff);
    (void)handoff_parse(peers_machine.handoff_bytes, peers_machine.handoff_size, &handoff);
    return &handoff;
}

/* Each driver that the machine has, once, with its module. */
static enum status seed_binding(struct message *message)
{
    struct deviced_seed_binding_request request;
    if (peers_machine.bindings_sealed ||
        message_decode(&deviced_seed_binding_request_type, message, &request) != STATUS_OK)
        return STATUS_DENIED;
    const struct handoff *handoff = read_handoff();
    int at = handoff_find(handoff, role_find(request.role)->image);
    PROPERTY(R3, "module",
             peers_machine.lied ||
                 (at >= 0 && handoff->modules[at].offset_bytes == request.image_offset));
    peers_check_limits(request.role, (struct process_limits){.page_limit = request.page_limit,
                                                             .budget_pages = request.budget_pages});
    check_named(&request);
    peers_machine.bound_count++;
    return peers_reply_empty(&deviced_seed_binding_reply_type, message);
}

const struct boot_config *peers_config(void)
{
    static struct boot_config config;
    const struct handoff *handoff = read_handoff();
    memset(&config, 0, sizeof config);
    if (handoff->module_count != 0)
        (void)boot_config_parse(peers_machine.image, (size_t)handoff->modules[0].size_bytes,
                                &config);
    return &config;
}

void peers_check_limits(uint32_t role, struct process_limits limits)
{
    static const struct process_limits none;
    peers_machine.limited_count += memcmp(&limits, &none, sizeof none) != 0;
    if (peers_machine.lied)
        return;
    struct process_limits stated = boot_config_limits(peers_config(), role);
    PROPERTY_EQUAL(R3, "page_limit", limits.page_limit, stated.page_limit);
    PROPERTY_EQUAL(R3, "budget_pages", limits.budget_pages, stated.budget_pages);
    PROPERTY_EQUAL(R3, "child_limit", limits.child_limit, stated.child_limit);
    PROPERTY_EQUAL(R3, "child_pages", limits.child_pages, stated.child_pages);
}

void peers_check_data(uint32_t role, const uint64_t *offset_bytes, uint64_t size_bytes)
{
    static struct handoff handoff;
    const struct role *row = role_find(role);
    if (peers_machine.lied || row == NULL ||
        handoff_parse(peers_machine.handoff_bytes, peers_machine.handoff_size, &handoff) !=
            STATUS_OK)
        return;
    int at = role == ROLE_IMAGEFSD ? handoff_find(&handoff, "files") : -1;
    if (offset_bytes != NULL)
        PROPERTY_EQUAL(R3, "data", *offset_bytes, at < 0 ? 0 : handoff.modules[at].offset_bytes);
    PROPERTY_EQUAL(R3, "data", size_bytes, at < 0 ? 0 : handoff.modules[at].size_bytes);
}

void peers_child_begins(struct peers_child *child)
{
    const struct boot_config *config = peers_config();
    int entry = boot_config_find(config, child->role);
    child->begun_ticks = stand_in_now();
    child->ready_ticks = entry < 0 ? 1 : config->entries[entry].ready_ticks;
}

bool peers_time_is_over(const struct peers_child *child)
{
    return child->deadline_ticks >= child->begun_ticks + child->ready_ticks;
}

static enum status start_driver(struct message *message)
{
    struct deviced_start_driver_request request;
    uint32_t number;
    if (message_decode(&deviced_start_driver_request_type, message, &request) != STATUS_OK)
        return STATUS_DENIED;
    peers_check_needs(request.role);
    enum status status = peers_child_make(request.role, &number);
    if (status != STATUS_OK)
        return status;
    stand_in_process(number)->life = STAND_IN_RUNNING;
    peers_child_begins(&peers_machine.children[number]);
    return peers_reply_empty(&deviced_start_driver_reply_type, message);
}

/* Why its launch has failed; TIMED_OUT: not yet. */
static enum status driver_status(const struct peers_child *child)
{
    struct peers_manners manners = peers_manners_of(child->role);
    switch (manners.ready) {
    case PEERS_READY_RIGHT:
        return STATUS_OK;
    case PEERS_READY_SLOW:
        return child->asks < manners.asks ? STATUS_TIMED_OUT : STATUS_OK;
    case PEERS_READY_UNSETTLED:
        return manners.asks == 0 || child->asks < manners.asks ? STATUS_TIMED_OUT : STATUS_OK;
    case PEERS_READY_REFUSED:
        return STATUS_INVALID_ARGUMENT;
    case PEERS_READY_DIES:
    case PEERS_READY_DEAD:
        return STATUS_PEER_DIED;
    case PEERS_READY_LACKS:
        return STATUS_NOT_FOUND;
    case PEERS_READY_NEVER:
    case PEERS_READY_GIVES_UP:
        return STATUS_TIMED_OUT;
    case PEERS_READY_OTHER_ROLE:
    case PEERS_READY_ONE_MORE:
    case PEERS_READY_ONE_LESS:
    case PEERS_READY_COUNT:
        break;
    }
    return STATUS_INTERNAL;
}

/* deviced asks a driver for a slice before it answers again, which are longer later on. */
static enum status read_driver(uint32_t number, struct message *message)
{
    enum { SLICE = 10, SLICES_GROW = 4 };
    struct peers_child *child = &peers_machine.children[number];
    struct deviced_read_driver_reply reply = {.state = DRIVER_READY, .process_id = number};
    child->asks++;
    stand_in_clock_set(stand_in_now() + SLICE * (child->asks < SLICES_GROW ? 1 : 8));
    enum status status = driver_status(child);
    bool over = stand_in_now() >= child->begun_ticks + child->ready_ticks &&
                peers_manners_of(child->role).ready != PEERS_READY_UNSETTLED;
    child->ready = status == STATUS_OK;
    if (status == STATUS_TIMED_OUT && !over)
        reply.state = DRIVER_STARTING;
    else if (status != STATUS_OK)
        reply.state = DRIVER_FAILED;
    if (reply.state == DRIVER_FAILED) {
        reply.cause = status;
        peers_child_end(number);
    }
    return peers_reply_with(&deviced_read_driver_reply_type, &reply, message);
}

/* rootd keeps no end of named that it had minted for a driver (D1). */
static void check_given(void)
{
    for (uint32_t i = 0; i < BOOT_CONFIG_ENTRY_LIMIT; i++)
        PROPERTY(D1, "given", peers_machine.lied || stand_in_slot_empty(ROOTD_SLOT_NAMED_BASE + i));
}

static enum status seal_bindings(struct message *message)
{
    check_given();
    struct deviced_seal_reply reply = {.binding_count = peers_machine.bound_count};
    peers_machine.bindings_sealed = true;
    return peers_reply_with(&deviced_seal_reply_type, &reply, message);
}

enum status peers_deviced_answer(struct stand_in_call *call)
{
    struct message *message = call->message;
    struct deviced_read_driver_request request;
    if (call->through.badge != 0)
        return STATUS_DENIED;
    if (message->header.operation == OP_DEVICED_SEED_BINDING)
        return seed_binding(message);
    if (message->header.operation == OP_DEVICED_START_DRIVER)
        return start_driver(message);
    if (message->header.operation == OP_DEVICED_SEAL)
        return seal_bindings(message);
    if (message_decode(&deviced_read_driver_request_type, message, &request) != STATUS_OK)
        return STATUS_DENIED;
    uint32_t number = peers_number_of(request.role);
    if (number == PEERS_CHILD_LIMIT)
        return STATUS_NOT_FOUND;
    if (message->header.operation == OP_DEVICED_READ_DRIVER)
        return read_driver(number, message);
    if (!peers_child_is(number, STAND_IN_ENDED))
        peers_child_end(number);
    return peers_reply_empty(&deviced_stop_driver_reply_type, message);
}
