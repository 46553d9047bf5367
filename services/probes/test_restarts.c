/* SPDX-License-Identifier: ISC */
/* test-mortal, test-frail and test-survivor: a service and a driver that die at their third message in
 * every life, and a client that loses each, finds its successor by name and goes on, until it is parked.
 * Before that it has the driver stopped, and started again, and is refused what deviced refuses.
 * What the client sees is stated here; it ends with the number of the first answer that was another
 * one, 0: none. */
#include <string.h>

#include "abi/roles.h"
#include "abi/user_memory.h"
#include "services/lib/call_deviced.h"
#include "services/lib/call_startup.h"
#include "services/lib/call_timed.h"
#include "services/lib/discovery.h"
#include "services/lib/service.h"
#include "services/probes/probes.h"
#include "services/probes/wrong.h"

enum {
    MESSAGES_OF_A_LIFE = 3, /* the last one is never answered */
    CALL_TICKS = 10 * TICKS_PER_SECOND,
    ANSWERS_MAX = 1000,
    LOOK_TICKS = 10,                    /* from one look at named to the next */
    PARKED_TICKS = 2 * TICKS_PER_SECOND /* longer than any delay of that row and a start */
};

/* --- test-mortal and test-frail ------------------------------------------------------------------------------- */

struct mortal {
    uint32_t role;
    struct caller caller;
    struct envelope envelope;
    struct receive_info info;
    uint32_t message_count;
};

static enum status register_mortal(void *state, const struct envelope *start)
{
    struct mortal *mortal = state;
    (void)start;
    return discovery_register(&mortal->caller, mortal->role);
}

static enum handled serve_mortal(void *state, struct message *message,
                                 const struct receive_info *info)
{
    struct mortal *mortal = state;
    (void)info;
    if (++mortal->message_count == MESSAGES_OF_A_LIFE)
        (void)user_load64(0);
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY;
}

static uint32_t live(uint32_t role)
{
    struct mortal mortal;
    memset(&mortal, 0, sizeof mortal);
    mortal.role = role;
    enum status status =
        service_start(&mortal.caller, role, &mortal.envelope, register_mortal, NULL, &mortal);
    while (status == STATUS_OK)
        status = service_turn(&mortal.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, serve_mortal,
                              &mortal, &mortal.info);
    return (uint32_t)status;
}

uint32_t test_mortal_main(uint64_t argument)
{
    (void)argument;
    return live(ROLE_TEST_MORTAL);
}

uint32_t test_frail_main(uint64_t argument)
{
    (void)argument;
    return live(ROLE_TEST_FRAIL);
}

/* --- test-survivor ----------------------------------------------------------------------------- */

struct survivor {
    struct caller caller;
    struct envelope envelope;
    struct startup_offer_modules_request offer;
    uint32_t mortal_role; /* whom it asks; its end is in SLOT_PEER_TEST_MORTAL */
    uint32_t asked;       /* questions so far */
    uint32_t failed;      /* the first one with a wrong answer; 0: none */
};

static void expect(struct survivor *survivor, bool as_stated)
{
    survivor->asked++;
    if (!as_stated && survivor->failed == 0)
        survivor->failed = survivor->asked;
}

static uint64_t soon(const struct survivor *survivor)
{
    return caller_deadline(&survivor->caller, CALL_TICKS);
}

/* Whoever may speak to the service is answered DENIED. */
static enum status ask_mortal(struct survivor *survivor)
{
    struct startup_offer_modules_request nothing = {.count = 0};
    return startup_call_offer_modules(&survivor->caller, SLOT_PEER_TEST_MORTAL, NO_WINDOW,
                                      soon(survivor), &nothing, NULL);
}

static enum status find_mortal(struct survivor *survivor)
{
    return discovery_find(&survivor->caller, survivor->mortal_role, SLOT_PEER_TEST_MORTAL);
}

/* The clock has not noticed: it answers, and a wait is over when its time has come. */
static uint64_t rest(struct survivor *survivor)
{
    static const struct timed_now_monotonic_request nothing;
    struct timed_now_monotonic_reply now;
    struct timed_wait_until_reply until;
    enum status status = timed_call_now_monotonic(&survivor->caller, SLOT_PEER_TIMED, NO_WINDOW,
                                                  soon(survivor), &nothing, &now);
    struct timed_wait_until_request wait = {now.now_ticks + LOOK_TICKS};
    if (status == STATUS_OK)
        status = timed_call_wait_until(&survivor->caller, SLOT_PEER_TIMED, NO_WINDOW,
                                       soon(survivor), &wait, &until);
    if (status != STATUS_OK)
        expect(survivor, false);
    else
        caller_see_clock(&survivor->caller, until.now_ticks); /* nobody else tells it of one */
    return status == STATUS_OK ? until.now_ticks : UINT64_MAX;
}

/* Looks until there is a successor, or for so long that there is none. Nothing else than NOT_FOUND is
 * ever said meanwhile. */
static bool finds_successor(struct survivor *survivor)
{
    uint64_t until_ticks = rest(survivor) + PARKED_TICKS;
    enum status status = STATUS_NOT_FOUND;
    while (status == STATUS_NOT_FOUND && rest(survivor) < until_ticks)
        status = find_mortal(survivor);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        expect(survivor, false);
    return status == STATUS_OK;
}

/* One life: two answers at least, then a death while it is asked, and a dead end. It registers itself
 * before it is READY: what comes until then it denies as well, and does not count. */
static void see_a_life(struct survivor *survivor)
{
    uint32_t answer_count = 0;
    enum status status = ask_mortal(survivor);
    for (; status == STATUS_DENIED && answer_count < ANSWERS_MAX; answer_count++) {
        if (answer_count >= MESSAGES_OF_A_LIFE)
            (void)rest(survivor);
        status = ask_mortal(survivor);
    }
    expect(survivor, answer_count >= MESSAGES_OF_A_LIFE - 1);
    expect(survivor, status == STATUS_PEER_DIED);
    expect(survivor, ask_mortal(survivor) == STATUS_NOT_FOUND);
}

/* The first life, and as many as the row of the role has restarts. */
static void see_lives(struct survivor *survivor, uint32_t role)
{
    uint32_t life_count = 1 + role_restarts(role)->budget_count;
    uint32_t lives = 0;
    survivor->mortal_role = role;
    expect(survivor, find_mortal(survivor) == STATUS_OK);
    do {
        see_a_life(survivor);
        lives++;
    } while (survivor->failed == 0 && lives <= life_count && finds_successor(survivor));
    expect(survivor, lives == life_count);
}

/* --- test-survivor, as deviced's administrator ---------------------------------------------------- */

static enum status start_driver(struct survivor *survivor, uint32_t role)
{
    struct deviced_start_driver_request request = {.role = role};
    return deviced_call_start_driver(&survivor->caller, SLOT_DEVICED_ADMINISTRATOR, NO_WINDOW,
                                     soon(survivor), &request, NULL);
}

static enum status stop_driver(struct survivor *survivor, uint32_t role)
{
    struct deviced_stop_driver_request request = {.role = role};
    return deviced_call_stop_driver(&survivor->caller, SLOT_DEVICED_ADMINISTRATOR, NO_WINDOW,
                                    soon(survivor), &request, NULL);
}

static enum status read_driver(struct survivor *survivor, uint32_t role, enum driver_state *state)
{
    struct deviced_read_driver_request request = {.role = role};
    struct deviced_read_driver_reply reply;
    enum status status = deviced_call_read_driver(&survivor->caller, SLOT_DEVICED_ADMINISTRATOR,
                                                  NO_WINDOW, soon(survivor), &request, &reply);
    *state = (enum driver_state)reply.state;
    return status;
}

/* Everything was seeded by rootd, and nobody seeds after SEAL. A role that is no driver's is unknown. */
static void see_refusals(struct survivor *survivor)
{
    static const struct deviced_seal_request nothing;
    struct deviced_seed_binding_request seed = {
        .role = ROLE_TEST_FRAIL, .image_bytes = 1, .ready_ticks = 1};
    struct deviced_seal_reply sealed;
    enum driver_state state;
    expect(survivor,
           deviced_call_seed_binding(&survivor->caller, SLOT_DEVICED_ADMINISTRATOR, NO_WINDOW,
                                     soon(survivor), &seed, NULL) == STATUS_DENIED);
    expect(survivor,
           ask_wrongly(&survivor->caller, SLOT_DEVICED_ADMINISTRATOR, soon(survivor),
                       &deviced_seal_request_type, &nothing, &sealed) == STATUS_INVALID_ARGUMENT);
    expect(survivor, start_driver(survivor, ROLE_TEST_MORTAL) == STATUS_NOT_FOUND);
    expect(survivor, stop_driver(survivor, ROLE_TEST_MORTAL) == STATUS_NOT_FOUND);
    expect(survivor, read_driver(survivor, ROLE_TEST_MORTAL, &state) == STATUS_NOT_FOUND);
    expect(survivor, start_driver(survivor, ROLE_TEST_FRAIL) == STATUS_BUSY);
}

/* A driver that is stopped stays so, whatever its policy, until it is asked for again; BUSY is who has
 * not gone yet. */
static void see_stop(struct survivor *survivor)
{
    enum driver_state state;
    expect(survivor, stop_driver(survivor, ROLE_TEST_FRAIL) == STATUS_OK);
    uint64_t until_ticks = rest(survivor) + PARKED_TICKS;
    expect(survivor,
           read_driver(survivor, ROLE_TEST_FRAIL, &state) == STATUS_OK && state == DRIVER_STOPPED);
    enum status status = start_driver(survivor, ROLE_TEST_FRAIL);
    while (status == STATUS_BUSY && rest(survivor) < until_ticks)
        status = start_driver(survivor, ROLE_TEST_FRAIL);
    expect(survivor, status == STATUS_OK);
    do {
        status = read_driver(survivor, ROLE_TEST_FRAIL, &state);
    } while (status == STATUS_OK && state == DRIVER_STARTING && rest(survivor) < until_ticks);
    expect(survivor, status == STATUS_OK && state == DRIVER_READY);
}

uint32_t test_survivor_main(uint64_t argument)
{
    struct survivor survivor;
    (void)argument;
    memset(&survivor, 0, sizeof survivor);
    expect(&survivor, service_start(&survivor.caller, ROLE_TEST_SURVIVOR, &survivor.envelope, NULL,
                                    NULL, NULL) == STATUS_OK);
    expect(&survivor, service_take_offer(&survivor.caller, &survivor.offer) == STATUS_OK);
    expect(&survivor, discovery_find(&survivor.caller, ROLE_TIMED, SLOT_PEER_TIMED) == STATUS_OK);
    see_refusals(&survivor);
    see_stop(&survivor);
    see_lives(&survivor, ROLE_TEST_MORTAL);
    see_lives(&survivor, ROLE_TEST_FRAIL);
    return survivor.failed;
}
