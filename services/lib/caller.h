/* SPDX-License-Identifier: ISC */
/* How a unit makes calls: one function for any operation of any peer. The typed stubs that units
 * use, one for each row of a peer's table, are in services/lib/call_<peer>.h; kernel control in the
 * argument order of its users is in services/lib/kernel_calls.h. Nothing here decides anything; all
 * state is in struct caller. */
#ifndef BASALT_SERVICES_LIB_CALLER_H
#define BASALT_SERVICES_LIB_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/codec.h"
#include "abi/system.h"

/* Part of the state of every unit that makes calls. All zero is valid. */
struct caller {
    uint64_t last_request_id; /* request ids increase monotonically (published) */
    uint64_t unanswered_id;   /* of the last request that got no answer but the kernel's refusal */
    uint64_t now_ticks;       /* the latest clock that the kernel told; never goes back */
    uint32_t reply_slot;      /* whose answer lies in sys_message() and is not sent yet; 0: none */
};

/* An answer lies in sys_message(), for the caller behind `reply_slot`, and none waits there. It goes
 * out with the next receive (services/lib/service.h), or before the buffer is used otherwise. */
void caller_answer(struct caller *caller, uint32_t reply_slot);

/* Sends the answer that waits, if one does. A caller that is gone needs none; one that the answer
 * does not fit gets a bare refusal instead, and so does one whom the answer sends a capability that
 * is not there any more: INTERNAL (E5). OK when the answer was taken as it was, or none waited. */
enum status caller_flush(struct caller *caller);

/* The transport's buffer, free to be filled: an answer that waits there has gone out. Whoever makes
 * a message takes the buffer from here. */
static inline struct message *caller_message(struct caller *caller)
{
    if (caller->reply_slot != 0)
        caller_flush(caller);
    return sys_message();
}

/* Takes over a clock: that of a RECV, or the deadline of a call that timed out, which the calls do
 * by themselves. A deadline from an older clock would be past before its call was sent (P12). */
void caller_see_clock(struct caller *caller, uint64_t now_ticks);

/* Whether the result of the last call came from its peer; otherwise it is the kernel's, which found
 * nobody, say. */
static inline bool caller_was_answered(const struct caller *caller)
{
    return caller->last_request_id != caller->unanswered_id;
}

/* The deadline of a call that may take so many ticks from now on. */
uint64_t caller_deadline(const struct caller *caller, uint64_t ticks);

/* Where the capabilities of a reply shall go: `count` empty slots from `first_slot` on. */
struct window {
    uint32_t first_slot;
    uint32_t count;
};

/* For replies without capabilities. */
#define NO_WINDOW ((struct window){0, 0})

/* Encodes `request` as `type`, CALLs `slot`, decodes the reply into `reply` (type->reply->max_bytes
 * bytes, zeroed unless the result is OK; null when the reply has no fields). All capability fields
 * of the request travel as copies with the rights that the row names; use caller_call_message for
 * others. Errors: the transport's (abi/system.h), the peer's refusal, INTERNAL for a reply against
 * the contract. */
enum status caller_call(struct caller *caller, uint32_t slot, struct window window,
                        uint64_t deadline_ticks, const struct message_type *type,
                        const void *request, void *reply);

/* The same for a request that lies encoded in caller_message() already, for transfers other than plain
 * copies (a badge, a MOVE): set those in its descriptors after message_encode. The request id and
 * the window are set here. Of both: the buffer holds the reply afterwards; unless the result is
 * OK, the window is empty again. window.count <= MESSAGE_CAP_LIMIT. */
enum status caller_call_message(struct caller *caller, uint32_t slot, struct window window,
                                uint64_t deadline_ticks, const struct message_type *type,
                                void *reply);

#endif
