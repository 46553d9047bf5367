/* SPDX-License-Identifier: ISC */
/* The parts of kernel_machine that are about the clock and time slices: scales against a division of
 * 128 bits and rates of counters against those that made the rounds (K9), slices against the sum of
 * what each payer used (K7). */
#include <string.h>

#include "fuzz/kernel/kernel_machine.h"
#include "kernel/machine/meter.h"
#include "kernel/machine/rate.h"
#include "kernel/machine/scale.h"

/* --- scales of counters --- */

static uint64_t draw_wide(struct choices *choices)
{
    uint64_t value = choices_u64(choices);
    return value >> choices_below(choices, 64);
}

/* The value is at most one below the exact one, which it is when the fraction has an end; and a
 * clock never goes back. */
static void check_scale(uint64_t numerator, uint64_t denominator, uint64_t value, uint64_t more)
{
    struct scale scale = scale_of(numerator, denominator);
    unsigned __int128 exact = (unsigned __int128)value * numerator / denominator;
    unsigned __int128 rest = numerator % denominator;
    PROPERTY_EQUAL(K9, "scale-whole", scale.whole, numerator / denominator);
    PROPERTY_EQUAL(K9, "scale-fraction", scale.fraction, (uint64_t)((rest << 64) / denominator));
    digest_u64(scale.fraction);
    if (exact > UINT64_MAX) /* such numbers are nobody's: the caller's fit */
        return;
    uint64_t applied = scale_apply(scale, value);
    uint64_t off = (uint64_t)exact - applied;
    TRACE("%llu * %llu / %llu: %llu", (unsigned long long)value, (unsigned long long)numerator,
          (unsigned long long)denominator, (unsigned long long)applied);
    digest_u64(applied);
    MARK_IF("kernel_machine: a scale rounds down", off == 1);
    PROPERTY(K9, "scale-apply", off <= 1);
    PROPERTY(K9, "scale-apply", off == 0 || (denominator & (denominator - 1)) != 0);
    unsigned __int128 later = (unsigned __int128)value + more;
    if (later <= UINT64_MAX && later * numerator / denominator <= UINT64_MAX)
        PROPERTY(K9, "scale-monotone", scale_apply(scale, (uint64_t)later) >= applied);
}

void machine_scales(struct choices *choices)
{
    while (!choices_empty(choices)) {
        uint64_t numerator = draw_wide(choices);
        uint64_t denominator = draw_wide(choices);
        if (denominator == 0)
            denominator = 1;
        if (denominator > UINT64_C(1) << 63)
            denominator = UINT64_C(1) << 63;
        uint64_t value = draw_wide(choices);
        check_scale(numerator, denominator, value, draw_wide(choices));
    }
}

/* --- time slices --- */

enum { PAYERS = 4, METER_STEPS = 400 };

struct payer {
    int64_t slice;
    int64_t first; /* what it began with */
    int64_t used;
    int64_t fills;
};

/* K7: a slice is what it began with, less what its owner used, and full ones only for those that
 * were used up. All cycles are somebody's, or nobody's. */
static void check_payers(const struct payer *payers, int64_t idle, uint64_t now, int64_t tick)
{
    int64_t sum = idle;
    for (unsigned i = 0; i < PAYERS; i++) {
        const struct payer *payer = &payers[i];
        PROPERTY_EQUAL(K7, "slice", payer->slice,
                       payer->first + payer->fills * SLICE_TICKS * tick - payer->used);
        digest_u64((uint64_t)payer->slice);
        sum += payer->used;
    }
    PROPERTY_EQUAL(K7, "cycles", (uint64_t)sum, now);
}

void machine_meter(struct choices *choices)
{
    int64_t tick = (int64_t)choices_between(choices, 1, 5000000);
    struct payer payers[PAYERS];
    struct meter meter = {0};
    unsigned current = PAYERS; /* nobody */
    int64_t idle = 0;
    uint64_t now = 0;
    for (unsigned i = 0; i < PAYERS; i++)
        payers[i] = (struct payer){SLICE_FIRST_TICKS * tick, SLICE_FIRST_TICKS * tick, 0, 0};
    for (unsigned i = 0; i < METER_STEPS && !choices_empty(choices); i++) {
        int64_t spent = (int64_t)choices_below(choices, (uint64_t)tick * 4)
                        << choices_below(choices, 4);
        uint64_t next = choices_below(choices, 2 * (PAYERS + 1)); /* or a look at the clock */
        now += (uint64_t)spent;
        *(current < PAYERS ? &payers[current].used : &idle) += spent;
        TRACE("%lld cycles of %u, then %llu", (long long)spent, current, (unsigned long long)next);
        if (next <= PAYERS)
            current = (unsigned)next;
        struct payer *payer = current < PAYERS ? &payers[current] : NULL;
        bool over =
            payer != NULL && payer->first + payer->fills * SLICE_TICKS * tick <= payer->used;
        int64_t *slice = payer != NULL ? &payer->slice : NULL;
        bool can_end = choices_flag(choices);
        PROPERTY_EQUAL(K7, "slice-over", meter_charge(&meter, slice, now), over);
        bool filled = over && meter_turn(&meter, (uint64_t)tick, can_end) == TURN_OVER;
        PROPERTY_EQUAL(K7, "turn-over", filled, over && can_end);
        MARK_IF("kernel_machine: a turn is owed", over && !filled);
        if (MARK_IF("kernel_machine: a slice is used up", filled))
            payer->fills++;
        check_payers(payers, idle, now, tick);
    }
}

/* --- the rate of a counter --- */

enum {
    PIT_HERTZ = 1193182,
    PIT_MODULUS = 65536,
    PARTS = 1000, /* of a count, in which a round's length is drawn */
    SHORT_COUNTS = 120,
    LONG_COUNTS = 23864,
    SHORT_ROUNDS = 12,
    LONG_ROUNDS = 8,
    PAUSE_COUNTS_MAX = 400000, /* a third of a second */
    CLOSE_PARTS = 20           /* right to one part in so many, whatever happened; */
};

/* What is measured, and what the model knows of it. */
static struct {
    struct rate rate;
    uint64_t cycles_hertz;
    uint64_t timer_hertz; /* PIT_HERTZ: the 8254 is what interrupts */
    unsigned sound_count; /* rounds that nothing disturbed: short ones, */
    bool exact;           /* or one long one */
} measured;

/* What counters of such rates say after so many parts of a count. */
static struct rate_round round_of(uint64_t parts)
{
    struct rate_round round = {
        .cycles = parts * measured.cycles_hertz / PIT_HERTZ / PARTS,
        .timer = (uint32_t)(parts * measured.timer_hertz / PIT_HERTZ / PARTS),
        .pit = (uint16_t)(parts / PARTS % PIT_MODULUS),
    };
    if (measured.timer_hertz == PIT_HERTZ)
        round.timer = round.pit;
    return round;
}

/* A reading is right to a third of a count. */
static void read_late(struct choices *choices, struct rate_round *round)
{
    uint64_t cycles = measured.cycles_hertz / PIT_HERTZ / 3;
    round->cycles += choices_below(choices, cycles + 1);
}

/* Held up for a while: inside of the round, where all go on counting, or between two readings. */
static void hold_up(struct choices *choices, uint64_t *parts, uint64_t *cycles)
{
    uint64_t pause = choices_below(choices, PAUSE_COUNTS_MAX);
    if (choices_flag(choices))
        *parts += pause * PARTS;
    else
        *cycles += pause * measured.cycles_hertz / PIT_HERTZ;
}

/* Whether two rates are the same to one part in `parts`. */
static bool is_close(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t parts)
{
    unsigned __int128 left = (unsigned __int128)a * d, right = (unsigned __int128)c * b;
    return (left < right ? right - left : left - right) * parts <= right;
}

/* The clock and the timer are right, as soon as one round was (K9). */
static void check_rate(void)
{
    struct rate_round result = rate_result(&measured.rate);
    TRACE("  %llu cycles, %u of the timer, %u counts", (unsigned long long)result.cycles,
          result.timer, result.pit);
    digest_u64(result.cycles);
    digest_u64(result.timer);
    PROPERTY(K9, "clock-rate",
             is_close(result.cycles, result.pit, measured.cycles_hertz, PIT_HERTZ, CLOSE_PARTS));
    PROPERTY(K9, "timer-rate",
             is_close(result.timer, result.cycles, measured.timer_hertz, measured.cycles_hertz,
                      CLOSE_PARTS));
    if (measured.exact)
        PROPERTY(K9, "clock-exact",
                 is_close(result.cycles, result.pit, measured.cycles_hertz, PIT_HERTZ, 5000));
}

/* True: the rate is known. */
static bool short_round(struct choices *choices)
{
    uint64_t parts = choices_between(choices, SHORT_COUNTS * PARTS, 2 * SHORT_COUNTS * PARTS);
    uint64_t cycles = 0;
    bool sound = choices_below(choices, 4) != 3;
    if (!sound)
        hold_up(choices, &parts, &cycles);
    struct rate_round round = round_of(parts);
    round.cycles += cycles;
    read_late(choices, &round);
    bool known = rate_take_short(&measured.rate, round);
    measured.sound_count += sound;
    TRACE("short round, %s: %llu cycles, %u of the timer, %u counts%s", sound ? "sound" : "held up",
          (unsigned long long)round.cycles, round.timer, round.pit, known ? "; known" : "");
    MARK_IF("kernel_machine: a held-up round is not believed", !sound && !known);
    PROPERTY(K9, "rate-known", known || measured.sound_count < 2);
    digest_u64(known);
    return known;
}

/* An interrupt that was asked for before came at once, or more than one did. */
static void miscount(struct choices *choices, uint64_t *parts, uint32_t *timer)
{
    uint64_t period = (uint64_t)LONG_COUNTS * PARTS;
    uint32_t counts = (uint32_t)(period * measured.timer_hertz / PIT_HERTZ / PARTS);
    if (choices_flag(choices)) {
        *parts = choices_between(choices, PARTS, 100 * PARTS);
        *timer += counts;
    } else {
        uint64_t missed = choices_between(choices, 1, 8);
        *parts += missed * period;
        *timer -= (uint32_t)missed * counts;
    }
}

static void long_round(struct choices *choices)
{
    uint64_t parts = (uint64_t)LONG_COUNTS * PARTS + choices_below(choices, 3000) * PARTS;
    uint64_t cycles = 0;
    uint32_t timer = 0;
    uint64_t kind = choices_below(choices, 4);
    if (kind == 1)
        hold_up(choices, &parts, &cycles);
    else if (kind == 2)
        miscount(choices, &parts, &timer);
    struct rate_round round = round_of(parts);
    round.cycles += cycles;
    if (measured.timer_hertz != PIT_HERTZ)
        round.timer += timer;
    read_late(choices, &round);
    bool taken = rate_take_long(&measured.rate, round);
    bool sound = kind == 0 || kind == 3;
    measured.exact = measured.exact || sound;
    TRACE("long round, kind %u: %llu cycles, %u of the timer, %u counts, %s", (unsigned)kind,
          (unsigned long long)round.cycles, round.timer, round.pit, taken ? "taken" : "not taken");
    PROPERTY(K9, "round-needlessly-refused", taken || !sound);
    PROPERTY(K9, "round-too-short", !taken || parts >= (uint64_t)RATE_LONG_COUNTS * PARTS);
    MARK_IF("kernel_machine: a held-up long round is refused", kind == 1 && !taken);
    MARK_IF("kernel_machine: a round of another interrupt is refused", kind == 2 && !taken);
    digest_u64(taken);
    check_rate();
}

/* Whoever is held up finds more cycles in a count and never fewer: with one sound short round all
 * is right to some percent, with two that is known, with a sound long one it is exact. */
void machine_rate(struct choices *choices)
{
    bool known = false;
    memset(&measured, 0, sizeof measured);
    measured.cycles_hertz = choices_between(choices, 25000000, UINT64_C(6000000000));
    measured.timer_hertz =
        choices_flag(choices) ? PIT_HERTZ : choices_between(choices, 2000000, UINT64_C(1000000000));
    for (unsigned i = 0; i < SHORT_ROUNDS && (i < 3 || !known); i++)
        known = short_round(choices);
    if (!known || measured.sound_count == 0)
        return;
    check_rate();
    for (unsigned i = 0; i < LONG_ROUNDS && !choices_empty(choices); i++)
        long_round(choices);
}
