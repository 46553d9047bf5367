/* SPDX-License-Identifier: ISC */
/* The model of loaderd: clients, their programs and those who wait for them, as plain lists. */
#include "props/models/model_loaderd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/event.h"
#include "abi/roles.h"
#include "abi/system.h"
#include "props/models/model_loaderd_inside.h"

/* Of the contract. */
enum { FILE_TIME = 20 * TICKS_PER_SECOND, LOOK_AFTER = 1000 };

void model_loaderd_reset(struct model_loaderd *model)
{
    memset(model, 0, sizeof *model);
    model->owes_attach = true;
}

static void see(struct model_loaderd *model, uint64_t now_ticks)
{
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
}

/* --- calls --- */

/* Each has the time that the contract gives it; a peer that did not answer used it up. */
const struct model_loaderd_call *model_loaderd_next_call(struct model_loaderd_replay *replay,
                                                         uint16_t operation)
{
    struct model_loaderd *model = replay->model;
    PROPERTY(X2, "missing", replay->at < replay->calls.count);
    const struct model_loaderd_call *call = &replay->calls.calls[replay->at++];
    PROPERTY_EQUAL(X2, "which", call->operation, operation);
    bool of_files = operation_find(SERVICE_VFSD, operation) != NULL;
    uint64_t ticks = of_files ? (uint64_t)FILE_TIME : (uint64_t)PROCD_CALL_TICKS;
    PROPERTY_EQUAL(X2, "deadline", call->deadline_ticks, deadline_after(model->now_ticks, ticks));
    if (call->status == STATUS_TIMED_OUT && !call->answered)
        see(model, call->deadline_ticks);
    return call;
}

enum status model_loaderd_outcome(const struct model_loaderd_call *call)
{
    bool nobody = call->status == STATUS_NOT_FOUND && !call->answered;
    return nobody ? STATUS_PEER_DIED : call->status;
}

/* --- who is there --- */

struct model_loaderd_program *model_loaderd_program(struct model_loaderd *model, uint32_t role,
                                                    uint64_t id)
{
    for (uint32_t i = 0; i < model->programs_used; i++)
        if (role != 0 && model->programs[i].role == role && model->programs[i].id == id)
            return &model->programs[i];
    return NULL;
}

static uint32_t count_of(const struct model_loaderd *model, uint32_t role, bool all)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->programs_used; i++)
        count += model->programs[i].role == role && (all || !model->programs[i].ended);
    return count;
}

static struct model_loaderd_seat *seat_of(struct model_loaderd *model, uint32_t role)
{
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++)
        if (role != 0 && model->seats[i].role == role)
            return &model->seats[i];
    return NULL;
}

uint64_t model_loaderd_room(const struct model_loaderd *model, uint32_t role)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < model->programs_used; i++)
        if (model->programs[i].role == role && !model->programs[i].ended)
            used += model->programs[i].pages;
    PROPERTY(X5, "share", used <= MODEL_LOADERD_SHARE);
    return MODEL_LOADERD_SHARE - used;
}

void model_loaderd_launched(struct model_loaderd *model, uint32_t role, uint64_t id, uint64_t pages)
{
    struct model_loaderd_program *first = NULL;
    struct model_loaderd_program *place = NULL;
    bool full = count_of(model, role, true) == MODEL_LOADERD_EACH;
    for (uint32_t i = 0; i < model->programs_used; i++) {
        struct model_loaderd_program *program = &model->programs[i];
        if (program->role == 0 && place == NULL)
            place = program;
        if (program->role == role && program->ended &&
            (first == NULL || program->number < first->number))
            first = program;
    }
    if (full)
        place = first;
    else if (place == NULL && model->programs_used < MODEL_LOADERD_PROGRAMS)
        place = &model->programs[model->programs_used++];
    HARNESS(place != NULL);
    *place = (struct model_loaderd_program){
        .role = role, .id = id, .number = ++model->launch_count, .pages = pages};
}

void model_loaderd_leave(struct model_loaderd *model, struct model_loaderd_seat *seat)
{
    if (!seat->launches && !seat->waits && count_of(model, seat->role, true) == 0)
        memset(seat, 0, sizeof *seat);
}

static bool may_go(const struct model_loaderd *model, const struct model_loaderd_seat *seat)
{
    return !seat->launches && !seat->waits && count_of(model, seat->role, false) == 0;
}

static uint64_t last_launch(const struct model_loaderd *model, uint32_t role)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < model->programs_used; i++)
        if (model->programs[i].role == role && model->programs[i].number > last)
            last = model->programs[i].number;
    return last;
}

/* A seat for somebody who has none; null: nobody makes room. */
static struct model_loaderd_seat *free_seat(struct model_loaderd *model)
{
    struct model_loaderd_seat *found = NULL;
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++) {
        struct model_loaderd_seat *seat = &model->seats[i];
        if (seat->role == 0)
            return seat;
        if (may_go(model, seat) &&
            (found == NULL || last_launch(model, seat->role) < last_launch(model, found->role)))
            found = seat;
    }
    return found;
}

static void take_seat(struct model_loaderd *model, struct model_loaderd_seat *seat, uint32_t role)
{
    for (uint32_t i = 0; i < model->programs_used && seat->role != 0; i++)
        if (model->programs[i].role == seat->role)
            memset(&model->programs[i], 0, sizeof model->programs[i]);
    memset(seat, 0, sizeof *seat);
    seat->role = role;
}

bool model_loaderd_runs(const struct model_loaderd *model, uint64_t process_id)
{
    for (uint32_t i = 0; i < model->programs_used; i++)
        if (model->programs[i].role != 0 && model->programs[i].id == process_id)
            return !model->programs[i].ended;
    return false;
}

/* --- who waits --- */

struct model_loaderd_told *model_loaderd_tell(struct model_loaderd *model)
{
    HARNESS(model->told_count < MODEL_LOADERD_ANSWERS);
    struct model_loaderd_told *told = &model->told[model->told_count++];
    memset(told, 0, sizeof *told);
    return told;
}

/* How it ended, as WAIT says it. */
static struct loaderd_wait_program_reply end_of(const struct model_loaderd_program *program)
{
    return (struct loaderd_wait_program_reply){
        .process_id = program->id,
        .reason = program->reason,
        .code = program->code,
        .fault_va = program->fault_va,
    };
}

static void tell_wait(struct model_loaderd *model, struct model_loaderd_seat *seat,
                      enum status status, const struct model_loaderd_program *program)
{
    struct model_loaderd_told *told = model_loaderd_tell(model);
    told->slot = seat->wait_slot;
    told->request_id = seat->wait_request;
    told->operation = OP_LOADERD_WAIT_PROGRAM;
    told->status = status;
    told->gone = seat->wait_gone;
    if (program != NULL)
        told->wait = end_of(program);
    seat->waits = seat->wait_gone = false;
}

static bool is_awaited(const struct model_loaderd_seat *seat,
                       const struct model_loaderd_program *program)
{
    return seat->waits && seat->wait_id == program->id;
}

/* procd has no record of it any more. */
static void forget_program(struct model_loaderd *model, struct model_loaderd_program *program)
{
    struct model_loaderd_seat *seat = seat_of(model, program->role);
    bool awaited = is_awaited(seat, program);
    memset(program, 0, sizeof *program);
    if (awaited)
        tell_wait(model, seat, STATUS_NOT_FOUND, NULL);
    model_loaderd_leave(model, seat);
}

static void wonder(struct model_loaderd *model, struct model_loaderd_program *program)
{
    if (!program->wondered)
        program->wondered_since = model->question_count;
    program->wondered = true;
}

/* procd is asked of it: what it says becomes known, and whoever waits for that is told. */
static enum status ask(struct model_loaderd_replay *replay, struct model_loaderd_program *program)
{
    struct model_loaderd *model = replay->model;
    struct model_loaderd_seat *seat = seat_of(model, program->role);
    const struct model_loaderd_call *call =
        model_loaderd_next_call(replay, OP_PROCD_WAIT_PROCESS_EVENT);
    PROPERTY_EQUAL(X3, "whom", call->asked.wait.process_id, program->id);
    PROPERTY_EQUAL(X3, "at-once", call->asked.wait.deadline_ticks, 0);
    if (call->status == STATUS_TIMED_OUT && call->answered) {
        program->wondered = program->silent = false;
        return STATUS_OK;
    }
    if (call->status == STATUS_NOT_FOUND && call->answered) {
        forget_program(model, program);
        return STATUS_NOT_FOUND;
    }
    if (call->status != STATUS_OK)
        return model_loaderd_outcome(call);
    if (call->told.wait.process_id != program->id || call->told.wait.reason == END_NONE)
        return STATUS_INTERNAL;
    program->ended = true;
    program->wondered = program->silent = false;
    program->reason = call->told.wait.reason;
    program->code = call->told.wait.code;
    program->fault_va = call->told.wait.fault_va;
    if (is_awaited(seat, program))
        tell_wait(model, seat, STATUS_OK, program);
    return STATUS_OK;
}

/* --- messages --- */

static bool anybody_waits(const struct model_loaderd *model)
{
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++)
        if (model->seats[i].waits)
            return true;
    return false;
}

/* Somebody would be refused for want of room. */
static bool is_full(const struct model_loaderd *model)
{
    bool room = false;
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++) {
        const struct model_loaderd_seat *seat = &model->seats[i];
        if (seat->role != 0 && model_loaderd_room(model, seat->role) < MODEL_LOADERD_LARGEST)
            return true;
        room = room || seat->role == 0 || may_go(model, seat);
    }
    return !room;
}

/* procd is asked again every second while somebody waits, it did not answer, or room is wanted. */
static bool looks(const struct model_loaderd *model)
{
    for (uint32_t i = 0; i < model->programs_used; i++)
        if (model->programs[i].silent)
            return true;
    return anybody_waits(model) || is_full(model);
}

static void look(struct model_loaderd *model)
{
    bool full = is_full(model);
    for (uint32_t i = 0; i < model->programs_used; i++) {
        struct model_loaderd_program *program = &model->programs[i];
        const struct model_loaderd_seat *seat = seat_of(model, program->role);
        bool awaited = seat != NULL && is_awaited(seat, program);
        if (program->role != 0 && !program->ended && (full || program->silent || awaited))
            wonder(model, program);
    }
    model->look_ticks = deadline_after(model->now_ticks, LOOK_AFTER);
}

static enum status launch_status(struct model_loaderd *model, uint32_t role,
                                 const struct loaderd_launch_path_request *body)
{
    uint64_t blocks = (uint64_t)body->argument_bytes + body->environment_bytes;
    const struct model_loaderd_seat *seat = seat_of(model, role);
    if (body->count != body->path_count + blocks)
        return STATUS_INVALID_ARGUMENT;
    enum status status = path_check(body->bytes, body->path_count);
    if (status != STATUS_OK)
        return status;
    if (blocks != 0)
        return STATUS_UNSUPPORTED;
    if (body->flags != 0)
        return STATUS_REQUIRE_DYNAMIC;
    if (seat != NULL && seat->launches)
        return STATUS_BUSY;
    if (seat != NULL)
        return model_loaderd_room(model, role) < MODEL_LOADERD_SMALLEST ? STATUS_OVER_LIMIT
                                                                        : STATUS_OK;
    return free_seat(model) != NULL ? STATUS_OK : STATUS_EXHAUSTED;
}

static void launch(struct model_loaderd *model, uint32_t role,
                   const struct loaderd_launch_path_request *body, const struct message *request,
                   uint32_t reply_slot, struct model_loaderd_answer *answer)
{
    answer->status = launch_status(model, role, body);
    if (answer->status != STATUS_OK)
        return;
    struct model_loaderd_seat *seat = seat_of(model, role);
    if (seat == NULL) {
        seat = free_seat(model);
        take_seat(model, seat, role);
    }
    seat->launches = true;
    seat->launch_slot = reply_slot;
    seat->launch_request = request->header.request_id;
    seat->path_count = body->path_count;
    memcpy(seat->path, body->bytes, body->path_count);
    answer->later = answer->changed = true;
}

static void wait(struct model_loaderd *model, struct model_loaderd_program *program,
                 const struct loaderd_wait_program_request *body, const struct message *request,
                 uint32_t reply_slot, struct model_loaderd_answer *answer)
{
    if (program->ended) {
        answer->wait = end_of(program);
        return;
    }
    if (body->deadline_ticks <= model->now_ticks) {
        answer->status = STATUS_TIMED_OUT;
        return;
    }
    struct model_loaderd_seat *seat = seat_of(model, program->role);
    if (seat->waits)
        tell_wait(model, seat, STATUS_OVER_LIMIT, NULL);
    if (!looks(model))
        model->look_ticks = deadline_after(model->now_ticks, LOOK_AFTER);
    seat->waits = true;
    seat->wait_slot = reply_slot;
    seat->wait_request = request->header.request_id;
    seat->wait_id = program->id;
    seat->wait_until = body->deadline_ticks;
    answer->later = answer->changed = true;
}

static void stop(struct model_loaderd_replay *replay, struct model_loaderd_program *program,
                 uint32_t code, struct model_loaderd_answer *answer)
{
    struct model_loaderd *model = replay->model;
    if (program->ended)
        return;
    const struct model_loaderd_call *call = model_loaderd_next_call(replay, OP_PROCD_STOP_PROCESS);
    PROPERTY_EQUAL(X3, "whom", call->asked.stop.process_id, program->id);
    PROPERTY_EQUAL(X3, "code", call->asked.stop.code, code);
    answer->status = model_loaderd_outcome(call);
    answer->changed = call->status == STATUS_OK;
    if (call->status == STATUS_OK)
        wonder(model, program);
    if (call->status != STATUS_NOT_FOUND || !call->answered)
        return;
    forget_program(model, program);
    answer->changed = true;
}

/* WAIT, QUERY and STOP: of a program of the sender. What is not known to have ended is asked of. */
static void about(struct model_loaderd_replay *replay, const struct message *request,
                  uint32_t reply_slot, const void *decoded, struct model_loaderd_answer *answer)
{
    struct model_loaderd *model = replay->model;
    const struct loaderd_wait_program_request *body = decoded; /* all begin with the number */
    struct model_loaderd_program *program =
        model_loaderd_program(model, (uint32_t)request->header.badge, body->process_id);
    if (program == NULL) {
        answer->status = STATUS_NOT_FOUND;
        return;
    }
    if (request->header.operation == OP_LOADERD_STOP_PROGRAM) {
        const struct loaderd_stop_program_request *asked = decoded;
        stop(replay, program, asked->code, answer);
        return;
    }
    if (!program->ended) {
        bool wondered = program->wondered;
        bool silent = program->silent;
        answer->status = ask(replay, program);
        answer->changed = answer->status == STATUS_NOT_FOUND || program->ended ||
                          program->wondered != wondered || program->silent != silent;
    }
    if (answer->status != STATUS_OK)
        return;
    if (request->header.operation == OP_LOADERD_WAIT_PROGRAM) {
        wait(model, program, body, request, reply_slot, answer);
        return;
    }
    answer->query = (struct loaderd_query_program_reply){
        .state = program->ended ? PROCESS_ENDED : PROCESS_RUNNING,
        .reason = program->reason,
        .code = program->code,
        .fault_va = program->fault_va,
    };
}

/* A slot that comes with a call has nobody behind it who waited there before (K10). */
static bool forget(struct model_loaderd *model, uint32_t reply_slot)
{
    bool any = false;
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++) {
        struct model_loaderd_seat *seat = &model->seats[i];
        bool launch = seat->launches && !seat->launch_gone && seat->launch_slot == reply_slot;
        bool waits = seat->waits && seat->wait_slot == reply_slot;
        seat->launch_gone = seat->launch_gone || launch;
        seat->waits = seat->waits && !waits;
        seat->wait_gone = seat->wait_gone && !waits;
        any = any || launch || waits;
    }
    return any;
}

static bool notice(struct model_loaderd *model, const struct message *request,
                   struct model_loaderd_answer *answer)
{
    struct event_process_ended_request event;
    if (request->header.badge != ROLE_PROCD || request->header.operation != OP_EVENT_PROCESS_ENDED)
        return false;
    answer->status = message_decode(&event_process_ended_request_type, request, &event);
    for (uint32_t i = 0; i < model->programs_used && answer->status == STATUS_OK; i++)
        if (model->programs[i].role != 0 && !model->programs[i].ended)
            wonder(model, &model->programs[i]);
    answer->changed = answer->status == STATUS_OK;
    return true;
}

/* OK, or why the message goes no further. */
static enum status admit(const struct message *request, const struct operation *row, void *body)
{
    uint64_t badge = request->header.badge;
    if (row == NULL)
        return STATUS_INVALID_ARGUMENT;
    enum status status = message_decode(row->request, request, body);
    if (status != STATUS_OK)
        return status;
    return badge != 0 && badge <= ROLE_ID_MAX && badge != ROLE_PROCD ? STATUS_OK : STATUS_DENIED;
}

struct model_loaderd_answer model_loaderd_step(struct model_loaderd *model,
                                               const struct message *request, uint32_t reply_slot,
                                               uint64_t now_ticks, struct model_loaderd_calls calls)
{
    struct model_loaderd_replay replay = {.model = model, .calls = calls};
    struct model_loaderd_answer answer = {.status = STATUS_OK};
    const struct operation *row = operation_find(SERVICE_LOADERD, request->header.operation);
    union {
        struct loaderd_launch_path_request launch;
        struct loaderd_wait_program_request wait;
        struct loaderd_stop_program_request stop;
        struct loaderd_query_program_request query;
    } body;
    model->told_count = 0;
    see(model, now_ticks);
    bool forgot = forget(model, reply_slot);
    if (!notice(model, request, &answer)) {
        answer.status = admit(request, row, &body);
        if (answer.status == STATUS_OK && row->id == OP_LOADERD_LAUNCH_PATH)
            launch(model, (uint32_t)request->header.badge, &body.launch, request, reply_slot,
                   &answer);
        else if (answer.status == STATUS_OK)
            about(&replay, request, reply_slot, &body, &answer);
    }
    answer.changed = answer.changed || forgot;
    PROPERTY_EQUAL(X3, "calls", calls.count, replay.at);
    return answer;
}

/* --- turns --- */

/* Nobody that is to be asked of is passed over twice by the same one. */
static void pick(struct model_loaderd *model, struct model_loaderd_program *picked)
{
    picked->wondered = false;
    for (uint32_t i = 0; i < model->programs_used; i++) {
        const struct model_loaderd_program *other = &model->programs[i];
        PROPERTY(X3, "passed-over", !other->wondered || picked->picked <= other->wondered_since);
    }
    picked->picked = ++model->question_count;
}

/* Whichever is asked of of those that are to be, in turns. */
static void ask_one(struct model_loaderd_replay *replay)
{
    struct model_loaderd *model = replay->model;
    uint32_t wondered = 0;
    for (uint32_t i = 0; i < model->programs_used; i++)
        wondered += model->programs[i].wondered;
    if (wondered == 0)
        return;
    PROPERTY(X3, "nobody-asked", replay->at < replay->calls.count);
    uint64_t id = replay->calls.calls[replay->at].asked.wait.process_id;
    for (uint32_t i = 0; i < model->programs_used; i++) {
        struct model_loaderd_program *program = &model->programs[i];
        if (!program->wondered || program->id != id)
            continue;
        pick(model, program);
        enum status status = ask(replay, program);
        if (status == STATUS_OK || status == STATUS_NOT_FOUND)
            return;
        program->silent = true;
        model->look_ticks = deadline_after(model->now_ticks, LOOK_AFTER);
        return;
    }
    PROPERTY(X3, "needless", false);
}

void model_loaderd_tick(struct model_loaderd *model, uint64_t now_ticks,
                        struct model_loaderd_calls calls)
{
    struct model_loaderd_replay replay = {.model = model, .calls = calls};
    see(model, now_ticks);
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++)
        if (model->seats[i].waits && model->seats[i].wait_until <= model->now_ticks)
            tell_wait(model, &model->seats[i], STATUS_TIMED_OUT, NULL);
    if (looks(model) && model->look_ticks <= model->now_ticks)
        look(model);
    ask_one(&replay);
    model_loaderd_launch(&replay);
    PROPERTY_EQUAL(X2, "calls", calls.count, replay.at);
}

void model_loaderd_left(struct model_loaderd *model, uint32_t reply_slot)
{
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++) {
        struct model_loaderd_seat *seat = &model->seats[i];
        if (seat->launches && !seat->launch_gone && seat->launch_slot == reply_slot)
            seat->launch_unheard = true;
        if (seat->waits && seat->wait_slot == reply_slot)
            seat->wait_gone = true;
    }
}

uint64_t model_loaderd_next(const struct model_loaderd *model)
{
    bool owes =
        model->owes_transfer || model->owes_process || model->owes_handle || model->owes_attach;
    uint64_t soonest = owes ? model->not_before_ticks : DEADLINE_NEVER;
    if (model->step != STEP_NONE)
        return DEADLINE_POLL;
    for (uint32_t i = 0; i < model->programs_used; i++)
        if (model->programs[i].wondered)
            return DEADLINE_POLL;
    for (uint32_t i = 0; i < MODEL_LOADERD_SEATS; i++) {
        const struct model_loaderd_seat *seat = &model->seats[i];
        if (seat->launches)
            return DEADLINE_POLL;
        if (seat->waits && seat->wait_until < soonest)
            soonest = seat->wait_until;
    }
    return looks(model) && model->look_ticks < soonest ? model->look_ticks : soonest;
}
