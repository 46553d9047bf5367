/* SPDX-License-Identifier: ISC */
/* Mutation of life inputs by step: whole messages are dropped, repeated, swapped and inserted, so
 * that a change of one leaves the others as they were. Knows where a literal has its fields, and
 * nothing of what they mean. */
#include "props/life/steps.h"

#include <stdbool.h>
#include <string.h>

#include "props/life/life_bytes.h"

enum { STEP_LIMIT = 512, INSERTED_WORDS_MAX = 12, HOSTILE_MAX = 4, SWARM_KINDS_MAX = 6 };

/* Of a literal's payload (life_bytes.h). */
enum {
    OPERATION_AT = 2,
    BADGE_AT = 4,
    CAP_COUNT_AT = 14,
    CAPS_AT = 16,
    CAP_BYTES = 14,
    STEP_BYTES_MAX = STEP_HEADER_BYTES + UINT8_MAX * STEP_WORD_BYTES
};

struct steps {
    uint8_t *bytes;
    size_t size_bytes;
    size_t limit_bytes;
    size_t offsets[STEP_LIMIT + 1]; /* where each step starts, and the end of the last */
    size_t count;
    struct steps_plan plan;
    uint64_t random;
};

/* splitmix64 */
static uint64_t next_random(struct steps *steps)
{
    steps->random += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = steps->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t below(struct steps *steps, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_random(steps) % limit);
}

size_t step_bytes(const uint8_t *bytes, size_t size_bytes, size_t offset_bytes)
{
    size_t left = size_bytes - offset_bytes;
    if (left < STEP_HEADER_BYTES)
        return left;
    size_t wanted = STEP_HEADER_BYTES + (size_t)bytes[offset_bytes + 1] * STEP_WORD_BYTES;
    return wanted < left ? wanted : left;
}

static void find_steps(struct steps *steps)
{
    size_t at = 0;
    steps->count = 0;
    while (at < steps->size_bytes && steps->count < STEP_LIMIT) {
        steps->offsets[steps->count++] = at;
        at += step_bytes(steps->bytes, steps->size_bytes, at);
    }
    steps->offsets[steps->count] = at;
}

static size_t size_of(const struct steps *steps, size_t step)
{
    return steps->offsets[step + 1] - steps->offsets[step];
}

/* Makes room for `count` bytes at `offset`; false when the limit forbids it. */
static bool open_gap(struct steps *steps, size_t offset, size_t count)
{
    if (count > steps->limit_bytes - steps->size_bytes)
        return false;
    memmove(steps->bytes + offset + count, steps->bytes + offset, steps->size_bytes - offset);
    steps->size_bytes += count;
    return true;
}

static void close_gap(struct steps *steps, size_t offset, size_t count)
{
    memmove(steps->bytes + offset, steps->bytes + offset + count,
            steps->size_bytes - offset - count);
    steps->size_bytes -= count;
}

static void drop_steps(struct steps *steps)
{
    size_t first = below(steps, steps->count);
    size_t most = steps->count - first;
    size_t count = 1 + below(steps, most < 4 ? most : 4);
    close_gap(steps, steps->offsets[first], steps->offsets[first + count] - steps->offsets[first]);
}

static void repeat_step(struct steps *steps)
{
    size_t from = below(steps, steps->count);
    size_t to = below(steps, steps->count + 1);
    uint8_t copy[STEP_BYTES_MAX];
    size_t count = size_of(steps, from);
    memcpy(copy, steps->bytes + steps->offsets[from], count);
    if (open_gap(steps, steps->offsets[to], count))
        memcpy(steps->bytes + steps->offsets[to], copy, count);
}

/* Swaps two neighbours: rotates the bytes of both by the size of the first. */
static void swap_steps(struct steps *steps)
{
    if (steps->count < 2)
        return;
    size_t first = below(steps, steps->count - 1);
    uint8_t copy[STEP_BYTES_MAX];
    size_t first_bytes = size_of(steps, first);
    size_t second_bytes = size_of(steps, first + 1);
    uint8_t *at = steps->bytes + steps->offsets[first];
    memcpy(copy, at, first_bytes);
    memmove(at, at + first_bytes, second_bytes);
    memcpy(at + second_bytes, copy, first_bytes);
}

/* --- literals --- */

static bool is_literal(const uint8_t *step)
{
    return step[0] % LIFE_TAG_COUNT == LIFE_TAG_LITERAL;
}

/* A literal of the input with all of its header; the count of steps: it has none. */
static size_t some_literal(struct steps *steps)
{
    size_t from = below(steps, steps->count);
    for (size_t i = 0; i < steps->count; i++) {
        size_t step = (from + i) % steps->count;
        if (is_literal(steps->bytes + steps->offsets[step]) &&
            size_of(steps, step) >= STEP_HEADER_BYTES + CAPS_AT)
            return step;
    }
    return steps->count;
}

/* Where the body of a literal of `size` payload bytes begins. */
static size_t body_at(const uint8_t *payload, size_t size)
{
    size_t at = CAPS_AT + payload[CAP_COUNT_AT] % 8u * CAP_BYTES;
    return at < size ? at : size;
}

static void write_number(uint8_t *at, size_t width, uint64_t number)
{
    for (size_t i = 0; i < width; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

/* Numbers at which something changes. */
static uint64_t wild_number(struct steps *steps)
{
    uint64_t power = UINT64_C(1) << below(steps, 64);
    switch (below(steps, 5)) {
    case 0:
        return below(steps, 17);
    case 1:
        return power;
    case 2:
        return power - 1;
    case 3:
        return ~UINT64_C(0) - below(steps, 2);
    default:
        return next_random(steps);
    }
}

/* Writes a number into a field of a body: one that another literal has at some place, or one of its
 * own kind, or a wild one. */
static void change_body(struct steps *steps, uint8_t *payload, size_t size)
{
    size_t body = body_at(payload, size);
    size_t width = below(steps, 2) == 0 ? 8 : 4;
    if (size - body < width)
        return;
    uint8_t *at = payload + body + below(steps, (size - body) / width) * width;
    size_t other = some_literal(steps);
    size_t how = below(steps, 4);
    if (how < 2 && other < steps->count) {
        const uint8_t *from = steps->bytes + steps->offsets[other] + STEP_HEADER_BYTES;
        size_t from_size = size_of(steps, other) - STEP_HEADER_BYTES;
        size_t from_body = body_at(from, from_size);
        if (from_size - from_body >= width)
            memmove(at, from + from_body + below(steps, (from_size - from_body) / width) * width,
                    width);
    } else if (how == 2) {
        at[0] = (uint8_t)(at[0] + below(steps, 5) - 2);
    } else {
        write_number(at, width, wild_number(steps));
    }
}

/* Changes one field of a literal outside of the steps, or within. */
static void change_field(struct steps *steps, uint8_t *payload, size_t size)
{
    size_t other = some_literal(steps);
    const uint8_t *from =
        other == steps->count ? payload : steps->bytes + steps->offsets[other] + STEP_HEADER_BYTES;
    switch (below(steps, 8)) {
    case 0:
        memmove(payload + OPERATION_AT, from + OPERATION_AT, 2);
        return;
    case 1:
        payload[OPERATION_AT] = (uint8_t)(payload[OPERATION_AT] + below(steps, 5) - 2);
        return;
    case 2:
        memmove(payload + BADGE_AT, from + BADGE_AT, 8);
        return;
    case 3:
        write_number(payload + BADGE_AT, 8, below(steps, 2) * below(steps, 64)); /* 0, or a role */
        return;
    case 4:
        payload[CAPS_AT - 4 + below(steps, size - CAPS_AT + 4)] = (uint8_t)next_random(steps);
        return;
    default:
        change_body(steps, payload, size);
        return;
    }
}

static void change_literal(struct steps *steps)
{
    size_t step = some_literal(steps);
    if (step == steps->count)
        return;
    for (size_t changes = 1 + below(steps, 3); changes != 0; changes--)
        change_field(steps, steps->bytes + steps->offsets[step] + STEP_HEADER_BYTES,
                     size_of(steps, step) - STEP_HEADER_BYTES);
}

/* Puts a copy of a literal, with other fields, before a step. False: there is none, or no room. */
static bool insert_literal(struct steps *steps, size_t before)
{
    size_t from = some_literal(steps);
    if (from == steps->count)
        return false;
    uint8_t copy[STEP_BYTES_MAX];
    size_t count = size_of(steps, from);
    memcpy(copy, steps->bytes + steps->offsets[from], count);
    for (size_t changes = 1 + below(steps, 3); changes != 0; changes--)
        change_field(steps, copy + STEP_HEADER_BYTES, count - STEP_HEADER_BYTES);
    if (!open_gap(steps, steps->offsets[before], count))
        return false;
    memcpy(steps->bytes + steps->offsets[before], copy, count);
    return true;
}

/* Keeps the first steps and lets literals with wild fields follow. A last step that is cut short takes
 * in what comes behind it, and of more than STEP_LIMIT steps the last are none: bytes are counted. */
static void make_hostile(struct steps *steps)
{
    size_t kept = below(steps, steps->count + 1);
    size_t wanted = 1 + below(steps, HOSTILE_MAX);
    size_t end = steps->offsets[kept];
    for (size_t inserted = 0; inserted < wanted; inserted++) {
        size_t before = steps->size_bytes;
        if (!insert_literal(steps, kept))
            break;
        end += steps->size_bytes - before;
        find_steps(steps);
    }
    if (end != steps->offsets[kept])
        steps->size_bytes = end;
}

/* --- kinds of steps --- */

/* What a new step is: its tag, and the first byte of its payload, which picks the operation or the
 * action. In a swarm one of a few. */
static void choose_kind(struct steps *steps, uint8_t *tag, uint8_t *first)
{
    uint64_t random = next_random(steps);
    if (steps->plan.swarm != 0 && (steps->plan.features & STEPS_SWARM) != 0) {
        struct steps kinds = {.random = steps->plan.swarm};
        size_t chosen = below(steps, 2 + below(&kinds, SWARM_KINDS_MAX - 1));
        for (size_t i = 0; i <= chosen; i++)
            random = next_random(&kinds);
    }
    *tag = (uint8_t)random;
    *first = (uint8_t)(random >> 8);
    if ((steps->plan.features & STEPS_LITERALS) != 0 && is_literal(tag) && (random >> 16) % 8 != 0)
        *tag = LIFE_TAG_GENERATED;
    if ((steps->plan.features & STEPS_KNOWN) != 0 && *tag % LIFE_TAG_COUNT < LIFE_TAG_LITERAL &&
        (random >> 24) % 8 != 0)
        *tag = (uint8_t)(LIFE_TAG_KNOWN + *tag % LIFE_TAG_COUNT);
}

static bool same_kind(const struct steps *steps, size_t one, size_t other)
{
    const uint8_t *left = steps->bytes + steps->offsets[one];
    const uint8_t *right = steps->bytes + steps->offsets[other];
    if (size_of(steps, one) <= STEP_HEADER_BYTES || size_of(steps, other) <= STEP_HEADER_BYTES)
        return one == other;
    size_t at = is_literal(left) ? STEP_HEADER_BYTES + OPERATION_AT : STEP_HEADER_BYTES;
    return left[0] % LIFE_TAG_COUNT == right[0] % LIFE_TAG_COUNT && size_of(steps, one) > at &&
           size_of(steps, other) > at && left[at] == right[at];
}

/* Leaves all steps of one kind out of the input. */
static void omit_kind(struct steps *steps)
{
    size_t like = below(steps, steps->count);
    for (size_t step = steps->count; step-- > 0;)
        if (step != like && same_kind(steps, step, like))
            close_gap(steps, steps->offsets[step], size_of(steps, step));
    find_steps(steps);
}

static void insert_step(struct steps *steps)
{
    size_t before = below(steps, steps->count + 1);
    if ((steps->plan.features & STEPS_LITERALS) != 0 && below(steps, 8) == 0 &&
        insert_literal(steps, before))
        return;
    size_t words = 1 + below(steps, INSERTED_WORDS_MAX);
    size_t count = STEP_HEADER_BYTES + words * STEP_WORD_BYTES;
    size_t at = steps->offsets[before];
    if (!open_gap(steps, at, count))
        return;
    uint8_t *step = steps->bytes + at;
    for (size_t i = 0; i < count; i++)
        step[i] = (uint8_t)(below(steps, 3) == 0 ? next_random(steps) : below(steps, 8));
    choose_kind(steps, &step[0], &step[STEP_HEADER_BYTES]);
    step[1] = (uint8_t)words;
}

/* Lets the engine change a step's payload, then brings it back to the size the frame states. */
static void mutate_payload(struct steps *steps, byte_mutator mutate, void *context)
{
    size_t step = below(steps, steps->count);
    size_t size = size_of(steps, step);
    if (size <= STEP_HEADER_BYTES)
        return;
    size_t payload = size - STEP_HEADER_BYTES;
    uint8_t changed[UINT8_MAX * STEP_WORD_BYTES] = {0};
    memcpy(changed, steps->bytes + steps->offsets[step] + STEP_HEADER_BYTES, payload);
    mutate(changed, payload, payload, context);
    memcpy(steps->bytes + steps->offsets[step] + STEP_HEADER_BYTES, changed, payload);
}

/* --- what is done --- */

unsigned steps_features(const char *text)
{
    static const struct {
        const char *name;
        unsigned features;
    } known[] = {{"literals", STEPS_LITERALS},
                 {"swarm", STEPS_SWARM},
                 {"hostile", STEPS_HOSTILE},
                 {"cross", STEPS_CROSS},
                 {"known", STEPS_KNOWN}};
    unsigned features = 0;
    if (text == NULL)
        return STEPS_USUAL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strstr(text, known[i].name) != NULL)
            features |= known[i].features;
    return features;
}

/* One change that a plan may have besides the usual ones; false: it has not. */
static bool change_by_plan(struct steps *steps, size_t choice)
{
    static const struct {
        unsigned feature;
        void (*change)(struct steps *steps);
    } changes[] = {{STEPS_LITERALS, change_literal},
                   {STEPS_LITERALS, change_literal},
                   {STEPS_SWARM, omit_kind},
                   {STEPS_HOSTILE, make_hostile}};
    if (choice >= sizeof changes / sizeof changes[0] ||
        (steps->plan.features & changes[choice].feature) == 0)
        return false;
    changes[choice].change(steps);
    return true;
}

size_t steps_mutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, struct steps_plan plan,
                    uint64_t seed, byte_mutator mutate, void *context)
{
    /* An engine that makes an input smaller gives less room than the input fills: cut it first. */
    struct steps steps = {.bytes = bytes,
                          .size_bytes = size_bytes < limit_bytes ? size_bytes : limit_bytes,
                          .limit_bytes = limit_bytes,
                          .plan = plan,
                          .random = seed};
    find_steps(&steps);
    if (steps.count == 0) {
        insert_step(&steps);
        return steps.size_bytes;
    }
    if (plan.features != 0 && change_by_plan(&steps, below(&steps, 20)))
        return steps.size_bytes;
    size_t choice = below(&steps, 16);
    if (choice < 2)
        drop_steps(&steps);
    else if (choice < 4)
        repeat_step(&steps);
    else if (choice < 6)
        swap_steps(&steps);
    else if (choice < 9)
        insert_step(&steps);
    else if (choice < 14)
        mutate_payload(&steps, mutate, context);
    else
        return mutate(bytes, steps.size_bytes, limit_bytes, context);
    return steps.size_bytes;
}

/* Appends the steps [from, to) of an input, for as long as there is room for whole ones. */
static void append(struct steps *target, const struct steps *input, size_t from, size_t to)
{
    for (size_t step = from; step < to; step++) {
        size_t count = size_of(input, step);
        if (count > target->limit_bytes - target->size_bytes)
            return;
        memcpy(target->bytes + target->size_bytes, input->bytes + input->offsets[step], count);
        target->size_bytes += count;
    }
}

size_t steps_cross(const uint8_t *first, size_t first_bytes, const uint8_t *second,
                   size_t second_bytes, uint8_t *target, size_t limit_bytes, uint64_t seed)
{
    /* Neither is written through these. */
    struct steps one = {.bytes = (uint8_t *)(uintptr_t)first, .size_bytes = first_bytes};
    struct steps other = {.bytes = (uint8_t *)(uintptr_t)second, .size_bytes = second_bytes};
    struct steps joined = {.bytes = target, .limit_bytes = limit_bytes, .random = seed};
    find_steps(&one);
    find_steps(&other);
    size_t cut = below(&joined, one.count + 1);
    size_t from = below(&joined, other.count + 1);
    bool joins = below(&joined, 2) == 0;
    size_t run = 1 + below(&joined, 8);
    size_t to = joins || other.count - from < run ? other.count : from + run;
    append(&joined, &one, 0, cut);
    append(&joined, &other, from, to);
    if (!joins)
        append(&joined, &one, cut, one.count);
    return joined.size_bytes;
}
