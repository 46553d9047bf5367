/* SPDX-License-Identifier: ISC */
/* Drives one service through a life. Knows no service: which one it is, and what is right, the
 * harness says. */
#include "fuzz/life/life_service.h"

#include <string.h>

#include "abi/roles.h"
#include "abi/text/generate.h"

const int harness_has_steps = 1;

struct life_now life_now;

void life_begin(const struct stand_in_peers *peers, uint32_t role)
{
    memset(&life_now, 0, sizeof life_now);
    if (peers != NULL)
        stand_in_begin(peers);
    stand_in_clock_set(1000);
    stand_in_put(SLOT_SELF, stand_in_cap_to(OBJECT_KERNEL_SELF, 0));
    stand_in_put(SLOT_SERVICE_ENDPOINT, stand_in_cap_to(OBJECT_ENDPOINT, role));
    life_now.startup_slots = stand_in_slot_count();
}

/* --- one message --- */

void life_place_caps(struct message *request, const struct stand_in_cap *caps)
{
    for (uint32_t i = 0; i < request->header.cap_count; i++) {
        uint32_t slot = SLOT_RECEIVE_BASE + i;
        memcpy(request->body + request->caps[i].field_offset, &slot, sizeof slot);
        request->caps[i] = (struct message_cap){
            .field_offset = request->caps[i].field_offset,
            .rights = (uint16_t)caps[i].rights,
            .object_type = (uint8_t)caps[i].object_type,
        };
    }
}

void life_any_caps(struct message *request, struct stand_in_cap *caps)
{
    for (uint32_t i = 0; i < request->header.cap_count; i++)
        caps[i] = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_PROCD);
    life_place_caps(request, caps);
}

void life_request(const struct message_type *type, const void *body, uint64_t badge,
                  struct message *request)
{
    memset(request, 0, sizeof *request);
    generate_delivered(type, body, request);
    request->header.badge = badge;
}

unsigned life_sender_kind(const struct message *request)
{
    uint64_t badge = request->header.badge;
    return badge == 0 ? 0 : badge <= ROLE_ID_MAX ? 1 : 2;
}

void life_bring(struct message *request, const struct stand_in_cap *caps)
{
    request->header.request_id = ++life_now.request_id;
    stand_in_message_begin();
    stand_in_lose_reply(life_now.loses);
    stand_in_deliver(SLOT_SERVICE_ENDPOINT, request, caps);
}

/* When a reply is lost nothing is answered, and the DROPs of the window come all the same. */
enum handled life_handle(const struct life_service *service, struct message *message,
                         const struct receive_info *info)
{
    enum handled handled = service->handle(service->state, message, info);
    PROPERTY(E8, "calls", stand_in_call_count() <= service->calls_max);
    stand_in_message_answered();
    return handled;
}

/* A loop's handler takes the state of the service, and that may not be const. */
struct turn {
    const struct life_service *service;
};

static enum handled handle(void *state, struct message *message, const struct receive_info *info)
{
    const struct turn *turn = state;
    return life_handle(turn->service, message, info);
}

unsigned life_deliver(const struct life_service *service, struct message *request,
                      const struct stand_in_cap *caps)
{
    struct turn turn = {service};
    struct receive_info info;
    life_bring(request, caps);
    PROPERTY_EQUAL(
        E5,
        service_turn(service->caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, handle, &turn, &info),
        STATUS_OK);
    caller_flush(service->caller);
    PROPERTY_EQUAL(E5, stand_in_reply_count(), life_now.loses != STATUS_NOT_FOUND);
    if (life_now.loses == STATUS_NOT_FOUND)
        return LIFE_LOST;
    PROPERTY(E5, stand_in_reply()->header.request_id == request->header.request_id);
    return (enum status)stand_in_reply()->header.status;
}

struct model_failure life_failures(void)
{
    struct stand_in_failures failures = stand_in_failures();
    life_met_failures(failures.count);
    return (struct model_failure){
        .count = failures.count,
        .status = failures.status,
        .calls_before = failures.calls_before,
        .reply = life_now.loses,
    };
}

void life_compare(const struct life_service *service, const struct message *request,
                  unsigned status)
{
    const struct life_operation *row =
        life_operation_of(service->language, request->header.operation);
    if (status == STATUS_OK && row->compare != NULL)
        row->compare();
    if (status != STATUS_OK && status != LIFE_LOST)
        PROPERTY(E1, stand_in_reply()->header.body_bytes == 0 &&
                         stand_in_reply()->header.cap_count == 0);
}

void life_check(const char *broken)
{
    if (broken != NULL)
        property_fails_of[property_find(broken)]("state", "check of the service", __FILE__,
                                                 __LINE__);
}

/* --- digests --- */

uint64_t life_digest_before(void)
{
    if (!life_now.digest_known && oracle_due())
        life_now.digest = life_service.digest();
    life_now.digest_known = oracle_due();
    return life_now.digest;
}

void life_digest_after(uint64_t before, bool changed)
{
    if (!changed && oracle_due())
        PROPERTY_EQUAL(E1, life_service.digest(), before);
    life_now.digest_known = !changed && oracle_due();
}

/* The same however many statuses there are. */
void life_digest_answer(unsigned status)
{
    digest_u64(status == LIFE_LOST ? UINT8_MAX : status);
    if (status != LIFE_LOST)
        digest_bytes(stand_in_reply()->body, stand_in_reply()->header.body_bytes);
}

void life_digest_visit(void *context, uint64_t value)
{
    uint64_t *sum = context;
    *sum = stand_in_mix(*sum ^ value);
}

/* --- what is drawn, what is planned --- */

void life_make_odd(struct choices *choices, uint64_t oddity, struct message *request)
{
    if (oddity == 1)
        request->body[choices_below(choices, MESSAGE_BODY_BYTES_MAX)] ^= choices_u8(choices);
    if (oddity == 2)
        request->header.body_bytes = (uint16_t)choices_below(choices, MESSAGE_BODY_BYTES_MAX + 1);
}

uint64_t life_generate(const struct life_language *language, struct choices *choices,
                       uint64_t (*badge)(struct choices *choices), struct message *request)
{
    struct life_draft draft;
    life_draw_operation(language, choices, &draft);
    uint64_t oddity = choices_below(choices, 20);
    draft.badge = badge(choices);
    life_draw_body(language, choices, &draft);
    life_draft_message(language, &draft, request);
    life_make_odd(choices, oddity, request);
    return oddity;
}

uint64_t life_some_client(struct choices *choices, uint32_t first_role, uint64_t count)
{
    uint64_t how = choices_below(choices, 12);
    if (how == 0)
        return choices_u64(choices);
    if (how == 1)
        return 0;
    return how == 2 ? ROLE_ID_MAX + choices_below(choices, 2) : first_role + how % count;
}

void life_plan_failure(const struct life_step *step, uint64_t call_limit)
{
    stand_in_fail((struct stand_in_failure){
        .after_calls = step->arguments[0] % call_limit,
        .times = 1,
        .status = life_failure(step->arguments[1]),
        .until_reply = true,
    });
}

void life_plan_turn_failure(const struct life_step *step, uint64_t call_limit)
{
    stand_in_fail_never();
    stand_in_fail((struct stand_in_failure){
        .after_calls = step->arguments[0] % call_limit,
        .times = 1,
        .status = life_failure(step->arguments[1]),
    });
}

uint32_t life_gone(uint64_t n)
{
    uint32_t waiting = stand_in_reply_open_count();
    if (waiting == 0)
        return SLOT_NULL;
    uint32_t slot = stand_in_reply_waiting(n % waiting);
    stand_in_caller_gone(slot);
    return slot;
}

/* --- the loop --- */

static void boot(uint64_t which)
{
    if (life_service.boot != NULL && !life_now.booted)
        life_service.boot(which);
    life_now.booted = true;
}

/* With a boot nothing happens before it, whatever the input says. */
static void act(const struct life_step *step)
{
    bool boots = life_service.boot != NULL && step->action == 0;
    if (life_service.boot != NULL && !life_now.booted && !boots)
        return;
    life_print_action(life_service.language, step);
    life_now.digest_known = false;
    if (boots)
        boot(step->arguments[0]);
    else
        life_service.act(step);
}

static void take(struct life_step *step)
{
    (void)oracle_step();
    if (step->kind == LIFE_ACTION) {
        act(step);
        return;
    }
    boot(0);
    if (step->kind == LIFE_GENERATED)
        life_service.generate(&step->choices, &step->message);
    life_print_request(life_service.language, &step->message, 0);
    enum status result = life_service.send(&step->message);
    life_print_result(result);
    life_expect(step, result);
}

size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes)
{
    return life_assemble(life_service.language, text, text_bytes, bytes, limit_bytes, problem,
                         problem_bytes);
}

/* Where oracles are deferred the last step was not looked at, perhaps, and the end of a life is one
 * step. */
static void look(void)
{
    bool boots = life_service.boot != NULL && !life_now.booted;
    if (!oracle_deferred() || life_service.look == NULL || boots)
        return;
    oracle_look();
    life_service.look();
    (void)oracle_step();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices input = harness_begin(bytes, size_bytes);
    struct life_step step;
    life_service.reset();
    for (unsigned i = 0; i < LIFE_STEP_LIMIT && life_next(&input, life_service.language, &step);
         i++)
        take(&step);
    look();
    if (life_service.finish != NULL)
        life_service.finish();
    look();
    digest_u64(life_service.digest());
    return 0;
}
