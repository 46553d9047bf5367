/* SPDX-License-Identifier: ISC */
/* Tests of what every harness stands on: choices, digests, marks, the step language, and, in
 * harness_test_steps.c, the step mutator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/messages/memd.h"
#include "abi/messages/pagerd.h"
#include "abi/messages/startup.h"
#include "abi/messages/vspaced.h"
#include "props/base/testing.h"
#include "props/base/choices.h"
#include "props/base/digest.h"
#include "props/life/life.h"
#include "props/life/life_bytes.h"
#include "props/base/marks.h"
#include "props/base/rows.h"
#include "props/base/trace.h"
#include "props/tests/harness_test.h"

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

/* What has no room in the record is counted, and said once. */
static void test_marks_full(void)
{
    FILE *said = tmpfile();
    int stderr_kept = dup(STDERR_FILENO);
    char line[256] = "", more[8] = "";
    fflush(stderr);
    EXPECT(said != NULL && dup2(fileno(said), STDERR_FILENO) >= 0);
    marks_forget();
    marks_record(true);
    for (unsigned state = 0; state < MARKS_RECORDED_MAX; state++)
        mark_triple("harness_test", state, 0, STATUS_OK);
    EXPECT(marks_count() == MARKS_RECORDED_MAX && marks_left_out() == 0);
    mark_triple("harness_test", 7, 0, STATUS_OK); /* which has its room */
    EXPECT(marks_left_out() == 0);
    MARK("harness_test: no room");
    for (unsigned i = 0; i < 2; i++)
        mark_triple("harness_test", MARKS_RECORDED_MAX + i, 0, STATUS_OK);
    marks_record(false);
    EXPECT(marks_count() == MARKS_RECORDED_MAX && marks_left_out() == 3);
    EXPECT(!marks_reached("harness_test: no room"));
    fflush(stderr);
    dup2(stderr_kept, STDERR_FILENO);
    close(stderr_kept);
    rewind(said);
    EXPECT(fgets(line, sizeof line, said) != NULL && fgets(more, sizeof more, said) == NULL);
    EXPECT(strcmp(line,
                  "marks: the record is full with 8192; \"harness_test: no room\" is the first "
                  "that is left out\n") == 0);
    fclose(said);
    marks_forget();
    EXPECT(marks_count() == 0 && marks_left_out() == 0);
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

/* A counter that is full stays so: begun anew it would tell an engine that the mark was not reached. */
static void test_counters_full(void)
{
    static uint8_t before[1 << MARK_BITS_MAX];
    unsigned index = 0;
    bool good = true;
    memcpy(before, mark_counters, (size_t)1 << mark_table.bits);
    mark_name("harness_test: often");
    while (mark_counters[index] == before[index])
        index++;
    for (unsigned times = 0; times < 2 * UINT8_MAX; times++) {
        unsigned was = mark_counters[index];
        mark_name("harness_test: often");
        good = good && mark_counters[index] == (was == UINT8_MAX ? was : was + 1);
    }
    EXPECT(good);
    EXPECT(mark_counters[index] == UINT8_MAX);
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

int main(int count, char **arguments)
{
    (void)count;
    test_choices();
    test_rows();
    test_settling();
    test_digest();
    test_marks();
    test_marks_full();
    test_counters();
    test_counters_full();
    test_life_text();
    test_life_results();
    test_life_refusals();
    test_life_any_bytes();
    harness_test_steps();
    return tests_end(arguments[0]);
}
