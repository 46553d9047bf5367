/* SPDX-License-Identifier: ISC */
/* The short ways of the two entries that most are: a CALL to who waits for it, and a REPLY_RECV by
 * one for whom nothing has come meanwhile. They do what ipc.c does for the same entry, or nothing:
 * every question comes before the first change, and any answer but the usual one leaves the entry to
 * ipc.c, which asks again and says why. They decide nothing of their own.
 *
 * What ipc.c does in general and needs no thought here:
 *   - Who pays is the same after either as before it (K7): a CALL adds its server to the end of the
 *     chain whose last client pays, and the REPLY to that client takes it off again.
 *   - Nobody else has to run: who was current ran in the highest band with anybody in it, and its
 *     server runs in that band or a higher one; for the way back it is asked (band_waits).
 *   - Who waits lends to the server alone, which lends to nobody while it waits or runs: no change
 *     of a band goes further. */
#include "kernel/core/ipc.h"

/* --- questions -------------------------------------------------------------------------------- */

KERNEL_INLINE bool capability_is(const struct capability *cap, enum object_type type,
                                 uint16_t right)
{
    return cap != NULL && cap->object_type == type && (cap->rights & right) != 0;
}

KERNEL_INLINE bool header_is_plain(const struct message_header *header)
{
    return header->version == MESSAGE_VERSION && header->body_bytes <= MESSAGE_BODY_BYTES_MAX;
}

/* The slot of the i-th capability that a message sends. */
KERNEL_INLINE uint32_t slot_sent(const struct message *message, uint32_t i)
{
    uint32_t slot;
    __builtin_memcpy(&slot, message->body + message->caps[i].field_offset, sizeof slot);
    return slot;
}

/* Whether an answer, whose capabilities may travel, takes what is in a slot along. */
static bool slot_leaves(const struct message *message, uint32_t slot)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        if (message->caps[i].mode == TRANSFER_MOVE && slot_sent(message, i) == slot)
            return true;
    }
    return false;
}

/* Whether a capability leaves that receives at the drivers' endpoint. When it is the last, and
 * arrives without that right, the endpoint ends, and others have to run. */
static bool drivers_leave(const struct process *sender, const struct message *message)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        if (message->caps[i].mode == TRANSFER_MOVE &&
            capability_receives_drivers(cspace_find(sender, slot_sent(message, i))))
            return true;
    }
    return false;
}

/* The window of a CALL is empty; that of a REPLY_RECV will be, when its answer is out. It lies in
 * one leaf that exists. */
static bool window_may(const struct process *process, const struct message *message, bool is_answer)
{
    uint32_t first = message->header.window_slot;
    uint32_t count = message->header.window_count;
    if (count == 0)
        return true;
    if (count > MESSAGE_CAP_LIMIT || !cspace_range_fillable(first, count) ||
        first % CSPACE_LEAF_CAPS > CSPACE_LEAF_CAPS - count)
        return false;
    const struct capability *caps = cspace_find(process, first);
    if (caps == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (caps[i].object_type != OBJECT_NONE && !(is_answer && slot_leaves(message, first + i)))
            return false;
    }
    return true;
}

/* What is asked of capabilities that are sent, and of a window. The slot that an answer's sender goes
 * on to receive on stays with it. */
__attribute__((noinline)) static bool caps_may(const struct kernel *kernel,
                                               const struct process *sender,
                                               const struct process *receiver,
                                               const struct message *message, uint32_t kept_slot)
{
    bool sends = message->header.cap_count != 0;
    if (sends &&
        (message_shape(message) != STATUS_OK ||
         transfer_allowed(kernel, sender, receiver) != STATUS_OK || drivers_leave(sender, message)))
        return false;
    bool is_answer = kept_slot != SLOT_NULL;
    if (sends && is_answer && slot_leaves(message, kept_slot))
        return false;
    return window_may(sender, message, is_answer);
}

KERNEL_INLINE bool has_caps(const struct message_header *header)
{
    return (header->cap_count | header->window_count) != 0;
}

/* Whether somebody is ready in a band between that of the server, which runs, and the caller's. */
KERNEL_INLINE bool band_waits(const struct kernel *kernel, const struct process *server,
                              uint32_t band)
{
    for (uint32_t i = process_band(server); i < band; i++) {
        if (kernel->ready[i].first != KERNEL_NONE)
            return true;
    }
    return false;
}

/* --- changes ---------------------------------------------------------------------------------- */

KERNEL_INLINE void window_keep(struct process *process, const struct message_header *header)
{
    process->window_slot = header->window_slot;
    process->window_count = header->window_count;
}

/* A process that waited goes on with OK. */
KERNEL_INLINE void go_on(struct kernel *kernel, struct process *process)
{
    process->result = STATUS_OK;
    process->resume = RESUME_RESULT;
    process->life = LIFE_CURRENT;
    kernel->current = process->index;
}

/* --- CALL ------------------------------------------------------------------------------------- */

KERNEL_INLINE struct process *call(struct kernel *kernel, struct process *caller,
                                   const struct capability *cap, uint64_t deadline_ticks)
{
    struct endpoint *endpoint = capability_endpoint(kernel, cap);
    if (endpoint == NULL || endpoint->receivers.first == KERNEL_NONE)
        return NULL;
    const struct message *message = message_of(caller);
    if (!header_is_plain(&message->header) || deadline_ticks <= kernel->now_ticks)
        return NULL;
    struct process *server = process_at(kernel, endpoint->receivers.first);
    if (has_caps(&message->header) && !caps_may(kernel, caller, server, message, SLOT_NULL))
        return NULL;

    caller->badge = cap->badge; /* the capability itself may go along */
    caller->fault_pending = false;
    window_keep(caller, &message->header);
    queue_remove(kernel, &endpoint->receivers, server);
    deadline_clear(kernel, server);
    message_copy(message, message_of(server), caller->badge, STATUS_OK);
    if (message->header.cap_count != 0)
        transfer_perform(kernel, caller, server);
    receive_info_write(kernel, server, caller->badge, server->reply_slot,
                       message->header.cap_count);
    reply_capability_put(kernel, caller, server);
    loan_note(caller, server);
    server->client = caller->index;
    deadline_set(kernel, caller, deadline_ticks);
    caller->resume = RESUME_RESULT;
    go_on(kernel, server);
    return server;
}

/* Apart, so that kernel_call needs no frame. */
__attribute__((noinline)) static struct process *
call_endpoint(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel, struct process *caller,
              const struct capability *cap)
{
    struct process *next = call(kernel, caller, cap, deadline_ticks);
    if (next != NULL)
        return next;
    return kernel_syscall_long(slot, deadline_ticks, 0, kernel, caller, SYSCALL_CALL);
}

struct process *kernel_call(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel,
                            struct process *caller)
{
    kernel->work_done = 0;
    const struct capability *cap = cspace_find(caller, slot);
    if (capability_is(cap, OBJECT_ENDPOINT, RIGHT_SEND))
        return call_endpoint(slot, deadline_ticks, kernel, caller, cap);
    return control_enter(slot, deadline_ticks, kernel, caller, cap);
}

/* --- REPLY_RECV ------------------------------------------------------------------------------- */

KERNEL_INLINE struct process *reply_receive(struct kernel *kernel, struct process *server,
                                            uint32_t reply_slot, uint32_t slot,
                                            uint64_t deadline_ticks)
{
    struct capability *reply = cspace_find(server, reply_slot);
    const struct capability *cap = cspace_find(server, slot);
    if (!capability_is(reply, OBJECT_REPLY, RIGHT_SEND) ||
        !capability_is(cap, OBJECT_ENDPOINT, RIGHT_RECEIVE))
        return NULL;
    struct endpoint *endpoint = capability_endpoint(kernel, cap);
    if (endpoint == NULL || endpoint->senders.first != KERNEL_NONE ||
        endpoint->events.first != KERNEL_NONE)
        return NULL;
    struct process *caller = process_at(kernel, reply->object); /* it waits: K10 */
    const struct message *message = message_of(server);
    uint32_t band = process_band(caller);
    if (server->client != caller->index || caller->fault_pending ||
        !header_is_plain(&message->header) || deadline_ticks <= kernel->now_ticks ||
        band_waits(kernel, server, band) ||
        (has_caps(&message->header) && !caps_may(kernel, server, caller, message, slot)))
        return NULL;

    uint32_t endpoint_id = cap->object;
    message_copy(message, message_of(caller), 0, message->header.status);
    if (message->header.cap_count != 0)
        transfer_perform(kernel, server, caller);
    reply_capability_take(kernel, server, caller, reply);
    loan_forget(caller, server);
    server->client = KERNEL_NONE;
    deadline_clear(kernel, caller);
    window_keep(server, &message->header);
    server->slot = slot;
    server->reply_slot = reply_slot_lowest(server);
    server->endpoint = endpoint_id;
    server->life = LIFE_RECEIVING;
    server->resume = RESUME_RESULT;
    queue_append(kernel, &endpoint->receivers, server);
    deadline_set(kernel, server, deadline_ticks);
    go_on(kernel, caller);
    return caller;
}

struct process *kernel_reply_receive(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot,
                                     struct kernel *kernel, struct process *server)
{
    kernel->work_done = 0;
    struct process *next = reply_receive(kernel, server, reply_slot, slot, deadline_ticks);
    if (next != NULL)
        return next;
    return kernel_syscall_long(slot, deadline_ticks, reply_slot, kernel, server,
                               SYSCALL_REPLY_RECV);
}
