/* SPDX-License-Identifier: ISC */
/* The model of drv-serial. Clear rather than quick: the ring is a list that is moved up. */
#include "props/models/model_drv_serial.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/roles.h"

enum { WRITE_TICKS = 2000, ACK_TICKS = 1000, NOBODY = 0xFF, RECEIVED = 1, LOST = 2 };

void model_drv_serial_reset(struct model_drv_serial *model, uint64_t now_ticks)
{
    memset(model, 0, sizeof *model);
    model->now_ticks = now_ticks;
    model->uart.scratch = 0xAA; /* what it was asked to keep last */
    model->uart.interrupts = 1; /* when a byte comes */
    model->has_more = true;     /* what came before that made none */
}

static void see(struct model_drv_serial *model, uint64_t now_ticks)
{
    if (now_ticks > model->now_ticks)
        model->now_ticks = now_ticks;
}

static uint64_t after(uint64_t now_ticks, uint64_t ticks)
{
    return now_ticks > UINT64_MAX - 1 - ticks ? UINT64_MAX - 1 : now_ticks + ticks;
}

static struct model_drv_serial_answer *answer(struct model_drv_serial *model,
                                              struct model_drv_serial_waiter *waiter)
{
    HARNESS(model->answer_count < MODEL_DRV_SERIAL_ANSWERS);
    struct model_drv_serial_answer *told = &model->answers[model->answer_count++];
    memset(told, 0, sizeof *told);
    told->reply_slot = waiter->reply_slot;
    told->request_id = waiter->request_id;
    told->gone = waiter->gone;
    memset(waiter, 0, sizeof *waiter);
    return told;
}

/* Bytes that nobody takes stay. */
static void answer_read(struct model_drv_serial *model, uint32_t count)
{
    struct model_drv_serial_answer *told = answer(model, &model->reader);
    told->is_read = true;
    told->read.lost_count = model->lost_count;
    told->read.count = count;
    memcpy(told->read.bytes, model->ring, count);
    if (told->gone)
        return;
    model->ring_count -= count;
    memmove(model->ring, model->ring + count, model->ring_count);
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

enum status model_drv_serial_step(struct model_drv_serial *model, const struct message *request,
                                  uint32_t reply_slot, uint64_t now_ticks, bool *later)
{
    static union {
        struct drv_serial_write_request write;
        struct drv_serial_read_request read;
    } body;
    const struct operation *row = operation_find(SERVICE_DRV_SERIAL, request->header.operation);
    struct model_drv_serial_waiter waiter = {
        .reply_slot = reply_slot,
        .role = (uint32_t)request->header.badge,
        .request_id = request->header.request_id,
    };
    *later = false;
    see(model, now_ticks);
    if (model->writer.reply_slot == reply_slot) /* whoever had the slot waits no more */
        memset(&model->writer, 0, sizeof model->writer);
    if (model->reader.reply_slot == reply_slot)
        memset(&model->reader, 0, sizeof model->reader);
    enum status status = admit(request, row, &body);
    if (status != STATUS_OK)
        return status;
    if (row->id == OP_DRV_SERIAL_WRITE) {
        if (model->write_count != 0)
            return STATUS_BUSY;
        model->write_deadline_ticks = after(model->now_ticks, WRITE_TICKS);
        model->writer = waiter;
        model->write_count = body.write.count;
        model->write_taken = 0;
        memcpy(model->write_bytes, body.write.bytes, body.write.count);
    } else {
        HARNESS(row->id == OP_DRV_SERIAL_READ);
        if (model->reader.reply_slot != 0 && model->reader.role != waiter.role)
            return STATUS_BUSY;
        if (model->reader.reply_slot != 0)
            answer_read(model, 0);
        waiter.deadline_ticks = after(model->now_ticks, body.read.wait_ticks);
        model->reader = waiter;
    }
    *later = true;
    return STATUS_OK;
}

void model_drv_serial_interrupt(struct model_drv_serial *model)
{
    model->owes_ack = true;
}

void model_drv_serial_gone(struct model_drv_serial *model, uint32_t reply_slot)
{
    if (model->writer.reply_slot == reply_slot)
        model->writer.gone = true;
    if (model->reader.reply_slot == reply_slot)
        model->reader.gone = true;
}

/* --- the rest of a turn --- */

/* What the driver asks in a turn, call by call. */
struct calls {
    struct model_drv_serial *model;
    const struct model_failure *failure;
    uint64_t count;
};

/* OK, or why this call fails. */
static enum status call(struct calls *calls)
{
    bool fails = calls->failure->count != 0 && calls->count == calls->failure->calls_before;
    calls->count++;
    return fails ? calls->failure->status : STATUS_OK;
}

/* True: a byte came, and there may be another one. */
static bool receive_one(struct calls *calls)
{
    struct model_drv_serial *model = calls->model;
    if (call(calls) != STATUS_OK)
        return false;
    uint8_t line = uart_read(&model->uart, 0x3FD);
    if (line == NOBODY)
        return false;
    model->lost_count += (line & LOST) != 0;
    if ((line & RECEIVED) == 0 || call(calls) != STATUS_OK)
        return false;
    uint8_t byte = uart_read(&model->uart, 0x3F8);
    if (model->ring_count == MODEL_DRV_SERIAL_RING)
        model->lost_count++;
    else
        model->ring[model->ring_count++] = byte;
    return true;
}

static void receive(struct calls *calls)
{
    struct model_drv_serial *model = calls->model;
    uint32_t count = 0;
    while (count < MODEL_DRV_SERIAL_LIMIT && receive_one(calls))
        count++;
    model->has_more = count == MODEL_DRV_SERIAL_LIMIT;
    if (!model->owes_ack || model->has_more)
        return;
    enum status status = call(calls);
    if (status == STATUS_TIMED_OUT)
        model->now_ticks = after(model->now_ticks, ACK_TICKS);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) /* there is nothing to acknowledge */
        model->owes_ack = false;
    if (status == STATUS_OK)
        model->acks++;
}

/* False: the line does not go on. */
static bool send(struct calls *calls)
{
    struct model_drv_serial *model = calls->model;
    for (uint32_t i = 0; i < MODEL_DRV_SERIAL_LIMIT && model->write_taken < model->write_count;
         i++) {
        enum status status = call(calls);
        uint8_t byte = model->write_bytes[model->write_taken];
        if (status == STATUS_BUSY)
            return true;
        if (status != STATUS_OK)
            return false;
        if (!uart_write(&model->uart, 0x3F8, byte, model->now_ticks))
            return true;
        model->write_taken++;
    }
    return true;
}

static void finish_write(struct model_drv_serial *model)
{
    uint32_t taken = model->write_taken;
    model->write_count = model->write_taken = 0;
    if (model->writer.reply_slot != 0)
        answer(model, &model->writer)->write.taken_count = taken;
}

void model_drv_serial_tick(struct model_drv_serial *model, uint64_t now_ticks,
                           const struct model_failure *failure)
{
    struct calls calls = {model, failure, 0};
    see(model, now_ticks);
    receive(&calls);
    if (model->write_count != 0) {
        bool goes_on = send(&calls);
        bool late = model->write_deadline_ticks <= model->now_ticks;
        if (!goes_on || late || model->write_taken == model->write_count)
            finish_write(model);
    }
    if (model->reader.reply_slot == 0)
        return;
    uint32_t count = model->ring_count < SERIAL_BYTES_MAX ? model->ring_count : SERIAL_BYTES_MAX;
    if (count != 0 || model->reader.deadline_ticks <= model->now_ticks)
        answer_read(model, count);
}

uint64_t model_drv_serial_next(const struct model_drv_serial *model)
{
    if (model->write_count != 0 || model->has_more || model->owes_ack)
        return after(model->now_ticks, 1);
    return model->reader.reply_slot == 0 ? UINT64_MAX : model->reader.deadline_ticks;
}
