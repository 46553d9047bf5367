/* SPDX-License-Identifier: ISC */
/* Reads steps from input bytes. Any bytes give steps; nothing here knows what a message means. */
#include "props/life/life.h"

#include "abi/capability.h"
#include "props/life/life_bytes.h"
#include "props/base/property.h"
#include "props/base/trace.h"

enum { LIFE_FAILURES = 64 };

static uint64_t steps_taken;
static uint64_t watched_step;
static bool watched_failed;
static bool prefers_known;

static unsigned action_count(const struct life_language *language)
{
    unsigned count = 0;
    while (language->actions != NULL && language->actions[count].name != NULL)
        count++;
    return count;
}

static void read_literal(struct choices *payload, struct life_step *step)
{
    struct message *message = &step->message;
    uint8_t expected = choices_u8(payload);
    step->expects = trace_expects && expected != LIFE_NO_STATUS;
    step->expected = expected < STATUS_COUNT ? (enum status)expected : STATUS_OK;
    step->on = choices_u8(payload);
    message->header.operation = choices_u16(payload);
    message->header.badge = choices_u64(payload);
    message->header.body_bytes = choices_u16(payload) % (MESSAGE_BODY_BYTES_MAX + 1);
    message->header.cap_count = choices_u8(payload) % (MESSAGE_CAP_LIMIT + 1);
    uint8_t version = choices_u8(payload);
    message->header.version = version == 0 ? MESSAGE_VERSION : version;
    for (unsigned i = 0; i < message->header.cap_count; i++) {
        struct message_cap *cap = &message->caps[i];
        /* What the kernel would never deliver is not worth a step: offsets lie in the body. */
        cap->field_offset = choices_u16(payload) % MESSAGE_BODY_BYTES_MAX & ~3u;
        cap->rights = choices_u16(payload) & RIGHTS_ALL;
        cap->object_type = choices_u8(payload) % OBJECT_TYPE_LIMIT;
        choices_u8(payload);
        cap->badge = choices_u64(payload);
    }
    choices_bytes(payload, message->body, message->header.body_bytes);
}

static void read_action(struct choices *payload, unsigned count, struct life_step *step)
{
    size_t from = payload->offset_bytes;
    step->action = choices_u8(payload) % count;
    choices_settle(payload, from, step->action); /* one action more moves no other (T4) */
    for (unsigned i = 0; i < LIFE_ARGUMENT_LIMIT; i++)
        step->arguments[i] = choices_u64(payload);
}

bool life_next(struct choices *input, const struct life_language *language, struct life_step *step)
{
    *step = (struct life_step){0};
    if (choices_empty(input))
        return false;
    steps_taken++;
    unsigned byte = choices_u8(input);
    unsigned tag = byte % LIFE_TAG_COUNT;
    prefers_known = byte >= LIFE_TAG_KNOWN;
    size_t words = choices_u8(input);
    struct choices payload = choices_slice(input, words * 4);
    unsigned actions = action_count(language);
    if (tag == LIFE_TAG_LITERAL) {
        step->kind = LIFE_LITERAL;
        read_literal(&payload, step);
    } else if (tag >= LIFE_TAG_ACTION && actions != 0) {
        step->kind = LIFE_ACTION;
        read_action(&payload, actions, step);
    } else {
        step->kind = LIFE_GENERATED;
        step->choices = payload;
        step->tag = tag;
    }
    return true;
}

void life_expect(const struct life_step *step, enum status result)
{
    if (step->expects && step->expected != result)
        property_T5_differs("", "status expected by the trace", step->expected, "result", result,
                            __FILE__, __LINE__);
}

enum status life_failure(uint64_t argument)
{
    uint64_t number = argument % LIFE_FAILURES;
    return number == 0 || number >= STATUS_COUNT ? STATUS_EXHAUSTED : (enum status)number;
}

bool life_avoids_strangers(struct choices *choices)
{
    return prefers_known && choices_below(choices, 8) != 7;
}

void life_watch(uint64_t step)
{
    watched_step = steps_taken + step;
    watched_failed = false;
}

void life_met_failures(uint32_t count)
{
    watched_failed |= count != 0 && steps_taken == watched_step;
}

bool life_watch_failed(void)
{
    return watched_failed;
}

uint64_t life_step_count(void)
{
    return steps_taken;
}
