/* SPDX-License-Identifier: ISC */
/* What all services share: the start-up check and the receive loop. */
#ifndef BASALT_SERVICES_LIB_SERVICE_H
#define BASALT_SERVICES_LIB_SERVICE_H

#include "abi/formats/envelope.h"
#include "abi/messages/startup.h"
#include "abi/slots.h"
#include "services/lib/kernel_calls.h"

/* What a handler did with the message. */
enum handled {
    HANDLED_REPLY, /* the message has become the reply: send it */
    HANDLED_LATER  /* nothing to send now: an event, or the reply slot was kept for later */
};

/* A service: takes a message, which lies in the transport's buffer (sys_message), and what RECV said
 * of it, changes its state, turns the message into the reply. What it needs of the message after a
 * call or a reply of its own it has copied before; operation and request id of the reply are those
 * of the request, which the loop sees to. Capabilities that arrived lie in info->window_slot and following; the service commits
 * one by moving it to a slot of its own (kernel_move_local_cap). What it leaves there is dropped by
 * the loop, so that a refusal leaves no slot filled. */
typedef enum handled service_handler(void *state, struct message *message,
                                     const struct receive_info *info);

/* What a service does between an accepted envelope and READY: makes its state of what it was given. */
typedef enum status service_prepare(void *state, const struct envelope *start);

/* Walks a service's whole state: what is not sound, or null. */
typedef const char *service_check(const void *state);

/* The window in which every service receives: SLOT_RECEIVE_BASE, MESSAGE_CAP_LIMIT slots. */
#define SERVICE_WINDOW ((struct window){SLOT_RECEIVE_BASE, MESSAGE_CAP_LIMIT})

/* The role behind a start-up capability: that of the peer for a send capability in a peer's slot
 * (abi/slots.h), ROLE_NONE for everything else. It is the entry's peer_role in the envelope; such a
 * capability tells the peer by its badge who calls, every other one carries the badge 0. */
uint32_t service_peer_role(uint32_t slot, enum object_type type, uint32_t rights);

/* That badge: at procd the process's id and its role, because there a client is a process (P10); at
 * all others the role id. */
enum { SERVICE_BADGE_ROLE_BITS = 16 };
uint64_t service_peer_badge(uint32_t peer_role, uint64_t process_id, uint32_t role);

/* Start-up, the same for every service: receives on slot 2 until a START_SERVICE from an
 * administrator (badge 0) comes; parses the envelope; checks it against the role row and the intake
 * rows; QUERY_LOCAL_CAPs every slot it names (type and rights exact) and that nothing else is held
 * (SELF and the endpoint apart); answers READY, or a typed refusal after which it waits for the
 * next envelope. Anything else is answered DENIED. `start` holds the accepted envelope afterwards,
 * when the result is OK. `prepare`, unless null, is called with `state` before READY is said; when
 * it fails, its status is the answer and start-up is over. In an image with a validation profile
 * the state is then walked by `check`, unless null: one that is not sound is INTERNAL, in the same
 * way. A launcher that did not wait long enough for READY asks again with the same envelope, and
 * gets READY at once; another envelope is INVALID_ARGUMENT then. Start-up is over when somebody has
 * taken READY: an envelope that comes later is no business of this function. Result: OK; INTERNAL
 * after a failed `prepare` or `check`; or the transport's error (the endpoint is gone): then the
 * process should exit. */
enum status service_start(struct caller *caller, uint32_t role, struct envelope *start,
                          service_prepare *prepare, service_check *check, void *state);

/* After service_start, of a program that may start others: receives on slot 2 until an
 * administrator's OFFER_MODULES comes and answers it OK. Anything else is answered as service_start
 * does. Result as there; `offer` is all zero unless it is OK. */
enum status service_take_offer(struct caller *caller, struct startup_offer_modules_request *offer);

/* One turn of the loop on one endpoint: send the answer that waits and receive (until the deadline),
 * hand over, drop what was not committed. The reply waits in the buffer: it goes out with the next
 * receive, or before the next call of the same caller (caller_message); whoever makes neither sends
 * it by caller_flush. Returns OK, or the error of sys_recv (TIMED_OUT and RETRY are ordinary);
 * info->now_ticks is set in every case that sys_recv sets it. A window that could not be emptied the
 * last time is emptied again. A reply that its
 * caller can no longer take (NOT_FOUND) is forgotten. One that the caller left no room for (BUSY),
 * or that the kernel refuses otherwise, is replaced by a bare refusal with that status, so that
 * every call gets exactly one reply (E5). */
enum status service_turn(struct caller *caller, uint32_t endpoint_slot, uint64_t deadline_ticks,
                         service_handler *handler, void *state, struct receive_info *info);

/* Whether a turn that ended so is followed by another one: it was ordinary. Else the endpoint is gone, and
 * the process should exit. */
static inline bool service_goes_on(enum status status)
{
    return status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_RETRY;
}

/* The rest of a service's life that does nothing without a message: turns on its own endpoint, without a
 * deadline, and EXIT with the status of the last. `started`: how start-up ended; not OK: no turn. Returns
 * only when EXIT does. What else a service wakes up for it sees to between turns of its own loop. */
void service_serve(struct caller *caller, enum status started, service_handler *handler,
                   void *state);

#endif
