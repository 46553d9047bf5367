/* SPDX-License-Identifier: ISC */
/* What a machine's code decides without touching one (kernel/machine): spans of memory against one
 * flag per page, what a loader says, the log's ring against the lines that were written, words of a
 * command line, and scales of counters, by which the clock tells the time (K9). */
#include "props/tests/machine/machine_test.h"

#include <string.h>

#include "kernel/machine/scale.h"
#include "kernel/machine/words.h"
#include "props/base/testing.h"

static uint64_t random_state = 88172645463325252;

uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static void test_words(void)
{
    EXPECT(words_have("record", "record"));
    EXPECT(words_have("  clock record ", "record"));
    EXPECT(words_have("record clock", "record"));
    EXPECT(words_have("recorded record", "record"));
    EXPECT(!words_have("", "record"));
    EXPECT(!words_have("   ", "record"));
    EXPECT(!words_have("clocksource=tsc prerecorded=no", "clock"));
    EXPECT(!words_have("clocksource=tsc prerecorded=no", "record"));
    EXPECT(!words_have("records", "record"));
    EXPECT(!words_have("recor", "record"));
    EXPECT(!words_have("a record=1", "record"));
}

/* A processor of some frequency, measured for 20 ms against a counter of 1,193,181.67 Hz: the clock
 * is right to what such a measurement can tell, and a tick begins at the cycle at which it is asked
 * for. */
static void clock_of(uint64_t hertz, const char *name)
{
    enum { TICKS = 1000, DAY_SECONDS = 86400 };
    uint64_t part = UINT64_C(12) * TICKS * 23864;
    uint64_t whole = hertz * 23864 * 12 / 14318180 * 14318180;
    struct scale ticks = scale_of(part, whole);
    struct scale cycles = scale_of(whole, part);
    uint64_t day = scale_apply(cycles, (uint64_t)DAY_SECONDS * TICKS);
    uint64_t wanted = hertz * DAY_SECONDS;
    expect_of(name, "a day is a day, within what 20 ms of counting can tell (K9)",
              day < wanted + wanted / 10000 && day > wanted - wanted / 10000);
    bool exact = true;
    for (uint64_t tick = 1; tick < (uint64_t)DAY_SECONDS * TICKS;
         tick += 1 + random_below(999983)) {
        uint64_t at = scale_apply(cycles, tick);
        exact = exact && scale_apply(ticks, at + hertz / 1000000) == tick &&
                scale_apply(ticks, at - hertz / 1000000) == tick - 1;
    }
    expect_of(name, "a tick begins where it is asked for, to a microsecond (K9)", exact);
}

static void test_scales(void)
{
    clock_of(UINT64_C(1000000000), "1 GHz");
    clock_of(UINT64_C(2893201337), "2.9 GHz");
    clock_of(UINT64_C(5000000001), "5 GHz");
    clock_of(UINT64_C(25000000), "25 MHz");
    expect_equal(scale_apply(scale_of(7, 2), 10), 35, "7 / 2 of 10");
    expect_equal(scale_apply(scale_of(1, 3), 3000000000), 999999999, "a third, rounded down");
    expect_equal(scale_apply(scale_of(0, 5), UINT64_MAX), 0, "nothing of something");
    expect_equal(scale_apply(scale_of(UINT64_MAX, UINT64_C(1) << 63), 1), 1, "nearly two");
}

int main(int count, char **arguments)
{
    (void)count;
    test_words();
    test_scales();
    machine_test_spans();
    machine_test_log();
    machine_test_line();
    machine_test_meter();
    machine_test_rate();
    machine_test_start();
    return tests_end(arguments[0]);
}
