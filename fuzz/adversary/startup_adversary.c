/* SPDX-License-Identifier: ISC */
/* The start-up unit of every role against a kernel and a launcher that say anything. The honest
 * cspace and envelope come from the role table, each with at most one deviation; when nobody lied
 * the harness predicts the verdict, otherwise it only asks for one, in a bounded number of
 * calls. */
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "abi/messages/startup.h"
#include "props/stand_ins/startup_rows.h"
#include "props/base/rows.h"
#include "props/stand_ins/adversary.h"
#include "fuzz/harness.h"
#include "services/lib/service.h"

const char harness_name[] = "startup_adversary";
MARKS(12, 1);

/* What differs from the role's rows. */
enum deviation {
    DEVIATION_NONE,
    DEVIATION_CAP_MISSING,
    DEVIATION_CAP_RIGHTS,
    DEVIATION_CAP_TYPE,
    DEVIATION_CAP_BADGE,
    DEVIATION_CAP_EXTRA,
    DEVIATION_ENTRY_MISSING,
    DEVIATION_ENTRY_RIGHTS,
    DEVIATION_ROLE,
    DEVIATION_BYTE,
    DEVIATION_SENDER,
    DEVIATION_COUNT
};

/* What is wrong with an offer of modules. */
enum offering {
    OFFERING_RIGHT,
    OFFERING_SENDER,
    OFFERING_OPERATION,
    OFFERING_FIELD,
    OFFERING_COUNT
};

static struct {
    const struct role *role;
    enum deviation deviation;
    struct startup_rows rows;
    uint8_t sent[START_ENVELOPE_BYTES_MAX]; /* the latest envelope, as it was sent */
    uint32_t sent_bytes;
    uint8_t first[START_ENVELOPE_BYTES_MAX]; /* the one that was accepted first */
    uint32_t first_bytes;                    /* 0: none was */
    bool accepted;
    bool offers; /* the envelope was accepted: offers of modules come now */
    bool honest; /* the last one was made here */
    enum offering offering;
    struct startup_offer_modules_request offer;
} start;

static void drop_held(unsigned index)
{
    start.rows.held_count--;
    memmove(&start.rows.held[index], &start.rows.held[index + 1],
            (start.rows.held_count - index) * sizeof start.rows.held[0]);
}

/* A capability that no row names, at the end of the cspace or in a slot between. */
static void hold_extra(struct choices *choices)
{
    static const uint32_t places[] = {
        3, SLOT_LEGACY, 48, SLOT_RECEIVE_BASE, 3000, SLOT_DYNAMIC_BASE, SLOT_LIMIT - 1};
    uint32_t slot = places[choices_below(choices, sizeof places / sizeof places[0])];
    if (slot == 3000)
        slot = SLOT_REPLY_BASE + SLOT_REPLY_COUNT;
    unsigned at = start.rows.held_count;
    while (at > 0 && start.rows.held[at - 1].slot > slot) {
        start.rows.held[at] = start.rows.held[at - 1];
        at--;
    }
    start.rows.held[at] = (struct startup_held){slot, OBJECT_FRAME, RIGHT_READ, 0};
    start.rows.held_count++;
}

static void deviate(struct choices *choices)
{
    unsigned cap = (unsigned)choices_below(choices, start.rows.held_count);
    unsigned entry = (unsigned)choices_below(choices, start.rows.envelope.entry_count);
    switch (start.deviation) {
    case DEVIATION_CAP_MISSING:
        drop_held(cap);
        break;
    case DEVIATION_CAP_RIGHTS:
        start.rows.held[cap].rights ^= 1u << choices_below(choices, 8);
        break;
    case DEVIATION_CAP_TYPE:
        start.rows.held[cap].object_type =
            start.rows.held[cap].object_type == OBJECT_FRAME ? OBJECT_UNTYPED : OBJECT_FRAME;
        break;
    case DEVIATION_CAP_BADGE:
        start.rows.held[cap].badge += 1 + choices_u8(choices);
        break;
    case DEVIATION_CAP_EXTRA:
        hold_extra(choices);
        break;
    case DEVIATION_ENTRY_MISSING:
        start.rows.envelope.entry_count--;
        memmove(&start.rows.envelope.entries[entry], &start.rows.envelope.entries[entry + 1],
                (start.rows.envelope.entry_count - entry) * sizeof start.rows.envelope.entries[0]);
        break;
    case DEVIATION_ENTRY_RIGHTS:
        start.rows.envelope.entries[entry].rights ^= (uint16_t)(1u << choices_below(choices, 8));
        break;
    case DEVIATION_ROLE:
        start.rows.envelope.role = choose_role(choices)->id;
        if (start.rows.envelope.role == start.role->id)
            start.deviation = DEVIATION_NONE;
        break;
    case DEVIATION_NONE:
    case DEVIATION_BYTE:
    case DEVIATION_SENDER:
    case DEVIATION_COUNT:
        break;
    }
}

/* An offer of any modules, right or with one thing wrong. */
static void make_offer(struct choices *choices, struct message *message)
{
    struct generator generator = choices_generator(choices);
    start.offering = (enum offering)(choices_u8(choices) % (2 * OFFERING_COUNT));
    if (start.offering >= OFFERING_COUNT)
        start.offering = OFFERING_RIGHT;
    memset(&start.offer, 0, sizeof start.offer);
    generate_valid(&generator, &startup_offer_modules_request_type, &start.offer);
    if (start.offering == OFFERING_FIELD &&
        generate_violation(&generator, &startup_offer_modules_request_type, &start.offer) == NULL)
        start.offering = OFFERING_RIGHT;
    generate_delivered(&startup_offer_modules_request_type, &start.offer, message);
    message->header.request_id = 1;
    if (start.offering == OFFERING_OPERATION)
        message->header.operation = OP_STARTUP_START_SERVICE;
    if (start.offering == OFFERING_SENDER)
        message->header.badge = 1 + choices_u8(choices);
}

static bool make_request(struct choices *choices, uint32_t endpoint_slot, struct message *message)
{
    (void)endpoint_slot;
    if (start.offers) {
        make_offer(choices, message);
        return true;
    }
    struct startup_start_service_request request = {0};
    size_t written = 0;
    start.deviation = (enum deviation)(choices_u8(choices) % (2 * DEVIATION_COUNT));
    if (start.deviation >= DEVIATION_COUNT)
        start.deviation = DEVIATION_NONE;
    startup_rows_make(&start.rows, start.role);
    deviate(choices);
    if (envelope_encode(&start.rows.envelope, request.envelope, sizeof request.envelope,
                        &written) != STATUS_OK)
        return false; /* a deviation that the format itself forbids: no such bytes */
    request.count = (uint32_t)written;
    if (start.deviation == DEVIATION_BYTE)
        request.envelope[choices_below(choices, written)] ^=
            (uint8_t)(1u << choices_below(choices, 8));
    memcpy(start.sent, request.envelope, sizeof start.sent);
    start.sent_bytes = request.count;
    message->header.request_id = 1;
    if (message_encode(&startup_start_service_request_type, &request, message) != STATUS_OK)
        return false;
    if (start.deviation == DEVIATION_SENDER)
        message->header.badge = 1 + choices_u8(choices);
    return true;
}

/* The kernel's answers about the cspace as it is. */
static bool make_answer(struct choices *choices, uint32_t slot, struct message *message)
{
    (void)choices;
    if (message->header.operation == OP_KERNEL_QUERY_LOCAL_CAP)
        return slot == SLOT_SELF && startup_rows_answer(&start.rows, message);
    if (message->header.operation != OP_KERNEL_DROP_LOCAL_CAP)
        return false;
    message_refuse(message, STATUS_NOT_FOUND);
    return true;
}

/* Nobody heard that the first envelope was accepted: the same is accepted again, unseen, whatever
 * else is true by now, and no other one. */
static enum status predict_again(void)
{
    if (start.deviation == DEVIATION_SENDER)
        return STATUS_DENIED;
    bool same = start.sent_bytes == start.first_bytes &&
                memcmp(start.sent, start.first, start.sent_bytes) == 0;
    return same ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

static enum status predict(void)
{
    if (start.first_bytes != 0)
        return predict_again();
    switch (start.deviation) {
    case DEVIATION_NONE:
        return STATUS_OK;
    case DEVIATION_CAP_MISSING:
        return STATUS_NOT_FOUND;
    case DEVIATION_CAP_EXTRA:
    case DEVIATION_SENDER:
        return STATUS_DENIED;
    case DEVIATION_CAP_RIGHTS:
    case DEVIATION_CAP_TYPE:
    case DEVIATION_CAP_BADGE:
    case DEVIATION_ENTRY_MISSING:
    case DEVIATION_ENTRY_RIGHTS:
    case DEVIATION_ROLE:
    case DEVIATION_BYTE:
    case DEVIATION_COUNT:
        break;
    }
    return STATUS_INVALID_ARGUMENT;
}

static void check_offer_reply(const struct message *message)
{
    static const enum status expected[OFFERING_COUNT] = {
        [OFFERING_RIGHT] = STATUS_OK,
        [OFFERING_SENDER] = STATUS_DENIED,
        [OFFERING_OPERATION] = STATUS_DENIED,
        [OFFERING_FIELD] = STATUS_INVALID_ARGUMENT,
    };
    mark_triple("start-up offer", start.offering, OP_STARTUP_OFFER_MODULES, message->header.status);
    PROPERTY_EQUAL(R2, message->header.status, expected[start.offering]);
}

static void check_reply(const struct message *message, bool honest)
{
    if (start.offers) {
        start.honest = honest;
        if (honest)
            check_offer_reply(message);
        return;
    }
    start.accepted = message->header.status == STATUS_OK;
    if (start.accepted)
        MARK("start-up: accepted");
    enum status predicted = predict();
    bool again = start.first_bytes != 0;
    if (start.accepted && !again) {
        memcpy(start.first, start.sent, sizeof start.first);
        start.first_bytes = start.sent_bytes;
    }
    if (!honest)
        return;
    mark_triple(again ? "start-up again" : "start-up", start.deviation, OP_STARTUP_START_SERVICE,
                message->header.status);
    if (start.deviation != DEVIATION_BYTE)
        PROPERTY_EQUAL(R1, message->header.status, predicted);
}

/* What rootd launches besides the foundation hears next which modules there are. */
static void take_offer(struct caller *caller)
{
    struct startup_offer_modules_request taken;
    start.offers = true;
    enum status status = service_take_offer(caller, &taken);
    caller_flush(caller);
    TRACE("service_take_offer: %s", status_name(status));
    if (status != STATUS_OK)
        memset(&start.offer, 0, sizeof start.offer);
    PROPERTY(R2, (status == STATUS_OK && !start.honest) ||
                     memcmp(&taken, &start.offer, sizeof taken) == 0);
    PROPERTY_EQUAL(E5, adversary_owed_count(), 0);
    digest_u64(status);
    digest_bytes(&taken, sizeof taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static const struct adversary_plan plan = {.service = SERVICE_STARTUP,
                                               .answer = make_answer,
                                               .request = make_request,
                                               .replied = check_reply};
    struct choices choices = harness_begin(bytes, size_bytes);
    struct caller caller = {0};
    struct envelope envelope;
    memset(&start, 0, sizeof start);
    start.role = choose_role(&choices);
    adversary_begin(&choices, &plan);
    TRACE("role %s", start.role->image);
    enum status status = service_start(&caller, start.role->id, &envelope, NULL, NULL, NULL);
    caller_flush(&caller);
    TRACE("service_start: %s", status_name(status));
    PROPERTY(R2, (status == STATUS_OK) == start.accepted || status != STATUS_OK);
    if (status == STATUS_OK) {
        PROPERTY_EQUAL(R2, envelope.role, start.role->id);
        PROPERTY_EQUAL(E5, adversary_owed_count(), 0);
    }
    digest_u64(status);
    digest_u64(adversary_counts().calls);
    unsigned row_count = 0;
    if (status == STATUS_OK && start.role->kind == ROLE_KIND_EXTENSION &&
        role_intake(start.role->id, &row_count) != NULL)
        take_offer(&caller);
    return 0;
}
