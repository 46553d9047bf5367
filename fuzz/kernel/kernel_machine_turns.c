/* SPDX-License-Identifier: ISC */
/* Turns: a machine that asks the meter as x86_64 does, at each tick and when who pays is another
 * one, under a scheduler that does what the core does (K7). In the lowest band is a crowd that always
 * wants to run. Above it is a server, which some of the crowd call and wait for, until it answers or
 * a deadline passes; above all, somebody whom ticks wake. Whatever they do around the crowd, nobody
 * in it has more of the processor than another by more than two slices and what a server did last. One
 * of the crowd may work for a client of its own, which only waits: then it runs on that one's time. */
#include <string.h>

#include "fuzz/kernel/kernel_machine.h"
#include "kernel/machine/meter.h"

enum {
    CROWD = 4,
    SERVER = CROWD, /* payers after the crowd: for itself when nobody waits for it any more */
    URGENT,
    CLIENT, /* of the first of the crowd; it has the crowd's band */
    PAYERS,
    NOBODY = PAYERS,
    PARTS = 8, /* of a tick, in which time goes on */
    PART_CYCLES = 1000,
    TICK_CYCLES = PARTS * PART_CYCLES,
    SLICE_CYCLES = SLICE_TICKS * TICK_CYCLES,
    GIVE_WAY_MAX = 4,
    STRETCH_TICKS_MAX = 64,
    STRETCHES = 24,
    SERVE_TICKS_MAX = 40
};

/* What goes on for some ticks. */
struct stretch {
    uint64_t ticks;
    uint64_t callers;      /* bit i: i of the crowd calls the server when it runs */
    uint64_t call_part;    /* at this part of a tick */
    uint64_t serve_parts;  /* how long the server works for it */
    uint64_t urgent_parts; /* how long the urgent one runs when it wakes; 0: it does not */
    bool times_out;        /* the caller's deadline passes at the next tick */
};

static struct {
    struct meter meter;
    int64_t slices[PAYERS];
    int64_t used[PAYERS];
    unsigned payer; /* since the last question */
    unsigned queue[CROWD];
    unsigned queue_count;
    bool is_owed;         /* the last answer */
    bool has_client;      /* the first of the crowd works for CLIENT */
    unsigned caller;      /* who waits for the server; NOBODY */
    uint64_t server_left; /* parts until it answers, or has nothing to do (0) */
    uint64_t urgent_left;
    unsigned current; /* of the crowd, or SERVER, or URGENT */
    uint64_t now;
} sim;

static void queue_first(unsigned index)
{
    memmove(&sim.queue[1], &sim.queue[0], sim.queue_count * sizeof sim.queue[0]);
    sim.queue[0] = index;
    sim.queue_count++;
}

static void queue_last(unsigned index)
{
    sim.queue[sim.queue_count++] = index;
}

/* Who waited for the server is ready again. */
static void caller_wakes(void)
{
    queue_first(sim.caller);
    sim.caller = NOBODY;
}

/* The highest that can run does. Whom it displaces stands first in the queue. */
static void give_processor(void)
{
    unsigned before = sim.current;
    if (sim.urgent_left != 0)
        sim.current = URGENT;
    else if (sim.server_left != 0)
        sim.current = SERVER;
    else if (before >= CROWD)
        sim.current = NOBODY;
    if (before < CROWD && sim.current != before)
        queue_first(before);
    if (sim.current == NOBODY) {
        HARNESS(sim.queue_count != 0);
        sim.current = sim.queue[0];
        sim.queue_count--;
        memmove(&sim.queue[0], &sim.queue[1], sim.queue_count * sizeof sim.queue[0]);
    }
}

static unsigned payer_now(void)
{
    unsigned payer = sim.current == SERVER && sim.caller != NOBODY ? sim.caller : sim.current;
    return payer == 0 && sim.has_client ? CLIENT : payer;
}

/* kernel_turn_can_end: the server runs above whoever called it, and the rest of the crowd waits. */
static bool can_end(void)
{
    return sim.current != SERVER || sim.caller == NOBODY || sim.queue_count == 0;
}

/* True: the slice of who pays is used up. */
static bool ask(void)
{
    sim.payer = payer_now();
    sim.is_owed = false;
    return meter_charge(&sim.meter, &sim.slices[sim.payer], sim.now);
}

static bool ends_turn(void)
{
    sim.is_owed = meter_turn(&sim.meter, TICK_CYCLES, can_end()) == TURN_OWED;
    MARK_IF("kernel_machine: a slice is used up by a server", sim.is_owed);
    return !sim.is_owed;
}

/* What kernel_preempt does. The server and the urgent one are alone in their bands. */
static void preempt(void)
{
    if (sim.current < CROWD) {
        queue_last(sim.current);
        sim.current = NOBODY;
        give_processor();
    }
}

/* Before anybody runs on. */
static void find_current(void)
{
    for (unsigned i = 0;
         (sim.payer != payer_now() || sim.is_owed) && ask() && ends_turn() && i < GIVE_WAY_MAX;
         i++) {
        MARK("kernel_machine: a turn ends before it goes on");
        preempt();
    }
}

static void tick(const struct stretch *stretch)
{
    sim.urgent_left = stretch->urgent_parts;
    if (MARK_IF("kernel_machine: a deadline passes while a server works",
                stretch->times_out && sim.caller != NOBODY))
        caller_wakes(); /* the server goes on, for itself */
    give_processor();
    if (!ask())
        return;
    (void)ends_turn();
    preempt();
}

/* What the current one does at the end of a part. */
static void act(const struct stretch *stretch, uint64_t part)
{
    if (sim.current == URGENT) {
        sim.urgent_left--;
    } else if (sim.current == SERVER) {
        sim.server_left--;
        if (sim.server_left == 0 && sim.caller != NOBODY)
            caller_wakes();
    } else if ((stretch->callers >> sim.current & 1) != 0 && part == stretch->call_part &&
               sim.server_left == 0) {
        sim.caller = sim.current;
        sim.server_left = stretch->serve_parts;
        sim.current = NOBODY;
    }
    give_processor();
}

/* Of one of the crowd, whoever pays for it. */
static int64_t used_by(unsigned index)
{
    return sim.used[index] + (index == 0 ? sim.used[CLIENT] : 0);
}

/* Each has had its first slice; after that, turns go round, and what a server used beyond a slice
 * comes off the next ones. */
static void check_shares(void)
{
    for (unsigned i = 0; i < CROWD; i++) {
        for (unsigned j = 0; j < CROWD; j++)
            PROPERTY(K7, "share",
                     used_by(i) - used_by(j) <=
                         2 * SLICE_CYCLES + (4 + SERVE_TICKS_MAX) * TICK_CYCLES);
        digest_u64((uint64_t)used_by(i));
    }
}

static void run_stretch(const struct stretch *stretch)
{
    for (uint64_t i = 0; i < stretch->ticks * PARTS; i++) {
        uint64_t part = i % PARTS;
        sim.now += PART_CYCLES;
        sim.used[payer_now()] += PART_CYCLES;
        act(stretch, part);
        if (part == PARTS - 1)
            tick(stretch);
        find_current();
    }
    TRACE("  used: %lld %lld %lld %lld", (long long)used_by(0), (long long)used_by(1),
          (long long)used_by(2), (long long)used_by(3));
}

static struct stretch draw_stretch(struct choices *choices)
{
    struct stretch stretch = {
        .ticks = choices_between(choices, 1, STRETCH_TICKS_MAX),
        .callers = choices_below(choices, 1 << CROWD),
        .call_part = choices_below(choices, PARTS),
        .serve_parts = choices_between(choices, 1,
                                       choices_flag(choices) ? SERVE_TICKS_MAX * PARTS : 3 * PARTS),
        .urgent_parts = choices_below(choices, PARTS),
        .times_out = choices_flag(choices),
    };
    TRACE("%llu ticks, calls of %#llx at part %llu for %llu parts%s, urgent for %llu",
          (unsigned long long)stretch.ticks, (unsigned long long)stretch.callers,
          (unsigned long long)stretch.call_part, (unsigned long long)stretch.serve_parts,
          stretch.times_out ? " with deadlines" : "", (unsigned long long)stretch.urgent_parts);
    return stretch;
}

void machine_turns(struct choices *choices)
{
    memset(&sim, 0, sizeof sim);
    sim.caller = NOBODY;
    sim.payer = NOBODY;
    for (unsigned i = 0; i < PAYERS; i++)
        sim.slices[i] = SLICE_CYCLES;
    sim.has_client = choices_flag(choices);
    TRACE("%s", sim.has_client ? "the first works for a client" : "nobody has a client");
    for (unsigned i = 1; i < CROWD; i++)
        queue_last(i);
    find_current();
    for (unsigned i = 0; i < STRETCHES && !choices_empty(choices); i++) {
        struct stretch stretch = draw_stretch(choices);
        run_stretch(&stretch);
        check_shares();
    }
}
