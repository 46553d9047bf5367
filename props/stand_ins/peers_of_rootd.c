/* SPDX-License-Identifier: ISC */
/* See peers_of_rootd.h. Peers check what rootd asks where the real ones would: a second UPDATE, an
 * envelope that names more than was installed are refused here too. */
#include "props/stand_ins/peers_of_rootd_inside.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/formats/boot_image.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "abi/messages/named.h"
#include "abi/messages/procd.h"
#include "abi/messages/startup.h"
#include "abi/formats/cursor.h"
#include "abi/process.h"
#include "props/base/property.h"

struct peers_machine peers_machine;

static bool is_foundation(uint32_t role)
{
    return role_find(role) != NULL && role_find(role)->kind == ROLE_KIND_FOUNDATION;
}

/* --- children --------------------------------------------------------------------------------- */

/* The latest one. */
uint32_t peers_number_of(uint32_t role)
{
    for (uint32_t i = peers_machine.child_count; i-- > 0;) {
        if (peers_machine.children[i].role == role)
            return i;
    }
    return PEERS_CHILD_LIMIT;
}

bool peers_child_is(uint32_t number, enum stand_in_life life)
{
    return stand_in_process(number)->life == life;
}

static void child_add(uint32_t number, uint32_t role)
{
    HARNESS(number < PEERS_CHILD_LIMIT);
    peers_machine.children[number] = (struct peers_child){.role = role};
    if (number >= peers_machine.child_count)
        peers_machine.child_count = number + 1;
}

/* procd makes a child; while it lives, a page of the bootstrap untyped does not come back. */
enum status peers_child_make(uint32_t role, uint32_t *number)
{
    enum status status = stand_in_process_add(peers_machine.bootstrap_untyped.object, 1,
                                              peers_machine.child_count, number);
    if (status == STATUS_OK)
        child_add(*number, role);
    return status;
}

static bool is_driver(const struct peers_child *child)
{
    return role_find(child->role) != NULL && role_find(child->role)->kind == ROLE_KIND_DRIVER;
}

/* What deviced had made ends with it. */
static void drivers_end(void)
{
    for (uint32_t i = 0; i < peers_machine.child_count; i++) {
        if (is_driver(&peers_machine.children[i]) && !peers_child_is(i, STAND_IN_ENDED))
            peers_child_end(i);
    }
}

void peers_child_end(uint32_t number)
{
    struct stand_in_process *process = stand_in_process(number);
    if (peers_machine.children[number].role == ROLE_DEVICED)
        drivers_end();
    stand_in_untyped_give(process->untyped, process->budget_pages);
    process->budget_pages = 0;
    process->life = STAND_IN_ENDED;
}

enum status peers_reply_with(const struct message_type *type, const void *body,
                             struct message *message)
{
    HARNESS(message_encode(type, body, message) == STATUS_OK);
    return STATUS_OK;
}

enum status peers_reply_empty(const struct message_type *type, struct message *message)
{
    uint64_t nothing = 0;
    return peers_reply_with(type, &nothing, message);
}

/* What the start-up unit of the child would find: the envelope names exactly what was installed. */
static bool envelope_is_right(uint32_t number, const struct message *message,
                              struct envelope *envelope)
{
    uint32_t installed_count = stand_in_process(number)->installed_count;
    struct startup_start_service_request request;
    if (message_decode(&startup_start_service_request_type, message, &request) != STATUS_OK ||
        envelope_parse(request.envelope, request.count, envelope) != STATUS_OK ||
        envelope->role != peers_machine.children[number].role ||
        envelope->entry_count != installed_count + 1)
        return false;
    for (uint32_t i = 0; i < installed_count; i++) {
        const struct stand_in_installed *installed = stand_in_installed(number, i);
        const struct envelope_entry *entry = envelope_find(envelope, installed->slot);
        if (entry == NULL || entry->object_type != installed->cap.object_type ||
            entry->rights != installed->cap.rights)
            return false;
    }
    return true;
}

struct peers_manners peers_manners_of(uint32_t role)
{
    for (unsigned i = 0; i < PEERS_MANNERS_LIMIT; i++) {
        if (peers_machine.manners[i].role == role)
            return peers_machine.manners[i];
    }
    return (struct peers_manners){.role = role, .ready = PEERS_READY_RIGHT};
}

/* Nobody answers before the caller gives up. */
static enum status say_nothing(const struct stand_in_call *call)
{
    if (call->deadline_ticks > stand_in_now())
        stand_in_clock_set(call->deadline_ticks);
    return STATUS_TIMED_OUT;
}

/* What a child says itself, TIMED_OUT included. */
static enum status refuse(struct peers_child *child, struct message *message, enum status status)
{
    child->refused = true;
    message_refuse(message, status);
    return STATUS_OK;
}

static enum status start_service(uint32_t number, struct stand_in_call *call)
{
    struct peers_child *child = &peers_machine.children[number];
    struct peers_manners manners = peers_manners_of(child->role);
    struct envelope envelope;
    /* A child that was READY, or is not going to be, is not asked again. */
    PROPERTY(R5, "twice", peers_machine.lied || !(child->ready || child->refused));
    PROPERTY(R5, "late-ask", peers_machine.lied || child->asks == 0 || !peers_time_is_over(child));
    child->asks++;
    child->deadline_ticks = call->deadline_ticks;
    if (!envelope_is_right(number, call->message, &envelope) ||
        manners.ready == PEERS_READY_REFUSED)
        return refuse(child, call->message, STATUS_INVALID_ARGUMENT);
    if (manners.ready == PEERS_READY_LACKS)
        return refuse(child, call->message, STATUS_NOT_FOUND);
    if (manners.ready == PEERS_READY_GIVES_UP)
        return refuse(child, call->message, STATUS_TIMED_OUT);
    if (manners.ready == PEERS_READY_NEVER || manners.ready == PEERS_READY_UNSETTLED ||
        (manners.ready == PEERS_READY_SLOW && child->asks < manners.asks))
        return say_nothing(call);
    if (manners.ready == PEERS_READY_DIES) {
        peers_child_end(number);
        return STATUS_PEER_DIED;
    }
    child->ready = true;
    struct startup_start_service_reply ready = {.role = child->role,
                                                .checked_cap_count = envelope.entry_count};
    ready.role += manners.ready == PEERS_READY_OTHER_ROLE;
    ready.checked_cap_count += manners.ready == PEERS_READY_ONE_MORE;
    ready.checked_cap_count -= manners.ready == PEERS_READY_ONE_LESS;
    return peers_reply_with(&startup_start_service_reply_type, &ready, call->message);
}

/* A program hears once which modules it may start. */
static enum status take_offer(struct peers_child *child, struct message *message)
{
    struct startup_offer_modules_request offer;
    if (message_decode(&startup_offer_modules_request_type, message, &offer) != STATUS_OK ||
        child->offered_count != 0)
        return STATUS_DENIED;
    child->offered_count = offer.count;
    for (uint32_t i = 0; i < offer.count; i++) {
        unsigned row_count = 0;
        const struct startup_module *module = &offer.modules[i];
        peers_check_limits(module->role,
                           (struct process_limits){.page_limit = module->page_limit,
                                                   .budget_pages = module->budget_pages});
        if (role_intake(offer.modules[i].role, &row_count) != NULL)
            return STATUS_INVALID_ARGUMENT; /* it could not be started by anybody */
    }
    return peers_reply_empty(&startup_offer_modules_reply_type, message);
}

/* --- procd ------------------------------------------------------------------------------------ */

/* R3: whoever the config that rootd read says that an entry waits for is READY, or, a program, has
 * ended. */
void peers_check_needs(uint32_t role)
{
    static struct boot_config config;
    if (boot_config_parse(peers_machine.image, (size_t)peers_machine.handoff.modules[0].size_bytes,
                          &config) != STATUS_OK)
        return;
    int entry = boot_config_find(&config, role);
    for (uint32_t i = 0; entry >= 0 && i < config.entries[entry].dependency_count; i++) {
        const struct peers_child *needed = peers_child_of(config.entries[entry].dependencies[i]);
        /* Whoever waits for named finds it sealed, with every row of the table. */
        PROPERTY(R3, "discovery",
                 peers_machine.lied || config.entries[entry].dependencies[i] != ROLE_NAMED ||
                     (peers_machine.sealed && peers_machine.named_bound &&
                      peers_machine.seeded_count == look_up_count));
        PROPERTY(R3, "lines",
                 peers_machine.lied || config.entries[entry].dependencies[i] != ROLE_IRQD ||
                     (peers_machine.lines_sealed && peers_machine.lines_seeded == interrupt_count));
        PROPERTY(R3, "needs", peers_machine.lied || (needed != NULL && needed->ready));
    }
}

static enum status create_staged(struct stand_in_call *call)
{
    struct procd_create_staged_process_request request;
    uint32_t number;
    if (message_decode(&procd_create_staged_process_request_type, call->message, &request) !=
            STATUS_OK ||
        peers_machine.bound == is_foundation(request.role))
        return STATUS_DENIED;
    peers_check_needs(request.role);
    peers_check_limits(request.role,
                       (struct process_limits){request.page_limit, request.budget_pages,
                                               request.child_limit, request.child_pages});
    peers_check_data(request.role, &request.data_offset, request.data_bytes);
    enum status status = peers_child_make(request.role, &number);
    if (status != STATUS_OK)
        return status;
    struct procd_create_staged_process_reply made = {
        .process_id = number, .endpoint_slot = 1, .grant_slot = 1};
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, STAND_IN_CHILD + number);
    call->caps[0].rights = RIGHT_SEND | RIGHT_TRANSFER;
    call->caps[1] = stand_in_cap_to(OBJECT_GRANT, number);
    return peers_reply_with(&procd_create_staged_process_reply_type, &made, call->message);
}

/* A program that heard of its modules ends by itself. */
static enum status wait_event(uint32_t number, struct message *message)
{
    struct procd_wait_process_event_reply ended = {
        .process_id = number, .reason = peers_machine.end_reason, .code = peers_machine.end_code};
    if (peers_child_is(number, STAND_IN_ENDED))
        ended.reason = END_KILLED; /* somebody stopped it */
    if (peers_child_is(number, STAND_IN_RUNNING) &&
        peers_machine.children[number].offered_count == 0)
        return STATUS_TIMED_OUT;
    peers_child_end(number);
    return peers_reply_with(&procd_wait_process_event_reply_type, &ended, message);
}

/* The policy of a role is that of its row. */
static enum status set_policy(struct peers_child *child, struct message *message)
{
    struct procd_set_restart_policy_request request;
    const struct restarts *row = role_restarts(child->role);
    const struct boot_config *config = peers_config();
    int entry = boot_config_find(config, child->role);
    if (row == NULL || entry < 0 ||
        message_decode(&procd_set_restart_policy_request_type, message, &request) != STATUS_OK ||
        request.ready_ticks != config->entries[entry].ready_ticks ||
        request.policy != row->policy || request.critical != row->critical ||
        request.base_delay_ticks != row->base_delay_ticks ||
        request.delay_cap_ticks != row->delay_cap_ticks ||
        request.stable_after_ticks != row->stable_after_ticks ||
        request.window_ticks != row->window_ticks || request.budget_count != row->budget_count)
        return STATUS_INVALID_ARGUMENT;
    child->has_policy = true;
    return peers_reply_empty(&procd_set_restart_policy_reply_type, message);
}

/* What is asked about one process. */
static enum status control_child(uint32_t number, struct message *message)
{
    uint16_t operation = message->header.operation;
    if (operation == OP_PROCD_START_STAGED_PROCESS && peers_child_is(number, STAND_IN_STAGED)) {
        struct procd_start_staged_process_request request;
        if (message_decode(&procd_start_staged_process_request_type, message, &request) !=
            STATUS_OK)
            return STATUS_INVALID_ARGUMENT;
        peers_check_data(peers_machine.children[number].role, NULL, request.argument);
        /* P4: procd knows what becomes of each end before there can be one. */
        PROPERTY(P4, "policy",
                 peers_machine.lied ||
                     peers_machine.children[number].has_policy ==
                         (role_restarts(peers_machine.children[number].role) != NULL));
        stand_in_process(number)->life = STAND_IN_RUNNING;
        peers_child_begins(&peers_machine.children[number]);
        if (peers_manners_of(peers_machine.children[number].role).ready == PEERS_READY_DEAD)
            peers_child_end(number);
        return peers_reply_empty(&procd_start_staged_process_reply_type, message);
    }
    if (operation == OP_PROCD_SET_RESTART_POLICY && peers_child_is(number, STAND_IN_STAGED))
        return set_policy(&peers_machine.children[number], message);
    if (operation == OP_PROCD_STOP_PROCESS) {
        peers_child_end(number);
        return peers_reply_empty(&procd_stop_process_reply_type, message);
    }
    return operation == OP_PROCD_WAIT_PROCESS_EVENT ? wait_event(number, message) : STATUS_BUSY;
}

static enum status procd_answer(struct stand_in_call *call)
{
    struct message *message = call->message;
    uint64_t id;
    memcpy(&id, message->body, sizeof id);
    switch (message->header.operation) {
    case OP_PROCD_CREATE_STAGED_PROCESS:
        return create_staged(call);
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
        if (peers_machine.bound)
            return STATUS_BUSY;
        peers_machine.bound = true;
        return peers_reply_empty(&procd_update_foundation_endpoints_reply_type, message);
    case OP_PROCD_BIND_NAMED: /* once, with the end that was made for it */
        if (peers_machine.named_bound || !peers_machine.sealed)
            return STATUS_BUSY;
        if (peers_machine.bind_unanswered)
            return say_nothing(call);
        peers_machine.named_bound = true;
        return peers_reply_empty(&procd_bind_named_reply_type, message);
    default:
        break;
    }
    if (id == 0 || id >= peers_machine.child_count)
        return STATUS_NOT_FOUND;
    return control_child((uint32_t)id, message);
}

/* --- calls ------------------------------------------------------------------------------------ */

static enum status answer(struct stand_in_call *call)
{
    uint32_t number = call->through.object - STAND_IN_CHILD;
    uint16_t operation = call->message->header.operation;
    call->unheard =
        number >= peers_machine.child_count || !peers_child_is(number, STAND_IN_RUNNING);
    if (call->unheard)
        return STATUS_NOT_FOUND;
    struct peers_child *child = &peers_machine.children[number];
    if (operation == OP_STARTUP_START_SERVICE)
        return start_service(number, call);
    if (child->ready && operation == OP_STARTUP_OFFER_MODULES && child->role >= ROLE_EXTENSION_BASE)
        return take_offer(child, call->message);
    if (child->ready && child->role == ROLE_NAMED)
        return peers_named_answer(call);
    if (child->ready && child->role == ROLE_IRQD)
        return peers_irqd_answer(call);
    if (child->ready && child->role == ROLE_VFSD)
        return peers_vfsd_answer(call);
    if (child->ready && child->role == ROLE_DEVICED)
        return peers_deviced_answer(call);
    return child->ready && child->role == ROLE_PROCD ? procd_answer(call) : STATUS_DENIED;
}

static void asked(const struct stand_in_call *call)
{
    switch (call->message->header.operation) {
    case OP_KERNEL_QUERY_LOCAL_CAP:
    case OP_KERNEL_FRAME_READ:
    case OP_KERNEL_READ_MONOTONIC_CLOCK:
    case OP_KERNEL_LOG_WRITE:
        return;
    default:
        peers_machine.mutation_count++;
        return;
    }
}

/* What rootd made: procd, and the untyped that pays for the foundation services. */
static void answered(const struct stand_in_call *call, enum status status)
{
    if (status != STATUS_OK || call->operation == NULL)
        return;
    if (call->operation->id == OP_KERNEL_CREATE_STAGED_PROCESS)
        child_add(call->caps[0].object, ROLE_PROCD);
    if (call->operation->id == OP_KERNEL_RETYPE) {
        const struct kernel_retype_request *request = call->request;
        if (request->object_type == OBJECT_UNTYPED)
            peers_machine.bootstrap_untyped = stand_in_at(request->target_slot);
    }
}

/* --- begin ------------------------------------------------------------------------------------ */

static enum status image_read(uint64_t offset_bytes, uint32_t count, void *bytes)
{
    if (!range_within(offset_bytes, count, sizeof peers_machine.image))
        return STATUS_OUT_OF_RANGE;
    memcpy(bytes, peers_machine.image + offset_bytes, count);
    return STATUS_OK;
}

static const struct stand_in_peers peers = {
    .image_pages = PEERS_IMAGE_PAGES,
    .image_read = image_read,
    .asked = asked,
    .answered = answered,
    .answer = answer,
};

void peers_of_rootd_begin(uint32_t profile)
{
    memset(&peers_machine, 0, sizeof peers_machine);
    peers_machine.end_reason = END_EXITED;
    peers_describe(profile);
    HARNESS(peers_machine_encode());
    stand_in_begin(&peers);
    stand_in_clock_set(7);
    for (unsigned i = 0; i < boot_cap_count; i++) {
        bool untyped = boot_caps[i].object_type == OBJECT_UNTYPED;
        uint32_t pool = boot_caps[i].slot - SLOT_UNTYPED_BASE;
        uint32_t object =
            untyped ? stand_in_untyped_add(peers_machine.handoff.untyped[pool].pages) : 0;
        struct stand_in_cap cap = stand_in_cap_to(boot_caps[i].object_type, object);
        cap.rights = boot_caps[i].rights;
        stand_in_put(boot_caps[i].slot, cap);
    }
}

void peers_behave(uint32_t role, enum peers_ready ready, unsigned asks)
{
    unsigned i = 0;
    while (peers_machine.manners[i].role != ROLE_NONE && peers_machine.manners[i].role != role)
        i++;
    HARNESS(i < PEERS_MANNERS_LIMIT);
    peers_machine.manners[i] = (struct peers_manners){role, ready, asks};
}

const struct peers_child *peers_child_of(uint32_t role)
{
    uint32_t number = peers_number_of(role);
    return number < PEERS_CHILD_LIMIT ? &peers_machine.children[number] : NULL;
}

bool peers_lives(uint32_t role)
{
    uint32_t number = peers_number_of(role);
    return number < PEERS_CHILD_LIMIT &&
           (peers_child_is(number, STAND_IN_STAGED) || peers_child_is(number, STAND_IN_RUNNING));
}

uint32_t peers_live_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < peers_machine.child_count; i++)
        count += peers_child_is(i, STAND_IN_STAGED) || peers_child_is(i, STAND_IN_RUNNING);
    return count;
}

bool peers_bootstrap_lives(void)
{
    return stand_in_cap_live(&peers_machine.bootstrap_untyped);
}

bool peers_logged(const char *text)
{
    uint32_t count;
    return strstr(stand_in_log(&count), text) != NULL;
}
