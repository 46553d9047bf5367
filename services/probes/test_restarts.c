/* SPDX-License-Identifier: ISC */
/* test-mortal and test-survivor: a service that dies at its third message in every life, and a client
 * that loses it, finds its successor by name and goes on, until the service is parked. What the client
 * sees is stated here; it ends with the number of the first answer that was another one, 0: none. */
#include <string.h>

#include "abi/roles.h"
#include "abi/user_memory.h"
#include "services/lib/call_startup.h"
#include "services/lib/call_timed.h"
#include "services/lib/discovery.h"
#include "services/lib/service.h"
#include "services/probes/probes.h"

enum {
    MESSAGES_OF_A_LIFE = 3, /* the last one is never answered */
    LIFE_COUNT = 4, /* the first one, and as many as its row of abi/roles.def has restarts */
    CALL_TICKS = 10 * TICKS_PER_SECOND,
    ANSWERS_MAX = 1000,
    LOOK_TICKS = 10,                    /* from one look at named to the next */
    PARKED_TICKS = 2 * TICKS_PER_SECOND /* longer than any delay of that row and a start */
};

/* --- test-mortal ------------------------------------------------------------------------------- */

struct mortal {
    struct caller caller;
    struct envelope envelope;
    struct receive_info info;
    uint32_t message_count;
};

static enum status register_mortal(void *state, const struct envelope *start)
{
    struct mortal *mortal = state;
    (void)start;
    return discovery_register(&mortal->caller, ROLE_TEST_MORTAL);
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

uint32_t test_mortal_main(uint64_t argument)
{
    struct mortal mortal;
    (void)argument;
    memset(&mortal, 0, sizeof mortal);
    enum status status =
        service_start(&mortal.caller, ROLE_TEST_MORTAL, &mortal.envelope, register_mortal, &mortal);
    while (status == STATUS_OK)
        status = service_turn(&mortal.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, serve_mortal,
                              &mortal, &mortal.info);
    return (uint32_t)status;
}

/* --- test-survivor ----------------------------------------------------------------------------- */

struct survivor {
    struct caller caller;
    struct envelope envelope;
    struct startup_offer_modules_request offer;
    uint32_t asked;  /* questions so far */
    uint32_t failed; /* the first one with a wrong answer; 0: none */
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
    return discovery_find(&survivor->caller, ROLE_TEST_MORTAL, SLOT_PEER_TEST_MORTAL);
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

uint32_t test_survivor_main(uint64_t argument)
{
    struct survivor survivor;
    (void)argument;
    memset(&survivor, 0, sizeof survivor);
    expect(&survivor, service_start(&survivor.caller, ROLE_TEST_SURVIVOR, &survivor.envelope, NULL,
                                    NULL) == STATUS_OK);
    expect(&survivor, service_take_offer(&survivor.caller, &survivor.offer) == STATUS_OK);
    expect(&survivor, discovery_find(&survivor.caller, ROLE_TIMED, SLOT_PEER_TIMED) == STATUS_OK);
    expect(&survivor, find_mortal(&survivor) == STATUS_OK);
    uint32_t lives = 0;
    do {
        see_a_life(&survivor);
        lives++;
    } while (survivor.failed == 0 && lives <= LIFE_COUNT && finds_successor(&survivor));
    expect(&survivor, lives == LIFE_COUNT);
    return survivor.failed;
}
