/* SPDX-License-Identifier: ISC */
/* The rate of a clock out of rounds of measurement, of a processor that counts 2,000 cycles in a
 * count of the 8254, and whose timer counts 50: a host that stands still in the middle of one must
 * not make the clock or the timer wrong (K9). */
#include "kernel/machine/rate.h"
#include "props/base/testing.h"
#include "props/tests/machine/machine_test.h"

enum { CYCLES = 2000, TIMER = 50, SHORT = 125, LONG = 24000, MODULUS = 65536 };

/* A round of so many counts, of which the 8254 shows 16 bits. */
static struct rate_round counted(uint64_t counts)
{
    return (struct rate_round){counts * CYCLES, (uint32_t)(counts * TIMER),
                               (uint16_t)(counts % MODULUS)};
}

static struct rate known(void)
{
    struct rate rate = {0};
    EXPECT(!rate_take_short(&rate, counted(SHORT)));
    EXPECT(rate_take_short(&rate, counted(SHORT)));
    return rate;
}

static bool is_right(const struct rate *rate)
{
    struct rate_round result = rate_result(rate);
    return result.pit != 0 && result.cycles == (uint64_t)CYCLES * result.pit &&
           result.timer == (uint64_t)TIMER * result.pit;
}

static void test_short(void)
{
    struct rate rate = {0};
    EXPECT(!rate_take_short(&rate, counted(MODULUS + 200)));
    EXPECT(!rate_take_short(&rate, counted(MODULUS + 1700)));
    EXPECT(!rate_take_short(&rate, counted(SHORT)));
    EXPECT(!rate_take_short(&rate, counted(MODULUS + 300)));
    EXPECT(rate_take_short(&rate, counted(SHORT + 3)));
    EXPECT(rate_take_short(&rate, counted(MODULUS + 300)));
    expect(is_right(&rate), "K9: two short rounds that agree are the rate");
    expect(rate_take_short(&rate, (struct rate_round){0, 0, SHORT}), "a counter that stood still");
    expect(is_right(&rate), "is no round");
}

static void test_long(void)
{
    struct rate rate = known();
    expect(!rate_take_long(&rate, counted(MODULUS + LONG)), "K9: held up until the 8254 wrapped");
    expect(!rate_take_long(&rate, counted(4 * MODULUS + LONG)), "K9: or for longer");
    struct rate_round round = counted(30);
    round.timer += LONG * TIMER;
    expect(!rate_take_long(&rate, round), "K9: an interrupt of the round before came at once");
    round = counted(2 * LONG + 500);
    round.timer -= LONG * TIMER;
    expect(!rate_take_long(&rate, round), "K9: two interrupts were taken for one");
    round = counted(LONG);
    round.cycles += round.cycles / 16;
    expect(!rate_take_long(&rate, round), "K9: held up between two readings");
    expect(!rate_take_long(&rate, counted(RATE_LONG_COUNTS - 1)), "too short to be exact");
    expect(rate_result(&rate).pit == SHORT && is_right(&rate),
           "then the short rounds are the rate");
    round = counted(LONG);
    round.cycles += round.cycles / 100;
    EXPECT(rate_take_long(&rate, round));
    EXPECT(rate_take_long(&rate, counted(LONG)));
    EXPECT(rate_take_long(&rate, round));
    expect(rate_result(&rate).pit == LONG && is_right(&rate), "the least disturbed long round is");
}

void machine_test_rate(void)
{
    test_short();
    test_long();
}
