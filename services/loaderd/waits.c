/* SPDX-License-Identifier: ISC */
/* What became of programs: asks procd, and tells who asks or waits. Decides when a wait is over; each
 * is answered once (X3), and of a program of its client alone. */
#include <stddef.h>
#include <string.h>

#include "services/lib/call_procd.h"
#include "services/loaderd/internal.h"

/* --- kept calls ------------------------------------------------------------------------------- */

enum status loaderd_answer(struct loaderd *loaderd, uint32_t reply_slot, uint64_t request_id,
                           uint16_t operation, enum status status, const void *reply)
{
    struct message *message = caller_message(&loaderd->caller);
    const struct message_type *type = operation == OP_LOADERD_LAUNCH_PATH
                                          ? &loaderd_launch_path_reply_type
                                          : &loaderd_wait_program_reply_type;
    if (reply_slot == SLOT_NULL)
        return STATUS_NOT_FOUND;
    message->header.operation = operation;
    message->header.request_id = request_id;
    if (status == STATUS_OK)
        status = message_encode(type, reply, message);
    if (status != STATUS_OK)
        message_refuse(message, status);
    return sys_reply(reply_slot, message);
}

/* A caller that is gone needs no answer. */
static void wait_answer(struct loaderd *loaderd, struct loaderd_client *client, enum status status,
                        const struct loaderd_program *program)
{
    struct loaderd_wait wait = client->wait;
    struct loaderd_wait_program_reply reply = {.process_id = wait.process_id};
    if (program != NULL) {
        reply.reason = program->reason;
        reply.code = program->code;
        reply.fault_va = program->fault_va;
    }
    client->wait = (struct loaderd_wait){0};
    (void)loaderd_answer(loaderd, wait.reply_slot, wait.request_id, OP_LOADERD_WAIT_PROGRAM, status,
                         &reply);
}

/* --- procd is asked --------------------------------------------------------------------------- */

static void program_ended(struct loaderd *loaderd, struct loaderd_client *client,
                          struct loaderd_program *program,
                          const struct procd_wait_process_event_reply *event)
{
    program->life = LOADERD_LIFE_ENDED;
    program->is_asked = false;
    program->is_open = false;
    program->reason = event->reason;
    program->code = event->code;
    program->fault_va = event->fault_va;
    if (client->wait.process_id == program->process_id)
        wait_answer(loaderd, client, STATUS_OK, program);
}

/* procd knows nothing of it any more: nobody learns how it ended. */
static void program_forget(struct loaderd *loaderd, struct loaderd_client *client,
                           struct loaderd_program *program)
{
    bool waits = client->wait.process_id == program->process_id;
    *program = (struct loaderd_program){0};
    if (waits)
        wait_answer(loaderd, client, STATUS_NOT_FOUND, NULL);
    loaderd_client_leave(client);
}

/* OK: the program's `life` is what it is now. NOT_FOUND: it is forgotten. Else nothing is known. A wait
 * whose deadline is past is answered at once, and tells more than QUERY does. */
static enum status ask(struct loaderd *loaderd, struct loaderd_client *client,
                       struct loaderd_program *program)
{
    struct procd_wait_process_event_request request = {.process_id = program->process_id};
    struct procd_wait_process_event_reply reply;
    enum status status = procd_call_wait_process_event(
        &loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW,
        caller_deadline(&loaderd->caller, PROCD_CALL_TICKS), &request, &reply);
    bool answered = caller_was_answered(&loaderd->caller);
    if (status == STATUS_TIMED_OUT && answered) {
        program->is_asked = program->is_open = false; /* it runs */
        return STATUS_OK;
    }
    if (status == STATUS_NOT_FOUND && answered) {
        program_forget(loaderd, client, program);
        return STATUS_NOT_FOUND;
    }
    if (status != STATUS_OK)
        return loaderd_peer_status(loaderd, status);
    if (reply.process_id != program->process_id || reply.reason == END_NONE)
        return STATUS_INTERNAL;
    program_ended(loaderd, client, program, &reply);
    return STATUS_OK;
}

void loaderd_ask_all(struct loaderd *loaderd)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        for (uint32_t k = 0; k < LOADERD_PLACES; k++) {
            struct loaderd_program *program = &loaderd->clients[i].programs[k];
            program->is_asked = program->life == LOADERD_LIFE_RUNNING;
        }
    }
}

/* --- operations ------------------------------------------------------------------------------- */

/* The program of the sender with that number, as it is now: procd is asked of one that runs. */
static enum status look(struct loaderd *loaderd, const struct loaderd_request *request,
                        uint64_t process_id, struct loaderd_client **client,
                        struct loaderd_program **program)
{
    uint32_t role = (uint32_t)request->common.info->badge;
    *client = loaderd_client_find(loaderd, role);
    *program = *client == NULL ? NULL : loaderd_program_find(*client, process_id);
    if (*program == NULL)
        return STATUS_NOT_FOUND;
    return (*program)->life == LOADERD_LIFE_ENDED ? STATUS_OK : ask(loaderd, *client, *program);
}

enum status loaderd_query_program(struct loaderd *loaderd, struct loaderd_request *request)
{
    struct loaderd_client *client;
    struct loaderd_program *program;
    enum status status =
        look(loaderd, request, request->body.query_program.process_id, &client, &program);
    if (status != STATUS_OK)
        return status;
    bool ended = program->life == LOADERD_LIFE_ENDED;
    request->reply.query_program = (struct loaderd_query_program_reply){
        .state = ended ? PROCESS_ENDED : PROCESS_RUNNING,
        .reason = program->reason,
        .code = program->code,
        .fault_va = program->fault_va,
    };
    return STATUS_OK;
}

static bool anybody_waits(const struct loaderd *loaderd)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        if (loaderd->clients[i].wait.process_id != 0)
            return true;
    }
    return false;
}

/* Whether procd is to be asked of some program; or did not answer of one. Free entries have none, and
 * this is asked at each turn of a launch. */
static bool anything_is_asked(const struct loaderd *loaderd)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &loaderd->clients[i];
        for (uint32_t k = 0; client->role != ROLE_NONE && k < LOADERD_PLACES; k++) {
            if (client->programs[k].is_asked)
                return true;
        }
    }
    return false;
}

static bool anything_is_open(const struct loaderd *loaderd)
{
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &loaderd->clients[i];
        for (uint32_t k = 0; client->role != ROLE_NONE && k < LOADERD_PLACES; k++) {
            if (client->programs[k].is_open)
                return true;
        }
    }
    return false;
}

/* Whether procd is asked again once in a while. */
static bool looks(const struct loaderd *loaderd)
{
    return anybody_waits(loaderd) || anything_is_open(loaderd) || loaderd_is_full(loaderd);
}

/* A wait of the same client that is kept already ends with it. */
static void keep(struct loaderd *loaderd, struct loaderd_client *client,
                 const struct loaderd_wait *wait)
{
    if (client->wait.process_id != 0)
        wait_answer(loaderd, client, STATUS_OVER_LIMIT, NULL);
    if (!looks(loaderd))
        loaderd->look_ticks = caller_deadline(&loaderd->caller, LOADERD_LOOK_TICKS);
    client->wait = *wait;
}

enum status loaderd_wait_program(struct loaderd *loaderd, struct loaderd_request *request)
{
    struct service_request *common = &request->common;
    const struct loaderd_wait_program_request *body = &request->body.wait_program;
    struct loaderd_client *client;
    struct loaderd_program *program;
    enum status status = look(loaderd, request, body->process_id, &client, &program);
    if (status != STATUS_OK)
        return status;
    if (program->life == LOADERD_LIFE_ENDED) {
        request->reply.wait_program = (struct loaderd_wait_program_reply){
            .process_id = program->process_id,
            .reason = program->reason,
            .code = program->code,
            .fault_va = program->fault_va,
        };
        return STATUS_OK;
    }
    if (body->deadline_ticks <= loaderd->caller.now_ticks)
        return STATUS_TIMED_OUT;
    keep(loaderd, client,
         &(struct loaderd_wait){
             .process_id = program->process_id,
             .deadline_ticks = body->deadline_ticks,
             .request_id = common->request_id,
             .reply_slot = common->info->reply_slot,
         });
    common->handled = HANDLED_LATER;
    return STATUS_OK;
}

/* How it ended is asked when somebody wants to know. */
enum status loaderd_stop_program(struct loaderd *loaderd, struct loaderd_request *request)
{
    uint32_t role = (uint32_t)request->common.info->badge;
    struct loaderd_client *client = loaderd_client_find(loaderd, role);
    struct procd_stop_process_request stop = {
        .process_id = request->body.stop_program.process_id,
        .code = request->body.stop_program.code,
    };
    struct loaderd_program *program =
        client == NULL ? NULL : loaderd_program_find(client, stop.process_id);
    if (program == NULL)
        return STATUS_NOT_FOUND;
    if (program->life == LOADERD_LIFE_ENDED)
        return STATUS_OK;
    enum status status =
        procd_call_stop_process(&loaderd->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                caller_deadline(&loaderd->caller, PROCD_CALL_TICKS), &stop, NULL);
    if (status == STATUS_OK)
        program->is_asked = true;
    if (status != STATUS_NOT_FOUND || !caller_was_answered(&loaderd->caller))
        return loaderd_peer_status(loaderd, status);
    program_forget(loaderd, client, program);
    return STATUS_NOT_FOUND;
}

/* --- turns ------------------------------------------------------------------------------------ */

/* A notice may be lost: those that are waited for, that procd did not answer of, or that may take
 * somebody's room (X4), are asked of once in a while. */
static void ask_again(struct loaderd *loaderd)
{
    bool all = loaderd_is_full(loaderd);
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT * LOADERD_PLACES; i++) {
        struct loaderd_client *client = &loaderd->clients[i / LOADERD_PLACES];
        struct loaderd_program *program = &client->programs[i % LOADERD_PLACES];
        bool awaited = client->wait.process_id == program->process_id;
        if (program->life == LOADERD_LIFE_RUNNING && (all || program->is_open || awaited))
            program->is_asked = true;
    }
    loaderd->look_ticks = caller_deadline(&loaderd->caller, LOADERD_LOOK_TICKS);
}

/* One that is to be asked of, from the one behind the last on. A procd that does not answer is left
 * alone for a while. */
static void ask_one(struct loaderd *loaderd)
{
    const uint32_t count = LOADERD_CLIENT_LIMIT * LOADERD_PLACES;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = (loaderd->next_look + i) % count;
        struct loaderd_client *client = &loaderd->clients[index / LOADERD_PLACES];
        struct loaderd_program *program = &client->programs[index % LOADERD_PLACES];
        if (!program->is_asked)
            continue;
        loaderd->next_look = (index + 1) % count;
        program->is_asked = false;
        enum status status = ask(loaderd, client, program);
        if (status == STATUS_OK || status == STATUS_NOT_FOUND)
            return;
        program->is_open = true;
        loaderd->look_ticks = caller_deadline(&loaderd->caller, LOADERD_LOOK_TICKS);
        return;
    }
}

void loaderd_waits_tick(struct loaderd *loaderd)
{
    uint64_t now_ticks = loaderd->caller.now_ticks;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        struct loaderd_client *client = &loaderd->clients[i];
        if (client->wait.process_id != 0 && client->wait.deadline_ticks <= now_ticks)
            wait_answer(loaderd, client, STATUS_TIMED_OUT, NULL);
    }
    if (loaderd->look_ticks <= now_ticks && looks(loaderd))
        ask_again(loaderd);
    if (anything_is_asked(loaderd))
        ask_one(loaderd);
}

uint64_t loaderd_waits_next_ticks(const struct loaderd *loaderd)
{
    uint64_t next_ticks = looks(loaderd) ? loaderd->look_ticks : DEADLINE_NEVER;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &loaderd->clients[i];
        if (client->wait.process_id != 0 && client->wait.deadline_ticks < next_ticks)
            next_ticks = client->wait.deadline_ticks;
    }
    return anything_is_asked(loaderd) ? DEADLINE_POLL : next_ticks;
}
