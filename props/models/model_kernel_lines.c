/* SPDX-License-Identifier: ISC */
/* Lines of interrupts, as kernel.h and control.h state them: who is told of one, and when it may
 * come. */
#include "props/models/model_kernel.h"

#include <string.h>

#include "abi/messages/event.h"
#include "abi/messages/kernel.h"

bool model_line_open(const struct model_kernel *model, uint32_t number)
{
    const struct model_line *line = &model->lines[number];
    return line->endpoint != MODEL_NONE && !line->masked && !line->interrupts && !line->told;
}

void model_line_unbind(struct model_kernel *model, uint32_t number)
{
    struct model_line *line = &model->lines[number];
    if (line->endpoint != MODEL_NONE) {
        model_queue_drop(&model->endpoints[line->endpoint].events, MODEL_LINE + number);
        model_queue_drop(&model->endpoints[line->endpoint].delivered, MODEL_LINE + number);
    }
    *line = (struct model_line){.endpoint = MODEL_NONE, .masked = true};
    model->changed = true;
}

void model_line_deliver(struct model_kernel *model, uint32_t number, uint32_t receiver)
{
    struct model_line *line = &model->lines[number];
    struct message *page = &model_at(model, receiver)->page;
    struct event_interrupt_request body = {.token = line->token, .line = number};
    page->header = (struct message_header){.version = MESSAGE_VERSION,
                                           .operation = OP_EVENT_INTERRUPT,
                                           .body_bytes = sizeof body,
                                           .badge = BADGE_KERNEL};
    memcpy(page->body, &body, sizeof body);
    model_info(model, receiver, BADGE_KERNEL, false, 0);
    line->interrupts = false;
    line->told = true;
    model_queue_add(&model->endpoints[line->endpoint].delivered, MODEL_LINE + number);
    model->events_delivered++;
    model->changed = true;
}

void model_kernel_interrupt(struct model_kernel *model, uint32_t number)
{
    struct model_line *line = &model->lines[number];
    model_kernel_begin(model);
    if (model->halted)
        return;
    if (!model_line_open(model, number))
        return;
    struct model_endpoint *endpoint = &model->endpoints[line->endpoint];
    model_queue_drop(&endpoint->delivered, MODEL_LINE + number);
    model->changed = true;
    if (endpoint->receivers.count == 0) {
        line->interrupts = true;
        model_queue_add(&endpoint->events, MODEL_LINE + number);
        return;
    }
    uint32_t receiver = model_receiver_take(model, line->endpoint);
    model_line_deliver(model, number, receiver);
    model_wake(model, receiver, STATUS_OK);
    model_settle(model);
}

/* --- requests --------------------------------------------------------------------------------- */

static enum status bind(struct model_kernel *model,
                        const struct kernel_bind_interrupt_request *request)
{
    struct model_line *line = &model->lines[request->line];
    struct model_cap *cap;
    if (request->line == 0 || request->line == 2)
        return STATUS_DENIED;
    if (request->endpoint_slot == 0) {
        model_line_unbind(model, request->line);
        return STATUS_OK;
    }
    enum status status =
        model_need(model, request->endpoint_slot, OBJECT_ENDPOINT, RIGHT_SEND, &cap);
    if (status == STATUS_OK && cap->object == MODEL_DRIVER)
        status = STATUS_DENIED;
    if (status != STATUS_OK)
        return status;
    model_line_unbind(model, request->line);
    *line = (struct model_line){.endpoint = cap->object, .token = request->token, .masked = true};
    model_queue_add(&model->endpoints[cap->object].delivered, MODEL_LINE + request->line);
    return STATUS_OK;
}

static enum status ack(struct model_kernel *model, uint32_t number)
{
    if (!model->lines[number].told)
        return STATUS_NOT_FOUND;
    model->lines[number].told = false;
    model->changed = true;
    return STATUS_OK;
}

static enum status mask(struct model_kernel *model,
                        const struct kernel_mask_interrupt_request *request)
{
    struct model_line *line = &model->lines[request->line];
    if (line->endpoint == MODEL_NONE)
        return STATUS_NOT_FOUND;
    line->masked = request->masked == 1;
    model->changed = true;
    return STATUS_OK;
}

enum status model_control_lines(struct model_kernel *model, uint16_t operation, const void *request)
{
    if (operation == OP_KERNEL_BIND_INTERRUPT)
        return bind(model, request);
    if (operation == OP_KERNEL_MASK_INTERRUPT)
        return mask(model, request);
    return ack(model, ((const struct kernel_ack_interrupt_request *)request)->line);
}
