/* SPDX-License-Identifier: ISC */
/* seriald's operations. Decides who is answered when; what goes over the line is in line.c. */
#include "services/seriald/seriald.h"

#include <stddef.h>
#include <string.h>

#include "abi/roles.h"
#include "services/lib/discovery.h"
#include "services/seriald/internal.h"

/* --- answers that come later ------------------------------------------------------------------ */

/* Bytes leave when they were taken (S2). */
static void read_finish(struct seriald *seriald, uint32_t count)
{
    struct seriald_read_reply reply;
    struct message *message = caller_message(&seriald->caller);
    uint32_t reply_slot = seriald->read.reply_slot;
    memset(&reply, 0, sizeof reply);
    reply.lost_count = seriald->lost_count + seriald->lost_last;
    reply.count = count;
    memcpy(reply.bytes, seriald->kept, count);
    enum status status = message_encode(&seriald_read_reply_type, &reply, message);
    UNIT_ASSERT(status == STATUS_OK);
    message->header.operation = OP_SERIALD_READ;
    message->header.request_id = seriald->read.request_id;
    seriald->read.reply_slot = SLOT_NULL;
    if (sys_reply(reply_slot, message) == STATUS_OK)
        seriald->kept_count -= count;
}

/* --- operations ------------------------------------------------------------------------------- */

enum status seriald_write(struct seriald *seriald, struct seriald_request *request)
{
    const struct seriald_write_request *body = &request->body.write;
    return seriald_line_put(seriald, (uint32_t)request->common.info->badge, body->bytes,
                            body->count, &request->reply.write.taken_count);
}

enum status seriald_read(struct seriald *seriald, struct seriald_request *request)
{
    struct seriald_read *read = &seriald->read;
    struct service_request *common = &request->common;
    uint32_t role = (uint32_t)common->info->badge;
    if (read->reply_slot != SLOT_NULL && read->role != role)
        return STATUS_BUSY;
    if (read->reply_slot != SLOT_NULL)
        read_finish(seriald, 0);
    *read = (struct seriald_read){
        .deadline_ticks = caller_deadline(&seriald->caller, request->body.read.wait_ticks),
        .request_id = common->request_id,
        .reply_slot = common->info->reply_slot,
        .role = role,
    };
    common->handled = HANDLED_LATER;
    return STATUS_OK;
}

/* --- one message ------------------------------------------------------------------------------ */

#define SERVICE       seriald
#define SERVICE_TABLE "abi/messages/seriald.def"
#include "services/lib/unfold_rows.h"

static uint32_t sender(const void *service, void *in_hand)
{
    (void)service;
    const struct seriald_request *request = in_hand;
    uint64_t badge = request->common.info->badge;
    return badge != 0 && badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
}

static const struct service_table table = {rows, sizeof rows / sizeof rows[0], sender};

enum handled seriald_handle(void *state, struct message *message, const struct receive_info *info)
{
    struct seriald *seriald = state;
    struct seriald_request request; /* the dispatch clears what is used */
    request.common = (struct service_request){
        .caller = &seriald->caller,
        .message = message,
        .info = info,
        .body = &request.body,
        .reply = &request.reply,
    };
    /* A reply slot that comes with a call has nobody behind it who waits (K10). */
    if (info->reply_slot != SLOT_NULL && info->reply_slot == seriald->read.reply_slot)
        seriald->read.reply_slot = SLOT_NULL;
    return service_dispatch(&table, seriald, &request.common);
}

/* --- turns ------------------------------------------------------------------------------------ */

void seriald_tick(struct seriald *seriald, uint64_t now_ticks)
{
    const struct seriald_read *read = &seriald->read;
    caller_see_clock(&seriald->caller, now_ticks);
    seriald_line_log(seriald);
    if (read->reply_slot == SLOT_NULL)
        return;
    uint64_t now = seriald->caller.now_ticks;
    uint64_t left_ticks = read->deadline_ticks <= now ? 0 : read->deadline_ticks - now;
    if (seriald->kept_count == 0 && seriald->read_ticks <= now)
        seriald_line_take(seriald,
                          left_ticks < SERIALD_SLICE_TICKS ? left_ticks : SERIALD_SLICE_TICKS);
    if (seriald->kept_count != 0 || read->deadline_ticks <= seriald->caller.now_ticks)
        read_finish(seriald, seriald->kept_count);
}

uint64_t seriald_next_ticks(const struct seriald *seriald)
{
    uint64_t next_ticks = seriald->log_ticks;
    const struct seriald_read *read = &seriald->read;
    if (read->reply_slot == SLOT_NULL)
        return next_ticks;
    UNIT_ASSERT(seriald->kept_count == 0); /* who waits got them in the last tick */
    uint64_t read_ticks = seriald->read_ticks;
    if (read->deadline_ticks < read_ticks)
        read_ticks = read->deadline_ticks;
    return read_ticks < next_ticks ? read_ticks : next_ticks;
}

/* --- the whole -------------------------------------------------------------------------------- */

const char *seriald_check(const struct seriald *seriald)
{
    if (seriald->kept_count > SERIAL_BYTES_MAX)
        return "S2";
    if (seriald->open_role > ROLE_ID_MAX)
        return "S4";
    return seriald->read.reply_slot == SLOT_NULL || seriald->read.role != 0 ? NULL : "S3";
}

void seriald_visit_fields(const struct seriald *seriald,
                          void (*visit)(void *context, uint64_t value), void *context)
{
    visit(context, seriald->caller.now_ticks);
    visit(context, seriald->log_cursor);
    visit(context, seriald->log_ticks);
    visit(context, seriald->lost_count);
    visit(context, seriald->lost_last);
    visit(context, seriald->open_role);
    visit(context, seriald->open_role == ROLE_NONE ? 0 : seriald->open_ticks);
    visit(context, seriald->open_role == ROLE_NONE ? 0 : seriald->hold_ticks);
    visit(context, seriald->has_driver);
    visit(context, seriald->kept_count);
    for (uint32_t i = 0; i < seriald->kept_count; i++)
        visit(context, seriald->kept[i]);
    visit(context, seriald->read.reply_slot);
    if (seriald->read.reply_slot != SLOT_NULL)
        visit(context, seriald->read.deadline_ticks);
}

/* --- start ------------------------------------------------------------------------------------ */

/* What is ready can be found. */
static enum status seriald_prepare(void *state, const struct envelope *start)
{
    (void)start;
    struct seriald *seriald = state;
    return discovery_register(&seriald->caller, ROLE_SERIALD);
}

static const char *unsound(const void *state)
{
    return seriald_check(state);
}

void seriald_run(struct seriald *seriald)
{
    struct envelope envelope;
    struct receive_info info;
    memset(&info, 0, sizeof info);
    enum status status =
        service_start(&seriald->caller, ROLE_SERIALD, &envelope, seriald_prepare, unsound, seriald);
    while (service_goes_on(status)) {
        status = service_turn(&seriald->caller, SLOT_SERVICE_ENDPOINT, seriald_next_ticks(seriald),
                              seriald_handle, seriald, &info);
        if (service_goes_on(status))
            seriald_tick(seriald, info.now_ticks);
    }
    kernel_exit(&seriald->caller, status);
}
