/* SPDX-License-Identifier: ISC */
/* The loop of each daemon as its process runs it: start-up, messages, what is due, until its endpoint
 * is gone. The same input is run twice: by the loop itself, and by turns that a harness takes, which
 * are what all models are compared with. Both must ask, answer and wait for the same in the same
 * order, and leave the same state. Beside that, in both: a call is answered once and none is
 * forgotten, nobody looks up twice for what is due without doing it, nothing but the end of the
 * endpoint or a start that failed ends a daemon, and nothing comes after its EXIT. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/kernel.h"
#include "abi/messages/startup.h"
#include "abi/profile.h"
#include "abi/text/generate.h"
#include "fuzz/adversary/services.h"
#include "props/stand_ins/startup_rows.h"
#include "props/base/rows.h"

const char harness_name[] = "daemon_loops";
MARKS(16, 48);

enum { RECEIVES_MAX = 200, IDLE_LOOKS_MAX = 2, STARTS_MAX = 3 };

static const struct subject *subject;

/* How it starts. */
static struct {
    struct startup_rows rows;
    bool honest;          /* kernel and peers are, until somebody has heard READY */
    unsigned sent;        /* so often has the launcher asked */
    bool running;         /* from there on */
    bool prelude;         /* and what comes next is honest, too */
    uint64_t reply_slots; /* few, when it goes on without a free one; 0: enough */
} start;

/* What one of the two runs has done. */
static struct run {
    struct digest events; /* requests, answers, receives: in order, without request ids */
    uint64_t event_count;
    bool is_loop; /* and not turns */
    uint64_t state;
    uint64_t exits;
    uint32_t exit_code;
    uint32_t slot; /* that the last receive was on */
    unsigned ends; /* receives on its own endpoint, which was gone */
    /* Looks at the own endpoint that found nothing because something was due, with nothing done since. */
    unsigned idle_looks;
    uint64_t looked_ticks;
    uint64_t now_ticks;
} run;

static void event(uint64_t kind, uint64_t value)
{
    digest_add_u64(&run.events, kind << 56 ^ value);
    run.event_count++;
}

static void event_message(uint64_t kind, const struct message *message)
{
    event(kind, (uint64_t)message->header.operation << 32 | message->header.status);
    event(kind, message->header.cap_count);
    digest_add_bytes(&run.events, message->body, message->header.body_bytes);
    for (unsigned i = 0; i < message->header.cap_count; i++)
        event(kind, (uint64_t)message->caps[i].field_offset << 32 | message->caps[i].rights);
    run.idle_looks = 0;
}

/* --- what the daemon does --------------------------------------------------------------------- */

static void asked(const struct message *message)
{
    PROPERTY(E5, "after-exit", run.exits == 0);
    if (message->header.operation == OP_KERNEL_EXIT) {
        memcpy(&run.exit_code, message->body, sizeof run.exit_code);
        run.exits++;
        return;
    }
    event_message(1, message);
}

static void replied(const struct message *message, bool honest)
{
    PROPERTY(E5, "after-exit", run.exits == 0);
    bool is_ready = message->header.operation == OP_STARTUP_START_SERVICE &&
                    message->header.status == STATUS_OK;
    if (is_ready && !start.running)
        start.running = true;
    services_learn(message, honest);
    event_message(2, message);
}

/* It waits for messages: nobody is forgotten, and what was due is done. */
static void receives(uint32_t slot, uint64_t deadline_ticks)
{
    PROPERTY(E5, "after-exit", run.exits == 0);
    PROPERTY(E5, "ends", run.ends <= 1); /* of an answer and a receive either may be refused */
    run.slot = slot;
    event(3, slot);
    event(3, deadline_ticks);
    const char *untouched = run.is_loop && subject->untouched != NULL ? subject->untouched() : NULL;
    if (untouched != NULL)
        TRACE("somebody is served before the daemon has touched %s", untouched);
    PROPERTY(E3, "untouched", untouched == NULL);
    uint32_t waiting = subject->waiting == NULL ? 0 : subject->waiting();
    PROPERTY_EQUAL(E5, "owed", adversary_owed_count(), waiting);
    if (waiting != 0)
        mark_triple("daemon loops: somebody waits", subject->role, 0, STATUS_OK);
    if (slot != SLOT_SERVICE_ENDPOINT)
        return;
    bool is_due = deadline_ticks <= run.now_ticks;
    run.idle_looks = is_due ? run.idle_looks + 1 : 0;
    PROPERTY(E8, "spins", run.idle_looks <= IDLE_LOOKS_MAX);
}

static void received_nothing(enum status status, uint64_t now_ticks)
{
    bool is_ordinary = service_goes_on(status);
    event(4, status);
    MARK_IF("daemon loops: as many wait as may",
            start.reply_slots != 0 && adversary_owed_count() >= start.reply_slots);
    run.ends += status == STATUS_NOT_FOUND && run.slot == SLOT_SERVICE_ENDPOINT;
    if (is_ordinary)
        run.now_ticks = now_ticks;
    mark_triple("daemon loops: receive", subject->role, 0, (unsigned)status);
}

static bool request(struct choices *choices, uint32_t endpoint_slot, struct message *message)
{
    run.idle_looks = 0;
    return services_request(choices, endpoint_slot, message);
}

/* --- the start -------------------------------------------------------------------------------- */

static bool start_receive(uint32_t slot, struct message *message)
{
    if (start.running || start.sent == STARTS_MAX)
        return services_prelude_receive(slot, message);
    start.sent++;
    memset(message, 0, sizeof *message);
    message->header.request_id = 1;
    startup_rows_send(&start.rows, message);
    return true;
}

static bool start_call(uint32_t slot, struct message *message)
{
    (void)slot;
    if (start.running || !start.honest)
        return services_prelude_call(message);
    if (!startup_rows_answer(&start.rows, message))
        services_answer_plainly(message);
    return true;
}

static void start_draw(struct choices *choices)
{
    uint64_t how = choices_below(choices, 8);
    start.honest = how != 7;
    start.prelude = how < 4;
    start.reply_slots = subject->room == NULL ? 0 : how == 3 ? 1 : how == 2 ? 3 : 0;
    startup_rows_make(&start.rows, role_find(subject->role));
    start.rows.envelope.memory_pages = SERVICES_MACHINE_PAGES;
    start.rows.envelope.validation_profile =
        choices_flag(choices) ? VALIDATION_PROFILE_PHASE0 : VALIDATION_PROFILE_NONE;
}

/* --- turns ------------------------------------------------------------------------------------ */

static enum status prepare(void *state, const struct envelope *envelope)
{
    (void)state;
    enum status status = subject->prepare == NULL ? STATUS_OK : subject->prepare(envelope);
    if (status != STATUS_OK || envelope->validation_profile == VALIDATION_PROFILE_NONE)
        return status;
    return subject->wrong() == NULL ? STATUS_OK : STATUS_INTERNAL;
}

/* What is due is not done when a receive has found no message for another reason than time. */
static bool found(enum status status)
{
    return service_goes_on(status);
}

/* The daemon as a harness runs it; how it ended. */
static enum status take_turns(void)
{
    struct envelope envelope;
    uint64_t now_ticks = 0;
    enum status status =
        service_start(subject->caller, subject->role, &envelope, prepare, NULL, NULL);
    if (status == STATUS_OK && subject->begin != NULL)
        subject->begin();
    while (service_goes_on(status)) {
        bool looks = oracle_step();
        status = services_turn(subject, &now_ticks, found);
        if (looks)
            services_check(subject, false);
        if (status == STATUS_EXHAUSTED && subject->room != NULL) {
            subject->room();
            status = STATUS_OK;
        }
    }
    (void)caller_flush(subject->caller); /* a refused start's answer, which EXIT would send */
    return status;
}

/* --- one input -------------------------------------------------------------------------------- */

static void begin(struct choices *choices, bool is_loop)
{
    static struct adversary_plan plan;
    plan = (struct adversary_plan){.service = subject->service,
                                   .answer = services_answer,
                                   .request = request,
                                   .replied = replied,
                                   .asked = asked,
                                   .scripted_call = start_call,
                                   .scripted_receive = start_receive,
                                   .receives = receives,
                                   .received_nothing = received_nothing,
                                   .receives_max = RECEIVES_MAX,
                                   .reply_slots = start.reply_slots,
                                   .calls_max = subject->calls_max,
                                   .receives_truly = true};
    memset(&run, 0, sizeof run);
    run.is_loop = is_loop;
    run.events = digest_start();
    start.running = false;
    start.sent = 0;
    services_requests_begin(subject->service, start.prelude);
    services_reset(subject);
    adversary_begin(choices, &plan);
}

static struct run end(void)
{
    struct run done = run;
    digest_reset();
    if (subject->digest != NULL)
        subject->digest();
    done.state = digest_value();
    services_end(subject);
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    subject = services_choose(&choices);
    start_draw(&choices);
    services_draw(subject, &choices);
    struct choices again = choices;

    begin(&choices, true);
    TRACE("the loop of %s", role_find(subject->role)->image);
    subject->run();
    struct run loop = end();
    PROPERTY_EQUAL(E5, "exit", loop.exits, 1);

    begin(&again, false);
    TRACE("turns of %s", role_find(subject->role)->image);
    enum status status = take_turns();
    if (oracle_deferred())
        services_check(subject, false);
    bool ended_itself = run.exits != 0; /* procd, which the end of another one ends */
    struct run turns = end();
    PROPERTY_EQUAL(E3, "events", loop.event_count, turns.event_count);
    PROPERTY_EQUAL(E3, "same-events", loop.events.value, turns.events.value);
    PROPERTY_EQUAL(E3, "same-state", loop.state, turns.state);
    if (!ended_itself && subject->turn == NULL)
        PROPERTY_EQUAL(E5, "exit-code", loop.exit_code, status);
    mark_triple("daemon loops: ended", subject->role, 0, (unsigned)status);
    MARK_IF("daemon loops: procd ended itself", ended_itself);
    digest_reset();
    digest_u64(loop.events.value);
    digest_u64(loop.state);
    digest_u64(loop.exit_code);
    return 0;
}
