/* SPDX-License-Identifier: ISC */
/* How a unit makes calls: encodes by the operation's row into the transport's buffer, calls, decodes
 * there by the same row. Decides nothing and knows no policy; a reply against its contract is
 * INTERNAL and leaves nothing behind. */
#include "services/lib/caller.h"

#include <stddef.h>
#include <string.h>

#include "abi/assert.h"
#include "abi/messages/kernel.h"
#include "abi/slots.h"

void caller_see_clock(struct caller *caller, uint64_t now_ticks)
{
    if (now_ticks > caller->now_ticks)
        caller->now_ticks = now_ticks;
}

uint64_t caller_deadline(const struct caller *caller, uint64_t ticks)
{
    return deadline_after(caller->now_ticks, ticks);
}

void caller_answer(struct caller *caller, uint32_t reply_slot)
{
    UNIT_ASSERT(caller->reply_slot == SLOT_NULL && reply_slot != SLOT_NULL); /* E5 */
    caller->reply_slot = reply_slot;
}

enum status caller_flush(struct caller *caller)
{
    struct message *message = sys_message();
    uint32_t reply_slot = caller->reply_slot;
    if (reply_slot == SLOT_NULL)
        return STATUS_OK;
    caller->reply_slot = SLOT_NULL;
    bool sends = message->header.cap_count != 0;
    enum status status = sys_reply(reply_slot, message);
    if (status == STATUS_OK || (status == STATUS_NOT_FOUND && !sends))
        return status;
    /* Not found may be what it sends; to the caller the word would mean something else. */
    message_refuse(message, status == STATUS_NOT_FOUND ? STATUS_INTERNAL : status);
    (void)sys_reply(reply_slot, message);
    return status;
}

/* Sends an encoded request and decodes its reply. What the reply delivered stays where it is. */
static enum status exchange(struct caller *caller, uint32_t slot, struct window window,
                            uint64_t deadline_ticks, const struct message_type *type, void *reply)
{
    struct message *message = sys_message();
    uint64_t request_id = ++caller->last_request_id;
    message->header.request_id = request_id;
    message->header.window_slot = window.first_slot;
    message->header.window_count = (uint8_t)window.count;
    enum status status = sys_call(slot, message, deadline_ticks);
    if (status == STATUS_TIMED_OUT && deadline_ticks != DEADLINE_NEVER)
        caller_see_clock(caller, deadline_ticks); /* it is that late by now */
    if (status != STATUS_OK) {
        caller->unanswered_id = request_id;
        message->header.cap_count = 0; /* nothing was delivered */
        return status;
    }
    if (message->header.request_id != request_id)
        return STATUS_INTERNAL;
    return reply_decode(type->reply, message, reply);
}

/* Empties what a reply delivered that the caller will never hear of. */
static void window_drop(struct caller *caller, struct window window, uint32_t cap_count)
{
    const struct message_type *drop = &kernel_drop_local_cap_request_type;
    for (uint32_t i = 0; i < cap_count && i < window.count; i++) {
        struct kernel_drop_local_cap_request request = {.slot = window.first_slot + i};
        uint64_t nothing = 0;
        if (message_encode(drop, &request, caller_message(caller)) == STATUS_OK)
            (void)exchange(caller, SLOT_SELF, NO_WINDOW, DEADLINE_NEVER, drop, &nothing);
    }
}

enum status caller_call_message(struct caller *caller, uint32_t slot, struct window window,
                                uint64_t deadline_ticks, const struct message_type *type,
                                void *reply)
{
    uint64_t nothing;
    UNIT_ASSERT(reply != NULL || type->reply->max_bytes == 0);
    if (reply == NULL)
        reply = &nothing;
    if (window.count > MESSAGE_CAP_LIMIT) {
        memset(reply, 0, type->reply->max_bytes);
        return STATUS_INVALID_ARGUMENT;
    }
    enum status status = exchange(caller, slot, window, deadline_ticks, type, reply);
    if (status == STATUS_OK)
        return STATUS_OK; /* all of the reply was written */
    memset(reply, 0, type->reply->max_bytes);
    window_drop(caller, window, sys_message()->header.cap_count);
    return status;
}

enum status caller_call(struct caller *caller, uint32_t slot, struct window window,
                        uint64_t deadline_ticks, const struct message_type *type,
                        const void *request, void *reply)
{
    enum status status = message_encode(type, request, caller_message(caller));
    if (status == STATUS_OK)
        return caller_call_message(caller, slot, window, deadline_ticks, type, reply);
    if (reply != NULL)
        memset(reply, 0, type->reply->max_bytes);
    return status;
}
