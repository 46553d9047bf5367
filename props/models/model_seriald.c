/* SPDX-License-Identifier: ISC */
/* The model of seriald: what it asks, call by call, since each of them may fail. */
#include "props/models/model_seriald.h"

#include <stdio.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/roles.h"

enum { LINES = 4, IDLE = 50, PATIENCE = 1000, HOLD = 10000, AGAIN = 200, SLICE = 20 };
enum { CALL = 5000, PEEK = 20 };

void model_seriald_reset(struct model_seriald *model)
{
    memset(model, 0, sizeof *model);
}

static uint64_t after(uint64_t now_ticks, uint64_t ticks)
{
    return now_ticks > UINT64_MAX - 1 - ticks ? UINT64_MAX - 1 : now_ticks + ticks;
}

static void see(struct model_seriald *model, uint64_t now_ticks)
{
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
}

/* OK, or why this call fails; one that times out takes its time. */
static enum status call(struct model_seriald *model, uint64_t ticks)
{
    bool fails = model->failure->count != 0 && model->calls == model->failure->calls_before;
    model->calls++;
    if (fails && model->failure->status == STATUS_TIMED_OUT && ticks != 0)
        see(model, after(model->now_ticks, ticks));
    return fails ? model->failure->status : STATUS_OK;
}

/* A peer of that life is asked: OK when it can answer. *heard: whether somebody answered. */
static enum status ask(struct model_seriald *model, uint64_t ticks, uint32_t known, uint32_t life,
                       bool *heard)
{
    enum status status = call(model, ticks);
    *heard = status != STATUS_TIMED_OUT && status != STATUS_PEER_DIED;
    if (status == STATUS_OK && known != life) {
        *heard = false;
        status = STATUS_NOT_FOUND;
    }
    return status;
}

/* What lies in the slot goes, then named is asked: the life that is found, or 0. */
static uint32_t find(struct model_seriald *model, bool *held, uint32_t life, enum status *status)
{
    *status = call(model, 0);
    if (*status != STATUS_OK)
        return 0;
    *held = false;
    *status = call(model, CALL);
    if (*status == STATUS_OK && life == 0)
        *status = STATUS_NOT_FOUND;
    *held = *status == STATUS_OK;
    return *held ? life : 0;
}

static enum status find_driver(struct model_seriald *model)
{
    enum status status = STATUS_OK;
    if (model->driver == 0)
        model->driver = find(model, &model->driver_held, model->line.driver_life, &status);
    return status;
}

static void lose_driver(struct model_seriald *model)
{
    model->driver = 0;
    model->lost_before += model->lost_last;
    model->lost_last = 0;
}

/* --- the line --- */

static enum status send_once(struct model_seriald *model, uint32_t role, const uint8_t *bytes,
                             uint32_t count, uint32_t *taken)
{
    struct drv_serial_write_request request = {.count = count};
    struct drv_serial_write_reply reply = {0};
    bool heard;
    memcpy(request.bytes, bytes, count);
    *taken = 0;
    enum status status = find_driver(model);
    if (status != STATUS_OK)
        return status;
    status = ask(model, CALL, model->driver, model->line.driver_life, &heard);
    if (status == STATUS_OK)
        status = serial_line_write(&model->line, &request, &reply);
    if (!heard)
        lose_driver(model);
    uint32_t before = model->owner;
    *taken = reply.taken_count;
    if (*taken != 0)
        model->owner = bytes[*taken - 1] == '\n' ? 0 : role;
    else if (status != STATUS_OK && status != STATUS_BUSY && status != STATUS_NOT_FOUND)
        model->owner = role; /* nobody knows what went out */
    else
        return status;
    model->owner_ticks = model->now_ticks;
    if (model->owner != before)
        model->owned_ticks = model->now_ticks;
    return status;
}

static enum status send(struct model_seriald *model, uint32_t role, const uint8_t *bytes,
                        uint32_t count, uint32_t *taken)
{
    uint32_t known = model->driver;
    enum status status = send_once(model, role, bytes, count, taken);
    if (status == STATUS_NOT_FOUND && known != 0 && model->driver == 0)
        status = send_once(model, role, bytes, count, taken);
    return status;
}

/* On a line of its own: each record, and each client's bytes behind another's. */
static enum status put(struct model_seriald *model, uint32_t role, const void *bytes,
                       uint32_t count, uint32_t *taken)
{
    if (model->owner != 0 && (model->owner != role || role == ROLE_LOGD)) {
        enum status status = send(model, model->owner, (const uint8_t *)"\n", 1, taken);
        if (status != STATUS_OK || *taken == 0) {
            *taken = 0;
            return status;
        }
    }
    return send(model, role, bytes, count, taken);
}

/* --- the log --- */

static bool bring_one(struct model_seriald *model)
{
    static const char *const severities[] = {"error", "warning", "notice", "detail"};
    struct logd_read_reply record;
    char text[SERIAL_BYTES_MAX + 1];
    char missed[64] = "";
    uint32_t taken;
    bool heard;
    memset(&record, 0, sizeof record);
    enum status status = ask(model, PEEK, model->log, model->line.log_life, &heard);
    if (status == STATUS_OK)
        status = serial_line_log(&model->line, model->cursor, &record);
    if (!heard && status != STATUS_TIMED_OUT)
        model->log = 0; /* who is only slow is still the same one */
    model->log_ticks = after(model->now_ticks, status == STATUS_NOT_FOUND && heard ? IDLE : AGAIN);
    if (status != STATUS_OK)
        return false;
    if (record.missed_count != 0)
        snprintf(missed, sizeof missed, "LOG:MISSED:%llu\n",
                 (unsigned long long)record.missed_count);
    snprintf(text, sizeof text, "%sLOG:%llu:%s:%s:%.*s\n", missed, (unsigned long long)record.ticks,
             role_find(record.role)->image, severities[record.severity], (int)record.count,
             (const char *)record.text);
    uint32_t count = (uint32_t)strlen(text);
    status = put(model, ROLE_LOGD, text, count, &taken);
    model->log_ticks = after(model->now_ticks, AGAIN);
    if (status != STATUS_OK || taken != count)
        return false;
    model->cursor = record.record_id + 1;
    return true;
}

static void bring_log(struct model_seriald *model)
{
    enum status status;
    uint64_t due_ticks = model->log_ticks;
    if (model->now_ticks < due_ticks)
        return;
    bool clients = model->owner != 0 && model->owner != ROLE_LOGD;
    bool patient = model->now_ticks < after(model->owner_ticks, PATIENCE) &&
                   model->now_ticks < after(model->owned_ticks, HOLD);
    if (clients && patient) {
        model->log_ticks = after(model->now_ticks, IDLE);
        return;
    }
    if (model->log == 0) {
        model->log = find(model, &model->log_held, model->line.log_life, &status);
        model->cursor = 1;
    }
    if (model->log == 0) {
        model->log_ticks = after(model->now_ticks, AGAIN);
        return;
    }
    unsigned lines = 0;
    while (lines < LINES && bring_one(model))
        lines++;
    if (lines == LINES)
        model->log_ticks = due_ticks; /* at once: there may be more */
}

/* --- bytes that come --- */

static void answer(struct model_seriald *model, uint32_t count)
{
    HARNESS(model->answer_count < MODEL_SERIALD_ANSWERS);
    struct model_seriald_answer *told = &model->answers[model->answer_count++];
    memset(told, 0, sizeof *told);
    told->reply_slot = model->reader_slot;
    told->request_id = model->reader_request;
    told->gone = model->reader_gone;
    told->read.lost_count = model->lost_before + model->lost_last;
    told->read.count = count;
    memcpy(told->read.bytes, model->kept, count);
    if (!told->gone)
        model->kept_count -= count;
    model->reader_slot = 0;
    model->reader_gone = false;
}

static void take(struct model_seriald *model)
{
    struct drv_serial_read_reply reply;
    bool heard;
    memset(&reply, 0, sizeof reply);
    model->read_ticks = after(model->now_ticks, SLICE);
    if (find_driver(model) != STATUS_OK)
        return;
    enum status status = ask(model, CALL, model->driver, model->line.driver_life, &heard);
    if (status == STATUS_OK)
        status = serial_line_read(&model->line, &reply);
    if (!heard)
        lose_driver(model);
    if (status != STATUS_OK)
        return;
    model->read_ticks = model->now_ticks;
    model->lost_last = reply.lost_count;
    model->kept_count = reply.count;
    memcpy(model->kept, reply.bytes, reply.count);
}

void model_seriald_tick(struct model_seriald *model, uint64_t now_ticks)
{
    see(model, now_ticks);
    bring_log(model);
    if (model->reader_slot == 0)
        return;
    if (model->kept_count == 0 && model->read_ticks <= model->now_ticks)
        take(model);
    if (model->kept_count != 0 || model->reader_deadline <= model->now_ticks)
        answer(model, model->kept_count);
}

/* --- one message --- */

static enum status admit(const struct message *request, const struct operation *row, void *body)
{
    uint64_t badge = request->header.badge;
    if (row == NULL)
        return STATUS_INVALID_ARGUMENT;
    enum status status = message_decode(row->request, request, body);
    if (status != STATUS_OK)
        return status;
    return badge != 0 && badge <= ROLE_ID_MAX ? STATUS_OK : STATUS_DENIED;
}

void model_seriald_quiet(struct model_seriald *model, const struct model_failure *failure)
{
    model->failure = failure;
    model->calls = 0;
}

struct model_seriald_result model_seriald_step(struct model_seriald *model,
                                               const struct message *request, uint32_t reply_slot,
                                               uint64_t now_ticks,
                                               const struct model_failure *failure)
{
    static union {
        struct seriald_write_request write;
        struct seriald_read_request read;
    } body;
    const struct operation *row = operation_find(SERVICE_SERIALD, request->header.operation);
    uint32_t role = (uint32_t)request->header.badge;
    struct model_seriald_result result = {0};
    model_seriald_quiet(model, failure);
    see(model, now_ticks);
    if (model->reader_slot == reply_slot) { /* whoever had the slot waits no more */
        model->reader_slot = 0;
        model->reader_gone = false;
    }
    result.status = admit(request, row, &body);
    if (result.status != STATUS_OK)
        return result;
    if (row->id == OP_SERIALD_WRITE) {
        result.status = put(model, role, body.write.bytes, body.write.count, &result.taken_count);
        return result;
    }
    HARNESS(row->id == OP_SERIALD_READ);
    if (model->reader_slot != 0 && model->reader_role != role) {
        result.status = STATUS_BUSY;
        return result;
    }
    if (model->reader_slot != 0)
        answer(model, 0);
    model->reader_slot = reply_slot;
    model->reader_role = role;
    model->reader_request = request->header.request_id;
    model->reader_deadline = after(model->now_ticks, body.read.wait_ticks);
    result.later = true;
    return result;
}

void model_seriald_gone(struct model_seriald *model, uint32_t reply_slot)
{
    if (model->reader_slot == reply_slot)
        model->reader_gone = true;
}

uint64_t model_seriald_next(const struct model_seriald *model)
{
    uint64_t next_ticks = model->log_ticks;
    if (model->reader_slot != 0 && model->kept_count != 0)
        return 0;
    if (model->reader_slot != 0 && model->read_ticks < next_ticks)
        next_ticks = model->read_ticks;
    if (model->reader_slot != 0 && model->reader_deadline < next_ticks)
        next_ticks = model->reader_deadline;
    return next_ticks;
}
