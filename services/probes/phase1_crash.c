/* SPDX-License-Identifier: ISC */
/* phase1-crash-client: has a process end by a fault and sees that procd told crashd and logd of it
 * (P9), in the records' own words; and that it may not report itself. Ends with the number of the
 * first answer that was not the stated one; 0 when all were. */
#include <string.h>

#include "abi/process.h"
#include "abi/roles.h"
#include "services/lib/call_crashd.h"
#include "services/lib/call_logd.h"
#include "services/lib/call_procd.h"
#include "services/lib/discovery.h"
#include "services/lib/service.h"
#include "services/probes/expectations.h"
#include "services/probes/probes.h"

/* procd looks for crashd and logd when there is something to tell, one call in a turn. */
enum { CALL_TICKS = 10 * TICKS_PER_SECOND, LOOKS_MAX = 3000, SLOT_CHILD = SLOT_RECEIVE_BASE };

struct crash_client {
    struct caller caller;
    struct envelope envelope;
    struct startup_offer_modules_request offer;
    uint64_t child_id;
    uint32_t asked;  /* questions so far */
    uint32_t failed; /* the first one with a wrong answer; 0: none */
};

static void expect(struct crash_client *client, bool as_stated)
{
    client->asked++;
    if (!as_stated && client->failed == 0)
        client->failed = client->asked;
}

static uint64_t soon(const struct crash_client *client)
{
    return caller_deadline(&client->caller, CALL_TICKS);
}

/* A process that touches page 0. */
static enum status crash(struct crash_client *client)
{
    struct procd_spawn_service_request request = {.role = ROLE_PHASE0_FAULT_KILL,
                                                  .argument = FAULT_KILL_NULL};
    struct procd_spawn_service_reply made;
    struct procd_wait_process_event_reply ended;
    for (uint32_t i = 0; i < client->offer.count; i++) {
        if (client->offer.modules[i].role != ROLE_PHASE0_FAULT_KILL)
            continue;
        request.image_offset = client->offer.modules[i].image_offset;
        request.image_bytes = client->offer.modules[i].image_bytes;
    }
    enum status status =
        procd_call_spawn_service(&client->caller, SLOT_PEER_PROCD, (struct window){SLOT_CHILD, 1},
                                 soon(client), &request, &made);
    if (status != STATUS_OK)
        return status;
    client->child_id = made.process_id;
    struct procd_wait_process_event_request wait = {.process_id = made.process_id,
                                                    .deadline_ticks = soon(client)};
    status = procd_call_wait_process_event(&client->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                           soon(client), &wait, &ended);
    return status == STATUS_OK && ended.reason != END_FAULT_NULL_PAGE ? STATUS_INTERNAL : status;
}

/* Each question gives procd a turn. */
static enum status let_procd_turn(struct crash_client *client)
{
    struct procd_query_process_request request = {.process_id = client->child_id};
    struct procd_query_process_reply reply;
    return procd_call_query_process(&client->caller, SLOT_PEER_PROCD, NO_WINDOW, soon(client),
                                    &request, &reply);
}

static void read_record(struct crash_client *client)
{
    struct crashd_read_request request = {.cursor = 1};
    struct crashd_read_reply reply;
    enum status status = STATUS_NOT_FOUND;
    for (uint32_t look = 0; look < LOOKS_MAX && status == STATUS_NOT_FOUND; look++) {
        (void)let_procd_turn(client);
        status = crashd_call_read(&client->caller, SLOT_PEER_CRASHD, NO_WINDOW, soon(client),
                                  &request, &reply);
    }
    expect(client, status == STATUS_OK && reply.number == 1 && reply.lost_count == 0 &&
                       reply.process_id == client->child_id && reply.owner_id != 0);
    expect(client, status == STATUS_OK && reply.role == ROLE_PHASE0_FAULT_KILL &&
                       reply.reason == END_FAULT_NULL_PAGE && reply.fault_va == PROBE_NULL_VA);
    request.cursor = UINT64_MAX;
    expect(client, crashd_call_read(&client->caller, SLOT_PEER_CRASHD, NO_WINDOW, soon(client),
                                    &request, &reply) == STATUS_NOT_FOUND);
}

/* Evidence is procd's alone. */
static void report(struct crash_client *client)
{
    struct crashd_report_request request = {
        .number = 2, .process_id = 1, .role = ROLE_ROOTD, .reason = END_KILLED};
    struct crashd_report_reply reply;
    expect(client, crashd_call_report(&client->caller, SLOT_PEER_CRASHD, NO_WINDOW, soon(client),
                                      &request, &reply) == STATUS_DENIED);
}

/* By whom procd finds crashd is not a client's business. */
static void bind_named(struct crash_client *client)
{
    struct procd_bind_named_request request = {.named_slot = SLOT_SERVICE_ENDPOINT};
    expect(client, procd_call_bind_named(&client->caller, SLOT_PEER_PROCD, NO_WINDOW, soon(client),
                                         &request, NULL) == STATUS_DENIED);
}

static void read_line(struct crash_client *client)
{
    static const char line[] = "killed 1: phase0-fault-kill:FAULT_NULL_PAGE";
    struct logd_read_request request = {.cursor = 1};
    struct logd_read_reply reply;
    bool found = false;
    for (uint32_t look = 0; look < LOOKS_MAX && !found; look++) {
        enum status status = logd_call_read(&client->caller, SLOT_PEER_LOGD, NO_WINDOW,
                                            soon(client), &request, &reply);
        found = status == STATUS_OK && reply.role == ROLE_PROCD && reply.count == sizeof line - 1 &&
                memcmp(reply.text, line, reply.count) == 0;
        if (status == STATUS_OK)
            request.cursor = reply.record_id + 1;
        else
            (void)let_procd_turn(client);
    }
    expect(client, found);
}

uint32_t phase1_crash_client_main(uint64_t argument)
{
    struct crash_client client;
    (void)argument;
    memset(&client, 0, sizeof client);
    expect(&client, service_start(&client.caller, ROLE_PHASE1_CRASH_CLIENT, &client.envelope, NULL,
                                  NULL, NULL) == STATUS_OK);
    expect(&client, service_take_offer(&client.caller, &client.offer) == STATUS_OK);
    expect(&client, discovery_find(&client.caller, ROLE_CRASHD, SLOT_PEER_CRASHD) == STATUS_OK);
    expect(&client, discovery_find(&client.caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_OK);
    expect(&client, crash(&client) == STATUS_OK);
    read_record(&client);
    report(&client);
    bind_named(&client);
    read_line(&client);
    return client.failed;
}
