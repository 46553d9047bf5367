/* SPDX-License-Identifier: ISC */
/* phase1-lookup-client and phase1-time-client: clients that find services by name, ask each operation
 * for what it grants and for what it refuses, and end with the number of the first answer that was
 * not the stated one; 0 when all were. */
#include <string.h>

#include "abi/roles.h"
#include "services/lib/call_logd.h"
#include "services/lib/call_named.h"
#include "services/lib/call_timed.h"
#include "services/lib/discovery.h"
#include "services/lib/service.h"
#include "services/probes/probes.h"

enum { CALL_TICKS = 10 * TICKS_PER_SECOND, WAIT_TICKS = 50 };

struct client {
    struct caller caller;
    struct envelope envelope;
    struct startup_offer_modules_request offer;
    uint32_t asked;  /* questions so far */
    uint32_t failed; /* the first one with a wrong answer; 0: none */
};

static void expect(struct client *client, bool as_stated)
{
    client->asked++;
    if (!as_stated && client->failed == 0)
        client->failed = client->asked;
}

static uint64_t soon(const struct client *client)
{
    return caller_deadline(&client->caller, CALL_TICKS);
}

/* --- named ----------------------------------------------------------------------------------- */

/* What the administrator alone may do, and what no row of the role table states (N1). */
static void ask_named(struct client *client, uint32_t role)
{
    static const struct named_seal_request nothing;
    struct named_seed_entry_request seed = {.service_role = ROLE_LOGD,
                                            .client_role = role,
                                            .rights = RIGHT_SEND,
                                            .count = 1,
                                            .name = "x"};
    struct named_register_service_request registers = {
        .client_role = role, .service_slot = SLOT_SERVICE_ENDPOINT, .count = 4, .name = "logd"};
    struct named_seal_reply sealed;
    struct named_mint_end_request mint = {.role = ROLE_PROCD};
    struct named_mint_end_reply minted;
    expect(client, named_call_seed_entry(&client->caller, SLOT_PEER_NAMED, NO_WINDOW, soon(client),
                                         &seed, NULL) == STATUS_DENIED);
    expect(client, named_call_seal(&client->caller, SLOT_PEER_NAMED, NO_WINDOW, soon(client),
                                   &nothing, &sealed) == STATUS_DENIED);
    expect(client, named_call_mint_end(&client->caller, SLOT_PEER_NAMED,
                                       (struct window){SLOT_DYNAMIC_BASE, 1}, soon(client), &mint,
                                       &minted) == STATUS_DENIED);
    expect(client, named_call_register_service(&client->caller, SLOT_PEER_NAMED, NO_WINDOW,
                                               soon(client), &registers, NULL) == STATUS_NOT_FOUND);
    expect(client,
           discovery_find(&client->caller, ROLE_CRASHD, SLOT_PEER_CRASHD) == STATUS_NOT_FOUND);
}

/* --- logd ------------------------------------------------------------------------------------ */

static enum status append(struct client *client, const char *text, struct logd_append_reply *reply)
{
    struct logd_append_request request = {.severity = LOG_SEVERITY_NOTICE};
    while (text[request.count] != '\0')
        request.count++;
    memcpy(request.text, text, request.count);
    return logd_call_append(&client->caller, SLOT_PEER_LOGD, NO_WINDOW, soon(client), &request,
                            reply);
}

static enum status read_from(struct client *client, uint64_t cursor, struct logd_read_reply *reply)
{
    struct logd_read_request request = {.cursor = cursor};
    return logd_call_read(&client->caller, SLOT_PEER_LOGD, NO_WINDOW, soon(client), &request,
                          reply);
}

/* Whether the log has a line of that role that begins so. */
static bool finds_line(struct client *client, uint32_t role, const char *start)
{
    struct logd_read_reply read;
    size_t length = 0;
    while (start[length] != '\0')
        length++;
    for (uint64_t cursor = 1; read_from(client, cursor, &read) == STATUS_OK;
         cursor = read.record_id + 1) {
        if (read.role == role && read.count >= length && memcmp(read.text, start, length) == 0)
            return true;
    }
    return false;
}

/* Its own lines come back as they were, with its role (L1, L3). */
static void ask_logd(struct client *client)
{
    static const char line[] = "a line";
    struct logd_append_reply first = {0};
    struct logd_append_reply second = {0};
    struct logd_read_reply read;
    expect(client, append(client, line, &first) == STATUS_OK);
    expect(client, append(client, "another", &second) == STATUS_OK &&
                       second.record_id > first.record_id && second.ticks >= first.ticks);
    expect(client, append(client, "two\nlines", &second) == STATUS_BAD_TEXT);
    expect(client, read_from(client, first.record_id, &read) == STATUS_OK &&
                       read.record_id == first.record_id && read.missed_count == 0);
    expect(client, read.role == ROLE_PHASE1_LOOKUP_CLIENT && read.count == sizeof line - 1 &&
                       memcmp(read.text, line, read.count) == 0);
    expect(client, read_from(client, UINT64_MAX, &read) == STATUS_NOT_FOUND);
    expect(client, finds_line(client, ROLE_PROBED, "pci 00:00.0 ")); /* each machine's bridge */
    expect(client, finds_line(client, ROLE_PROBED, "pci: "));
    expect(client, !finds_line(client, ROLE_PROBED, "pci: unreadable"));
}

/* --- timed ----------------------------------------------------------------------------------- */

static enum status now(struct client *client, uint64_t *now_ticks)
{
    static const struct timed_now_monotonic_request nothing;
    struct timed_now_monotonic_reply reply;
    enum status status = timed_call_now_monotonic(&client->caller, SLOT_PEER_TIMED, NO_WINDOW,
                                                  soon(client), &nothing, &reply);
    *now_ticks = reply.now_ticks;
    return status;
}

static enum status wait_until(struct client *client, uint64_t deadline_ticks, uint64_t *now_ticks)
{
    struct timed_wait_until_request request = {deadline_ticks};
    struct timed_wait_until_reply reply;
    enum status status = timed_call_wait_until(&client->caller, SLOT_PEER_TIMED, NO_WINDOW,
                                               soon(client), &request, &reply);
    *now_ticks = reply.now_ticks;
    return status;
}

/* A question with another body than its row allows: a stub would not send it. */
static enum status ask_with(struct client *client, uint32_t slot, uint16_t operation, uint64_t body)
{
    struct message *message = caller_message(&client->caller);
    message->header = (struct message_header){
        .version = MESSAGE_VERSION, .operation = operation, .body_bytes = sizeof body};
    memcpy(message->body, &body, sizeof body);
    enum status status = sys_call(slot, message, soon(client));
    return status == STATUS_OK ? (enum status)message->header.status : status;
}

/* Waits are over when their time has come, and not before (W1). */
static void ask_timed(struct client *client)
{
    static const struct timed_now_wall_request nothing;
    struct timed_now_wall_reply wall;
    uint64_t before;
    uint64_t after;
    expect(client, now(client, &before) == STATUS_OK);
    expect(client, wait_until(client, before + WAIT_TICKS, &after) == STATUS_OK &&
                       after >= before + WAIT_TICKS);
    expect(client, wait_until(client, before, &after) == STATUS_OK && after >= before);
    expect(client, ask_with(client, SLOT_PEER_TIMED, OP_TIMED_WAIT_UNTIL, UINT64_MAX) ==
                       STATUS_INVALID_ARGUMENT);
    expect(client,
           ask_with(client, SLOT_PEER_TIMED, OP_TIMED_NOW_MONOTONIC, 0) == STATUS_INVALID_ARGUMENT);
    expect(client,
           ask_with(client, SLOT_PEER_TIMED, OP_TIMED_NOW_WALL, 0) == STATUS_INVALID_ARGUMENT);
    expect(client, timed_call_now_wall(&client->caller, SLOT_PEER_TIMED, NO_WINDOW, soon(client),
                                       &nothing, &wall) == STATUS_OK);
    uint64_t wall_ticks = wall.epoch_seconds * TICKS_PER_SECOND + wall.second_ticks;
    expect(client, wall_ticks >= before + WAIT_TICKS);
    expect(client, now(client, &after) == STATUS_OK && after >= wall_ticks);
}

/* --- programs -------------------------------------------------------------------------------- */

static void begin(struct client *client, uint32_t role)
{
    memset(client, 0, sizeof *client);
    expect(client,
           service_start(&client->caller, role, &client->envelope, NULL, NULL, NULL) == STATUS_OK);
    expect(client, service_take_offer(&client->caller, &client->offer) == STATUS_OK);
}

uint32_t phase1_lookup_client_main(uint64_t argument)
{
    struct client client;
    (void)argument;
    begin(&client, ROLE_PHASE1_LOOKUP_CLIENT);
    ask_named(&client, ROLE_PHASE1_LOOKUP_CLIENT);
    expect(&client, discovery_find(&client.caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_OK);
    ask_logd(&client);
    expect(&client, discovery_find(&client.caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_OK);
    expect(&client,
           discovery_find(&client.caller, ROLE_TIMED, SLOT_PEER_TIMED) == STATUS_NOT_FOUND);
    return client.failed;
}

/* It finds the log, too, and may not read it. */
uint32_t phase1_time_client_main(uint64_t argument)
{
    struct client client;
    struct logd_append_reply appended;
    struct logd_read_reply read;
    (void)argument;
    begin(&client, ROLE_PHASE1_TIME_CLIENT);
    expect(&client, discovery_find(&client.caller, ROLE_TIMED, SLOT_PEER_TIMED) == STATUS_OK);
    ask_timed(&client);
    expect(&client, discovery_find(&client.caller, ROLE_LOGD, SLOT_PEER_LOGD) == STATUS_OK);
    expect(&client, append(&client, "the time is right", &appended) == STATUS_OK);
    expect(&client, read_from(&client, appended.record_id, &read) == STATUS_DENIED);
    return client.failed;
}
