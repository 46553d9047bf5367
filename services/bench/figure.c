/* SPDX-License-Identifier: ISC */
/* From samples to the three numbers that are printed. */
#include "services/bench/bench.h"

uint64_t bench_overhead(void)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < BENCH_WARM; i++) {
        uint64_t before = bench_cycles();
        uint64_t after = bench_cycles();
        if (after - before < least)
            least = after - before;
    }
    return least;
}

struct figure bench_figure(uint64_t *samples, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint64_t sample = samples[i];
        uint32_t place = i;
        for (; place > 0 && samples[place - 1] > sample; place--)
            samples[place] = samples[place - 1];
        samples[place] = sample;
    }
    return (struct figure){{
        [STATISTIC_MINIMUM] = samples[0],
        [STATISTIC_MEDIAN] = samples[count / 2],
        [STATISTIC_P90] = samples[count * 9 / 10],
    }};
}
