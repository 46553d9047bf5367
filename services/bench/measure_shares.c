/* SPDX-License-Identifier: ISC */
/* Shares of the processor (K7), in thousandths of what one has alone: honest processes beside those
 * that call others at the right moment. What is measured counts; the others are seen by what is left.
 * Each case ends all its processes. */
#include "services/bench/bench_run.h"
#include "services/bench/runner.h"

enum {
    BAND_HIGH = 1, /* of servers; */
    BAND = 2,      /* of honest processes, */
    BAND_LOW = 3,
    ALONE_TICKS = 20,
    WARM_TICKS = 40,  /* the first slices are shorter */
    TWO_TICKS = 100,  /* whole rounds of two slices of 10, */
    FIVE_TICKS = 150, /* of five, */
    LONG_TICKS = 200, /* of two that owe each other up to two slices */
    CASE_RUNNERS = 8,
    EDGE_TICKS = 16,
    HONEST = 4
};

/* The runners of a case, from the first slot on; those that count come first. */
struct shares {
    struct bench *bench;
    uint32_t count;
    struct runner_page page; /* what each one starts with */
    uint64_t alone;          /* what one alone counts in 2^20 cycles */
    enum status status;
};

static uint32_t slot_of(uint32_t number)
{
    return BENCH_SLOT_RUNNERS + number * BENCH_RUNNER_SLOTS;
}

static uint32_t add(struct shares *shares, enum bench_run run, uint32_t band, uint32_t peer_slot)
{
    uint32_t slot = slot_of(shares->count);
    if (shares->status == STATUS_OK) {
        shares->status = runner_start(shares->bench, slot, run, band, peer_slot, &shares->page);
        shares->count++;
    }
    return slot + BENCH_SLOT_ENDPOINT;
}

static uint64_t count_of(struct shares *shares, uint32_t number)
{
    uint64_t count = 0;
    if (shares->status == STATUS_OK)
        shares->status = runner_count(shares->bench, slot_of(number), &count);
    return count;
}

/* What the first ones count in so many ticks, for each 2^20 cycles. */
static void watch(struct shares *shares, uint64_t ticks, uint64_t *rates, uint32_t number)
{
    uint64_t before = bench_cycles();
    for (uint32_t i = 0; i < number; i++)
        rates[i] = count_of(shares, i);
    runner_sleep(ticks);
    uint64_t cycles = bench_cycles() - before;
    for (uint32_t i = 0; i < number; i++)
        rates[i] = ((count_of(shares, i) - rates[i]) << 20) / cycles;
}

static void end_all(struct shares *shares)
{
    while (shares->status == STATUS_OK && shares->count != 0)
        shares->status = runner_end(shares->bench, slot_of(--shares->count));
}

static void prepare(struct shares *shares)
{
    uint64_t first = bench_next_tick();
    uint64_t last = first;
    for (unsigned i = 0; i < EDGE_TICKS; i++)
        last = bench_next_tick();
    shares->page =
        (struct runner_page){.tick_cycles = (last - first) / EDGE_TICKS, .edge_cycles = last};
    (void)add(shares, RUN_COUNT, BAND, SLOT_NULL);
    watch(shares, ALONE_TICKS, &shares->alone, 1);
    end_all(shares);
}

/* Prints the least, the middle and the most share of the first ones, and ends the case. */
static bool finish(struct shares *shares, const char *name, uint32_t number, uint32_t ticks)
{
    uint64_t rates[CASE_RUNNERS] = {0};
    if (shares->status == STATUS_OK) {
        runner_sleep(WARM_TICKS);
        watch(shares, ticks, rates, number);
    }
    end_all(shares);
    if (shares->status != STATUS_OK)
        return bench_fail(shares->bench, name, shares->status);
    for (uint32_t i = 0; i < number; i++)
        rates[i] = rates[i] * 1000 / shares->alone;
    struct figure figure = bench_figure(rates, number);
    figure.of[STATISTIC_P90] = rates[number - 1];
    bench_print(shares->bench, name, &figure);
    return true;
}

/* --- cases ------------------------------------------------------------------------------------ */

/* A client waits for one that asks a server for little, always so that the tick comes meanwhile. */
static bool measure_relay(struct shares *shares)
{
    shares->page.work_cycles = shares->page.tick_cycles / 8;
    (void)add(shares, RUN_COUNT, BAND, SLOT_NULL);
    uint32_t server = add(shares, RUN_SERVE, BAND_HIGH, SLOT_NULL);
    uint32_t relay = add(shares, RUN_RELAY, BAND, server);
    (void)add(shares, RUN_CALL, BAND, relay);
    return finish(shares, "share-relay", 1, TWO_TICKS);
}

/* One of a low band that is lent the others' for a tick, again and again. */
static bool measure_lent(struct shares *shares)
{
    for (uint32_t i = 0; i < HONEST; i++)
        (void)add(shares, RUN_COUNT, BAND, SLOT_NULL);
    uint32_t low = add(shares, RUN_COUNT, BAND_LOW, SLOT_NULL);
    (void)add(shares, RUN_NAG, BAND, low);
    return finish(shares, "share-lent", HONEST, FIVE_TICKS);
}

/* One that asks for more than two slices at a time. */
static bool measure_long(struct shares *shares)
{
    shares->page.work_cycles = shares->page.tick_cycles * 25;
    (void)add(shares, RUN_COUNT, BAND, SLOT_NULL);
    uint32_t server = add(shares, RUN_SERVE, BAND_HIGH, SLOT_NULL);
    (void)add(shares, RUN_CALL, BAND, server);
    return finish(shares, "share-long", 1, LONG_TICKS);
}

/* One that waits while the tick comes, and has itself woken after it by a server above all. */
static bool measure_absent(struct shares *shares)
{
    (void)add(shares, RUN_COUNT, BAND, SLOT_NULL);
    uint32_t server = add(shares, RUN_WAKE, BAND_HIGH, SLOT_NULL);
    (void)add(shares, RUN_TIMED, BAND, server);
    return finish(shares, "share-absent", 1, TWO_TICKS);
}

/* Two honest ones, and the tick always belongs to a third one above them. */
static bool measure_watched(struct shares *shares)
{
    (void)add(shares, RUN_COUNT, BAND, SLOT_NULL);
    (void)add(shares, RUN_COUNT, BAND, SLOT_NULL);
    (void)add(shares, RUN_WATCH, BAND_HIGH, SLOT_NULL);
    return finish(shares, "share-watched", 2, TWO_TICKS);
}

bool bench_measure_shares(struct bench *bench)
{
    struct shares shares = {.bench = bench, .status = STATUS_OK};
    prepare(&shares);
    if (shares.status != STATUS_OK)
        return bench_fail(bench, "share-alone", shares.status);
    return measure_relay(&shares) && measure_lent(&shares) && measure_long(&shares) &&
           measure_absent(&shares) && measure_watched(&shares);
}
