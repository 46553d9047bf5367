/* SPDX-License-Identifier: ISC */
/* test-vectors: a program of a stock compiler, with numbers in vector registers. It computes the
 * same thing twice, for some time slices each, while another of it computes with other numbers; a
 * register that the other one changed would show in every number after it. */
#include "services/probes/expectations.h"
#include "services/probes/probes.h"

enum { VECTORS_STEPS = 1500000 };

/* A sequence that forgets nothing: what differs in the last place grows until all differs. */
static uint64_t computed(uint64_t argument)
{
    double x = 1.0 / (double)(argument + 2);
    double y = 1.0 / (double)(argument + 3);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < VECTORS_STEPS; i++) {
        x = 3.99 * x * (1.0 - x);
        y = 3.98 * y * (1.0 - y);
        sum = sum * 31 + (uint64_t)((x + y) * 1e9);
    }
    return sum;
}

uint32_t test_vectors_main(uint64_t argument)
{
    uint64_t first = computed(argument);
    uint64_t second = computed(argument);
    return first == second ? VECTORS_KEPT : VECTORS_CHANGED;
}
