/* SPDX-License-Identifier: ISC */
/* Time slices (K7): a thief that sleeps just before the tick beside an honest process, each with its
 * slice, under a scheduler of four lines that does what the core does. */
#include "props/tests/machine/machine_test.h"

#include <stddef.h>

#include "kernel/machine/meter.h"
#include "props/base/testing.h"

enum { TICK = 1000, TICKS = 20000, HONEST = 0, THIEF = 1, WORK_TICKS = 9, LATE = TICK * 7 / 8 };

static bool is_over(struct meter *meter, int64_t *slice, uint64_t now)
{
    return meter_charge(meter, slice, now) && meter_turn(meter, TICK, true) == TURN_OVER;
}

static bool is_owed(struct meter *meter, int64_t *slice, uint64_t now)
{
    return meter_charge(meter, slice, now) && meter_turn(meter, TICK, false) == TURN_OWED;
}

/* The share of the honest process in thousandths, when the thief works so many ticks and most of
 * one more, and then sleeps until the next. */
static uint64_t honest_share(uint64_t work_ticks)
{
    int64_t slices[2] = {SLICE_FIRST_TICKS * TICK, SLICE_FIRST_TICKS * TICK};
    uint64_t used[2] = {0, 0};
    struct meter meter = {.slice = &slices[THIEF]};
    unsigned current = THIEF;
    bool sleeps = false;
    uint64_t worked = 0; /* whole ticks of the thief since it woke */
    for (uint64_t tick = 1; tick < TICKS; tick++) {
        uint64_t end = tick * TICK;
        uint64_t now = end - TICK;
        if (current == THIEF && worked >= work_ticks) { /* it sleeps before the tick */
            used[THIEF] += LATE;
            now += LATE;
            sleeps = true;
            current = HONEST;
            (void)is_over(&meter, &slices[HONEST], now);
        }
        used[current] += end - now;
        worked = current == THIEF ? worked + 1 : worked;
        bool over = is_over(&meter, &slices[current], end);
        worked = sleeps || over ? 0 : worked;
        sleeps = false; /* it wakes, first in the queue, and preempts nobody */
        if (over) {
            current = 1 - current;
            (void)is_over(&meter, &slices[current], end);
        }
    }
    return used[HONEST] * 1000 / (used[HONEST] + used[THIEF]);
}

/* A server of a higher band works for the owner of a slice for three slices and a half. */
static void test_owed(void)
{
    int64_t slice = TICK, other = SLICE_TICKS * TICK;
    struct meter meter = {.slice = &slice};
    uint64_t now = TICK - 1;
    expect(!is_owed(&meter, &slice, now), "something is left");
    for (unsigned i = 0; i < 7; i++) {
        now += SLICE_TICKS * TICK / 2;
        expect(is_owed(&meter, &slice, now), "K7: it is owed");
    }
    for (unsigned i = 0; i < 4; i++) { /* it is to go on, and the other one goes on instead */
        expect(is_over(&meter, &slice, now), "K7: each slice that was used up is a turn");
        (void)is_over(&meter, &other, now);
        now += TICK;
    }
    expect(!is_over(&meter, &slice, now), "then it goes on");
    expect_equal((uint64_t)slice, SLICE_TICKS * TICK / 2 + 1, "with the rest of the last slice");
}

static void test_charge(void)
{
    int64_t slice = 3 * TICK, other = TICK;
    struct meter meter = {.slice = NULL, .since = 5};
    EXPECT(!is_over(&meter, NULL, 1000)); /* nobody pays */
    EXPECT(!is_over(&meter, &slice, 2000));
    EXPECT(!is_over(&meter, &slice, 2000 + 3 * TICK - 1));
    EXPECT(is_over(&meter, &slice, 2000 + 5 * TICK));
    expect_equal((uint64_t)slice, (SLICE_TICKS - 2) * TICK, "what was used too much is taken off");
    EXPECT(!is_over(&meter, NULL, 2000 + 6 * TICK));
    EXPECT(!is_over(&meter, &other, 100000));
    expect_equal((uint64_t)slice, (SLICE_TICKS - 3) * TICK, "and sleep costs nothing");
    EXPECT(!is_over(&meter, &slice, 100000 + TICK));
    expect_equal((uint64_t)slice, (SLICE_TICKS - 3) * TICK, "K7: nor does it fill the slice");
    expect(other == 0, "K7: nor is one that is used up filled while another pays");
    EXPECT(is_over(&meter, &other, 100000 + TICK)); /* but when its owner is to go on */
}

void machine_test_meter(void)
{
    test_charge();
    test_owed();
    for (uint64_t work = 0; work <= WORK_TICKS; work++)
        expect(honest_share(work) >= 450, "K7: the thief gets its share and no more");
    uint64_t equal = honest_share(TICKS);
    expect(equal >= 490 && equal <= 510, "two that never sleep share evenly");
}
