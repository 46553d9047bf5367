/* SPDX-License-Identifier: ISC */
/* Tests of what every harness stands on: choices, digests, marks, the step language and the step
 * mutator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "abi/messages/pagerd.h"
#include "abi/messages/startup.h"
#include "abi/messages/vspaced.h"
#include "props/base/testing.h"
#include "props/life/steps.h"
#include "props/base/choices.h"
#include "props/base/digest.h"
#include "props/life/life.h"
#include "props/life/life_bytes.h"
#include "props/base/marks.h"
#include "props/base/rows.h"
#include "props/base/trace.h"

static const struct life_action actions[] = {{"tick", 1}, {"peer_dies", 0}, {"fail", 2}, {0}};
static const struct life_language language = {.service = SERVICE_MEMD, .actions = actions};

/* Numbers are little-endian, and past the end everything is 0. */
static void test_choices(void)
{
    static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06};
    struct choices choices = choices_over(bytes, sizeof bytes);
    EXPECT(choices_u16(&choices) == 0x0201);
    EXPECT(choices_u32(&choices) == 0x06050403);
    EXPECT(choices_empty(&choices));
    EXPECT(choices_u64(&choices) == 0 && choices_below(&choices, 1000) == 0);
    EXPECT(!choices_flag(&choices));
    choices = choices_over(bytes, sizeof bytes);
    EXPECT(choices_below(&choices, 1) == 0 && choices_left(&choices) == 6);
    EXPECT(choices_below(&choices, 256) == 1 && choices_left(&choices) == 5);
    EXPECT(choices_below(&choices, 257) == 0x0302 % 257 && choices_left(&choices) == 3);
    EXPECT(choices_between(&choices, 10, 10) == 10 && choices_left(&choices) == 3);
    choices = choices_over(bytes, sizeof bytes);
    EXPECT(choices_between(&choices, 0, UINT64_MAX) == 0x060504030201);
    choices = choices_over(bytes, sizeof bytes);
    struct choices slice = choices_slice(&choices, 2);
    EXPECT(choices_u32(&slice) == 0x0201 && choices_left(&choices) == 4);
    slice = choices_slice(&choices, 100);
    EXPECT(choices_left(&slice) == 4 && choices_empty(&choices));
}

/* The nearest row at or above a number; past the last row, and past the end, the first one. */
static void test_rows(void)
{
    bool exact = true;
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *row = &operation_table[i];
        exact = exact && operation_near(row->id) == row;
        exact = exact && operation_near_in(row->service, row->id % 0x80) == row;
    }
    EXPECT(exact);
    EXPECT(operation_near(OP_EVENT_PROCESS_ENDED + 1)->id == OP_STARTUP_START_SERVICE);
    EXPECT(operation_near(0x7FF)->id == 1 && operation_near(0x800 + 0x201)->id == 0x201);
    EXPECT(operation_near_in(SERVICE_PAGERD, 0)->id == OP_PAGERD_REGISTER_PROCESS);
    EXPECT(operation_near_in(SERVICE_PAGERD, 7)->id == OP_PAGERD_REGISTER_PROCESS);
    static const uint8_t bytes[] = {0x03, 0x01, 0xFF, 0x00, 0xFF, 0x85, 9};
    struct choices choices = choices_over(bytes, sizeof bytes);
    EXPECT(choose_role(&choices)->id == 0x103);
    EXPECT(choose_role(&choices)->id == 0x100);
    EXPECT(choose_refusal(&choices) != STATUS_OK);
    EXPECT(choose_up_to_or_unknown(&choices, 9) == UINT32_MAX - 5);
    EXPECT(choose_object_type(&choices) == OBJECT_KERNEL_SELF);
    EXPECT(choose_role(&choices)->id == ROLE_ROOTD && choose_object_type(&choices) == 1);
    EXPECT(choose_operation(&choices)->id == 1 && choose_up_to(&choices, 9) == 0);
}

static struct {
    const uint8_t *at;
    size_t width_bytes;
    uint64_t exact;
    unsigned count;
} told;

static void on_settled(const uint8_t *at, size_t width_bytes, uint64_t exact)
{
    told.at = at;
    told.width_bytes = width_bytes;
    told.exact = exact;
    told.count++;
}

/* Who listens is told which bytes mean which id; bytes past the end are nobody's. */
static void test_settling(void)
{
    static const uint8_t bytes[] = {7, 0x0B, 0x02, 0x00};
    struct choices choices = choices_over(bytes, sizeof bytes);
    choices_listen(on_settled);
    choices_u8(&choices);
    EXPECT(choose_operation(&choices)->id == OP_VSPACED_REGISTER_VSPACE && told.count == 1);
    EXPECT(told.at == bytes + 1 && told.width_bytes == 2 && told.exact == 0x301);
    EXPECT(choose_operation(&choices)->id == 1 && told.width_bytes == 1 && told.count == 2);
    EXPECT(choose_operation(&choices)->id == 1 && told.count == 2);
    choices_listen(NULL);
    choices = choices_over(bytes, sizeof bytes);
    EXPECT(choose_role(&choices) != NULL && told.count == 2);
}

/* Known values of FNV-1a, and order counts. */
static void test_digest(void)
{
    struct digest digest = digest_start();
    EXPECT(digest.value == UINT64_C(0xCBF29CE484222325));
    digest_add_u64(&digest, 1);
    struct digest other = digest_start();
    digest_add_u64(&other, 2);
    EXPECT(digest.value != other.value);
    struct digest ab = digest;
    digest_add_u64(&ab, 2);
    digest_add_u64(&other, 1);
    EXPECT(ab.value != other.value);
    struct digest split = digest_start();
    struct digest joined = digest_start();
    digest_add_bytes(&split, "a", 1);
    digest_add_bytes(&split, "bc", 2);
    digest_add_bytes(&joined, "ab", 2);
    digest_add_bytes(&joined, "c", 1);
    EXPECT(split.value != joined.value);
}

static void test_marks(void)
{
    marks_record(true);
    MARK("harness_test: here");
    mark_triple("harness_test", 2, OP_MEMD_ALLOC_FRAMES, STATUS_EXHAUSTED);
    mark_triple("harness_test", 2, OP_MEMD_ALLOC_FRAMES, STATUS_EXHAUSTED);
    marks_record(false);
    MARK("harness_test: not recorded");
    EXPECT(marks_count() == 2);
    EXPECT(marks_reached("harness_test: here"));
    EXPECT(marks_reached("harness_test: state 2 operation 0x203 EXHAUSTED"));
    EXPECT(!marks_reached("harness_test: not recorded"));
}

/* A mark has one counter in every process and build, or corpora of two would not fit together. */
static void test_counters(void)
{
    static const struct mark_table tables[] = {{12, 0}, {12, 1}, {16, 137}};
    static const unsigned counters[] = {1268, 3059, 12509};
    for (unsigned i = 0; i < 3; i++)
        EXPECT(mark_counter(UINT64_C(0xCBF29CE484222325), tables[i]) == counters[i]);
    unsigned marked = 0;
    unsigned before = 0;
    for (unsigned i = 0; i < 1u << mark_table.bits; i++)
        before += mark_counters[i];
    MARK("harness_test: counted");
    mark_name("harness_test: counted");
    for (unsigned i = 0; i < 1u << mark_table.bits; i++)
        marked += mark_counters[i];
    EXPECT(marked == before + 2);
}

static size_t assemble(const char *text, uint8_t *bytes, size_t limit_bytes, char *problem)
{
    problem[0] = 0;
    return life_assemble(&language, text, strlen(text), bytes, limit_bytes, problem, 128);
}

/* Text becomes frames, frames become the same steps. */
static void test_life_text(void)
{
    static uint8_t bytes[4096];
    char problem[128];
    size_t size = assemble("# a life\n"
                           "\n"
                           "memd.alloc_frames .badge=3 count=2 reserved0=0 -> OK\r\n"
                           "@tick 500\n"
                           "on=1 memd.close_account key=7\n"
                           "@fail 3 0x10",
                           bytes, sizeof bytes, problem);
    EXPECT(size != 0 && problem[0] == 0);
    struct choices input = choices_over(bytes, size);
    struct life_step step;
    trace_expects = true;
    EXPECT(life_next(&input, &language, &step) && step.kind == LIFE_LITERAL);
    EXPECT(step.message.header.operation == OP_MEMD_ALLOC_FRAMES && step.on == 0);
    EXPECT(step.message.header.badge == 3 && step.message.header.body_bytes == 8);
    EXPECT(step.message.body[0] == 2 && step.expects && step.expected == STATUS_OK);
    EXPECT(life_next(&input, &language, &step) && step.kind == LIFE_ACTION);
    EXPECT(step.action == 0 && step.arguments[0] == 500);
    EXPECT(life_next(&input, &language, &step) && step.kind == LIFE_LITERAL);
    EXPECT(step.message.header.operation == OP_MEMD_CLOSE_ACCOUNT && step.on == 1);
    EXPECT(!step.expects);
    EXPECT(life_next(&input, &language, &step) && step.kind == LIFE_ACTION);
    EXPECT(step.action == 2 && step.arguments[0] == 3 && step.arguments[1] == 16);
    EXPECT(!life_next(&input, &language, &step));
    trace_expects = false;
    input = choices_over(bytes, size);
    EXPECT(life_next(&input, &language, &step) && !step.expects);
}

/* A status may stand below its message, and a header of another version has a text. */
static void test_life_results(void)
{
    uint8_t bytes[256];
    char problem[128];
    size_t size = assemble("memd.query_memory\n"
                           "# between\n"
                           "  -> DENIED\n"
                           "memd.query_memory .version=2\n",
                           bytes, sizeof bytes, problem);
    struct choices input = choices_over(bytes, size);
    struct life_step step;
    trace_expects = true;
    EXPECT(life_next(&input, &language, &step) && step.expects && step.expected == STATUS_DENIED);
    EXPECT(step.message.header.version == MESSAGE_VERSION);
    EXPECT(life_next(&input, &language, &step) && !step.expects);
    EXPECT(step.message.header.version == 2);
    trace_expects = false;
}

/* Each wrong text is refused with the line that is wrong. */
static void test_life_refusals(void)
{
    static const char *const wrong[] = {
        "memd.alloc_frames count=2 -> SOMETIMES",
        "memd.alloc_frames number=2",
        "memd.no_such_operation",
        "memd.alloc_frames:reply .status=DENIED",
        "@no_such_action",
        "@tick",
        "@tick 1 2",
        "on=300 memd.alloc_frames count=2 reserved0=0",
        "-> OK",
        "memd.query_memory .version=300",
        "nonsense",
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bytes[256];
        char text[256];
        char problem[128];
        snprintf(text, sizeof text, "@tick 1\n%s\n", wrong[i]);
        EXPECT(assemble(text, bytes, sizeof bytes, problem) == 0);
        EXPECT(strncmp(problem, "line 2, column ", 15) == 0);
    }
    uint8_t small[8];
    char problem[128];
    EXPECT(assemble("memd.allocframes", small, sizeof small, problem) == 0);
    EXPECT(strstr(problem, "has this name: allocframes") != NULL);
    EXPECT(assemble("@tick 1\n", small, sizeof small, problem) == 0 && problem[0] != 0);
}

/* Any bytes give steps, and a tag past the actions of a language without any is a message. */
static void test_life_any_bytes(void)
{
    static const struct life_language mute = {.service = SERVICE_MEMD, .actions = NULL};
    uint8_t bytes[512];
    uint64_t state = 1;
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < sizeof bytes; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            bytes[i] = (uint8_t)(state >> 33);
        }
        struct choices input = choices_over(bytes, sizeof bytes);
        struct life_step step;
        bool good = true;
        while (life_next(&input, round % 2 == 0 ? &mute : &language, &step)) {
            good = good && step.message.header.body_bytes <= MESSAGE_BODY_BYTES_MAX;
            good = good && step.message.header.cap_count <= MESSAGE_CAP_LIMIT;
            good = good && (step.kind != LIFE_ACTION || (round % 2 == 1 && step.action < 3));
        }
        EXPECT(good);
    }
}

static size_t flip_first(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, void *context)
{
    (void)limit_bytes;
    (void)context;
    if (size_bytes != 0)
        bytes[0] ^= 0xFF;
    return size_bytes;
}

/* The mutator never leaves its limit, repeats by its seed, and does every kind of change. */
static void test_steps(void)
{
    static const uint8_t life[] = {0, 1, 1, 1, 1, 1, 6, 0, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    bool grew = false;
    bool shrank = false;
    bool swapped = false;
    bool good = true;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t once[40];
        uint8_t twice[40];
        struct steps_plan plan = {.features = seed % 2 == 0 ? 0 : STEPS_USUAL, .swarm = seed % 4};
        memcpy(once, life, sizeof life);
        memcpy(twice, life, sizeof life);
        size_t size = steps_mutate(once, sizeof life, sizeof once, plan, seed, flip_first, NULL);
        size_t again = steps_mutate(twice, sizeof life, sizeof twice, plan, seed, flip_first, NULL);
        good = good && size <= sizeof once && size == again && memcmp(once, twice, size) == 0;
        grew = grew || size > sizeof life;
        shrank = shrank || size < sizeof life;
        swapped = swapped || (size == sizeof life && once[0] == 6 && once[2] == 0);
    }
    EXPECT(good);
    EXPECT(grew);
    EXPECT(shrank);
    EXPECT(swapped);
    EXPECT(step_bytes(life, sizeof life, 0) == 6 && step_bytes(life, sizeof life, 6) == 2);
    EXPECT(step_bytes(life, sizeof life, 8) == 10 && step_bytes(life, sizeof life, 17) == 1);
    uint8_t none[8];
    size_t size = steps_mutate(none, 0, 1, (struct steps_plan){0}, 1, flip_first, NULL);
    EXPECT(size == 0);
}

/* A row of literals whose operation is 2, whose badge is 7 or 9 and whose body is one number. */
static size_t literals(uint8_t *bytes, size_t count)
{
    memset(bytes, 0, count * 26);
    for (size_t i = 0; i < count; i++) {
        uint8_t *step = bytes + i * 26;
        step[0] = 5;
        step[1] = 6;
        step[4] = 2;
        step[6] = i % 2 == 0 ? 7 : 9;
        step[14] = 8;
        step[18] = (uint8_t)(100 + i);
    }
    return count * 26;
}

/* Of a plan's own changes each is made, and none where the plan has it not. */
static void test_steps_plan(void)
{
    enum { COUNT = 4, LIMIT = 400 };
    for (unsigned features = 0; features <= STEPS_LITERALS; features++) {
        unsigned moved = 0;
        unsigned whole = 0;
        for (uint64_t seed = 0; seed < 2000; seed++) {
            uint8_t bytes[LIMIT];
            size_t size = literals(bytes, COUNT);
            struct steps_plan plan = {.features = features};
            size = steps_mutate(bytes, size, LIMIT, plan, seed, flip_first, NULL);
            whole += size % 26 == 0;
            for (size_t i = 0; i < COUNT && size == COUNT * 26; i++) /* the number of another */
                moved += bytes[i * 26 + 18] >= 100 && bytes[i * 26 + 18] < 104 &&
                         bytes[i * 26 + 18] != 100 + i && bytes[i * 26 + 6] == (i % 2 ? 9 : 7) &&
                         (i == 0 || bytes[i * 26 - 26 + 18] == 99 + i);
        }
        EXPECT(whole > 1000);
        EXPECT(features == 0 ? moved < 600 : moved > 30);
    }
}

/* The first steps stay as they were, and a few literals follow that are others. */
static void test_hostile(void)
{
    enum { COUNT = 12, LIMIT = 26 * (COUNT + 4) };
    unsigned cut = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        uint8_t before[LIMIT];
        uint8_t bytes[LIMIT];
        size_t size = literals(before, COUNT);
        memcpy(bytes, before, size);
        struct steps_plan plan = {.features = STEPS_HOSTILE};
        size = steps_mutate(bytes, size, LIMIT, plan, seed, flip_first, NULL);
        size_t same = 0;
        while (same * 26 < size && memcmp(bytes + same * 26, before + same * 26, 26) == 0)
            same++;
        cut += size <= 26 * 8 && size % 26 == 0 && size > same * 26;
    }
    EXPECT(cut > 20);
}

/* Also of an input whose last step is cut short, or with more steps than are looked at: what comes
 * behind is taken in by that step, or is none. No change drops more than four steps. */
static void test_hostile_ends(void)
{
    enum { COUNT = 9, FEW = 26 * COUNT, MANY = FEW + 2 * 600, LIMIT = MANY + 26 * 4 };
    bool good = true;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        bool is_cut = seed % 4 == 0;
        uint8_t bytes[LIMIT] = {0};
        literals(bytes, COUNT);
        bytes[FEW + 1] = is_cut ? 200 : 0; /* words, of which one follows */
        struct steps_plan plan = {.features = STEPS_HOSTILE};
        size_t size =
            steps_mutate(bytes, is_cut ? FEW + 6 : MANY, LIMIT, plan, seed, flip_first, NULL);
        good = good && size <= LIMIT && size != 0;
    }
    EXPECT(good);
}

/* In a swarm new steps are of a few kinds; without one of many. */
static void test_swarm(void)
{
    unsigned kinds[2] = {0, 0};
    for (unsigned round = 0; round < 2; round++) {
        static bool seen[1 << 16];
        memset(seen, 0, sizeof seen);
        for (uint64_t seed = 0; seed < 500; seed++) {
            uint8_t bytes[64];
            struct steps_plan plan = {.features = STEPS_SWARM, .swarm = round};
            if (steps_mutate(bytes, 0, sizeof bytes, plan, seed, flip_first, NULL) < 4)
                continue;
            bool *kind = &seen[bytes[0] << 8 | bytes[2]];
            kinds[round] += !*kind;
            *kind = true;
        }
    }
    EXPECT(kinds[0] > 400);
    EXPECT(kinds[1] >= 2 && kinds[1] <= 6);
}

/* Two inputs are joined between steps: what comes out is steps of both, in their order. */
static void test_cross(void)
{
    uint8_t first[26 * 3];
    uint8_t second[26 * 3];
    literals(first, 3);
    literals(second, 3);
    for (size_t i = 0; i < 3; i++)
        second[i * 26 + 18] = (uint8_t)(200 + i);
    bool good = true;
    unsigned both = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        size_t limit = seed % 160;
        uint8_t *target = malloc(limit + 1); /* of the heap: the sanitizer sees one byte too far */
        size_t size = steps_cross(first, sizeof first, second, sizeof second, target, limit, seed);
        unsigned from[2] = {0, 0};
        good = good && size <= limit && size % 26 == 0;
        for (size_t at = 0; at + 26 <= size; at += 26) {
            good = good && target[at] == 5 && target[at + 1] == 6;
            from[target[at + 18] >= 200]++;
        }
        both += from[0] != 0 && from[1] != 0;
        free(target);
    }
    EXPECT(good);
    EXPECT(both > 100);
    EXPECT(steps_features(NULL) == STEPS_USUAL && steps_features("steps") == 0);
    EXPECT(steps_features("steps+swarm+cross") == (STEPS_SWARM | STEPS_CROSS));
}

/* An engine that shrinks an input gives less room than the input fills: what lies behind the limit
 * is not the mutator's. */
static void test_steps_over_limit(void)
{
    bool good = true;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        size_t limit = seed % 40;
        uint8_t *bytes = malloc(40); /* of the heap, where the sanitizer sees one byte too far */
        for (size_t i = 0; i < 40; i++)
            bytes[i] = i % 10 == 1 ? 2 : 7; /* four steps of two words */
        struct steps_plan plan = {.features = STEPS_USUAL, .swarm = seed % 3};
        size_t size = steps_mutate(bytes, 40, limit, plan, seed, flip_first, NULL);
        good = good && size <= limit;
        for (size_t i = limit; i < 40; i++)
            good = good && bytes[i] == (i % 10 == 1 ? 2 : 7);
        free(bytes);
    }
    EXPECT(good);
}

int main(int count, char **arguments)
{
    (void)count;
    test_choices();
    test_rows();
    test_settling();
    test_digest();
    test_marks();
    test_counters();
    test_life_text();
    test_life_results();
    test_life_refusals();
    test_life_any_bytes();
    test_steps();
    test_steps_plan();
    test_hostile();
    test_hostile_ends();
    test_swarm();
    test_cross();
    test_steps_over_limit();
    return tests_end(arguments[0]);
}
