/* SPDX-License-Identifier: ISC */
/* The model of deviced. What is asked of it, it answers from a plain list; what it does in a turn is
 * replayed call by call. */
#include "props/models/model_deviced.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/limits.h"
#include "abi/message_type.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "abi/system.h"

/* Of the contract. */
enum { FIRST_SLICE = 10, LONGEST_SLICE = 80, RETRY_AFTER = 100, SLOTS_FROM = SLOT_DYNAMIC_BASE };

/* Of each driver: its end, its grant, its end of named. */
enum { SLOTS_EACH = 3, SLOT_OF_GRANT = 1, SLOT_OF_NAMED = 2 };

struct replay {
    struct model_deviced *model;
    struct model_deviced_calls calls;
    uint32_t at;
};

void model_deviced_reset(struct model_deviced *model, bool validates)
{
    memset(model, 0, sizeof *model);
    model->validates = validates;
}

static void see(struct model_deviced *model, uint64_t now_ticks)
{
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
}

/* The next call is this one. A peer that did not answer used up the time that it had. */
static const struct model_deviced_call *next(struct replay *replay, enum model_deviced_what what)
{
    PROPERTY(D2, "missing", replay->at < replay->calls.count);
    const struct model_deviced_call *call = &replay->calls.calls[replay->at++];
    PROPERTY_EQUAL(D2, "which", call->what, what);
    bool kernel =
        what == CALL_DROP || what == CALL_MOVE || what == CALL_INSTALL || what == CALL_LOG_WRITE;
    if (call->status == STATUS_TIMED_OUT && !kernel && !call->said)
        see(replay->model, call->deadline_ticks);
    return call;
}

static bool is_gone(enum status status)
{
    return status == STATUS_OK || status == STATUS_NOT_FOUND;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void say(struct replay *replay, bool ready)
{
    struct model_deviced *model = replay->model;
    if (ready && model->validates)
        (void)next(replay, CALL_LOG_WRITE);
    if (!model->finds_log) {
        const struct model_deviced_call *drop = next(replay, CALL_DROP);
        PROPERTY_EQUAL(D2, drop->slot, SLOT_PEER_LOGD);
        if (!is_gone(drop->status))
            return;
        model->holds_log = next(replay, CALL_LOOKUP)->status == STATUS_OK;
        if (!model->holds_log)
            return;
    }
    model->finds_log = next(replay, CALL_APPEND)->status == STATUS_OK;
}

/* --- the work on a driver --------------------------------------------------------------------- */

static void over(struct replay *replay, struct model_deviced_driver *driver, enum status status)
{
    driver->state = status == STATUS_OK ? DRIVER_READY : DRIVER_FAILED;
    driver->cause = status;
    driver->duty = DUTY_RETURN;
    driver->not_before_ticks = 0;
    say(replay, status == STATUS_OK);
}

static void make(struct replay *replay, struct model_deviced_driver *driver)
{
    unsigned row_count = 0;
    const struct intake *rows = role_intake(driver->role, &row_count);
    const struct model_deviced_call *call = next(replay, CALL_CREATE);
    bool asked = call->status == STATUS_OK; /* a call that failed was not looked into */
    if (asked) {
        PROPERTY_EQUAL(D1, call->role, driver->role);
        PROPERTY_EQUAL(D1, call->image_offset, driver->image_offset);
        PROPERTY_EQUAL(D1, call->image_bytes, driver->image_bytes);
        PROPERTY_EQUAL(D1, call->page_limit, driver->page_limit);
        PROPERTY_EQUAL(D1, call->budget_pages, driver->budget_pages);
        driver->process_id = call->process_id;
        driver->has_process = driver->has_end = driver->has_grant = true;
    }
    enum status status = call->status;
    for (unsigned i = 0; i < row_count && status == STATUS_OK; i++) {
        call = next(replay, CALL_INSTALL);
        PROPERTY_EQUAL(D1, call->slot, rows[i].slot);
        status = call->status;
    }
    if (status == STATUS_OK)
        driver->duty = DUTY_RUN;
    else
        over(replay, driver, status);
}

static void run(struct replay *replay, struct model_deviced_driver *driver)
{
    enum status told = STATUS_OK;
    if (role_restarts(driver->role) != NULL) {
        const struct model_deviced_call *policy = next(replay, CALL_POLICY);
        PROPERTY_EQUAL(P4, policy->process_id, driver->process_id);
        PROPERTY_EQUAL(P4, policy->ready_ticks, driver->ready_ticks);
        told = policy->status;
    }
    if (told != STATUS_OK) {
        over(replay, driver, told);
        return;
    }
    const struct model_deviced_call *call = next(replay, CALL_START);
    PROPERTY_EQUAL(D1, call->process_id, driver->process_id);
    if (call->status != STATUS_OK) {
        over(replay, driver, call->status);
        return;
    }
    driver->give_up_ticks = replay->model->now_ticks + driver->ready_ticks;
    driver->slice_ticks = FIRST_SLICE;
    driver->duty = DUTY_ASK;
}

/* Until when it may be asked: never longer than a slice, and a last short one when time ran out while
 * others had their turns. */
static uint64_t ask_ends(const struct model_deviced *model,
                         const struct model_deviced_driver *driver)
{
    uint64_t slice_ends = model->now_ticks + driver->slice_ticks;
    if (model->now_ticks >= driver->give_up_ticks)
        return model->now_ticks + FIRST_SLICE;
    return slice_ends < driver->give_up_ticks ? slice_ends : driver->give_up_ticks;
}

/* Of an end that is dead there is nothing to call. */
static void ask(struct replay *replay, struct model_deviced_driver *driver)
{
    uint64_t until_ticks = ask_ends(replay->model, driver);
    const struct model_deviced_call *call = next(replay, CALL_ASK);
    PROPERTY_EQUAL(D2, "slice", call->deadline_ticks, until_ticks);
    if (call->status == STATUS_TIMED_OUT && !call->said && until_ticks < driver->give_up_ticks) {
        driver->slice_ticks *= 2;
        if (driver->slice_ticks > LONGEST_SLICE)
            driver->slice_ticks = LONGEST_SLICE;
        return;
    }
    bool nonsense = call->status == STATUS_OK && !call->right;
    over(replay, driver,
         nonsense                                         ? STATUS_INTERNAL
         : call->dead && call->status == STATUS_NOT_FOUND ? STATUS_PEER_DIED
                                                          : call->status);
}

/* The grant, the process unless it is READY, its end; the first that is refused ends it. */
static void give_back(struct replay *replay, struct model_deviced_driver *driver)
{
    uint32_t slot = SLOTS_FROM + SLOTS_EACH * (uint32_t)(driver - replay->model->drivers);
    bool stays = driver->state == DRIVER_READY;
    bool refused = false;
    if (driver->has_grant) {
        const struct model_deviced_call *call = next(replay, CALL_DROP);
        PROPERTY_EQUAL(D2, call->slot, slot + SLOT_OF_GRANT);
        refused = !is_gone(call->status);
        driver->has_grant = refused;
    }
    if (!refused && driver->has_process && !stays) {
        const struct model_deviced_call *call = next(replay, CALL_STOP);
        PROPERTY_EQUAL(D2, call->process_id, driver->process_id);
        refused = !is_gone(call->status);
        driver->has_process = refused;
    }
    if (!refused && driver->has_end) {
        const struct model_deviced_call *call = next(replay, CALL_DROP);
        PROPERTY_EQUAL(D2, call->slot, slot);
        refused = !is_gone(call->status);
        driver->has_end = refused;
    }
    if (refused)
        driver->not_before_ticks = replay->model->now_ticks + RETRY_AFTER;
    else
        driver->duty = DUTY_NONE;
}

static bool is_due(const struct model_deviced *model, uint32_t index)
{
    const struct model_deviced_driver *driver = &model->drivers[index];
    return driver->duty != DUTY_NONE &&
           !(driver->duty == DUTY_RETURN && driver->not_before_ticks > model->now_ticks);
}

uint64_t model_deviced_next(const struct model_deviced *model)
{
    uint64_t soonest = DEADLINE_NEVER;
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_deviced_driver *driver = &model->drivers[i];
        if (is_due(model, i))
            return DEADLINE_POLL;
        if (driver->duty == DUTY_RETURN && driver->not_before_ticks < soonest)
            soonest = driver->not_before_ticks;
    }
    return soonest;
}

static void work(struct replay *replay, struct model_deviced_driver *driver)
{
    switch (driver->duty) {
    case DUTY_MAKE:
        make(replay, driver);
        return;
    case DUTY_RUN:
        run(replay, driver);
        return;
    case DUTY_ASK:
        ask(replay, driver);
        return;
    case DUTY_RETURN:
        give_back(replay, driver);
        return;
    case DUTY_NONE:
        return;
    }
}

/* One step for one of them, from the one after the last (D2). */
void model_deviced_tick(struct model_deviced *model, uint64_t now_ticks,
                        struct model_deviced_calls calls)
{
    struct replay replay = {.model = model, .calls = calls};
    see(model, now_ticks);
    for (uint32_t i = 0; i < model->count; i++) {
        uint32_t index = (model->turn + i) % model->count;
        if (!is_due(model, index))
            continue;
        model->turn = index + 1;
        work(&replay, &model->drivers[index]);
        break;
    }
    PROPERTY_EQUAL(D2, "calls", calls.count, replay.at);
}

void model_deviced_ended(struct model_deviced *model, uint64_t process_id, uint32_t reason,
                         uint32_t code)
{
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_deviced_driver *driver = &model->drivers[i];
        if (driver->process_id != process_id || process_id == 0)
            continue;
        driver->reason = reason; /* told when somebody asks */
        driver->code = code;
    }
}

void model_deviced_rests(struct model_deviced *model, uint64_t process_id, bool rests)
{
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->drivers[i].process_id == process_id && process_id != 0)
            model->drivers[i].rests = rests;
    }
}

/* --- one message ------------------------------------------------------------------------------ */

static struct model_deviced_driver *driver_of(struct model_deviced *model, uint32_t role)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (model->drivers[i].role == role)
            return &model->drivers[i];
    return NULL;
}

static bool finds_others(uint32_t role)
{
    unsigned row_count = 0;
    const struct intake *rows = role_intake(role, &row_count);
    for (unsigned i = 0; i < row_count; i++)
        if (rows[i].slot == SLOT_PEER_NAMED)
            return true;
    return false;
}

/* An end of named comes for a driver that has one, and for no other. */
static enum status seed_status(struct model_deviced *model,
                               const struct deviced_seed_binding_request *request)
{
    const struct role *role = role_find(request->role);
    if (model->sealed)
        return STATUS_DENIED;
    if (role == NULL || role->kind != ROLE_KIND_DRIVER ||
        finds_others(request->role) != (request->named_slot != SLOT_NULL))
        return STATUS_INVALID_ARGUMENT;
    if (request->budget_pages > 0 && request->budget_pages < 16)
        return STATUS_INVALID_ARGUMENT;
    uint32_t pages = request->page_limit == 0 ? role->page_limit : request->page_limit;
    uint32_t budget = request->budget_pages == 0 ? role->budget_pages : request->budget_pages;
    uint32_t guarantee = pages < role->guarantee_pages ? pages : role->guarantee_pages;
    if (pages > role->page_limit || budget > role->budget_pages || pages > 2 * (guarantee + budget))
        return STATUS_OVER_LIMIT;
    return driver_of(model, request->role) != NULL ? STATUS_DUPLICATE : STATUS_OK;
}

static void seed(struct model_deviced *model, const struct deviced_seed_binding_request *request,
                 struct model_deviced_calls calls, struct model_deviced_answer *answer)
{
    struct replay replay = {.model = model, .calls = calls};
    bool has_named = request->named_slot != SLOT_NULL;
    answer->status = seed_status(model, request);
    if (answer->status == STATUS_OK && has_named) {
        const struct model_deviced_call *call = next(&replay, CALL_MOVE);
        PROPERTY_EQUAL(D1, call->slot, SLOTS_FROM + SLOTS_EACH * model->count + SLOT_OF_NAMED);
        answer->status = call->status;
    }
    PROPERTY_EQUAL(D2, "calls", calls.count, replay.at);
    if (answer->status != STATUS_OK)
        return;
    model->drivers[model->count++] = (struct model_deviced_driver){
        .role = request->role,
        .image_offset = request->image_offset,
        .image_bytes = request->image_bytes,
        .page_limit = request->page_limit,
        .budget_pages = request->budget_pages,
        .ready_ticks = request->ready_ticks,
        .has_named = has_named,
    };
    answer->changed = true;
}

static void start(struct model_deviced_driver *driver, struct model_deviced_answer *answer)
{
    bool rests = driver->duty == DUTY_NONE && driver->state != DRIVER_READY;
    if (!rests) {
        answer->status = STATUS_BUSY;
        return;
    }
    driver->state = DRIVER_STARTING;
    driver->duty = DUTY_MAKE;
    driver->process_id = 0;
    driver->rests = false;
    driver->cause = STATUS_OK;
    driver->reason = driver->code = 0;
    answer->changed = true;
}

static void stop(struct model_deviced_driver *driver, struct model_deviced_answer *answer)
{
    if (driver->state != DRIVER_STARTING && driver->state != DRIVER_READY)
        return;
    driver->state = DRIVER_STOPPED;
    driver->duty = DUTY_RETURN;
    driver->not_before_ticks = 0;
    driver->reason = driver->code = 0;
    answer->changed = true;
}

/* A driver that procd does not know any more ended for nobody knows which reason. */
static void read(struct model_deviced *model, struct model_deviced_driver *driver,
                 struct model_deviced_calls calls, struct model_deviced_answer *answer)
{
    struct replay replay = {.model = model, .calls = calls};
    if (driver->state == DRIVER_READY) {
        const struct model_deviced_call *call = next(&replay, CALL_QUERY);
        PROPERTY_EQUAL(D1, call->process_id, driver->process_id);
        bool forgotten = call->status == STATUS_NOT_FOUND;
        answer->status = forgotten ? STATUS_OK : call->status;
        bool ended = forgotten || (call->status == STATUS_OK && driver->reason != END_NONE);
        if (ended) {
            driver->state = DRIVER_ENDED;
            driver->duty = DUTY_RETURN;
            driver->not_before_ticks = 0;
            answer->changed = true;
        }
        if (forgotten)
            driver->reason = driver->code = 0;
    }
    PROPERTY_EQUAL(D2, "calls", calls.count, replay.at);
    bool tells_end = driver->state == DRIVER_ENDED;
    bool rests = driver->state == DRIVER_READY && driver->rests && answer->status == STATUS_OK;
    answer->read = (struct deviced_read_driver_reply){
        .state = rests ? (uint32_t)DRIVER_RESTARTING : driver->state,
        .cause = driver->cause,
        .reason = tells_end ? driver->reason : 0,
        .code = tells_end ? driver->code : 0,
        .process_id = driver->process_id,
    };
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
    uint32_t from = badge == 0 ? FROM_ADMIN : badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
    return (row->allowed & from) != 0 ? STATUS_OK : STATUS_DENIED;
}

struct model_deviced_answer model_deviced_step(struct model_deviced *model,
                                               const struct message *request, uint64_t now_ticks,
                                               struct model_deviced_calls calls)
{
    static union {
        struct deviced_seed_binding_request seed;
        struct deviced_start_driver_request driver; /* the same for STOP and READ */
        struct deviced_seal_request seal;
    } body;
    struct model_deviced_answer answer = {.status = STATUS_OK};
    const struct operation *row = operation_find(SERVICE_DEVICED, request->header.operation);
    see(model, now_ticks);
    answer.status = admit(request, row, &body);
    if (answer.status != STATUS_OK)
        return answer;
    if (row->id == OP_DEVICED_SEED_BINDING) {
        seed(model, &body.seed, calls, &answer);
        return answer;
    }
    if (row->id == OP_DEVICED_SEAL) {
        answer.changed = !model->sealed;
        model->sealed = true;
        answer.binding_count = model->count;
        return answer;
    }
    struct model_deviced_driver *driver = driver_of(model, body.driver.role);
    if (driver == NULL) {
        answer.status = STATUS_NOT_FOUND;
        return answer;
    }
    switch (row->id) {
    case OP_DEVICED_START_DRIVER:
        start(driver, &answer);
        return answer;
    case OP_DEVICED_STOP_DRIVER:
        stop(driver, &answer);
        return answer;
    case OP_DEVICED_READ_DRIVER:
        read(model, driver, calls, &answer);
        return answer;
    default:
        break;
    }
    MODEL_KNOWS_NOT(operation);
}
