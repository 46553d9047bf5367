/* SPDX-License-Identifier: ISC */
/* timed: clocks and waits. The contract of the service, readable alone; the messages are in
 * abi/messages/timed.def.
 *
 * The monotonic clock is the kernel's (READ_MONOTONIC_CLOCK): ticks since boot. The wall clock is
 * epoch seconds 0 plus the monotonic one (published): there is no clock of the world yet. Neither
 * ever goes back, whatever the kernel says.
 *
 * A wait is a call that is not answered yet: timed keeps its reply slot and answers when the clock
 * has come to the deadline, the earliest deadline first, and among equal ones the wait that came
 * first (W1). It is answered once, never before its deadline, and whatever others ask meanwhile.
 * There is no wait for ever. A client that gives up or dies ends its wait: its reply slot is empty
 * then, and when it comes again with another call, what was kept for it is forgotten (K10).
 *
 * Limits. A process waits in one call at a time, and timed has a place for each reply slot, as many
 * as there can be processes: no number of waits can be refused, and no client can use up another's
 * (W2). That is the limit by client; a smaller one would only take from who has many processes what
 * nobody else could use. Adding, ending and answering a wait take a logarithm of how many there are,
 * and a turn answers at most TIMED_TURN_ANSWERS, then hears the next message (E8).
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender whose badge cannot be a role id
 *
 * NOW_MONOTONIC, NOW_WALL: refused only when the kernel refuses to read its clock; its status is the
 * reply.
 *
 * WAIT_UNTIL: never refused. The reply tells the clock as it is then. */
#ifndef BASALT_SERVICES_TIMED_TIMED_H
#define BASALT_SERVICES_TIMED_TIMED_H

#include "abi/limits.h"
#include "abi/messages/timed.h"
#include "abi/slots.h"
#include "services/lib/service.h"

enum {
    TIMED_WAIT_LIMIT = SLOT_REPLY_COUNT, /* place i: of reply slot SLOT_REPLY_BASE + i */
    TIMED_TURN_ANSWERS = 32
};

_Static_assert((int)TIMED_WAIT_LIMIT >= (int)PROCESS_LIMIT, "W2: a place for each that can wait");

/* A call that waits. */
struct timed_wait {
    uint64_t deadline_ticks;
    uint64_t order;      /* 0: nobody waits here; ascending as they came */
    uint64_t request_id; /* which the answer repeats */
    uint32_t position;   /* in the heap */
    uint32_t reserved0;
};

struct timed {
    struct caller caller;
    uint64_t last_order;
    uint32_t wait_count;
    uint32_t reserved0;
    struct timed_wait waits[TIMED_WAIT_LIMIT];
    uint16_t heap[TIMED_WAIT_LIMIT]; /* places; none before the one at (position - 1) / 2 */
};

/* A service_handler; `state` is a struct timed. Turns the message into its reply, or keeps it. */
enum handled timed_handle(void *state, struct message *message, const struct receive_info *info);

/* After each turn, with the clock that it told: answers waits whose deadline has come, at most
 * TIMED_TURN_ANSWERS of them. */
void timed_tick(struct timed *timed, uint64_t now_ticks);

/* When timed_tick has something to do; DEADLINE_NEVER: nobody waits. */
uint64_t timed_next_deadline(const struct timed *timed);

/* The first property of the waits that does not hold ("W1", ...), or null when all do. Time linear
 * in TIMED_WAIT_LIMIT. */
const char *timed_check(const struct timed *timed);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void timed_visit_fields(const struct timed *timed, void (*visit)(void *context, uint64_t value),
                        void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `timed` is zero. */
void timed_run(struct timed *timed);

#endif
