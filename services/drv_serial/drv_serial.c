/* SPDX-License-Identifier: ISC */
/* drv-serial's operations. Decides who is answered when, and what is kept; what the UART is asked is
 * in line.c. */
#include "services/drv_serial/drv_serial.h"

#include <stddef.h>
#include <string.h>

#include "abi/roles.h"
#include "services/drv_serial/internal.h"
#include "services/lib/discovery.h"
#include "services/lib/interrupts.h"

/* --- answers that come later ------------------------------------------------------------------ */

/* OK when its caller has taken it. */
static enum status answer(struct drv_serial *driver, uint32_t reply_slot, uint16_t operation,
                          uint64_t request_id, const struct message_type *type, const void *reply)
{
    struct message *message = caller_message(&driver->caller);
    enum status status = message_encode(type, reply, message);
    UNIT_ASSERT(status == STATUS_OK);
    message->header.operation = operation;
    message->header.request_id = request_id;
    return sys_reply(reply_slot, message);
}

static void write_finish(struct drv_serial *driver)
{
    struct drv_serial_write *write = &driver->write;
    struct drv_serial_write_reply reply = {.taken_count = write->taken_count};
    if (write->reply_slot != SLOT_NULL)
        (void)answer(driver, write->reply_slot, OP_DRV_SERIAL_WRITE, write->request_id,
                     &drv_serial_write_reply_type, &reply);
    write->count = 0;
    write->taken_count = 0;
    write->reply_slot = SLOT_NULL;
}

/* The oldest bytes of the ring; they leave it when they were taken (S2). */
static void read_finish(struct drv_serial *driver, uint32_t count)
{
    struct drv_serial_read_reply reply;
    struct drv_serial_read *read = &driver->read;
    uint32_t reply_slot = read->reply_slot;
    memset(&reply, 0, sizeof reply);
    reply.lost_count = driver->lost_count;
    reply.count = count;
    for (uint32_t i = 0; i < count; i++)
        reply.bytes[i] = driver->ring[(driver->ring_first + i) % DRV_SERIAL_RING_BYTES];
    read->reply_slot = SLOT_NULL;
    if (answer(driver, reply_slot, OP_DRV_SERIAL_READ, read->request_id,
               &drv_serial_read_reply_type, &reply) != STATUS_OK)
        return;
    driver->ring_first = (driver->ring_first + count) % DRV_SERIAL_RING_BYTES;
    driver->ring_count -= count;
}

/* --- operations ------------------------------------------------------------------------------- */

enum status drv_serial_write(struct drv_serial *driver, struct drv_serial_request *request)
{
    const struct drv_serial_write_request *body = &request->body.write;
    struct drv_serial_write *write = &driver->write;
    if (write->count != 0)
        return STATUS_BUSY; /* S1 */
    write->deadline_ticks = caller_deadline(&driver->caller, DRV_SERIAL_WRITE_TICKS);
    write->request_id = request->common.request_id;
    write->reply_slot = request->common.info->reply_slot;
    write->count = body->count;
    memcpy(write->bytes, body->bytes, body->count);
    request->common.handled = HANDLED_LATER;
    return STATUS_OK;
}

enum status drv_serial_read(struct drv_serial *driver, struct drv_serial_request *request)
{
    struct drv_serial_read *read = &driver->read;
    struct service_request *common = &request->common;
    uint64_t wait_ticks = request->body.read.wait_ticks;
    uint32_t role = (uint32_t)common->info->badge;
    uint64_t request_id = common->request_id;
    if (read->reply_slot != SLOT_NULL && read->role != role)
        return STATUS_BUSY;
    if (read->reply_slot != SLOT_NULL)
        read_finish(driver, 0);
    *read = (struct drv_serial_read){
        .deadline_ticks = caller_deadline(&driver->caller, wait_ticks),
        .request_id = request_id,
        .reply_slot = common->info->reply_slot,
        .role = role,
    };
    common->handled = HANDLED_LATER;
    return STATUS_OK;
}

/* --- one message ------------------------------------------------------------------------------ */

#define SERVICE       drv_serial
#define SERVICE_TABLE "abi/messages/drv_serial.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct drv_serial_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    return badge != 0 && badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

/* A reply slot that comes with a call has nobody behind it who waits (K10). */
static void forget(struct drv_serial *driver, uint32_t reply_slot)
{
    if (reply_slot == SLOT_NULL)
        return;
    if (driver->write.reply_slot == reply_slot)
        driver->write.reply_slot = SLOT_NULL;
    if (driver->read.reply_slot == reply_slot)
        driver->read.reply_slot = SLOT_NULL;
}

enum handled drv_serial_handle(void *state, struct message *message,
                               const struct receive_info *info)
{
    struct drv_serial *driver = state;
    struct drv_serial_request request; /* the dispatch clears what is used */
    if (interrupts_is(message, DRV_SERIAL_LINE, DRV_SERIAL_TOKEN)) {
        driver->owes_ack = true;
        return HANDLED_LATER;
    }
    request.common = (struct service_request){
        .caller = &driver->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    forget(driver, info->reply_slot);
    return service_dispatch(&table, driver, &request.common);
}

/* --- turns ------------------------------------------------------------------------------------ */

void drv_serial_tick(struct drv_serial *driver, uint64_t now_ticks)
{
    struct drv_serial_write *write = &driver->write;
    struct drv_serial_read *read = &driver->read;
    caller_see_clock(&driver->caller, now_ticks);
    drv_serial_line_receive(driver);
    if (write->count != 0) {
        bool goes_on = drv_serial_line_send(driver);
        if (!goes_on || write->taken_count == write->count ||
            write->deadline_ticks <= driver->caller.now_ticks)
            write_finish(driver);
    }
    if (read->reply_slot == SLOT_NULL)
        return;
    uint32_t count = driver->ring_count < SERIAL_BYTES_MAX ? driver->ring_count : SERIAL_BYTES_MAX;
    if (count != 0 || read->deadline_ticks <= driver->caller.now_ticks)
        read_finish(driver, count);
}

uint64_t drv_serial_next_ticks(const struct drv_serial *driver)
{
    if (driver->write.count != 0 || driver->has_more || driver->owes_ack)
        return deadline_after(driver->caller.now_ticks, 1);
    return driver->read.reply_slot == SLOT_NULL ? DEADLINE_NEVER : driver->read.deadline_ticks;
}

/* --- the whole -------------------------------------------------------------------------------- */

const char *drv_serial_check(const struct drv_serial *driver)
{
    const struct drv_serial_write *write = &driver->write;
    if (write->count > SERIAL_BYTES_MAX || write->taken_count > write->count ||
        (write->count == 0 && write->reply_slot != SLOT_NULL))
        return "S1";
    if (driver->ring_first >= DRV_SERIAL_RING_BYTES || driver->ring_count > DRV_SERIAL_RING_BYTES)
        return "S2";
    return driver->read.reply_slot == SLOT_NULL || driver->read.role != 0 ? NULL : "S3";
}

void drv_serial_visit_fields(const struct drv_serial *driver,
                             void (*visit)(void *context, uint64_t value), void *context)
{
    const struct drv_serial_write *write = &driver->write;
    visit(context, driver->caller.now_ticks);
    visit(context, driver->lost_count);
    visit(context, driver->owes_ack);
    visit(context, driver->has_more);
    visit(context, driver->ring_count);
    for (uint32_t i = 0; i < driver->ring_count; i++)
        visit(context, driver->ring[(driver->ring_first + i) % DRV_SERIAL_RING_BYTES]);
    visit(context, write->reply_slot);
    visit(context, write->count - write->taken_count);
    for (uint32_t i = write->taken_count; i < write->count; i++)
        visit(context, write->bytes[i]);
    visit(context, driver->read.reply_slot);
    if (driver->read.reply_slot != SLOT_NULL)
        visit(context, driver->read.deadline_ticks);
}

/* --- start ------------------------------------------------------------------------------------ */

/* What is ready can be found. */
static enum status drv_serial_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct drv_serial *driver = state;
    enum status status = drv_serial_line_start(driver);
    if (status == STATUS_OK)
        status = discovery_register(&driver->caller, ROLE_DRV_SERIAL);
    return status;
}

static const char *unsound(const void *state)
{
    return drv_serial_check(state);
}

void drv_serial_run(struct drv_serial *driver)
{
    struct envelope envelope;
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status = service_start(&driver->caller, ROLE_DRV_SERIAL, &envelope,
                                       drv_serial_prepare, unsound, driver);
    while (service_goes_on(status)) {
        status = service_turn(&driver->caller, SLOT_SERVICE_ENDPOINT, drv_serial_next_ticks(driver),
                              drv_serial_handle, driver, &info);
        if (service_goes_on(status))
            drv_serial_tick(driver, info.now_ticks);
    }
    kernel_exit(&driver->caller, status);
}
