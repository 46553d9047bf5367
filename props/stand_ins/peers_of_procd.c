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
#include "abi/messages/procd.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "props/base/property.h"

static struct {
    uint32_t bootstrap;
    uint64_t deadline_ticks; /* of the last RECV on the bootstrap endpoint */
    uint64_t driver_ticks;   /* the clock at the last one on the driver endpoint */
    uint64_t turn_ticks;     /* the clock when the message at work came */
    uint64_t patience_ticks; /* the deadline of the last call of memd or pagerd since */
    uint64_t patience_token; /* the process that calls until then are about; 0: not known */
    uint64_t slow_ticks;     /* how long memd and pagerd take for an answer */
    uint32_t parked_count;   /* what pagerd says when a process is unregistered */
    uint32_t call_count;     /* since the turn began */
    uint32_t woken_count;    /* RESOLVE_FAULTs in this turn */
    bool told_parked;        /* pagerd said that fills are parked */
    bool wakes;              /* ... and memory came back since */
    uint32_t refused_count;  /* releases that were refused in this turn */
    bool garbles;            /* the next answer of a peer makes no sense */
    bool garbled;
    enum peers_work work;
    uint64_t asked_token; /* of the process that the request is about */
    struct peers_failure failure;
    bool in_request; /* what is called now is the request's own doing, and not a release */
    bool fresh;      /* nothing was called since the last RECV */
    bool peer_lost;
    bool noticed;            /* a SET_NOTICE has moved its endpoint, or tried to */
    bool in_restart;         /* what is called now makes another life */
    uint64_t released_token; /* the process that RETIRE or ABORT names */
    struct peers_restarts restarts;
    uint64_t request_id;
    uint32_t pending_slot;
} around;

/* --- pagerd ----------------------------------------------------------------------------------- */

/* Fills are parked: somebody waits for memory, and memory came back. */
static enum status resolve_fault(const struct pagerd_resolve_fault_request *request)
{
    PROPERTY(G5, "wake", request->fault_id == 0 && request->action == RESOLVE_RETRY);
    PROPERTY(G5, "wake", around.parked_count != 0);
    around.woken_count++;
    return STATUS_OK;
}

/* --- calls ------------------------------------------------------------------------------------ */

static enum status pagerd_answer(struct stand_in_call *call)
{
    struct pagerd_unregister_process_reply *reply = call->reply;
    const struct pagerd_unregister_process_request *request = call->request;
    enum status status;
    switch (call->operation->id) {
    case OP_PAGERD_REGISTER_PROCESS:
        return peers_register_process(call);
    case OP_PAGERD_UNREGISTER_PROCESS:
        reply->parked_count = around.parked_count;
        status = peers_unregister_process(request->token); /* a refusal says nothing */
        around.told_parked |= status == STATUS_OK && around.parked_count != 0;
        return status;
    case OP_PAGERD_RESOLVE_FAULT:
        return resolve_fault(call->request);
    case OP_PAGERD_GIVE_PAGE:
        return peers_give_page(call);
    default:
        PROPERTY(E5, "rank", false);
    }
}

static bool is_release(const struct stand_in_call *call)
{
    uint16_t id = call->operation->id;
    return call->operation->service == SERVICE_MEMD
               ? id == OP_MEMD_CLOSE_ACCOUNT
               : id == OP_PAGERD_UNREGISTER_PROCESS || id == OP_PAGERD_RESOLVE_FAULT;
}

/* The process that is given back; 0: another call. */
static uint64_t given_back(const struct stand_in_call *call)
{
    const struct pagerd_unregister_process_request *unregister = call->request;
    const struct memd_close_account_request *close = call->request;
    if (!is_release(call) || call->operation->id == OP_PAGERD_RESOLVE_FAULT)
        return 0;
    return call->operation->service == SERVICE_MEMD ? close->key & ~PEERS_PROCD_MOULD
                                                    : unregister->token;
}

/* Every call has a deadline in the future. One message has so long for all of its calls, and so has
 * one step after it, which is about one process, from when those of the message are over. */
static void check_deadline(const struct stand_in_call *call, uint64_t now_ticks)
{
    uint64_t token = given_back(call);
    PROPERTY(P12, "deadline", call->deadline_ticks > now_ticks);
    if (call->deadline_ticks != around.patience_ticks) {
        PROPERTY_EQUAL(P12, "deadline", call->deadline_ticks,
                       around.patience_ticks + PEERS_PROCD_PATIENCE_TICKS);
        PROPERTY(P12, "steps",
                 call->deadline_ticks <= around.turn_ticks + 2 * PEERS_PROCD_PATIENCE_TICKS);
        around.patience_ticks = call->deadline_ticks;
        around.patience_token = 0;
    }
    PROPERTY(P12, "shared",
             token == 0 || around.patience_token == 0 || token == around.patience_token);
    around.patience_token = token == 0 ? around.patience_token : token;
}

static enum status answer(struct stand_in_call *call)
{
    uint64_t now_ticks = stand_in_now();
    if (peers_witness_of(call) != 0)
        return peers_witness_answer(call, peers_witness_of(call));
    if (peers_notice_is(call))
        return peers_notice_answer(call);
    if (call->operation == NULL)
        return peers_child_answer(call);
    check_deadline(call, now_ticks);
    PROPERTY(P12, "lost", !around.peer_lost);
    bool hangs = around.slow_ticks >= call->deadline_ticks - now_ticks;
    stand_in_clock_set(hangs ? call->deadline_ticks : now_ticks + around.slow_ticks);
    PROPERTY(E5, "rank", call->through.object == ROLE_MEMD || call->through.object == ROLE_PAGERD);
    enum status status =
        call->through.object == ROLE_MEMD ? peers_accounts_answer(call) : pagerd_answer(call);
    if (hangs)
        return STATUS_TIMED_OUT;
    bool garbled = status == STATUS_OK && around.garbles && !is_release(call);
    around.garbles = around.garbles && !garbled;
    around.garbled = garbled;
    return garbled ? STATUS_INTERNAL : status;
}

/* Looking never fails, nor does what ends all; emptying the receive window is its loop's business. */
static bool may_fail(const struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *drop = call->request;
    if (peers_witness_of(call) != 0 || peers_notice_is(call))
        return false; /* these have modes of their own */
    if (call->operation == NULL || call->operation->service != SERVICE_KERNEL)
        return true;
    switch (call->operation->id) {
    case OP_KERNEL_EXIT:
    case OP_KERNEL_QUERY_LOCAL_CAP:
        return false;
    case OP_KERNEL_DROP_LOCAL_CAP:
        return drop->slot < SLOT_RECEIVE_BASE ||
               drop->slot >= SLOT_RECEIVE_BASE + SLOT_RECEIVE_COUNT;
    default:
        return true;
    }
}

static uint64_t token_at(uint32_t slot)
{
    struct stand_in_cap cap = stand_in_at(slot);
    return cap.object_type == OBJECT_PROCESS ? stand_in_process(cap.object)->token : 0;
}

static bool is_kernel(const struct stand_in_call *call, uint16_t id)
{
    return call->operation->service == SERVICE_KERNEL && call->operation->id == id;
}

static bool ends_asked(const struct stand_in_call *call)
{
    const struct kernel_retire_process_request *named = call->request; /* all three name it first */
    bool ends = is_kernel(call, OP_KERNEL_KILL_PROCESS) ||
                is_kernel(call, OP_KERNEL_RETIRE_PROCESS) ||
                is_kernel(call, OP_KERNEL_ABORT_STAGED_PROCESS);
    return ends && token_at(named->process_slot) == around.asked_token;
}

static bool binds(const struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *drop = call->request;
    return is_kernel(call, OP_KERNEL_MOVE_LOCAL_CAP) ||
           (is_kernel(call, OP_KERNEL_DROP_LOCAL_CAP) &&
            (drop->slot == SLOT_BOOTSTRAP_UNTYPED || drop->slot == SLOT_PEER_NAMED));
}

/* Whether a call is what the request asks for. The others give something back, which only stays
 * owed when it is refused. */
static bool is_own(const struct stand_in_call *call)
{
    if (!around.in_request || around.failure.count != 0)
        return false;
    switch (around.work) {
    case PEERS_MAKING:
    case PEERS_SENDING:
        return true;
    case PEERS_ENDING:
        return ends_asked(call);
    case PEERS_BINDING:
        return binds(call);
    case PEERS_NOTICING: /* until the new endpoint is in its place */
        return !around.noticed && (is_kernel(call, OP_KERNEL_MOVE_LOCAL_CAP) ||
                                   is_kernel(call, OP_KERNEL_DROP_LOCAL_CAP));
    case PEERS_READING:
        return is_kernel(call, OP_KERNEL_READ_PROCESS_SLOT);
    case PEERS_NOTHING:
        break;
    }
    return false;
}

static enum stand_in_life life_at(uint32_t slot)
{
    return (enum stand_in_life)stand_in_process(stand_in_at(slot).object)->life;
}

static void count_call(void)
{
    if (around.fresh)
        around.turn_ticks = around.patience_ticks = stand_in_now();
    around.fresh = false;
    around.call_count++;
}

static void asked(const struct stand_in_call *call)
{
    if (peers_witness_of(call) != 0 || peers_notice_is(call))
        return;
    count_call();
    if (call->operation == NULL)
        return;
    const struct kernel_query_local_cap_request *query = call->request;
    const struct kernel_retire_process_request *retire = call->request;
    const struct kernel_register_pager_request *pager = call->request;
    const struct kernel_create_staged_process_request *create = call->request;
    uint32_t object;
    /* A module is read when a process is made of it: for a request, or for another life. */
    bool requested = around.in_request && around.work == PEERS_MAKING;
    if (is_kernel(call, OP_KERNEL_FRAME_READ) && !requested)
        around.in_restart = true;
    switch (call->operation->id) {
    case OP_KERNEL_QUERY_LOCAL_CAP: /* procd looks at reply capabilities only */
        PROPERTY(E10, "query", stand_in_reply_is_open(query->slot));
        break;
    case OP_KERNEL_CREATE_STAGED_PROCESS:
        PROPERTY(K3, "token", !stand_in_process_find(create->token, &object));
        break;
    case OP_KERNEL_ABORT_STAGED_PROCESS:
        around.released_token = token_at(retire->process_slot);
        around.in_request = around.in_request && around.work != PEERS_SENDING; /* it is over */
        break;
    case OP_KERNEL_RETIRE_PROCESS:
        around.released_token = token_at(retire->process_slot);
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
    case OP_KERNEL_READ_PROCESS_SLOT:
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

static bool is_mould(const struct stand_in_call *call)
{
    const struct memd_close_account_request *close = call->request;
    return (close->key & PEERS_PROCD_MOULD) != 0;
}

/* Who waits for memory is told when some came back with a process, but not for its mould alone. */
static void note_memory(const struct stand_in_call *call, enum status status)
{
    const struct memd_close_account_reply *closed = call->reply;
    bool memd = call->operation->service == SERVICE_MEMD;
    if (memd && call->operation->id == OP_MEMD_CLOSE_ACCOUNT && status == STATUS_OK)
        around.wakes |= around.told_parked && closed->left_accounts == 0 && !is_mould(call);
    if (!memd && call->operation->id == OP_PAGERD_RESOLVE_FAULT)
        around.told_parked = around.wakes = false;
}

/* Whether the kernel took a process back, by RETIRE, or by ABORT, which counts as one. What could not
 * be killed is BUSY. */
static void note_process(const struct stand_in_call *call, enum status status)
{
    if (is_kernel(call, OP_KERNEL_RETIRE_PROCESS) ||
        is_kernel(call, OP_KERNEL_ABORT_STAGED_PROCESS))
        peers_refusals_note(operation_find(SERVICE_KERNEL, OP_KERNEL_RETIRE_PROCESS),
                            around.released_token, call->failed || status == STATUS_BUSY);
}

/* The last word on each release. */
static void note_release(const struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *drop = call->request;
    const struct operation *operation = call->operation;
    uint64_t name = 0;
    if (is_kernel(call, OP_KERNEL_DROP_LOCAL_CAP))
        name = drop->slot;
    else if (operation->service != SERVICE_KERNEL && is_release(call))
        memcpy(&name, call->request, sizeof name); /* key and token come first */
    if (name != 0)
        peers_refusals_note(operation, name, call->failed);
}

/* A restart that met a failure is undone from here on. */
static void note_restart(const struct stand_in_call *call)
{
    if (!around.in_restart || !(call->failed || call->lost || around.garbled))
        return;
    around.restarts.unread_count += is_kernel(call, OP_KERNEL_FRAME_READ);
    around.restarts.unmade |= !is_kernel(call, OP_KERNEL_FRAME_READ);
    around.in_restart = false;
}

/* Of named that is BIND_NAMED's business. */
static void note_uncleared(const struct kernel_drop_local_cap_request *drop)
{
    if (peers_witness_is_slot(drop->slot) && drop->slot != SLOT_PEER_NAMED)
        peers_witness_uncleared(drop->slot);
}

/* What failed, whose doing that was, and what comes of it. */
static void note(const struct stand_in_call *call, enum status status)
{
    bool peer = call->operation->service != SERVICE_KERNEL;
    if (peer)
        note_memory(call, status);
    note_release(call);
    note_process(call, status);
    if (call->failed && is_kernel(call, OP_KERNEL_DROP_LOCAL_CAP))
        note_uncleared(call->request);
    bool silent = peer && !call->said && (status == STATUS_TIMED_OUT || status == STATUS_PEER_DIED);
    if (call->failed && silent && status == STATUS_TIMED_OUT)
        stand_in_clock_set(call->deadline_ticks);
    if (silent) {
        around.peer_lost = true;
        stand_in_fail_pause(true); /* procd ends everything, and that cannot fail */
    }
    if ((call->failed || call->lost || around.garbled) && is_own(call))
        around.failure = (struct peers_failure){1, status, call->operation->id};
    else if (call->failed)
        around.refused_count++;
    around.noticed |= is_kernel(call, OP_KERNEL_MOVE_LOCAL_CAP);
    note_restart(call);
    around.garbled = false;
    bool makes = around.work == PEERS_MAKING || around.work == PEERS_SENDING;
    if (makes && status != STATUS_OK)
        around.in_request = false; /* what follows takes it back */
}

static void answered(const struct stand_in_call *call, enum status status)
{
    if (peers_witness_of(call) != 0) {
        peers_witness_answered(call, status);
        return;
    }
    if (peers_notice_is(call)) {
        peers_notice_answered(status);
        return;
    }
    if (call->operation == NULL) {
        peers_child_answered(call, status);
        return;
    }
    bool control = call->operation->service == SERVICE_KERNEL;
    PROPERTY(P1, "kernel-control",
             call->failed || !control || may_say(call->operation->id, status));
    note(call, status);
}

static void receives(uint32_t slot, uint64_t deadline_ticks)
{
    around.fresh = true;
    around.in_restart = false;
    around.in_request = around.pending_slot == slot && stand_in_delivery_pending();
    if (slot == SLOT_SERVICE_ENDPOINT) {
        around.deadline_ticks = deadline_ticks;
        return;
    }
    PROPERTY(P7, "poll", slot == SLOT_PROCD_DRIVER_ENDPOINT && deadline_ticks == DEADLINE_POLL);
    around.driver_ticks = stand_in_now();
}

static void replied(uint32_t reply_slot, const struct message *message, enum status status)
{
    (void)reply_slot;
    (void)status;
    if (message->header.request_id != around.request_id)
        return;
    around.in_request = false;
    PROPERTY(P12, "answered",
             around.fresh || stand_in_now() <= around.turn_ticks + PEERS_PROCD_PATIENCE_TICKS);
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
    .replied = replied,
};

static void put_start(uint32_t slot, uint32_t type, uint32_t rights, uint32_t object)
{
    struct stand_in_cap cap = stand_in_cap_to(type, object);
    cap.rights = rights;
    stand_in_put(slot, cap);
}

void peers_of_procd_begin(void)
{
    peers_registrations_begin();
    peers_of_procd_child(PEERS_CHILD_READY);
    peers_refusals_begin();
    memset(&around, 0, sizeof around);
    peers_witness_begin();
    peers_notice_begin();
    stand_in_begin(&peers);
    peers_accounts_begin();
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

void peers_of_procd_turn(enum peers_work work, uint64_t token, uint64_t request_id)
{
    peers_witness_turn();
    around.work = work;
    around.asked_token = token;
    around.request_id = request_id;
    around.in_request = false;
    around.pending_slot = SLOT_NULL;
    around.failure = (struct peers_failure){0};
    around.call_count = around.woken_count = around.refused_count = 0;
    around.in_restart = around.noticed = false;
    peers_notice_turn();
    peers_child_turn();
    around.restarts = (struct peers_restarts){0};
}

struct peers_failure peers_of_procd_failure(void)
{
    return around.failure;
}

uint32_t peers_of_procd_refused(void)
{
    return around.refused_count;
}

uint32_t peers_of_procd_calls(void)
{
    return around.call_count;
}

void peers_of_procd_turn_over(void)
{
    PROPERTY(G5, "wake", !around.wakes || around.peer_lost);
}

uint32_t peers_of_procd_woken(void)
{
    return around.woken_count;
}

bool peers_of_procd_lost(void)
{
    return around.peer_lost;
}

void peers_of_procd_slow(uint64_t ticks)
{
    around.slow_ticks = ticks;
}

void peers_of_procd_parked(uint32_t count)
{
    around.parked_count = count;
}

void peers_of_procd_garble(bool next)
{
    around.garbles = next;
}

struct peers_restarts peers_of_procd_restarts(void)
{
    return around.restarts;
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
        bool named = message->header.operation == OP_PROCD_BIND_NAMED;
        caps[i] = (struct stand_in_cap){
            .object_type = type,
            .rights = descriptor->rights,
            .object = type == OBJECT_ENDPOINT && field < 3 ? services[field] : STAND_IN_ELSEWHERE,
        };
        if (named && field == 0 && type == OBJECT_ENDPOINT)
            caps[i].object = ROLE_NAMED;
        if (message->header.operation == OP_PROCD_SET_NOTICE && type == OBJECT_ENDPOINT)
            caps[i].object = peers_notice_make();
    }
    around.pending_slot = endpoint_slot;
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

uint64_t peers_of_procd_driver_ticks(void)
{
    return around.driver_ticks;
}
