/* SPDX-License-Identifier: ISC */
/* See peers_of_deviced.h. What deviced could do wrong towards its peers is a property here; what an
 * environment may do to it is a result. */
#include "props/stand_ins/peers_of_deviced.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/formats/envelope.h"
#include "abi/messages/logd.h"
#include "abi/messages/named.h"
#include "abi/messages/procd.h"
#include "abi/messages/startup.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "props/base/property.h"

enum { CALL_LIMIT = 64, RECORD_LIMIT = 4096, MEMORY_PAGES = 1 << 20, SLOW_ASKS = 3 };

static struct model_deviced_call calls[CALL_LIMIT];
static uint32_t call_count;

/* A process that procd made: its number there is index + 1. */
static struct record {
    uint32_t role;
    uint32_t process; /* the kernel's */
    uint32_t asks;
    enum peers_driver manner;
    uint32_t reason;
    uint32_t code;
    bool forgotten;
    bool told;  /* a policy */
    bool rests; /* between two lives */
} records[RECORD_LIMIT];
static uint32_t record_count;

static struct {
    uint32_t untyped;
    enum peers_driver manner;
    uint64_t log;
} around;

/* --- drivers ---------------------------------------------------------------------------------- */

static enum stand_in_life life_of(const struct record *record)
{
    return (enum stand_in_life)stand_in_process(record->process)->life;
}

static bool lives(const struct record *record)
{
    return !record->forgotten && record->reason == END_NONE;
}

static void end(struct record *record, uint32_t reason, uint32_t code)
{
    stand_in_process(record->process)->life = STAND_IN_ENDED;
    record->reason = reason;
    record->code = code;
}

/* Where the stand-in knows the protocol it encodes the reply itself. */
static enum status answer_with(struct stand_in_call *call, const struct message_type *type,
                               const void *body)
{
    static const uint64_t nothing = 0;
    if (call->operation != NULL && body != NULL)
        memcpy(call->reply, body, type->max_bytes);
    if (call->operation == NULL)
        HARNESS(message_encode(type, body == NULL ? &nothing : body, call->message) == STATUS_OK);
    return STATUS_OK;
}

/* D1: it has exactly its rows, and its envelope says so. */
static void check_populated(const struct record *record)
{
    unsigned count = 0;
    const struct intake *rows = role_intake(record->role, &count);
    PROPERTY_EQUAL(D1, stand_in_process(record->process)->installed_count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct stand_in_installed *got = stand_in_installed(record->process, i);
        bool peer = rows[i].object_type == OBJECT_ENDPOINT;
        PROPERTY_EQUAL(D1, got->slot, rows[i].slot);
        PROPERTY_EQUAL(D1, got->cap.object_type, rows[i].object_type);
        PROPERTY_EQUAL(D1, got->cap.rights, rows[i].rights);
        PROPERTY_EQUAL(D1, "badge", got->cap.badge, peer ? record->role : 0);
        PROPERTY(D1, !peer || got->cap.object == slot_peer_role(rows[i].slot));
    }
}

static void check_envelope(const struct record *record, const struct message *message)
{
    struct startup_start_service_request request;
    struct envelope envelope;
    unsigned count = 0;
    (void)role_intake(record->role, &count);
    PROPERTY_EQUAL(D1, message_decode(&startup_start_service_request_type, message, &request),
                   STATUS_OK);
    PROPERTY_EQUAL(D1, envelope_parse(request.envelope, request.count, &envelope), STATUS_OK);
    PROPERTY_EQUAL(D1, envelope.role, record->role);
    PROPERTY_EQUAL(D1, envelope.entry_count, count + 1);
}

/* Nobody answers before the caller gives up. */
static enum status say_nothing(const struct stand_in_call *call)
{
    if (call->deadline_ticks > stand_in_now())
        stand_in_clock_set(call->deadline_ticks);
    return STATUS_TIMED_OUT;
}

static enum status driver_answer(struct record *record, struct stand_in_call *call,
                                 struct model_deviced_call *noted)
{
    unsigned count = 0;
    (void)role_intake(record->role, &count);
    struct startup_start_service_reply ready = {.role = record->role,
                                                .checked_cap_count = count + 1};
    check_envelope(record, call->message);
    record->asks++;
    if (record->manner == PEERS_DRIVER_NEVER ||
        (record->manner == PEERS_DRIVER_SLOW && record->asks < SLOW_ASKS))
        return say_nothing(call);
    if (record->manner == PEERS_DRIVER_REFUSES)
        return STATUS_NOT_FOUND; /* it says so itself: it is not dead */
    if (record->manner == PEERS_DRIVER_DIES) {
        end(record, END_FAULT_OUTSIDE, 0);
        return STATUS_PEER_DIED;
    }
    noted->said = record->manner == PEERS_DRIVER_SAYS_LATE;
    if (noted->said) {
        message_refuse(call->message, STATUS_TIMED_OUT);
        return STATUS_OK;
    }
    ready.role += record->manner == PEERS_DRIVER_OTHER_ROLE;
    ready.checked_cap_count += record->manner == PEERS_DRIVER_ONE_MORE;
    noted->right = ready.role == record->role && ready.checked_cap_count == count + 1;
    return answer_with(call, &startup_start_service_reply_type, &ready);
}

/* --- procd ------------------------------------------------------------------------------------ */

static enum status create(struct stand_in_call *call, struct model_deviced_call *noted)
{
    struct procd_create_staged_process_request request;
    PROPERTY_EQUAL(
        E10, message_decode(&procd_create_staged_process_request_type, call->message, &request),
        STATUS_OK);
    HARNESS(record_count < RECORD_LIMIT);
    struct record *record = &records[record_count];
    memset(record, 0, sizeof *record);
    record->role = request.role;
    record->manner = around.manner;
    noted->role = request.role;
    noted->image_offset = request.image_offset;
    noted->image_bytes = request.image_bytes;
    noted->page_limit = request.page_limit;
    noted->budget_pages = request.budget_pages;
    enum status status =
        stand_in_process_add(around.untyped, 1, record_count + 1, &record->process);
    if (status != STATUS_OK)
        return status;
    noted->process_id = ++record_count;
    struct procd_create_staged_process_reply made = {
        .process_id = record_count, .endpoint_slot = 1, .grant_slot = 1};
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, STAND_IN_CHILD + record->process);
    call->caps[0].rights = RIGHT_SEND | RIGHT_TRANSFER;
    call->caps[1] = stand_in_cap_to(OBJECT_GRANT, record->process);
    return answer_with(call, &procd_create_staged_process_reply_type, &made);
}

static enum status query(const struct record *record, struct stand_in_call *call)
{
    struct procd_query_process_reply reply = {.role = record->role,
                                              .state = PROCESS_RUNNING,
                                              .reason = record->reason,
                                              .code = record->code};
    if (record->rests)
        reply.state = PROCESS_RESTARTING;
    if (record->reason != END_NONE) /* its restarts are used up, when it had any */
        reply.state = record->told ? PROCESS_PARKED : PROCESS_ENDED;
    return answer_with(call, &procd_query_process_reply_type, &reply);
}

/* The policy of a driver is that of its row. */
static enum status set_policy(struct record *record, struct stand_in_call *call)
{
    struct procd_set_restart_policy_request request;
    const struct restarts *row = role_restarts(record->role);
    PROPERTY_EQUAL(E10,
                   message_decode(&procd_set_restart_policy_request_type, call->message, &request),
                   STATUS_OK);
    PROPERTY(P4, "policy", row != NULL && life_of(record) == STAND_IN_STAGED);
    PROPERTY_EQUAL(P4, request.policy, row->policy);
    PROPERTY_EQUAL(P4, request.critical, row->critical);
    PROPERTY_EQUAL(P4, request.base_delay_ticks, row->base_delay_ticks);
    PROPERTY_EQUAL(P4, request.delay_cap_ticks, row->delay_cap_ticks);
    PROPERTY_EQUAL(P4, request.stable_after_ticks, row->stable_after_ticks);
    PROPERTY_EQUAL(P4, request.window_ticks, row->window_ticks);
    PROPERTY_EQUAL(P4, request.budget_count, row->budget_count);
    record->told = true;
    return answer_with(call, &procd_set_restart_policy_reply_type, NULL);
}

/* What is asked about one process. */
static enum status control(struct record *record, struct stand_in_call *call)
{
    switch (call->message->header.operation) {
    case OP_PROCD_SET_RESTART_POLICY:
        return set_policy(record, call);
    case OP_PROCD_START_STAGED_PROCESS:
        PROPERTY(D1, "staged", life_of(record) == STAND_IN_STAGED);
        PROPERTY_EQUAL(P4, "told", record->told, role_restarts(record->role) != NULL);
        check_populated(record);
        stand_in_process(record->process)->life = STAND_IN_RUNNING;
        return answer_with(call, &procd_start_staged_process_reply_type, NULL);
    case OP_PROCD_STOP_PROCESS:
        if (record->reason == END_NONE)
            end(record, END_KILLED, 1);
        return answer_with(call, &procd_stop_process_reply_type, NULL);
    case OP_PROCD_QUERY_PROCESS:
        return query(record, call);
    default:
        break;
    }
    PROPERTY(E10, "needless", false);
    return STATUS_DENIED;
}

static enum status procd_answer(struct stand_in_call *call, struct model_deviced_call *noted)
{
    uint64_t id;
    if (call->message->header.operation == OP_PROCD_CREATE_STAGED_PROCESS)
        return create(call, noted);
    memcpy(&id, call->message->body, sizeof id);
    noted->process_id = id;
    PROPERTY(D1, "own", id != 0 && id <= record_count);
    struct record *record = &records[id - 1];
    return record->forgotten ? STATUS_NOT_FOUND : control(record, call);
}

/* --- named and logd --------------------------------------------------------------------------- */

static enum status named_answer(struct stand_in_call *call)
{
    struct named_lookup_reply reply = {.service_slot = 1};
    PROPERTY_EQUAL(E10, call->message->header.operation, OP_NAMED_LOOKUP);
    if (around.log == 0)
        return STATUS_NOT_FOUND;
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_LOGD);
    call->caps[0].rights = RIGHT_SEND;
    call->caps[0].badge = ROLE_DEVICED;
    return answer_with(call, &named_lookup_reply_type, &reply);
}

static enum status logd_answer(struct stand_in_call *call)
{
    struct logd_append_request request;
    struct logd_append_reply reply = {.record_id = 1};
    PROPERTY_EQUAL(E10, message_decode(&logd_append_request_type, call->message, &request),
                   STATUS_OK);
    return around.log == 2 ? say_nothing(call) : answer_with(call, &logd_append_reply_type, &reply);
}

/* --- calls ------------------------------------------------------------------------------------ */

static struct record *record_of(uint32_t process)
{
    for (uint32_t i = record_count; i-- > 0;)
        if (records[i].process == process)
            return &records[i];
    return NULL;
}

static enum model_deviced_what what_of(const struct stand_in_call *call)
{
    static const struct {
        uint16_t id;
        enum model_deviced_what what;
    } of_procd[] = {{OP_PROCD_CREATE_STAGED_PROCESS, CALL_CREATE},
                    {OP_PROCD_START_STAGED_PROCESS, CALL_START},
                    {OP_PROCD_SET_RESTART_POLICY, CALL_POLICY},
                    {OP_PROCD_STOP_PROCESS, CALL_STOP},
                    {OP_PROCD_QUERY_PROCESS, CALL_QUERY}};
    uint16_t id = call->message->header.operation;
    if (call->through.object_type != OBJECT_ENDPOINT)
        return id == OP_KERNEL_DROP_LOCAL_CAP        ? CALL_DROP
               : id == OP_KERNEL_MOVE_LOCAL_CAP      ? CALL_MOVE
               : id == OP_KERNEL_CAP_COPY_ATTENUATED ? CALL_INSTALL
                                                     : CALL_LOG_WRITE;
    for (unsigned i = 0;
         i < sizeof of_procd / sizeof of_procd[0] && call->through.object == ROLE_PROCD; i++)
        if (of_procd[i].id == id)
            return of_procd[i].what;
    return call->through.object == ROLE_NAMED  ? CALL_LOOKUP
           : call->through.object == ROLE_LOGD ? CALL_APPEND
                                               : CALL_ASK;
}

/* What came with a message goes when it has been answered: by the loop, not by deviced. */
static bool empties_window(const struct stand_in_call *call)
{
    const struct kernel_drop_local_cap_request *request = call->request;
    return call->through.object_type != OBJECT_ENDPOINT &&
           call->message->header.operation == OP_KERNEL_DROP_LOCAL_CAP &&
           request->slot >= SLOT_RECEIVE_BASE &&
           request->slot < SLOT_RECEIVE_BASE + SLOT_RECEIVE_COUNT;
}

static void asked(const struct stand_in_call *call)
{
    if (empties_window(call))
        return;
    HARNESS(call_count < CALL_LIMIT);
    struct model_deviced_call *noted = &calls[call_count];
    bool kernel = call->through.object_type != OBJECT_ENDPOINT;
    *noted =
        (struct model_deviced_call){.what = what_of(call), .deadline_ticks = call->deadline_ticks};
    PROPERTY(D2, "deadline", kernel || call->deadline_ticks != DEADLINE_NEVER);
    if (noted->what == CALL_DROP)
        noted->slot = ((const struct kernel_drop_local_cap_request *)call->request)->slot;
    if (noted->what == CALL_MOVE)
        noted->slot = ((const struct kernel_move_local_cap_request *)call->request)->target_slot;
    struct procd_set_restart_policy_request policy;
    if (noted->what == CALL_POLICY &&
        message_decode(&procd_set_restart_policy_request_type, call->message, &policy) == STATUS_OK)
        noted->ready_ticks = policy.ready_ticks;
    if (noted->what == CALL_INSTALL)
        noted->slot =
            ((const struct kernel_cap_copy_attenuated_request *)call->request)->target_slot;
    if (call->through.object == ROLE_PROCD && noted->what != CALL_CREATE)
        memcpy(&noted->process_id, call->message->body, sizeof noted->process_id);
}

/* A process whose maker was not told of it is undone (procd.h). */
static void answered(const struct stand_in_call *call, enum status status)
{
    if (empties_window(call))
        return;
    struct model_deviced_call *noted = &calls[call_count++];
    noted->status = noted->said ? STATUS_TIMED_OUT : status;
    if (call->lost && noted->what == CALL_CREATE)
        end(&records[noted->process_id - 1], END_KILLED, 0);
}

static enum status answer(struct stand_in_call *call)
{
    struct model_deviced_call *noted = &calls[call_count];
    if (call->through.object == ROLE_PROCD) {
        PROPERTY_EQUAL(D1, "badge", call->through.badge,
                       (UINT64_C(9) << 16 | ROLE_DEVICED)); /* its own process's */
        return procd_answer(call, noted);
    }
    if (call->through.object == ROLE_NAMED)
        return named_answer(call);
    if (call->through.object == ROLE_LOGD)
        return logd_answer(call);
    struct record *record = record_of(call->through.object - STAND_IN_CHILD);
    HARNESS(record != NULL);
    PROPERTY_EQUAL(E10, call->message->header.operation, OP_STARTUP_START_SERVICE);
    noted->dead = life_of(record) != STAND_IN_RUNNING;
    call->unheard = call->unheard || noted->dead; /* it is the kernel that says so */
    return noted->dead ? STATUS_NOT_FOUND : driver_answer(record, call, noted);
}

/* --- begin ------------------------------------------------------------------------------------ */

static const struct stand_in_peers peers = {
    .strict = true,
    .timed = true,
    .asked = asked,
    .answered = answered,
    .answer = answer,
};

void peers_of_deviced_begin(void)
{
    unsigned count = 0;
    const struct intake *rows = role_intake(ROLE_DEVICED, &count);
    memset(&around, 0, sizeof around);
    call_count = record_count = 0;
    stand_in_begin(&peers);
    around.untyped = stand_in_untyped_add(MEMORY_PAGES);
    around.log = 1;
    for (unsigned i = 0; i < count; i++) {
        uint32_t peer = slot_peer_role(rows[i].slot);
        struct stand_in_cap cap = stand_in_cap_to(rows[i].object_type, peer);
        cap.rights = rows[i].rights;
        if (rows[i].slot == SLOT_PROCD_DRIVER_ENDPOINT)
            cap.badge = UINT64_C(9) << 16 | ROLE_DEVICED;
        else if (peer != ROLE_NONE)
            cap.badge = ROLE_DEVICED;
        stand_in_put(rows[i].slot, cap);
    }
}

void peers_driver_behave(enum peers_driver manner)
{
    around.manner = manner;
}

void peers_deviced_log(uint64_t how)
{
    around.log = how % 3;
}

uint64_t peers_driver_end(uint64_t n, uint32_t reason, uint32_t code)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < record_count; i++)
        running += lives(&records[i]) && life_of(&records[i]) == STAND_IN_RUNNING;
    for (uint32_t i = 0, at = 0; i < record_count; i++) {
        if (!lives(&records[i]) || life_of(&records[i]) != STAND_IN_RUNNING)
            continue;
        if (at++ != n % running)
            continue;
        end(&records[i], reason, code);
        return i + 1;
    }
    return 0;
}

uint64_t peers_driver_rest(uint64_t n, bool rests)
{
    uint32_t told = 0;
    for (uint32_t i = 0; i < record_count; i++)
        told += lives(&records[i]) && records[i].told;
    for (uint32_t i = 0, at = 0; i < record_count; i++) {
        if (!lives(&records[i]) || !records[i].told || at++ != n % told)
            continue;
        records[i].rests = rests;
        return i + 1;
    }
    return 0;
}

void peers_drivers_forget(void)
{
    for (uint32_t i = 0; i < record_count; i++)
        records[i].forgotten = records[i].forgotten || records[i].reason != END_NONE;
}

uint32_t peers_driver_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < record_count; i++)
        count += lives(&records[i]);
    return count;
}

bool peers_driver_lives(uint64_t process_id)
{
    return process_id != 0 && process_id <= record_count && lives(&records[process_id - 1]);
}

struct model_deviced_calls peers_deviced_calls(void)
{
    struct model_deviced_calls made = {.calls = calls, .count = call_count};
    call_count = 0;
    return made;
}
