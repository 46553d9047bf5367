/* SPDX-License-Identifier: ISC */
/* A state that is damaged at a step, looked at now and then: what fails must name that step, however
 * late somebody looked. A byte is a step: 'd' damages, 'm' mends, 'o' damages what the first life of
 * a process alone minds. */
#include <stdio.h>

#include "fuzz/harness.h"

const char harness_name[] = "canary_deferred";

static unsigned steps;
static bool damaged;

static void say_step(void)
{
    fprintf(stderr, "at step %u\n", steps);
}

static void take(uint8_t step)
{
    static bool warned;
    damaged = step == 'd' || (damaged && step != 'm') || (step == 'o' && !warned);
    warned |= step == 'o';
}

static void look(void)
{
    PROPERTY(T1, "deferred", !damaged);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    (void)harness_begin(bytes, size_bytes);
    property_context(say_step, NULL);
    damaged = false;
    for (steps = 0; steps < size_bytes; steps++) {
        bool looks = oracle_step();
        take(bytes[steps]);
        if (looks)
            look();
    }
    look();
    digest_u64(damaged);
    return 0;
}
