/* SPDX-License-Identifier: ISC */
/* The one dispatch of all services. Decides the order of the questions that come before an
 * operation's own, and knows no operation; an operation never sees a request that did not decode or
 * whose sender its row does not name. */
#include "services/lib/dispatch.h"

#include <stddef.h>
#include <string.h>

static const struct service_row *row_find(const struct service_table *table, uint16_t id)
{
    for (unsigned i = 0; i < table->row_count; i++) {
        if (table->rows[i].id == id)
            return &table->rows[i];
    }
    return NULL;
}

/* A row names senders, and endpoints where the service has more than one; both must fit. */
static bool is_allowed(uint32_t allowed, uint32_t from)
{
    bool sender = (allowed & from & ~(uint32_t)FROM_ENDPOINTS) != 0;
    bool endpoint = (allowed & FROM_ENDPOINTS) == 0 || (allowed & from & FROM_ENDPOINTS) != 0;
    return sender && endpoint;
}

/* Everything before the operation's own questions. */
static enum status request_admit(const struct service_table *table, const void *service,
                                 const struct service_row *row, struct service_request *request)
{
    if (row == NULL)
        return STATUS_INVALID_ARGUMENT;
    if (row->state == OPERATION_DENIED) /* before anything else is looked at */
        return STATUS_DENIED;
    enum status status = message_decode(row->request, request->message, request->body);
    if (status != STATUS_OK)
        return status;
    if (!is_allowed(row->allowed, table->sender(service, request)))
        return STATUS_DENIED;
    return row->state == OPERATION_UNSUPPORTED ? STATUS_UNSUPPORTED : STATUS_OK;
}

/* Where the reply is made: an answer that the operation gave to somebody else has gone out. */
static struct message *reply_begin(struct service_request *request)
{
    struct message *message = request->message;
    (void)caller_message(request->caller);
    message->header.request_id = request->request_id;
    return message;
}

enum status service_encode(struct service_request *request)
{
    struct message *message = reply_begin(request);
    const struct message_cap *transfer = &request->transfer;
    enum status status = message_encode(request->type, request->reply, message);
    for (unsigned i = 0; status == STATUS_OK && i < message->header.cap_count; i++) {
        message->caps[i].mode = transfer->mode;
        message->caps[i].flags = transfer->flags;
        message->caps[i].badge = transfer->badge;
    }
    return status;
}

enum handled service_dispatch(const struct service_table *table, void *service,
                              struct service_request *request)
{
    if (request->info->reply_slot == SLOT_NULL)
        return HANDLED_LATER;
    const struct service_row *row = row_find(table, request->message->header.operation);
    request->request_id = request->message->header.request_id;
    enum status status = request_admit(table, service, row, request);
    request->handled = HANDLED_REPLY;
    if (status == STATUS_OK) {
        request->type = row->request->reply;
        request->transfer = (struct message_cap){.mode = TRANSFER_COPY};
        memset(request->reply, 0, request->type->max_bytes);
        status = row->perform(service, request);
    }
    if (status == STATUS_OK && request->handled == HANDLED_LATER)
        return HANDLED_LATER;
    if (status == STATUS_OK)
        status = service_encode(request);
    if (status != STATUS_OK)
        message_refuse(reply_begin(request), status);
    return HANDLED_REPLY;
}
