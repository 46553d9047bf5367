/* SPDX-License-Identifier: ISC */
/* logd: the log of the system. The contract of the service, readable alone; the messages are in
 * abi/messages/logd.def.
 *
 * A record is a line of text with the role that sent it (its badge, which it cannot choose), what
 * the sender says of its severity, the tick at which it came, and an id. Ids count from 1 without a
 * gap and ticks never go back (L1), whatever a clock says.
 *
 * Text is 1 to LOG_LINE_BYTES_MAX bytes of printable ASCII, 0x20 to 0x7E. Anything else is refused
 * and not escaped: a line means one thing, whoever prints it need not look at it again, no client
 * can write a line that looks like another one's, and a client with a bug hears of it.
 *
 * Whose lines are kept. The ring has a fixed number of records for all clients together; a client
 * that is alone may fill it. When it is full, the client that has most of the records loses its
 * oldest one, the sender counted with the one that it brings: among several with as many it is the
 * sender, or else the one with the oldest record; who has none yet gets its first one. Therefore a
 * client loses a record to another one only while it has more than that one, and who has at most
 * its share, the records divided by the clients that have any, loses none, however much the others
 * write (L2). A fixed share for each client would promise the same and leave most of the ring
 * empty; a rate would refuse the lines of a burst, which are those that matter, and let a patient
 * client wash away all others in the end.
 *
 * A reader has a cursor: the id that it wants next. It gets the first record from there on that is
 * kept, and missed_count, how many records between are not kept any more: 0 while it keeps up. It
 * goes on with record_id + 1. Since ids have no gap, a reader knows of every record that it got it
 * or that it missed it (L1).
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender that the row does not allow: a client is a badge that is a role of
 *   abi/roles.def, a reader one with a row READS_LOG there. Nobody appends without a role.
 *
 * APPEND: a client's lines are never refused for want of room. One whose answer is lost is kept all
 * the same.
 * - BAD_TEXT: a byte that is not printable ASCII
 *
 * READ:
 * - NOT_FOUND: no record from the cursor on: the end, for now */
#ifndef BASALT_SERVICES_LOGD_LOGD_H
#define BASALT_SERVICES_LOGD_LOGD_H

#include "abi/limits.h"
#include "abi/messages/logd.h"
#include "services/lib/index.h"
#include "services/lib/service.h"

enum {
    LOGD_RECORD_LIMIT = 1024, /* records of the ring */
    LOGD_CLIENT_LIMIT = 96    /* a place for each role of the table (props/tests/tables_test.c) */
};

_Static_assert((int)LOGD_RECORD_LIMIT >= 8 * (int)LOGD_CLIENT_LIMIT, "a share is some lines");

/* Links are index + 1, so that 0 means none and an all-zero state is an empty one. */
typedef uint32_t logd_link;

struct logd_record {
    uint64_t id; /* 0: never used */
    uint64_t ticks;
    uint32_t client; /* index */
    uint32_t severity;
    uint32_t count;
    logd_link next; /* of the same client, younger */
    char text[LOG_LINE_BYTES_MAX];
};

/* The records of a role, from the oldest to the youngest. */
struct logd_client {
    uint32_t role; /* 0: it has sent nothing yet */
    uint32_t count;
    logd_link first;
    logd_link last;
};

struct logd {
    struct caller caller;
    uint64_t last_id;
    uint32_t record_limit; /* at most LOGD_RECORD_LIMIT */
    uint32_t record_count; /* places that are in use: always the first ones */
    uint32_t id_root;      /* index of the records by id, complemented: the next one is its floor */
    uint32_t reserved0;
    struct logd_client clients[LOGD_CLIENT_LIMIT]; /* in the order of the role table */
    struct index_node id_nodes[LOGD_RECORD_LIMIT + 1];
    struct logd_record records[LOGD_RECORD_LIMIT];
};

/* Makes an all-zero state an empty ring of so many records, 1 to LOGD_RECORD_LIMIT. */
void logd_init(struct logd *logd, uint32_t record_limit);

/* A service_handler; `state` is a struct logd. Turns the message into its reply. */
enum handled logd_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the ring that does not hold ("L1", ...), or null when all do. Time linear in
 * the records. */
const char *logd_check(const struct logd *logd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order that
 * does not depend on the roles that sent nothing. */
void logd_visit_fields(const struct logd *logd, void (*visit)(void *context, uint64_t value),
                       void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `logd` is zero. */
void logd_run(struct logd *logd);

#endif
