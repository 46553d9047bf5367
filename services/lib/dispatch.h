/* SPDX-License-Identifier: ISC */
/* The one dispatch of all services. A service's table is unfolded twice: by services/lib/unfold.h
 * into a prototype for each LIVE row, `enum status <service>_<operation>(struct <service> *,
 * struct <service>_request *)`, so that the link fails until the function is there; and by
 * services/lib/unfold_rows.h into the rows that service_dispatch() searches.
 *
 * Every call is asked in this order, the first answer wins, and a refusal has changed nothing (E1):
 * - INVALID_ARGUMENT: the service has no operation with that id
 * - DENIED: its row is in state DENIED
 * - BAD_VERSION, INVALID_ARGUMENT: the body does not decode by the row
 * - DENIED: the row does not name the sender, or the endpoint that the request came in on
 * - UNSUPPORTED: its row is in state UNSUPPORTED
 * - then what the operation asks */
#ifndef BASALT_SERVICES_LIB_DISPATCH_H
#define BASALT_SERVICES_LIB_DISPATCH_H

#include "abi/codec.h"
#include "services/lib/service.h"

/* The part of a request in hand that is the same in all services. Each service's own struct
 * <service>_request begins with it and holds `body`, the decoded request, and `reply`, all zero
 * before the operation. */
struct service_request {
    struct caller *caller; /* the service's */
    struct message
        *message;        /* the request, until the operation makes a call; afterwards the reply */
    uint64_t request_id; /* of the request, which service_dispatch keeps for the reply */
    const struct receive_info *info;
    void *body;
    void *reply;
    /* How the reply's capabilities travel: mode, flags and badge of each; all zero: as copies. */
    struct message_cap transfer;
    /* An operation that keeps the reply slot for later, or has answered by itself, says so here and
     * returns OK. */
    enum handled handled;
    const struct message_type *type; /* of the reply */
};

struct service_row {
    uint16_t id;
    enum operation_state state;
    uint32_t allowed; /* mask of FROM_... */
    const struct message_type *request;
    enum status (*perform)(void *service, void *request); /* LIVE rows */
};

/* What a service is to its dispatch. */
struct service_table {
    const struct service_row *rows;
    unsigned row_count;
    /* Who sent the request and on which endpoint: mask of FROM_..., 0 for nobody it serves. May
     * keep in the request what it learnt of the sender. */
    uint32_t (*sender)(const void *service, void *request);
};

/* Handles one message. `request` begins a struct <service>_request whose message, info, body and
 * reply are set. A message without a reply slot is ignored: a request whose answer nobody awaits is
 * not done. */
enum handled service_dispatch(const struct service_table *table, void *service,
                              struct service_request *request);

/* Turns the message into the reply; for an operation that answers by itself. */
enum status service_encode(struct service_request *request);

#endif
