/* SPDX-License-Identifier: ISC */
/* seriald: the serial line as clients see it, with the log on it. The contract of the service,
 * readable alone; the messages are in abi/messages/seriald.def.
 *
 * What goes out. A line belongs to who begins it: a client, or the log, whose lines are one record
 * each. Somebody else's bytes begin a line of their own: seriald ends the open one with a newline
 * first. The log is patient with a client's line: it waits for its end, or for SERIALD_LINE_TICKS
 * since the client's last bytes, and never longer than SERIALD_HOLD_TICKS since the client began to
 * write, so that nobody holds the log up for ever byte by byte (S4). Bytes are not changed, and
 * nothing is added to a client's.
 *
 * The log is read by cursor, SERIALD_LOG_LINES in a turn and every SERIALD_LOG_TICKS when there is
 * nothing more, from the oldest record that logd has on; a new logd begins anew. A record goes out as
 *
 *     LOG:<ticks>:<role>:<severity>:<text>
 *
 * after LOG:MISSED:<n> when n before it were lost. One that the line did not take whole is tried again
 * SERIALD_RETRY_TICKS later, from its beginning.
 *
 * What comes in goes to who waits for it: one at a time, from the driver, which seriald waits in for
 * SERIALD_SLICE_TICKS at once, so that nobody is held up for longer by somebody who waits. Bytes that
 * their reader did not take, because it is gone, are kept for the next one (S2).
 *
 * A driver or a logd that has died is found again by named. One call to logd takes SERIALD_PEEK_TICKS
 * at most: a logd that hangs takes no more of the line's time than that, every SERIALD_RETRY_TICKS.
 * Since it lives, its records are not brought again.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing but what went out (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender whose badge cannot be a role id
 *
 * WRITE: answered when the driver has answered, with how many bytes the line took.
 * - NOT_FOUND: there is no driver now
 * - otherwise what the call to the driver ended with: BUSY, none went out; PEER_DIED, TIMED_OUT,
 *   INTERNAL: nobody knows how many
 *
 * READ: the wait is at most SERIAL_WAIT_TICKS_MAX.
 * - BUSY: another role waits. A role that waits already has lost its process, or gave up: its earlier
 *   READ is answered empty. */
#ifndef BASALT_SERVICES_SERIALD_SERIALD_H
#define BASALT_SERVICES_SERIALD_SERIALD_H

#include "abi/limits.h"
#include "abi/messages/seriald.h"
#include "services/lib/service.h"

enum {
    SERIALD_LOG_LINES = 4,
    SERIALD_LOG_TICKS = 50,
    SERIALD_LINE_TICKS = 1000,
    SERIALD_HOLD_TICKS = 10000,
    SERIALD_RETRY_TICKS = 200,
    SERIALD_SLICE_TICKS = 20,
    SERIALD_PEEK_TICKS = 20,
    SERIALD_CALL_TICKS = 5000 /* more than the driver takes for a write that fails */
};

/* Who waits for bytes. */
struct seriald_read {
    uint64_t deadline_ticks;
    uint64_t request_id;
    uint32_t reply_slot; /* SLOT_NULL: nobody */
    uint32_t role;
};

struct seriald {
    struct caller caller;
    uint64_t log_cursor; /* 0: no logd is known */
    uint64_t log_ticks;  /* when it is looked at next */
    uint64_t read_ticks; /* when the driver is asked for bytes next */
    uint64_t lost_count; /* bytes of drivers that have died */
    uint64_t lost_last;  /* and of the one that lives */
    uint64_t open_ticks; /* when the open line got its last bytes */
    uint64_t hold_ticks; /* when its owner began to write, and has left lines open since */
    uint32_t open_role;  /* whose line is open; ROLE_NONE: a line begins. The log's: ROLE_LOGD */
    uint32_t kept_count; /* bytes that have come and nobody has */
    bool has_driver;
    struct seriald_read read;
    uint8_t kept[SERIAL_BYTES_MAX];
};

/* A service_handler; `state` is a struct seriald. Turns the message into its reply, or keeps it. */
enum handled seriald_handle(void *state, struct message *message, const struct receive_info *info);

/* After each turn, with the clock that it told: brings the log to the line, and bytes to who waits. */
void seriald_tick(struct seriald *seriald, uint64_t now_ticks);

/* When seriald_tick has something to do. */
uint64_t seriald_next_ticks(const struct seriald *seriald);

/* The first property of the state that does not hold ("S2", ...), or null when all do. */
const char *seriald_check(const struct seriald *seriald);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void seriald_visit_fields(const struct seriald *seriald,
                          void (*visit)(void *context, uint64_t value), void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `seriald` is zero. */
void seriald_run(struct seriald *seriald);

#endif
