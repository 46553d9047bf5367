/* SPDX-License-Identifier: ISC */
/* A life of irqd: the administrator seeds and seals; clients and strangers register, mask and
 * acknowledge; devices interrupt; processes die and come again; calls fail, and clients give up.
 * After every message: status and effects are the model's, on every line (D3), irqd holds nobody's
 * end (E5), a refusal changed nothing (E1, E4). At the end each line whose handler lives goes round
 * twice (D3). */
#include <string.h>

#include "abi/codec.h"
#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_irqd.h"
#include "services/irqd/irqd.h"

const char harness_name[] = "irqd_life";
MARKS(15, 0);

/* Calls of one message, other than those that empty the window (E8). */
enum { CALLS_MAX = 3, FAIL_LIMIT = 16, FILL_SPARE_LIMIT = 4 };

/* In the descriptor of a REGISTER the badge says all of the capability that type and rights do not:
 * the endpoint's number, whether it is dead on arrival, and the badge that it carries. */
enum { NUMBER_SHIFT = 32, DEAD_SHIFT = 48 };

enum action { ACTION_FAIL, ACTION_DIE, ACTION_GONE, ACTION_INTERRUPT, ACTION_FILL, ACTION_COUNT };
static const struct life_action actions[] = {
    [ACTION_FAIL] = {"fail", 2}, /* index status: that call of the next message */
    [ACTION_DIE] = {"die",
                    1}, /* n: the process behind the n-th endpoint; another takes its place */
    [ACTION_GONE] = {"gone", 0},           /* the next client gives up before it is answered */
    [ACTION_INTERRUPT] = {"interrupt", 1}, /* n: the device of line n */
    [ACTION_FILL] = {"fill", 1},           /* n: all seeds but n more */
    [ACTION_COUNT] = {NULL, 0},
};

static struct irqd irqd;
static struct model_irqd model;
static struct model_irqd_answer answer; /* to the message that was sent last */

/* One call of a message fails: after it irqd makes none that matters, other than of one status. */
static bool may_fail(const struct stand_in_call *call)
{
    (void)call;
    return stand_in_failures().count == 0;
}

/* irqd calls nobody but the kernel (E5). */
static const struct stand_in_peers nobody = {.strict = true, .may_fail = may_fail};

/* --- what is drawn --- */

static uint32_t some_line(struct choices *choices)
{
    static const uint32_t lines[] = {4, 4, 4, 1, 12, 15};
    uint64_t which = choices_below(choices, 8);
    return which < 6 ? lines[which] : (uint32_t)choices_below(choices, INTERRUPT_LINE_COUNT);
}

static uint32_t some_role(struct choices *choices)
{
    static const uint32_t roles[] = {ROLE_DRV_SERIAL, ROLE_DRV_SERIAL, ROLE_DRV_I8042, 261, 1,
                                     ROLE_ID_MAX};
    uint64_t which = choices_below(choices, 8);
    return which < 6 ? roles[which] : (uint32_t)choices_between(choices, 1, ROLE_ID_MAX);
}

static void draw_seed(struct choices *choices, struct life_draft *draft)
{
    struct irqd_seed_handler_request *request = (void *)draft->body;
    request->line = some_line(choices);
    request->role = some_role(choices);
    draft->badge = 0;
}

static void draw_seal(struct choices *choices, struct life_draft *draft)
{
    draft->badge = choices_below(choices, 8) == 0 ? some_role(choices) : 0;
}

/* Mostly a line and a role that belong together; sometimes the line of somebody else. */
static uint32_t draw_client(struct choices *choices, struct life_draft *draft)
{
    uint64_t oddity = choices_below(choices, 12);
    uint32_t line = some_line(choices);
    draft->badge = some_role(choices);
    if (model.seed_count == 0 || oddity == 0)
        return line;
    const struct model_irqd_seed *seed = &model.seeds[choices_below(choices, model.seed_count)];
    if (oddity == 1)
        return seed->line;
    draft->badge = seed->role;
    return oddity == 2 ? line : seed->line;
}

/* Mostly what irqd asks for: an endpoint of a small number, so that it dies and comes again. */
static void draw_cap(struct choices *choices, struct message_cap *cap)
{
    static const uint16_t rights[] = {RIGHT_SEND | RIGHT_TRANSFER, RIGHTS_SERVICE_ENDPOINT,
                                      RIGHT_RECEIVE, RIGHT_SEND};
    uint64_t number = choices_below(choices, 4);
    uint64_t oddity = choices_below(choices, 24);
    uint64_t badge = ROLE_IRQD;
    cap->object_type = OBJECT_ENDPOINT;
    cap->rights = oddity < 4 ? rights[oddity] : rights[3];
    if (oddity == 4)
        badge = 0;
    if (oddity == 5)
        badge = choices_u32(choices);
    if (oddity == 6)
        cap->object_type = OBJECT_FRAME;
    cap->badge = (number << NUMBER_SHIFT) + badge;
    if (oddity == 7)
        cap->badge |= UINT64_C(1) << DEAD_SHIFT;
}

static void draw_register(struct choices *choices, struct life_draft *draft)
{
    struct irqd_register_handler_request *request = (void *)draft->body;
    request->line = draw_client(choices, draft);
    request->endpoint_slot = SLOT_RECEIVE_BASE;
    request->token = choices_u64(choices);
    draw_cap(choices, &draft->caps[0]);
}

static void draw_mask(struct choices *choices, struct life_draft *draft)
{
    struct irqd_set_mask_request *request = (void *)draft->body;
    request->line = draw_client(choices, draft);
    request->masked = choices_below(choices, 3) == 0;
}

static void draw_ack(struct choices *choices, struct life_draft *draft)
{
    struct irqd_ack_request *request = (void *)draft->body;
    request->line = draw_client(choices, draft);
}

static void compare_seal(void)
{
    struct irqd_seal_reply reply;
    PROPERTY_EQUAL(E5, reply_decode(&irqd_seal_reply_type, stand_in_reply(), &reply), STATUS_OK);
    PROPERTY_EQUAL(D3, reply.seed_count, model.seed_count);
}

static const struct life_operation operations[] = {
    {OP_IRQD_SEED_HANDLER, 3, draw_seed, NULL, NULL},
    {OP_IRQD_REGISTER_HANDLER, 5, draw_register, NULL, NULL},
    {OP_IRQD_SET_MASK, 4, draw_mask, NULL, NULL},
    {OP_IRQD_ACK, 4, draw_ack, NULL, NULL},
    {OP_IRQD_SEAL, 1, draw_seal, NULL, compare_seal},
    {0, 0, NULL, NULL, NULL},
};

static const struct life_language language = {SERVICE_IRQD, actions, operations};

static uint64_t some_badge(struct choices *choices)
{
    return choices_flag(choices) ? some_role(choices) : 0;
}

static void generate(struct choices *choices, struct message *request)
{
    if (life_generate(&language, choices, some_badge, request) == 0)
        request->header.badge = choices_flag(choices) ? choices_u64(choices) : 0;
}

/* --- one message --- */

static uint64_t digest_of(void)
{
    uint64_t sum = 0;
    irqd_visit_fields(&irqd, life_digest_visit, &sum);
    life_digest_visit(&sum, stand_in_digest());
    return sum;
}

/* The kernel's book of a line is the model's; irqd's of who has it as well. */
static void check_line(uint32_t number)
{
    const struct model_irqd_line *line = &model.lines[number];
    struct stand_in_line found;
    bool bound = stand_in_line(number, &found);
    PROPERTY_EQUAL(D3, irqd.lines[number].handler_role, line->role);
    PROPERTY_EQUAL(D3, "lives", bound, model_irqd_lives(&model, number));
    if (!bound)
        return;
    PROPERTY_EQUAL(D3, found.endpoint.object, STAND_IN_OTHER + line->number);
    PROPERTY_EQUAL(D3, found.endpoint.generation, line->instance);
    PROPERTY_EQUAL(D3, found.token, line->token);
    PROPERTY_EQUAL(D3, "masked", found.masked, line->masked);
    PROPERTY_EQUAL(D3, "books", irqd.lines[number].is_masked, line->masked);
    PROPERTY_EQUAL(D3, "told", found.told, line->told);
}

/* They are ascending, so that each is another one. */
static void check_seeds(void)
{
    for (uint32_t i = 0; i < irqd.seed_count; i++)
        PROPERTY(D3, "seeds", model_irqd_seeded(&model, irqd.seeds[i].line, irqd.seeds[i].role));
}

static void check(void)
{
    if (oracle_due())
        life_check(irqd_check(&irqd));
    PROPERTY_EQUAL(D3, irqd.seed_count, model.seed_count);
    for (uint32_t i = 0; i < INTERRUPT_LINE_COUNT; i++)
        check_line(i);
    PROPERTY_EQUAL(E5, "slots", stand_in_slot_count(), life_now.startup_slots);
}

/* The capability that a descriptor asks for; *cap is the same as the model sees it. */
static struct stand_in_cap pick_cap(const struct message_cap *descriptor,
                                    struct model_irqd_cap *cap)
{
    uint64_t number = descriptor->badge >> NUMBER_SHIFT & UINT16_MAX;
    bool dead = (descriptor->badge >> DEAD_SHIFT & 1) != 0;
    bool endpoint = descriptor->object_type == OBJECT_ENDPOINT;
    *cap = (struct model_irqd_cap){
        .object_type = descriptor->object_type,
        .badge = (uint32_t)descriptor->badge,
        .number = (uint32_t)(number % MODEL_IRQD_ENDPOINTS),
    };
    struct stand_in_cap picked = stand_in_cap_to(
        descriptor->object_type, endpoint ? STAND_IN_OTHER + cap->number : STAND_IN_ELSEWHERE);
    cap->instance = model.instances[cap->number];
    if (dead && endpoint) {
        picked.generation--;
        cap->instance--;
    }
    picked.rights &= descriptor->rights;
    picked.badge = endpoint ? cap->badge : 0;
    cap->rights = picked.rights;
    return picked;
}

static void pick_caps(struct message *request, struct stand_in_cap *caps,
                      struct model_irqd_cap *cap)
{
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        struct model_irqd_cap other;
        caps[i] = pick_cap(&request->caps[i], i == 0 ? cap : &other);
    }
    life_place_caps(request, caps);
}

/* What the sender is to the line that the message names first. */
static unsigned state_of(const struct message *request)
{
    uint64_t badge = request->header.badge;
    uint32_t line = 0;
    memcpy(&line, request->body, sizeof line);
    unsigned state = life_sender_kind(request);
    state |= model.sealed ? 4u : 0;
    if (line >= INTERRUPT_LINE_COUNT)
        return state;
    state |= model_irqd_seeded(&model, line, badge) ? 8u : 0;
    state |= model.lines[line].role != 0 && model.lines[line].role == badge ? 16u : 0;
    state |= model_irqd_lives(&model, line) ? 32u : 0;
    state |= model.lines[line].told ? 64u : 0;
    return state;
}

static void mark(const struct message *request, unsigned state, unsigned status)
{
    uint16_t id = request->header.operation;
    mark_triple("irqd", state, operation_find(SERVICE_IRQD, id) != NULL ? id : 0, status);
    MARK_IF("irqd: a registration replaces the same role's", answer.replaced && !answer.other);
    MARK_IF("irqd: a line goes to another role, whose handler is gone",
            answer.replaced && answer.other);
    MARK_IF("irqd: all seeds", model.seed_count == IRQD_SEED_LIMIT);
    MARK_IF("irqd: sealed without a seed", model.sealed && model.seed_count == 0);
}

static enum status send(struct message *request)
{
    struct stand_in_cap caps[MESSAGE_CAP_LIMIT];
    struct model_irqd_cap cap = {0};
    unsigned state = state_of(request);
    uint64_t before = life_digest_before();
    pick_caps(request, caps, &cap);
    unsigned status = life_deliver(&life_service, request, caps);
    struct model_failure failure = life_failures();
    answer = model_irqd_step(&model, request, &cap, &failure);
    unsigned predicted = life_now.loses != STATUS_OK ? (unsigned)LIFE_LOST : answer.status;
    life_predicted(predicted, status);
    PROPERTY_EQUAL(D3, status, predicted);
    life_digest_after(before, answer.changed);
    life_compare(&life_service, request, status);
    life_digest_answer(status);
    check();
    if (answer.changed && request->header.operation == OP_IRQD_SEED_HANDLER &&
        model.seed_count < 64)
        check_seeds();
    mark(request, state | (failure.count != 0 ? 128u : 0), status);
    life_now.loses = STATUS_OK;
    return status == LIFE_LOST ? answer.status : (enum status)status;
}

/* --- actions --- */

static void interrupt(uint32_t line)
{
    bool told = stand_in_interrupt(line);
    PROPERTY_EQUAL(D3, told, model_irqd_interrupt(&model, line));
    MARK_IF("irqd: a handler is told", told);
    MARK_IF("irqd: none is told before the acknowledgement", !told && model.lines[line].told);
}

/* A message of our own, as one of the input's, printed as a comment. */
static void ask(const struct message_type *type, const void *body, uint64_t role)
{
    struct message request;
    life_request(type, body, role, &request);
    life_print_request(&language, &request, 0);
    life_print_result(send(&request));
}

/* All seeds but `spare` more, of roles that nothing else draws. */
static void fill(uint64_t spare)
{
    uint32_t limit = IRQD_SEED_LIMIT - (uint32_t)(spare % FILL_SPARE_LIMIT);
    for (uint32_t n = 0; !model.sealed && model.seed_count < limit; n++) {
        struct irqd_seed_handler_request body = {.line = 3 + n % 13, .role = 30000 + n};
        struct message request;
        struct model_failure none = {0};
        life_request(&irqd_seed_handler_request_type, &body, 0, &request);
        unsigned status = life_deliver(&life_service, &request, NULL);
        answer = model_irqd_step(&model, &request, NULL, &none);
        PROPERTY_EQUAL(E6, status, answer.status);
    }
    check();
}

static void act(const struct life_step *step)
{
    uint64_t argument = step->arguments[0];
    switch ((enum action)step->action) {
    case ACTION_FAIL:
        life_plan_failure(step, FAIL_LIMIT);
        return;
    case ACTION_DIE:
        stand_in_other_end((uint32_t)(argument % MODEL_IRQD_ENDPOINTS));
        model_irqd_died(&model, (uint32_t)(argument % MODEL_IRQD_ENDPOINTS));
        return;
    case ACTION_GONE:
        life_now.loses = STATUS_NOT_FOUND;
        return;
    case ACTION_INTERRUPT:
        interrupt((uint32_t)(argument % INTERRUPT_LINE_COUNT));
        return;
    case ACTION_FILL:
        life_now.loses = STATUS_OK;
        stand_in_fail_never();
        fill(argument);
        return;
    case ACTION_COUNT:
        return;
    }
}

/* A handler that lives opens its line, hears of an interrupt, of no other, and of the next one. */
static void go_round(uint32_t line)
{
    uint64_t role = model.lines[line].role;
    struct irqd_set_mask_request open = {.line = line};
    struct irqd_ack_request done = {.line = line};
    ask(&irqd_set_mask_request_type, &open, role);
    if (model.lines[line].told)
        ask(&irqd_ack_request_type, &done, role);
    for (unsigned i = 0; i < 2; i++) {
        life_now.digest_known = false;
        PROPERTY(D3, "told", stand_in_interrupt(line) && model_irqd_interrupt(&model, line));
        PROPERTY(D3, "again", !stand_in_interrupt(line) && !model_irqd_interrupt(&model, line));
        ask(&irqd_ack_request_type, &done, role);
        PROPERTY_EQUAL(D3, answer.status, STATUS_OK);
    }
}

static void finish(void)
{
    life_now.loses = STATUS_OK;
    life_now.digest_known = false;
    stand_in_fail_never();
    life_print_as_comments(true);
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++)
        if (model_irqd_lives(&model, line))
            go_round(line);
    check_seeds();
    life_print_as_comments(false);
}

static void reset(void)
{
    memset(&irqd, 0, sizeof irqd);
    model_irqd_reset(&model);
    memset(&answer, 0, sizeof answer);
    life_begin(&nobody, ROLE_IRQD);
    stand_in_put(SLOT_KERNEL_IRQ_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_IRQ, 0));
    life_now.startup_slots = stand_in_slot_count();
}

const struct life_service life_service = {
    .language = &language,
    .caller = &irqd.caller,
    .state = &irqd,
    .handle = irqd_handle,
    .calls_max = CALLS_MAX,
    .reset = reset,
    .generate = generate,
    .send = send,
    .act = act,
    .finish = finish,
    .look = check,
    .digest = digest_of,
    .fail_action = ACTION_FAIL,
    .fail_limit = FAIL_LIMIT,
    .fail_ways = {STATUS_EXHAUSTED, STATUS_NOT_FOUND},
};
