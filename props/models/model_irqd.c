/* SPDX-License-Identifier: ISC */
/* The model of irqd. Clear rather than quick: every question is a search from the beginning. */
#include "props/models/model_irqd.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"

void model_irqd_reset(struct model_irqd *model)
{
    memset(model, 0, sizeof *model);
}

void model_irqd_died(struct model_irqd *model, uint32_t number)
{
    model->instances[number]++;
}

bool model_irqd_lives(const struct model_irqd *model, uint32_t line)
{
    const struct model_irqd_line *found = &model->lines[line];
    return found->role != 0 && found->instance == model->instances[found->number];
}

bool model_irqd_seeded(const struct model_irqd *model, uint32_t line, uint64_t role)
{
    for (uint32_t i = 0; i < model->seed_count; i++)
        if (model->seeds[i].line == line && model->seeds[i].role == role)
            return true;
    return false;
}

bool model_irqd_interrupt(struct model_irqd *model, uint32_t line)
{
    struct model_irqd_line *found = &model->lines[line];
    bool told = model_irqd_lives(model, line) && !found->masked && !found->told;
    found->told = found->told || told;
    return told;
}

/* --- operations --- */

static enum status seed(struct model_irqd *model, const struct irqd_seed_handler_request *request)
{
    if (model->sealed || request->line == 0 || request->line == 2)
        return STATUS_DENIED;
    if (model_irqd_seeded(model, request->line, request->role))
        return STATUS_DUPLICATE;
    if (model->seed_count == MODEL_IRQD_SEED_LIMIT)
        return STATUS_EXHAUSTED;
    model->seeds[model->seed_count++] = (struct model_irqd_seed){request->line, request->role};
    return STATUS_OK;
}

/* The calls that irqd makes: what came; whether who has the line lives, when that is another role;
 * and the binding. One of them may fail, which ends it, but that NOT_FOUND says that nobody lives. */
static enum status bind(struct model_irqd *model, uint64_t role,
                        const struct irqd_register_handler_request *request,
                        const struct model_irqd_cap *cap, const struct model_failure *failure,
                        struct model_irqd_answer *answer)
{
    struct model_irqd_line *line = &model->lines[request->line];
    uint64_t works = failure->count != 0 ? failure->calls_before : UINT64_MAX;
    bool other = line->role != 0 && line->role != role;
    if (works == 0)
        return failure->status;
    if (cap->object_type != OBJECT_ENDPOINT || cap->rights != RIGHT_SEND ||
        cap->badge != ROLE_IRQD || cap->instance != model->instances[cap->number])
        return STATUS_INVALID_ARGUMENT;
    if (other && works == 1 && failure->status != STATUS_NOT_FOUND)
        return failure->status;
    if (other && works != 1 && model_irqd_lives(model, request->line))
        return STATUS_BUSY;
    if (works == (other ? 2 : 1))
        return failure->status;
    answer->replaced = line->role != 0;
    answer->other = other;
    answer->changed = true;
    *line = (struct model_irqd_line){
        .role = (uint32_t)role,
        .number = cap->number,
        .instance = cap->instance,
        .token = request->token,
        .masked = true,
    };
    return STATUS_OK;
}

/* OK, or why a client may say nothing of a line. */
static enum status may_speak(const struct model_irqd *model, uint32_t line, uint64_t role)
{
    if (!model->sealed)
        return STATUS_BUSY;
    return model_irqd_seeded(model, line, role) ? STATUS_OK : STATUS_DENIED;
}

/* The same of one who has it; there is one call, and irqd does not know who died. */
static enum status may_use(const struct model_irqd *model, uint32_t line, uint64_t role,
                           const struct model_failure *failure)
{
    enum status status = may_speak(model, line, role);
    if (status != STATUS_OK)
        return status;
    if (model->lines[line].role != role)
        return STATUS_NOT_FOUND;
    if (failure->count != 0)
        return failure->status;
    return model_irqd_lives(model, line) ? STATUS_OK : STATUS_NOT_FOUND;
}

static enum status set_mask(struct model_irqd *model, uint64_t role,
                            const struct irqd_set_mask_request *request,
                            const struct model_failure *failure)
{
    enum status status = may_use(model, request->line, role, failure);
    if (status == STATUS_OK)
        model->lines[request->line].masked = request->masked == 1;
    return status;
}

static enum status ack(struct model_irqd *model, uint64_t role, uint32_t line,
                       const struct model_failure *failure)
{
    enum status status = may_use(model, line, role, failure);
    if (status == STATUS_OK && !model->lines[line].told)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        model->lines[line].told = false;
    return status;
}

/* --- one message --- */

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

struct model_irqd_answer model_irqd_step(struct model_irqd *model, const struct message *request,
                                         const struct model_irqd_cap *cap,
                                         const struct model_failure *failure)
{
    static union {
        struct irqd_seed_handler_request seed;
        struct irqd_register_handler_request bind;
        struct irqd_set_mask_request mask;
        struct irqd_ack_request ack;
        struct irqd_seal_request seal;
    } body;
    uint64_t role = request->header.badge;
    struct model_irqd_answer answer = {.status = STATUS_OK};
    const struct operation *row = operation_find(SERVICE_IRQD, request->header.operation);
    answer.status = admit(request, row, &body);
    if (answer.status != STATUS_OK)
        return answer;
    switch (row->id) {
    case OP_IRQD_SEED_HANDLER:
        answer.status = seed(model, &body.seed);
        break;
    case OP_IRQD_REGISTER_HANDLER:
        answer.status = may_speak(model, body.bind.line, role);
        if (answer.status == STATUS_OK)
            answer.status = bind(model, role, &body.bind, cap, failure, &answer);
        return answer;
    case OP_IRQD_SET_MASK:
        answer.status = set_mask(model, role, &body.mask, failure);
        break;
    case OP_IRQD_ACK:
        answer.status = ack(model, role, body.ack.line, failure);
        break;
    case OP_IRQD_SEAL:
        model->sealed = true;
        break;
    default:
        MODEL_KNOWS_NOT(operation);
    }
    answer.changed = answer.status == STATUS_OK;
    return answer;
}
