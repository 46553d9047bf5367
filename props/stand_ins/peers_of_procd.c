/* SPDX-License-Identifier: ISC */
/* See peers_of_procd.h. */
#include "props/stand_ins/peers_of_procd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "abi/messages/pagerd.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "props/base/property.h"

static struct peers_registration registrations[STAND_IN_PROCESS_LIMIT];
static uint32_t registration_high;
static uint32_t registration_low; /* no place below is free */
static uint32_t registration_count;

static struct {
    uint32_t bootstrap;
    uint64_t deadline_ticks;
    bool abort_can_fail;
    bool kill_can_fail;
} around;

/* --- pagerd ----------------------------------------------------------------------------------- */

const struct peers_registration *peers_registration_find(uint64_t token)
{
    for (uint32_t i = 0; i < registration_high; i++)
        if (registrations[i].token == token)
            return &registrations[i];
    return NULL;
}

uint32_t peers_registration_count(void)
{
    return registration_count;
}

static enum status register_process(const struct stand_in_call *call)
{
    const struct pagerd_register_process_request *request = call->request;
    uint32_t object = stand_in_process_of(call->sent[0].object);
    uint32_t account = (uint32_t)call->sent[1].badge - 1;
    const struct stand_in_process *process = stand_in_process(object);
    PROPERTY_EQUAL(E10, "register", call->sent[1].object, ROLE_MEMD);
    PROPERTY(P2, "register", process->life == STAND_IN_STAGED && request->token != 0);
    PROPERTY_EQUAL(P2, "register", process->token, request->token);
    PROPERTY(P2, "account", peers_account_pays(account, process->untyped));
    while (registration_low < registration_high && registrations[registration_low].token != 0)
        registration_low++;
    HARNESS(registration_low < STAND_IN_PROCESS_LIMIT);
    registration_high += registration_low == registration_high;
    registrations[registration_low] = (struct peers_registration){
        .token = request->token, .process = object, .account = account, .backing = *request};
    registration_count++;
    return STATUS_OK;
}

static enum status unregister_process(uint64_t token)
{
    const struct peers_registration *found = peers_registration_find(token);
    PROPERTY(E10, "unregister", token != 0 && found != NULL);
    uint32_t place = (uint32_t)(found - registrations);
    const struct stand_in_process *process = stand_in_process(found->process);
    PROPERTY(G2, "unregister", process->life == STAND_IN_FREE || process->token != token);
    registrations[place].token = 0;
    registration_low = place < registration_low ? place : registration_low;
    registration_count--;
    return STATUS_OK;
}

/* --- calls ------------------------------------------------------------------------------------ */

static enum status answer(struct stand_in_call *call)
{
    PROPERTY_EQUAL(E5, "deadline", call->deadline_ticks, DEADLINE_NEVER);
    if (call->through.object == ROLE_MEMD)
        return call->through.badge == 0
                   ? peers_memd_administer(call)
                   : peers_memd_answer((uint32_t)call->through.badge - 1, call);
    PROPERTY_EQUAL(E5, "rank", call->through.object, ROLE_PAGERD);
    if (call->operation->id == OP_PAGERD_REGISTER_PROCESS)
        return register_process(call);
    PROPERTY_EQUAL(E5, "rank", call->operation->id, OP_PAGERD_UNREGISTER_PROCESS);
    return unregister_process(
        ((const struct pagerd_unregister_process_request *)call->request)->token);
}

/* What cannot fail by its contract: releases, and looking. */
static bool may_fail(const struct stand_in_call *call)
{
    switch (call->operation->id) {
    case OP_KERNEL_DROP_LOCAL_CAP:
    case OP_KERNEL_QUERY_LOCAL_CAP:
    case OP_KERNEL_RETIRE_PROCESS:
    case OP_KERNEL_EXIT:
    case OP_MEMD_CLOSE_ACCOUNT:
    case OP_PAGERD_UNREGISTER_PROCESS:
        return false;
    case OP_KERNEL_ABORT_STAGED_PROCESS:
        return around.abort_can_fail;
    case OP_KERNEL_KILL_PROCESS:
        return around.kill_can_fail;
    default:
        return true;
    }
}

static enum stand_in_life life_at(uint32_t slot)
{
    return (enum stand_in_life)stand_in_process(stand_in_at(slot).object)->life;
}

static void asked(const struct stand_in_call *call)
{
    const struct kernel_query_local_cap_request *query = call->request;
    const struct kernel_retire_process_request *retire = call->request;
    const struct kernel_register_pager_request *pager = call->request;
    const struct kernel_create_staged_process_request *create = call->request;
    uint32_t object;
    switch (call->operation->id) {
    case OP_KERNEL_QUERY_LOCAL_CAP: /* procd looks at reply capabilities only */
        PROPERTY(E10, "query", stand_in_reply_is_open(query->slot));
        break;
    case OP_KERNEL_CREATE_STAGED_PROCESS:
        PROPERTY(K3, "token", !stand_in_process_find(create->token, &object));
        break;
    case OP_KERNEL_RETIRE_PROCESS:
        PROPERTY(P1, "retire", life_at(retire->process_slot) != STAND_IN_STAGED);
        break;
    case OP_KERNEL_REGISTER_PAGER:
        object = stand_in_at(pager->process_slot).object;
        PROPERTY_EQUAL(P1, "pager", stand_in_process(object)->token, pager->token);
        PROPERTY(P1, "pager",
                 pager->pager_slot == SLOT_NULL ||
                     stand_in_at(pager->pager_slot).object == ROLE_PAGERD);
        break;
    default:
        break;
    }
}

/* What kernel control may answer to one who keeps its books right. */
static bool may_say(uint16_t id, enum status status)
{
    switch (id) {
    case OP_KERNEL_CREATE_STAGED_PROCESS:
    case OP_KERNEL_RETYPE:
        return status == STATUS_OK || status == STATUS_EXHAUSTED;
    case OP_KERNEL_FRAME_READ:
        return status == STATUS_OK || status == STATUS_OUT_OF_RANGE;
    case OP_KERNEL_KILL_PROCESS: /* it ended by itself a moment ago */
    case OP_KERNEL_DROP_LOCAL_CAP:
        return status == STATUS_OK || status == STATUS_NOT_FOUND;
    case OP_KERNEL_RETIRE_PROCESS: /* it could not be killed */
        return status == STATUS_OK || status == STATUS_BUSY;
    case OP_KERNEL_EXIT:
        return true;
    default:
        return status == STATUS_OK;
    }
}

static void answered(const struct stand_in_call *call, enum status status)
{
    bool control = call->operation->service == SERVICE_KERNEL;
    PROPERTY(P1, "kernel-control",
             call->failed || !control || may_say(call->operation->id, status));
}

static void receives(uint32_t slot, uint64_t deadline_ticks)
{
    if (slot == SLOT_SERVICE_ENDPOINT)
        around.deadline_ticks = deadline_ticks;
    else
        PROPERTY(P7, "poll", slot == SLOT_PROCD_DRIVER_ENDPOINT && deadline_ticks == DEADLINE_POLL);
}

/* --- begin ------------------------------------------------------------------------------------ */

static const struct stand_in_peers peers = {
    .strict = true,
    .image_pages = UINT32_MAX, /* a module is as long as the request says */
    .image_read = peers_image_read,
    .may_fail = may_fail,
    .asked = asked,
    .answered = answered,
    .answer = answer,
    .receives = receives,
};

static void put_start(uint32_t slot, uint32_t type, uint32_t rights, uint32_t object)
{
    struct stand_in_cap cap = stand_in_cap_to(type, object);
    cap.rights = rights;
    stand_in_put(slot, cap);
}

void peers_of_procd_begin(void)
{
    memset(registrations, 0, registration_high * sizeof registrations[0]);
    registration_high = registration_low = registration_count = 0;
    memset(&around, 0, sizeof around);
    stand_in_begin(&peers);
    peers_memd_begin(PEERS_PROCD_MEMORY_PAGES);
    around.bootstrap = stand_in_untyped_add(PEERS_PROCD_BOOTSTRAP_PAGES);
    put_start(SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0);
    put_start(SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT, ROLE_PROCD);
    put_start(SLOT_IMAGE, OBJECT_IMAGE, RIGHT_READ | RIGHT_EXECUTE | RIGHT_MAP, 0);
    put_start(SLOT_BOOTSTRAP_UNTYPED, OBJECT_UNTYPED, RIGHT_CONTROL, around.bootstrap);
    put_start(SLOT_PROCD_DRIVER_ENDPOINT, OBJECT_ENDPOINT, RIGHT_RECEIVE, ROLE_PROCD);
    put_start(SLOT_KERNEL_PROCESS_ENDPOINT, OBJECT_KERNEL_PROCESS, RIGHT_CONTROL, 0);
    HARNESS(stand_in_slot_count() == PEERS_PROCD_START_SLOTS);
}

uint32_t peers_of_procd_bootstrap(void)
{
    return around.bootstrap;
}

void peers_of_procd_ends_can_fail(bool abort, bool kill)
{
    around.abort_can_fail = abort;
    around.kill_can_fail = kill;
}

/* --- messages --------------------------------------------------------------------------------- */

void peers_of_procd_deliver(uint32_t endpoint_slot, const struct message *message)
{
    static const uint32_t services[] = {ROLE_MEMD, ROLE_VSPACED, ROLE_PAGERD};
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        const struct message_cap *descriptor = &message->caps[i];
        uint32_t type = descriptor->object_type == OBJECT_NONE ? (uint32_t)OBJECT_ENDPOINT
                                                               : descriptor->object_type;
        uint32_t field = descriptor->field_offset / 4u; /* of UPDATE_FOUNDATION_ENDPOINTS */
        caps[i] = (struct stand_in_cap){
            .object_type = type,
            .rights = descriptor->rights,
            .object = type == OBJECT_ENDPOINT && field < 3 ? services[field] : STAND_IN_ELSEWHERE,
        };
    }
    stand_in_deliver(endpoint_slot, message, caps);
}

void peers_of_procd_deliver_event(uint64_t token)
{
    struct event_process_terminated_request event;
    struct message message;
    memset(&message, 0, sizeof message);
    HARNESS(stand_in_process_event(token, &event));
    HARNESS(message_encode(&event_process_terminated_request_type, &event, &message) == STATUS_OK);
    message.header.badge = BADGE_KERNEL;
    stand_in_deliver_event(SLOT_SERVICE_ENDPOINT, &message);
}

uint64_t peers_of_procd_deadline(void)
{
    return around.deadline_ticks;
}
