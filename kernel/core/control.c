/* SPDX-License-Identifier: ISC */
/* Kernel control, the common part: which row a request is, whether the kind accepts it, whether it
 * decodes, and how the reply is written. The verdicts of single operations are in control_*.c and,
 * in words, in control.h. */
#include "kernel/core/control.h"

#include "abi/messages/kernel.h"
#include "abi/codec.h"

struct control_row {
    enum status (*perform)(struct control *control); /* null: not LIVE */
    const struct message_type *request;
    uint32_t kinds;
    uint32_t reply_bytes;
    enum status refusal; /* of a row that is not LIVE */
};

enum {
    CONTROL_OPERATION_LIMIT = 1
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why) +1
#include "abi/messages/kernel.def"
#include "abi/messages/undef.h"
};

#define CONTROL_LIVE(name)        .perform = control_##name
#define CONTROL_DENIED(name)      .refusal = STATUS_DENIED
#define CONTROL_UNSUPPORTED(name) .refusal = STATUS_UNSUPPORTED
static const struct control_row control_rows[CONTROL_OPERATION_LIMIT] = {
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)                           \
    [id] = {CONTROL_##state(name), .request = &service##_##name##_request_type,                    \
            .kinds = (allowed), .reply_bytes = sizeof(struct service##_##name##_reply)},
#include "abi/messages/kernel.def"
#include "abi/messages/undef.h"
};

enum status control_process(const struct control *control, uint32_t slot, struct process **out)
{
    struct capability *cap;
    enum status status = control_get(control, slot, OBJECT_PROCESS, RIGHT_CONTROL, &cap);
    if (status == STATUS_OK)
        *out = process_at(control->kernel, cap->object);
    return status;
}

/* Everything before the operation's own questions. */
static enum status control_decode(struct control *control, const struct message *message,
                                  const struct control_row **out)
{
    uint16_t id = message->header.operation;
    if (id >= CONTROL_OPERATION_LIMIT || control_rows[id].request == NULL)
        return STATUS_DENIED;
    const struct control_row *row = &control_rows[id];
    if ((row->kinds & (1u << control->kind)) == 0 || row->refusal == STATUS_DENIED)
        return STATUS_DENIED;
    if (row->perform == NULL)
        return row->refusal;
    if (message_decode(row->request, message, &control->request) != STATUS_OK)
        return STATUS_INVALID_ARGUMENT;
    *out = row;
    return STATUS_OK;
}

static void reply_write(const struct control *control, struct message *message)
{
    uint16_t operation = message->header.operation;
    uint64_t request_id = message->header.request_id;
    message->header = (struct message_header){
        .version = MESSAGE_VERSION,
        .operation = operation,
        .body_bytes = (uint16_t)control->reply_bytes,
        .request_id = request_id,
    };
    memcpy(message->body, &control->reply, control->reply_bytes);
}

/* The one reply with capabilities: where they lie and what they are. */
static void reply_caps_write(const struct control *control, struct message *message)
{
    const uint32_t *slots = (const uint32_t *)(const void *)&control->reply;
    for (uint32_t i = 0; i < MESSAGE_CAP_LIMIT; i++) {
        const struct capability *cap = cspace_find(control->caller, slots[i]);
        message->caps[i] = (struct message_cap){
            .field_offset = (uint16_t)(i * sizeof(uint32_t)),
            .rights = cap->rights,
            .object_type = cap->object_type,
        };
    }
    message->header.cap_count = MESSAGE_CAP_LIMIT;
}

void control_call(struct kernel *kernel, struct process *caller, enum object_type kind)
{
    struct message *message = message_of(caller);
    struct control control; /* request and reply are large: only what is used is cleared */
    control.kernel = kernel;
    control.caller = caller;
    control.kind = kind;
    const struct control_row *row = NULL;
    enum status status = control_decode(&control, message, &row);
    if (status == STATUS_OK) {
        control.reply_bytes = row->reply_bytes;
        memset(&control.reply, 0, row->reply_bytes);
        status = row->perform(&control);
    }
    if (caller->life != LIFE_CURRENT || caller->ending != ENDING_NONE)
        return; /* it ended itself, or the system */
    if (caller->resume == RESUME_WORK && caller->work.kind == WORK_SCAN)
        return; /* it will be asked again */
    if (status != STATUS_OK) {
        message_refuse(message, status);
        return;
    }
    reply_write(&control, message);
    if (message->header.operation == OP_KERNEL_CREATE_STAGED_PROCESS)
        reply_caps_write(&control, message);
}
