/* SPDX-License-Identifier: ISC */
/* Time. What the time is comes from the processor's counter (TSC), measured once against the 8254,
 * so that no entry, however long, and no interrupt that came late slows the clock (K9). When to
 * look comes from one interrupt at a time: of the local APIC's timer, or without one, of the 8254
 * through the 8259. Brings time to the core and never decides who runs. */
#include "kernel/x86_64/x86.h"

#include "kernel/machine/rate.h"
#include "kernel/machine/scale.h"

enum {
    PIT_CHANNEL0 = 0x40,
    PIT_COMMAND = 0x43,
    PIT_ONE_SHOT = 0x30, /* channel 0, both bytes, mode 0: counts on below 0 */
    PIT_LATCH = 0x00,    /* channel 0 */
    PIT_COUNTS_MAX = 0xFFFF
};

/* The 8254 runs at a twelfth of 14.31818 MHz: this many counts are this many ticks. */
#define PIT_HERTZ_TIMES_12 UINT64_C(14318180)
#define PIT_TICKS_TIMES_12 (UINT64_C(12) * TICKS_PER_SECOND)

enum {
    MSR_APIC_BASE = 0x1B,
    APIC_ENABLED = 1 << 11,
    APIC_BY_MSR = 1 << 10, /* x2APIC: there are no registers in memory */
    APIC_END = 0xB0,       /* offsets of registers */
    APIC_SPURIOUS = 0xF0,
    APIC_TIMER = 0x320,
    APIC_LINE0 = 0x350,
    APIC_LINE1 = 0x360,
    APIC_INITIAL = 0x380,
    APIC_CURRENT = 0x390,
    APIC_DIVIDE = 0x3E0,
    APIC_DIVIDE_16 = 3,
    APIC_SOFTWARE_ENABLED = 0x100,
    APIC_NMI = 0x400,
    APIC_EXTERNAL = 0x700,
    APIC_PERIODIC = 0x20000
};

enum {
    SHORT_COUNTS = 120,     /* of the 8254: 0.1 ms, waited for by reading it */
    SHORT_ROUNDS = 4,       /* measurements at least, */
    SHORT_ROUNDS_MAX = 16,  /* and at most, until two agree */
    LONG_TICKS = 20,        /* slept through; */
    LONG_COUNTS = 23864,    /* the same of the 8254 */
    LONG_ROUNDS = 3,        /* measurements that count, */
    LONG_ROUNDS_MAX = 8,    /* of so many */
    READS_MAX = 20000,      /* of a counter that ought to move; each takes a microsecond or more */
    SAMPLE_TRIES = 8,       /* the shortest of so many readings is not a disturbed one */
    FIRST_TICK_PARTS = 10,  /* the first interrupt is asked for after a tenth of a tick, */
    FIRST_TICK_WAIT = 1000, /* and must be seen within so many ticks, */
    FIRST_TICK_TRIES = 3,   /* or it is asked for again: the host may have stood still */
    ARM_TICKS_MAX = 30000   /* the APIC's 32 bits last for longer */
};

/* All counters at one moment. */
struct sample {
    uint64_t cycles;
    uint32_t apic;
    uint16_t pit;
};

extern uint32_t timer_seen; /* entry.S counts here while timer_seen_entry is the gate */
void timer_seen_entry(void);
extern const uint64_t trap_stubs[];

static bool apic_used;
static uint64_t start_cycles; /* the clock's 0 */
static struct scale ticks_per_cycle, cycles_per_tick;
static struct scale counts_per_cycle; /* of what interrupts */

static volatile uint32_t *apic(unsigned offset)
{
    return (volatile uint32_t *)(uintptr_t)(APIC_VA + offset);
}

/* The local APIC, whatever firmware left in it: its timer on, and the 8259's line and the
 * non-maskable one open: the 8259 says by itself which of its lines interrupts. False: there is none whose registers lie where they are mapped. */
static bool apic_init(void)
{
    uint32_t registers[4];
    cpuid(1, registers);
    if ((registers[3] & 1u << 9) == 0)
        return false;
    uint64_t base = msr_read(MSR_APIC_BASE);
    if ((base & APIC_ENABLED) == 0 || (base & APIC_BY_MSR) != 0 ||
        (base & ~UINT64_C(0xFFF)) != APIC_PHYSICAL)
        return false;
    *apic(APIC_SPURIOUS) = APIC_SOFTWARE_ENABLED | SPURIOUS_VECTOR;
    *apic(APIC_LINE0) = APIC_EXTERNAL;
    *apic(APIC_LINE1) = APIC_NMI;
    *apic(APIC_DIVIDE) = APIC_DIVIDE_16;
    *apic(APIC_TIMER) = TIMER_VECTOR;
    return true;
}

static void pit_start(uint16_t counts)
{
    port_write8(PIT_COMMAND, PIT_ONE_SHOT);
    port_write8(PIT_CHANNEL0, counts & 0xFF);
    port_write8(PIT_CHANNEL0, (uint8_t)(counts >> 8));
}

static uint16_t pit_read(void)
{
    uint8_t low = port_read8(PIT_CHANNEL0);
    return (uint16_t)(low | port_read8(PIT_CHANNEL0) << 8);
}

static struct sample sample(void)
{
    struct sample best = {0};
    uint64_t shortest = UINT64_MAX;
    for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
        uint64_t before = cpu_cycles();
        port_write8(PIT_COMMAND, PIT_LATCH);
        uint32_t count = apic_used ? *apic(APIC_CURRENT) : 0;
        uint64_t after = cpu_cycles();
        uint16_t pit = pit_read();
        if (after - before >= shortest)
            continue;
        shortest = after - before;
        best = (struct sample){before + shortest / 2, count, pit};
    }
    return best;
}

static struct rate_round between(struct sample first, struct sample last)
{
    uint16_t pit = (uint16_t)(first.pit - last.pit); /* it counts down, as the APIC's does */
    return (struct rate_round){
        .cycles = last.cycles - first.cycles,
        .timer = apic_used ? first.apic - last.apic : pit,
        .pit = pit,
    };
}

static void scales_set(struct rate_round round)
{
    uint64_t ticks = round.pit * PIT_TICKS_TIMES_12;
    uint64_t counts = round.cycles * PIT_HERTZ_TIMES_12;
    ticks_per_cycle = scale_of(ticks, counts);
    cycles_per_tick = scale_of(counts, ticks);
    counts_per_cycle = scale_of(round.timer, round.cycles);
}

/* An interrupt after so many cycles, or before that when they are too many. */
static void arm(uint64_t cycles)
{
    uint64_t counts = scale_apply(counts_per_cycle, cycles) + 1;
    if (apic_used)
        *apic(APIC_INITIAL) = counts < UINT32_MAX ? (uint32_t)counts : UINT32_MAX;
    else
        pit_start(counts < PIT_COUNTS_MAX ? (uint16_t)counts : PIT_COUNTS_MAX);
}

/* --- the start --- */

/* Counts for 0.1 ms. False: the 8254 stands still. */
static bool measure_short(struct rate_round *round)
{
    pit_start(PIT_COUNTS_MAX);
    if (apic_used)
        *apic(APIC_INITIAL) = UINT32_MAX;
    struct sample first = sample();
    for (unsigned reads = 0; reads < READS_MAX / SAMPLE_TRIES; reads++) {
        *round = between(first, sample());
        if (round->pit >= SHORT_COUNTS)
            return true;
    }
    return false;
}

/* False: a counter stands still, or no two rounds agree. */
static bool measure_awake(struct rate *rate)
{
    struct rate_round round;
    bool known = false;
    for (unsigned i = 0; i < SHORT_ROUNDS || (!known && i < SHORT_ROUNDS_MAX); i++) {
        if (!measure_short(&round))
            return false;
        known = rate_take_short(rate, round);
    }
    return known;
}

/* Whether an interrupt comes at all: until that is known nothing may sleep. */
static bool first_tick_seen(void)
{
    uint64_t tick = timer_tick_cycles();
    volatile uint32_t *seen = &timer_seen;
    *seen = 0;
    for (unsigned i = 0; i < FIRST_TICK_TRIES && *seen == 0; i++) {
        uint64_t before = cpu_cycles();
        arm(tick / FIRST_TICK_PARTS);
        __asm__ volatile("sti" : : : "memory");
        while (*seen == 0 && cpu_cycles() - before < tick * FIRST_TICK_WAIT)
            __asm__ volatile("pause");
        __asm__ volatile("cli" : : : "memory");
    }
    timer_acknowledge();
    return *seen != 0;
}

/* The same for 20 ms, asleep. The APIC's timer starts anew at its interrupt and goes on. When an
 * older interrupt came, or it came more than once, the round agrees with no other. */
static struct rate_round measure_long(void)
{
    volatile uint32_t *seen = &timer_seen;
    uint32_t period = (uint32_t)scale_apply(counts_per_cycle, LONG_TICKS * timer_tick_cycles());
    *seen = 0;
    pit_start(apic_used ? PIT_COUNTS_MAX : LONG_COUNTS);
    if (apic_used) {
        *apic(APIC_TIMER) = TIMER_VECTOR | APIC_PERIODIC;
        *apic(APIC_INITIAL) = period;
    }
    struct sample first = sample();
    while (*seen == 0)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
    timer_acknowledge();
    struct rate_round round = between(first, sample());
    if (apic_used) {
        round.timer += period;
        *apic(APIC_TIMER) = TIMER_VECTOR;
    }
    return round;
}

static void measure_asleep(struct rate *rate)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < LONG_ROUNDS_MAX && taken < LONG_ROUNDS; i++)
        taken += rate_take_long(rate, measure_long());
}

bool timer_init(void)
{
    struct rate rate = {0};
    lines_init();
    apic_used = apic_init();
    cpu_gate_set(TIMER_VECTOR, (uintptr_t)timer_seen_entry);
    if (!measure_awake(&rate))
        return false;
    scales_set(rate_result(&rate));
    if (!apic_used)
        machine_line_open(TIMER_LINE, true);
    if (!first_tick_seen())
        return false;
    measure_asleep(&rate);
    scales_set(rate_result(&rate));
    cpu_gate_set(TIMER_VECTOR, trap_stubs[TIMER_VECTOR]);
    start_cycles = cpu_cycles();
    timer_arm(1);
    return true;
}

/* --- from then on --- */

uint64_t timer_now(void)
{
    return scale_apply(ticks_per_cycle, cpu_cycles() - start_cycles);
}

uint64_t timer_tick_cycles(void)
{
    return cycles_per_tick.whole;
}

void timer_acknowledge(void)
{
    if (apic_used)
        *apic(APIC_END) = 0;
    else
        lines_end(TIMER_LINE);
}

void timer_arm(uint64_t ticks)
{
    uint64_t now = cpu_cycles() - start_cycles;
    uint64_t now_ticks = scale_apply(ticks_per_cycle, now);
    if (ticks > now_ticks + ARM_TICKS_MAX)
        ticks = now_ticks + ARM_TICKS_MAX;
    uint64_t then = scale_apply(cycles_per_tick, ticks) + 1;
    arm(then > now ? then - now : 0);
}
