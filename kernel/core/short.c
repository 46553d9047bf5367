/* SPDX-License-Identifier: ISC */
/* The short ways of the two entries that most are: a CALL to who waits for it, and a REPLY_RECV by
 * one for whom nothing has come meanwhile. They do what ipc.c does for the same entry, or nothing:
 * every question comes before the first change, and any answer but the usual one leaves the entry to
 * ipc.c, which asks again and says why. They decide nothing of their own.
 *
 * Each way is there twice from the same source. One is for the plain trip, in few registers and
 * without a call: the owner of an endpoint waits there, and nobody else does; slots are among the
 * first of their kind, whose leaves the record names. The other is for all (`general`): by any slot,
 * with capabilities or a window, at any endpoint, whoever else waits there, of a server that has
 * other callers, or runs in a band above its client's.
 *
 * What ipc.c does in general and needs no thought here:
 *   - Who pays is the same after either as before it (K7): a CALL adds its server to the end of the
 *     chain whose last client pays, and the REPLY to that client takes it off again.
 *   - Nobody else has to run: who was current ran in the highest band with anybody in it, and its
 *     server runs in that band or a higher one; for the way back it is asked (band_waits).
 *   - Who waits lends to the server alone, which lends to nobody while it waits or runs: no change
 *     of a band goes further. */
#include "kernel/core/ipc.h"
#include "kernel/core/short.h"

/* --- questions -------------------------------------------------------------------------------- */

KERNEL_INLINE bool header_is_plain(const struct message_header *header)
{
    return header->version == MESSAGE_VERSION && header->body_bytes <= MESSAGE_BODY_BYTES_MAX;
}

/* Whether an answer, whose capabilities may travel, takes what is in a slot along. */
static bool slot_leaves(const struct message *message, uint32_t slot)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        uint32_t sent;
        __builtin_memcpy(&sent, message->body + message->caps[i].field_offset, sizeof sent);
        if (message->caps[i].mode == TRANSFER_MOVE && sent == slot)
            return true;
    }
    return false;
}

/* Whether a capability leaves that receives at the drivers' endpoint. When it is the last, and
 * arrives without that right, the endpoint ends, and others have to run. */
KERNEL_INLINE bool drivers_leave(const struct message *message, const struct transfer *transfer)
{
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        if (message->caps[i].mode == TRANSFER_MOVE &&
            capability_receives_drivers(transfer->sources[i]))
            return true;
    }
    return false;
}

/* The slots of a window that lies in one leaf, which exists: most lie among the first slots. Null
 * otherwise. */
KERNEL_INLINE const struct capability *window_find(const struct process *process, uint32_t first,
                                                   uint32_t count)
{
    if (first != SLOT_NULL && first <= CSPACE_LEAF_CAPS - count)
        return cspace_first(process, first);
    return cspace_range_fillable(first, count) ? cspace_run(process, first, count) : NULL;
}

/* The window of a CALL is empty; that of a REPLY_RECV will be, when its answer is out. */
KERNEL_INLINE bool window_may(const struct process *process, const struct message *message,
                              bool is_answer)
{
    uint32_t first = message->header.window_slot;
    uint32_t count = message->header.window_count;
    if (count == 0)
        return true;
    if (count > MESSAGE_CAP_LIMIT)
        return false;
    const struct capability *caps = window_find(process, first, count);
    if (caps == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (caps[i].object_type != OBJECT_NONE && !(is_answer && slot_leaves(message, first + i)))
            return false;
    }
    return true;
}

/* What is asked of capabilities that are sent. The slot that an answer's sender goes on to receive
 * on (SLOT_NULL: it is a CALL) stays with it. */
static bool caps_may(const struct kernel *kernel, const struct process *sender,
                     const struct process *receiver, uint32_t kept_slot, struct transfer *transfer)
{
    const struct message *message = message_of(sender);
    return message_shape(message) == STATUS_OK &&
           transfer_allowed(kernel, sender, receiver, transfer) == STATUS_OK &&
           !drivers_leave(message, transfer) &&
           (kept_slot == SLOT_NULL || !slot_leaves(message, kept_slot));
}

/* The same and of a window, where there is any. */
KERNEL_INLINE bool counts_may(const struct kernel *kernel, const struct process *sender,
                              const struct process *receiver, const struct message *message,
                              uint32_t kept_slot, struct transfer *transfer)
{
    return (message->header.cap_count == 0 ||
            caps_may(kernel, sender, receiver, kept_slot, transfer)) &&
           window_may(sender, message, kept_slot != SLOT_NULL);
}

/* Capabilities or a window: one question for the two counts. */
KERNEL_INLINE bool has_caps(const struct message_header *header)
{
    uint16_t counts;
    __builtin_memcpy(&counts, &header->cap_count, sizeof counts);
    return counts != 0;
}

/* --- changes ---------------------------------------------------------------------------------- */

KERNEL_INLINE void window_keep(struct process *process, const struct message_header *header,
                               bool general)
{
    bool window = general && header->window_count != 0;
    process->window_slot = window ? header->window_slot : 0;
    process->window_count = window ? header->window_count : 0;
}

/* A process that waited goes on with OK: it has the message of the one that waits now. */
KERNEL_INLINE struct process *go_on(struct kernel *kernel, struct process *from, struct process *to,
                                    uint16_t to_index, const struct message *message,
                                    uint64_t deadline_ticks)
{
    to->result = STATUS_OK;
    to->resume = RESUME_RESULT;
    to->life = LIFE_CURRENT;
    kernel->current = to_index;
    if (to->deadline_position != 0 || deadline_ticks != DEADLINE_NEVER)
        return ipc_finish(kernel, from, to, deadline_ticks);
    if (message->header.body_bytes != 0)
        return ipc_body(from, to);
    return to;
}

/* --- CALL ------------------------------------------------------------------------------------- */

KERNEL_INLINE uint32_t reply_index_of(const struct process *process)
{
    return process->reply_slot - SLOT_REPLY_BASE;
}

/* Whether a message may be sent by a capability, which is one of an endpoint. */
KERNEL_INLINE bool send_may(const struct kernel *kernel, const struct capability *cap,
                            const struct message *message, uint64_t deadline_ticks)
{
    return deadline_ticks > kernel->now_ticks && header_is_plain(&message->header) &&
           (cap->rights & RIGHT_SEND) != 0;
}

/* To whom: the owner of the endpoint, who waits there alone. Null: by the general way, if at all. */
KERNEL_INLINE struct process *owner_waits(const struct kernel *kernel, const struct capability *cap)
{
    uint32_t owner = cap->object;
    if (owner >= PROCESS_LIMIT || kernel->processes[owner].generation != cap->generation)
        return NULL;
    /* No capability has the generation of an index that is free. */
    struct process *server = process_at(kernel, owner);
    if (server->service.receivers.first != owner || !links_are_ends(&server->links[QUEUE_WAITING]))
        return NULL;
    return server;
}

KERNEL_INLINE struct process *call(struct kernel *kernel, struct process *caller,
                                   struct process *server, struct endpoint *endpoint,
                                   const struct message *message, uint32_t reply_index,
                                   uint64_t badge, uint64_t deadline_ticks, bool general)
{
    caller->badge = badge;
    struct capability *reply = cspace_reply(server, reply_index);
    if (general)
        KERNEL_ASSERT(reply->object_type == OBJECT_NONE);
    reply_capability_put(caller, server, reply, reply_index);
    if (general)
        queue_append(kernel, &server->callers, caller);
    else
        server->callers = queue_of(caller->index);
    caller->resume = RESUME_RESULT;
    caller->fault_pending = false;
    window_keep(caller, &message->header, general);
    loan_note(caller, server);
    server->client = caller->index;
    if (general)
        queue_remove(kernel, &endpoint->receivers, server);
    else
        endpoint->receivers = queue_empty();
    struct message *target = message_of(server);
    uint64_t told = caller->badge;
    header_copy(&message->header, &target->header, told, STATUS_OK, general);
    receive_info_fill(kernel, server, target, told, server->reply_slot,
                      general ? message->header.cap_count : 0);
    return go_on(kernel, caller, server, server->index, message, deadline_ticks);
}

__attribute__((noinline)) static struct process *
call_general(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel, struct process *caller,
             const struct capability *cap)
{
    const struct message *message = message_of(caller);
    struct endpoint *endpoint =
        send_may(kernel, cap, message, deadline_ticks) ? capability_endpoint(kernel, cap) : NULL;
    if (endpoint == NULL || endpoint->receivers.first == KERNEL_NONE)
        return kernel_syscall_long(slot, deadline_ticks, 0, kernel, caller, SYSCALL_CALL);
    struct process *server = process_at(kernel, endpoint->receivers.first);
    uint32_t reply_index = reply_index_of(server);
    struct transfer transfer;
    if (reply_index >= REPLY_WORD_SLOTS ||
        !counts_may(kernel, caller, server, message, SLOT_NULL, &transfer))
        return kernel_syscall_long(slot, deadline_ticks, 0, kernel, caller, SYSCALL_CALL);
    (void)call(kernel, caller, server, endpoint, message, reply_index, cap->badge, deadline_ticks,
               true);
    if (message->header.cap_count != 0)
        transfer_perform(kernel, caller, server, &transfer);
    return server;
}

__attribute__((noinline)) static struct process *call_plain(uint32_t slot, uint64_t deadline_ticks,
                                                            struct kernel *kernel,
                                                            struct process *caller,
                                                            const struct capability *cap)
{
    const struct message *message = message_of(caller);
    if (has_caps(&message->header) || !send_may(kernel, cap, message, deadline_ticks))
        return call_general(slot, deadline_ticks, kernel, caller, cap);
    struct process *server = owner_waits(kernel, cap);
    uint32_t reply_index = server == NULL ? UINT32_MAX : reply_index_of(server);
    if (reply_index >= REPLY_WORD_SLOTS || server->callers.first != KERNEL_NONE ||
        cspace_reply(server, reply_index)->object_type != OBJECT_NONE)
        return call_general(slot, deadline_ticks, kernel, caller, cap);
    return call(kernel, caller, server, &server->service, message, reply_index, cap->badge,
                deadline_ticks, false);
}

/* By a slot whose leaf has to be found. */
__attribute__((noinline)) static struct process *
call_far(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel, struct process *caller)
{
    const struct capability *cap = cspace_find(caller, slot);
    if (cap != NULL && cap->object_type == OBJECT_ENDPOINT)
        return call_general(slot, deadline_ticks, kernel, caller, cap);
    return control_enter(slot, deadline_ticks, kernel, caller, cap);
}

struct process *kernel_call(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel,
                            struct process *caller)
{
    kernel->work_done = 0;
    if (slot >= CSPACE_LEAF_CAPS)
        return call_far(slot, deadline_ticks, kernel, caller);
    const struct capability *cap = cspace_first(caller, slot);
    if (cap->object_type == OBJECT_ENDPOINT)
        return call_plain(slot, deadline_ticks, kernel, caller, cap);
    return control_enter(slot, deadline_ticks, kernel, caller, cap);
}

/* --- REPLY_RECV ------------------------------------------------------------------------------- */

/* Where it receives, by whatever slot, when nothing has come there; null otherwise. */
KERNEL_INLINE struct endpoint *receive_where(struct kernel *kernel, const struct capability *cap)
{
    if (cap == NULL || !capability_is(cap, OBJECT_ENDPOINT, RIGHT_RECEIVE))
        return NULL;
    struct endpoint *endpoint = capability_endpoint(kernel, cap);
    if (endpoint == NULL || endpoint->senders.first != KERNEL_NONE ||
        endpoint->events.first != KERNEL_NONE)
        return NULL;
    return endpoint;
}

/* Whom it answers: its client, which waits, and says in which slot. */
KERNEL_INLINE struct process *reply_may(const struct kernel *kernel, const struct process *server,
                                        const struct message *message, uint64_t deadline_ticks,
                                        uint32_t reply_index)
{
    uint32_t client = server->client;
    if (reply_index >= REPLY_WORD_SLOTS || client >= PROCESS_LIMIT ||
        deadline_ticks <= kernel->now_ticks || !header_is_plain(&message->header))
        return NULL;
    struct process *caller = process_at(kernel, client);
    if (reply_index_of(caller) != reply_index || caller->fault_pending != false)
        return NULL;
    return caller;
}

/* Whether the server runs in a higher band than its client: its own, or another's. */
KERNEL_INLINE bool band_is_higher(const struct process *server, uint64_t claim)
{
    return (server->band_claims & (claim - 1)) != 0;
}

KERNEL_INLINE struct process *reply(struct kernel *kernel, struct process *server,
                                    struct process *caller, struct endpoint *endpoint,
                                    uint32_t endpoint_id, const struct message *message,
                                    uint32_t slot, uint64_t deadline_ticks, bool general)
{
    uint32_t index = reply_index_of(caller) % REPLY_WORD_SLOTS;
    uint64_t claim = band_claim(process_band(caller));
    if (general)
        queue_remove(kernel, &server->callers, caller);
    else
        server->callers = queue_empty();
    loan_forget(caller, server, claim);
    reply_capability_take(server, caller, index);
    server->reply_slot = reply_slot_lowest(server);
    server->client = KERNEL_NONE;
    window_keep(server, &message->header, general);
    server->slot = slot;
    server->endpoint = general ? endpoint_id : server->index;
    server->life = LIFE_RECEIVING;
    server->resume = RESUME_RESULT;
    if (general)
        queue_append(kernel, &endpoint->receivers, server);
    else
        endpoint->receivers = queue_of(server->index);
    header_copy(&message->header, &message_of(caller)->header, 0, message->header.status, general);
    return go_on(kernel, server, caller, caller->index, message, deadline_ticks);
}

__attribute__((noinline)) static struct process *
reply_general(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot, struct kernel *kernel,
              struct process *server, const struct message *message)
{
    uint32_t reply_index = reply_slot - SLOT_REPLY_BASE;
    struct process *caller = reply_may(kernel, server, message, deadline_ticks, reply_index);
    if (caller == NULL)
        return answer_fault(slot, deadline_ticks, reply_slot, kernel, server);
    const struct capability *cap = cspace_find(server, slot);
    struct endpoint *endpoint = receive_where(kernel, cap);
    struct transfer transfer;
    if (endpoint == NULL || band_waits(kernel, server, process_band(caller)) ||
        !counts_may(kernel, server, caller, message, slot, &transfer))
        return kernel_syscall_long(slot, deadline_ticks, reply_slot, kernel, server,
                                   SYSCALL_REPLY_RECV);
    (void)reply(kernel, server, caller, endpoint, cap->object, message, slot, deadline_ticks, true);
    if (message->header.cap_count != 0)
        transfer_perform(kernel, server, caller, &transfer);
    return caller;
}

struct process *kernel_reply_receive(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot,
                                     struct kernel *kernel, struct process *server)
{
    kernel->work_done = 0;
    const struct message *message = message_of(server);
    if (has_caps(&message->header))
        return reply_general(slot, deadline_ticks, reply_slot, kernel, server, message);
    uint32_t reply_index = reply_slot - SLOT_REPLY_BASE;
    struct process *caller = reply_may(kernel, server, message, deadline_ticks, reply_index);
    if (caller == NULL || !receive_may(server, slot, true) ||
        !links_are_ends(&caller->links[QUEUE_WAITING]) ||
        band_is_higher(server, band_claim(process_band(caller))))
        return reply_general(slot, deadline_ticks, reply_slot, kernel, server, message);
    return reply(kernel, server, caller, &server->service, server->index, message, slot,
                 deadline_ticks, false);
}
