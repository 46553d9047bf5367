/* SPDX-License-Identifier: ISC */
/* Runs each input twice. Judges nothing but whether both did the same. */
#include "fuzz/engine/deferred.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/harness.h"

static size_t marks_bytes(void)
{
    return (size_t)1 << mark_table.bits;
}

static uint64_t run_once(const struct input *input, unsigned stride,
                         uint64_t (*run)(const struct input *input))
{
    memset(mark_counters, 0, marks_bytes());
    oracle_defer(stride);
    return run(input);
}

/* What is different; null: nothing. */
static const char *difference(const struct input *input, uint64_t (*run)(const struct input *input))
{
    static uint8_t marks[1 << MARK_BITS_MAX];
    uint64_t digest = run_once(input, 1, run);
    memcpy(marks, mark_counters, marks_bytes());
    if (run_once(input, ORACLE_STRIDE, run) != digest)
        return "its digest";
    return memcmp(marks, mark_counters, marks_bytes()) != 0 ? "its marks" : NULL;
}

int deferred_replay(const struct corpus *corpus, uint64_t (*run)(const struct input *input))
{
    unsigned different = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const char *what = difference(&corpus->inputs[i], run);
        if (what == NULL)
            continue;
        printf("%s: does something else when oracles are deferred: %s\n", corpus->inputs[i].path,
               what);
        different++;
    }
    printf("%s: %zu inputs, oracles deferred, %u different\n", harness_name, corpus->count,
           different);
    return different == 0 ? 0 : 1;
}
