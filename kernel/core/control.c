/* SPDX-License-Identifier: ISC */
/* Kernel control, the common part: which row a request is, whether the kind accepts it, whether it
 * decodes, and how the reply is written. The verdicts of single operations are in control_*.c and,
 * in words, in control.h. */
#include "kernel/core/control.h"

#include "abi/messages/kernel.h"
#include "abi/codec.h"

struct control_row {
    enum status (*perform)(struct control *control); /* null: UNSUPPORTED */
    const struct message_type *request;
    uint32_t kinds; /* none: the row is DENIED, or there is none with this id */
    uint32_t reply_bytes;
};

#define CONTROL_LIVE(name, allowed)        .kinds = (allowed), .perform = control_##name
#define CONTROL_DENIED(name, allowed)      .kinds = 0
#define CONTROL_UNSUPPORTED(name, allowed) .kinds = (allowed)
static const struct control_row control_rows[] = {
#include "abi/messages/nofields.h"
#undef OPERATION
#define OPERATION(SERVICE, service, name, NAME, id, allowed, state, why)                           \
    [id] = {CONTROL_##state(name, allowed), .request = &service##_##name##_request_type,           \
            .reply_bytes = sizeof(struct service##_##name##_reply)},
#include "abi/messages/kernel.def"
#include "abi/messages/undef.h"
};

enum { CONTROL_OPERATION_LIMIT = sizeof control_rows / sizeof control_rows[0] };

/* Everything before the operation's own questions. */
static inline enum status control_allowed(const struct control_row *row, enum object_type kind,
                                          const struct message *message)
{
    if ((row->kinds >> kind & 1) == 0)
        return STATUS_DENIED;
    if (row->perform == NULL)
        return STATUS_UNSUPPORTED;
    return message_allowed(row->request, message) ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

/* The header; operation and request_id stay as they are. */
static inline void reply_header_write(struct message_header *header, uint32_t body_bytes)
{
    header->body_bytes = (uint16_t)body_bytes;
    header->cap_count = 0;
    header->window_count = 0;
    header->window_slot = 0;
    header->status = STATUS_OK;
    header->badge = 0;
}

/* The one reply with capabilities: where they lie and what they are. Apart, because there is one. */
__attribute__((noinline)) static void reply_caps_write(const struct process *caller,
                                                       struct message *message)
{
    const uint32_t *slots = (const uint32_t *)(const void *)message->body;
    for (uint32_t i = 0; i < MESSAGE_CAP_LIMIT; i++) {
        const struct capability *cap = cspace_find(caller, slots[i]);
        message->caps[i] = (struct message_cap){
            .field_offset = (uint16_t)(i * sizeof(uint32_t)),
            .rights = cap->rights,
            .object_type = cap->object_type,
        };
    }
    message->header.cap_count = MESSAGE_CAP_LIMIT;
}

static inline bool goes_on(const struct process *caller)
{
    return caller->life == LIFE_CURRENT && caller->resume == RESUME_RESULT;
}

/* Whether the caller gets a reply: not when it ended itself, or the system, and not yet when its
 * question is asked again. */
static inline bool is_answered(const struct process *caller)
{
    return goes_on(caller) || (caller->life == LIFE_CURRENT && caller->ending == ENDING_NONE &&
                               caller->work.kind != WORK_SCAN);
}

KERNEL_INLINE void perform(struct kernel *kernel, struct process *caller, enum object_type kind)
{
    struct message *message = message_of(caller);
    uint32_t id = message->header.operation;
    const struct control_row *row = &control_rows[id < CONTROL_OPERATION_LIMIT ? id : 0];
    struct control control = {
        .kernel = kernel,
        .caller = caller,
        .kind = kind,
        .request = (const union control_request *)(const void *)message->body,
        .reply = (union control_reply *)(void *)message->body,
        .reply_bytes = row->reply_bytes,
    };
    enum status status = control_allowed(row, kind, message);
    if (status == STATUS_OK)
        status = row->perform(&control);
    if (!is_answered(caller))
        return;
    if (status != STATUS_OK) {
        message_refuse(message, status);
        return;
    }
    reply_header_write(&message->header, control.reply_bytes);
    if (message->header.operation == OP_KERNEL_CREATE_STAGED_PROCESS)
        reply_caps_write(caller, message);
}

void control_call(struct kernel *kernel, struct process *caller, enum object_type kind)
{
    perform(kernel, caller, kind);
}

/* By a message with neither descriptors nor a window, which is most of it: what ipc_call would ask is
 * answered at once. */
static inline bool is_plain(const struct capability *cap, const struct message_header *header)
{
    return cap->object_type >= OBJECT_KERNEL_SELF && (cap->rights & RIGHT_CONTROL) != 0 &&
           header->version == MESSAGE_VERSION && (header->cap_count | header->window_count) == 0 &&
           header->body_bytes <= MESSAGE_BODY_BYTES_MAX;
}

struct process *control_enter(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel,
                              struct process *caller, const struct capability *cap)
{
    const struct message_header *header = &message_of(caller)->header;
    if (cap == NULL || !is_plain(cap, header))
        return kernel_syscall_long(slot, deadline_ticks, 0, kernel, caller, SYSCALL_CALL);
    caller->resume = RESUME_RESULT;
    caller->result = STATUS_OK;
    caller->window_slot = 0;
    caller->window_count = 0;
    perform(kernel, caller, (enum object_type)cap->object_type);
    if (goes_on(caller) && !kernel->unsettled)
        return caller;
    return entry_end(kernel);
}
