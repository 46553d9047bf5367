/* SPDX-License-Identifier: ISC */
/* attack-client: a legal client of procd that asks for all it can get. Nothing here is refused for
 * what it is; what bounds it are the limits of its role. */
#include "services/lib/call_procd.h"
#include "services/lib/kernel_calls.h"
#include "services/probes/attacks.h"
#include "services/probes/probes.h"

enum { PATIENCE_SECONDS = 30 };

struct client {
    struct caller caller;
    uint64_t argument;
    uint32_t count;
    uint32_t made;               /* all that it ever had */
    uint64_t ids[PROCESS_LIMIT]; /* of its children */
};

/* A receive on its own endpoint, where nobody sends: until then, or only to see the clock. */
static uint64_t look_up(uint64_t deadline_ticks)
{
    struct message message = {.header = {.version = MESSAGE_VERSION}};
    struct receive_info info = {0};
    (void)sys_recv(SLOT_SERVICE_ENDPOINT, &message, deadline_ticks, &info);
    return info.now_ticks;
}

static void sleep_for_ever(void)
{
    for (;;)
        (void)look_up(DEADLINE_NEVER);
}

static uint64_t patience(void)
{
    return deadline_after(look_up(DEADLINE_POLL), PATIENCE_SECONDS * TICKS_PER_SECOND);
}

/* A staged child under a role; its capabilities are dropped. */
static bool stage(struct client *client, uint32_t role)
{
    struct procd_create_staged_process_request request = {
        .role = role,
        .image_offset = attack_image_offset(client->argument),
        .image_bytes = attack_image_bytes(client->argument),
    };
    struct procd_create_staged_process_reply reply;
    if (client->count == PROCESS_LIMIT ||
        procd_call_create_staged_process(&client->caller, SLOT_PEER_PROCD,
                                         (struct window){SLOT_RECEIVE_BASE, 2}, patience(),
                                         &request, &reply) != STATUS_OK)
        return false;
    client->ids[client->count++] = reply.process_id;
    client->made++;
    (void)kernel_drop_local_cap(&client->caller, reply.endpoint_slot);
    (void)kernel_drop_local_cap(&client->caller, reply.grant_slot);
    return true;
}

static bool start(struct client *client, uint64_t id, enum attack_child argument)
{
    struct procd_start_staged_process_request request = {.process_id = id, .argument = argument};
    return procd_call_start_staged_process(&client->caller, SLOT_PEER_PROCD, NO_WINDOW, patience(),
                                           &request, NULL) == STATUS_OK;
}

static void stage_all(struct client *client)
{
    while (stage(client, ROLE_ATTACK_CHILD))
        continue;
}

static void start_all(struct client *client, enum attack_child argument)
{
    while (stage(client, ROLE_ATTACK_CHILD) &&
           start(client, client->ids[client->count - 1], argument))
        continue;
}

/* The last child is gone again, and leaves what procd remembers of it. */
static bool abort_last(struct client *client)
{
    struct procd_abort_staged_process_request request = {.process_id =
                                                             client->ids[--client->count]};
    return procd_call_abort_staged_process(&client->caller, SLOT_PEER_PROCD, NO_WINDOW, patience(),
                                           &request, NULL) == STATUS_OK;
}

/* One that really ran: by the time it has ended there is a record of it. */
static bool exit_last(struct client *client)
{
    struct procd_wait_process_event_request request = {.process_id = client->ids[--client->count],
                                                       .deadline_ticks = patience()};
    struct procd_wait_process_event_reply ended;
    return start(client, request.process_id, CHILD_EXITS) &&
           procd_call_wait_process_event(&client->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                         DEADLINE_NEVER, &request, &ended) == STATUS_OK;
}

static void leave_records(struct client *client)
{
    enum { EXIT_EVERY = 64 };
    bool good = true;
    for (unsigned i = 0; i < ATTACK_RECORD_COUNT && good; i++) {
        good = stage(client, ROLE_ATTACK_CHILD) &&
               (i % EXIT_EVERY == 0 ? exit_last(client) : abort_last(client));
    }
}

/* A child under its own role would keep the role alive, if roles were what counts. */
static void leave_orphans(struct client *client)
{
    if (stage(client, ROLE_ATTACK_CLIENT))
        (void)start(client, client->ids[0], CHILD_SLEEPS);
    start_all(client, CHILD_SPARSE);
}

static void take_memory(struct client *client)
{
    stage_all(client);
    for (uint32_t i = 0; i < client->count; i++)
        (void)start(client, client->ids[i], CHILD_DENSE);
}

/* Whether it ends by itself. */
static bool attack(struct client *client)
{
    switch (attack_of(client->argument)) {
    case ATTACK_ORPHANS:
        leave_orphans(client);
        return true;
    case ATTACK_RECORDS:
        leave_records(client);
        return true;
    case ATTACK_REGIONS:
        start_all(client, CHILD_SPARSE);
        return false;
    case ATTACK_MEMORY:
        take_memory(client);
        return false;
    case ATTACK_FRAMES:
        start_all(client, CHILD_DENSE);
        return false;
    case ATTACK_BURY:
        stage_all(client);
        return true;
    case ATTACK_IDENTITY:
        if (stage(client, ROLE_ATTACK_HEIR))
            (void)start(client, client->ids[0], CHILD_SLEEPS);
        return false;
    case ATTACK_HEIR:
        stage_all(client);
        return false;
    case ATTACK_COUNT:
        break;
    }
    return true;
}

/* One that got no child at all has attacked nobody, and says so by its end. */
uint32_t attack_client_main(uint64_t argument)
{
    struct client client = {.argument = argument};
    bool ends = attack(&client);
    if (client.made == 0)
        return ATTACK_REFUSED;
    if (!ends)
        sleep_for_ever();
    return CHILD_OK;
}
